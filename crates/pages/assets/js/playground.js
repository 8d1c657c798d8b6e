// A request in the making: the form and its JSON, what would be made of it, and the run.

import { ApiError, call, modelPath } from './api.js';
import { balance, rename } from './app.js';
import { fill, h, icon, money, ticks, toast } from './dom.js';
import { draft, keepDraft } from './draft.js';
import { makeForm } from './form.js';
import { sending } from './media.js';
import { planView } from './plan.js';
import { sendable } from './result.js';
import { runView } from './run.js';

/** How long the form rests before the server is asked, in ms. */
const REST = 350;

/** @param {import('./api.js').Model} model @param {URLSearchParams} query @param {AbortSignal} signal */
export function playground(model, query, signal) {
  let body = draft(model.model_id);
  /** Whether faults of empty fields are shown: not before somebody tried to run. */
  let tried = false;
  let asked = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const form = makeForm(model, body, (value) => {
    body = value;
    keep();
    if (document.activeElement !== json) json.value = text();
  });
  const text = () => JSON.stringify(body, null, 2);
  const json = h('textarea', { class: 'json', id: 'json', rows: 22, spellcheck: false, value: text(), oninput: typed, 'aria-describedby': 'json-fault' });
  const jsonFault = h('p', { class: 'faults', id: 'json-fault', role: 'alert' });
  const jsonPane = h('div', { class: 'field', hidden: true }, h('label', { htmlFor: 'json' }, 'The body of the request'), json, jsonFault);
  const panes = ['Form', 'JSON'].map((name, i) => h('label', null,
    h('input', { type: 'radio', name: 'pane', checked: !i, onchange: () => { form.el.hidden = !!i; jsonPane.hidden = !i; } }), h('span', null, name)));
  const others = h('ul', { class: 'faults', role: 'alert' });
  const run = h('button', { type: 'submit', class: 'main', title: 'Ctrl+Enter' }, icon('play'), h('span', null, 'Run'), h('kbd', null, 'Ctrl ⏎'));
  const cost = h('span', { class: 'cost' });
  const why = h('span', { class: 'dim', role: 'status' });
  const plan = h('div', null);
  const made = h('div', null);
  const side = h('div', { class: 'side' }, plan, made);
  const reset = h('button', { type: 'button', class: 'plain', onclick: () => { tried = false; take({}); keep(); } }, 'Clear');
  const el = h('div', { class: 'studio' },
    h('form', { class: 'card request', noValidate: true, onsubmit: submit, onkeydown: hotkey },
      h('div', { class: 'title' }, h('h2', null, 'Request'), h('div', { class: 'segments', role: 'group', 'aria-label': 'Edit as' }, panes)),
      form.el, jsonPane, others,
      h('div', { class: 'submit' }, h('div', { class: 'told' }, cost, why), reset, run)),
    side);

  /** @param {any} value */
  function take(value) {
    body = value;
    form.set(body);
    json.value = text();
  }

  function typed() {
    try {
      const value = JSON.parse(json.value || '{}');
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('an object is required');
      jsonFault.textContent = '';
      body = value;
      form.set(body);
      keep();
    } catch (error) {
      jsonFault.textContent = `Not taken over: ${error instanceof Error ? error.message : error}`;
    }
  }

  function keep() {
    keepDraft(model.model_id, body);
    edited = true;
    clearTimeout(timer);
    timer = setTimeout(ask, REST);
  }

  /** Where the last run stands; what was made of it stays until another begins. @type {'' | 'run' | 'done'} */
  let phase = '';
  /** Whether the form has changed since. */
  let edited = false;
  /** @param {Node} what */
  function showPlan(what) {
    fill(plan, what);
    plan.hidden = phase === 'run' || (phase === 'done' && !edited);
  }

  /** Asks what would become of the request. */
  async function ask() {
    asked.abort();
    asked = new AbortController();
    const missing = model.required_inputs.filter((name) => !body[name]);
    if (missing.length && !tried) {
      refuse([]);
      fill(cost);
      showPlan(welcome(missing));
      return;
    }
    try {
      const forecast = await call(`${modelPath(model.model_id)}?dry_run=true`, { method: 'POST', body, signal: asked.signal });
      refuse([]);
      fill(cost, forecast.cost === 0 ? 'Free' : money(forecast.cost));
      showPlan(planView(forecast, 'What would be made'));
    } catch (error) {
      if (asked.signal.aborted) return;
      fill(cost);
      if (!(error instanceof ApiError)) throw error;
      refuse(error.detail, error.message);
      showPlan(welcome(missing));
    }
  }

  /**
   * Shows each fault beside its field, and below the form those that have none, or the message of a
   * refusal that names none; says whether a field has one.
   * @param {import('./api.js').Detail[]} faults
   */
  function refuse(faults, message = '') {
    const rest = form.show(faults).map(({ msg }) => msg);
    fill(others, (faults.length || !message ? rest : [message]).map((text) => h('li', null, ticks(text))));
    return faults.length > rest.length;
  }

  /** @param {string[]} fields */
  function welcome(fields) {
    const titles = fields.map((f) => model.input_schema.properties?.[f]?.title ?? f);
    return h('div', { class: 'card empty' }, icon('video'), h('h2', null, 'The plan and the clip appear here'),
      h('p', null, titles.length ? `Still needed: ${titles.join(', ')}.` : 'See the notes beside the fields.'),
      h('p', { class: 'dim' }, 'Before anything runs, the server says what it makes of the prompt, what it cannot do, and the price.'));
  }

  /** @param {KeyboardEvent} e */
  function hotkey(e) {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) void submit(e);
  }

  function ready() {
    run.disabled = sending.count > 0;
    why.textContent = sending.count ? `Waiting for ${sending.count} ${sending.count === 1 ? 'file' : 'files'} to be sent` : '';
  }
  sending.listeners.add(ready);
  signal.addEventListener('abort', () => sending.listeners.delete(ready));

  /** @param {Event} e */
  async function submit(e) {
    e.preventDefault();
    if (run.disabled) return;
    tried = true;
    run.disabled = true;
    try {
      // Were the answer lost, the same click would not make two clips.
      const headers = { 'Idempotency-Key': crypto.randomUUID?.() ?? String(Math.random()) };
      const accepted = await again(() => call(modelPath(model.model_id), { method: 'POST', body, headers }));
      refuse([]);
      rename(`/models/${model.model_id}?request=${accepted.request_id}`);
      follow(accepted.request_id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (refuse(error.detail, error.message)) form.focusFault();
      toast(error.detail.length ? 'The request was refused: see the notes beside the fields' : error.message, 'fault');
    } finally {
      ready();
    }
  }

  let following = new AbortController();
  signal.addEventListener('abort', () => following.abort());

  /** @param {string} id */
  function follow(id) {
    following.abort();
    following = new AbortController();
    phase = 'run';
    edited = false;
    plan.hidden = true;
    fill(made, runView(id, following.signal, { ended, close }));
    const { top } = side.getBoundingClientRect();
    if (top < 0 || top > innerHeight * 0.7) side.scrollIntoView({ behavior: 'smooth' });
  }

  function ended() {
    phase = 'done';
    void balance();
  }

  function close() {
    following.abort();
    phase = '';
    fill(made);
    rename(`/models/${model.model_id}`);
    void ask();
  }

  const request = query.get('request');
  if (request) follow(request);
  // A tab that has nothing in its form yet shows what was asked for.
  const empty = !Object.keys(body).length;
  if (request && empty) void call(`/v1/requests/${request}`, { signal }).then((r) => {
    take(sendable(r.input));
    keepDraft(model.model_id, body);
    void ask();
  }, () => {});
  void ask();
  ready();
  return el;
}

/** A call that the server did not answer is made again, twice. @template T @param {() => Promise<T>} make @returns {Promise<T>} */
async function again(make) {
  for (let left = 2; ; left--) {
    try {
      return await make();
    } catch (error) {
      if (!left || !(error instanceof ApiError) || error.status) throw error;
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
  }
}
