//! What is known of the reference before a frame is rendered.
//!
//! One pass over a quarter-size copy, and only if the sheet needs it; each part is computed only
//! if some pass asks for it. Everything is kept in memory, so that rendering has random access to
//! what was found while it streams the pictures themselves.

mod questions;

pub(crate) use questions::Questions;

use std::ops::Range;

use kernels::camera;
use kernels::cuts::{self, CutKind, Features};
use kernels::flow::{self, FlowImage, FlowParams};
use kernels::metrics;
use kernels::resize::{self, Filter};
use kernels::saliency;
use kernels::sky::{self, Sky};
use kernels::stylize::Colours;
use kernels::transfer::ColorStats;
use kernels::uprights::{self, Uprights};
use kernels::{CameraPath, FlowField, FlowPair, Plane, ShapeError, Similarity, Yuv420, Yuv420Ref};

use crate::mask::Skies;
use crate::movers::Movers;
use crate::timeline::Likeness;

/// Longer side of the copy in px.
pub(crate) const PROXY_SIDE: u32 = 320;

/// Every how many frames the colours are read.
const COLOUR_EVERY: usize = 4;

/// Size of the pictures that are compared for likeness.
const THUMB: (usize, usize) = (32, 18);

/// Frames on each side that are compared along, so that motion counts.
const THUMB_WINDOW: isize = 2;

/// Half the length of a dissolve in frames, over which grades are blended.
const DISSOLVE_HALF: usize = 8;

/// Motion against the camera's, in parts of the copy's width, below which nothing moves.
const STILL: f32 = 0.0012;

/// Motion against the camera's, in parts of the copy's width, that counts fully.
const FULL_MOTION: f32 = 0.012;

/// Mean own motion of a frame, in px of the copy, from which it shows where the subject is; and
/// the part of the shot's most that it must reach.
const LEAST_ENERGY: f32 = 0.02;
const PART_OF_MOST: f32 = 0.15;

/// Every how many frames the horizon is looked for.
const HORIZON_EVERY: usize = 12;

/// One frame of so many may show something moving and the shot still be calm.
const RARELY: usize = 12;

/// Frames between which motion is also found at once: over many steps small errors add up.
pub(crate) const LINK: usize = 8;

/// Part of the vectors that must agree for the camera's motion to count.
const LEAST_INLIERS: f32 = 0.25;

/// The answers. Points and lengths are in parts of the frame's width and height.
#[derive(Debug, Clone, Default)]
pub(crate) struct Analysis {
    /// Width and height of the copy in px.
    pub(crate) size: (usize, usize),
    /// Frames of the reel.
    pub(crate) frames: usize,
    /// Shots in order, without gaps.
    pub(crate) shots: Vec<Range<usize>>,
    /// For each shot whether it comes in by a dissolve.
    pub(crate) dissolved: Vec<bool>,
    /// Colours of each shot.
    pub(crate) colours: Vec<ColorStats>,
    /// Centre of the subject in each frame and how much it stands out, 0 to 1.
    pub(crate) subjects: Vec<(f32, f32, f32)>,
    /// The camera's path in px of the copy; it stands still over cuts.
    pub(crate) path: Option<CameraPath>,
    /// Variance of each frame's Laplacian; empty if not asked for.
    pub(crate) sharpness: Vec<f64>,
    /// Colours of each shot's areas, to be carried to a style's; empty if not asked for.
    pub(crate) tones: Vec<Colours>,
    /// Small pictures of the frames; empty if likeness was not asked for.
    pub(crate) thumbs: Vec<[Plane; 3]>,
    /// Motion from each frame to the next, both ways, in px of the copy; empty if not asked for.
    pub(crate) flows: Vec<FlowPair>,
    /// Motion from each [`LINK`]th frame to the next such, as `flows`.
    pub(crate) links: Vec<FlowPair>,
    /// The usual distance of a frame from the next.
    pub(crate) usual: f32,
    /// Where the sky is; empty if not asked for.
    pub(crate) skies: Skies,
    /// What moves by itself, cut out; empty if not asked for.
    pub(crate) movers: Movers,
    /// For each shot whether nothing in it moves by itself; empty where no motion was asked for.
    pub(crate) calm: Vec<bool>,
    /// What upright things say of each shot's horizon; empty if not asked for.
    pub(crate) uprights: Vec<Uprights>,
}

