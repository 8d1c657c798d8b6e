// Forms: what is refused before a byte is sent, what the server refuses, and forms of any model.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APPLE, BUNNY, STARRY, draft, drop, field, fillIn, folder, holds, run, sample, stage, until } from './support.mjs';

const TRAILER = 'acme/cutter/trailer';
const config = join(folder('config'), 'reshoot.toml');
writeFileSync(config, `models_dir = ${JSON.stringify(join(dirname(fileURLToPath(import.meta.url)), 'models'))}\n`);
const at = stage(['--workers', '0', '--config', config]);

const KLING_PAGE = '/models/kling/kling-video-o1/video-to-video/reference';
const submitButton = (page) => page.locator('.request [type=submit]');
const box = (page, pointer) => field(page, pointer).locator('.drop').last();
const faults = (page, pointer) => field(page, pointer).locator('.faults li').allInnerTexts();
const json = (page) => page.getByLabel('The body of the request');
const plan = (page) => page.locator('.plan').getByRole('heading', { name: 'What would be made' });

/** A video of this machine's own making. */
async function video(secs, size, name = 'made.mp4') {
  const path = join(folder('made'), name);
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `testsrc=duration=${secs}:size=${size}:rate=24`, '-pix_fmt', 'yuv420p', '-preset', 'ultrafast', path]);
  return path;
}

holds('files outside the limits are refused in the page, before a byte is sent', at, async (visit) => {
  const page = await visit({ to: KLING_PAGE });
  const sent = [];
  page.on('request', (request) => { if (request.method() === 'POST' && /\/v1\/files/.test(request.url())) sent.push(request.url()); });
  const refused = async (pointer, file, text) => {
    await drop(box(page, pointer), file);
    await until(`${pointer}: ${text}`, async () => (await faults(page, pointer)).some((it) => text.test(it)));
  };
  await refused('/video_url', [await video(1, '1280x720'), 'video/mp4'], /made\.mp4: .*1\.0 s; 3–10 s are allowed/);
  await refused('/video_url', [await video(4, '640x360'), 'video/mp4'], /640 × 360 pixels; sides of 720–2160 are allowed/);
  await refused('/video_url', [APPLE, 'image/jpeg'], /this is image\/jpeg; allowed: mp4, mov/);
  await refused('/image_urls', [BUNNY, 'video/mp4'], /this is video\/mp4; allowed: jpeg, png, webp/);
  await page.getByRole('button', { name: 'Add an element' }).click();
  const small = join(folder('made'), 'small.png');
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=red:size=100x100', '-frames:v', '1', small]);
  await refused('/elements/0/frontal_image_url', [small, 'image/png'], /100 × 100 pixels; sides of 300–8192 are allowed/);
  assert.deepEqual(sent, []);
  assert.deepEqual(await draft(page), { elements: [{}] });
  // What fits is taken afterwards, and the fault is gone.
  await drop(box(page, '/video_url'), [BUNNY, 'video/mp4']);
  await field(page, '/video_url').locator('.caption', { hasText: '1280 × 720' }).waitFor();
  assert.deepEqual(await faults(page, '/video_url'), []);
});

holds('what the server refuses is shown beside its field, which takes the focus', at, async (visit) => {
  const page = await visit({ allow: [/console: .*422/] });
  await fillIn(page, at.server, { prompt: 'Like @Image3', video_url: await at.server.upload(BUNNY) });
  await until('the dry run says so', async () => (await faults(page, '/prompt')).some((it) => /@Image3/.test(it)));
  assert.match(await page.locator('.used .unknown').innerText(), /@Image3 names nothing yet/);
  assert.equal(await page.locator('.marks mark.unknown').innerText(), '@Image3');
  await submitButton(page).click();
  await page.locator('.toast.fault').waitFor();
  const prompt = page.getByRole('combobox', { name: /Prompt/ });
  assert.equal(await prompt.getAttribute('aria-invalid'), 'true');
  await until('the prompt has the focus', () => prompt.evaluate((area) => area === document.activeElement));
  await prompt.fill('dusk');
  await plan(page).waitFor();
  assert.deepEqual(await faults(page, '/prompt'), []);
  assert.equal(await prompt.getAttribute('aria-invalid'), null);
});

