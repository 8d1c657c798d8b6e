//! From patches to a vector for each pixel of a level.

use super::FlowParams;
use super::patch::{self, Patch, Patches, SIDE};
use super::pyramid::Level;
use crate::rows::for_items;
use crate::simd;
use rayon::prelude::*;

/// Least weight of a patch without texture: it still speaks where nobody else does.
const LEAST_WEIGHT: f32 = 0.02;

/// Vectors and weights of a level, in px of that level.
pub(super) struct Dense {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) u: Vec<f32>,
    pub(super) v: Vec<f32>,
    pub(super) weight: Vec<f32>,
}

impl Dense {
    pub(super) fn still(width: usize, height: usize) -> Self {
        let zeros = || vec![0.0; width * height];
        Self { width, height, u: zeros(), v: zeros(), weight: zeros() }
    }

    /// Vector at the point (x, y) of the next finer level, in that level's px.
    #[inline(always)]
    pub(super) fn upsampled(&self, x: f32, y: f32) -> (f32, f32) {
        let gx = (x * 0.5 - 0.5).clamp(0.0, (self.width - 1) as f32) + 0.5;
        let gy = (y * 0.5 - 0.5).clamp(0.0, (self.height - 1) as f32) + 0.5;
        let at = gy as usize * self.width + gx as usize;
        (2.0 * self.u[at], 2.0 * self.v[at])
    }

    /// Vector at the pixel position (x, y) of this level, bilinear, clamped to the level.
    #[inline(always)]
    pub(super) fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let gx = x.clamp(0.0, (self.width - 1) as f32);
        let gy = y.clamp(0.0, (self.height - 1) as f32);
        let (i, j) = (gx as usize, gy as usize);
        let (fx, fy) = (gx - i as f32, gy - j as f32);
        let (i1, j1) = ((i + 1).min(self.width - 1), (j + 1).min(self.height - 1));
        let blend = |f: &[f32]| {
            let above = f[j * self.width + i] * (1.0 - fx) + f[j * self.width + i1] * fx;
            let below = f[j1 * self.width + i] * (1.0 - fx) + f[j1 * self.width + i1] * fx;
            above * (1.0 - fy) + below * fy
        };
        (blend(&self.u), blend(&self.v))
    }

    /// Normalised convolution with the binomial 1 4 6 4 1 both ways.
    pub(super) fn smoothed(self) -> Self {
        let (w, h) = (self.width, self.height);
        let mut packed: Vec<[f32; 4]> = vec![[0.0; 4]; w * h];
        for_items(
            &mut packed,
            w,
            #[inline(always)]
            |y, row| {
                for (x, out) in row.iter_mut().enumerate() {
                    let at = y * w + x;
                    let weight = self.weight[at];
                    *out = [self.u[at] * weight, self.v[at] * weight, weight, 0.0];
                }
            },
        );
        let down = binomial_rows(&packed, w, h);
        let mut out = vec![[0.0f32; 4]; w * h];
        for_items(
            &mut out,
            w,
            #[inline(always)]
            |y, row| {
                let line = &down[y * w..][..w];
                let at = |x: isize| line[x.clamp(0, w as isize - 1) as usize];
                for (x, out) in row.iter_mut().enumerate() {
                    let x = x as isize;
                    *out = binomial(at(x - 2), at(x - 1), at(x), at(x + 1), at(x + 2));
                }
            },
        );
        let mut dense = self;
        for (i, sum) in out.iter().enumerate() {
            if sum[2] > 0.0 {
                dense.u[i] = sum[0] / sum[2];
                dense.v[i] = sum[1] / sum[2];
            }
        }
        dense
    }
}

fn binomial_rows(src: &[[f32; 4]], w: usize, h: usize) -> Vec<[f32; 4]> {
    let mut out = vec![[0.0f32; 4]; w * h];
    for_items(
        &mut out,
        w,
        #[inline(always)]
        |y, row| {
            let line = |dy: isize| {
                let y = (y as isize + dy).clamp(0, h as isize - 1) as usize;
                &src[y * w..][..w]
            };
            let (a, b, c, d, e) = (line(-2), line(-1), line(0), line(1), line(2));
            for (x, out) in row.iter_mut().enumerate() {
                *out = binomial(a[x], b[x], c[x], d[x], e[x]);
            }
        },
    );
    out
}

#[inline(always)]
fn binomial(a: [f32; 4], b: [f32; 4], c: [f32; 4], d: [f32; 4], e: [f32; 4]) -> [f32; 4] {
    let mut out = [0.0; 4];
    for k in 0..4 {
        out[k] = (a[k] + e[k] + 4.0 * (b[k] + d[k]) + 6.0 * c[k]) * (1.0 / 16.0);
    }
    out
}

/// Each pixel takes the mean of the patches over it, weighted by texture and by how well the
/// patch's vector explains this very pixel.
pub(super) fn densify(from: &Level, to: &Level, patches: &Patches, params: FlowParams) -> Dense {
    let mut dense = Dense::still(from.width, from.height);
    let band = params.stride;
    let size = from.width * band;
    let chunks = dense
        .u
        .par_chunks_mut(size)
        .zip(dense.v.par_chunks_mut(size))
        .zip(dense.weight.par_chunks_mut(size));
    chunks.enumerate().for_each(|(index, ((u, v), weight))| {
        simd::widest(
            #[inline(always)]
            || {
                let top = index * band;
                let rows = top..(top + band).min(from.height);
                for j in 0..patches.rows {
                    let y = patch::start(j, from.height, params.stride);
                    if y >= rows.end || y + SIDE <= rows.start {
                        continue;
                    }
                    for i in 0..patches.columns {
                        let x = patch::start(i, from.width, params.stride);
                        let found = patches.items[j * patches.columns + i];
                        for row in rows.start.max(y)..rows.end.min(y + SIDE) {
                            let at = (row - top) * from.width + x;
                            let span = SIDE.min(from.width - x);
                            let lines = (
                                &mut u[at..][..span],
                                &mut v[at..][..span],
                                &mut weight[at..][..span],
                            );
                            add_row(from, to, found, (x, row), lines);
                        }
                    }
                }
                for ((u, v), w) in u.iter_mut().zip(v.iter_mut()).zip(weight.iter()) {
                    *u /= w.max(f32::MIN_POSITIVE);
                    *v /= w.max(f32::MIN_POSITIVE);
                }
            },
        );
    });
    dense
}

type Lines<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32]);

#[inline(always)]
fn add_row(from: &Level, to: &Level, found: Patch, (x, y): (usize, usize), lines: Lines<'_>) {
    let (at, fx, fy) = to.locate(x as f32 + found.u, y as f32 + found.v, SIDE);
    let above = &to.values[at..][..=SIDE];
    let below = &to.values[at + to.stride..][..=SIDE];
    let sought = &from.values[from.index(x, y)..][..SIDE];
    let texture = found.weight + LEAST_WEIGHT;
    let mut weights = [0.0f32; SIDE];
    for c in 0..SIDE {
        let up = above[c] + fx * (above[c + 1] - above[c]);
        let low = below[c] + fx * (below[c + 1] - below[c]);
        let d = (up + fy * (low - up) - sought[c] - found.offset).abs();
        weights[c] = texture / d.max(1.0);
    }
    for (((u, v), w), &weight) in lines.0.iter_mut().zip(lines.1).zip(lines.2).zip(&weights) {
        *u += weight * found.u;
        *v += weight * found.v;
        *w += weight;
    }
}
