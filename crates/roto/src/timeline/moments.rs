//! Which moment of a camera's path each frame of a clip shows, where only the path is used.
//!
//! A path needs no pictures, so it never has to jump back to one that there is: it goes on beyond
//! its end by itself.

use director::TimeChange;

use super::{Reel, speed};
use crate::sheet::Timing;

/// Moments of a path whose last frame is `last`, in frames of the reel.
pub(crate) fn of_path(timing: &Timing, reel: &Reel, last: f64) -> Vec<f64> {
    let frames = reel.out_frames;
    let round = |n: usize| {
        let turn = std::f64::consts::TAU * n as f64 / frames as f64;
        0.5 * last * (1.0 - libm::cos(turn))
    };
    if timing.wants(TimeChange::Loop) || timing.wants(TimeChange::Boomerang) {
        return (0..frames).map(round).collect();
    }
    let mut at = 0.0;
    let mut moments: Vec<f64> = Vec::with_capacity(frames);
    for n in 0..frames {
        moments.push(at);
        at += reel.step() * speed(timing, reel, n);
    }
    if timing.wants(TimeChange::Reverse) {
        let end = moments.last().copied().unwrap_or(0.0).min(last);
        for moment in &mut moments {
            *moment = end - *moment;
        }
    }
    moments
}
