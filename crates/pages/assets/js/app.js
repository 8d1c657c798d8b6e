// The frame of all pages: which path shows what, who is signed in, light and dark.

import { ApiError, base, call, forget, key, listeners, setKey } from './api.js';
import { fill, find, h, money, template, toast, tool } from './dom.js';

/**
 * A page. `signal` ends when another page is shown.
 * @typedef {{path: string[], query: URLSearchParams, signal: AbortSignal, me: Me | null}} Place
 * @typedef {{title: string, el: Node}} Shown
 * @typedef {{id: string, email: string, token_type: string}} Me
 */

/** @type {{at: RegExp, load: () => Promise<{view: (place: Place) => Promise<Shown> | Shown}>, open?: boolean}[]} */
const ROUTES = [
  { at: /^\/$/, load: () => import('./models.js') },
  { at: /^\/models\/(.+)$/, load: () => import('./model.js') },
  { at: /^\/generations$/, load: () => import('./generations.js') },
  { at: /^\/generations\/([\w-]+)$/, load: () => import('./generation.js') },
  { at: /^\/usage$/, load: () => import('./usage.js') },
  { at: /^\/keys$/, load: () => import('./keys.js') },
  { at: /^\/system$/, load: () => import('./system.js') },
  { at: /^\/docs(?:\/([\w-]+))?$/, load: () => import('./docs.js'), open: true },
  { at: /^\/share\/([\w-]+)$/, load: () => import('./share.js'), open: true },
];
const NAV = [['/', 'Models'], ['/generations', 'Generations'], ['/usage', 'Usage'], ['/keys', 'Keys'], ['/system', 'System'], ['/docs', 'Docs']];

let leaving = new AbortController();
/** @type {Me | null} */
let me = null;

const here = () => location.pathname.slice(base.length) || '/';

/** Goes to a page of this site. @param {string} to @param {boolean} [replace] */
export function go(to, replace = false) {
  history[replace ? 'replaceState' : 'pushState'](null, '', base + to);
  return show();
}

/** Changes the address and nothing else. @param {string} to */
export const rename = (to) => history.replaceState(null, '', base + to);

/** Shows the page of the address. */
async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const path = here();
  const route = ROUTES.find((r) => r.at.test(path));
  try {
    if (path === '/sign-in') return await redeem();
    if (!route) return put({ title: 'Not found', el: h('section', { class: 'narrow card' }, h('h1', null, 'There is no page here'), h('p', null, h('a', { href: `${base}/` }, 'All models'))) }, signal);
    if (route.open) await known().catch(() => false);
    else if (!(await known())) return put(signIn(), signal);
    head();
    const { view } = await route.load();
    const place = { path: (route.at.exec(path) ?? []).slice(1).map((p) => decodeURIComponent(p ?? '')), query: new URLSearchParams(location.search), signal, me };
    put(await view(place), signal);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) return put(signIn(), signal);
    if (error instanceof TypeError && /module|import/i.test(error.message)) return stale(error);
    put({ title: 'Error', el: failed(error) }, signal);
  }
}

/** After an upgrade the old page's modules are gone; a new page has new ones. @param {Error} error */
function stale(error) {
  const tried = 'reshoot-reloaded';
  if (sessionStorage.getItem(tried) === location.href) throw error;
  sessionStorage.setItem(tried, location.href);
  location.reload();
}

/** @param {unknown} error */
function failed(error) {
  const message = error instanceof Error ? error.message : String(error);
  return h('section', { class: 'narrow card', role: 'alert' }, h('h1', null, 'This did not work'), h('p', null, message),
    h('p', { class: 'actions' }, h('button', { class: 'main', onclick: () => show() }, 'Try again')));
}

/** @param {Shown} shown @param {AbortSignal} signal */
function put(shown, signal) {
  if (signal.aborted) return;
  document.title = `${shown.title} · Reshoot`;
  head();
  const main = find('#main');
  const before = main.dataset.path;
  main.dataset.path = here();
  fill(main, shown.el);
  if (before === here()) return;
  window.scrollTo(0, 0);
  // Whoever does not see the page hears that it is another one.
  if (before !== undefined) main.focus({ preventScroll: true });
}

