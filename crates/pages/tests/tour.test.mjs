// All pages, in both schemes and in two sizes: barriers, what does not fit, and pictures of them.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNNY, APPLE, KLING, PICTURES, draft, fillIn, holds, stage, until } from './support.mjs';

const at = stage();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const MODEL = `/models/${KLING}`;
const heading = (page, name) => page.getByRole('heading', { name }).first().waitFor();
const ready = (page) => until('the clip is ready', () => page.locator('figure.clip video').evaluate((video) => video.readyState >= 2).catch(() => false));
const filled = async (page) => {
  const [video, image] = await Promise.all([at.server.upload(BUNNY), at.server.upload(APPLE)]);
  await fillIn(page, at.server, {
    prompt: 'Keep the motion of @Video1, in the colours of @Image1, at dusk, with a dragon. Put @Element1 on the grass.', video_url: video, image_urls: [image],
    elements: [{ frontal_image_url: image, reference_image_urls: [image] }],
  });
  await heading(page, 'What would be made');
};

/** Name, address, and what makes it ready. @type {[string, string | (() => Promise<string>), (page: any) => Promise<any>, (string | null)?][]} */
const PAGES = [
  ['sign-in', '/', (page) => heading(page, 'Sign in with an API key'), null],
  ['models', '/', (page) => page.locator('.model').first().waitFor()],
  ['playground', MODEL, (page) => page.getByText('Still needed').waitFor()],
  ['playground-filled', MODEL, filled],
  ['playground-json', MODEL, async (page) => { await filled(page); await page.getByText('JSON', { exact: true }).click(); }],
  ['result', async () => `${MODEL}?request=${(await at.server.clip()).request_id}`, ready],
  ['api', `${MODEL}?tab=api`, (page) => page.locator('.snippet pre').waitFor()],
  ['schema', `${MODEL}?tab=schema`, (page) => heading(page, 'Input')],
  ['readme', `${MODEL}?tab=readme`, (page) => page.locator('.prose h1, .prose h2').first().waitFor()],
  ['generations', '/generations', (page) => page.locator('.generation img').first().waitFor()],
  ['generation', async () => `/generations/${(await at.server.clip()).request_id}`, async (page) => {
    await ready(page);
    for (const summary of await page.locator('.about summary').all()) await summary.click();
  }],
  ['usage', '/usage', (page) => page.locator('.chart rect').first().waitFor()],
  ['keys', '/keys', (page) => page.locator('.key').first().waitFor()],
  ['keys-new', '/keys', (page) => page.getByRole('button', { name: 'New key' }).click()],
  ['system', '/system', (page) => heading(page, 'What is going on')],
  ['docs', '/docs', (page) => page.locator('.call summary').nth(1).click()],
  ['guide', '/docs/queue', (page) => page.locator('.prose p').first().waitFor()],
  ['share', async () => new URL((await at.server.call('POST', `/v1/requests/${(await at.server.clip()).request_id}/share`)).url).pathname, ready, null],
];

/** What has the focus, and whether that can be seen. */
const focus = (page) => page.evaluate(() => {
  const el = /** @type {HTMLElement} */ (document.activeElement);
  // The mark of a segment is drawn around its text.
  const marked = el.matches('.segments input') ? el.nextElementSibling : el;
  const { outlineStyle, outlineWidth } = getComputedStyle(marked);
  const { width, height } = marked.getBoundingClientRect();
  return {
    what: el === document.body ? '' : `${el.tagName.toLowerCase()} ${el.getAttribute('aria-label') ?? el.getAttribute('name') ?? ''} ${(el.innerText ?? '').slice(0, 40)}`.trim(),
    seen: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1 && width > 4 && height > 4,
  };
});

/** Presses Tab until `found`; every stop on the way can be seen. */
async function tabTo(page, found, most = 60) {
  const stops = [];
  for (let n = 0; n < most; n++) {
    await page.keyboard.press('Tab');
    const stop = await focus(page);
    stops.push(stop.what);
    assert.ok(stop.seen || !stop.what, `the focus on “${stop.what}” cannot be seen`);
    if (found(stop.what)) return stops;
  }
  throw new Error(`not reached by Tab: ${stops.join(' | ')}`);
}

