// What was made, who may see it, what it cost, keys, webhooks, and what an operator sees.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after } from 'node:test';
import { APPLE, CLIP, KLING, draft, folder, holds, probe, stage, until } from './support.mjs';

/** What arrives at a webhook of this machine. @type {{id: string, signature: string, body: any}[]} */
const posted = [];
const receiver = createServer((request, response) => {
  let text = '';
  request.on('data', (part) => { text += part; });
  request.on('end', () => {
    posted.push({ id: request.headers['webhook-id'], signature: request.headers['webhook-signature'], body: JSON.parse(text) });
    response.writeHead(204).end();
  });
});
await new Promise((done) => { receiver.listen(0, '127.0.0.1', done); });
after(() => receiver.close());
const host = `127.0.0.1:${receiver.address().port}`;

const config = join(folder('config'), 'reshoot.toml');
writeFileSync(config, `[models."${KLING}"]\nprice_usd = 0.05\n`);
const at = stage(['--config', config, '--allow-webhook-host', host]);

const PROMPT = 'Keep the motion of @Video1, at dusk';
/** Text is text, whatever it looks like. */
const MARKUP = 'a <b>quokka</b> in the fog <img src=x onerror="window.hit = 1"> {{base}} &amp;';
/** A request that failed: its video is none. */
let failure;
const failed = () => {
  failure ??= (async () => at.server.record(await at.server.submit({ prompt: MARKUP, video_url: await at.server.upload(APPLE) }, undefined, `?webhook=http://${host}/hook`)))();
  return failure;
};
const cards = (page) => page.locator('.generation');

holds('the system page shows what runs, and lists of generations are drawn anew by themselves', at, async (visit) => {
  const system = await visit({ to: '/system' });
  await system.getByText('Nothing runs.').waitFor();
  const list = await visit({ to: '/generations' });
  await list.getByText('Nothing has been made yet').waitFor();
  const clip = at.server.clip();
  const id = await until('it is listed', async () => (await at.server.call('GET', '/v1/requests')).requests[0]?.request_id);
  await list.reload();
  /** When the list asked about the request: now and then, not all the time. @type {number[]} */
  const asked = [];
  list.on('request', (request) => { if (request.url().endsWith(`/v1/requests/${id}`)) asked.push(Date.now()); });
  await cards(list).locator('.in_queue, .in_progress').waitFor();
  await until('it runs', async () => (await at.server.call('GET', `/v1/requests/${id}/status`)).status !== 'in_queue', CLIP);
  await system.reload();
  const row = system.locator('tr', { hasText: id });
  await row.waitFor();
  await system.getByText('1 of 1').waitFor();
  assert.equal((await clip).request_id, id);
  await cards(list).locator('.state', { hasText: 'Done' }).waitFor();
  assert.ok(asked.length <= (asked.at(-1) - asked[0]) / 3000 + 2, `${asked.length} looks`);
  await row.waitFor({ state: 'detached' });
  await system.getByRole('region', { name: 'Stage times' }).waitFor();
  const checks = system.getByRole('region', { name: 'Checks' });
  assert.ok(await checks.locator('tbody tr').count() > 1);
  await system.locator('details', { hasText: 'roto' }).locator('summary').click();
  await system.getByRole('region', { name: 'What roto honours' }).waitFor();
});

