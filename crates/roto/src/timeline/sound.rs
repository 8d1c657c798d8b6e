//! The sound that goes with a timeline.

use super::{Cue, Reel};

/// A stretch of the reference's sound and where it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Segment {
    /// Start in the reference, in seconds.
    pub(crate) from_secs: f64,
    /// Length in the reference, in seconds.
    pub(crate) length_secs: f64,
    /// Start in the clip, in seconds.
    pub(crate) at_secs: f64,
    /// Speed of play; 1 is natural.
    pub(crate) speed: f64,
}

/// Shortest stretch worth hearing.
const SHORTEST_SECS: f64 = 0.25;

/// Speeds between which sound is still sound.
const SPEEDS: (f64, f64) = (0.5, 2.0);

/// Change of speed that starts another stretch.
const SPEED_STEP: f64 = 0.12;

/// The stretches that are heard, in order, without overlap. Where the picture stands still or runs
/// backwards there is silence.
pub(crate) fn segments(cues: &[Cue], reel: &Reel) -> Vec<Segment> {
    let secs = |position: f64| position / reel.rate;
    let mut segments = Vec::new();
    let mut start = 0;
    for n in 1..=cues.len() {
        if n < cues.len() && goes_on(cues, start, n, reel) {
            continue;
        }
        let frames = n - start;
        let (first, last) = (cues[start].main(), cues[n - 1].main());
        let length = frames as f64 / reel.out_rate;
        let played =
            if frames > 1 { secs(last - first) * frames as f64 / (frames - 1) as f64 } else { 0.0 };
        let speed = played / length;
        if length >= SHORTEST_SECS && (SPEEDS.0..=SPEEDS.1).contains(&speed) {
            let speed = if (speed - 1.0).abs() < 0.01 { 1.0 } else { speed };
            segments.push(Segment {
                from_secs: secs(first),
                length_secs: length * speed,
                at_secs: start as f64 / reel.out_rate,
                speed,
            });
        }
        start = n;
    }
    segments
}

/// Whether frame `n` continues the stretch that began at `start`.
fn goes_on(cues: &[Cue], start: usize, n: usize, reel: &Reel) -> bool {
    let step = |n: usize| (cues[n].main() - cues[n - 1].main()) / reel.step();
    let now = step(n);
    if n == start + 1 {
        return (-0.01..=SPEEDS.1).contains(&now);
    }
    let mean = (cues[n - 1].main() - cues[start].main()) / ((n - 1 - start) as f64 * reel.step());
    (now - mean).abs() <= SPEED_STEP * mean.abs().max(0.5)
}
