//! The inverse search of one patch (Lucas-Kanade, inverse compositional; Baker and Matthews 2004).

use super::FlowParams;
use super::dense::Dense;
use super::pyramid::Level;
use crate::rows::for_items;

/// Side of a patch in px of its level.
pub(super) const SIDE: usize = 8;

const AREA: f32 = (SIDE * SIDE) as f32;

/// Added to the Hessian's diagonal, so that a flat patch stays where it started.
const DAMPING: f32 = 16.0;

/// A step shorter than this (px of the level) ends the search.
const SHORTEST_STEP: f32 = 0.01;

/// A step makes no sense beyond this length (px of the level).
const LONGEST_STEP: f32 = 4.0;

/// The patch's eigenvalue at which its weight is one half.
const HALF_TEXTURE: f32 = 400.0;

/// From the corner of a patch to its centre.
const HALF: f32 = SIDE as f32 / 2.0;
/// Where the starts of a patch are read, from its centre.
const AROUND: [(f32, f32); 5] = [
    (0.0, 0.0),
    (-(SIDE as f32), 0.0),
    (SIDE as f32, 0.0),
    (0.0, -(SIDE as f32)),
    (0.0, SIDE as f32),
];

/// Grid of patches over a level.
pub(super) struct Patches {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) items: Vec<Patch>,
}

/// Where a patch of the first image was found in the second.
#[derive(Clone, Copy, Default)]
pub(super) struct Patch {
    pub(super) u: f32,
    pub(super) v: f32,
    /// 0 to 1, from the texture.
    pub(super) weight: f32,
    /// Mean brightness of the found patch over the patch sought.
    pub(super) offset: f32,
}

/// The patch sought, its gradients and their sums.
struct Template {
    values: [[f32; SIDE]; SIDE],
    dx: [[f32; SIDE]; SIDE],
    dy: [[f32; SIDE]; SIDE],
    sum_dx: f32,
    sum_dy: f32,
    /// Inverse of the damped, mean-free Hessian: xx, xy, yy.
    inverse: [f32; 3],
    weight: f32,
}

/// Sums over one comparison.
#[derive(Clone, Copy)]
struct Residual {
    /// Mean-free sum of squares.
    energy: f32,
    mean: f32,
    bx: f32,
    by: f32,
}

/// Number of patches along `length` px, `stride` apart, the last one flush with the border.
pub(super) fn count(length: usize, stride: usize) -> usize {
    length.saturating_sub(SIDE).div_ceil(stride) + 1
}

/// First px of patch `i`.
pub(super) fn start(i: usize, length: usize, stride: usize) -> usize {
    (i * stride).min(length.saturating_sub(SIDE))
}

pub(super) fn search(
    from: &Level,
    to: &Level,
    coarser: Option<&Dense>,
    params: FlowParams,
) -> Patches {
    let columns = count(from.width, params.stride);
    let rows = count(from.height, params.stride);
    let mut items = vec![Patch::default(); columns * rows];
    for_items(
        &mut items,
        columns,
        #[inline(always)]
        |j, row| {
            let y = start(j, from.height, params.stride);
            for (i, out) in row.iter_mut().enumerate() {
                let x = start(i, from.width, params.stride);
                *out = search_one(from, to, coarser, (x, y), params.iterations);
            }
        },
    );
    Patches { columns, rows, items }
}

#[inline(always)]
fn search_one(
    from: &Level,
    to: &Level,
    coarser: Option<&Dense>,
    (x, y): (usize, usize),
    iterations: usize,
) -> Patch {
    let template = Template::new(from, x, y);
    let origin = (x as f32, y as f32);
    let (start, mut residual) = best_start(&template, to, coarser, origin);
    let (mut u, mut v) = start;
    for _ in 0..iterations {
        let [xx, xy, yy] = template.inverse;
        let du = (xx * residual.bx + xy * residual.by).clamp(-LONGEST_STEP, LONGEST_STEP);
        let dv = (xy * residual.bx + yy * residual.by).clamp(-LONGEST_STEP, LONGEST_STEP);
        let next = template.compare(to, origin.0 + u - du, origin.1 + v - dv);
        if next.energy >= residual.energy {
            break;
        }
        (u, v, residual) = (u - du, v - dv, next);
        if du.abs().max(dv.abs()) < SHORTEST_STEP {
            break;
        }
    }
    let moved = (u - start.0).abs().max((v - start.1).abs());
    if moved > SIDE as f32 {
        (u, v) = start;
        residual = template.compare(to, origin.0 + u, origin.1 + v);
    }
    Patch { u, v, weight: template.weight, offset: residual.mean }
}