holds('everything is done by keyboard: from the catalogue to a playing clip', at, async (visit) => {
  const video = await at.server.upload(BUNNY);
  const page = await visit({ to: '/' });
  await page.locator('.model').first().waitFor();
  await page.keyboard.press('Tab');
  assert.match((await focus(page)).what, /Skip to the content/);
  await page.keyboard.press('Enter');
  await tabTo(page, (what) => /Kling/.test(what));
  await page.keyboard.press('Enter');
  await page.locator('.request').waitFor();

  await page.keyboard.press('Tab');
  await tabTo(page, (what) => /^a .*Playground|^a .*API/.test(what));
  await tabTo(page, (what) => /^textarea/.test(what));
  await page.keyboard.type('Keep the motion, at dusk');
  await tabTo(page, (what) => /^input Video URL: URL/.test(what));
  await page.keyboard.insertText(video);
  await page.keyboard.press('Enter');
  await until('the video is taken', async () => (await draft(page)).video_url === video);
  const stops = await tabTo(page, (what) => /^button\s+Run/.test(what));
  assert.ok(stops.some((what) => /Clear/.test(what)));
  await page.keyboard.press('Enter');
  await page.locator('.run, .result').waitFor();
  await page.locator('.result .state.succeeded').waitFor({ timeout: 120_000 });
  await ready(page);
  await tabTo(page, (what) => /^div Player/.test(what));
  await page.keyboard.press('Space');
  await until('it plays', () => page.locator('figure.clip video').evaluate((it) => !it.paused && it.currentTime > 0.1));
  await page.keyboard.press('Space');
  await until('it stops', () => page.locator('figure.clip video').evaluate((it) => it.paused));
  await tabTo(page, (what) => /^button One frame back/.test(what));
  await tabTo(page, (what) => /^a\s+Download/.test(what));
  at.server.made = at.server.record(new URL(page.url()).searchParams.get('request'));
  // No trap: the end of the page is reached, and then its beginning.
  await tabTo(page, (what) => /Skip to the content/.test(what));
});

for (const [name, to, prepare, key] of PAGES) {
  holds(`${name}: no barriers, and nothing wider than a small screen`, at, async (visit) => {
    await at.server.clip();
    const page = await visit({ to: typeof to === 'string' ? to : await to(), init: axe, ...(key === null ? { key } : {}) });
    await prepare(page);
    const small = { width: 390, height: 844 };
    const picture = async (scheme, size) => {
      // What sticks to the edge of the window is not to lie over the middle of the page.
      const { width, height } = page.viewportSize();
      const whole = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(height, whole) });
      await page.screenshot({ path: join(PICTURES, `${name}-${scheme}-${size}.png`) });
      await page.setViewportSize({ width, height });
    };
    const faults = [];
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await picture(scheme, 'wide');
      faults.push(...await page.evaluate(async (at) => (await window.axe.run(document, { resultTypes: ['violations'] })).violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${at}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join('; ')}`), scheme));
    }
    await page.setViewportSize(small);
    await picture('dark', 'small');
    await page.emulateMedia({ colorScheme: 'light' });
    await picture('light', 'small');
    for (const width of [390, 320]) {
      await page.setViewportSize({ ...small, width });
      const [wide, widest] = await page.evaluate(() => {
        const edge = document.documentElement.clientWidth;
        const out = [...document.querySelectorAll('body *')].filter((el) => el.getBoundingClientRect().right > edge + 1);
        return [document.documentElement.scrollWidth, out.slice(0, 3).map((el) => `${el.tagName}.${el.getAttribute('class')}`)];
      });
      if (wide > width) faults.push(`${wide} px wide on ${width}: ${widest}`);
    }
    assert.deepEqual(faults, []);
  });
}

holds('the scheme that was chosen outlives a reload', at, async (visit) => {
  const page = await visit({ to: '/docs', colorScheme: 'light' });
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await scheme();
  await page.getByRole('button', { name: 'Dark colours' }).click();
  const dark = await scheme();
  assert.notEqual(dark, light);
  await page.reload();
  await page.getByRole('button', { name: 'Light colours' }).waitFor();
  assert.equal(await scheme(), dark);
});