holds('generations show posters, are found by state and words, and open', at, async (visit) => {
  const [clip, fault] = [await at.server.clip(), await failed()];
  const page = await visit({ to: '/generations' });
  await page.getByText('2 generations').waitFor();
  await until('the poster is a picture', () => page.locator('.poster img').evaluate((img) => img.naturalWidth > 100));
  await page.getByRole('combobox', { name: 'State' }).selectOption('Failed');
  await page.getByText('1 generation', { exact: true }).waitFor();
  assert.equal(await cards(page).getAttribute('data-id'), fault.request_id);
  assert.ok((await cards(page).locator('.faults').innerText()).length > 5);
  assert.equal(await cards(page).locator('h2').innerText(), MARKUP);
  await page.reload();
  await page.getByText('1 generation', { exact: true }).waitFor();
  assert.equal(await page.getByRole('combobox', { name: 'State' }).inputValue(), 'failed');
  await page.getByRole('combobox', { name: 'State' }).selectOption('All');
  await page.getByText('2 generations').waitFor();
  await page.getByRole('searchbox').fill('dusk');
  await page.getByText('1 generation', { exact: true }).waitFor();
  await page.getByRole('searchbox').fill('unicorn');
  await page.getByText('Nothing matches.').waitFor();
  await page.getByRole('searchbox').fill(clip.request_id);
  await page.getByText('1 generation', { exact: true }).waitFor();
  await cards(page).getByRole('link', { name: PROMPT }).click();
  await page.waitForURL(`**/generations/${clip.request_id}`);
  await page.getByRole('heading', { name: PROMPT }).waitFor();
  await page.getByText('Metrics and passes').click();
  await page.getByRole('meter', { name: /^Share of/ }).first().waitFor();
  await page.getByText('Input', { exact: true }).click();
  await page.locator('details[open] pre', { hasText: 'video_url' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Generations' }).waitFor();
});

holds('what was made is edited, used as a reference, made again, and removed', at, async (visit) => {
  const clip = await at.server.clip();
  const page = await visit({ to: `/generations/${clip.request_id}` });
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.waitForURL(`**/models/${KLING}`);
  assert.equal(await page.getByRole('combobox', { name: /Prompt/ }).inputValue(), PROMPT);
  await page.goBack();
  await page.getByRole('button', { name: 'Use as reference' }).click();
  await page.waitForURL(`**/models/${KLING}`);
  assert.equal((await draft(page)).video_url, clip.output.video);
  await page.goto(`${at.server.base}/generations`);
  await cards(page).filter({ hasText: PROMPT }).getByRole('button', { name: `Run again: ${PROMPT}` }).click();
  await page.waitForURL('**?request=*');
  const id = new URL(page.url()).searchParams.get('request');
  assert.notEqual(id, clip.request_id);
  await at.server.call('POST', `/v1/requests/${id}/cancel?force=true`);
  await page.locator('.result .state.cancelled').waitFor();
  assert.deepEqual((await at.server.record(id)).input, clip.input);

  await page.goto(`${at.server.base}/generations`);
  const card = page.locator(`.generation[data-id="${id}"]`);
  await card.getByRole('button', { name: /^Remove/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove this generation?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await card.count(), 1);
  await card.getByRole('button', { name: /^Remove/ }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await card.waitFor({ state: 'detached' });
  await assert.rejects(at.server.call('GET', `/v1/requests/${id}`), /404/);
});

holds('a link shows the clip to whoever has it, nothing of the prompt, until it is taken back', at, async (visit) => {
  const clip = await at.server.clip();
  const page = await visit({ to: `/generations/${clip.request_id}` });
  await page.getByRole('button', { name: 'Share' }).click();
  const dialog = page.getByRole('dialog', { name: 'A link to this result' });
  const link = await dialog.getByRole('textbox', { name: 'Link' }).inputValue();
  assert.ok(link.startsWith(`${at.server.base}/share/`), link);

  const guest = await visit({ key: null, to: new URL(link).pathname, allow: [/console: .*404/] });
  const told = [];
  guest.on('response', async (response) => { if (/json/.test(response.headers()['content-type'] ?? '')) told.push(await response.text().catch(() => '')); });
  await guest.reload();
  const shown = guest.locator('figure.clip video');
  await until('the clip is there', () => shown.evaluate((video) => video.videoWidth === 1280).catch(() => false));
  await guest.getByRole('button', { name: 'Play', exact: true }).click();
  await until('it plays', () => shown.evaluate((video) => video.currentTime > 0.2));
  assert.ok(told.length > 0);
  for (const text of [...told, await guest.content()]) {
    for (const secret of ['dusk', clip.request_id, clip.input.video_url, 'Keep the motion']) assert.ok(!text.includes(secret), `${secret} in ${text}`);
  }
  assert.equal(await guest.locator('#nav a').count(), 1);
  const [download] = await Promise.all([guest.waitForEvent('download'), guest.getByRole('link', { name: 'Download' }).click()]);
  assert.equal((await probe(await download.path())).frames, 120);

  await dialog.getByRole('button', { name: 'Take it back' }).click();
  await page.getByText('The link is taken back').waitFor();
  await guest.reload();
  await guest.getByRole('alert').waitFor();
  assert.equal(await guest.locator('video').count(), 0);
});

holds('another owner sees nothing of what is not theirs', at, async (visit) => {
  const clip = await at.server.clip();
  const key = await at.server.stranger('stranger');
  const page = await visit({ key, to: '/generations', allow: [/console: .*40[34]/] });
  await page.getByText('Nothing has been made yet').waitFor();
  assert.deepEqual((await page.locator('#nav a').allTextContents()).filter((name) => name === 'System'), []);
  await page.goto(`${at.server.base}/generations/${clip.request_id}`);
  await page.getByRole('alert').waitFor();
  assert.ok(!(await page.content()).includes('dusk'));
  await page.goto(`${at.server.base}/models/${KLING}?request=${clip.request_id}`);
  await page.getByText('This request cannot be shown').waitFor();
  await page.goto(`${at.server.base}/usage`);
  await page.getByText('No clip was finished in this time.').waitFor();
  await page.goto(`${at.server.base}/keys`);
  await page.getByRole('heading', { name: 'stranger' }).waitFor();
  assert.equal(await page.locator('.key').count(), 1);
  await page.goto(`${at.server.base}/system`);
  await page.getByRole('alert').waitFor();
});

holds('a key is made, shown once, used, limited and revoked', at, async (visit) => {
  const page = await visit({ to: '/keys' });
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('for the test');
  await dialog.getByLabel('Requests waiting').fill('3');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('heading', { name: 'The key “for the test”' }).waitFor();
  const secret = (await dialog.locator('code').innerText()).trim();
  assert.match(secret, /^rsk_\w+$/);
  await dialog.getByRole('button', { name: 'I have it' }).click();
  await dialog.waitFor({ state: 'detached' });
  const card = page.locator('.key', { hasText: 'for the test' });
  await card.getByText('Requests waiting').waitFor();
  assert.match(await card.innerText(), /Last used\s+never/);
  await page.reload();
  await card.waitFor();
  assert.ok(!(await page.content()).includes(secret), 'it is shown once');

  const other = await visit({ key: secret, to: '/keys', allow: [/console: .*401/] });
  await other.getByRole('heading', { name: 'API keys' }).waitFor();
  assert.equal((await at.server.call('GET', '/v1/models', undefined, secret)).models.length, 1);

  await card.getByRole('button', { name: 'Change for the test' }).click();
  await dialog.getByLabel(/Budget/).fill('0.5');
  await dialog.getByLabel('Requests waiting').fill('');
  await dialog.getByLabel('Submits a minute').fill('12');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await card.getByText('Submits a minute').waitFor();
  assert.match(await card.innerText(), /\$0 of \$0\.50/);
  assert.doesNotMatch(await card.innerText(), /Requests waiting/);
  const { limits } = (await at.server.call('GET', '/v1/keys')).keys.find((k) => k.name === 'for the test');
  assert.deepEqual([limits.budget_usd, limits.submits_per_minute, limits.max_queued ?? null], [0.5, 12, null]);
  await other.reload();
  await other.getByText('$0.50 left').waitFor();

  await card.getByRole('button', { name: 'Revoke for the test' }).click();
  await page.getByRole('dialog', { name: /Revoke/ }).getByRole('button', { name: 'Revoke' }).click();
  await card.waitFor({ state: 'detached' });
  await page.getByLabel('Show revoked keys').check();
  await card.getByText('revoked', { exact: true }).waitFor();
  await other.getByRole('link', { name: 'Generations' }).click();
  await other.getByLabel('API key').waitFor();
});

holds('the secret of webhooks is shown when asked for, and deliveries are listed and replayed', at, async (visit) => {
  const fault = await failed();
  await until('the webhook is told', () => posted.some(({ body }) => JSON.stringify(body).includes(fault.request_id)));
  const page = await visit({ to: '/keys' });
  const secret = page.locator('.secret');
  await secret.waitFor();
  assert.match(await secret.innerText(), /^•+$/);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  const shown = await secret.innerText();
  assert.match(shown, /^whsec_/);
  const row = page.getByRole('region', { name: 'Deliveries' }).locator('tbody tr').first();
  await row.getByText('delivered').waitFor();
  assert.match(await row.innerText(), new RegExp(host));
  const before = posted.length;
  await row.getByRole('button', { name: /^Replay/ }).click();
  await until('it is sent again', () => posted.length > before);
  assert.equal(posted.at(-1).id, posted[0].id);
  await page.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await page.getByText('1 older still signing').waitFor();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  assert.notEqual(await secret.innerText(), shown);
});

holds('usage is drawn by day, split by model and key, and saved as a table', at, async (visit) => {
  await at.server.clip();
  const today = new Date().toISOString().slice(0, 10);
  const page = await visit({ to: '/usage' });
  await page.getByRole('img', { name: /^Clips by day: 1 in all/ }).waitFor();
  await page.getByRole('img', { name: /^Seconds of video by day: 5 s in all/ }).waitFor();
  await page.getByRole('img', { name: /^Cost by day: \$0\.25 in all/ }).waitFor();
  assert.equal(await page.locator('.chart').first().locator('rect').count(), 1);
  const row = page.getByRole('region', { name: 'Usage by day' }).locator('tbody tr');
  assert.deepEqual(await row.locator('td').allTextContents(), [today, KLING, '1', '5', '$0.25']);
  const csv = async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
    return readFileSync(await download.path(), 'utf8').split('\r\n');
  };
  assert.deepEqual(await csv(), ['day,model,clips,seconds,cost_usd', `${today},${KLING},1,5,0.25`, '']);
  await page.getByText('By key').click();
  await page.getByRole('columnheader', { name: 'Key' }).waitFor();
  const [name] = (await at.server.call('GET', '/v1/keys')).keys.map((key) => key.name);
  assert.deepEqual(await csv(), ['day,key,clips,seconds,cost_usd', `${today},${name},1,5,0.25`, '']);
  await page.getByRole('combobox', { name: 'Period' }).selectOption('Last 7 days');
  await page.getByRole('columnheader', { name: 'Key' }).waitFor();
  assert.equal(await row.count(), 1);
});
