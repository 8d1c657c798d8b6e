// One request, on a page of its own.

import { base, call } from './api.js';
import { go } from './app.js';
import { h } from './dom.js';
import { remove, resultView } from './result.js';
import { runView } from './run.js';

/** @param {import('./app.js').Place} place */
export async function view({ path: [id = ''], signal }) {
  const r = await call(`/v1/requests/${encodeURIComponent(id)}`, { signal });
  const over = ['succeeded', 'failed', 'cancelled'].includes(r.status);
  const title = r.prompt ?? r.request_id;
  const el = h('section', { class: 'single' },
    h('p', null, h('a', { href: `${base}/generations` }, 'Generations')),
    h('div', { class: 'title' }, h('h1', { class: 'quoted' }, title),
      over && h('button', { type: 'button', class: 'danger', onclick: async () => { if (await remove(r)) void go('/generations'); } }, 'Remove')),
    h('p', { class: 'id' }, h('a', { href: `${base}/models/${r.model_id}` }, r.model_id), ` · ${r.request_id}`, r.expires_at && ` · kept until ${new Date(r.expires_at).toLocaleDateString()}`),
    over ? resultView(r, signal) : runView(id, signal));
  return { title, el };
}