holds('a URL that the server does not fetch is refused beside its field', at, async (visit) => {
  const page = await visit({ to: KLING_PAGE, allow: [/console: .*422/] });
  await page.getByRole('combobox', { name: /Prompt/ }).fill('dusk');
  const url = field(page, '/video_url').getByRole('textbox', { name: /URL/ });
  await url.fill('http://media.example/clip.mp4');
  await url.press('Enter');
  await until('it is refused', async () => (await faults(page, '/video_url')).some((it) => /https/.test(it)));
  await submitButton(page).click();
  await page.locator('.toast.fault').waitFor();
  assert.equal((await at.server.call('GET', '/v1/requests')).requests.length, 0);
});

holds('an empty form says what is needed, and only when somebody wants to run it', at, async (visit) => {
  const page = await visit({ to: KLING_PAGE, allow: [/console: .*422/] });
  await page.getByText('Still needed: Prompt, Video URL').waitFor();
  assert.equal(await page.locator('.faults li').count(), 0);
  await submitButton(page).click();
  await until('both fields say so', async () => (await faults(page, '/prompt')).length && (await faults(page, '/video_url')).length);
});

holds('an upload can be stopped, one that fails is sent again, and nothing runs before it has arrived', at, async (visit) => {
  const page = await visit({ to: KLING_PAGE, allow: [/console: .*(503|ERR_FAILED)/] });
  let go = () => {};
  let held = new Promise((done) => { go = done; });
  await page.route('**/v1/files', async (route) => { await held; await route.continue().catch(() => {}); });
  await drop(box(page, '/video_url'), [BUNNY, 'video/mp4']);
  await page.getByText('Waiting for 1 file to be sent').waitFor();
  assert.ok(await submitButton(page).isDisabled());
  await page.getByRole('button', { name: 'Stop sending' }).click();
  await until('the form is ready', () => submitButton(page).isEnabled());
  assert.equal(await field(page, '/video_url').locator('.drop:not(.full)').count(), 1);
  go();
  await page.unroute('**/v1/files');

  await page.route('**/v1/files', (route) => route.fulfill({ status: 503, json: { error_code: 503001, error_message: 'x', message: 'the server is short of disk space: send this later' } }));
  await drop(box(page, '/video_url'), [BUNNY, 'video/mp4']);
  await field(page, '/video_url').getByText(/short of disk space/).waitFor();
  await page.unroute('**/v1/files');
  await field(page, '/video_url').getByRole('button', { name: 'Send it again' }).click();
  await field(page, '/video_url').locator('.caption', { hasText: 'bigbuckbunny' }).waitFor();
  assert.deepEqual(await faults(page, '/video_url'), []);
});

