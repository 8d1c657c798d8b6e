// Behind a proxy that adds a path of its own and takes it off before it asks the server.

import assert from 'node:assert/strict';
import { createServer, request as ask } from 'node:http';
import { after, before } from 'node:test';
import { APPLE, BUNNY, KLING, Server, begin, draft, drop, field, holds, until } from './support.mjs';

const PATH = '/video';
const at = { server: /** @type {any} */ (null), browser: /** @type {any} */ (null) };
const proxy = createServer((request, response) => {
  if (!request.url.startsWith(`${PATH}/`)) return response.writeHead(404).end();
  const passed = ask(at.server.base + request.url.slice(PATH.length), { method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  response.on('close', () => passed.destroy());
  passed.on('error', () => response.destroy());
  return request.pipe(passed);
});

before(async () => {
  await new Promise((done) => { proxy.listen(0, '127.0.0.1', done); });
  at.server = new Server(['--workers', '0', '--public-url', `http://127.0.0.1:${proxy.address().port}${PATH}`]);
  at.server.origin = `http://127.0.0.1:${proxy.address().port}`;
  await begin(at);
});
after(async () => {
  await at.browser?.close();
  await at.server.stop();
  proxy.close();
});

holds('pages, files, events and links have the path of the proxy', at, async (visit) => {
  const base = at.server.origin + PATH;
  const page = await visit({ to: '' });
  const asked = [];
  page.on('request', (request) => { if (!request.url().startsWith('blob:')) asked.push(request.url()); });
  await page.goto(`${base}/`);
  await page.getByRole('link', { name: /Kling/ }).click();
  await page.waitForURL(`${base}/models/${KLING}`);
  await drop(field(page, '/video_url').locator('.drop'), [BUNNY, 'video/mp4']);
  await drop(field(page, '/image_urls').locator('.drop').last(), [APPLE, 'image/jpeg']);
  await until('the files are there', async () => { const body = await draft(page); return body.video_url && body.image_urls; });
  assert.ok((await draft(page)).video_url.startsWith(`${base}/files/`));
  await page.getByRole('combobox', { name: /Prompt/ }).fill('at dusk');
  await page.getByRole('heading', { name: 'What would be made' }).waitFor();
  await page.reload();
  await until('the picture is shown', () => page.locator('.picture').last().evaluate((img) => img.naturalWidth > 0));
  await page.getByRole('combobox', { name: /Prompt/ }).press('Control+Enter');
  await page.getByText('Next in the queue').waitFor();
  await page.waitForURL(`${base}/models/${KLING}?request=*`);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.locator('.result .state.cancelled').waitFor();
  for (const [name, heading] of [['Generations', 'Generations'], ['Usage', 'Usage'], ['Keys', 'API keys'], ['System', 'System'], ['Docs', 'API reference']]) {
    await page.locator('#nav').getByRole('link', { name }).click();
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    assert.ok(page.url().startsWith(`${base}/${name.toLowerCase()}`), page.url());
  }
  await page.getByRole('link', { name: 'Errors and their cures' }).click();
  await page.waitForURL(`${base}/docs/errors`);
  await page.locator('.prose h1').waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'API reference' }).waitFor();
  await page.goto(`${base}/models/${KLING}?tab=api`);
  assert.match(await page.locator('.snippet code').innerText(), new RegExp(`api='${base}'`));
  assert.deepEqual(asked.filter((url) => !url.startsWith(`${base}/`)), []);
});
