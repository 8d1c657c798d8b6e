// The prompt: a text with references to the files, which it completes and shows.

import { fill, h } from './dom.js';
import { picture } from './media.js';

/** @typedef {{token: string, kind: 'video' | 'image' | 'element', url: string, label: string}} Handle */

const REFERENCE = /(^|[^\p{L}\p{N}_])(@[a-z]*_?\d*)$/iu;

/** A reference's spelling without its liberties: `@image_02` is `@image2`. @param {string} text */
const plain = (text) => text.toLowerCase().replace('_', '').replace(/(\D)0+(?=\d)/, '$1');

/**
 * @param {{id: string, words: string[], handles: () => Handle[], onvalue: (text: string) => void, max?: number, placeholder: string}} o
 *   `words` are what may follow an `@`, numbers apart
 */
export function promptBox(o) {
  const listId = `${o.id}-list`;
  const marks = h('div', { class: 'marks', 'aria-hidden': 'true' });
  const list = h('ul', { id: listId, class: 'completions', role: 'listbox', 'aria-label': 'References', hidden: true });
  const used = h('ul', { class: 'used', 'aria-label': 'References in the prompt' });
  const counter = h('span', { class: 'dim counter' });
  const area = h('textarea', {
    id: o.id, rows: 5, placeholder: o.placeholder, role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': listId,
    'aria-haspopup': 'listbox',
    oninput: () => { o.onvalue(area.value); render(); open(); },
    onclick: () => open(), onblur: () => close(), onscroll: () => { marks.scrollTop = area.scrollTop; }, onkeydown: keydown,
  });
  const words = new RegExp(`@(?:${o.words.join('|')})_?\\d+(?![\\p{L}\\p{N}_])`, 'giu');
  /** @type {Handle[]} */
  let offered = [];
  let at = 0;
  /** What `used` shows: pictures are not made anew with every letter. */
  let shown = '';

  function render() {
    const known = new Map(o.handles().map((handle) => [plain(handle.token), handle]));
    const parts = [];
    const seen = new Map();
    let end = 0;
    for (const m of area.value.matchAll(words)) {
      const before = area.value[m.index - 1];
      if (before && /[\p{L}\p{N}_]/u.test(before)) continue;
      const handle = known.get(plain(m[0]));
      seen.set(plain(m[0]), handle ?? m[0]);
      parts.push(area.value.slice(end, m.index), h('mark', { class: handle ? handle.kind : 'unknown' }, m[0]));
      end = m.index + m[0].length;
    }
    // The last line break of a block takes no room unless something follows.
    fill(marks, parts, `${area.value.slice(end)}\u200b`);
    const names = JSON.stringify([...seen.values()]);
    if (names !== shown) {
      shown = names;
      fill(used, [...seen.values()].map((handle) => (typeof handle === 'string'
        ? h('li', { class: 'unknown' }, `${handle} names nothing yet`)
        : h('li', null, picture(handle.url, handle.kind === 'video' ? 'video' : 'image'), handle.token))));
    }
    counter.textContent = o.max ? `${[...area.value].length} / ${o.max}` : '';
    counter.classList.toggle('over', !!o.max && [...area.value].length > o.max);
    marks.scrollTop = area.scrollTop;
  }

  function open() {
    const typed = REFERENCE.exec(area.value.slice(0, area.selectionStart));
    if (!typed || area.selectionStart !== area.selectionEnd) return close();
    const start = plain(typed[2] ?? '');
    offered = o.handles().filter((handle) => plain(handle.token).startsWith(start) && plain(handle.token) !== start);
    if (!offered.length) return close();
    at = Math.min(at, offered.length - 1);
    fill(list, offered.map((handle, i) => h('li', {
      id: `${listId}-${i}`, role: 'option', 'aria-selected': String(i === at), class: handle.kind,
      onpointerdown: (/** @type {Event} */ e) => { e.preventDefault(); choose(i); },
    }, picture(handle.url, handle.kind === 'video' ? 'video' : 'image'), h('strong', null, handle.token), h('span', { class: 'dim' }, handle.label))));
    list.hidden = false;
    area.setAttribute('aria-expanded', 'true');
    area.setAttribute('aria-activedescendant', `${listId}-${at}`);
  }

  function close() {
    list.hidden = true;
    at = 0;
    area.setAttribute('aria-expanded', 'false');
    area.removeAttribute('aria-activedescendant');
  }

  /** @param {number} i */
  function choose(i) {
    const handle = offered[i];
    const typed = REFERENCE.exec(area.value.slice(0, area.selectionStart));
    if (!handle || !typed) return;
    const start = area.selectionStart - (typed[2] ?? '').length;
    const space = /^\s/.test(area.value.slice(area.selectionStart)) ? '' : ' ';
    area.setRangeText(handle.token + space, start, area.selectionStart, 'end');
    close();
    o.onvalue(area.value);
    render();
  }

  /** @param {KeyboardEvent} e */
  function keydown(e) {
    if (list.hidden || e.ctrlKey || e.metaKey || e.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      at = (at + step + offered.length) % offered.length;
      open();
    } else if (e.key === 'Enter' || e.key === 'Tab') choose(at);
    else if (e.key === 'Escape') close();
    else return;
    e.preventDefault();
  }

  return {
    el: h('div', { class: 'prompt' }, h('div', { class: 'layers' }, marks, area, list), used, counter),
    area,
    /** @param {unknown} text */
    set(text) {
      const to = typeof text === 'string' ? text : '';
      if (area.value !== to) area.value = to;
      render();
    },
    render,
  };
}