/// Collects the answers frame by frame.
pub(crate) struct Analyst {
    questions: Questions,
    features: Vec<Features>,
    colours: Vec<ColorStats>,
    maps: Vec<(f32, f32, f32)>,
    movers: Vec<(f32, f32, f32)>,
    motions: Vec<Similarity>,
    sharpness: Vec<f64>,
    tones: Vec<Colours>,
    thumbs: Vec<[Plane; 3]>,
    skies: Vec<Sky>,
    before: Option<FlowImage>,
    flows: Vec<FlowPair>,
    links: Vec<FlowPair>,
    linked: Option<FlowImage>,
    uprights: Vec<Uprights>,
    copies: Vec<Yuv420>,
    size: (usize, usize),
}

// === impl Analyst ===

impl Analyst {
    pub(crate) fn new(questions: Questions) -> Self {
        Self {
            questions,
            features: Vec::new(),
            colours: Vec::new(),
            maps: Vec::new(),
            movers: Vec::new(),
            motions: Vec::new(),
            sharpness: Vec::new(),
            tones: Vec::new(),
            thumbs: Vec::new(),
            skies: Vec::new(),
            before: None,
            flows: Vec::new(),
            links: Vec::new(),
            linked: None,
            uprights: Vec::new(),
            copies: Vec::new(),
            size: (1, 1),
        }
    }

    /// Looks at the next frame of the copy.
    pub(crate) fn see(&mut self, frame: Yuv420Ref<'_>) -> Result<(), ShapeError> {
        let asked = self.questions;
        self.size = frame.size();
        let index = self.features.len();
        self.features.push(Features::of(frame));
        if asked.colours && index.is_multiple_of(COLOUR_EVERY) {
            self.colours.push(ColorStats::of_frame(frame));
        }
        if asked.likeness {
            self.thumbs.push(thumb(frame)?);
        }
        if asked.sky {
            self.skies.push(sky::find(frame)?);
        }
        if asked.flows && index.is_multiple_of(HORIZON_EVERY) {
            self.uprights.push(uprights::find(frame.y()));
        }
        if asked.movers {
            self.copies.push(frame.to_frame());
        }
        if asked.sharpness {
            self.sharpness.push(metrics::laplacian_variance(frame.y()));
        }
        if asked.tones {
            let mut tones = Colours::default();
            tones.add(frame)?;
            self.tones.push(tones);
        }
        if asked.needs_flow() {
            self.see_motion(frame)?;
        }
        Ok(())
    }

    fn see_motion(&mut self, frame: Yuv420Ref<'_>) -> Result<(), ShapeError> {
        let params = FlowParams { finest: 1, refined: false, ..FlowParams::default() };
        let now = FlowImage::new(frame.y(), params);
        let index = self.features.len().saturating_sub(1);
        if self.questions.flows
            && index.is_multiple_of(LINK)
            && let Some(before) = self.linked.replace(now.clone())
        {
            self.links.push(flow::pair(&before, &now)?);
        }
        let mut motion = None;
        if let Some(before) = self.before.replace(now)
            && let Some(now) = &self.before
        {
            let pair = flow::pair(&before, now)?;
            let camera = camera::estimate(&pair.forward);
            let known = camera.inliers >= LEAST_INLIERS;
            self.motions.push(if known { camera.motion } else { Similarity::IDENTITY });
            let back = if known { camera.motion.inverse() } else { Similarity::IDENTITY };
            if self.questions.keeps_flow() {
                self.flows.push(pair.clone());
            }
            self.movers.resize(index, (0.5, 0.5, 0.0));
            self.movers.push(own_motion(&pair.backward, &back));
            motion = Some((pair.backward, back));
        }
        if self.questions.subject {
            let map = saliency::map(frame, motion.as_ref().map(|(field, camera)| (field, camera)));
            let subject = saliency::subject(&map, frame.size());
            let (w, h) = (self.size.0 as f32, self.size.1 as f32);
            self.maps.push((subject.centre.0 / w, subject.centre.1 / h, subject.strength));
        }
        Ok(())
    }

    /// Draws the conclusions.
    pub(crate) fn finish(self) -> Analysis {
        let frames = self.features.len();
        let found = cuts::find(&self.features);
        let mut shots = Vec::with_capacity(found.len() + 1);
        let mut dissolved = vec![false];
        let mut start = 0;
        for cut in &found {
            if cut.frame > start && cut.frame < frames {
                shots.push(start..cut.frame);
                dissolved.push(cut.kind == CutKind::Dissolve);
                start = cut.frame;
            }
        }
        shots.push(start..frames.max(start + 1));
        let colours = per_shot(&shots, &self.colours);
        let tones = tones_of(&shots, &self.tones);
        let mut subjects = self.maps;
        for shot in &shots {
            follow_movers(&mut subjects, &self.movers, shot);
        }
        let mut motions = self.motions;
        for shot in shots.iter().skip(1) {
            if let Some(motion) = motions.get_mut(shot.start - 1) {
                *motion = Similarity::IDENTITY;
            }
        }
        let path = self.questions.needs_flow().then(|| CameraPath::from_motions(&motions));
        let uprights = shots.iter().map(|shot| horizon(&self.uprights, shot)).collect();
        let calm = calm(&shots, &self.movers);
        let skies = Skies::of(&self.skies, &shots, path.as_ref()).unwrap_or_default();
        let movers =
            Movers::of(&self.copies, &self.flows, path.as_ref(), &shots).unwrap_or_default();
        let flows = if self.questions.flows { self.flows } else { Vec::new() };
        let mut analysis = Analysis {
            skies,
            movers,
            calm,
            uprights,
            size: self.size,
            frames,
            shots,
            dissolved,
            colours,
            subjects,
            path,
            sharpness: self.sharpness,
            tones,
            thumbs: self.thumbs,
            flows,
            links: self.links,
            usual: 0.0,
        };
        analysis.usual = analysis.median_step();
        analysis
    }
}

