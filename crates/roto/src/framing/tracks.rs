//! The moves of a window, frame by frame.

use director::When;
use kernels::Similarity;

use super::{Screen, Window};
use crate::analysis::Analysis;
use crate::envelope::ease;
use crate::sheet::{Course, Framing, Move, Moves};
use crate::timeline::Cue;

/// Standard deviation in seconds of the smoothing of a follow.
const FOLLOW_SECS: f64 = 0.9;

/// How much closer a window is that needs room to move.
const ROOM: f32 = 1.22;

/// Margin of a stabilised picture.
const STEADY_ROOM: f32 = 1.08;
const LOCK_ROOM: f32 = 1.16;

/// How much closer a next shot ends than it starts.
const DRIFT: f32 = 1.1;

/// Seconds of a punch-in and of a whip.
const SUDDEN_SECS: f64 = 0.14;
const WHIP_SECS: f64 = 0.4;

/// What the moves lean on.
pub(super) struct Tracks<'a> {
    pub(super) cues: &'a [Cue],
    pub(super) analysis: &'a Analysis,
    pub(super) picture: (usize, usize),
    pub(super) screen: Screen,
}

/// The closest framing that the moves reach.
pub(super) fn closest(framing: &Framing, course: Course) -> f32 {
    let drift = if course == Course::Next { DRIFT } else { 1.0 };
    framing.moves.iter().map(most).fold(drift, |zoom, one| zoom * one)
}

fn most(one: &Move) -> f32 {
    match one.kind {
        Moves::Zoom { .. } => 1.0 + 0.5 * one.strength,
        Moves::PunchIn => 1.0 + 0.6 * one.strength,
        Moves::Close { zoom } => zoom,
        Moves::Travel { .. } => ROOM,
        Moves::Handheld { amount } => 1.0 + 0.035 * amount,
        Moves::Stabilise { lock } => {
            if lock {
                LOCK_ROOM
            } else {
                STEADY_ROOM
            }
        }
        Moves::NewAngle => 1.35,
        Moves::Follow => 1.2,
        Moves::Tilted { .. } => 1.15,
    }
}

// === impl Tracks ===

impl Tracks<'_> {
    /// The middle of the window in each frame: on the subject, smoothed within each shot.
    pub(super) fn centres(&self) -> Vec<(f32, f32)> {
        let (w, h) = (self.picture.0 as f32, self.picture.1 as f32);
        if self.analysis.subjects.is_empty() {
            return vec![(w / 2.0, h / 2.0); self.cues.len()];
        }
        let raw: Vec<[f32; 3]> = self.cues.iter().map(|cue| self.subject(cue)).collect();
        let sigma = FOLLOW_SECS * self.screen.rate;
        let mut centres = Vec::with_capacity(raw.len());
        let mut start = 0;
        for n in 1..=raw.len() {
            if n == raw.len() || self.shot(n) != self.shot(n - 1) {
                smooth(&raw[start..n], sigma, &mut centres);
                start = n;
            }
        }
        centres.into_iter().map(|(x, y)| (x * w, y * h)).collect()
    }

    fn shot(&self, n: usize) -> usize {
        self.analysis.shot_of(self.cues[n].main().round() as usize)
    }

    /// Subject of a cue in parts of the frame, and its weight.
    fn subject(&self, cue: &Cue) -> [f32; 3] {
        let last = self.analysis.subjects.len() - 1;
        let (x, y, strength) = self.analysis.subjects[(cue.main().round() as usize).min(last)];
        [x, y, 0.05 + strength]
    }

    /// The window after one move, at `at` of `secs` seconds.
    pub(super) fn moved(
        &self,
        window: Window,
        base: Window,
        one: &Move,
        n: usize,
        at: f64,
        secs: f64,
    ) -> Window {
        let zoom = most(one);
        let part = progress(one.when, at, secs);
        match one.kind {
            Moves::Zoom { inwards } => {
                let part = if inwards { part } else { 1.0 - part };
                window.zoomed(libm::powf(zoom, part))
            }
            Moves::PunchIn => {
                let from = if one.when.is_none() { 0.4 * secs } else { span(one.when, secs).0 };
                window.zoomed(libm::powf(zoom, ease((at - from) / SUDDEN_SECS) as f32))
            }
            Moves::Close { .. } | Moves::Follow => window.zoomed(zoom),
            Moves::Travel { x, y, fast } => {
                let part =
                    if fast { ease((at - 0.5 * secs) / WHIP_SECS + 0.5) as f32 } else { part };
                self.travelled(window, base, (x, y), part)
            }
            Moves::Handheld { amount } => self.shaken(window.zoomed(zoom), amount, at),
            Moves::Stabilise { lock } => self.steadied(window.zoomed(zoom), lock, n),
            Moves::NewAngle => {
                let mut closer = window.zoomed(zoom);
                closer.centre.0 += 0.14 * closer.size.0;
                closer.centre.1 += 0.05 * closer.size.1;
                closer
            }
            Moves::Tilted { rolling, sense } => {
                let most = 0.16 * one.strength / 0.7;
                let turn = if rolling { most * (2.0 * part - 1.0) } else { most };
                Window { turn: window.turn - sense * turn, ..window }
            }
        }
    }

    /// From one side of the room that there is to the other.
    fn travelled(&self, window: Window, base: Window, (x, y): (f32, f32), part: f32) -> Window {
        let slack = base.slack(self.picture);
        let tight = (x != 0.0 && slack.0 < 0.06 * base.size.0)
            || (y != 0.0 && slack.1 < 0.06 * base.size.1);
        let mut moved = if tight { window.zoomed(ROOM) } else { window };
        let slack = moved.slack(self.picture);
        let along = 2.0 * part - 1.0;
        if x != 0.0 {
            moved.centre.0 = self.picture.0 as f32 / 2.0 + x * along * slack.0;
        }
        if y != 0.0 {
            moved.centre.1 = self.picture.1 as f32 / 2.0 + y * along * slack.1;
        }
        moved
    }

    /// Slow sums of sines: a hand sways, it does not tremble.
    fn shaken(&self, window: Window, amount: f32, at: f64) -> Window {
        let phase = (self.screen.seed % 1000) as f64 * 0.0137;
        let sway = |k: f64| {
            let wave = |hertz: f64, shift: f64| {
                libm::sin(std::f64::consts::TAU * hertz * at + phase + k * 2.3 + shift)
            };
            (0.6 * wave(0.43 + 0.05 * k, 0.0)
                + 0.3 * wave(1.1 + 0.1 * k, 1.7)
                + 0.12 * wave(2.7 + 0.2 * k, 0.9)) as f32
        };
        let reach = 0.011 * amount * window.size.0;
        Window {
            centre: (
                window.centre.0 + reach * sway(0.0),
                window.centre.1 + 0.8 * reach * sway(1.0),
            ),
            turn: window.turn + 0.0045 * amount * sway(2.0),
            ..window
        }
    }

    /// Takes the camera's own moves out: all of them, or what is faster than a second.
    fn steadied(&self, window: Window, lock: bool, n: usize) -> Window {
        let Some(path) = &self.analysis.path else { return window };
        let frame = self.cues[n].main().round() as usize;
        let shot = &self.analysis.shots[self.analysis.shot_of(frame)];
        let pose = path.pose(frame);
        let goal = if lock {
            path.pose(shot.start)
        } else {
            smooth_pose(path, frame, shot, self.screen.rate)
        };
        // From the steady picture to the one that was taken.
        let back = goal.inverse().then(&pose);
        let factor = self.picture.0 as f32 / self.analysis.size.0.max(1) as f32;
        let middle = (self.picture.0 as f32 / 2.0, self.picture.1 as f32 / 2.0);
        let from = (window.centre.0 - middle.0, window.centre.1 - middle.1);
        let to = back.resized(factor).apply(from);
        Window {
            centre: (middle.0 + to.0, middle.1 + to.1),
            size: (window.size.0 * back.scale, window.size.1 * back.scale),
            turn: window.turn + back.rotation,
        }
    }
}

