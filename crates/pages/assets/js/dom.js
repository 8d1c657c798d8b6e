// Making elements, and writing numbers for people. Nothing here knows the server.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, any>} Props */

/**
 * An element. `on…` are listeners, `style` is an object of CSS properties (the policy forbids
 * style attributes), names that are properties of the element are set as such, the rest as
 * attributes. Text is text: nothing is ever read as HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'function') el.addEventListener(name.slice(2), value);
    else if (name === 'class') el.className = value;
    else if (name === 'style') for (const [k, v] of Object.entries(value)) el.style.setProperty(k, String(v));
    else if (name === 'data') Object.assign(el.dataset, value);
    else if (name in el && !ATTRIBUTES.has(name)) /** @type {any} */ (el)[name] = value;
    else if (value !== false) el.setAttribute(name, value === true ? '' : String(value));
  }
  el.append(...nodes(children));
  return el;
}

const ATTRIBUTES = new Set(['list', 'form', 'role', 'width', 'height', 'download']);

/**
 * An SVG element.
 * @param {string} tag
 * @param {Record<string, string | number>} [attrs]
 * @param {...(Child | Child[])} children
 */
export function svg(tag, attrs, ...children) {
  const el = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attrs ?? {})) el.setAttribute(name, String(value));
  el.append(...nodes(children));
  return el;
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return /** @type {Child[]} */ (children.flat(4)).filter((c) => c !== null && c !== undefined && c !== false)
    .map((c) => (c instanceof Node ? c : String(c)));
}

/**
 * Puts children in place of what was there.
 * @template {Element} T
 * @param {T} el
 * @param {...(Child | Child[])} children
 */
export function fill(el, ...children) {
  el.replaceChildren(...nodes(children));
  return el;
}

/** @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export function find(selector, root = document) {
  const el = root.querySelector(selector);
  if (!(el instanceof HTMLElement)) throw new Error(`nothing matches ${selector}`);
  return el;
}

/** A copy of what a `<template>` of the shell holds. @param {string} id @returns {HTMLElement} */
export function template(id) {
  const el = /** @type {HTMLTemplateElement} */ (document.getElementById(id)).content.firstElementChild;
  return /** @type {HTMLElement} */ (/** @type {Element} */ (el).cloneNode(true));
}

/** Drawn in a square of 24 units. @type {Record<string, string>} */
const ICONS = {
  play: 'M7 4v16l13-8z', pause: 'M7 4v16M17 4v16', back: 'M18 5v14l-9-7zM6 5v14', forward: 'M6 5v14l9-7zM18 5v14',
  loop: 'M4 12a7 7 0 0 1 7-7h8M16 2l3 3-3 3M20 12a7 7 0 0 1-7 7H5M8 22l-3-3 3-3', sound: 'M4 9v6h4l5 4V5L8 9zM17 9a4 4 0 0 1 0 6',
  mute: 'M4 9v6h4l5 4V5L8 9zM17 9l5 6M22 9l-5 6', download: 'M12 3v12M7 10l5 5 5-5M4 20h16', share: 'M12 15V3M8 7l4-4 4 4M5 12v8h14v-8',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1', trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13', plus: 'M12 5v14M5 12h14', cross: 'M6 6l12 12M18 6L6 18',
  upload: 'M12 16V4M7 9l5-5 5 5M4 20h16', video: 'M4 6h11v12H4zM15 10l6-3v10l-6-3', image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01',
  element: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8M4 20c1-5 4-7 8-7s7 2 8 7', sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1 1M18 18l1 1M5 19l1-1M18 6l1-1',
  moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10', again: 'M20 12a8 8 0 1 1-2.5-5.8M20 3v4h-4', edit: 'M4 20h4L20 8l-4-4L4 16z', check: 'M5 12l5 5 9-11',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01', out: 'M14 4h6v16h-6M10 8l-4 4 4 4M6 12h9', stop: 'M6 6h12v12H6z', left: 'M14 6l-6 6 6 6', right: 'M10 6l6 6-6 6',
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: ICONS[name] ?? '' }));
}

/**
 * A button with an icon; without `text`, the label is for those who do not see it.
 * @param {string} name @param {string} label @param {(e: MouseEvent) => void} onclick @param {Props} [props]
 */
export function tool(name, label, onclick, props) {
  return h('button', { type: 'button', class: 'tool', title: label, 'aria-label': label, onclick, ...props }, icon(name));
}

