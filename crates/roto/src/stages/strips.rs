//! Which frames are painted after which pictures, and where a painting begins anew.
//!
//! A strip is a stretch of one shot that is painted after one wish. Within it, keyframes are
//! painted from nothing, every second or two, at sharp frames; the frames between are carried from
//! the key before and from the key after, and blended.
//!
//! Invariant: no strip reaches over a cut. At a dissolve both shots' strips overlap and their
//! paintings dissolve too; where wishes take turns theirs do.

use std::ops::Range;

use crate::scene::Scene;
use crate::sheet::Styles;

/// Longest way from one key to the next, in seconds.
const LONGEST_SECS: f64 = 2.0;

/// Part of the way between two keys by which one may move to a sharper frame.
const SLACK: f64 = 0.15;

/// Frames that a strip reaches into a dissolve.
const INTO_DISSOLVE: usize = 8;

/// Weight below which a painting is not seen.
const LEAST_WEIGHT: f32 = 0.01;

/// A stretch of frames that one painting runs through.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strip {
    /// Which wish.
    pub(crate) wish: usize,
    /// Which shot of the reference.
    pub(crate) shot: usize,
    /// The frames.
    pub(crate) frames: Range<usize>,
    /// The frames that are painted from nothing; at least one.
    pub(crate) keys: Vec<usize>,
    /// Weight of the painting in each of the frames.
    pub(crate) weights: Vec<f32>,
}

// === impl Strip ===

impl Strip {
    pub(crate) fn weight(&self, n: usize) -> f32 {
        n.checked_sub(self.frames.start).and_then(|at| self.weights.get(at)).copied().unwrap_or(0.0)
    }

    pub(crate) fn is_key(&self, n: usize) -> bool {
        self.keys.contains(&n)
    }

    /// The key before a frame, if any.
    pub(crate) fn key_before(&self, n: usize) -> Option<usize> {
        self.keys.iter().rev().find(|&&key| key < n).copied()
    }

    pub(crate) fn last_key(&self) -> usize {
        self.keys.last().copied().unwrap_or(self.frames.start)
    }

    /// Paintings that it takes: frames between two keys are painted twice.
    pub(crate) fn paintings(&self) -> usize {
        let first = self.keys.first().copied().unwrap_or(self.frames.start);
        let between = self.last_key() - first;
        self.frames.len() + between.saturating_sub(self.keys.len().saturating_sub(1))
    }
}

/// The strips of a clip.
pub(crate) fn plan(scene: &Scene, styles: &Styles) -> Vec<Strip> {
    let frames = scene.cues.len();
    let length = frames as f64 / scene.rate;
    let share = |wish: usize, n: usize| {
        let shares = styles.shares(n as f64 / scene.rate, length);
        shares.get(wish).copied().unwrap_or(0.0)
    };
    let mut strips = Vec::new();
    let mut start = 0;
    while start < frames {
        let shot = scene.shot(start);
        let end = (start..frames).find(|&n| scene.shot(n) != shot).unwrap_or(frames);
        let reach = start.saturating_sub(INTO_DISSOLVE)..(end + INTO_DISSOLVE).min(frames);
        for wish in 0..styles.wishes.len() {
            let weight = |n: usize| {
                let shown = if (start..end).contains(&n) {
                    1.0 - beside(scene, n, shot)
                } else {
                    part(scene, n, shot)
                };
                shown * share(wish, n)
            };
            seen(reach.clone(), weight, |frames| {
                let keys = keys(&frames, scene.rate, |n| sharpness(scene, n));
                let weights = frames.clone().map(weight).collect();
                strips.push(Strip { wish, shot, frames, keys, weights });
            });
        }
        start = end;
    }
    strips
}

/// Calls `each` with the stretches of `reach` in which `weight` is seen.
fn seen(reach: Range<usize>, weight: impl Fn(usize) -> f32, mut each: impl FnMut(Range<usize>)) {
    let mut at = reach.start;
    while let Some(start) = (at..reach.end).find(|&n| weight(n) >= LEAST_WEIGHT) {
        let end = (start..reach.end).find(|&n| weight(n) < LEAST_WEIGHT).unwrap_or(reach.end);
        each(start..end);
        at = end;
    }
}