holds('form and JSON follow each other, and what is no JSON changes nothing', at, async (visit) => {
  const page = await visit({ allow: [/console: .*422/] });
  await fillIn(page, at.server, { prompt: 'dusk', video_url: await at.server.upload(BUNNY) });
  const body = async () => JSON.parse(await json(page).inputValue());
  await field(page, '/aspect_ratio').getByText('1:1').click();
  await field(page, '/duration').getByText('10').click();
  await field(page, '/keep_audio').getByRole('switch').check();
  await drop(box(page, '/image_urls'), [APPLE, 'image/jpeg'], [STARRY, 'image/jpeg']);
  await until('two images are there', async () => (await draft(page)).image_urls?.length === 2);
  await page.getByText('JSON', { exact: true }).click();
  const now = await body();
  assert.deepEqual({ ...now, video_url: 0, image_urls: 0 }, { prompt: 'dusk', video_url: 0, aspect_ratio: '1:1', duration: '10', keep_audio: true, image_urls: 0 });
  assert.match(now.image_urls.join(' '), /\/files\/\S+ \S+\/files\//);

  await json(page).fill('{ "prompt": ');
  await page.getByText(/^Not taken over/).waitFor();
  assert.equal((await draft(page)).prompt, 'dusk');
  await json(page).fill(JSON.stringify({ ...now, prompt: 'at dawn, like @Image2', aspect_ratio: '9:16', keep_audio: false, image_urls: [...now.image_urls].reverse(), elements: [{ frontal_image_url: now.image_urls[0], reference_image_urls: [now.image_urls[1]] }] }));
  await page.getByText('Form', { exact: true }).click();
  assert.equal(await page.getByRole('combobox', { name: /Prompt/ }).inputValue(), 'at dawn, like @Image2');
  assert.equal(await field(page, '/aspect_ratio').getByRole('radio', { checked: true }).getAttribute('value'), '9:16');
  assert.equal(await field(page, '/keep_audio').getByRole('switch').isChecked(), false);
  assert.deepEqual(await field(page, '/image_urls').locator('.caption .tag').allTextContents(), ['@Image1', '@Image2']);
  await page.locator('.group').getByText('@Element1').waitFor();

  // One image less: the numbers move up, and the list keeps its order.
  await field(page, '/image_urls').getByRole('button', { name: 'Remove @Image1' }).click();
  await until('one image is left', async () => JSON.stringify((await draft(page)).image_urls) === JSON.stringify([now.image_urls[0]]));
  assert.deepEqual(await field(page, '/image_urls').locator('.caption .tag').allTextContents(), ['@Image1']);
  await page.getByRole('button', { name: 'Remove @Element1' }).click();
  assert.equal((await draft(page)).elements, undefined);

  await page.getByRole('button', { name: 'Clear' }).click();
  assert.deepEqual(await draft(page), {});
  assert.equal(await page.getByRole('combobox', { name: /Prompt/ }).inputValue(), '');
  assert.equal(await page.locator('.drop.full').count(), 0);
  await page.getByText('JSON', { exact: true }).click();
  assert.deepEqual(await body(), {});
});

holds('a draft outlives a reload, and belongs to its model', at, async (visit) => {
  const page = await visit();
  const url = await at.server.upload(BUNNY);
  await fillIn(page, at.server, { prompt: 'dusk', video_url: url });
  await page.getByRole('combobox', { name: /Prompt/ }).fill('at dawn, as @Video1');
  await until('the draft is kept', async () => (await draft(page)).prompt === 'at dawn, as @Video1');
  await page.reload();
  await plan(page).waitFor();
  assert.deepEqual(await draft(page), { prompt: 'at dawn, as @Video1', video_url: url });
  assert.equal(await page.getByRole('combobox', { name: /Prompt/ }).inputValue(), 'at dawn, as @Video1');
  assert.equal(await page.locator('.marks mark.video').innerText(), '@Video1');
  await page.goto(`${at.server.base}/models/${TRAILER}`);
  assert.equal(await page.getByRole('combobox', { name: /Pitch/ }).inputValue(), '');
});

holds('no more images and elements can be added than the model takes together', at, async (visit) => {
  const page = await visit();
  const image = await at.server.upload(APPLE);
  await fillIn(page, at.server, { image_urls: [image, image, image] });
  await page.getByRole('button', { name: 'Add an element' }).click();
  assert.ok(await page.getByRole('button', { name: 'Add an element' }).isHidden());
  assert.equal(await field(page, '/image_urls').locator('.drop:not(.full)').count(), 0);
  await page.getByRole('button', { name: 'Remove @Image3' }).click();
  assert.ok(await page.getByRole('button', { name: 'Add an element' }).isVisible());
  assert.equal(await field(page, '/image_urls').locator('.drop:not(.full)').count(), 1);
});

holds('the form of any model has the right control for every field', at, async (visit) => {
  const page = await visit({ to: '/', allow: [/console: .*422/] });
  await page.getByRole('link', { name: 'Acme trailer cutter' }).click();
  await page.locator('.request').waitFor();
  const shown = await page.locator('.request .field').evaluateAll((all) => all.map((el) => el.dataset.at).filter(Boolean));
  assert.deepEqual(shown, ['/pitch', '/clips', '/looks', '/cast', '/frame', '/frame/shape', '/frame/border', '/strength', '/steps', '/seed', '/mood', '/loud', '/heading', '/blurb', '/cues', '/weights']);
  assert.equal(await page.getByText(/\$0\.05 per second/).count(), 1);

  await drop(box(page, '/clips'), [BUNNY, 'video/mp4'], [sample('city_night_720p25_5s.mp4'), 'video/mp4']);
  await drop(box(page, '/looks'), [APPLE, 'image/jpeg']);
  await until('the files are there', async () => (await draft(page, TRAILER)).clips?.length === 2 && (await draft(page, TRAILER)).looks?.length === 1);
  await field(page, '/cast').getByRole('button', { name: /^Add/ }).first().click();
  await drop(box(page, '/cast/0/face'), [APPLE, 'image/jpeg']);
  await drop(box(page, '/cast/0/sides'), [STARRY, 'image/jpeg']);
  await until('the cast is there', async () => { const { cast } = await draft(page, TRAILER); return cast?.[0]?.face && cast[0].sides?.length === 1; });

  const pitch = page.getByRole('combobox', { name: /Pitch/ });
  await pitch.click();
  await page.keyboard.type('dusk on @');
  const list = page.getByRole('listbox', { name: 'References' });
  await list.waitFor();
  assert.deepEqual(await list.locator('strong').allTextContents(), ['@Video1', '@Video2', '@Image1', '@Element1']);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  assert.equal(await pitch.inputValue(), 'dusk on @Video2 ');

  await field(page, '/frame/shape').getByText('1:1').click();
  await field(page, '/frame/border').getByRole('slider').fill('7');
  await field(page, '/strength').getByRole('spinbutton').fill('0.25');
  await field(page, '/steps').getByRole('slider').press('ArrowRight');
  await field(page, '/seed').getByRole('spinbutton').fill('42');
  await field(page, '/mood').getByRole('combobox').selectOption('dark');
  await field(page, '/loud').getByRole('switch').press('Space');
  await field(page, '/heading').getByRole('textbox').fill('Soon');
  assert.equal(await field(page, '/blurb').locator('textarea').count(), 1);
  await field(page, '/cues').getByRole('button', { name: /^Add/ }).click();
  await field(page, '/cues/0/at').getByRole('spinbutton').fill('1.5');
  await field(page, '/cues/0/says').getByRole('textbox').fill('now');
  await field(page, '/weights').getByRole('textbox').fill('[1, 0.5]');

  const { clips, looks, cast, ...rest } = await draft(page, TRAILER);
  assert.deepEqual(rest, {
    pitch: 'dusk on @Video2 ', frame: { shape: '1:1', border: 7 }, strength: 0.25, steps: 5, seed: 42, mood: 'dark', loud: true,
    heading: 'Soon', cues: [{ at: 1.5, says: 'now' }], weights: [1, 0.5],
  });
  assert.equal(clips.length + looks.length + cast[0].sides.length, 4);
  assert.equal(await field(page, '/strength').getByRole('slider').inputValue(), '0.25');
  await plan(page).waitFor();
  await page.getByText('$0.25').waitFor();

  await field(page, '/steps').getByRole('spinbutton').fill('9');
  await until('the server refuses 9 steps', async () => (await faults(page, '/steps')).length);
  await field(page, '/steps').getByRole('spinbutton').fill('');
  await plan(page).waitFor();
  assert.equal((await draft(page, TRAILER)).steps, undefined);
});

holds('the catalogue finds models by words and category', at, async (visit) => {
  const page = await visit({ to: '/' });
  await page.getByText('2 models').waitFor();
  await page.getByRole('searchbox').fill('trailer acme');
  await page.getByText('1 model', { exact: true }).waitFor();
  await page.getByRole('searchbox').fill('');
  await page.getByRole('combobox', { name: 'Category' }).selectOption('trailers');
  assert.deepEqual(await page.locator('.model h2').allTextContents(), ['Acme trailer cutter']);
  await page.getByRole('searchbox').fill('nothing of the kind');
  await page.getByText('No model matches').waitFor();
});

holds('the schema page lists every field, its limits and the limits of files', at, async (visit) => {
  const page = await visit({ to: `/models/${TRAILER}?tab=schema` });
  await page.locator('table').first().waitFor();
  const named = await page.locator('table').first().locator('td:first-child code').allTextContents();
  for (const name of ['pitch', 'clips', 'cast[].face', 'cast[].sides', 'frame.shape', 'frame.border', 'cues[].at', 'weights']) assert.ok(named.includes(name), `${name} in ${named}`);
  await page.getByText('Images and elements together: at most 3').waitFor();
  // An output schema may be written without `properties`.
  await page.goto(`${at.server.base}${KLING_PAGE}?tab=schema`);
  const output = page.locator('table').nth(1);
  await output.waitFor();
  assert.match((await output.locator('td:first-child code').allTextContents()).join(' '), /\bvideo\b/);
});
