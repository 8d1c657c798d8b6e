//! Variational refinement of a level's vectors.
//!
//! After Brox, Bruhn, Papenberg, Weickert, "High Accuracy Optical Flow Estimation Based on a Theory
//! for Warping", ECCV 2004, with the normalised data terms of Zimmer, Bruhn, Weickert, "Optic Flow
//! in Harmony", IJCV 2011: brightness and its gradient stay the same along the motion, neighbours
//! move alike, and a breach costs as its length, not its square, so that motion may have borders.
//!
//! One warp, a few rounds of weights, each with a few over-relaxed sweeps over the even and the odd
//! rows in turn. A row reads the new values of the other parity and the old ones of its own, so
//! that its pixels don't wait for each other and neither do its rows.

use super::dense::Dense;
use super::pyramid::Level;
use crate::rows::for_items;

/// Price of a change in brightness, for each code of 255.
const BRIGHTNESS: f32 = 5.0;

/// Price of a change in the gradient of brightness.
const GRADIENT: f32 = 5.0;

/// Price of neighbours that move apart, for each px of the level.
const SMOOTHNESS: f32 = 10.0;

/// Squared gradient below which a data term says little.
const FLAT: f32 = 0.1;

/// Squared length below which a breach costs as its square.
const ROUND: f32 = 1e-4;

const ROUNDS: usize = 3;
const SWEEPS: usize = 8;

/// How far a sweep goes along the step that it has found.
const RELAXATION: f32 = 1.4;

/// `N` numbers for each pixel, row after row, number after number, with a border of one px.
struct Sheet<const N: usize> {
    stride: usize,
    height: usize,
    data: Vec<f32>,
}

/// Both components of the vectors, even rows and odd rows apart.
type Zebra = [Sheet<2>; 2];

/// Brightness and its gradient along the motion, linear about where the warp was made.
struct Data {
    /// Change in time of brightness and of its gradient (t, xt, yt); 1 where the motion stays
    /// inside the level, else 0.
    time: Sheet<4>,
    /// Gradient of brightness: x, y.
    slope: Sheet<2>,
    /// Gradient of the gradient: xx, xy, yy.
    bend: Sheet<3>,
}

/// What a pixel's new vector is made of.
struct System {
    /// Ties to the neighbour on the right and to the one below.
    ties: Sheet<2>,
    /// Right sides of the two equations, inverse of their symmetric matrix (xx, xy, yy).
    equations: Sheet<5>,
}

/// The vectors of a level after refinement; their weights stay.
pub(super) fn refine(from: &Level, to: &Level, mut dense: Dense) -> Dense {
    let (w, h) = (dense.width, dense.height);
    let data = Data::new(from, to, &dense);
    let half = (w, h.div_ceil(2));
    let mut vectors = [0, 1].map(|parity| {
        let mut rows = Sheet::new(half);
        rows.fill(
            #[inline(always)]
            |line, [u, v]| {
                let y = (2 * line + parity).min(h - 1);
                u.copy_from_slice(&dense.u[y * w..][..w]);
                v.copy_from_slice(&dense.v[y * w..][..w]);
            },
        );
        rows
    });
    let mut spare = Sheet::new(half);
    let mut system = System { ties: Sheet::new((w, h)), equations: Sheet::new((w, h)) };
    for _ in 0..ROUNDS {
        system.weigh(&data, &dense, &vectors);
        for parity in [0, 1].repeat(SWEEPS) {
            system.sweep(&vectors, parity, &mut spare);
            std::mem::swap(&mut vectors[parity], &mut spare);
        }
    }
    for y in 0..h {
        let [u, v] = vectors[y % 2].inner(y / 2, 0);
        dense.u[y * w..][..w].copy_from_slice(u);
        dense.v[y * w..][..w].copy_from_slice(v);
    }
    dense
}

// === impl Sheet ===

impl<const N: usize> Sheet<N> {
    fn new((width, height): (usize, usize)) -> Self {
        let stride = width + 2;
        Self { stride, height, data: vec![0.0; N * stride * (height + 2)] }
    }

