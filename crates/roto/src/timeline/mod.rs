//! Which moment of the reference each frame of the clip shows.
//!
//! Unless something else is wished, output time t shows reference time t. A reference that is too
//! long is cut. One that is too short goes on at its end, by the gentlest means that does:
//!
//! 1. a small gap is closed by slowing the last part down, to half speed at most, with frames made
//!    between frames;
//! 2. where a moment near the end looks and moves like an earlier one, the clip goes on from there
//!    (video textures, Schoedl et al. 2000), morphing across over half a second; always forwards,
//!    since going back and forth shows;
//! 3. where such a jump would be seen, all of the last shot is slowed instead, if that is enough;
//! 4. where even that is too short and only the camera moves, it turns and goes back the way it
//!    came ([`turning`]), unless there is sound to keep;
//! 5. otherwise the shot is slowed and dissolves into the best such moment.
//!
//! The camera's path beyond the end is `framing::onward`'s.
//!
//! Invariant: a timeline has exactly as many cues as the clip has frames, and no cue leaves the
//! reel. Nothing here knows pixels: likeness of moments is asked for through [`Likeness`].

mod extend;
mod looped;
mod moments;
mod sound;
#[cfg(test)]
mod tests;
mod turning;

pub(crate) use moments::of_path;
pub(crate) use sound::segments;

use std::ops::Range;

use director::TimeChange;

use crate::envelope;
use crate::sheet::{Course, TimeWish, Timing};

/// What one output frame shows. Positions are in frames of the reel; fractions lie between frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cue {
    /// The moment.
    pub(crate) at: f64,
    /// The moment that it turns into, while the clip goes on from an earlier one.
    pub(crate) join: Option<Join>,
}

/// The second moment of a morph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Join {
    /// The moment.
    pub(crate) at: f64,
    /// How much of it shows, 0 to 1.
    pub(crate) share: f32,
}

/// The clip that is to be filled and the reel that fills it.
#[derive(Debug, Clone)]
pub(crate) struct Reel {
    /// Frames of the reel, at least 1.
    pub(crate) frames: usize,
    /// Frames of the reel a second.
    pub(crate) rate: f64,
    /// Frames of the clip.
    pub(crate) out_frames: usize,
    /// Frames of the clip a second.
    pub(crate) out_rate: f64,
    /// The reel's shots in order, without gaps.
    pub(crate) shots: Vec<Range<usize>>,
    /// Whether the clip keeps its sound.
    pub(crate) heard: bool,
}

/// How alike two moments of the reel are.
pub(crate) trait Likeness {
    /// 0 for the same; includes how things move there.
    fn distance(&self, a: usize, b: usize) -> f32;

    /// The usual distance of a frame from the next.
    fn usual(&self) -> f32;

    /// Whether nothing in a shot moves by itself, so that its time may run backwards unseen.
    fn is_calm(&self, shot: &Range<usize>) -> bool;
}

/// A timeline and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timeline {
    /// One for each frame of the clip.
    pub(crate) cues: Vec<Cue>,
    /// Least speed of the slowed last part; 1 where nothing was slowed.
    pub(crate) slowed_to: f64,
    /// Where the clip goes on from an earlier moment: exit, entry, and their distance over the
    /// usual distance of neighbours.
    pub(crate) jump: Option<(usize, usize, f32)>,
    /// Whether the clip goes on beyond the reference's end.
    pub(crate) goes_on: bool,
}

/// Distance over the usual one from which a morph between two moments is seen as such.
pub(crate) const VISIBLE_JUMP: f32 = 4.0;

// === impl Cue ===

impl Cue {
    /// The moment `at` alone.
    pub(crate) fn at(at: f64) -> Self {
        Self { at, join: None }
    }

    /// The moment that shows most.
    pub(crate) fn main(&self) -> f64 {
        match self.join {
            Some(join) if join.share > 0.5 => join.at,
            _ => self.at,
        }
    }
}

// === impl Reel ===

impl Reel {
    fn last(&self) -> f64 {
        self.frames.saturating_sub(1) as f64
    }

    /// Reel frames that one output frame takes at natural speed.
    fn step(&self) -> f64 {
        self.rate / self.out_rate
    }

