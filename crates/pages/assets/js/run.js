// One request from its submit to its end: events as they come, polls where they do not.

import { ApiError, base, call, events } from './api.js';
import { confirmed, fill, h, icon, span } from './dom.js';
import { human } from './form.js';
import { resultView } from './result.js';

/** @typedef {import('./api.js').Request} Request */

/** After so many broken streams in a row, polls take over for a while. */
const BROKEN = 2;
const POLLS = 10;
const POLL = 2000;
const ENDS = ['completed', 'succeeded', 'failed', 'cancelled'];

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); });
  });
}

/**
 * Follows a request until it has ended, across broken connections and restarts of the server.
 * @param {string} id @param {AbortSignal} signal
 * @param {{event: (e: {event: string, data: any}) => void, poll: (s: any) => void, lost: (lost: boolean) => void}} on
 */
async function follow(id, signal, on) {
  let last = '';
  /** How often in a row the server did not answer at all. */
  let away = 0;
  for (let broken = 0; !signal.aborted;) {
    try {
      for await (const e of events(id, last, signal)) {
        broken = 0;
        on.lost(false);
        if (e.id) last = e.id;
        on.event(e);
        if (e.event === 'result') return;
      }
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 401)) throw error;
    }
    broken += 1;
    for (let polls = broken < BROKEN ? 1 : POLLS; polls && !signal.aborted; polls--) {
      try {
        const status = await call(`/v1/requests/${id}/status`, { signal });
        away = 0;
        on.lost(false);
        on.poll(status);
        if (ENDS.includes(status.status)) return;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 401)) throw error;
        on.lost(true);
        // Streams are not what is broken.
        away += 1;
        broken = 0;
        polls = 1;
      }
      await pause(away ? Math.min(5000, 250 * 2 ** away) : broken < BROKEN ? 500 : POLL, signal);
    }
  }
}

/**
 * @param {string} id @param {AbortSignal} signal
 * @param {{ended?: (r: Request) => void, close?: () => void}} [o]
 */
export function runView(id, signal, o = {}) {
  const head = h('span', { role: 'status' }, 'Asking where it stands');
  const lost = h('p', { class: 'lost', role: 'status', hidden: true }, icon('warning'), 'The server does not answer. This page goes on trying; the request is kept.');
  const bar = h('progress', { max: 1, 'aria-label': 'Done' });
  const percent = h('span', { class: 'n' });
  const elapsed = h('span', { class: 'dim n' });
  const log = h('ol', { class: 'log', tabIndex: 0, 'aria-label': 'What happened' });
  const stop = h('button', { type: 'button', onclick: cancel }, icon('stop'), 'Cancel');
  const steps = h('ol', { class: 'steps', 'aria-label': 'Stages' });
  const el = h('div', { class: 'card run' },
    h('div', { class: 'title' }, h('h2', null, head), stop), lost, steps,
    h('div', { class: 'progress' }, bar, percent, elapsed), log,
    h('p', { class: 'id' }, h('a', { href: `${base}/generations/${id}` }, id)));
  let running = false;
  let started = 0;
  const clock = setInterval(() => { if (started) elapsed.textContent = span((Date.now() - started) / 1000); }, 500);
  const ended = new AbortController();
  ended.signal.addEventListener('abort', () => clearInterval(clock));
  signal.addEventListener('abort', () => ended.abort());

  /** @param {string} name */
  function stage(name) {
    const names = ['Queue', 'Files', 'Run', 'Done'];
    const now = names.indexOf(name);
    fill(steps, names.map((text, i) => h('li', { class: i < now ? 'past' : i === now ? 'now' : '', 'aria-current': i === now ? 'step' : undefined }, text)));
  }

  /** @param {string} text */
  function say(text) {
    if (head.textContent !== text) head.textContent = text;
  }

  /** @param {string} at @param {string} message */
  function line(at, message) {
    log.append(h('li', null, at && h('time', { dateTime: at }, new Date(at).toLocaleTimeString()), ' ', message));
    log.scrollTop = log.scrollHeight;
  }

  /** @param {number | undefined} n */
  function waiting(n) {
    stage('Queue');
    bar.removeAttribute('value');
    percent.textContent = '';
    say(n === undefined ? 'Waiting' : n === 1 ? 'Next in the queue' : `Number ${n} in the queue`);
  }

  /** @param {string} name @param {number} fraction */
  function progress(name, fraction) {
    stage('Run');
    running = true;
    bar.value = fraction;
    percent.textContent = `${Math.floor(fraction * 100)} %`;
    say(`${human(name)}`);
  }

  /** @param {{event: string, data: any}} e */
  function event({ event: kind, data }) {
    if (kind === 'state') {
      started ||= Date.parse(data.at);
      running = data.status === 'in_progress';
      if (data.event === 'received') waiting(undefined);
      if (data.event === 'intake_started') { stage('Files'); say('Fetching and checking the files'); }
      if (data.event === 'ready') waiting(undefined);
      if (data.event === 'run_started') progress('Starting', 0);
    } else if (kind === 'position') {
      if (!steps.querySelector('.now')?.textContent?.startsWith('Files')) waiting(data.queue_position);
    } else if (kind === 'progress') progress(data.stage, data.fraction);
    else if (kind === 'log') line(data.at, data.message);
  }

  async function cancel() {
    stop.disabled = true;
    try {
      if (running && !(await confirmed('Stop the running clip?', 'What has been made of it is lost. Nothing is charged.', 'Stop it'))) return;
      await call(`/v1/requests/${id}/cancel${running ? '?force=true' : ''}`, { method: 'POST' });
    } catch (error) {
      line('', error instanceof Error ? error.message : String(error));
    } finally {
      stop.disabled = false;
    }
  }

  async function all() {
    try {
      await follow(id, signal, {
        event,
        poll: (s) => { running = s.status === 'in_progress'; if (s.status === 'in_queue') waiting(s.queue_position); else if (running && !bar.value) progress('Running', 0); },
        lost: (is) => { lost.hidden = !is; },
      });
      if (signal.aborted) return;
      const record = await call(`/v1/requests/${id}`, { signal });
      ended.abort();
      o.ended?.(record);
      el.replaceWith(resultView(record, signal, o.close ? { close: o.close } : {}));
    } catch (error) {
      if (signal.aborted) return;
      ended.abort();
      fill(el, h('h2', null, 'This request cannot be shown'), h('p', { role: 'alert' }, error instanceof Error ? error.message : String(error)),
        o.close && h('p', { class: 'actions' }, h('button', { type: 'button', onclick: o.close }, 'Back to the plan')));
    }
  }
  stage('Queue');
  void all();
  return el;
}
