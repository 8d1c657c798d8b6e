//! Shot boundaries.
//!
//! A hard cut changes histogram and picture from one frame to the next and keeps the change two
//! frames later, which a flash does not. A dissolve changes little from frame to frame; it is seen
//! over a gap: the ends differ like two shots, and the middle is the mean of both, which neither a
//! pan nor a moving subject produces.

use crate::frame::Yuv420Ref;
use crate::plane::{Plane, PlaneRef};
use crate::resize::{self, Filter};

/// Size of the picture kept of each frame.
const THUMB: (usize, usize) = (48, 27);

const LUMA_BINS: usize = 32;
const CHROMA_BINS: usize = 8;

/// Distance (0 to 1) from which two frames belong to different shots.
const CUT: f32 = 0.30;

/// A cut must stand out from its neighbourhood by this factor.
const STANDS_OUT: f32 = 2.5;

/// Frames on each side that count as the neighbourhood.
const NEIGHBOURHOOD: usize = 4;

/// Gaps in frames over which a dissolve is looked for.
const GAPS: [usize; 5] = [2, 4, 8, 16, 24];

/// Largest difference of the middle from the mean of the ends, as a part of the ends' difference.
const BLEND_RESIDUAL: f32 = 0.11;

/// Least mean difference of a dissolve's ends in codes.
const LEAST_CHANGE: f32 = 4.0;

/// What is remembered of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    luma: Vec<u32>,
    chroma: Vec<u32>,
    thumb: [Plane; 3],
}

/// How one shot gives way to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// From one frame to the next.
    Hard,
    /// Over several frames.
    Dissolve,
}

/// A shot boundary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// First frame of the new shot; the middle of a dissolve.
    pub frame: usize,
    /// Hard or dissolve.
    pub kind: CutKind,
    /// Distance of the two shots, 0 to 1.
    pub score: f32,
}

// === impl Features ===

impl Features {
    /// Of a frame of any size; small ones are enough.
    pub fn of(frame: Yuv420Ref<'_>) -> Self {
        let small = |plane: PlaneRef<'_>| {
            let mut data = Plane::of_size(Vec::new(), THUMB);
            resize::plane(plane, &mut data.as_mut(), Filter::Area);
            data
        };
        let mut luma = vec![0u32; LUMA_BINS];
        for row in frame.y().rows() {
            for &v in row {
                luma[usize::from(v) * LUMA_BINS / 256] += 1;
            }
        }
        let mut chroma = vec![0u32; CHROMA_BINS * CHROMA_BINS];
        for (u, v) in frame.u().rows().zip(frame.v().rows()) {
            for (&u, &v) in u.iter().zip(v) {
                chroma[chroma_bin(u) * CHROMA_BINS + chroma_bin(v)] += 1;
            }
        }
        Self { luma, chroma, thumb: frame.planes().map(small) }
    }

    /// 0 for equal frames, towards 1 for frames that share nothing.
    pub fn distance(&self, other: &Self) -> f32 {
        let luma = histogram_distance(&self.luma, &other.luma);
        let chroma = histogram_distance(&self.chroma, &other.chroma);
        let picture = (self.difference(other) / 48.0).min(1.0);
        (0.35 * luma + 0.35 * chroma + 0.3 * picture).min(1.0)
    }

    /// Mean absolute difference of the small pictures, in codes.
    fn difference(&self, other: &Self) -> f32 {
        let mut sum = 0u32;
        for (a, b) in self.thumb.iter().zip(&other.thumb) {
            for (&a, &b) in a.data().iter().zip(b.data()) {
                sum += u32::from(a.abs_diff(b));
            }
        }
        sum as f32 / (3 * THUMB.0 * THUMB.1) as f32 * 2.0
    }

    /// Mean absolute difference from the blend `a + t (b - a)`, in the codes of `difference`.
    fn blend_residual(&self, a: &Self, b: &Self, t: f32) -> f32 {
        let mut sum = 0.0f32;
        for k in 0..3 {
            let ends = a.thumb[k].data().iter().zip(b.thumb[k].data());
            for (&middle, (&a, &b)) in self.thumb[k].data().iter().zip(ends) {
                let (a, b) = (f32::from(a), f32::from(b));
                sum += (f32::from(middle) - a - t * (b - a)).abs();
            }
        }
        sum / (3 * THUMB.0 * THUMB.1) as f32 * 2.0
    }
}

