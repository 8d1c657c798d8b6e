// A clip beside its reference: in step, frame by frame.

import { fill, h, icon, tool } from './dom.js';

/** Further apart than this, in seconds, two clips are put in step again. */
const APART = 0.06;

/**
 * @param {{clip: string, reference?: string | undefined, fps: number}} o
 * @param {AbortSignal} signal
 */
export function player({ clip, reference, fps }, signal) {
  const video = (/** @type {string} */ src, /** @type {string} */ label, /** @type {object} */ more) => h('video', { src, playsInline: true, preload: 'auto', 'aria-label': label, ...more });
  const main = video(clip, 'The clip', { loop: true });
  const ref = reference ? video(reference, 'The reference', { muted: true, onerror: gone }) : null;
  const wipe = h('input', { type: 'range', class: 'wiper', min: 0, max: 100, step: 0.5, value: '50', 'aria-label': 'Wipe between reference and clip', oninput: () => stage.style.setProperty('--wipe', `${wipe.value}%`) });
  const stage = h('div', { class: 'stage' },
    ref && h('figure', { class: 'reference' }, ref, h('figcaption', null, 'Reference')),
    h('figure', { class: 'clip' }, main, h('figcaption', null, 'Clip')), ref && wipe);
  const play = tool('play', 'Play', toggle);
  const seek = h('input', { type: 'range', class: 'seek', min: 0, max: 1, step: 1, value: '0', 'aria-label': 'Frame', oninput: () => show(Number(seek.value)) });
  const time = h('output', { class: 'n' });
  const loop = tool('loop', 'Loop', () => { main.loop = !main.loop; press(loop, main.loop); });
  const sound = tool('sound', 'Sound', () => { main.muted = !main.muted; fill(sound, icon(main.muted ? 'mute' : 'sound')); press(sound, !main.muted); });
  const modes = ref ? [['side', 'Side by side'], ['wipe', 'Wipe'], ['clip', 'Clip'], ['reference', 'Reference']] : [];
  const mode = h('div', { class: 'segments', role: 'group', 'aria-label': 'View' }, modes.map(([name, text], i) => h('label', null,
    h('input', { type: 'radio', name: `view-${clip}`, value: name, checked: !i, onchange: () => { el.dataset.view = name; } }), h('span', null, text))));
  const el = h('div', { class: 'player', data: { view: ref ? 'side' : 'clip' }, tabIndex: 0, role: 'group', 'aria-label': 'Player: space plays, arrows step a frame', onkeydown: keys },
    stage, h('div', { class: 'controls' }, tool('back', 'One frame back', () => step(-1)), play, tool('forward', 'One frame on', () => step(1)), seek, time, loop, sound, mode));
  press(loop, true);
  press(sound, true);

  /** @param {HTMLElement} button @param {boolean} on */
  function press(button, on) {
    button.setAttribute('aria-pressed', String(on));
  }
  const frames = () => Math.max(1, Math.round((main.duration || 0) * fps));
  const frame = () => Math.min(frames() - 1, Math.floor(main.currentTime * fps + 0.01));

  function gone() {
    el.dataset.view = 'clip';
    ref?.closest('figure')?.remove();
    wipe.remove();
    mode.remove();
  }

  function toggle() {
    if (main.paused) void main.play();
    else main.pause();
  }

  /** The middle of a frame: its edges belong to its neighbours in some browsers. @param {number} n */
  function show(n) {
    main.pause();
    main.currentTime = (Math.max(0, Math.min(frames() - 1, n)) + 0.5) / fps;
    follow(true);
  }
  /** @param {number} by */
  const step = (by) => show(frame() + by);

  /** @param {boolean} [exact] */
  function follow(exact) {
    if (ref?.isConnected && ref.duration) {
      const to = Math.min(main.currentTime, ref.duration - 0.5 / fps);
      if (exact || Math.abs(ref.currentTime - to) > APART) ref.currentTime = to;
      const still = main.paused || main.currentTime >= ref.duration;
      if (still && !ref.paused) ref.pause();
      if (!still && ref.paused) ref.play().catch(() => {});
    }
    seek.max = String(frames() - 1);
    seek.value = String(frame());
    time.textContent = `${main.currentTime.toFixed(2)} s · ${frame() + 1} / ${frames()}`;
  }

  function tick() {
    follow();
    if (!main.paused && !signal.aborted && el.isConnected) requestAnimationFrame(tick);
  }

  /** @param {KeyboardEvent} e */
  function keys(e) {
    if (e.target !== el && e.key === ' ') return;
    if (e.target instanceof HTMLInputElement && e.key.startsWith('Arrow')) return;
    const does = { ' ': toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => show(0), End: () => show(frames()), l: () => loop.click() }[e.key];
    if (!does || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    does();
  }

  main.addEventListener('play', () => { fill(play, icon('pause')); play.setAttribute('aria-label', 'Pause'); play.title = 'Pause'; tick(); });
  main.addEventListener('pause', () => { fill(play, icon('play')); play.setAttribute('aria-label', 'Play'); play.title = 'Play'; follow(true); });
  for (const event of ['loadedmetadata', 'seeked', 'ended']) main.addEventListener(event, () => follow());
  ref?.addEventListener('loadedmetadata', () => follow(true));
  signal.addEventListener('abort', () => { main.pause(); ref?.pause(); });
  follow();
  return el;
}