    fn length_secs(&self) -> f64 {
        self.out_frames as f64 / self.out_rate
    }
}

// === impl Timeline ===

impl Timeline {
    /// Fills the clip.
    pub(crate) fn build(timing: &Timing, reel: &Reel, likeness: Option<&dyn Likeness>) -> Self {
        let mut timeline = if timing.wants(TimeChange::Loop) {
            looped::closed(reel, likeness)
        } else if timing.wants(TimeChange::Boomerang) {
            boomerang(reel)
        } else {
            match timing.course {
                Course::Next => extend::after_end(timing, reel, likeness),
                Course::Previous => extend::before_start(reel, likeness),
                Course::Same if timing.extend && covers(timing, reel) => {
                    extend::after_end(timing, reel, likeness)
                }
                Course::Same => extend::same(timing, reel, likeness),
            }
        };
        if timing.wants(TimeChange::Reverse) {
            timeline.cues.reverse();
            timeline.goes_on = false;
        }
        for cue in &mut timeline.cues {
            cue.at = tidy(cue.at, reel);
            if let Some(join) = &mut cue.join {
                join.at = tidy(join.at, reel);
            }
        }
        timeline
    }

    /// Whether every output frame shows a whole frame of the reel.
    pub(crate) fn is_whole(&self) -> bool {
        self.cues.iter().all(|cue| cue.join.is_none() && cue.at.fract() == 0.0)
    }
}

/// Whether the reel at its own speed fills the clip.
fn covers(timing: &Timing, reel: &Reel) -> bool {
    timing.changes.is_empty() && reel.last() >= (reel.out_frames - 1) as f64 * reel.step()
}

/// Inside the reel, and on a frame where it is as good as on one.
fn tidy(at: f64, reel: &Reel) -> f64 {
    let at = at.clamp(0.0, reel.last());
    if (at - at.round()).abs() < 0.02 { at.round() } else { at }
}

/// Speed of play at output frame `n`; 1 is natural.
fn speed(timing: &Timing, reel: &Reel, n: usize) -> f64 {
    let secs = n as f64 / reel.out_rate;
    let length = reel.length_secs();
    timing.changes.iter().map(|wish| one_speed(wish, reel, secs, length)).product()
}

fn one_speed(wish: &TimeWish, reel: &Reel, secs: f64, length: f64) -> f64 {
    let share = f64::from(envelope::share(wish.when, secs, length));
    let towards = |speed: f64| 1.0 + (speed - 1.0) * share;
    match wish.change {
        TimeChange::SlowMotion { speed } => towards(speed.unwrap_or(0.5).clamp(0.1, 1.0)),
        TimeChange::SpeedUp { speed } => towards(speed.unwrap_or(2.0).clamp(1.0, 16.0)),
        TimeChange::TimeLapse => {
            let whole = reel.frames as f64 / reel.rate / length;
            towards(whole.clamp(3.0, 16.0))
        }
        TimeChange::Ramp { to_slow } => {
            let part = envelope::ease((secs / length - 0.3) / 0.4);
            let (from, to) = if to_slow.unwrap_or(true) { (1.5, 0.4) } else { (0.5, 2.0) };
            towards(from + (to - from) * part)
        }
        TimeChange::Freeze => towards(0.0),
        TimeChange::Reverse | TimeChange::Loop | TimeChange::Boomerang => 1.0,
    }
}

/// Forwards, then backwards, as often as needed for the turns to fall into the reel.
fn boomerang(reel: &Reel) -> Timeline {
    let steps = (reel.out_frames.max(2) - 1) as f64 * reel.step();
    let mut halves = 2.0;
    while steps / halves > reel.last().max(1.0) {
        halves += 2.0;
    }
    let half = steps / halves;
    let cue = |n: usize| {
        let phase = (n as f64 * reel.step()) % (2.0 * half);
        Cue::at(if phase <= half { phase } else { 2.0 * half - phase })
    };
    Timeline {
        cues: (0..reel.out_frames).map(cue).collect(),
        slowed_to: 1.0,
        jump: None,
        goes_on: false,
    }
}
