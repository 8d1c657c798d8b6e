//! The camera's motion as a similarity from frame to frame.
//!
//! Two-point hypotheses drawn by a fixed hash (RANSAC, Fischler and Bolles 1981), the best one
//! refined by least squares with Cauchy weights, so that moving subjects don't pull it.

use crate::field::FlowField;
use crate::geometry::{CameraPath, Similarity};
use crate::hash;

/// Most vectors that take part.
const MOST_POINTS: usize = 2000;

/// Two-point hypotheses: with half the vectors wrong, one in four is right.
const DRAWS: u64 = 96;

/// Least confidence of a vector that takes part.
const LEAST_CONFIDENCE: u8 = 96;

/// Distance in px up to which a vector agrees, at a frame width of 1280.
const AGREES_PX: f64 = 1.0;

const REFINEMENTS: usize = 8;

/// What the camera did between two frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraMotion {
    /// Maps a point of the first frame to the second; full-resolution px, origin at the centre.
    pub motion: Similarity,
    /// Part of the trusted vectors that agree with it, 0 to 1.
    pub inliers: f32,
}

/// A vector's ends, from the centre of the frame.
#[derive(Clone, Copy)]
struct Pair {
    from: [f64; 2],
    to: [f64; 2],
    weight: f64,
}

/// a, b, tx, ty of p' = (a x - b y + tx, b x + a y + ty).
type Linear = [f64; 4];

/// The similarity that most of the field agrees with; the identity with no inliers if fewer than
/// eight vectors can be trusted.
pub fn estimate(field: &FlowField) -> CameraMotion {
    let pairs = gather(field);
    let tolerance = AGREES_PX * (field.frame().0 as f64 / 1280.0).max(0.25);
    if pairs.len() < 8 {
        return CameraMotion { motion: Similarity::IDENTITY, inliers: 0.0 };
    }
    let mut best: (f64, Linear) = (f64::INFINITY, [1.0, 0.0, 0.0, 0.0]);
    for draw in 0..=DRAWS {
        let model = if draw == 0 { Some(best.1) } else { hypothesis(&pairs, draw) };
        let Some(model) = model else { continue };
        let cost = pairs.iter().map(|p| p.weight * truncated(p, &model, tolerance)).sum();
        if cost < best.0 {
            best = (cost, model);
        }
    }
    let mut model = best.1;
    for _ in 0..REFINEMENTS {
        model = refine(&pairs, &model, tolerance).unwrap_or(model);
    }
    let agree = pairs.iter().filter(|p| gap(p, &model) < 4.0 * tolerance * tolerance).count();
    let [a, b, tx, ty] = model.map(|v| v as f32);
    CameraMotion {
        motion: Similarity::from_linear(a, b, tx, ty),
        inliers: agree as f32 / pairs.len() as f32,
    }
}

fn gather(field: &FlowField) -> Vec<Pair> {
    let (columns, rows) = field.grid();
    let step = libm::ceil(((columns * rows) as f64 / MOST_POINTS as f64).sqrt()).max(1.0) as usize;
    let centre = (field.frame().0 as f64 / 2.0, field.frame().1 as f64 / 2.0);
    let mut pairs = Vec::with_capacity(MOST_POINTS);
    for j in (step / 2..rows).step_by(step) {
        for i in (step / 2..columns).step_by(step) {
            let confidence = field.confidence_at(i, j);
            if confidence >= LEAST_CONFIDENCE {
                let (x, y) = field.point(i, j);
                let (u, v) = field.vector(i, j);
                let from = [f64::from(x) - centre.0, f64::from(y) - centre.1];
                let to = [from[0] + f64::from(u), from[1] + f64::from(v)];
                pairs.push(Pair { from, to, weight: f64::from(confidence) / 255.0 });
            }
        }
    }
    pairs
}

/// The similarity through two vectors.
fn hypothesis(pairs: &[Pair], draw: u64) -> Option<Linear> {
    let pick = |k: u64| pairs[(hash::mix(draw * 2 + k) % pairs.len() as u64) as usize];
    let (p, q) = (pick(0), pick(1));
    let d = [q.from[0] - p.from[0], q.from[1] - p.from[1]];
    let e = [q.to[0] - p.to[0], q.to[1] - p.to[1]];
    let length = d[0] * d[0] + d[1] * d[1];
    if length < 64.0 {
        return None;
    }
    let a = (d[0] * e[0] + d[1] * e[1]) / length;
    let b = (d[0] * e[1] - d[1] * e[0]) / length;
    let tx = p.to[0] - a * p.from[0] + b * p.from[1];
    let ty = p.to[1] - b * p.from[0] - a * p.from[1];
    Some([a, b, tx, ty])
}

