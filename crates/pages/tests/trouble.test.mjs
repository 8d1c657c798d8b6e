// Runs that are reloaded, cut off, cancelled, and servers that go away.

import assert from 'node:assert/strict';
import { APPLE, CLIP, KLING, Server, fillIn, holds, stage, until } from './support.mjs';

const at = stage();
const run = (page) => page.getByRole('button', { name: /^Run/ }).and(page.locator('[type=submit]'));
const now = (page) => page.locator('.run .steps .now').innerText();
const asked = (page) => new URL(page.url()).searchParams.get('request');

/** Starts a run from the form; gives its id. */
async function begin(page, server, body) {
  await fillIn(page, server, body);
  await run(page).click();
  return until('the address names the request', () => asked(page));
}
const running = (page) => until('it runs', async () => /Run/.test(await now(page)), CLIP);
const done = (page) => page.locator('.result .state.succeeded').waitFor({ timeout: CLIP });

/** A video that is found to be none when it is looked at. */
const broken = async (server) => ({ prompt: 'dusk', video_url: await server.upload(APPLE) });

holds('a page that is reloaded in mid-run goes on with the same request', at, async (visit) => {
  const page = await visit();
  const id = await begin(page, at.server, await at.server.wish());
  await running(page);
  await page.reload();
  assert.equal(await until('the address names the request', () => asked(page)), id);
  await page.locator('.run, .result').first().waitFor();
  await done(page);
  assert.match(await page.locator('.result a[download]').getAttribute('download'), new RegExp(`^${id}`));
  assert.equal((await at.server.call('GET', '/v1/requests')).requests.length, 1);
});

holds('where streams are blocked, polls finish the run', at, async (visit) => {
  const page = await visit({ allow: [/console: Failed to load resource.*\/events/] });
  let blocked = 0;
  await page.route('**/events', (route) => { blocked += 1; return route.abort(); });
  await begin(page, at.server, await at.server.wish());
  await until('the stream is asked for', () => blocked > 0);
  assert.ok(await page.locator('.lost').isHidden());
  await done(page);
});

holds('a running clip is stopped after a question, and its page says so', at, async (visit) => {
  const page = await visit();
  const id = await begin(page, at.server, { ...await at.server.wish(), duration: '10' });
  await running(page);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop the running clip?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await at.server.call('GET', `/v1/requests/${id}/status`)).status, 'in_progress');
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await dialog.getByRole('button', { name: 'Stop it' }).click();
  await page.locator('.result .state.cancelled').waitFor();
  assert.equal((await at.server.record(id)).status, 'cancelled');
  await page.getByRole('button', { name: 'Back to the plan' }).click();
  await page.locator('.plan').getByText('What would be made').waitFor();
  assert.equal(asked(page), null);
});

holds('a request that fails in intake shows what is wrong with which file', at, async (visit) => {
  const page = await visit();
  await begin(page, at.server, await broken(at.server));
  await page.locator('.result .state.failed').waitFor({ timeout: CLIP });
  const faults = await page.locator('.failure').innerText();
  assert.match(faults, /video_url/, faults);
});

const quiet = { server: new Server(['--workers', '0']), get browser() { return at.browser; } };

holds('a waiting request shows its place and is cancelled without a question', quiet, async (visit) => {
  await quiet.server.start();
  try {
    const body = await quiet.server.wish();
    await quiet.server.submit(body);
    const page = await visit();
    const id = await begin(page, quiet.server, body);
    await page.locator('.run').getByText('Number 2 in the queue').waitFor();
    assert.match(await now(page), /Queue/);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.locator('.result .state.cancelled').waitFor();
    assert.equal((await quiet.server.record(id)).status, 'cancelled');
  } finally {
    await quiet.server.stop();
  }
});

const falling = { server: new Server(), get browser() { return at.browser; } };

holds('a server that is killed and started again is waited for, and the run goes on', falling, async (visit) => {
  await falling.server.start();
  try {
    const page = await visit({ allow: [/console: Failed to load resource/] });
    const id = await begin(page, falling.server, await falling.server.wish());
    await running(page);
    await falling.server.kill();
    await page.locator('.run .lost').waitFor();
    assert.match(await page.locator('.run .lost').innerText(), /does not answer/);
    await falling.server.start();
    await page.locator('.run .lost').waitFor({ state: 'hidden' });
    await done(page);
    const record = await falling.server.record(id);
    assert.equal(record.status, 'succeeded');
    assert.equal((await falling.server.call('GET', '/v1/requests')).requests.length, 1);
    assert.equal(new URL(page.url()).pathname, `/models/${KLING}`);
  } finally {
    await falling.server.stop();
  }
});
