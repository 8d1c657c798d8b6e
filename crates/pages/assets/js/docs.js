// The calls, out of the server's own description, and the guides that come with it.

import { base, call } from './api.js';
import { codeBlock, fill, h, table, ticks } from './dom.js';
import { markdown } from './md.js';

/** What `docs/` has for whoever uses or runs a server. @type {Record<string, string>} */
const GUIDES = {
  queue: 'Queue, waiting, events, webhooks', errors: 'Errors and their cures', clients: 'Known clients',
  metrics: 'Metrics',
};
const METHODS = ['get', 'post', 'patch', 'delete'];

/** @param {import('./app.js').Place} place */
export async function view({ path: [name = ''], signal }) {
  const nav = h('nav', { class: 'docs-nav', 'aria-label': 'Documentation' }, [['', 'API reference'], ...Object.entries(GUIDES)].map(([to, text]) => h('a', { href: `${base}/docs${to && `/${to}`}`, 'aria-current': to === name ? 'page' : undefined }, text)));
  const content = h('article', { class: 'prose' });
  if (name in GUIDES) {
    const response = await fetch(new URL(`../docs/${name}.md`, import.meta.url), { signal });
    fill(content, response.ok ? markdown(await response.text(), (href) => {
      const guide = /^(?:\.\/|docs\/)?([\w-]+)\.md(#.*)?$/.exec(href);
      if (guide) return guide[1] && guide[1] in GUIDES ? `${base}/docs/${guide[1]}` : null;
      return /^(https?:|#|\/)/.test(href) ? href : null;
    }) : h('p', null, 'This guide is not here.'));
  } else if (name) fill(content, h('h1', null, 'There is no such guide'));
  else fill(content, reference(await call('/openapi.json', { signal })));
  return { title: GUIDES[name] ?? 'API reference', el: h('div', { class: 'docs' }, nav, content) };
}

/** @param {any} api */
function reference(api) {
  /** @type {Map<string, {method: string, path: string, op: any}[]>} */
  const groups = new Map(api.tags.map((/** @type {any} */ t) => [t.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const op = /** @type {any} */ (item)[method];
      if (op) groups.get(op.tags[0])?.push({ method, path, op: { ...op, parameters: [...(/** @type {any} */ (item).parameters ?? []), ...(op.parameters ?? [])] } });
    }
  }
  const resolve = (/** @type {any} */ v) => (v?.$ref ? v.$ref.split('/').slice(1).reduce((/** @type {any} */ o, /** @type {string} */ k) => o?.[k], api) : v);
  return [h('h1', null, 'API reference'), h('p', null, `Version ${api.info.version}. `, 'The same for programs: ', h('a', { href: `${base}/openapi.json` }, 'openapi.json'), '.'),
    markdown(api.info.description),
    h('p', null, 'A key goes into the header ', h('code', null, 'Authorization: Bearer <key>'), ', never into a URL.'),
    api.tags.flatMap((/** @type {any} */ t) => [h('h2', { id: `api-${t.name}` }, t.name.charAt(0).toUpperCase() + t.name.slice(1)), h('p', { class: 'dim' }, t.description),
      ...(groups.get(t.name) ?? []).map((c) => operation(c, resolve))])];
}

/** @param {{method: string, path: string, op: any}} c @param {(v: any) => any} resolve */
function operation({ method, path, op }, resolve) {
  const inner = h('div', null);
  const open = Array.isArray(op.security) && !op.security.length;
  return h('details', { class: 'card call', ontoggle: () => { if (!inner.firstChild) fill(inner, whole()); } },
    h('summary', null, h('span', { class: `method ${method}` }, method.toUpperCase()), ' ', h('code', null, path), ' ', h('span', { class: 'dim' }, op.summary)), inner);

  function whole() {
    const parameters = op.parameters.map(resolve);
    const body = op.requestBody?.content;
    const curl = [`curl ${method === 'get' ? '' : `--request ${method.toUpperCase()} `}'${location.origin}${base}${path}'`, open ? '' : `--header "Authorization: Bearer $RESHOOT_KEY"`,
      body?.['application/json'] ? `--header 'Content-Type: application/json' --data '${JSON.stringify(body['application/json'].example ?? sample(body['application/json'].schema)).replaceAll("'", "'\\''")}'` : body ? '--data-binary @clip.mp4' : ''];
    return [
      op.description && markdown(op.description), open && h('p', { class: 'dim' }, 'No key is needed.'),
      parameters.length ? table('Parameters', ['Name', 'In', 'What it is'], parameters.map((/** @type {any} */ p) => [h('code', null, p.name), p.in, ticks([p.description ?? '', p.schema?.default !== undefined ? ` Default ${p.schema.default}.` : '', p.required ? ' Needed.' : ''].join(''))])) : null,
      table('Answers', ['Status', 'What it is'], Object.entries(op.responses).map(([status, r]) => [h('code', null, status), ticks(resolve(r)?.description ?? '')])),
      codeBlock(curl.filter(Boolean).join(' \\\n  ')),
    ];
  }
  /** @param {any} schema @returns {any} */
  function sample(schema) {
    const s = resolve(schema) ?? {};
    return Object.fromEntries((s.required ?? []).map((/** @type {string} */ n) => [n, resolve(s.properties?.[n])?.examples?.[0] ?? '…']));
  }
}