/// The best of the coarser level's vectors in and around the patch.
#[inline(always)]
fn best_start(
    template: &Template,
    to: &Level,
    coarser: Option<&Dense>,
    (x, y): (f32, f32),
) -> ((f32, f32), Residual) {
    let Some(coarser) = coarser else {
        return ((0.0, 0.0), template.compare(to, x, y));
    };
    let mut best: Option<((f32, f32), Residual)> = None;
    for (dx, dy) in AROUND {
        let (u, v) = coarser.upsampled(x + HALF + dx, y + HALF + dy);
        if let Some((kept, _)) = best
            && (u - kept.0).abs().max((v - kept.1).abs()) < 0.25
        {
            continue;
        }
        let residual = template.compare(to, x + u, y + v);
        if best.is_none_or(|(_, kept)| residual.energy < kept.energy) {
            best = Some(((u, v), residual));
        }
    }
    best.unwrap_or_else(|| ((0.0, 0.0), template.compare(to, x, y)))
}

impl Template {
    #[inline(always)]
    fn new(level: &Level, x: usize, y: usize) -> Self {
        let at = level.index(x, y);
        let values = block(&level.values, at, level.stride);
        let dx = block(&level.dx, at, level.stride);
        let dy = block(&level.dy, at, level.stride);
        let (mut sx, mut sy) = ([0.0; SIDE], [0.0; SIDE]);
        let (mut sxx, mut sxy, mut syy) = ([0.0; SIDE], [0.0; SIDE], [0.0; SIDE]);
        for r in 0..SIDE {
            for c in 0..SIDE {
                sx[c] += dx[r][c];
                sy[c] += dy[r][c];
                sxx[c] += dx[r][c] * dx[r][c];
                sxy[c] += dx[r][c] * dy[r][c];
                syy[c] += dy[r][c] * dy[r][c];
            }
        }
        let (sum_dx, sum_dy) = (total(sx), total(sy));
        let xx = total(sxx) - sum_dx * sum_dx / AREA;
        let xy = total(sxy) - sum_dx * sum_dy / AREA;
        let yy = total(syy) - sum_dy * sum_dy / AREA;
        let half_trace = 0.5 * (xx + yy);
        let spread = (0.25 * (xx - yy) * (xx - yy) + xy * xy).sqrt();
        let smaller = (half_trace - spread).max(0.0);
        let (xx, yy) = (xx + DAMPING, yy + DAMPING);
        let determinant = xx * yy - xy * xy;
        Self {
            values,
            dx,
            dy,
            sum_dx,
            sum_dy,
            inverse: [yy / determinant, -xy / determinant, xx / determinant],
            weight: smaller / (smaller + HALF_TEXTURE),
        }
    }

    /// Compares with the patch of `to` whose top left corner is (x, y).
    #[inline(always)]
    fn compare(&self, to: &Level, x: f32, y: f32) -> Residual {
        let (at, fx, fy) = to.locate(x, y, SIDE);
        let (w00, w01) = ((1.0 - fx) * (1.0 - fy), fx * (1.0 - fy));
        let (w10, w11) = ((1.0 - fx) * fy, fx * fy);
        let (mut s, mut ss) = ([0.0f32; SIDE], [0.0f32; SIDE]);
        let (mut sx, mut sy) = ([0.0f32; SIDE], [0.0f32; SIDE]);
        for r in 0..SIDE {
            let above = &to.values[at + r * to.stride..][..=SIDE];
            let below = &to.values[at + (r + 1) * to.stride..][..=SIDE];
            for c in 0..SIDE {
                let found =
                    w00 * above[c] + w01 * above[c + 1] + w10 * below[c] + w11 * below[c + 1];
                let d = found - self.values[r][c];
                s[c] += d;
                ss[c] += d * d;
                sx[c] += d * self.dx[r][c];
                sy[c] += d * self.dy[r][c];
            }
        }
        let mean = total(s) / AREA;
        Residual {
            energy: total(ss) - mean * mean * AREA,
            mean,
            bx: total(sx) - mean * self.sum_dx,
            by: total(sy) - mean * self.sum_dy,
        }
    }
}

#[inline(always)]
fn block(data: &[f32], at: usize, stride: usize) -> [[f32; SIDE]; SIDE] {
    let mut out = [[0.0; SIDE]; SIDE];
    for (r, row) in out.iter_mut().enumerate() {
        row.copy_from_slice(&data[at + r * stride..][..SIDE]);
    }
    out
}

/// Sum of the lanes in a fixed order.
#[inline(always)]
fn total(lanes: [f32; SIDE]) -> f32 {
    let half = [lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7]];
    (half[0] + half[2]) + (half[1] + half[3])
}