/// What a shot's frames say together: a frame that takes another point for the upright one has no
/// say against the others.
fn horizon(read: &[Uprights], shot: &Range<usize>) -> Uprights {
    let inside = read.iter().take(shot.end.div_ceil(HORIZON_EVERY));
    let mut inside: Vec<_> = inside.skip(shot.start.div_ceil(HORIZON_EVERY)).copied().collect();
    inside.sort_by(|a, b| a.horizon.total_cmp(&b.horizon));
    let sum: f32 = inside.iter().map(|one| one.sureness).sum();
    let mut passed = 0.0;
    let middle = inside.iter().find(|one| {
        passed += one.sureness;
        passed >= sum / 2.0
    });
    let horizon = middle.map_or(0.5, |one| one.horizon);
    Uprights { horizon, sureness: sum / inside.len().max(1) as f32 }
}

/// The shots in which nothing moves by itself in nearly all frames.
fn calm(shots: &[Range<usize>], movers: &[(f32, f32, f32)]) -> Vec<bool> {
    let is_calm = |shot: &Range<usize>| {
        let frames = movers.iter().take(shot.end).skip(shot.start + 1);
        let moving = frames.filter(|mover| mover.2 > LEAST_ENERGY).count();
        !movers.is_empty() && moving * RARELY <= shot.len()
    };
    shots.iter().map(is_calm).collect()
}

/// Centre of what moves otherwise than the camera, in parts of the frame, and how much does.
fn own_motion(field: &FlowField, camera: &Similarity) -> (f32, f32, f32) {
    let (width, height) = (field.frame().0 as f32, field.frame().1 as f32);
    let (columns, rows) = field.grid();
    let (mut sum, mut at) = (0.0f32, (0.0f32, 0.0f32));
    for j in 0..rows {
        for i in 0..columns {
            let ((x, y), (u, v)) = (field.point(i, j), field.vector(i, j));
            let from = (x - width / 2.0, y - height / 2.0);
            let to = camera.apply(from);
            let own = libm::hypotf(u - to.0 + from.0, v - to.1 + from.1);
            let sure = f32::from(field.confidence_at(i, j)) / 255.0;
            let weight = sure * (own.min(FULL_MOTION * width) - STILL * width).max(0.0);
            sum += weight;
            at = (at.0 + weight * x / width, at.1 + weight * y / height);
        }
    }
    if sum <= 0.0 {
        return (0.5, 0.5, 0.0);
    }
    (at.0 / sum, at.1 / sum, sum / (columns * rows) as f32)
}

/// Where something in a shot moves by itself, that is the subject, and it stays so while it rests:
/// between the frames that show it moving its place is interpolated. Where nothing ever moves, what
/// stands out is left to be the subject.
fn follow_movers(
    subjects: &mut [(f32, f32, f32)],
    movers: &[(f32, f32, f32)],
    shot: &Range<usize>,
) {
    let inside = shot.start..shot.end.min(movers.len()).min(subjects.len());
    let most = inside.clone().map(|n| movers[n].2).fold(0.0, f32::max);
    if most < LEAST_ENERGY {
        return;
    }
    let least = LEAST_ENERGY.max(PART_OF_MOST * most);
    let moving: Vec<usize> = inside.clone().filter(|&n| movers[n].2 >= least).collect();
    for n in inside {
        let next = moving.partition_point(|&m| m < n);
        let (before, after) = match (next.checked_sub(1), moving.get(next)) {
            (Some(before), Some(&after)) => (moving[before], after),
            (Some(before), None) => (moving[before], moving[before]),
            (None, Some(&after)) => (after, after),
            (None, None) => continue,
        };
        let part = if after > before { (n - before) as f32 / (after - before) as f32 } else { 0.0 };
        let (a, b) = (movers[before], movers[after]);
        subjects[n] = (a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1), 0.8);
    }
}

