// A form made from a model's input schema. Which fields there are, what they mean and what they
// may be comes from the schema and from the roles that the server tells; no name of a field of
// any model stands here.

import { at, fill, h, icon, put, ticks, tool } from './dom.js';
import { explain, mediaBox } from './media.js';
import { promptBox } from './prompt.js';

/**
 * @typedef {import('./api.js').Medium} Medium
 * @typedef {import('./api.js').Detail} Detail
 * @typedef {{el: HTMLElement, set: (value: any) => void}} Control
 * @typedef {{kind: 'video' | 'image', limits: import('./api.js').Limits | undefined, tag?: () => string}} File_
 */

/**
 * @param {import('./api.js').Model} model
 * @param {any} body what the form begins with
 * @param {(body: any) => void} onchange
 */
export function makeForm(model, body, onchange) {
  const { roles, input_schema: schema } = model;
  /** @type {Map<string, HTMLElement>} */
  const faults = new Map();
  /** What looks different when another field changes. @type {(() => void)[]} */
  const watching = [];
  const required = new Set(schema.required ?? []);

  /** @param {string} pointer @param {any} value */
  function change(pointer, value) {
    body = put(body, pointer, value);
    settle();
    onchange(body);
  }
  function settle() {
    for (const watch of watching) watch();
  }

  /** @returns {import('./prompt.js').Handle[]} */
  function handles() {
    return roles.media.flatMap((m) => {
      const value = at(body, m.at);
      const list = Array.isArray(value) ? value : value ? [value] : [];
      return list.flatMap((item, i) => {
        const url = m.kind === 'element' ? at(item, m.frontal ?? '') || at(item, m.views ?? '')?.[0] : item;
        const label = `${title(m.at)}${list.length > 1 ? ` ${i + 1}` : ''}`;
        return url || m.kind === 'element' ? [{ token: `@${m.handle}${i + 1}`, kind: m.kind, url: url ?? '', label }] : [];
      });
    });
  }

  /** @param {string} pointer */
  function title(pointer) {
    const of = pointer.split('/').slice(1).reduce((s, name) => s?.properties?.[name], schema);
    return of?.title ?? human(pointer.slice(pointer.lastIndexOf('/') + 1));
  }

  /** How many more images and elements there may be. */
  function room() {
    const most = roles.max_elements_and_images;
    if (most === undefined) return Infinity;
    return most - roles.media.filter((m) => m.kind !== 'video').reduce((n, m) => n + (at(body, m.at)?.length ?? 0), 0);
  }
  /** @param {Medium | undefined} medium */
  const shares = (medium) => !!medium && medium.kind !== 'video' && roles.max_elements_and_images !== undefined;

  /** What a string at this place is the URL of, if it is one. @param {any} s @param {string} pointer @returns {File_ | null} */
  function file(s, pointer) {
    for (const m of roles.media) {
      const [, n, rest] = pointer === m.at ? ['', '', ''] : new RegExp(`^${m.at}/(\\d+)(.*)$`).exec(pointer) ?? [];
      if (n === undefined) continue;
      if (m.kind !== 'element') return { kind: m.kind, limits: m.limits, tag: () => `@${m.handle}${Number(n) + 1}` };
      if (rest === m.frontal) return { kind: 'image', limits: m.frontal_limits };
      if (m.views && rest?.startsWith(m.views)) return { kind: 'image', limits: m.view_limits };
    }
    const kind = /^(video|image|audio)_uri/.exec(s.format ?? '')?.[1];
    return kind === 'video' || kind === 'image' ? { kind, limits: undefined } : null;
  }

  /** @param {any} s @param {string} pointer @param {string} name @param {boolean} needed @returns {Control} */
  function field(s, pointer, name, needed) {
    const id = `f${pointer.replaceAll('/', '-')}`;
    const words = s.title ?? human(name);
    const medium = roles.media.find((m) => m.at === pointer);
    const fault = h('ul', { class: 'faults', id: `${id}-fault`, 'aria-live': 'polite' });
    faults.set(pointer, fault);
    const [inner, grouped, limits] = control(s, pointer, id, words, medium);
    const hints = [s.description, limits].filter(Boolean);
    const help = h('div', { class: 'hint', id: `${id}-hint` }, hints.map((text) => h('p', null, text)));
    const label = [h('span', { class: 'name' }, words), needed && h('span', { class: 'needed', title: 'This is needed' }, 'needed')];
    const target = inner.el.querySelector(`#${CSS.escape(id)}`) ?? (inner.el.id === id ? inner.el : null);
    target?.setAttribute('aria-describedby', `${id}-hint ${id}-fault`);
    if (needed) target?.setAttribute('aria-required', 'true');
    const el = grouped
      ? h('fieldset', { class: 'field', data: { at: pointer } }, h('legend', null, label), help, inner.el, fault)
      : h('div', { class: 'field', data: { at: pointer } }, h('label', { htmlFor: id }, label), help, inner.el, fault);
    return { el, set: inner.set };
  }

  /**
   * The control, whether it is a group of some, and its limits in words.
   * @param {any} s @param {string} pointer @param {string} id @param {string} words @param {Medium | undefined} medium
   * @returns {[Control, boolean, string]}
   */
  function control(s, pointer, id, words, medium) {
    const one = s.type === 'array' ? null : file(s, pointer);
    if (one) return [single(one, pointer, words), true, explain(one.limits)];
    if (s.type === 'array') {
      const items = s.items ?? {};
      const inner = file(items, `${pointer}/0`);
      if (inner) return [files(s, pointer, words, inner, medium), true, [explain(inner.limits), count(s, medium)].filter(Boolean).join(' · ')];
      const properties = items.properties ?? (items.type ? null : items);
      if (properties) return [groups(s, pointer, medium?.handle ?? words.replace(/s$/, ''), properties, new Set(items.required ?? []), medium), true, count(s, medium)];
      return [json(id, pointer), false, 'A list, as JSON.'];
    }
    if (s.type === 'object' && s.properties) return [object(s.properties, pointer, new Set(s.required ?? [])), true, ''];
    if (s.enum) return [choice(s, pointer, id), s.enum.length <= 5, ''];
    if (s.type === 'boolean') return [check(s, pointer, id), false, ''];
    if (['integer', 'number', 'float'].includes(s.type)) return [number(s, pointer, id), false, ''];
    if (s.type === 'string') return [pointer === roles.prompt ? prompt(s, pointer, id) : text(s, pointer, id), false, ''];
    return [json(id, pointer), false, 'As JSON.'];
  }

  /** @param {any} s @param {Medium | undefined} medium */
  function count(s, medium) {
    const most = s.maxItems === undefined ? '' : `at most ${s.maxItems}`;
    return [most, shares(medium) && `images and elements together: at most ${roles.max_elements_and_images}`].filter(Boolean).join(' · ');
  }

  /** @param {any} s @param {string} pointer @param {string} id @returns {Control} */
  function prompt(s, pointer, id) {
    const box = promptBox({
      id, handles, max: s.maxLength, onvalue: (value) => change(pointer, value || undefined),
      words: roles.media.map((m) => m.handle), placeholder: s.examples?.[0] ?? '',
    });
    watching.push(box.render);
    return box;
  }

  /** @param {any} s @param {string} pointer @param {string} id @returns {Control} */
  function text(s, pointer, id) {
    const long = (s.maxLength ?? 0) > 120;
    const el = h(long ? 'textarea' : 'input', {
      id, placeholder: String(s.examples?.[0] ?? ''), ...(s.maxLength ? { maxLength: s.maxLength } : {}),
      oninput: () => change(pointer, el.value || undefined),
    });
    return { el, set: (value) => { el.value = value ?? s.default ?? ''; } };
  }

  /** @param {any} s @param {string} pointer @param {string} id @returns {Control} */
  function number(s, pointer, id) {
    const step = s.multipleOf ?? (s.type === 'integer' ? 1 : 'any');
    const bounded = s.minimum !== undefined && s.maximum !== undefined;
    const give = (/** @type {HTMLInputElement} */ from) => { box.value = from.value; if (bounded) range.value = from.value; change(pointer, from.value === '' ? undefined : Number(from.value)); };
    const limits = { min: s.minimum ?? '', max: s.maximum ?? '' };
    const box = h('input', { id, type: 'number', ...limits, step, placeholder: String(s.default ?? ''), oninput: () => give(box) });
    const range = h('input', { type: 'range', ...limits, step: step === 'any' ? (s.maximum - s.minimum) / 100 : step, 'aria-label': `${s.title ?? human(pointer)}: slider`, oninput: () => give(range) });
    const el = h('div', { class: 'number' }, bounded && range, box, bounded && h('span', { class: 'dim' }, `${s.minimum}–${s.maximum}`));
    return { el, set: (value) => { box.value = String(value ?? s.default ?? ''); range.value = box.value; } };
  }

  /** @param {any} s @param {string} pointer @param {string} id @returns {Control} */
  function check(s, pointer, id) {
    const el = h('input', { id, type: 'checkbox', role: 'switch', onchange: () => change(pointer, el.checked) });
    return { el, set: (value) => { el.checked = value ?? s.default ?? false; } };
  }

  /** @param {any} s @param {string} pointer @param {string} id @returns {Control} */
  function choice(s, pointer, id) {
    if (s.enum.length > 5) {
      const el = h('select', { id, onchange: () => change(pointer, s.enum[el.selectedIndex]) }, s.enum.map((/** @type {any} */ v) => h('option', null, String(v))));
      return { el, set: (value) => { el.selectedIndex = s.enum.indexOf(value ?? s.default); } };
    }
    const radios = s.enum.map((/** @type {any} */ v) => h('input', { type: 'radio', name: id, value: String(v), onchange: () => change(pointer, v) }));
    const el = h('div', { class: 'segments' }, radios.map((/** @type {HTMLElement} */ r, /** @type {number} */ i) => h('label', null, r, h('span', null, String(s.enum[i])))));
    // A client may send a number where the schema lists texts.
    return { el, set: (value) => s.enum.forEach((/** @type {any} */ v, /** @type {number} */ i) => { radios[i].checked = String(v) === String(value ?? s.default); }) };
  }

  /** @param {File_} f @param {string} pointer @param {string} words @returns {Control} */
  function single(f, pointer, words) {
    return mediaBox({ kind: f.kind, label: words, ...(f.limits ? { limits: f.limits } : {}), ...(f.tag ? { tag: f.tag } : {}), onvalue: (url) => change(pointer, url) });
  }

  /** A list of files. @param {any} s @param {string} pointer @param {string} words @param {File_} f @param {Medium | undefined} medium @returns {Control} */
  function files(s, pointer, words, f, medium) {
    const el = h('div', { class: 'files' });
    /** @type {{box: ReturnType<typeof mediaBox>, value: string | undefined}[]} */
    let tiles = [];
    const taken = () => tiles.filter((t) => t.value).length;
    const most = () => Math.min(s.maxItems ?? Infinity, shares(medium) ? taken() + Math.max(0, room()) : Infinity);
    const empty = () => tiles.filter((t) => !t.value && !t.box.el.querySelector('.sending'));
    const give = () => {
      const list = tiles.flatMap((t) => (t.value ? [t.value] : []));
      change(pointer, list.length ? list : undefined);
    };
    /** @param {string} [value] */
    function add(value) {
      /** @returns {number} */
      const number = () => tiles.filter((t) => t.value).findIndex((t) => t === tile) + 1;
      /** @type {{box: ReturnType<typeof mediaBox>, value: string | undefined}} */
      const tile = {
        value,
        box: mediaBox({
          kind: f.kind, label: `Add ${f.kind === 'video' ? 'a video' : 'an image'}`, ...(f.limits ? { limits: f.limits } : {}), small: true,
          tag: () => (medium ? `@${medium.handle}${number() || taken() + 1}` : `${words} ${number() || taken() + 1}`),
          many: (more) => more.slice(0, Math.max(0, most() - tiles.length + empty().length - 1)).forEach((one) => { add().take([one]); }),
          onvalue: (url) => {
            tile.value = url;
            if (!url) { tiles = tiles.filter((t) => t !== tile); tile.box.el.remove(); for (const t of tiles) if (t.value) t.box.render(); }
            give();
          },
        }),
      };
      tiles.push(tile);
      el.append(tile.box.el);
      if (value) tile.box.set(value);
      return tile.box;
    }
    function tidy() {
      // One empty box at the end, as long as one more may come.
      const spare = empty();
      const more = tiles.length - spare.length < most();
      if (more && !spare.length) add();
      if (!more) for (const t of spare) { t.box.el.remove(); tiles = tiles.filter((x) => x !== t); }
    }
    watching.push(tidy);
    return {
      el,
      set(value) {
        const list = Array.isArray(value) ? value : [];
        if (JSON.stringify(list) === JSON.stringify(tiles.flatMap((t) => (t.value ? [t.value] : [])))) return tidy();
        tiles = [];
        fill(el);
        for (const url of list) add(String(url));
        tidy();
      },
    };
  }

  /** A list of objects. @param {any} s @param {string} pointer @param {string} noun @param {any} properties @param {Set<string>} needed @param {Medium | undefined} medium @returns {Control} */
  function groups(s, pointer, noun, properties, needed, medium) {
    const list = h('div', { class: 'groups' });
    const button = h('button', { type: 'button', onclick: () => { change(pointer, [...(at(body, pointer) ?? []), {}]); draw(); } }, icon('plus'), `Add ${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun.toLowerCase()}`);
    /** @type {{el: HTMLElement, set: (v: any) => void}[]} */
    let shown = [];
    function draw() {
      const values = at(body, pointer) ?? [];
      shown = values.map((/** @type {any} */ value, /** @type {number} */ i) => {
        const inner = object(properties, `${pointer}/${i}`, needed);
        inner.set(value);
        const tag = medium ? `@${medium.handle}${i + 1}` : `${noun} ${i + 1}`;
        const el = h('fieldset', { class: 'group' }, h('legend', null, h('strong', { class: 'tag' }, tag)),
          tool('trash', `Remove ${tag}`, () => {
            const rest = at(body, pointer).filter((/** @type {any} */ _, /** @type {number} */ k) => k !== i);
            change(pointer, rest.length ? rest : undefined);
            draw();
          }), inner.el);
        return { el, set: inner.set };
      });
      fill(list, shown.map((one) => one.el));
      tidy();
    }
    function tidy() {
      button.hidden = (at(body, pointer)?.length ?? 0) >= (s.maxItems ?? Infinity) || (shares(medium) && room() <= 0);
    }
    watching.push(tidy);
    return {
      el: h('div', null, list, button),
      set(value) {
        const values = Array.isArray(value) ? value : [];
        if (values.length !== shown.length) return draw();
        values.forEach((one, i) => shown[i]?.set(one));
      },
    };
  }

  /** @param {any} properties @param {string} pointer @param {Set<string>} needed @returns {Control} */
  function object(properties, pointer, needed) {
    const parts = Object.entries(properties).map(([name, s]) => ({ name, part: field(s, `${pointer}/${name}`, name, needed.has(name)) }));
    return { el: h('div', { class: 'fields' }, parts.map((p) => p.part.el)), set: (value) => { for (const { name, part } of parts) part.set(value?.[name]); } };
  }

  /** @param {string} id @param {string} pointer @returns {Control} */
  function json(id, pointer) {
    const el = h('textarea', {
      id, rows: 3, class: 'json', spellcheck: false,
      oninput: () => {
        try {
          change(pointer, el.value.trim() ? JSON.parse(el.value) : undefined);
          el.setCustomValidity('');
        } catch {
          el.setCustomValidity('This is not JSON');
        }
        el.reportValidity();
      },
    });
    return { el, set: (value) => { if (document.activeElement !== el) el.value = value === undefined ? '' : JSON.stringify(value); } };
  }

  const whole = object(schema.properties ?? {}, '', required);
  whole.set(body);
  settle();
  return {
    el: whole.el,
    /** Shows another body. @param {any} value */
    set(value) {
      body = value;
      whole.set(body);
      settle();
    },
    /** Puts each fault beside its field; gives those that have none. @param {Detail[]} details */
    show(details) {
      for (const el of faults.values()) fill(el);
      for (const el of whole.el.querySelectorAll('[aria-invalid]')) el.removeAttribute('aria-invalid');
      return details.filter(({ loc, msg }) => {
        const path = loc.filter((part, i) => i || part !== 'body').map(String);
        for (let n = path.length; n; n--) {
          const place = faults.get(`/${path.slice(0, n).join('/')}`);
          if (!place?.isConnected) continue;
          place.append(h('li', null, ticks(msg)));
          place.closest('.field')?.querySelector('input, textarea, select, button')?.setAttribute('aria-invalid', 'true');
          return false;
        }
        return true;
      });
    },
    /** To the first fault that is shown. */
    focusFault() {
      const field = [...whole.el.querySelectorAll('.field')].find((el) => el.querySelector(':scope > .faults > li'));
      field?.scrollIntoView({ block: 'center' });
      const first = field?.querySelector('textarea, input:not([type=file]), select, button');
      if (first instanceof HTMLElement) first.focus({ preventScroll: true });
    },
  };
}

/** A field's name for people. @param {string} name */
export function human(name) {
  const text = name.replaceAll('_', ' ').replace(/^\W+/, '');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
