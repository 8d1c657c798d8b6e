// What was made, newest first.

import { base, call } from './api.js';
import { fill, h, icon, when } from './dom.js';
import { again, outputs, remove } from './result.js';

/** @typedef {import('./api.js').Summary} Summary */

const PAGE = 24;
/** How often requests that have not ended are looked at, in ms. */
const LOOK = 3000;
/** @type {Record<string, string>} */
const STATES = { '': 'All', in_queue: 'Waiting', in_progress: 'Running', succeeded: 'Done', failed: 'Failed', cancelled: 'Cancelled' };

/** @param {import('./app.js').Place} place */
export async function view({ query, signal }) {
  const { models } = await call('/v1/models?limit=500', { signal });
  const asked = { search: query.get('search') ?? '', status: query.get('status') ?? '', model_id: query.get('model_id') ?? '' };
  const cards = h('ul', { class: 'cards generations' });
  const told = h('p', { class: 'dim', role: 'status' });
  const empty = h('div', { class: 'card empty', hidden: true }, icon('video'), h('h2', null, 'Nothing has been made yet'), h('p', null, h('a', { href: `${base}/` }, 'Choose a model'), ' and make a first clip.'));
  const more = h('button', { type: 'button', hidden: true, onclick: () => page() }, 'Show more');
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {string | null} */
  let cursor = null;
  let asking = new AbortController();
  /** @type {Map<string, HTMLElement>} */
  const open = new Map();
  signal.addEventListener('abort', () => { clearTimeout(timer); asking.abort(); });

  async function page() {
    // A search looks at so many requests a call: a page without a find may have others after it.
    let found = 0;
    do {
      const params = new URLSearchParams({ ...asked, limit: String(PAGE), cursor: cursor ?? '' });
      for (const [name, value] of [...params]) if (!value) params.delete(name);
      const list = await call(`/v1/requests?${params}`, { signal: asking.signal });
      cards.append(...list.requests.map(card));
      found += list.requests.length;
      cursor = list.next_cursor;
    } while (cursor && !found);
    more.hidden = !cursor;
    const n = cards.childElementCount;
    told.textContent = n ? `${n}${cursor ? '+' : ''} ${n === 1 ? 'generation' : 'generations'}` : Object.values(asked).some(Boolean) ? 'Nothing matches.' : '';
    empty.hidden = n > 0 || Object.values(asked).some(Boolean);
  }

  async function renew() {
    asking.abort();
    asking = new AbortController();
    cursor = null;
    open.clear();
    const params = new URLSearchParams(Object.entries(asked).filter(([, v]) => v));
    history.replaceState(null, '', `${base}/generations${params.size ? `?${params}` : ''}`);
    fill(cards);
    try {
      await page();
    } catch (error) {
      if (!asking.signal.aborted) told.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /** @param {Summary} r @returns {HTMLElement} */
  function card(r) {
    const poster = r.poster_url ?? outputs(r.output).find((o) => o.kind === 'image')?.url;
    const busy = r.status === 'in_queue' || r.status === 'in_progress';
    const el = h('li', { class: 'card generation', data: { id: r.request_id } },
      h('a', { class: 'poster', href: `${base}/generations/${r.request_id}`, tabIndex: -1, 'aria-hidden': 'true' },
        poster ? h('img', { src: poster, alt: '', loading: 'lazy' }) : busy ? h('progress', { 'aria-label': 'Going on' }) : icon(r.status === 'failed' ? 'warning' : 'video')),
      h('h2', null, h('a', { href: `${base}/generations/${r.request_id}` }, r.prompt || r.request_id)),
      r.error && h('p', { class: 'faults' }, r.error.message),
      h('p', { class: 'foot' }, h('span', { class: `state ${r.status}` }, r.queue_position ? `Waiting, number ${r.queue_position}` : STATES[r.status] ?? r.status),
        h('span', { class: 'dim' }, when(r.created_at)),
        h('span', { class: 'does' },
          h('button', { type: 'button', class: 'tool', title: 'Run again', 'aria-label': `Run again: ${r.prompt ?? r.request_id}`, onclick: async () => again(await call(`/v1/requests/${r.request_id}`)) }, icon('again')),
          !busy && h('button', { type: 'button', class: 'tool', title: 'Remove', 'aria-label': `Remove: ${r.prompt ?? r.request_id}`, onclick: async () => { if (await remove(r)) el.remove(); } }, icon('trash')))));
    if (busy) open.set(r.request_id, el);
    return el;
  }

  async function look() {
    // A copy: who still waits comes in again, and is looked at next time.
    for (const [id, el] of [...open]) {
      const now = await call(`/v1/requests/${id}`, { signal }).catch(() => null);
      if (!now || signal.aborted) continue;
      open.delete(id);
      el.replaceWith(card(now));
    }
    if (!signal.aborted) timer = setTimeout(look, LOOK);
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const search = h('input', { type: 'search', placeholder: 'Search prompts and ids', 'aria-label': 'Search prompts and ids', value: asked.search, oninput: () => {
    clearTimeout(typing);
    typing = setTimeout(() => { asked.search = search.value.trim(); void renew(); }, 250);
  } });
  const state = h('select', { 'aria-label': 'State', onchange: () => { asked.status = state.value; void renew(); } },
    Object.entries(STATES).map(([value, text]) => h('option', { value, selected: value === asked.status }, text)));
  const model = h('select', { 'aria-label': 'Model', onchange: () => { asked.model_id = model.value; void renew(); } },
    h('option', { value: '' }, 'All models'), models.map((/** @type {any} */ m) => h('option', { value: m.model_id, selected: m.model_id === asked.model_id }, m.display_name)));
  await page();
  timer = setTimeout(look, LOOK);
  const el = h('section', null, h('div', { class: 'title' }, h('h1', null, 'Generations'), told),
    h('div', { class: 'filters' }, search, state, models.length > 1 && model), cards, empty, h('p', { class: 'actions more' }, more));
  return { title: 'Generations', el };
}
