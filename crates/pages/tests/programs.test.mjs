// The programs that the API page shows, run as they stand there.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { APPLE, BUNNY, CLIP, KLING, TARGET, fillIn, folder, holds, probe, run, stage } from './support.mjs';

const at = stage();
const CRATE = join(dirname(fileURLToPath(import.meta.url)), 'snippet');
/** What every way of writing a text down has to get right. */
const PROMPT = 'Keep the motion of @Video1 in the colours of @Image1, at dusk. It\'s "quoted", `$HOME` \\n {API} "# é 夕方\nBODY';
let body;
/** The programs by language, as they stand on the page. */
const programs = {};

/** Runs a program in a folder of its own; what it saved has to be the clip. */
async function makes(program, args, cwd, options = {}) {
  const out = await run(program, args, { cwd, env: { ...process.env, RESHOOT_KEY: at.server.key }, ...options });
  const saved = readdirSync(cwd).filter((name) => name.endsWith('.mp4'));
  assert.equal(saved.length, 1, `${saved}: ${out}`);
  assert.ok(out.includes(saved[0]), out);
  assert.deepEqual(await probe(join(cwd, saved[0])), { width: 1280, height: 720, frames: 120 });
}

/** A folder with one file in it. */
function holding(name, text) {
  const cwd = folder('program');
  writeFileSync(join(cwd, name), text);
  return cwd;
}

/** A Python that has what the program says it needs, or null. */
async function python() {
  const has = readdirSync(TARGET).filter((name) => name.startsWith('schemathesis-')).map((name) => join(TARGET, name, 'bin/python'));
  for (const path of [...has, join(TARGET, 'pages-python/bin/python')]) {
    if (await run(path, ['-c', 'import requests']).then(() => true, () => false)) return path;
  }
  const venv = join(TARGET, 'pages-python');
  return run('python3', ['-m', 'venv', venv])
    .then(() => run(join(venv, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', 'requests']))
    .then(() => join(venv, 'bin/python'), () => null);
}

holds('the API page shows the request of the form in four languages', at, async (visit) => {
  mkdirSync(TARGET, { recursive: true });
  const [video, image] = await Promise.all([at.server.upload(BUNNY), at.server.upload(APPLE)]);
  body = { prompt: PROMPT, video_url: video, image_urls: [image], keep_audio: true, duration: '5' };
  const page = await visit({ permissions: ['clipboard-read', 'clipboard-write'] });
  await fillIn(page, at.server, body);
  await page.getByRole('link', { name: 'API', exact: true }).click();
  for (const language of ['curl', 'Python', 'JavaScript', 'Rust']) {
    await page.locator('.segments').getByText(language, { exact: true }).click();
    await page.locator(`[data-language="${language}"]`).waitFor();
    const shown = await page.locator('.snippet code').innerText();
    assert.ok(!shown.includes(at.server.key), 'no key stands in a program');
    await page.getByRole('button', { name: `Copy the ${language} program` }).click();
    await page.getByText('Copied').first().waitFor();
    programs[language] = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(programs[language].trim(), shown.trim());
  }
});

// The server makes one clip after the other; the programs wait for theirs side by side.
test('each of the programs makes and saves the clip', { timeout: 5 * CLIP, concurrency: true }, async (t) => {
  assert.equal(Object.keys(programs).length, 4);
  let ran = 0;
  const program = (name, body) => t.test(name, async (it) => { if (await body(it) !== null) ran += 1; });
  await Promise.all([
    program('in bash, with curl', async () => {
      const cwd = holding('clip.sh', programs.curl);
      await makes('bash', ['clip.sh'], cwd);
    }),
    program('in JavaScript', () => makes(process.execPath, ['clip.mjs'], holding('clip.mjs', programs.JavaScript))),
    program('in Python', async (it) => {
      const path = await python();
      if (!path) {
        it.skip('NOT CHECKED: the package `requests` could not be installed');
        return null;
      }
      return makes(path, ['clip.py'], holding('clip.py', programs.Python));
    }),
    program('in Rust', async (it) => {
      const cwd = folder('program');
      cpSync(CRATE, cwd, { recursive: true });
      mkdirSync(join(cwd, 'src'));
      writeFileSync(join(cwd, 'src/main.rs'), programs.Rust);
      const env = { ...process.env, CARGO_TARGET_DIR: join(TARGET, 'snippet') };
      if (!(await run('cargo', ['fetch', '--quiet', '--locked'], { cwd, env }).then(() => true, () => false))) {
        it.skip('NOT CHECKED: the crates could not be fetched');
        return null;
      }
      await run('cargo', ['rustc', '--quiet', '--locked', '--', '-D', 'warnings'], { cwd, env });
      return makes(join(env.CARGO_TARGET_DIR, 'debug/snippet'), [], cwd);
    }),
  ]);
  const made = (await at.server.call('GET', `/v1/requests?model_id=${KLING}`)).requests;
  assert.equal(made.length, ran);
  for (const { request_id: id } of made) {
    const { input } = await at.server.call('GET', `/v1/requests/${id}`);
    // The record has the defaults, too.
    assert.deepEqual({ ...input, ...body }, input);
  }
});
