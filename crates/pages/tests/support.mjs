// What the tests of the pages stand on: a server of their own, a browser, and visitors whose pages
// are watched. A visitor's page that logs an error, breaks its policy, calls another origin or puts
// a key into a URL fails its test, whatever the test is about.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const TARGET = join(ROOT, 'target');
/** Where pictures of the pages are put. */
export const PICTURES = join(TARGET, 'pages');
export const KLING = 'kling/kling-video-o1/video-to-video/reference';
/** Under load everything takes longer: what does not come within this time, in ms, will not come. */
export const PATIENCE = 30_000;
/** A clip may wait for others. */
export const CLIP = 120_000;

const BINARY = resolve(ROOT, process.env.RESHOOT_BIN ?? join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug/reshoot'));

/** @param {string} name */
export const sample = (name) => join(ROOT, 'samples', name);
export const BUNNY = sample('bigbuckbunny_720p25_5s.mp4');
export const APPLE = sample('apple.jpg');
export const STARRY = sample('starry_night.jpg');

/** @param {number} ms */
export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Waits until `ask` gives something, and gives that. */
export async function until(what, ask, ms = PATIENCE) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await pause(50);
  }
}

/** The last lines of a program, and whether it succeeded. */
export function run(program, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let out = '';
    let err = '';
    child.stdout.on('data', (text) => { out += text; });
    child.stderr.on('data', (text) => { err += text; });
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? done(out) : fail(new Error(`${basename(program)} ended with ${code}:\n${out}${err}`))));
  });
}

/** Width, height and number of frames of a clip's picture. */
export async function probe(path) {
  const out = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-count_packets', '-show_entries', 'stream=width,height,nb_read_packets', '-of', 'json', path]);
  const { width, height, nb_read_packets: frames } = JSON.parse(out).streams[0];
  return { width, height, frames: Number(frames) };
}

/** What is to be undone at the end, last things first. @type {(() => void)[]} */
const undo = [];
process.on('exit', () => { for (const one of undo.reverse()) one(); });

