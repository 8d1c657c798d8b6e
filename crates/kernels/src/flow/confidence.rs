//! How far a vector can be trusted, and what to put where it can't.

use super::dense::Dense;
use super::pyramid::{FlowImage, Level};
use crate::field::{FlowField, quantise};
use crate::plane::ShapeError;
use crate::rows::for_items;

/// Disagreement of the two directions, in px of the finest level, that halves the confidence.
const HALF_GAP: f32 = 0.5;

/// The same, as a part of the vector's length.
const HALF_GAP_RELATIVE: f32 = 0.05;

/// Difference in brightness that halves the confidence.
const HALF_RESIDUAL: f32 = 24.0;

/// Radius in cells over which vectors are taken from surer neighbours.
const FILL_RADIUS: usize = 6;

/// Confidence from both directions; unsure vectors are filled.
pub(super) fn resolve(
    a: &FlowImage,
    b: &FlowImage,
    there: &Dense,
    back: &Dense,
) -> Result<FlowField, ShapeError> {
    let confidence = measure(&a.levels()[0], &b.levels()[0], there, Some(back));
    finish(a, there, &confidence)
}

/// Confidence from the residual alone.
pub(super) fn one_way(
    a: &FlowImage,
    b: &FlowImage,
    there: &Dense,
) -> Result<FlowField, ShapeError> {
    let confidence = measure(&a.levels()[0], &b.levels()[0], there, None);
    finish(a, there, &confidence)
}

/// 0 to 1 for each cell; 0 where the vector leaves the frame.
fn measure(from: &Level, to: &Level, there: &Dense, back: Option<&Dense>) -> Vec<f32> {
    let (w, h) = (there.width, there.height);
    let mut out = vec![0.0f32; w * h];
    for_items(
        &mut out,
        w,
        #[inline(always)]
        |y, row| {
            for (x, out) in row.iter_mut().enumerate() {
                let (u, v) = (there.u[y * w + x], there.v[y * w + x]);
                let (x1, y1) = (x as f32 + u, y as f32 + v);
                let inside =
                    x1 >= -0.5 && y1 >= -0.5 && x1 <= w as f32 - 0.5 && y1 <= h as f32 - 0.5;
                if !inside {
                    continue;
                }
                let d = (to.sample(x1, y1) - from.values[from.index(x, y)]).abs() / HALF_RESIDUAL;
                let mut doubt = d * d;
                if let Some(back) = back {
                    let (bu, bv) = back.at(x1, y1);
                    let gap = (u + bu) * (u + bu) + (v + bv) * (v + bv);
                    let allowed = HALF_GAP + HALF_GAP_RELATIVE * (u * u + v * v).sqrt();
                    let ratio = gap / (allowed * allowed);
                    doubt += ratio * ratio;
                }
                *out = 1.0 / (1.0 + doubt);
            }
        },
    );
    out
}

/// Blends each vector with the mean of its sure neighbours as far as it is unsure itself.
fn finish(a: &FlowImage, dense: &Dense, confidence: &[f32]) -> Result<FlowField, ShapeError> {
    let (w, h) = (dense.width, dense.height);
    let fill = fill(dense, confidence);
    let scale = 1usize << a.params().finest;
    let mut vectors = vec![[0i16; 2]; w * h];
    for (i, out) in vectors.iter_mut().enumerate() {
        let c = confidence[i];
        let [fu, fv, sum] = fill[i];
        let (mut u, mut v) = (dense.u[i], dense.v[i]);
        if sum > 1e-3 {
            u = c * u + (1.0 - c) * fu / sum;
            v = c * v + (1.0 - c) * fv / sum;
        }
        *out = [quantise(u * scale as f32), quantise(v * scale as f32)];
    }
    let confidence = confidence.iter().map(|c| (c * 255.0 + 0.5) as u8).collect();
    FlowField::from_parts(a.frame(), scale, vectors, confidence)
}

/// Box sums of u, v and 1, weighted by confidence squared.
fn fill(dense: &Dense, confidence: &[f32]) -> Vec<[f32; 3]> {
    let (w, h) = (dense.width, dense.height);
    let r = FILL_RADIUS as isize;
    let mut across = vec![[0.0f32; 3]; w * h];
    for_items(
        &mut across,
        w,
        #[inline(always)]
        |y, row| {
            let term = |x: isize| {
                if x < 0 || x >= w as isize {
                    return [0.0; 3];
                }
                let i = y * w + x as usize;
                let c = confidence[i] * confidence[i];
                [c * dense.u[i], c * dense.v[i], c]
            };
            let mut sum = [0.0f32; 3];
            for x in -r..r {
                add(&mut sum, term(x), 1.0);
            }
            for (x, out) in row.iter_mut().enumerate() {
                add(&mut sum, term(x as isize + r), 1.0);
                *out = sum;
                add(&mut sum, term(x as isize - r), -1.0);
            }
        },
    );
    let mut out = vec![[0.0f32; 3]; w * h];
    let mut sums = vec![[0.0f32; 3]; w];
    for y in -r..h as isize {
        if y + r < h as isize {
            let enter = &across[(y + r) as usize * w..][..w];
            sums.iter_mut().zip(enter).for_each(|(sum, &term)| add(sum, term, 1.0));
        }
        if y >= 0 {
            out[y as usize * w..][..w].copy_from_slice(&sums);
        }
        if y - r >= 0 {
            let leave = &across[(y - r) as usize * w..][..w];
            sums.iter_mut().zip(leave).for_each(|(sum, &term)| add(sum, term, -1.0));
        }
    }
    out
}

#[inline(always)]
fn add(sum: &mut [f32; 3], term: [f32; 3], sign: f32) {
    for k in 0..3 {
        sum[k] += sign * term[k];
    }
}
