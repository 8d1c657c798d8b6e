// The server's calls. The key is in session storage and goes out in a header alone.

/**
 * @typedef {{loc: (string | number)[], msg: string, type: string}} Detail
 * @typedef {{request_id: string, model_id: string, status: string, queue_position?: number, created_at: string,
 *   finished_at?: string, output?: Record<string, any>, poster_url?: string, prompt?: string,
 *   error?: {code: string, message: string, detail?: Detail[]}}} Summary
 * @typedef {{words: string, reason: string, provisional?: boolean}} Unmet
 * @typedef {Summary & {input: any, plan?: any, engine?: {name: string, version: string, seed?: number}, unmet: Unmet[],
 *   warnings: string[], stages: {name: string, started_at: string, finished_at?: string}[],
 *   events: {at: string, kind: string, message: string}[], metrics?: Record<string, number>,
 *   passes?: {name: string, parameters: any, millis: number}[], attempts: number, cost?: number,
 *   expires_at: string | null, share_url?: string}} Request
 * @typedef {Record<string, any>} Limits
 * @typedef {{at: string, kind: 'video' | 'image' | 'element', handle: string, limits?: Limits, frontal?: string,
 *   frontal_limits?: Limits, views?: string, view_limits?: Limits}} Medium
 * @typedef {{prompt: string, media: Medium[], max_elements_and_images?: number, length?: string, ratio?: string,
 *   keep_sound?: string, output: {kind: string, fps?: number, sizes: Record<string, [number, number]>}}} Roles
 * @typedef {{model_id: string, display_name: string, description: string, kind: string, categories: string[],
 *   base_price_usd: number, price_unit: string, pricing_note?: string, inputs: string[], required_inputs: string[],
 *   input_schema: any, output_schema: any, roles: Roles, readme?: string}} Model
 */

/** What the paths of this server begin with; empty unless a proxy adds something. */
export const base = document.documentElement.dataset.base ?? '';
const KEY = 'reshoot-key';

/** @returns {string | null} */
export const key = () => sessionStorage.getItem(KEY);
/** @param {string | null} text */
export function setKey(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

/** An answer that is not 2xx, or none at all (`status` 0). */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {Detail[]} detail */
  constructor(status, message, detail = []) {
    super(message);
    this.status = status;
    this.detail = detail;
  }
}

/** Told when the server does not know the key. @type {{signedOut: () => void}} */
export const listeners = { signedOut() {} };

/** @param {number} status @param {any} body */
function refused(status, body) {
  if (status === 401) listeners.signedOut();
  const detail = Array.isArray(body?.detail) ? body.detail : [];
  const message = body?.message ?? (typeof body?.detail === 'string' ? body.detail : '');
  return new ApiError(status, message || `the server answered ${status}`, detail);
}

/** @returns {Record<string, string>} */
const authorization = () => (key() ? { Authorization: `Bearer ${key()}` } : {});

/**
 * One call; the answer's JSON.
 * @param {string} path @param {{method?: string, body?: any, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
export async function call(path, { method = 'GET', body, signal, headers } = {}) {
  /** @type {RequestInit} */
  const init = { method, signal: signal ?? null, headers: { ...authorization(), ...headers } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  let response;
  try {
    response = await fetch(base + path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'the server does not answer');
  }
  const text = await response.text();
  const json = text && (response.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : text;
  if (!response.ok) throw refused(response.status, json);
  return json;
}

/** The path of a model's calls; its id has slashes of its own. @param {string} id */
export const modelPath = (id) => `/v1/models/${id.split('/').map(encodeURIComponent).join('/')}`;

/** @type {Map<string, Promise<Model>>} */
const models = new Map();
/** @param {string} id @returns {Promise<Model>} */
export function model(id) {
  let found = models.get(id);
  if (!found) {
    found = call(modelPath(id));
    models.set(id, found);
    found.catch(() => models.delete(id));
  }
  return found;
}

/** Forgets what was read with another key. */
export const forget = () => models.clear();

/**
 * Sends a file; `fetch` tells no progress of what it sends.
 * @param {File} file @param {(fraction: number) => void} progress @param {AbortSignal} signal
 * @returns {Promise<{url: string, bytes: number, content_type: string}>}
 */
export function upload(file, progress, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', `${base}/v1/files`);
    for (const [name, value] of Object.entries(authorization())) xhr.setRequestHeader(name, value);
    xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    xhr.responseType = 'json';
    xhr.upload.onprogress = (e) => progress(e.lengthComputable ? e.loaded / e.total : 0);
    xhr.onload = () => (xhr.status < 300 ? resolve(xhr.response) : reject(refused(xhr.status, xhr.response)));
    xhr.onerror = () => reject(new ApiError(0, 'the upload broke off, the server does not answer'));
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    signal.addEventListener('abort', () => xhr.abort());
    xhr.send(file);
  });
}

/** A stream tells where the request stands at once, in ms; what is silent for longer is held back by a proxy. */
const FIRST_EVENT = 6000;
/** The server sends something every 25 s. */
const SIGN_OF_LIFE = 40000;

/**
 * The server-sent events of one request, as they come. Ends when the server ends the stream;
 * throws if it breaks off, or if nothing comes (at first: an event, later: a sign of life).
 * @param {string} id @param {string} last the id of the last event that was seen, or ''
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{event: string, id: string, data: any}>}
 */
export async function* events(id, last, signal) {
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal.addEventListener('abort', abort);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const heard = (/** @type {number} */ silence) => {
    clearTimeout(timer);
    timer = setTimeout(abort, silence);
  };
  try {
    heard(FIRST_EVENT);
    const headers = { ...authorization(), Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) };
    const response = await fetch(`${base}/v1/requests/${id}/events`, { headers, signal: stop.signal, cache: 'no-store' });
    if (response.status === 204) return;
    if (!response.ok || !response.body) throw refused(response.status, await response.json().catch(() => null));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      heard(SIGN_OF_LIFE);
      if (done) return;
      text += value.replaceAll('\r', '');
      let end;
      while ((end = text.indexOf('\n\n')) >= 0) {
        const event = { event: 'message', id: '', data: '' };
        for (const line of text.slice(0, end).split('\n')) {
          const [, name, content] = /^(\w*):? ?(.*)$/.exec(line) ?? [];
          if (name === 'data') event.data += content;
          else if (name === 'event' || name === 'id') event[name] = content ?? '';
        }
        text = text.slice(end + 2);
        if (event.data) yield { ...event, data: JSON.parse(event.data) };
      }
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    stop.abort();
  }
}