/** Whether somebody is signed in. */
async function known() {
  if (!key()) return false;
  if (!me) {
    me = await call('/api/auth/me');
    void balance();
  }
  return true;
}

/** @returns {Shown} */
function signIn() {
  me = null;
  const el = template('sign-in');
  const form = /** @type {HTMLFormElement} */ (find('form', el));
  const fault = find('.fault', el);
  form.addEventListener('submit', async (e) => {
    e.preventDefault();
    setKey(String(new FormData(form).get('key')).trim());
    try {
      await known();
      await show();
    } catch (error) {
      setKey(null);
      fault.hidden = false;
      fault.textContent = error instanceof Error ? error.message : String(error);
    }
  });
  return { title: 'Sign in', el };
}

/** Trades the code of a one-time link for a key. */
async function redeem() {
  const code = location.hash.slice(1);
  history.replaceState(null, '', `${base}/`);
  try {
    const { key: secret } = await call('/v1/sign-in', { method: 'POST', body: { code } });
    signOut(false);
    setKey(secret);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 'fault');
  }
  await show();
}

/** @param {boolean} [andShow] */
function signOut(andShow = true) {
  setKey(null);
  forget();
  sessionStorage.clear();
  me = null;
  left = '';
  if (andShow) void go('/');
}

function head() {
  const links = NAV.filter(([to]) => to !== '/system' || me?.token_type === 'admin').filter(([to]) => me || to === '/docs');
  const current = (/** @type {string} */ to) => (to === '/' ? here() === '/' || here().startsWith('/models/') : here().startsWith(to));
  fill(find('#nav'), links.map(([to, name]) => h('a', { href: base + to, 'aria-current': current(to ?? '') ? 'page' : undefined }, name)));
  find('#nav').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const dark = getComputedStyle(document.documentElement).colorScheme === 'dark'
    || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  fill(find('#account'),
    me && h('span', { id: 'balance', title: 'What is left to spend' }, left),
    me && h('span', { class: 'who', title: me.id }, me.email),
    tool(dark ? 'sun' : 'moon', dark ? 'Light colours' : 'Dark colours', () => theme(dark ? 'light' : 'dark')),
    me && tool('out', 'Sign out', () => signOut()));
}

/** What is left of a budget, for people. */
let left = '';
/** Asks what is left to spend; the million of keys without a budget is not shown. */
export async function balance() {
  const { balance_usd: usd } = await call('/v1/balance').catch(() => ({ balance_usd: 1e6 }));
  left = usd >= 1e6 ? '' : `${usd === 0 ? '$0' : money(usd)} left`;
  const el = document.getElementById('balance');
  if (el) el.textContent = left;
}

/** @param {string} name */
function theme(name) {
  localStorage.setItem('reshoot-theme', name);
  document.documentElement.dataset.theme = name;
  head();
}

listeners.signedOut = () => {
  if (!key()) return;
  setKey(null);
  me = null;
  toast('The key is not known here any more: sign in again', 'fault');
};

document.addEventListener('click', (e) => {
  const link = e.target instanceof Element ? e.target.closest('a') : null;
  if (!link || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  const to = url.pathname.slice(base.length) || '/';
  if (url.origin !== location.origin || !url.pathname.startsWith(base) || url.hash || !ROUTES.some((r) => r.at.test(to))) return;
  e.preventDefault();
  void go(to + url.search);
});
// What a button could not do is said, whatever it was; a fault of the pages themselves stays one.
addEventListener('unhandledrejection', (e) => {
  if (e.reason?.name === 'AbortError') return e.preventDefault();
  if (!(e.reason instanceof ApiError)) return;
  e.preventDefault();
  if (e.reason.status === 401) void show();
  else toast(e.reason.message, 'fault');
});
addEventListener('popstate', () => void show());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', head);
const chosen = localStorage.getItem('reshoot-theme');
if (chosen) document.documentElement.dataset.theme = chosen;
void show();