    /// `write(y, lines)` fills the `N` lines of row `y`; borders repeat what is next to them.
    fn fill(&mut self, write: impl Fn(usize, [&mut [f32]; N]) + Sync) {
        let (stride, height) = (self.stride, self.height);
        for_items(
            &mut self.data,
            N * stride,
            #[inline(always)]
            |row, values| {
                let mut lines = values.chunks_exact_mut(stride);
                let lines = std::array::from_fn(
                    #[inline(always)]
                    |_| lines.next().map_or(&mut [][..], |line| &mut line[1..stride - 1]),
                );
                write(row.clamp(1, height) - 1, lines);
                for line in values.chunks_exact_mut(stride) {
                    line[0] = line[1];
                    line[stride - 1] = line[stride - 2];
                }
            },
        );
    }

    /// The lines of row `y` (-1 to the height) with their borders.
    #[inline(always)]
    fn lines(&self, y: isize) -> [&[f32]; N] {
        let row = &self.data[(y + 1) as usize * N * self.stride..][..N * self.stride];
        std::array::from_fn(
            #[inline(always)]
            |k| &row[k * self.stride..][..self.stride],
        )
    }

    /// The lines of the row `down` rows below `y`, without their borders at the sides.
    #[inline(always)]
    fn inner(&self, y: usize, down: usize) -> [&[f32]; N] {
        self.lines((y + down) as isize).map(
            #[inline(always)]
            |line| &line[1..line.len() - 1],
        )
    }
}

// === impl Data ===

impl Data {
    fn new(from: &Level, to: &Level, dense: &Dense) -> Self {
        let size = (dense.width, dense.height);
        let w = size.0;
        let mut mean_and_change = Sheet::<2>::new(size);
        mean_and_change.fill(
            #[inline(always)]
            |y, [mean, change]| {
                let here = &from.values[from.index(0, y)..][..w];
                let [u, v] = [&dense.u, &dense.v].map(|c| &c[y * w..][..w]);
                let (mean, change) = (&mut mean[..w], &mut change[..w]);
                for x in 0..w {
                    let there = to.sample(x as f32 + u[x], y as f32 + v[x]);
                    mean[x] = 0.5 * (here[x] + there);
                    change[x] = there - here[x];
                }
            },
        );
        let mut slope = Sheet::<2>::new(size);
        slope.fill(
            #[inline(always)]
            |y, [sx, sy]| gradient(&mean_and_change, 0, y, sx, sy),
        );
        let mut bend = Sheet::<3>::new(size);
        bend.fill(
            #[inline(always)]
            |y, [xx, xy, yy]| {
                gradient(&slope, 1, y, xy, yy);
                gradient_x(slope.lines(y as isize)[0], xx);
            },
        );
        let mut time = Sheet::<4>::new(size);
        time.fill(
            #[inline(always)]
            |y, [t, xt, yt, seen]| {
                t.copy_from_slice(mean_and_change.inner(y, 0)[1]);
                gradient(&mean_and_change, 1, y, xt, yt);
                let [u, v] = [&dense.u, &dense.v].map(|c| &c[y * w..][..w]);
                let seen = &mut seen[..w];
                for x in 0..w {
                    let inside = stays(x, u[x], w) && stays(y, v[x], size.1);
                    seen[x] = if inside { 1.0 } else { 0.0 };
                }
            },
        );
        Self { time, slope, bend }
    }
}

#[inline(always)]
fn stays(from: usize, by: f32, length: usize) -> bool {
    let to = from as f32 + by;
    to >= -0.5 && to <= length as f32 - 0.5
}

/// Half the differences of the neighbours of line `k`.
#[inline(always)]
fn gradient<const N: usize>(of: &Sheet<N>, k: usize, y: usize, dx: &mut [f32], dy: &mut [f32]) {
    let y = y as isize;
    gradient_x(of.lines(y)[k], dx);
    let (above, below) = (&of.lines(y - 1)[k][1..], &of.lines(y + 1)[k][1..]);
    for ((out, a), b) in dy.iter_mut().zip(above).zip(below) {
        *out = 0.5 * (b - a);
    }
}