/// Bins are fine about grey, where most chroma lies.
fn chroma_bin(code: u8) -> usize {
    const EDGES: [u8; CHROMA_BINS - 1] = [88, 108, 120, 128, 136, 148, 168];
    EDGES.iter().filter(|&&edge| code >= edge).count()
}

/// Half the sum of differences between neighbouring-bin-smoothed shares: 0 to 1. Smoothing keeps a
/// slight change of exposure from looking like another shot.
fn histogram_distance(a: &[u32], b: &[u32]) -> f32 {
    let share = |h: &[u32]| -> Vec<f32> {
        let total = h.iter().sum::<u32>().max(1) as f32;
        let at = |i: isize| h[i.clamp(0, h.len() as isize - 1) as usize] as f32;
        (0..h.len() as isize)
            .map(|i| (at(i - 1) + 2.0 * at(i) + at(i + 1)) / (4.0 * total))
            .collect()
    };
    let sum: f32 = share(a).iter().zip(share(b)).map(|(a, b)| (a - b).abs()).sum();
    (0.5 * sum).min(1.0)
}

/// Boundaries of a sequence of frames, in order.
pub fn find(frames: &[Features]) -> Vec<Cut> {
    let steps: Vec<f32> = frames.windows(2).map(|pair| pair[0].distance(&pair[1])).collect();
    let single = (0..steps.len()).filter_map(|i| hard(frames, &steps, i));
    let mut cuts = joined(&single.collect::<Vec<_>>());
    let slow: Vec<Slow> = GAPS.iter().flat_map(|&gap| slow_changes(frames, &cuts, gap)).collect();
    cuts.extend(dissolves(slow));
    cuts.sort_by_key(|cut| cut.frame);
    cuts
}

/// Cuts at frames in a row are one quick dissolve.
fn joined(cuts: &[Cut]) -> Vec<Cut> {
    cuts.chunk_by(|a, b| b.frame == a.frame + 1)
        .filter_map(|run| match run {
            [] => None,
            [cut] => Some(*cut),
            [first, .., last] => Some(Cut {
                frame: usize::midpoint(first.frame, last.frame),
                kind: CutKind::Dissolve,
                score: run.iter().fold(0.0, |score, cut| cut.score.max(score)),
            }),
        })
        .collect()
}

/// The step from frame `i` to the next, if it is a cut.
fn hard(frames: &[Features], steps: &[f32], i: usize) -> Option<Cut> {
    let score = steps[i];
    let from = i.saturating_sub(NEIGHBOURHOOD);
    let to = (i + NEIGHBOURHOOD + 1).min(steps.len());
    let mut around: Vec<f32> = (from..to).filter(|&k| k != i).map(|k| steps[k]).collect();
    around.sort_by(f32::total_cmp);
    let usual = around.get(around.len() / 2).copied().unwrap_or(0.0);
    if score < CUT || score < STANDS_OUT * usual {
        return None;
    }
    let flash_ends = i > 0 && i + 1 < frames.len() && {
        let across = frames[i - 1].distance(&frames[i + 1]);
        steps[i - 1] >= CUT && across < 0.5 * score
    };
    let flash_starts = i + 2 < frames.len() && {
        let across = frames[i].distance(&frames[i + 2]);
        steps[i + 1] >= CUT && across < 0.5 * score
    };
    if flash_starts || flash_ends {
        return None;
    }
    Some(Cut { frame: i + 1, kind: CutKind::Hard, score })
}

/// A stretch of frames that looks like a part of a dissolve.
struct Slow {
    start: usize,
    end: usize,
    score: f32,
}

/// One dissolve for each group of stretches that overlap, in the middle of the strongest.
fn dissolves(mut slow: Vec<Slow>) -> Vec<Cut> {
    slow.sort_by_key(|part| (part.start, part.end));
    let mut reach = 0;
    let mut found: Vec<Cut> = Vec::new();
    for part in slow {
        let middle = usize::midpoint(part.start, part.end);
        let cut = Cut { frame: middle, kind: CutKind::Dissolve, score: part.score };
        match found.last_mut() {
            Some(last) if part.start <= reach => {
                if cut.score > last.score {
                    *last = cut;
                }
            }
            _ => found.push(cut),
        }
        reach = reach.max(part.end);
    }
    found
}

