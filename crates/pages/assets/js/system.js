// The picture that an operator opens first.

import { base, call } from './api.js';
import { fill, h, icon, size, span, table, when } from './dom.js';

/** How often it is drawn anew, in ms. */
const LOOK = 5000;

/** @param {import('./app.js').Place} place */
export async function view({ signal }) {
  const el = h('section', { class: 'stack' });
  /** Stands above what was seen last while the server does not answer. */
  const lost = h('p', { class: 'lost', role: 'alert' });
  /** @type {Set<string>} */
  const unfolded = new Set();
  async function draw() {
    const s = await call('/v1/system', { signal });
    fill(el, picture(s, unfolded));
  }
  async function look() {
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      // Nobody looks at a page in the background.
      if (!signal.aborted && !document.hidden) {
        await draw().catch((e) => {
          if (!lost.isConnected) el.prepend(lost);
          if (lost.textContent !== e.message) fill(lost, icon('warning'), e.message);
        });
      }
    }
  }
  await draw();
  void look();
  return { title: 'System', el };
}

/** @param {string} text @param {string} value @param {string} [more] @param {string} [state] */
const tile = (text, value, more, state = '') => h('div', { class: 'card tile' }, h('h2', null, text), h('p', { class: `value ${state && `state ${state}`}` }, value), more && h('p', { class: 'dim' }, more));

/** @param {string[]} head @param {(Node | string | number)[][]} rows @param {string} label @param {string} none */
const list = (head, rows, label, none) => (rows.length ? table(label, head, rows) : h('p', { class: 'dim' }, none));

/** @param {any} s @param {Set<string>} unfolded */
function picture(s, unfolded) {
  const bad = s.checks.filter((/** @type {any} */ c) => c.status !== 'ok');
  const busy = s.running.filter((/** @type {any} */ r) => r.stage === 'run').length;
  const request = (/** @type {string} */ id) => h('span', { class: 'id' }, id);
  const secs = (/** @type {number} */ n) => span(n);
  return [
    h('div', { class: 'title' }, h('h1', null, 'System'), h('p', { class: 'dim' }, `Reshoot ${s.version}, started `, when(s.started_at))),
    h('div', { class: 'tiles' },
      tile('Health', s.status, bad.length ? bad.map((/** @type {any} */ c) => `${c.name}: ${c.message ?? c.status}`).join('; ') : `${s.checks.length} checks`, s.status),
      tile('Queue', String(s.queue.depth), s.queue.depth ? `oldest waits ${secs(s.queue.oldest_age_secs)}` : 'nothing waits'),
      tile('Workers', s.workers.runs ? `${busy} of ${s.workers.runs}` : 'none here', s.workers.runs ? 'busy' : 'this process only answers calls'),
      tile('Webhooks', String(s.webhooks.pending), s.webhooks.pending ? `oldest waits ${secs(s.webhooks.oldest_age_secs)}` : 'all sent'),
      s.disk && tile('Disk', `${size(s.disk.free_bytes)} free`, `of ${size(s.disk.total_bytes)}`)),
    h('div', { class: 'card' }, h('h2', null, 'What is going on'), list(['Request', 'Model', 'Stage', 'Done', 'Since', 'Worker'], s.running.map((/** @type {any} */ r) => [
      request(r.request_id), r.model_id, [r.stage, r.pass].filter(Boolean).join(': ') + (r.attempt > 1 ? ` (attempt ${r.attempt})` : ''),
      r.fraction === undefined ? '' : h('span', null, h('meter', { max: 1, value: r.fraction, 'aria-label': 'Done' }), ` ${Math.floor(r.fraction * 100)} %`), when(r.since), request(r.worker)]), 'What is going on', 'Nothing runs.')),
    h('div', { class: 'halves' },
      h('div', { class: 'card' }, h('h2', null, 'Waiting'), list(['Model', 'Priority', 'Number', 'Oldest'], s.queue.groups.map((/** @type {any} */ g) => [g.model_id, g.priority, g.depth, secs(g.oldest_age_secs)]), 'Waiting', 'Nothing waits.')),
      h('div', { class: 'card' }, h('h2', null, 'Stage times'), list(['Stage', 'Of', 'Half within', '90 % within', 'Longest'], s.stages.map((/** @type {any} */ t) => [t.name, t.count, secs(t.p50_secs), secs(t.p90_secs), secs(t.max_secs)]), 'Stage times', 'No request has succeeded yet.'))),
    h('div', { class: 'card' }, h('h2', null, 'Recent faults'), list(['When', 'Code', 'What', 'Model', 'Request'], s.faults.map((/** @type {any} */ f) => [when(f.at), h('code', null, f.code), f.message, f.model_id, request(f.request_id)]), 'Recent faults', 'No request has failed.')),
    h('div', { class: 'card' }, h('h2', null, 'Checks'), list(['Check', 'State', 'What to do'], s.checks.map((/** @type {any} */ c) => [c.name, h('span', { class: `state ${c.status}` }, c.status), c.message ?? '']), 'Checks', '')),
    h('h2', null, 'Engines'),
    s.engines.map((/** @type {any} */ e) => h('details', { class: 'card', open: unfolded.has(e.name), ontoggle: (/** @type {Event} */ t) => { if (/** @type {HTMLDetailsElement} */ (t.target).open) unfolded.add(e.name); else unfolded.delete(e.name); } },
      h('summary', null, h('h3', null, `${e.name} ${e.version}`), ' ', h('span', { class: 'dim' }, `for ${e.models.join(', ') || 'no model'}; what it honours`)),
      h('div', null, list(['Wish', 'Honoured', 'How'], e.honours.map((/** @type {any} */ w) => [w.wish, h('span', { class: `degree ${w.degree}` }, w.degree), w.note]), `What ${e.name} honours`, '')))),
    h('p', { class: 'dim' }, 'For machines: ', h('a', { href: `${base}/readyz` }, '/readyz'), ', ', h('a', { href: `${base}/metrics` }, '/metrics')),
  ];
}
