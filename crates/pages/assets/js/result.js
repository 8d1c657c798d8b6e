// What came of a request.

import { ApiError, base, call, model as loadModel, modelPath } from './api.js';
import { go } from './app.js';
import { at, codeBlock, confirmed, copy, fill, h, icon, money, put, span, ticks, toast, tool, when } from './dom.js';
import { draft, keepDraft } from './draft.js';
import { known } from './media.js';
import { logLines, metricsView, planView } from './plan.js';
import { player } from './player.js';

/** @typedef {import('./api.js').Request} Request */

/** What an output holds, in order. @param {Record<string, any> | undefined} output @returns {{kind: 'video' | 'image', url: string}[]} */
export function outputs(output) {
  return Object.entries(output ?? {}).flatMap(([name, value]) => [value].flat().filter((v) => typeof v === 'string')
    .map((url) => ({ kind: /** @type {'video' | 'image'} */ (/video/.test(name) || /\.(mp4|mov)$/.test(url) ? 'video' : 'image'), url })));
}

/** The clips and pictures. @param {{output?: any}} r @param {string | undefined} reference @param {number} fps @param {AbortSignal} signal */
export function stage(r, reference, fps, signal) {
  return outputs(r.output).map(({ kind, url }) => (kind === 'video'
    ? player({ clip: url, reference, fps }, signal)
    : h('img', { class: 'still', src: url, alt: 'The picture that was made' })));
}

/**
 * @param {Request} r @param {AbortSignal} signal @param {{close?: () => void}} [o]
 */
export function resultView(r, signal, o = {}) {
  const el = h('div', { class: 'result' });
  const word = { succeeded: 'Done', failed: 'Failed', cancelled: 'Cancelled' }[r.status] ?? r.status;
  const took = r.finished_at && (Date.parse(r.finished_at) - Date.parse(r.created_at)) / 1000;
  fill(el,
    h('div', { class: 'card' },
      h('div', { class: 'title' }, h('h2', null, h('span', { role: 'status', class: `state ${r.status}` }, word)),
        h('p', { class: 'dim' }, took ? `in ${span(took)}` : '', r.cost ? ` · ${money(r.cost)}` : '', ' · ', when(r.finished_at))),
      r.error && failure(r.error), h('div', { class: 'stages' }), actions(r, o)),
    about(r));
  void showClips(r, el, signal);
  return el;
}

/** @param {Request} r @param {HTMLElement} el @param {AbortSignal} signal */
async function showClips(r, el, signal) {
  const found = await loadModel(r.model_id).catch(() => null);
  const place = found?.roles.media.find((m) => m.kind === 'video')?.at;
  const named = place === undefined ? undefined : [at(r.input, place)].flat()[0];
  const reference = typeof named === 'string' && !named.startsWith('reshoot-artifact:') ? known(named).src : undefined;
  const box = el.querySelector('.stages');
  if (box) fill(box, stage(r, reference, found?.roles.output.fps ?? 24, signal));
}

/** @param {{code: string, message: string, detail?: import('./api.js').Detail[]}} error */
function failure(error) {
  return h('div', { class: 'failure', role: 'alert' }, h('p', null, icon('warning'), ticks(error.message), ' ', h('code', null, error.code)),
    error.detail?.length ? h('ul', null, error.detail.map((d) => h('li', null, ticks(d.msg)))) : null);
}

/** @param {Request} r @param {{close?: () => void}} o */
function actions(r, o) {
  const [first] = outputs(r.output);
  return h('p', { class: 'actions' },
    first && h('a', { class: 'button main', href: first.url, download: `${r.request_id}${first.url.slice(first.url.lastIndexOf('.'))}` }, icon('download'), 'Download'),
    first && h('button', { type: 'button', onclick: () => share(r) }, icon('share'), 'Share'),
    first?.kind === 'video' && h('button', { type: 'button', onclick: () => reuse(r, first.url, o) }, icon('video'), 'Use as reference'),
    h('button', { type: 'button', onclick: () => again(r) }, icon('again'), 'Run again'),
    h('button', { type: 'button', onclick: () => { edit(r); o.close?.(); } }, icon('edit'), 'Edit'),
    o.close && h('button', { type: 'button', class: 'plain', onclick: o.close }, 'Back to the plan'),
    o.close && h('a', { class: 'plain', href: `${base}/generations/${r.request_id}` }, 'Open its page'));
}