/// Squared distance of a vector's end from where the model puts it.
fn gap(pair: &Pair, [a, b, tx, ty]: &Linear) -> f64 {
    let x = a * pair.from[0] - b * pair.from[1] + tx - pair.to[0];
    let y = b * pair.from[0] + a * pair.from[1] + ty - pair.to[1];
    x * x + y * y
}

fn truncated(pair: &Pair, model: &Linear, tolerance: f64) -> f64 {
    (gap(pair, model) / (tolerance * tolerance)).min(4.0)
}

/// Weighted least squares about the weighted centroids (Umeyama 1991, in the plane).
fn refine(pairs: &[Pair], model: &Linear, tolerance: f64) -> Option<Linear> {
    let weight = |p: &Pair| {
        let ratio = gap(p, model) / (tolerance * tolerance);
        p.weight / ((1.0 + ratio) * (1.0 + ratio))
    };
    let (mut sum, mut from, mut to) = (0.0, [0.0; 2], [0.0; 2]);
    for pair in pairs {
        let w = weight(pair);
        sum += w;
        for k in 0..2 {
            from[k] += w * pair.from[k];
            to[k] += w * pair.to[k];
        }
    }
    if sum < 1e-6 {
        return None;
    }
    let (from, to) = (from.map(|v| v / sum), to.map(|v| v / sum));
    let (mut length, mut dot, mut cross) = (0.0, 0.0, 0.0);
    for pair in pairs {
        let w = weight(pair);
        let d = [pair.from[0] - from[0], pair.from[1] - from[1]];
        let e = [pair.to[0] - to[0], pair.to[1] - to[1]];
        length += w * (d[0] * d[0] + d[1] * d[1]);
        dot += w * (d[0] * e[0] + d[1] * e[1]);
        cross += w * (d[0] * e[1] - d[1] * e[0]);
    }
    if length < 1e-6 {
        return None;
    }
    let (a, b) = (dot / length, cross / length);
    let tx = to[0] - a * from[0] + b * from[1];
    let ty = to[1] - b * from[0] - a * from[1];
    Some([a, b, tx, ty])
}

// === impl CameraPath ===

impl CameraPath {
    /// Adds up the motions from each frame to the next; n motions make n + 1 poses.
    pub fn from_motions(motions: &[Similarity]) -> Self {
        let mut pose = Similarity::IDENTITY;
        let mut poses = vec![pose];
        for motion in motions {
            pose = pose.then(motion);
            poses.push(pose);
        }
        Self { poses }
    }

    /// The motion from frame `from` to frame `to`, both clamped to the path.
    pub fn between(&self, from: usize, to: usize) -> Similarity {
        self.pose(from).inverse().then(&self.pose(to))
    }

    /// Pose of a frame, clamped to the path.
    pub fn pose(&self, frame: usize) -> Similarity {
        let last = self.poses.len().saturating_sub(1);
        self.poses.get(frame.min(last)).copied().unwrap_or_default()
    }

    /// The path under a Gaussian of `sigma` frames; its ends lean on a point reflection, so that a
    /// steady pan stays what it is.
    #[must_use]
    pub fn smoothed(&self, sigma: f32) -> Self {
        if sigma <= 0.0 || self.poses.len() < 3 {
            return self.clone();
        }
        let radius = libm::ceilf(3.0 * sigma) as isize;
        let last = self.poses.len() as isize - 1;
        let track: Vec<[f32; 4]> = self.poses.iter().map(to_track).collect();
        let at = |t: isize| {
            let inside = t.clamp(0, last);
            let mirrored = (2 * inside - t).clamp(0, last);
            let (pivot, other) = (track[inside as usize], track[mirrored as usize]);
            std::array::from_fn::<f32, 4, _>(|k| 2.0 * pivot[k] - other[k])
        };
        let poses = (0..=last).map(|t| {
            let (mut sum, mut total) = ([0.0f32; 4], 0.0f32);
            for d in -radius..=radius {
                let weight = libm::expf(-((d * d) as f32) / (2.0 * sigma * sigma));
                let value =
                    if (0..=last).contains(&(t + d)) { track[(t + d) as usize] } else { at(t + d) };
                (0..4).for_each(|k| sum[k] += weight * value[k]);
                total += weight;
            }
            from_track(sum.map(|v| v / total))
        });
        Self { poses: poses.collect() }
    }

