// From the link that the server printed to a clip that plays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPLE, BUNNY, CLIP, drop, field, holds, probe, stage, until, watch } from './support.mjs';

const at = stage();

/** Does something that shows another frame; gives the moment of that frame, in s. */
async function framed(page, act) {
  await page.locator('figure.clip video').evaluate((video) => { window.framed = new Promise((done) => { video.requestVideoFrameCallback((_, { mediaTime }) => done(mediaTime)); }); });
  await act();
  return page.evaluate(() => window.framed);
}

/** The page of a clip that is there, of a reference with sound, ready to play. */
async function player(visit, options = {}) {
  const page = await visit({ to: `/generations/${(await at.server.clip()).request_id}`, ...options });
  await until('the clip is ready', () => page.locator('figure.clip video').evaluate((video) => video.readyState >= 3).catch(() => false));
  return page;
}

holds('a newcomer makes a clip from the link that the server printed', at, async (visit) => {
  const begun = Date.now();
  const page = await visit({ key: null, to: '', reducedMotion: 'no-preference' });
  await page.goto(at.server.link);
  assert.doesNotMatch(page.url(), /#/, 'the code stays in no address');
  await page.getByRole('link', { name: /Kling Video O1/ }).click();

  await drop(field(page, '/video_url').locator('.drop'), [BUNNY, 'video/mp4']);
  await field(page, '/video_url').getByText(/1280 × 720 · 5\.\d s/).waitFor();
  await drop(field(page, '/image_urls').locator('.drop').last(), [APPLE, 'image/jpeg']);
  await field(page, '/image_urls').locator('.caption', { hasText: 'apple.jpg' }).waitFor();

  const prompt = page.getByRole('combobox', { name: /Prompt/ });
  const list = page.getByRole('listbox', { name: 'References' });
  await prompt.focus();
  await page.keyboard.type('Keep the motion of @');
  await list.waitFor();
  assert.deepEqual(await list.getByRole('option').locator('strong').allTextContents(), ['@Video1', '@Image1']);
  await page.keyboard.type('v');
  assert.deepEqual(await list.getByRole('option').locator('strong').allTextContents(), ['@Video1']);
  await page.keyboard.press('Enter');
  await list.waitFor({ state: 'hidden' });
  await page.keyboard.type('in the colours of @');
  await page.keyboard.press('ArrowDown');
  assert.equal(await list.getByRole('option', { selected: true }).locator('strong').textContent(), '@Image1');
  assert.equal(await prompt.getAttribute('aria-activedescendant'), await list.getByRole('option', { selected: true }).getAttribute('id'));
  await page.keyboard.press('Enter');
  await page.keyboard.press('Backspace');
  await page.keyboard.type(', at dusk, with a dragon');
  assert.equal(await prompt.inputValue(), 'Keep the motion of @Video1 in the colours of @Image1, at dusk, with a dragon');
  assert.deepEqual(await page.locator('.marks mark').evaluateAll((all) => all.map((m) => [m.className, m.textContent])), [['video', '@Video1'], ['image', '@Image1']]);
  assert.equal(await page.locator('.used li').count(), 2);
  await until('the thumbnail is a picture', () => page.locator('.used img').evaluate((img) => img.naturalWidth > 0));

  const plan = page.locator('.plan');
  await plan.getByRole('heading', { name: 'What would be made' }).waitFor();
  await plan.locator('li', { hasText: 'dusk' }).locator('q').waitFor();
  await plan.locator('.unmet', { hasText: 'dragon' }).locator('.why').first().waitFor();
  assert.match(await page.locator('.cost').innerText(), /Free/);

  await field(page, '/keep_audio').getByRole('switch').check();
  await page.evaluate(() => {
    const seen = { stages: new Set(), done: [], lines: 0 };
    window.seen = seen;
    new MutationObserver(() => {
      const bar = document.querySelector('.run progress');
      if (!bar) return;
      seen.stages.add(document.querySelector('.run .steps .now')?.textContent);
      if (bar.hasAttribute('value') && bar.value !== seen.done.at(-1)) seen.done.push(bar.value);
      seen.lines = Math.max(seen.lines, document.querySelectorAll('.run .log li').length);
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await prompt.press('Control+Enter');
  await page.locator('.result .state.succeeded').waitFor({ timeout: CLIP });
  const seen = await page.evaluate(() => ({ ...window.seen, stages: [...window.seen.stages] }));
  assert.ok(['Queue', 'Run'].every((stage) => seen.stages.includes(stage)), `stages: ${seen.stages}`);
  assert.ok(seen.done.length > 2 && seen.done.every((part, i) => !i || part > seen.done[i - 1]), `done: ${seen.done}`);
  assert.ok(seen.lines > 0, 'the log has lines');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  const clip = page.locator('figure.clip video');
  await until('it plays', () => clip.evaluate((video) => video.currentTime > 0.3 && !video.paused));
  assert.equal(await clip.evaluate((video) => video.videoWidth), 1280);
  assert.ok(Math.abs(await clip.evaluate((video) => video.duration) - 5) < 0.05);
  const secs = (Date.now() - begun) / 1000;
  console.log(`from the link to a playing clip: ${secs.toFixed(1)} s`);
  assert.ok(secs < 120, `${secs} s`);
  at.server.made = at.server.record(new URL(page.url()).searchParams.get('request'));
});

test('a page that errs, breaks its policy, calls elsewhere or tells its key is caught', async () => {
  const context = await at.browser.newContext();
  try {
    const faults = await watch(context, at.server);
    const page = await context.newPage();
    await page.goto(`${at.server.base}/docs`);
    const caught = async (what, does) => {
      await page.evaluate(does);
      await until(`${what} is caught`, () => faults.some((fault) => fault.includes(what)));
      faults.length = 0;
    };
    await caught('console: wrong', () => console.error('wrong'));
    await caught('page error', () => { setTimeout(() => { throw new Error('wrong'); }); });
    await caught('policy: img-src', () => { new Image().src = 'ftp://elsewhere.invalid/'; });
    await caught('other origin', () => { new Image().src = 'https://elsewhere.invalid/'; });
    await caught('a key in a URL', () => { fetch('/healthz?rsk_secret').catch(() => {}); });
  } finally {
    await context.close();
  }
});

holds('a link that signed in once signs in nobody again', at, async (visit) => {
  const page = await visit({ key: null, to: '', allow: [/console: .*40[134]/] });
  await page.goto(at.server.link);
  await page.getByRole('heading', { name: 'Sign in with an API key' }).waitFor();
  await page.locator('.toast.fault').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('reshoot-key')), null);
});

holds('a key signs in, a wrong one says so, and signing out forgets it', at, async (visit) => {
  const page = await visit({ key: null, allow: [/console: .*401/] });
  const key = page.getByLabel('API key');
  await key.fill('rsk_nobody');
  await key.press('Enter');
  await page.locator('.fault:visible, .toast.fault').first().waitFor();
  await key.fill(at.server.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Models' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Models' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await key.waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('reshoot-key')), null);
});

holds('whoever comes to a page without a key is there after signing in', at, async (visit) => {
  const page = await visit({ key: null, to: '/usage' });
  await page.getByLabel('API key').fill(at.server.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Usage' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/usage');
});

holds('arrows step the clip and its reference by exactly one frame', at, async (visit) => {
  const page = await player(visit);
  const forward = page.getByRole('button', { name: 'One frame on' });
  const place = page.locator('.player output');
  const ref = page.locator('figure.reference video');
  const first = await framed(page, () => forward.click());
  await page.getByText('2 / 120').waitFor();
  const second = await framed(page, () => forward.click());
  assert.ok(Math.abs(second - first - 1 / 24) < 1e-3, `${first} to ${second}`);
  assert.match(await place.innerText(), /· 3 \/ 120/);
  await until('the reference is at the same moment', async () => Math.abs(await ref.evaluate((video) => video.currentTime) - 2.5 / 24) < 1e-3);
  const back = await framed(page, () => page.getByRole('button', { name: 'One frame back' }).click());
  assert.ok(Math.abs(back - first) < 1e-3, `${back} is not ${first}`);
  await page.locator('.player').focus();
  const last = await framed(page, () => page.keyboard.press('End'));
  assert.ok(Math.abs(last - 119 / 24) < 1e-3, `${last}`);
  await page.getByText('120 / 120').waitFor();
  assert.ok(Math.abs(await framed(page, () => page.keyboard.press('Home'))) < 1e-3);
});

holds('clip and reference play in step, loop, and sound and loop can be turned off', at, async (visit) => {
  const page = await player(visit, { reducedMotion: 'no-preference' });
  const clip = page.locator('figure.clip video');
  const apart = () => page.evaluate(() => {
    const [a, b] = ['clip', 'reference'].map((name) => document.querySelector(`figure.${name} video`));
    return Math.abs(a.currentTime - b.currentTime);
  });
  const loop = page.getByRole('button', { name: 'Loop' });
  const sound = page.getByRole('button', { name: 'Sound' });
  assert.equal(await clip.evaluate((video) => video.loop), true);
  await page.locator('.player').focus();
  await page.keyboard.press('Space');
  await until('it plays', () => clip.evaluate((video) => video.currentTime > 0.5 && !video.paused));
  await until('both are in step', async () => await apart() < 0.15);
  await until('it has sound', () => clip.evaluate((video) => video.webkitAudioDecodedByteCount > 0 && !video.muted));
  await sound.click();
  assert.equal(await sound.getAttribute('aria-pressed'), 'false');
  assert.equal(await clip.evaluate((video) => video.muted), true);
  // Around the end, and on from the start.
  await clip.evaluate((video) => { video.currentTime = 4.7; });
  await until('it begins anew', () => clip.evaluate((video) => video.currentTime < 2 && !video.paused));
  await loop.click();
  assert.equal(await loop.getAttribute('aria-pressed'), 'false');
  await clip.evaluate((video) => { video.currentTime = 4.7; });
  await until('it ends', () => clip.evaluate((video) => video.ended));
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
});

holds('clip and reference are seen side by side, through a wipe, and alone', at, async (visit) => {
  const page = await player(visit);
  const boxes = async () => [await page.locator('figure.reference').boundingBox(), await page.locator('figure.clip').boundingBox()];
  const [left, right] = await boxes();
  assert.ok(left.x + left.width <= right.x + 3 && Math.abs(left.y - right.y) < 1 && Math.abs(left.width - right.width) < 2);
  await page.getByText('Wipe', { exact: true }).click();
  const [over, under] = await boxes();
  assert.deepEqual([over.x, over.y, over.width, over.height].map(Math.round), [under.x, under.y, under.width, under.height].map(Math.round));
  const slider = page.getByRole('slider', { name: /Wipe/ });
  const cut = () => page.locator('figure.reference').evaluate((figure) => getComputedStyle(figure).clipPath);
  const before = await cut();
  await slider.focus();
  await page.keyboard.press('PageUp');
  assert.notEqual(await cut(), before);
  const stage = await page.locator('.stage').boundingBox();
  await page.mouse.click(stage.x + stage.width * 0.25, stage.y + stage.height / 2);
  const seen = await page.locator('.stage').evaluate((it) => Number.parseFloat(getComputedStyle(it).getPropertyValue('--wipe')));
  assert.ok(Math.abs(seen - 25) < 4, `the wipe is at ${seen} %`);
  await page.locator('.player').getByText('Reference', { exact: true }).last().click();
  assert.ok(await page.locator('figure.reference video').isVisible());
  await page.locator('.player .segments').getByText('Clip', { exact: true }).click();
  assert.ok(await page.locator('figure.clip video').isVisible());
  assert.equal((await page.locator('figure.clip').boundingBox()).width, stage.width);
});

holds('the clip is downloaded under the name of its request', at, async (visit) => {
  const page = await player(visit);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  assert.match(download.suggestedFilename(), /^[\w-]+\.mp4$/);
  assert.deepEqual(await probe(await download.path()), { width: 1280, height: 720, frames: 120 });
});