/// A slow move on, closer.
pub(super) fn drifted(window: Window, part: f64) -> Window {
    window.zoomed(libm::powf(DRIFT, ease(part) as f32))
}

/// The part of the clip that a move takes, in seconds.
fn span(when: Option<When>, secs: f64) -> (f64, f64) {
    match when {
        None | Some(When::Gradually) => (0.0, secs),
        Some(When::Start) => (0.0, secs / 3.0),
        Some(When::Middle) => (secs / 3.0, 2.0 * secs / 3.0),
        Some(When::End) => (2.0 * secs / 3.0, secs),
        Some(When::From { secs: from }) => {
            let from = from.clamp(0.0, secs - 0.5);
            (from, (from + 2.0).min(secs))
        }
    }
}

/// How much of a move is done: even in the middle, soft at both ends.
fn progress(when: Option<When>, at: f64, secs: f64) -> f32 {
    let (from, to) = span(when, secs);
    let t = ((at - from) / (to - from).max(0.1)).clamp(0.0, 1.0);
    (0.5 * t + 0.5 * ease(t)) as f32
}

/// Weighted Gaussian means of points within one shot, appended to `out`.
fn smooth(raw: &[[f32; 3]], sigma: f64, out: &mut Vec<(f32, f32)>) {
    let radius = (2.5 * sigma) as isize;
    let bell: Vec<f32> =
        (0..=radius).map(|d| libm::exp(-((d * d) as f64) / (2.0 * sigma * sigma)) as f32).collect();
    for n in 0..raw.len() as isize {
        let (mut x, mut y, mut sum) = (0.0, 0.0, 0.0);
        for d in -radius..=radius {
            // Beyond a shot's ends its first and last point count on, so that ends don't swing.
            let at = (n + d).clamp(0, raw.len() as isize - 1) as usize;
            let weight = bell[d.unsigned_abs()] * raw[at][2];
            x += weight * raw[at][0];
            y += weight * raw[at][1];
            sum += weight;
        }
        out.push((x / sum, y / sum));
    }
}

/// The camera's pose about a frame, smoothed over a second within its shot.
fn smooth_pose(
    path: &kernels::CameraPath,
    frame: usize,
    shot: &std::ops::Range<usize>,
    rate: f64,
) -> Similarity {
    let sigma = 0.6 * rate;
    let radius = (2.0 * sigma) as usize;
    let (mut sum, mut total) = ([0.0f32; 4], 0.0f32);
    // Equal room on both sides keeps a steady pan what it is.
    let reach = radius.min(frame - shot.start).min(shot.end.saturating_sub(frame + 1));
    for t in frame - reach..=frame + reach {
        let d = t.abs_diff(frame) as f64;
        let weight = libm::exp(-d * d / (2.0 * sigma * sigma)) as f32;
        let pose = path.pose(t);
        let values = [libm::logf(pose.scale.max(1e-6)), pose.rotation, pose.tx, pose.ty];
        (0..4).for_each(|k| sum[k] += weight * values[k]);
        total += weight;
    }
    let [scale, rotation, tx, ty] = sum.map(|v| v / total);
    Similarity { scale: libm::expf(scale), rotation, tx, ty }
}
