// A model's schemas as tables, and as they are.

import { codeBlock, h, table } from './dom.js';
import { explain } from './media.js';

/** @param {import('./api.js').Model} model */
export function schemaTab(model) {
  return h('div', { class: 'prose wide' },
    h('h2', null, 'Input'), fields(rows(model.input_schema, '', model)),
    h('h2', null, 'Output'), fields(rows(model.output_schema, '', model)),
    h('h2', null, 'Limits of the files'), limits(model),
    h('details', { class: 'card' }, h('summary', null, h('h3', null, 'The input schema as JSON')), h('div', null, codeBlock(JSON.stringify(model.input_schema, null, 2)))),
    h('details', { class: 'card' }, h('summary', null, h('h3', null, 'The output schema as JSON')), h('div', null, codeBlock(JSON.stringify(model.output_schema, null, 2)))));
}

/** @typedef {{name: string, type: string, needed: boolean, says: string[]}} Row */

/** @param {any} schema @param {string} prefix @param {import('./api.js').Model} model @returns {Row[]} */
function rows(schema, prefix, model) {
  // A schema may be a plain map of names.
  return Object.entries(schema?.properties ?? (schema?.type ? {} : schema) ?? {}).flatMap(([name, s]) => {
    const items = s.items;
    const inner = items && (items.properties ?? (items.type ? null : items));
    const type = s.type === 'array' ? `list of ${items?.format ?? items?.type ?? 'objects'}` : s.format ?? s.type ?? 'any';
    const says = [
      s.description, s.enum && `one of ${s.enum.map((/** @type {any} */ v) => JSON.stringify(v)).join(', ')}`, s.default !== undefined && `default ${JSON.stringify(s.default)}`,
      (s.minLength || s.maxLength) && `${s.minLength ?? 0} to ${s.maxLength ?? 'any number of'} characters`,
      (s.minItems || s.maxItems) && `${s.minItems ?? 0} to ${s.maxItems ?? 'any number of'} entries`,
      (s.minimum !== undefined || s.maximum !== undefined) && `${s.minimum ?? 'any'} to ${s.maximum ?? 'any'}`,
    ].filter(Boolean);
    const row = { name: prefix + name, type, needed: (schema.required ?? []).includes(name), says };
    const below = inner ? rows({ properties: inner, required: items.required }, `${prefix}${name}[].`, model) : s.type === 'object' ? rows(s, `${prefix}${name}.`, model) : [];
    return [row, ...below];
  });
}

/** @param {Row[]} list */
function fields(list) {
  return table('Fields', ['Field', 'Type', 'What it is'],
    list.map((r) => [[h('code', null, r.name), r.needed && h('span', { class: 'needed' }, ' needed')], r.type, r.says.map((t) => h('p', null, t))]));
}

/** @param {import('./api.js').Model} model */
function limits({ roles }) {
  const lines = roles.media.flatMap((m) => [[m.at, m.limits], [`${m.at}/n${m.frontal}`, m.frontal_limits], [`${m.at}/n${m.views}/n`, m.view_limits]])
    .filter(([, l]) => l);
  return h('ul', null, lines.map(([at, l]) => h('li', null, h('code', null, String(at)), ' ', explain(/** @type {any} */ (l)))),
    roles.max_elements_and_images !== undefined && h('li', null, `Images and elements together: at most ${roles.max_elements_and_images}`));
}