/** In steps of 1024, as people and the model's own words count megabytes. @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  const n = bytes / 1024 ** power;
  return `${n < 10 ? Number(n.toFixed(1)) : Math.round(n)} ${['B', 'kB', 'MB', 'GB'][power]}`;
}

/** @param {number} usd */
export function money(usd) {
  if (usd === 0) return 'free';
  return `$${usd.toFixed(usd < 0.1 ? 4 : 2).replace(/(\.\d\d)0+$/, '$1')}`;
}

/** What a model's outputs cost. @param {{base_price_usd: number, price_unit: string}} model */
export function price({ base_price_usd: usd, price_unit: unit }) {
  return usd === 0 ? 'free' : `${money(usd)} per ${unit}`;
}

/** @param {number} secs */
export function span(secs) {
  if (secs < 10) return `${secs.toFixed(1)} s`;
  if (secs < 120) return `${Math.round(secs)} s`;
  if (secs < 7200) return `${Math.round(secs / 60)} min`;
  return secs < 172800 ? `${Math.round(secs / 3600)} h` : `${Math.round(secs / 86400)} d`;
}

/** A moment for people, exact in its title. @param {string | null | undefined} at */
export function when(at) {
  if (!at) return h('span', { class: 'dim' }, 'never');
  const date = new Date(at);
  const secs = (Date.now() - date.getTime()) / 1000;
  const text = Math.abs(secs) < 45 ? 'just now' : secs < 0 ? `in ${span(-secs)}` : `${span(secs)} ago`;
  return h('time', { dateTime: at, title: date.toLocaleString() }, text);
}

/** @param {unknown} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(String(text));
    toast('Copied');
  } catch {
    // Plain http that is not this machine has no clipboard.
    const area = h('textarea', { value: String(text), class: 'offscreen' });
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    toast(document.execCommand('copy') ? 'Copied' : 'Select the text and copy it by hand', 'fault');
    area.remove();
  }
}

/** A line that goes by itself. @param {string} text @param {'' | 'fault'} [kind] */
export function toast(text, kind = '') {
  const el = h('p', { class: `toast ${kind}` }, text);
  find('#toasts').append(el);
  setTimeout(() => el.remove(), kind ? 8000 : 3000);
}

/** Asks before what cannot be undone. @param {string} title @param {string} text @param {string} yes @returns {Promise<boolean>} */
export function confirmed(title, text, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (template('confirm'));
  find('h2', dialog).textContent = title;
  find('p', dialog).textContent = text;
  find('.danger', dialog).textContent = yes;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(dialog.returnValue === 'yes');
  }));
}

/** A text whose backticks mark code. @param {string} text @returns {Child[]} */
export const ticks = (text) => text.split('`').map((part, i) => (i % 2 ? h('code', null, part) : part));

/** Text that can be copied. @param {string} text @param {string} [label] */
export function codeBlock(text, label = 'Copy') {
  return h('div', { class: 'code' }, h('pre', { tabIndex: 0 }, h('code', null, text)), tool('copy', label, () => copy(text)));
}

/**
 * A table, which scrolls by itself where it is too wide.
 * @param {string} label @param {Child[]} head none: no heads @param {(Child | Child[])[][]} rows @param {number} [numbers] the first column of numbers
 */
export function table(label, head, rows, numbers = Infinity) {
  const kind = (/** @type {number} */ i) => (i >= numbers ? 'n' : '');
  return h('div', { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': label }, h('table', null,
    head.length ? h('thead', null, h('tr', null, head.map((c, i) => h('th', { scope: 'col', class: kind(i) }, c)))) : null,
    h('tbody', null, rows.map((r) => h('tr', null, r.map((c, i) => h('td', { class: kind(i) }, c)))))));
}

/** The value at a JSON pointer. @param {any} value @param {string} pointer */
export function at(value, pointer) {
  return pointer.split('/').slice(1).reduce((v, key) => v?.[key], value);
}

/** A copy of `value` with `to` at a JSON pointer; `undefined` takes out. @param {any} value @param {string} pointer @param {any} to @returns {any} */
export function put(value, pointer, to) {
  const [, key = '', ...rest] = pointer.split('/');
  const copyOf = Array.isArray(value) ? [...value] : { ...value };
  const inner = rest.length ? put(copyOf[key] ?? {}, `/${rest.join('/')}`, to) : to;
  if (inner === undefined) delete copyOf[key];
  else copyOf[key] = inner;
  return copyOf;
}