/** A folder that is gone at the end. */
export function folder(name = 'pages') {
  const path = mkdtempSync(join(tmpdir(), `reshoot-${name}-`));
  undo.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export class Server {
  constructor(args = []) {
    this.folder = folder();
    this.data = join(this.folder, 'data');
    this.args = args;
    this.listen = '127.0.0.1:0';
    this.key = '';
    this.link = '';
  }

  /** Starts it, at the address that it had before, if it had one. */
  async start() {
    const out = join(this.folder, 'out');
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RESHOOT_')));
    this.child = spawn(BINARY, ['serve', '--listen', this.listen, '--data', this.data, '--disk-reserve-mib', '8', ...this.args], {
      cwd: this.folder, env, stdio: ['ignore', openSync(out, 'w'), openSync(join(this.folder, 'log'), 'a')],
    });
    this.ended = new Promise((done) => { this.child.on('exit', done); });
    const { child } = this;
    undo.push(() => child.kill('SIGKILL'));
    const said = await until('the server listens', () => {
      if (this.child.exitCode !== null) throw new Error(`the server ended: ${this.log()}`);
      const text = readFileSync(out, 'utf8');
      // The key comes after the address, on a first start.
      return /^listening on \S+$/m.test(text) && (this.key || /\/sign-in#\w+$/m.test(text)) && text;
    });
    this.base = /^listening on (\S+)$/m.exec(said)[1];
    this.listen = new URL(this.base).host;
    this.key ||= /(rsk_\w+)/.exec(said)[1];
    this.link ||= /(http\S+\/sign-in#\w+)/.exec(said)[1];
    return this;
  }

  log() {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  async end(signal) {
    this.child.kill(signal);
    await this.ended;
  }

  /** As a crash would. */
  kill() {
    return this.end('SIGKILL');
  }

  async stop() {
    await this.end('SIGKILL');
    assert.doesNotMatch(this.log(), /panicked|"level":"ERROR"| ERROR /, 'the server logs no error');
  }

  /** One call of the API, with what it answered. */
  async call(method, path, body, key = this.key) {
    const raw = body instanceof Uint8Array;
    const response = await fetch(path.startsWith('http') ? path : this.base + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': raw ? 'application/octet-stream' : 'application/json' },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** The URL of a file of this machine. */
  async upload(path, key = this.key) {
    return (await this.call('POST', '/v1/files', readFileSync(path), key)).url;
  }

  async submit(body, key = this.key, query = '') {
    return (await this.call('POST', `/v1/models/${KLING}${query}`, body, key)).request_id;
  }

  /** The record of a request, once it has ended. */
  async record(id, key = this.key) {
    await until(`${id} ends`, async () => ['succeeded', 'failed', 'cancelled'].includes((await this.call('GET', `/v1/requests/${id}/result?wait=60`, undefined, key)).status), CLIP);
    return this.call('GET', `/v1/requests/${id}`, undefined, key);
  }

  /** A request that asks for a clip of the sample, quickly made. */
  async wish(prompt = 'Keep the motion of @Video1, at dusk', key = this.key) {
    return { prompt, video_url: await this.upload(BUNNY, key) };
  }

  /** A clip that is there: the first, made now if there is none. Its reference has sound, and so has it. */
  clip() {
    this.made ??= this.wish().then(async (body) => {
      const record = await this.record(await this.submit({ ...body, keep_audio: true }));
      assert.equal(record.status, 'succeeded', JSON.stringify(record.error));
      return record;
    });
    return this.made;
  }

  /** A key of another owner. */
  async stranger(name) {
    return (await run(BINARY, ['keys', 'create', name, '--data', this.data])).trim();
  }
}

/** Starts both; whichever came up is there to be ended, even if the other did not. */
export async function begin(at) {
  const [server, browser] = await Promise.allSettled([at.server.start(), launch()]);
  at.browser = browser.value;
  for (const { reason } of [server, browser]) if (reason) throw reason;
}

/** A server and a browser for all tests of a file. */
export function stage(args = []) {
  const at = { server: new Server(args), browser: /** @type {any} */ (null) };
  before(async () => {
    mkdirSync(PICTURES, { recursive: true });
    await begin(at);
  });
  after(async () => {
    await at.browser?.close();
    await at.server.stop();
  });
  return at;
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
    // Those that a browser has by itself, and a visitor would.
    ignoreDefaultArgs: ['--mute-audio'],
  });
}

/** What happens on a visitor's page and may not, from now on; `allow` names what may. */
export async function watch(context, server, allow = []) {
  /** @type {string[]} */
  const faults = [];
  const fault = (text) => { if (!allow.some((it) => it.test(text))) faults.push(text); };
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') fault(`console: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => fault(`page error: ${error.error().stack ?? error.error()}`));
  context.on('request', (request) => {
    const url = request.url();
    if (/^(blob|data):/.test(url)) return;
    if (new URL(url).origin !== (server.origin ?? server.base)) fault(`other origin: ${url}`);
    if (/rsk_|(?:key|token)=/.test(url)) fault(`a key in a URL: ${url}`);
    if (/rsk_/.test(request.headers().referer ?? '')) fault(`a key in a referrer: ${url}`);
  });
  await context.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
  return faults;
}

/**
 * A test with visitors of the pages.
 * @param {string} name what holds
 * @param {{server: Server, browser: any}} at
 * @param {(visit: (o?: {key?: string | null, to?: string, allow?: RegExp[], init?: string} & Record<string, any>) => Promise<import('playwright-core').Page>, t: any) => Promise<void>} body
 *   `visit` opens a page in a context of its own, signed in with the first key or with none (`key: null`);
 *   `allow` names what would be a fault elsewhere
 */
export function holds(name, at, body, { timeout = 180_000 } = {}) {
  test(name, { timeout }, async (t) => {
    /** @type {{context: any, faults: string[]}[]} */
    const visits = [];
    try {
      await body(async ({ key = at.server.key, to = '/', allow = [], init, ...options } = {}) => {
        const context = await at.browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, reducedMotion: 'reduce', ...options });
        context.setDefaultTimeout(PATIENCE);
        const faults = await watch(context, at.server, allow);
        visits.push({ context, faults });
        if (init) await context.addInitScript({ content: init });
        if (key) {
          // As the form does it, once for a tab.
          await context.addInitScript((secret) => {
            if (!location.protocol.startsWith('http') || sessionStorage.getItem('visited')) return;
            sessionStorage.setItem('visited', '1');
            sessionStorage.setItem('reshoot-key', secret);
          }, key);
        }
        const page = await context.newPage();
        if (to) await page.goto(at.server.base + to);
        return page;
      }, t);
      for (const { faults } of visits) assert.deepEqual(faults, []);
    } catch (error) {
      const slug = name.replace(/\W+/g, '-').slice(0, 60);
      for (const [n, { context, faults }] of visits.entries()) {
        for (const page of context.pages()) await page.screenshot({ path: join(PICTURES, `failed-${slug}-${n}.png`) }).catch(() => {});
        if (faults.length) console.error(faults.join('\n'));
      }
      throw error;
    } finally {
      await Promise.all(visits.map(({ context }) => context.close()));
    }
  });
}

/** Drops files of this machine on an element: `[path, name, type]`, as a file manager would. */
export async function drop(locator, ...files) {
  const page = locator.page();
  const parts = files.map(([path, type, name = basename(path)]) => ({ name, type, base64: readFileSync(path).toString('base64') }));
  const data = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of list) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
    return transfer;
  }, parts);
  for (const event of ['dragenter', 'dragover', 'drop']) await locator.dispatchEvent(event, { dataTransfer: data });
}

/** The field of a form at a JSON pointer. */
export const field = (page, pointer) => page.locator(`.field[data-at="${pointer}"]`);
/** The body that the form stands for, as the page keeps it. */
export const draft = (page, model = KLING) => page.evaluate((id) => JSON.parse(sessionStorage.getItem(`reshoot-draft ${id}`) ?? '{}'), model);
/** Puts a body into the form, as a visitor's tab would have kept it, and shows it. */
export async function fillIn(page, server, body, model = KLING) {
  await page.evaluate(([id, value]) => sessionStorage.setItem(`reshoot-draft ${id}`, JSON.stringify(value)), [model, body]);
  await page.goto(`${server.base}/models/${model}`);
  await page.locator('.request').waitFor();
}
