//! A clip whose end meets its start.
//!
//! The last frames turn into those that come before the first one: the last frame of all is the
//! moment just before the first, so the step across the seam is a step like any other. Which part
//! of a shot goes round, how often, and how much slower than life is chosen so that what meets is
//! as alike as can be; going round once at nearly natural speed is worth a little unlikeness.

use std::ops::Range;

use super::extend::{UNSEEN_JUMP, cost, morph_frames};
use super::{Cue, Join, Likeness, Reel, Timeline};
use crate::envelope;

/// Least speed of a round, and the least seconds of the reel that one shows.
const SLOWEST: f64 = 0.7;
const LEAST_SECS: f64 = 1.0;

/// Most rounds of a clip that are tried beyond those that are needed.
const MORE_ROUNDS: usize = 1;

/// What another round is worth, in parts of the unlikeness, where its seam is not seen and where it
/// is; and what all of natural speed is worth.
const ROUND_COSTS: f32 = 0.35;
const SEEN_COSTS: f32 = 1.5;
const SPEED_COSTS: f32 = 0.6;

/// A part of the reel that goes round.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ring {
    /// First moment, and frames of the reel to where it comes round.
    start: usize,
    length: f64,
    rounds: usize,
}

/// The end meets the start.
pub(super) fn closed(reel: &Reel, likeness: Option<&dyn Likeness>) -> Timeline {
    let shot = reel.shots.iter().max_by_key(|shot| shot.len()).cloned().unwrap_or(0..reel.frames);
    let morph = morph_frames(reel);
    let steps = reel.out_frames as f64 * reel.step();
    let ring = likeness
        .and_then(|like| best(like, reel, &shot, morph))
        .unwrap_or_else(|| plain(&shot, morph, steps));
    let lap = steps / ring.rounds as f64;
    let speed = ring.length / lap;
    let fade = (morph as f64).min(ring.length / 2.0);
    let one = reel.step() * speed;
    let cue = |n: usize| {
        let phase = (n as f64 * reel.step()) % lap * speed;
        let left = ring.length - phase;
        let join = (left < fade).then(|| Join {
            at: ring.start as f64 - left,
            share: envelope::ease((fade - left) / (fade - one).max(one)) as f32,
        });
        Cue { at: ring.start as f64 + phase, join }
    };
    let end = ring.start + ring.length as usize;
    let (a, b) = middles(&ring, morph);
    let jump = likeness.filter(|_| end < shot.end).map(|like| (end, ring.start, cost(like, a, b)));
    let cues = (0..reel.out_frames).map(cue).collect();
    Timeline { cues, slowed_to: speed.min(1.0), jump, goes_on: false }
}

/// The moments that both show in the middle of the morph.
fn middles(ring: &Ring, morph: usize) -> (usize, usize) {
    let start = ring.start.saturating_sub(morph / 2);
    (start + ring.length as usize, start)
}

/// The longest ring that there is room for.
fn plain(shot: &Range<usize>, morph: usize, steps: f64) -> Ring {
    let room = shot.len().saturating_sub(morph + 1).max(1) as f64;
    let rounds = (SLOWEST * steps / room).ceil().max(1.0);
    let start = (shot.start + morph).min(shot.end.saturating_sub(1));
    Ring { start, length: (steps / rounds).min(room), rounds: rounds as usize }
}

/// The ring whose ends are most alike.
fn best(like: &dyn Likeness, reel: &Reel, shot: &Range<usize>, morph: usize) -> Option<Ring> {
    let steps = reel.out_frames as f64 * reel.step();
    let least = plain(shot, morph, steps).rounds;
    let mut found: Option<(f32, Ring)> = None;
    for rounds in least..=least + MORE_ROUNDS {
        let lap = steps / rounds as f64;
        let shortest = (SLOWEST * lap).max(LEAST_SECS * reel.rate).ceil() as usize;
        for length in shortest..=lap as usize {
            let slower = (1.0 - length as f64 / lap) as f32;
            for start in shot.start + morph..(shot.end).saturating_sub(length) {
                let ring = Ring { start, length: length as f64, rounds };
                let (a, b) = middles(&ring, morph);
                let seen = cost(like, a, b) > UNSEEN_JUMP;
                let again = if seen { SEEN_COSTS } else { ROUND_COSTS };
                let worth = 1.0 + again * (rounds - least) as f32 + SPEED_COSTS * slower;
                let unlike = (like.distance(a, b) + 0.5 * like.usual()) * worth;
                if found.is_none_or(|(least, _)| unlike < least) {
                    found = Some((unlike, ring));
                }
            }
        }
    }
    found.map(|(_, ring)| ring)
}