/** Puts the clip where the form takes its reference. @param {Request} r @param {string} url @param {{close?: () => void}} o */
async function reuse(r, url, o) {
  const { roles, input_schema: schema } = await loadModel(r.model_id);
  const place = roles.media.find((m) => m.kind === 'video');
  if (!place) return toast('This model takes no video', 'fault');
  const before = draft(r.model_id);
  const list = place.at.split('/').slice(1).reduce((s, name) => s?.properties?.[name], schema)?.type === 'array';
  keepDraft(r.model_id, put(Object.keys(before).length ? before : sendable(r.input), place.at, list ? [url] : url));
  o.close?.();
  await go(`/models/${r.model_id}`);
  toast('The clip is the reference now');
}

/** What a record has in place of a file that was sent inside the request: nobody can send that again. */
const KEPT = 'reshoot-artifact:';
/** An input without such files: what can be sent again. @param {any} value @returns {any} */
export function sendable(value) {
  if (typeof value === 'string') return value.startsWith(KEPT) ? undefined : value;
  if (Array.isArray(value)) return value.map(sendable).filter((v) => v !== undefined);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sendable(v)]).filter(([, v]) => v !== undefined));
}

/** The request in the form. @param {Request} r */
function edit(r) {
  const input = sendable(r.input);
  keepDraft(r.model_id, input);
  void go(`/models/${r.model_id}`);
  if (JSON.stringify(input) !== JSON.stringify(r.input)) toast('Files that were sent inside this request have to be added anew', 'fault');
}

/** The same request once more. @param {Request} r */
export async function again(r) {
  if (JSON.stringify(r.input).includes(`"${KEPT}`)) return edit(r);
  try {
    const made = await call(modelPath(r.model_id), { method: 'POST', body: r.input });
    keepDraft(r.model_id, r.input);
    await go(`/models/${r.model_id}?request=${made.request_id}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.detail[0]?.msg ?? error.message, 'fault');
  }
}

/** A link for people without a key. @param {Request} r */
async function share(r) {
  const path = `/v1/requests/${r.request_id}/share`;
  const { url } = await call(path, { method: 'POST' });
  const field = h('input', { readOnly: true, value: url, 'aria-label': 'Link', onfocus: () => field.select() });
  const dialog = h('dialog', { class: 'card', 'aria-labelledby': 'share-title', onclose: () => dialog.remove() },
    h('form', { method: 'dialog' }, h('h2', { id: 'share-title' }, 'A link to this result'),
      h('p', null, 'Whoever has it sees the clip without a key: no prompt, no files that went in. It holds until it is taken back or the request is removed.'),
      h('div', { class: 'code' }, field, tool('copy', 'Copy the link', () => copy(url))),
      h('p', { class: 'actions' },
        h('button', { type: 'button', class: 'danger', onclick: async () => { await call(path, { method: 'DELETE' }); dialog.close(); toast('The link is taken back'); } }, 'Take it back'),
        h('a', { class: 'button', href: url, target: '_blank', rel: 'noreferrer' }, 'Open'), h('button', { class: 'main' }, 'Done'))));
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Request} r */
function about(r) {
  const part = (/** @type {string} */ name, /** @type {() => Node} */ make, open = false) => {
    const el = h('details', { class: 'card', open, ontoggle: () => { if (el.open && !inner.firstChild) inner.append(make()); } }, h('summary', null, h('h3', null, name)));
    const inner = h('div', null);
    el.append(inner);
    if (open) inner.append(make());
    return el;
  };
  return h('div', { class: 'about' },
    r.plan ? planView(r, 'What was made of the prompt') : null,
    part('Metrics and passes', () => metricsView(r)),
    part('What happened', () => logLines(h('ol', { class: 'log' }), r.events)),
    part('Input', () => codeBlock(JSON.stringify(r.input, null, 2))));
}

/** Removes a request; says whether. @param {import('./api.js').Summary} r */
export async function remove(r) {
  if (!(await confirmed('Remove this generation?', 'The record and its clip are gone for good. What it cost stays in the usage.', 'Remove'))) return false;
  try {
    await call(`/v1/requests/${r.request_id}`, { method: 'DELETE' });
    return true;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 'fault');
    return false;
  }
}
