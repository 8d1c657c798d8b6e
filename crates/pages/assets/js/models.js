// The catalogue.

import { base, call } from './api.js';
import { fill, h, price } from './dom.js';

/** @typedef {import('./api.js').Model} Model */

/** @param {import('./app.js').Place} place */
export async function view({ query, signal }) {
  const [{ categories }, { models }] = await Promise.all([
    call('/v1/models/categories', { signal }),
    call('/v1/models?limit=500', { signal }),
  ]);
  const search = h('input', { type: 'search', placeholder: 'Search models', 'aria-label': 'Search models', value: query.get('search') ?? '', oninput: list });
  const category = h('select', { 'aria-label': 'Category', onchange: list },
    h('option', { value: '' }, 'All categories'),
    categories.map((/** @type {string} */ c) => h('option', { value: c, selected: c === query.get('category') }, c)));
  const cards = h('ul', { class: 'cards' });
  const count = h('p', { class: 'dim', role: 'status' });

  function list() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (/** @type {Model} */ m) => {
      const text = `${m.model_id} ${m.display_name} ${m.description}`.toLowerCase();
      return words.every((w) => text.includes(w)) && (!category.value || m.categories.includes(category.value));
    };
    const found = models.filter(fits);
    fill(cards, found.map(card));
    count.textContent = found.length ? `${found.length} ${found.length === 1 ? 'model' : 'models'}` : 'No model matches. Fewer words find more.';
  }
  list();
  const el = h('section', null,
    h('div', { class: 'title' }, h('h1', null, 'Models'), count),
    h('div', { class: 'filters' }, search, category), cards);
  return { title: 'Models', el };
}

/** @param {Model} m */
function card(m) {
  return h('li', { class: 'card model' },
    h('h2', null, h('a', { href: `${base}/models/${m.model_id}` }, m.display_name)),
    h('p', { class: 'id' }, m.model_id),
    h('p', null, m.description),
    h('p', { class: 'foot' }, m.categories.map((c) => h('span', { class: 'chip' }, c)), h('span', { class: 'price' }, price(m))));
}