/// Stretches of `gap` frames, away from known cuts, whose frames are blends of their ends.
fn slow_changes(frames: &[Features], known: &[Cut], gap: usize) -> Vec<Slow> {
    let is_blend = |start: usize| {
        let end = start + gap;
        if known.iter().any(|cut| cut.frame + gap / 2 >= start && cut.frame <= end + gap / 2) {
            return None;
        }
        let (a, b) = (&frames[start], &frames[end]);
        let (score, whole) = (a.distance(b), a.difference(b));
        if score < CUT || whole < LEAST_CHANGE {
            return None;
        }
        let misses = |part: usize, allowed: f32| {
            let t = part as f32 / gap as f32;
            frames[start + part].blend_residual(a, b, t) > allowed * whole
        };
        let blended = !misses(gap / 2, BLEND_RESIDUAL)
            && !misses(gap / 4, 2.0 * BLEND_RESIDUAL)
            && !misses(gap - gap / 4, 2.0 * BLEND_RESIDUAL);
        blended.then_some(Slow { start, end, score })
    };
    (0..frames.len().saturating_sub(gap)).filter_map(is_blend).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Yuv420, chroma_size};
    use crate::hash;

    const SIZE: (usize, usize) = (160, 90);

    /// Smooth noise in a colour range, looked at from `shift` px to the right.
    fn scene(seed: u64, shift: usize) -> Yuv420 {
        let value = move |x: usize, y: usize, k: u64, cell: usize| {
            let at = |i: usize, j: usize| {
                f64::from(hash::unit(hash::mix(seed * 1000 + k + (((i as u64) << 32) + j as u64))))
            };
            let (i, j) = (x / cell, y / cell);
            let (fx, fy) = ((x % cell) as f64 / cell as f64, (y % cell) as f64 / cell as f64);
            let above = at(i, j) * (1.0 - fx) + at(i + 1, j) * fx;
            let below = at(i, j + 1) * (1.0 - fx) + at(i + 1, j + 1) * fx;
            above * (1.0 - fy) + below * fy
        };
        let bright = if seed.is_multiple_of(2) { 40.0 } else { 90.0 };
        let tint = if seed.is_multiple_of(2) { 100.0 } else { 140.0 };
        let luma = Plane::from_fn(SIZE.0, SIZE.1, |x, y| {
            (bright + 90.0 * value(x + shift, y, 1, 12)) as u8
        });
        let (cw, ch) = chroma_size(SIZE);
        let chroma = |k: u64| {
            Plane::from_fn(cw, ch, |x, y| (tint + 20.0 * value(x + shift / 2, y, k, 9)) as u8)
        };
        Yuv420::from_planes(luma.unwrap(), chroma(2).unwrap(), chroma(3).unwrap()).unwrap()
    }

    fn mixed(a: &Yuv420, b: &Yuv420, t: f32) -> Yuv420 {
        let mut out = a.clone();
        crate::interpolate::blend(a.as_ref(), b.as_ref(), t, &mut out.as_mut()).unwrap();
        out
    }

    fn features(frames: impl IntoIterator<Item = Yuv420>) -> Vec<Features> {
        frames.into_iter().map(|f| Features::of(f.as_ref())).collect()
    }

    #[test]
    fn a_hard_cut_is_found_where_it_is() {
        let frames = features((0..30).map(|t| scene(if t < 13 { 2 } else { 5 }, 2 * t)));
        let cuts = find(&frames);
        assert_eq!(cuts.len(), 1, "{cuts:?}");
        assert_eq!((cuts[0].frame, cuts[0].kind), (13, CutKind::Hard));
    }

    #[test]
    fn a_dissolve_is_found_near_its_middle() {
        for length in [4usize, 8, 16, 24] {
            let frames = features((0..70).map(|t| {
                let part = ((t as f32 - 25.0) / length as f32).clamp(0.0, 1.0);
                mixed(&scene(2, t), &scene(5, t), part)
            }));
            let cuts = find(&frames);
            assert_eq!(cuts.len(), 1, "{length}: {cuts:?}");
            let middle = 25 + length / 2;
            assert_eq!(cuts[0].kind, CutKind::Dissolve);
            assert!(cuts[0].frame.abs_diff(middle) <= 1 + length / 3, "{length}: {cuts:?}");
        }
    }

    #[test]
    fn neither_a_pan_nor_a_flash_is_a_cut() {
        for speed in [1, 4, 9] {
            let pan = features((0..60).map(|t| scene(2, speed * t)));
            assert_eq!(find(&pan), [], "{speed} px a frame");
        }
        let white = Yuv420::new(SIZE.0, SIZE.1, [235, 128, 128]).unwrap();
        let flash = features((0..20).map(|t| if t == 9 { white.clone() } else { scene(2, t) }));
        assert_eq!(find(&flash), []);
    }
}
