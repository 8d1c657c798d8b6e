//! The ground under a foot, followed through a shot.
//!
//! The camera's path carries the picture as a whole; where the camera moves through the scene, near
//! ground moves otherwise. A foot is followed step by step by the flow around it, beyond what the
//! camera's path expects, and stays with the path where the flow does not tell.

use std::ops::Range;

use kernels::{FlowField, Similarity, track};

use crate::analysis::{Analysis, LINK};
use crate::scene::between;

/// Least part of the vectors that must agree for a step to count.
const LEAST_SUPPORT: f32 = 0.35;

/// How fast what is expected beyond the camera's path follows what was found, and how it goes where
/// nothing is found.
const LEARNS: f32 = 0.5;
const FADES: f32 = 0.9;

/// Most that is taken back at a link, in px of the copy.
const MOST_ERROR: f32 = 2.0;

/// Most growth beyond the camera's in a step.
const MOST_GROWTH: f32 = 0.03;

/// Where the ground carries what stands at a point, in px of the analysis' copy.
pub(super) struct Ground {
    range: Range<usize>,
    poses: Vec<Similarity>,
    /// Part of the steps that the flow decided, 0 to 1.
    pub(super) tracked: f32,
}

/// A point that is being followed.
#[derive(Debug, Clone, Copy)]
struct Foot {
    at: (f32, f32),
    growth: f32,
    turn: f32,
    beyond: (f32, f32),
}

// === impl Ground ===

impl Ground {
    /// Follows the point `foot` (px of the copy from its corner, at `anchor`) through the anchor's
    /// shot. `reach` is the half width and half height of the ground around it.
    pub(super) fn follow(
        analysis: &Analysis,
        anchor: f64,
        foot: (f32, f32),
        reach: (f32, f32),
    ) -> Self {
        let first = (anchor.round() as usize).min(analysis.frames.saturating_sub(1));
        let shot = analysis.shots.get(analysis.shot_of(first)).cloned();
        let range = shot.unwrap_or(first..first + 1);
        let middle = (analysis.size.0 as f32 / 2.0, analysis.size.1 as f32 / 2.0);
        let walk = Walk { analysis, middle, reach };
        let start = Foot { at: foot, growth: 1.0, turn: 0.0, beyond: (0.0, 0.0) };
        let (ahead, told) = walk.along(start, first, &mut (first + 1..range.end));
        let (back, also) = walk.along(start, first, &mut (range.start..first).rev());
        let origin = (foot.0 - middle.0, foot.1 - middle.1);
        let feet = back.iter().rev().chain(std::iter::once(&start)).chain(&ahead);
        let poses = feet.map(|foot| foot.pose(origin, middle)).collect();
        let steps = ahead.len() + back.len();
        let tracked = if steps > 0 { (told + also) as f32 / steps as f32 } else { 0.0 };
        Self { range, poses, tracked }
    }

    /// How the ground moved between two moments, px of the copy, origin at the frame's centre.
    pub(super) fn motion(&self, from: f64, to: f64) -> Similarity {
        let pose = |at: f64| {
            let index = |frame: f64| {
                let last = self.poses.len().saturating_sub(1);
                (frame.max(0.0) as usize).saturating_sub(self.range.start).min(last)
            };
            let at_frame = |n: usize| self.poses.get(n).copied().unwrap_or(Similarity::IDENTITY);
            let (a, b) = (at_frame(index(at.floor())), at_frame(index(at.ceil())));
            between(&a, &b, at.fract() as f32)
        };
        pose(from).inverse().then(&pose(to))
    }
}

/// The camera's motion between two frames.
pub(super) fn camera(analysis: &Analysis, from: usize, to: usize) -> Similarity {
    let Some(path) = &analysis.path else { return Similarity::IDENTITY };
    path.pose(from).inverse().then(&path.pose(to))
}

/// What a walk through a shot needs.
struct Walk<'a> {
    analysis: &'a Analysis,
    middle: (f32, f32),
    reach: (f32, f32),
}

// === impl Walk ===

