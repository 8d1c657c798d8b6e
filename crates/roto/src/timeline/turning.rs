//! There and back through a shot in which only the camera moves.
//!
//! A long pan never comes back to a place where it was, so every jump of it shows. Where nothing in
//! the scene moves by itself, nobody can tell which way time runs: the camera brakes at the shot's
//! end, turns, and goes back the way it came.
//!
//! Invariant: the moments never leave the reel, and their speed never jumps.

use std::ops::Range;

use super::{Cue, Reel};

/// Seconds that a turn takes at natural speed.
const TURN_SECS: f64 = 1.4;

/// Least speed of the way, so that it ends at a turn rather than just after one.
const SLOWEST: f64 = 0.6;

/// Most part of the shot that one turn takes.
const MOST_PART: f64 = 0.25;

/// Where a way begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    /// At a moment of the reel, at full speed.
    Moving(f64),
    /// At the shot's first frame, from rest.
    Resting,
}

/// Frames from the start on, through the shot and back as often as needed; and the speed between
/// the turns.
pub(super) fn there_and_back(reel: &Reel, shot: &Range<usize>, start: Start) -> (Vec<Cue>, f64) {
    use std::f64::consts::{FRAC_PI_2, PI};
    let (first, last) = (shot.start as f64, (shot.end - 1) as f64);
    let from = match start {
        Start::Moving(from) => from,
        Start::Resting => first,
    };
    let steps = reel.out_frames.saturating_sub(1) as f64 * reel.step();
    let speed = speed(last - from, last - first, steps);
    let step = reel.step() * speed;
    // A speed that falls like a cosine over the turn's time gets this far until it is 0.
    let reach = (TURN_SECS * reel.rate * speed / PI).min(MOST_PART * (last - first)).max(step);
    let mut cues = Vec::with_capacity(reel.out_frames);
    let (mut at, mut way, mut turn, mut brake) = match start {
        Start::Moving(_) => (from, 1.0, 0.0, reach),
        Start::Resting => (from, -1.0, FRAC_PI_2, reach),
    };
    while cues.len() < reel.out_frames {
        cues.push(Cue::at(at));
        let left = if way > 0.0 { last - at } else { at - first };
        if turn == 0.0 && left > reach {
            at += way * step;
            continue;
        }
        if turn == 0.0 {
            brake = left.max(step);
        }
        at = (at + way * step * libm::cos(turn + 0.5 * step / brake)).clamp(0.0, last);
        turn += step / brake;
        if turn >= PI {
            (way, turn) = (-way, 0.0);
        }
    }
    (cues, speed)
}

/// The speed at which a whole number of ways fills the clip, natural speed at most.
fn speed(first: f64, way: f64, steps: f64) -> f64 {
    if way < 1.0 {
        return 1.0;
    }
    let ways = ((SLOWEST * steps - first) / way).ceil().max(0.0);
    ((first + ways * way) / steps.max(1.0)).clamp(SLOWEST, 1.0)
}
