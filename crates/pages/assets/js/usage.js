// What was made and what it cost.

import { call } from './api.js';
import { bars } from './charts.js';
import { fill, h, icon, money, table } from './dom.js';

/** @typedef {{group: string, requests: number, seconds: number, cost: number}} Line */

/** More groups than this are shown together. */
const GROUPS = 7;
const DAY = 86400000;
const PERIODS = { 7: 'Last 7 days', 30: 'Last 30 days', 90: 'Last 90 days', 365: 'Last year' };

/** @param {number} at */
const day = (at) => new Date(at).toISOString().slice(0, 10);

/** @param {import('./app.js').Place} place */
export async function view({ query, signal }) {
  const asked = { days: Number(query.get('days')) || 30, by: query.get('by') === 'key' ? 'key' : 'model' };
  const body = h('div', { class: 'charts' });
  const period = h('select', { 'aria-label': 'Period', onchange: () => { asked.days = Number(period.value); void draw(); } },
    Object.entries(PERIODS).map(([n, text]) => h('option', { value: n, selected: Number(n) === asked.days }, text)));
  const by = h('div', { class: 'segments', role: 'group', 'aria-label': 'Split by' }, [['model', 'By model'], ['key', 'By key']].map(([name = '', text]) => h('label', null,
    h('input', { type: 'radio', name: 'by', value: name, checked: name === asked.by, onchange: () => { asked.by = name; void draw(); } }), h('span', null, text))));
  /** @type {string[][]} */
  let lines = [];
  const csv = h('button', { type: 'button', onclick: () => save(lines, `usage-by-day-and-${asked.by}.csv`) }, icon('download'), 'CSV');

  async function draw() {
    const to = day(Date.now());
    const from = day(Date.now() - (asked.days - 1) * DAY);
    const days = Array.from({ length: asked.days }, (_, i) => day(Date.parse(from) + i * DAY));
    const ask = (/** @type {Record<string, string>} */ more) => call(`/v1/usage?${new URLSearchParams({ from, to, ...more })}`, { signal });
    const [all, split, { keys }] = await Promise.all([ask({ group_by: 'day' }), ask({ group_by: asked.by }), call('/v1/keys', { signal })]);
    const names = new Map(keys.map((/** @type {any} */ k) => [k.id, k.name]));
    const first = split.usage.sort((/** @type {Line} */ a, /** @type {Line} */ b) => b.cost - a.cost || b.requests - a.requests).slice(0, GROUPS);
    const groups = await Promise.all(first.map(async (/** @type {Line} */ g) => ({
      id: g.group, name: String(names.get(g.group) ?? g.group), lines: new Map((await ask({ group_by: 'day', [`${asked.by}_id`]: g.group })).usage.map((/** @type {Line} */ l) => [l.group, l])),
    })));
    const whole = new Map(all.usage.map((/** @type {Line} */ l) => [l.group, l]));
    /** @param {'requests' | 'seconds' | 'cost'} what */
    const series = (what) => {
      const shown = groups.map((g) => ({ name: g.name, values: days.map((d) => /** @type {any} */ (g.lines.get(d))?.[what] ?? 0) }));
      const rest = days.map((d, i) => (/** @type {any} */ (whole.get(d))?.[what] ?? 0) - shown.reduce((sum, g) => sum + (g.values[i] ?? 0), 0));
      return rest.some((n) => n > 1e-9) ? [...shown, { name: 'others', values: rest }] : shown;
    };
    const [clips, seconds, cost] = [series('requests'), series('seconds'), series('cost')];
    lines = [['day', asked.by, 'clips', 'seconds', 'cost_usd']];
    clips.forEach((g, k) => days.forEach((d, i) => {
      if (g.values[i]) lines.push([d, g.name, String(g.values[i]), String(seconds[k]?.values[i] ?? 0), String(cost[k]?.values[i] ?? 0)]);
    }));
    const whole_ = (/** @type {number} */ n) => String(Math.round(n * 10) / 10);
    fill(body,
      bars({ title: 'Clips', days, groups: clips, write: whole_ }),
      bars({ title: 'Seconds of video', days, groups: seconds, write: (n) => `${whole_(n)} s` }),
      bars({ title: 'Cost', days, groups: cost, write: (n) => (n ? money(n) : '$0') }),
      h('div', { class: 'card' }, h('h2', null, 'By day'), lines.length > 1
        ? table('Usage by day', ['Day', asked.by === 'key' ? 'Key' : 'Model', 'Clips', 'Seconds', 'Cost'],
          lines.slice(1).sort((a, b) => (b[0] ?? '').localeCompare(a[0] ?? '')).map((r) => r.map((c, i) => (i < 4 ? c : Number(c) ? money(Number(c)) : '$0'))), 2)
        : h('p', { class: 'dim' }, 'No clip was finished in this time.')));
  }
  await draw();
  return { title: 'Usage', el: h('section', null, h('div', { class: 'title' }, h('h1', null, 'Usage'), csv), h('div', { class: 'filters' }, period, by), body) };
}

/** @param {string[][]} rows @param {string} name */
function save(rows, name) {
  // A spreadsheet would run what begins like a formula.
  const cell = (/** @type {string} */ text) => { const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text; return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; };
  const url = URL.createObjectURL(new Blob([rows.map((r) => `${r.map(cell).join(',')}\r\n`).join('')], { type: 'text/csv' }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