impl Walk<'_> {
    /// The foot in each of `frames`, which go on from `first` in one direction, and in how many the
    /// flow told where to. Small errors of the steps are taken back at every link.
    fn along(
        &self,
        start: Foot,
        first: usize,
        frames: &mut dyn Iterator<Item = usize>,
    ) -> (Vec<Foot>, usize) {
        let (mut feet, mut told): (Vec<Foot>, usize) = (Vec::new(), 0);
        let (mut point, mut at) = (start, first);
        let mut link = first.is_multiple_of(LINK).then_some((first, start, 0));
        for next in frames {
            let pair = self.analysis.flows.get(at.min(next));
            let field = pair.map(|pair| if next > at { &pair.forward } else { &pair.backward });
            let camera = camera(self.analysis, at, next);
            told += usize::from(point.step(field, &camera, self.middle, self.reach));
            feet.push(point);
            if next.is_multiple_of(LINK) {
                if let Some((from, foot, since)) = link {
                    let (dx, dy) = self.error(from, next, &foot, &point);
                    let steps = (feet.len() - since) as f32;
                    for (k, foot) in feet.iter_mut().skip(since).enumerate() {
                        let part = (k + 1) as f32 / steps;
                        foot.at = (foot.at.0 + part * dx, foot.at.1 + part * dy);
                    }
                    point.at = (point.at.0 + dx, point.at.1 + dy);
                }
                link = Some((next, point, feet.len()));
            }
            at = next;
        }
        (feet, told)
    }

    /// How far the foot is from where the motion over a whole link has it.
    fn error(&self, from: usize, to: usize, before: &Foot, now: &Foot) -> (f32, f32) {
        let Some(pair) = self.analysis.links.get(from.min(to) / LINK) else { return (0.0, 0.0) };
        let field = if to > from { &pair.forward } else { &pair.backward };
        let origin = (before.at.0 - self.middle.0, before.at.1 - self.middle.1);
        let since =
            Foot { growth: now.growth / before.growth, turn: now.turn - before.turn, ..*now };
        let expected = since.pose(origin, self.middle);
        track::ground_step(field, before.at, self.reach, &expected)
            .filter(|step| step.support >= LEAST_SUPPORT)
            .filter(|step| libm::hypotf(step.shift.0, step.shift.1) <= MOST_ERROR)
            .map_or((0.0, 0.0), |step| step.shift)
    }
}

// === impl Foot ===

impl Foot {
    /// Goes one frame on; whether the flow told where to.
    fn step(
        &mut self,
        field: Option<&FlowField>,
        camera: &Similarity,
        middle: (f32, f32),
        reach: (f32, f32),
    ) -> bool {
        let expected = camera.then(&Similarity::translation(self.beyond.0, self.beyond.1));
        let to = expected.apply((self.at.0 - middle.0, self.at.1 - middle.1));
        let found = field
            .and_then(|field| track::ground_step(field, self.at, reach, &expected))
            .filter(|step| step.support >= LEAST_SUPPORT);
        self.at = (to.0 + middle.0, to.1 + middle.1);
        self.growth *= camera.scale;
        self.turn += camera.rotation;
        let Some(step) = found else {
            self.beyond = (FADES * self.beyond.0, FADES * self.beyond.1);
            return false;
        };
        let (dx, dy) = step.shift;
        self.at = (self.at.0 + dx, self.at.1 + dy);
        self.growth *= step.growth.clamp(1.0 - MOST_GROWTH, 1.0 + MOST_GROWTH);
        self.beyond = (self.beyond.0 + LEARNS * dx, self.beyond.1 + LEARNS * dy);
        true
    }

    /// The motion since the start that brings `origin` here.
    fn pose(&self, origin: (f32, f32), middle: (f32, f32)) -> Similarity {
        let turned = Similarity { scale: self.growth, rotation: self.turn, tx: 0.0, ty: 0.0 };
        let (x, y) = turned.apply(origin);
        Similarity { tx: self.at.0 - middle.0 - x, ty: self.at.1 - middle.1 - y, ..turned }
    }
}
