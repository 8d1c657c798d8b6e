// Markdown as the project's own texts use it, made into elements: headings, paragraphs, lists,
// tables, code, quotes, emphasis, links. What else stands there is shown as it is.

import { base } from './api.js';
import { codeBlock, h, table } from './dom.js';

/**
 * @param {string} text @param {(href: string) => string | null} [link] says where a link leads; null leaves its text alone
 * @returns {DocumentFragment}
 */
export function markdown(text, link = (href) => (/^(https?:|#|\/)/.test(href) ? href : null)) {
  const out = document.createDocumentFragment();
  const lines = text.replaceAll('\r', '').split('\n');
  let i = 0;
  const line = () => lines[i] ?? '';
  const many = (/** @type {RegExp} */ re) => {
    const taken = [];
    while (i < lines.length && re.test(line())) taken.push(lines[i++] ?? '');
    return taken;
  };
  while (i < lines.length) {
    const heading = /^(#{1,6}) +(.*)$/.exec(line());
    if (!line().trim()) i++;
    else if (heading) {
      const [, marks = '', title = ''] = heading;
      const level = /** @type {'h1'} */ (`h${marks.length}`);
      out.append(h(level, { id: title.toLowerCase().replace(/[^\w]+/g, '-') }, inline(title, link)));
      i++;
    } else if (/^```/.test(line())) {
      i++;
      const code = many(/^(?!```)/);
      i++;
      out.append(codeBlock(code.join('\n')));
    } else if (/^ {4}/.test(line())) {
      out.append(codeBlock(many(/^( {4}|$)/).map((l) => l.slice(4)).join('\n').trimEnd()));
    } else if (/^\|/.test(line())) {
      const rows = many(/^\|/).map((l) => l.replace(/^\||\|\s*$/g, '').split(/(?<!\\)\|/).map((c) => c.trim().replaceAll('\\|', '|')));
      const [head = [], , ...body] = rows;
      out.append(table('Table', head.map((c) => h('span', null, inline(c, link))), body.map((r) => r.map((c) => inline(c, link)))));
    } else if (/^>/.test(line())) {
      out.append(h('blockquote', null, markdown(many(/^>/).map((l) => l.replace(/^> ?/, '')).join('\n'), link)));
    } else if (/^ *([-*]|\d+\.) /.test(line())) out.append(list(many(/^ *([-*]|\d+\.) |^ {2,}\S/), link));
    else out.append(h('p', null, inline(many(/^(?!#|```|\||>|[-*] |\d+\. )\s*\S/).join(' ') || (lines[i++] ?? ''), link)));
  }
  return out;
}

/** @param {string[]} lines @param {(href: string) => string | null} link @returns {HTMLElement} */
function list(lines, link) {
  const mark = /^( *)([-*]|\d+\.) +(.*)$/;
  const first = mark.exec(lines[0] ?? '');
  const depth = first?.[1]?.length ?? 0;
  const el = h(/\d/.test(first?.[2] ?? '') ? 'ol' : 'ul', null);
  for (let i = 0; i < lines.length;) {
    const [, , , start = lines[i] ?? ''] = mark.exec(lines[i] ?? '') ?? [];
    let text = start;
    const inner = [];
    for (i++; i < lines.length; i++) {
      const next = mark.exec(lines[i] ?? '');
      if (next && (next[1]?.length ?? 0) <= depth) break;
      if (next || inner.length) inner.push(lines[i] ?? '');
      else text += ` ${(lines[i] ?? '').trim()}`;
    }
    el.append(h('li', null, inline(text, link), inner.length ? list(inner, link) : null));
  }
  return el;
}

const SPANS = /`([^`]+)`|\*\*(.+?)\*\*|\*(\S(?:.*?\S)?)\*|!\[([^\]]*)\]\(([^)]+)\)|\[([^\]]+)\]\(([^)]+)\)/;

/** @param {string} text @param {(href: string) => string | null} link @returns {(Node | string)[]} */
function inline(text, link) {
  const out = [];
  for (let rest = text; rest;) {
    const m = SPANS.exec(rest);
    if (!m) return [...out, rest];
    const [whole, code, bold, italic, , , label, href = ''] = m;
    out.push(rest.slice(0, m.index));
    rest = rest.slice(m.index + whole.length);
    if (code) out.push(h('code', null, code));
    else if (bold) out.push(h('strong', null, inline(bold, link)));
    else if (italic) out.push(h('em', null, inline(italic, link)));
    else if (label) {
      const to = link(href);
      const outside = to?.startsWith('http') && !to.startsWith(location.origin + base);
      out.push(to === null ? h('span', null, inline(label, link)) : h('a', { href: to, ...(outside ? { rel: 'noreferrer', target: '_blank' } : {}) }, inline(label, link)));
    }
  }
  return out;
}