/// The colours of each shot's frames, or of the nearest frame that was read.
fn per_shot(shots: &[Range<usize>], read: &[ColorStats]) -> Vec<ColorStats> {
    if read.is_empty() {
        return Vec::new();
    }
    let of_shot = |shot: &Range<usize>| {
        let mut sum = ColorStats::new();
        let first = shot.start.div_ceil(COLOUR_EVERY);
        let inside = read.iter().skip(first).take((shot.end.div_ceil(COLOUR_EVERY)) - first);
        inside.for_each(|stats| sum.merge(stats));
        if sum.weight() == 0.0 {
            let nearest = (shot.start / COLOUR_EVERY).min(read.len() - 1);
            sum.merge(&read[nearest]);
        }
        sum
    };
    shots.iter().map(of_shot).collect()
}

/// The spread of light of each shot; nothing where it was not read.
fn tones_of(shots: &[Range<usize>], read: &[Colours]) -> Vec<Colours> {
    if read.is_empty() {
        return Vec::new();
    }
    let of_shot = |shot: &Range<usize>| {
        let mut sum = Colours::default();
        read.iter().skip(shot.start).take(shot.len()).for_each(|tones| sum.merge(tones));
        sum
    };
    shots.iter().map(of_shot).collect()
}

fn thumb(frame: Yuv420Ref<'_>) -> Result<[Plane; 3], ShapeError> {
    let shrink = |plane: kernels::PlaneRef<'_>, (w, h): (usize, usize)| {
        let mut out = Plane::new(w, h, 0)?;
        resize::plane(plane, &mut out.as_mut(), Filter::Area);
        Ok(out)
    };
    let [y, u, v] = frame.planes();
    let half = (THUMB.0 / 2, THUMB.1 / 2);
    Ok([shrink(y, THUMB)?, shrink(u, half)?, shrink(v, half)?])
}

// === impl Analysis ===

impl Analysis {
    /// The shot that a frame lies in.
    pub(crate) fn shot_of(&self, frame: usize) -> usize {
        let last = self.shots.len().max(1) - 1;
        self.shots.partition_point(|shot| shot.end <= frame).min(last)
    }

    /// The shot of a frame and, near a dissolve, the other shot and its share.
    pub(crate) fn grade_of(&self, frame: usize) -> (usize, Option<(usize, f32)>) {
        let shot = self.shot_of(frame);
        let share = |distance: usize| 0.5 - 0.5 * distance as f32 / DISSOLVE_HALF as f32;
        if self.dissolved.get(shot) == Some(&true)
            && let Some(since) = frame.checked_sub(self.shots[shot].start)
            && since < DISSOLVE_HALF
        {
            return (shot, Some((shot - 1, share(since))));
        }
        if self.dissolved.get(shot + 1) == Some(&true)
            && let Some(left) = self.shots[shot].end.checked_sub(frame)
            && left < DISSOLVE_HALF
        {
            return (shot, Some((shot + 1, share(left))));
        }
        (shot, None)
    }

    /// Mean over a few frames of the codes' differences; frames beyond the reel are left out.
    fn difference(&self, a: usize, b: usize) -> f32 {
        let last = self.thumbs.len() as isize - 1;
        let (mut sum, mut count) = (0u32, 0u32);
        for k in -THUMB_WINDOW..=THUMB_WINDOW {
            let (i, j) = (a as isize + k, b as isize + k);
            if i < 0 || j < 0 || i > last || j > last {
                continue;
            }
            for (p, q) in self.thumbs[i as usize].iter().zip(&self.thumbs[j as usize]) {
                let pixels = p.data().iter().zip(q.data());
                sum += pixels.map(|(&p, &q)| u32::from(p.abs_diff(q))).sum::<u32>();
                count += p.data().len() as u32;
            }
        }
        sum as f32 / count.max(1) as f32
    }

    fn median_step(&self) -> f32 {
        let frames = self.thumbs.len().saturating_sub(1);
        let mut steps: Vec<f32> = (0..frames).map(|n| self.difference(n, n + 1)).collect();
        steps.sort_by(f32::total_cmp);
        steps.get(steps.len() / 2).copied().unwrap_or(0.0)
    }
}

impl Likeness for Analysis {
    fn distance(&self, a: usize, b: usize) -> f32 {
        self.difference(a, b)
    }

    fn usual(&self) -> f32 {
        self.usual
    }

    fn is_calm(&self, shot: &Range<usize>) -> bool {
        self.calm.get(self.shot_of(shot.start)) == Some(&true)
    }
}

#[cfg(test)]
mod tests;
