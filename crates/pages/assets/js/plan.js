// What the server makes of a prompt.

import { fill, h, icon, table, ticks } from './dom.js';
import { human } from './form.js';

/** @typedef {import('./api.js').Unmet} Unmet */

/**
 * @param {{plan?: any, unmet: Unmet[], warnings: string[], provisional?: boolean, engine?: any}} made @param {string} title
 */
export function planView(made, title) {
  const { plan = {}, unmet, warnings } = made;
  const wishes = [...(plan.wishes ?? []).map((/** @type {any} */ w) => ({ ...w, what: w.want })), ...(plan.keeps ?? []).map((/** @type {any} */ k) => ({ ...k, what: { kind: 'keep', keep: k.keep } }))]
    .sort((a, b) => (a.words?.start ?? 0) - (b.words?.start ?? 0));
  const reasons = (/** @type {string} */ words) => unmet.filter((u) => u.words === words);
  const lone = unmet.filter((u) => !wishes.some((w) => w.words?.text === u.words));
  const engine = typeof made.engine === 'string' ? made.engine : made.engine?.name;
  return h('div', { class: 'card plan' },
    h('div', { class: 'title' }, h('h2', null, title), engine && h('span', { class: 'chip' }, engine)),
    plan.task?.name && h('p', null, h('strong', null, human(plan.task.name)), plan.length_secs && ` · ${plan.length_secs} s`),
    wishes.length ? h('ul', { class: 'wishes' }, wishes.map((w) => wish(w, reasons(w.words?.text)))) : h('p', { class: 'dim' }, 'The prompt asks for nothing in particular.'),
    lone.length ? [h('h3', null, 'Not done'), h('ul', { class: 'wishes' }, lone.map((u) => h('li', { class: 'unmet' }, icon('warning'), h('div', null, u.words && h('q', null, u.words), because(u)))))] : null,
    plan.not_understood?.length ? h('p', { class: 'dim' }, 'Not understood: ', plan.not_understood.map((/** @type {any} */ w) => h('q', null, w.text ?? String(w)))) : null,
    warnings.length ? h('ul', { class: 'warnings' }, warnings.map((w) => h('li', null, ticks(w)))) : null,
    made.provisional ? h('p', { class: 'dim' }, 'Provisional: the files have not been looked at yet.') : null);
}

/** @param {any} w @param {Unmet[]} unmet */
function wish(w, unmet) {
  const { kind, ...rest } = w.what ?? {};
  const details = Object.entries(rest).flatMap(([name, v]) => (typeof v === 'number' ? [`${human(name).toLowerCase()} ${v}`] : typeof (v?.name ?? v) === 'string' ? [String(v?.name ?? v).replaceAll('_', ' ')] : []));
  return h('li', { class: unmet.length ? 'unmet' : '' }, icon(unmet.length ? 'warning' : 'check'),
    h('div', null, h('strong', null, human(String(kind ?? 'wish'))), details.length ? ` ${details.join(', ')}` : '',
      w.words?.text && [' ', h('q', null, w.words.text)], unmet.map(because)));
}

/** @param {Unmet} u */
function because(u) {
  return h('p', { class: 'why' }, ticks(u.reason), u.provisional && h('span', { class: 'dim' }, ' (until the files are looked at)'));
}

/** Numbers about a clip, and what was done. @param {import('./api.js').Request} r */
export function metricsView(r) {
  const numbers = Object.entries(r.metrics ?? {});
  const passes = r.passes ?? [];
  const total = passes.reduce((sum, p) => sum + p.millis, 0) || 1;
  return h('div', null,
    numbers.length ? table('Metrics', ['Measured on the clip', 'Value'], numbers.map(([name, value]) => [human(name), Number(value.toPrecision(4))]), 1)
      : h('p', { class: 'dim' }, 'Nothing was measured on this clip.'),
    passes.length ? table('Passes', ['Pass', 'Share', 'Time'], passes.map((p) => [h('span', { title: JSON.stringify(p.parameters) }, human(p.name)),
      h('meter', { max: 1, value: p.millis / total, 'aria-label': `Share of ${p.name}` }), `${(p.millis / 1000).toFixed(2)} s`]), 2) : null);
}

/** @param {HTMLElement} el @param {import('./api.js').Request['events']} events */
export function logLines(el, events) {
  return fill(el, events.map((e) => h('li', null, h('time', { dateTime: e.at }, new Date(e.at).toLocaleTimeString()), ' ', e.kind.replaceAll('_', ' '), e.message && `: ${e.message}`)));
}