#[inline(always)]
fn gradient_x(line: &[f32], dx: &mut [f32]) {
    for (out, near) in dx.iter_mut().zip(line.windows(3)) {
        *out = 0.5 * (near[2] - near[0]);
    }
}

// === impl System ===

impl System {
    /// Weights and equations about the present vectors.
    fn weigh(&mut self, data: &Data, dense: &Dense, vectors: &Zebra) {
        let size = (dense.width, dense.height);
        let mut ease = Sheet::<1>::new(size);
        ease.fill(
            #[inline(always)]
            |y, [out]| {
                let below = lines_of(vectors, (y + 1).min(size.1 - 1));
                ease_row(lines_of(vectors, y), below, out);
            },
        );
        self.ties.fill(
            #[inline(always)]
            |y, [right, below]| {
                let ([here], [next]) = (ease.lines(y as isize), ease.inner(y, 1));
                let w = right.len();
                let (here, beside) = (&here[1..=w], &here[2..][..w]);
                for x in 0..w {
                    right[x] = 0.5 * (here[x] + beside[x]);
                    below[x] = 0.5 * (here[x] + next[x]);
                }
            },
        );
        let ties = &self.ties;
        self.equations.fill(
            #[inline(always)]
            |y, out| {
                let w = size.0;
                let start = [&dense.u, &dense.v].map(|c| &c[y * w..][..w]);
                equation_row(data, y, start, lines_of(vectors, y), &Around::new(ties, y), out);
            },
        );
    }

    /// The rows of one parity as their equations want them, given the other parity.
    fn sweep(&self, vectors: &Zebra, parity: usize, to: &mut Sheet<2>) {
        let own = &vectors[parity];
        let h = self.ties.height;
        to.fill(
            #[inline(always)]
            |line, new| {
                let y = (2 * line + parity).min(h - 1);
                let here = own.lines(line as isize);
                let above = if y == 0 { here } else { lines_of(vectors, y - 1) };
                let below = if y + 1 == h { here } else { lines_of(vectors, y + 1) };
                let around = Around::new(&self.ties, y);
                let equations = self.equations.inner(y, 0);
                sweep_row(equations, &around, [here, above, below], new);
            },
        );
    }
}

/// The lines of row `y` of vectors whose even and odd rows are apart.
#[inline(always)]
fn lines_of(vectors: &Zebra, y: usize) -> [&[f32]; 2] {
    vectors[y % 2].lines((y / 2) as isize)
}

/// A row's ties to its neighbours, as long as the row.
struct Around<'a> {
    left: &'a [f32],
    right: &'a [f32],
    above: &'a [f32],
    below: &'a [f32],
}

impl<'a> Around<'a> {
    #[inline(always)]
    fn new(ties: &'a Sheet<2>, y: usize) -> Self {
        let ([across, below], [_, above]) = (ties.lines(y as isize), ties.lines(y as isize - 1));
        let w = across.len() - 2;
        Self {
            left: &across[..w],
            right: &across[1..=w],
            above: &above[1..=w],
            below: &below[1..=w],
        }
    }
}

/// How dear it is that the vectors of a row and of its neighbours part.
#[inline(always)]
fn ease_row([u, v]: [&[f32]; 2], [below_u, below_v]: [&[f32]; 2], out: &mut [f32]) {
    let w = out.len();
    let (u, right_u, below_u) = (&u[1..=w], &u[2..][..w], &below_u[1..=w]);
    let (v, right_v, below_v) = (&v[1..=w], &v[2..][..w], &below_v[1..=w]);
    for x in 0..w {
        let (ux, uy) = (right_u[x] - u[x], below_u[x] - u[x]);
        let (vx, vy) = (right_v[x] - v[x], below_v[x] - v[x]);
        out[x] = SMOOTHNESS / (ux * ux + uy * uy + vx * vx + vy * vy + ROUND).sqrt();
    }
}

