// What a shared link shows: the result, and nothing of where it comes from.

import { base, call } from './api.js';
import { h, icon, when } from './dom.js';
import { outputs, stage } from './result.js';

/** @param {import('./app.js').Place} place */
export async function view({ path: [token = ''], signal }) {
  const r = await call(`/v1/shared/${encodeURIComponent(token)}`, { signal });
  const el = h('section', { class: 'single' },
    h('div', { class: 'title' }, h('h1', null, 'A clip that was shared with you'), h('span', { class: 'dim' }, 'made ', when(r.finished_at))),
    stage(r, undefined, 24, signal),
    h('p', { class: 'actions' }, outputs(r.output).map(({ url }) => h('a', { class: 'button main', href: url, download: '' }, icon('download'), 'Download'))),
    h('p', { class: 'dim' }, `Made with ${r.model_id} on a Reshoot server. `, h('a', { href: `${base}/docs` }, 'About it')));
  return { title: 'Shared clip', el };
}