/// Keys evenly spaced, each the sharpest frame around its place.
fn keys(frames: &Range<usize>, rate: f64, sharpness: impl Fn(usize) -> f64) -> Vec<usize> {
    let count = (frames.len() as f64 / (LONGEST_SECS * rate)).ceil().max(1.0);
    let step = frames.len() as f64 / count;
    let slack = (SLACK * step) as usize;
    let place = |k: usize| frames.start + ((k as f64 + 0.5) * step) as usize;
    let around = |middle: usize| {
        let from = middle.saturating_sub(slack).max(frames.start);
        let upto = (middle + slack).min(frames.end - 1);
        // Of frames that are equally sharp the one nearest to the middle.
        let value = |n: usize| (sharpness(n), usize::MAX - n.abs_diff(middle));
        (from..=upto)
            .max_by(|&a, &b| value(a).partial_cmp(&value(b)).unwrap_or(std::cmp::Ordering::Equal))
            .unwrap_or(middle)
    };
    (0..count as usize).map(|k| around(place(k))).collect()
}

fn sharpness(scene: &Scene, n: usize) -> f64 {
    let frame = scene.cues[n].main().round() as usize;
    scene.analysis.sharpness.get(frame).copied().unwrap_or(0.0)
}

/// Share of `shot` in a frame beside it that lies in the dissolve to it or from it.
fn part(scene: &Scene, n: usize, shot: usize) -> f32 {
    let (_, other) = scene.analysis.grade_of(scene.cues[n].main().floor() as usize);
    other.filter(|&(other, _)| other == shot).map_or(0.0, |(_, share)| share)
}

/// Share of another shot in a frame of `shot`.
fn beside(scene: &Scene, n: usize, shot: usize) -> f32 {
    let (own, other) = scene.analysis.grade_of(scene.cues[n].main().floor() as usize);
    other.filter(|_| own == shot).map_or(0.0, |(_, share)| share)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use director::When;
    use domain::facts::Role;

    use super::*;
    use crate::analysis::Analysis;
    use crate::sheet::StyleWish;
    use crate::timeline::Cue;

    fn scene(shots: Vec<Range<usize>>, dissolved: Vec<bool>) -> Scene {
        let frames = shots.last().unwrap().end;
        Scene {
            analysis: Arc::new(Analysis { frames, shots, dissolved, ..Analysis::default() }),
            cues: Arc::new((0..frames).map(|n| Cue::at(n as f64)).collect()),
            windows: Arc::new(None),
            picture: (64, 36),
            screen: (64, 36),
            rate: 24.0,
            seed: 1,
        }
    }

    fn styles(whens: &[Option<When>]) -> Styles {
        let wish = |(n, &when): (usize, &Option<When>)| StyleWish {
            pictures: vec![(Role::Image { n: n as u32 + 1 }, 0.7)],
            strength: 0.7,
            when,
            surface_only: false,
        };
        Styles { wishes: whens.iter().enumerate().map(wish).collect(), legible: false }
    }

    #[test]
    fn keys_are_near_each_other_and_never_across_a_cut() {
        let scene = scene(vec![0..100, 100..112, 112..240], vec![false; 3]);
        let strips = plan(&scene, &styles(&[None]));
        let frames: Vec<Range<usize>> = strips.iter().map(|strip| strip.frames.clone()).collect();
        assert_eq!(frames, [0..100, 100..112, 112..240]);
        assert_eq!(strips[1].keys.len(), 1);
        for strip in &strips {
            assert!(strip.keys.iter().all(|key| strip.frames.contains(key)));
            assert!(strip.keys.windows(2).all(|keys| keys[1] - keys[0] <= 48));
            assert!(strip.weights.iter().all(|&weight| weight == 1.0));
        }
        assert!(strips[2].keys.len() >= 3);
    }

    #[test]
    fn a_key_moves_to_a_sharper_frame() {
        let found = keys(&(0..36), 24.0, |n| if n == 20 { 9.0 } else { 1.0 });
        assert_eq!(found, [20]);
        assert_eq!(keys(&(0..36), 24.0, |_| 1.0), [18]);
    }

    #[test]
    fn paintings_dissolve_with_their_shots() {
        let scene = scene(vec![0..60, 60..120], vec![false, true]);
        let strips = plan(&scene, &styles(&[None]));
        assert!(strips[0].frames.end > 60 && strips[1].frames.start < 60);
        for n in 0..120 {
            let sum: f32 = strips.iter().map(|strip| strip.weight(n)).sum();
            assert!((sum - 1.0).abs() < 0.02, "{n}: {sum}");
        }
    }

    #[test]
    fn wishes_take_turns() {
        let scene = scene(vec![0..60, 60..120], vec![false; 2]);
        let strips = plan(&scene, &styles(&[Some(When::Start), Some(When::End)]));
        let of = |wish| strips.iter().filter(move |strip| strip.wish == wish);
        assert!(of(0).any(|strip| strip.frames.start == 0));
        assert!(of(0).all(|strip| strip.frames.end < 110));
        assert!(of(1).any(|strip| strip.frames.end == 120));
        assert!(of(1).all(|strip| strip.frames.start >= 50));
    }
}