/// The equations of row `y`: the warp was made with `start`, the vectors are now `[u, v]`.
#[inline(always)]
fn equation_row(
    data: &Data,
    y: usize,
    [u0, v0]: [&[f32]; 2],
    [u, v]: [&[f32]; 2],
    ties: &Around<'_>,
    [side_u, side_v, inv_xx, inv_xy, inv_yy]: [&mut [f32]; 5],
) {
    let ([t, xt, yt, seen], [sx, sy]) = (data.time.inner(y, 0), data.slope.inner(y, 0));
    let [xx, xy, yy] = data.bend.inner(y, 0);
    let w = t.len();
    let (u, v) = (&u[1..=w], &v[1..=w]);
    let (side_u, side_v) = (&mut side_u[..w], &mut side_v[..w]);
    let (inv_xx, inv_xy, inv_yy) = (&mut inv_xx[..w], &mut inv_xy[..w], &mut inv_yy[..w]);
    for x in 0..w {
        let (du, dv) = (u[x] - u0[x], v[x] - v0[x]);
        let (t, sx, sy) = (t[x], sx[x], sy[x]);
        let n = sx * sx + sy * sy + FLAT;
        let e = t + sx * du + sy * dv;
        let bright = seen[x] * BRIGHTNESS / (n * (e * e / n + ROUND).sqrt());
        let (xt, yt, xx, xy, yy) = (xt[x], yt[x], xx[x], xy[x], yy[x]);
        let (n1, n2) = (xx * xx + xy * xy + FLAT, xy * xy + yy * yy + FLAT);
        let (e1, e2) = (xt + xx * du + xy * dv, yt + xy * du + yy * dv);
        let slope = seen[x] * GRADIENT / (e1 * e1 / n1 + e2 * e2 / n2 + ROUND).sqrt();
        let (g1, g2) = (slope / n1, slope / n2);
        let a11 = bright * sx * sx + g1 * xx * xx + g2 * xy * xy;
        let a12 = bright * sx * sy + g1 * xx * xy + g2 * xy * yy;
        let a22 = bright * sy * sy + g1 * xy * xy + g2 * yy * yy;
        let b1 = bright * t * sx + g1 * xt * xx + g2 * yt * xy;
        let b2 = bright * t * sy + g1 * xt * xy + g2 * yt * yy;
        side_u[x] = a11 * u0[x] + a12 * v0[x] - b1;
        side_v[x] = a12 * u0[x] + a22 * v0[x] - b2;
        let tied = ties.left[x] + ties.right[x] + ties.above[x] + ties.below[x];
        let (d11, d22) = (a11 + tied, a22 + tied);
        let inverse = 1.0 / (d11 * d22 - a12 * a12);
        inv_xx[x] = d22 * inverse;
        inv_xy[x] = -a12 * inverse;
        inv_yy[x] = d11 * inverse;
    }
}

/// New vectors of a row from its own old ones and those above and below it.
#[inline(always)]
fn sweep_row(
    [side_u, side_v, xx, xy, yy]: [&[f32]; 5],
    ties: &Around<'_>,
    [[u, v], [above_u, above_v], [below_u, below_v]]: [[&[f32]; 2]; 3],
    [new_u, new_v]: [&mut [f32]; 2],
) {
    let w = side_u.len();
    let (left_u, here_u, right_u) = (&u[..w], &u[1..=w], &u[2..][..w]);
    let (left_v, here_v, right_v) = (&v[..w], &v[1..=w], &v[2..][..w]);
    let (above_u, below_u) = (&above_u[1..=w], &below_u[1..=w]);
    let (above_v, below_v) = (&above_v[1..=w], &below_v[1..=w]);
    let (new_u, new_v) = (&mut new_u[..w], &mut new_v[..w]);
    for x in 0..w {
        let (left, right) = (ties.left[x], ties.right[x]);
        let (above, below) = (ties.above[x], ties.below[x]);
        let side_u = side_u[x]
            + (left * left_u[x] + right * right_u[x])
            + (above * above_u[x] + below * below_u[x]);
        let side_v = side_v[x]
            + (left * left_v[x] + right * right_v[x])
            + (above * above_v[x] + below * below_v[x]);
        let u = xx[x] * side_u + xy[x] * side_v;
        let v = xy[x] * side_u + yy[x] * side_v;
        new_u[x] = here_u[x] + RELAXATION * (u - here_u[x]);
        new_v[x] = here_v[x] + RELAXATION * (v - here_v[x]);
    }
}
