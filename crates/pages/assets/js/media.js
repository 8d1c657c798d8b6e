// Files that go in: what is known of them, what they may be, and the box that takes one.

import { upload } from './api.js';
import { fill, h, icon, size, tool } from './dom.js';

/** @typedef {import('./api.js').Limits} Limits */
/** @typedef {{name: string, src: string, bytes?: number, width?: number, height?: number, secs?: number}} Known */

/** What this tab knows of files by their URLs: a name, and bytes that are here already. @type {Map<string, Known>} */
const files = new Map();

/** @param {string} url @returns {Known} */
export function known(url) {
  const path = url.startsWith('data:') ? 'data' : url.split(/[?#]/)[0] ?? '';
  return files.get(url) ?? { name: decodeURIComponentSafe(path.slice(path.lastIndexOf('/') + 1)) || url, src: url };
}

/** @param {string} text */
function decodeURIComponentSafe(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The limits in words, for people who have not broken one yet. @param {Limits | undefined} l */
export function explain(l) {
  if (!l) return '';
  const n = (/** @type {number} */ x) => String(Math.round(x * 10) / 10);
  const range = (/** @type {number | undefined} */ a, /** @type {number | undefined} */ b, /** @type {string} */ unit) => {
    if (a === undefined && b === undefined) return '';
    if (a === undefined || a === null) return `up to ${n(b ?? 0)}${unit}`;
    return b === undefined || b === null ? `from ${n(a)}${unit}` : `${n(a)}–${n(b)}${unit}`;
  };
  return [
    l.formats?.join(', '), range(l.min_secs, l.max_secs && Math.floor(l.max_secs), ' s'),
    l.max_side && `sides of ${range(l.min_side > 1 ? l.min_side : undefined, l.max_side, ' px')}`,
    range(l.min_fps, l.max_fps, ' fps'), (l.min_aspect || l.max_aspect) && `width : height ${l.min_aspect ?? 0}–${l.max_aspect ?? '∞'}`,
    l.max_bytes && `up to ${size(l.max_bytes)}`,
  ].filter(Boolean).join(' · ');
}

/**
 * What this browser finds wrong with a file before a byte is sent. It knows no frame rates and
 * not every codec: the server has the last word.
 * @param {Blob} file @param {Known} info @param {Limits | undefined} l @returns {string[]}
 */
export function check(file, info, l) {
  if (!l) return [];
  const faults = [];
  const types = l.media_types ?? [];
  if (types.length && file.type && !types.includes(file.type)) faults.push(`this is ${file.type}; allowed: ${l.formats.join(', ')}`);
  if (l.max_bytes && file.size > l.max_bytes) faults.push(`it has ${size(file.size)}; at most ${size(l.max_bytes)} are allowed`);
  if (info.secs !== undefined && (info.secs < l.min_secs || info.secs > l.max_secs)) faults.push(`it lasts ${info.secs.toFixed(1)} s; ${l.min_secs}–${Math.floor(l.max_secs)} s are allowed`);
  const { width = 0, height = 0 } = info;
  if (width && height) {
    const [low, high] = [Math.min(width, height), Math.max(width, height)];
    if ((l.min_side && low < l.min_side) || (l.max_side && high > l.max_side)) faults.push(`it has ${width} × ${height} pixels; sides of ${l.min_side ?? 1}–${l.max_side} are allowed`);
    const ratio = width / height;
    if ((l.min_aspect && ratio < l.min_aspect) || (l.max_aspect && ratio > l.max_aspect)) faults.push(`its width is ${ratio.toFixed(2)} times its height; ${l.min_aspect}–${l.max_aspect} are allowed`);
  }
  return faults;
}

/** Looks at a file as far as the browser can. @param {File} file @returns {Promise<Known>} */
function look(file) {
  const src = URL.createObjectURL(file);
  const info = { name: file.name, bytes: file.size, src };
  return new Promise((resolve) => {
    const give = (/** @type {object} */ more) => resolve({ ...info, ...more });
    if (file.type.startsWith('video/')) {
      const video = h('video', { preload: 'metadata', muted: true });
      video.onloadedmetadata = () => give({ width: video.videoWidth, height: video.videoHeight, ...(Number.isFinite(video.duration) ? { secs: video.duration } : {}) });
      video.onerror = () => give({});
      video.src = src;
    } else {
      const img = new Image();
      img.onload = () => give({ width: img.naturalWidth, height: img.naturalHeight });
      img.onerror = () => give({});
      img.src = src;
    }
  });
}

/** The picture of a file. @param {string} url @param {'video' | 'image'} kind @param {boolean} [playing] */
export function picture(url, kind, playing = false) {
  const { src, name } = known(url);
  // What the policy lets a page load: this server's files, what is here already, and https.
  if (!/^(https|blob|data):/.test(src) && !src.startsWith(location.origin)) return h('span', { class: 'picture none' }, icon(kind));
  const broken = () => el.replaceWith(h('span', { class: 'picture none', title: 'This cannot be shown here' }, icon(kind)));
  /** @type {HTMLElement} */
  const el = kind === 'video'
    ? h('video', { class: 'picture', src: playing ? src : `${src}#t=0.1`, muted: true, playsInline: true, preload: 'metadata', loop: true, autoplay: playing, onerror: broken, 'aria-label': name })
    : h('img', { class: 'picture', src, alt: name, loading: 'lazy', onerror: broken });
  return el;
}

/** Sends going on; a form with any is not ready. */
export const sending = { count: 0, listeners: /** @type {Set<() => void>} */ (new Set()) };
/** @param {number} by */
function count(by) {
  sending.count += by;
  for (const told of sending.listeners) told();
}

/**
 * The box of one file: drop it, choose it, or paste a URL.
 * @param {{kind: 'video' | 'image', label: string, limits?: Limits, limitsId?: string, many?: (files: File[]) => void,
 *   onvalue: (url: string | undefined) => void, small?: boolean, tag?: () => string}} o
 */
export function mediaBox(o) {
  let sent = new AbortController();
  let value = '';
  const accept = o.limits?.media_types?.join(',') ?? `${o.kind}/*`;
  const input = h('input', { type: 'file', accept, multiple: !!o.many, class: 'offscreen', tabIndex: -1, 'aria-hidden': 'true', onchange: () => take([...(input.files ?? [])]) });
  const url = h('input', {
    type: 'url', placeholder: 'or paste an https URL', 'aria-label': `${o.label}: URL`, spellcheck: false,
    onchange: () => { if (url.value.trim()) give(url.value.trim()); },
    onkeydown: (/** @type {KeyboardEvent} */ e) => { if (e.key === 'Enter' && !e.ctrlKey && !e.metaKey) { e.preventDefault(); url.blur(); } },
    onpaste: (/** @type {ClipboardEvent} */ e) => { const pasted = [...(e.clipboardData?.files ?? [])]; if (pasted.length) { e.preventDefault(); take(pasted); } },
  });
  const body = h('div', { class: 'inside' });
  const faults = h('ul', { class: 'faults', role: 'alert' });
  const el = h('div', { class: `drop ${o.small ? 'small' : ''}` }, body, faults, input);
  for (const [event, over] of /** @type {const} */ ([['dragenter', true], ['dragover', true], ['dragleave', false], ['drop', false]])) {
    el.addEventListener(event, (e) => {
      e.preventDefault();
      el.classList.toggle('over', over);
      if (event === 'drop') {
        const dropped = [...(e.dataTransfer?.files ?? [])];
        const link = e.dataTransfer?.getData('text/uri-list').split('\n').find((l) => l.startsWith('http'));
        if (dropped.length) take(dropped);
        else if (link) give(link);
      }
    });
  }

  /** @param {string} to */
  function give(to) {
    value = to;
    fill(faults);
    o.onvalue(to || undefined);
    render();
  }

  /** @param {File[]} all */
  async function take(all) {
    const [file, ...more] = all;
    if (!file) return;
    input.value = '';
    if (more.length && o.many) o.many(more);
    const info = await look(file);
    const wrong = check(file, info, o.limits);
    if (wrong.length) {
      fill(faults, wrong.map((w) => h('li', null, `${file.name}: ${w}`)));
      return;
    }
    fill(faults);
    sent.abort();
    sent = new AbortController();
    const { signal } = sent;
    const bar = h('progress', { max: 1, value: 0, 'aria-label': `Sending ${file.name}` });
    const percent = h('span', { class: 'dim' }, '0 %');
    fill(body, h('div', { class: 'sending' }, h('span', { class: 'name' }, file.name), bar, percent, tool('cross', 'Stop sending', () => { sent.abort(); render(); })));
    count(1);
    try {
      const made = await upload(file, (f) => { bar.value = f; percent.textContent = f < 1 ? `${Math.floor(f * 100)} % of ${size(file.size)}` : 'checking'; }, signal);
      files.set(made.url, info);
      if (!signal.aborted) give(made.url);
    } catch (error) {
      if (signal.aborted) return;
      render();
      fill(faults, h('li', null, `${file.name}: ${error instanceof Error ? error.message : error}`, ' ', h('button', { type: 'button', onclick: () => take([file]) }, 'Send it again')));
    } finally {
      count(-1);
    }
  }

  function render() {
    el.classList.toggle('full', !!value);
    if (!value) {
      url.value = '';
      fill(body, h('button', { type: 'button', class: 'choose', onclick: () => input.click() }, icon(o.small ? 'plus' : 'upload'),
        h('span', null, o.small ? o.label : `Drop ${o.kind === 'video' ? 'a video' : o.many ? 'images' : 'an image'} here, or choose`)), url);
      return;
    }
    const info = known(value);
    const told = [info.width && `${info.width} × ${info.height}`, info.secs !== undefined && `${info.secs.toFixed(1)} s`, info.bytes && size(info.bytes)].filter(Boolean).join(' · ');
    fill(body, picture(value, o.kind, o.kind === 'video' && !matchMedia('(prefers-reduced-motion: reduce)').matches),
      h('div', { class: 'caption' }, o.tag && h('strong', { class: 'tag' }, o.tag()), h('span', { class: 'name', title: value }, info.name), told && h('span', { class: 'dim' }, told)),
      tool('cross', `Remove ${o.tag?.() ?? o.label}`, () => { sent.abort(); give(''); }));
  }
  render();
  return {
    el,
    take,
    /** Shows it anew: its tag may be another. */
    render,
    /** @param {string | undefined} to */
    set(to) {
      if ((to ?? '') === value && body.childElementCount) return;
      sent.abort();
      value = to ?? '';
      fill(faults);
      render();
    },
  };
}
