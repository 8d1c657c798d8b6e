// One model: playground, API, schema, readme.

import { base, model as load } from './api.js';
import { fill, h, price } from './dom.js';
import { playground } from './playground.js';

/** @type {Record<string, string>} */
const TABS = { '': 'Playground', api: 'API', schema: 'Schema', readme: 'Readme' };

/** @param {import('./app.js').Place} place */
export async function view({ path: [id = ''], query, signal }) {
  const model = await load(id.replace(/\/$/, ''));
  const tab = query.get('tab') ?? '';
  const to = (/** @type {string} */ name) => `${base}/models/${model.model_id}${name && `?tab=${name}`}`;
  const panel = h('div', { class: 'panel' });
  const el = h('section', null,
    h('div', { class: 'title' }, h('div', null, h('h1', null, model.display_name), h('p', { class: 'id' }, model.model_id)),
      h('p', { class: 'price' }, price(model))),
    h('p', { class: 'lead' }, model.description),
    h('nav', { class: 'tabs', 'aria-label': 'About this model' }, Object.entries(TABS).filter(([name]) => name !== 'readme' || model.readme)
      .map(([name, text]) => h('a', { href: to(name), 'aria-current': name === tab ? 'page' : undefined }, text))),
    panel);
  if (tab === 'api') fill(panel, (await import('./snippets.js')).apiTab(model));
  else if (tab === 'schema') fill(panel, (await import('./schema.js')).schemaTab(model));
  else if (tab === 'readme') fill(panel, h('article', { class: 'prose' }, (await import('./md.js')).markdown(model.readme ?? '')));
  else fill(panel, playground(model, query, signal));
  return { title: model.display_name, el };
}