    /// The path made `frames` long: cut, or continued at the mean speed of its last
    /// `lean_on` steps.
    #[must_use]
    pub fn extended(&self, frames: usize, lean_on: usize) -> Self {
        let mut poses = self.poses.clone();
        let last = poses.len().saturating_sub(1);
        let steps = lean_on.clamp(1, last.max(1));
        let end = to_track(&self.pose(last));
        let start = to_track(&self.pose(last.saturating_sub(steps)));
        let step: [f32; 4] = std::array::from_fn(|k| (end[k] - start[k]) / steps as f32);
        for n in poses.len()..frames {
            let ahead = (n - last) as f32;
            poses.push(from_track(std::array::from_fn(|k| end[k] + ahead * step[k])));
        }
        poses.truncate(frames);
        Self { poses }
    }
}

fn to_track(pose: &Similarity) -> [f32; 4] {
    [libm::logf(pose.scale.max(1e-6)), pose.rotation, pose.tx, pose.ty]
}

fn from_track([log_scale, rotation, tx, ty]: [f32; 4]) -> Similarity {
    Similarity { scale: libm::expf(log_scale), rotation, tx, ty }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: (usize, usize) = (1280, 720);

    fn field(truth: Similarity, outliers: u64) -> FlowField {
        FlowField::from_fn(FRAME, 8, |x, y| {
            let word = hash::mix(((x as u64) << 20) + y as u64);
            if word % 100 < outliers {
                return (hash::unit(hash::mix(word)) * 60.0 - 30.0, 25.0);
            }
            let p = (x - 640.0, y - 360.0);
            let q = truth.apply(p);
            let noise = hash::unit(hash::mix(!word)) - 0.5;
            (q.0 - p.0 + 0.4 * noise, q.1 - p.1 - 0.4 * noise)
        })
        .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_similarity_is_found_among_outliers(
            scale in 0.95f32..1.06, rotation in -0.05f32..0.05,
            tx in -30.0f32..30.0, ty in -30.0f32..30.0,
        ) {
            let truth = Similarity { scale, rotation, tx, ty };
            let found = estimate(&field(truth, 30));
            prop_assert!(found.inliers > 0.6 && found.inliers < 0.8, "{}", found.inliers);
            for corner in [(-600.0, -300.0), (600.0, 300.0), (0.0, 0.0)] {
                let (a, b) = (truth.apply(corner), found.motion.apply(corner));
                prop_assert!((a.0 - b.0).hypot(a.1 - b.1) < 0.3, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn nothing_to_trust_is_no_motion() {
        let still = FlowField::still(FRAME, 8).unwrap();
        let n = still.vectors().len();
        let blind = FlowField::from_parts(FRAME, 8, vec![[99, 99]; n], vec![0; n]).unwrap();
        assert_eq!(estimate(&blind).motion, Similarity::IDENTITY);
        assert_eq!(estimate(&blind).inliers, 0.0);
    }

    #[test]
    fn smoothing_keeps_a_pan_and_removes_a_shake() {
        let pan: Vec<_> = (0..40).map(|_| Similarity::translation(3.0, 0.0)).collect();
        let path = CameraPath::from_motions(&pan);
        for (a, b) in path.poses.iter().zip(path.smoothed(4.0).poses) {
            assert!((a.tx - b.tx).abs() < 1e-2, "{} {}", a.tx, b.tx);
        }
        let shake: Vec<_> = (0..40)
            .map(|t| Similarity::translation(0.0, if t % 2 == 0 { 4.0 } else { -4.0 }))
            .collect();
        let calm = CameraPath::from_motions(&shake).smoothed(4.0);
        assert!((1..40).all(|t| calm.between(t - 1, t).ty.abs() < 0.6));
    }

    #[test]
    fn a_path_goes_on_at_its_speed() {
        let pan: Vec<_> = (0..10).map(|_| Similarity::translation(2.0, -1.0)).collect();
        let path = CameraPath::from_motions(&pan).extended(21, 5);
        assert_eq!(path.poses.len(), 21);
        assert!((path.pose(20).tx - 40.0).abs() < 1e-3 && (path.pose(20).ty + 20.0).abs() < 1e-3);
        let step = path.between(14, 15);
        assert!((step.tx - 2.0).abs() < 1e-3);
        assert_eq!(path.extended(5, 3).poses.len(), 5);
    }
}
