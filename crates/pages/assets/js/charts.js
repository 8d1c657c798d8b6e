// Bars by day, stacked by group. The numbers stand in a table beneath, for whoever sees no bars.

import { h, svg } from './dom.js';

/** Told apart without colour, too, by their order; enough contrast on both grounds. */
const COLOURS = 8;

/**
 * @param {{title: string, days: string[], groups: {name: string, values: number[]}[], write: (n: number) => string}} o
 */
export function bars({ title, days, groups, write }) {
  const [width, height, right, bottom] = [420, 170, 44, 20];
  const sums = days.map((_, i) => groups.reduce((sum, g) => sum + (g.values[i] ?? 0), 0));
  // Half of the top stands at a line: of what is counted, that is a whole number, too.
  const counted = sums.every(Number.isInteger);
  const top = counted ? 2 * Math.ceil(nice(Math.max(...sums, 1)) / 2) : nice(Math.max(...sums));
  const step = (width - right) / days.length;
  const y = (/** @type {number} */ n) => (height - bottom) * (1 - (top ? n / top : 0));
  const parts = days.flatMap((day, i) => {
    let below = 0;
    return groups.flatMap((g, k) => {
      const value = g.values[i] ?? 0;
      if (!value) return [];
      const from = y(below);
      below += value;
      return [svg('rect', { class: `g${k % COLOURS}`, x: i * step + step * 0.12, width: step * 0.76, y: y(below), height: Math.max(0.5, from - y(below)) },
        svg('title', {}, `${day} · ${g.name}: ${write(value)}`))];
    });
  });
  const lines = [0, 0.5, 1].flatMap((f) => [
    svg('line', { x1: 0, x2: width - right, y1: y(top * f), y2: y(top * f) }),
    f && top ? svg('text', { x: width - right + 6, y: y(top * f) + 4 }, write(top * f)) : null]);
  const every = Math.ceil(days.length / 5);
  const labels = days.map((day, i) => (i % every ? null : svg('text', { x: i * step, y: height - 4 }, day.slice(5))));
  const total = sums.reduce((a, b) => a + b, 0);
  return h('figure', { class: 'card chart' }, h('figcaption', { class: 'title' }, h('h2', null, title), h('strong', { class: 'n' }, write(total))),
    svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title} by day: ${write(total)} in all, ${write(Math.max(...sums, 0))} on the busiest day` }, lines, labels, parts),
    groups.length > 1 ? h('ul', { class: 'legend' }, groups.map((g, k) => h('li', null, svg('svg', { viewBox: '0 0 10 10' }, svg('rect', { class: `g${k % COLOURS}`, width: 10, height: 10 })), g.name))) : null);
}

/** The next number of one digit and a half. @param {number} n */
function nice(n) {
  if (n <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(n));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((f) => f * unit >= n * (1 - 1e-9)) ?? 10) * unit;
}
