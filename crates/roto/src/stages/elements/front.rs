//! What moves in front of a layer.
//!
//! Where the flow shows a thing that goes neither with the camera nor with the ground under the
//! layer's foot, and whose own foot is lower in the frame, it is nearer and covers the layer. What
//! was found is carried along the flow in both directions of time, so that the cover neither
//! flickers nor ends as soon as the thing rests. Small, faint or unsure motion covers nothing.

use std::ops::Range;

use kernels::{FlowField, FlowPair, Plane, Similarity, Yuv420Ref, guided};
use media::Frame;

use super::ground::{Ground, camera};
use crate::analysis::Analysis;
use crate::fail::Failure;
use crate::footage::{view, view_mut};

/// Distance from the ground's motion, in px at a width of 320, from which a vector is another
/// thing's, and the part of the ground's own motion that is added to it.
const OTHER: f32 = 0.45;
const OTHER_SHARE: f32 = 0.2;

/// Least confidence of a vector, least part of the frame, and least distance from the ground's
/// motion, over that which parts, of a thing as a whole.
const LEAST_CONFIDENCE: u8 = 110;
const LEAST_PART: f32 = 0.004;
const LEAST_CLEAR: f32 = 1.8;

/// How fast cover comes where it is seen, goes where the ground is seen or what covers has moved
/// on, and fades where all that covered rests.
const COMES: f32 = 0.6;
const GOES: f32 = 0.4;
const FADES: f32 = 0.02;

/// Motion in px of the copy below which a vector tells nothing.
const AT_REST: f32 = 0.15;

/// Half the window in px of a half-size frame in which the matte's border moves to an edge, and
/// the contrast that is one, squared.
const WINDOW: usize = 7;
const EPS: f32 = 40.0;

/// The cover in each frame of a shot, on the grid of the flow.
pub(super) struct Front {
    range: Range<usize>,
    mattes: Vec<Vec<f32>>,
    grid: (usize, usize),
    cell: f32,
}

// === impl Front ===

impl Front {
    /// Finds what covers a layer whose foot is at `foot` (px of the copy from its corner) at
    /// `anchor` and goes with `ground`.
    pub(super) fn find(
        analysis: &Analysis,
        anchor: f64,
        foot: (f32, f32),
        ground: &Ground,
    ) -> Self {
        let shot = analysis.shot_of(anchor.round() as usize);
        let range = analysis.shots.get(shot).cloned().unwrap_or(0..0);
        let middle = (analysis.size.0 as f32 / 2.0, analysis.size.1 as f32 / 2.0);
        let seen: Vec<Option<Vec<bool>>> = range
            .clone()
            .map(|at| {
                let last = range.end.saturating_sub(2).max(range.start);
                let pair = analysis.flows.get(at.min(last))?;
                let foot_now =
                    ground.motion(anchor, at as f64).apply((foot.0 - middle.0, foot.1 - middle.1));
                let steps = [
                    camera(analysis, at.min(last), at.min(last) + 1),
                    ground.motion(at.min(last) as f64, (at.min(last) + 1) as f64),
                ];
                movers(&pair.forward, &steps, foot_now.1 + middle.1)
            })
            .collect();
        let (grid, cell) = analysis
            .flows
            .first()
            .map_or(((1, 1), 1.0), |pair| (pair.forward.grid(), pair.forward.scale() as f32));
        let mut front = Self { range, mattes: Vec::new(), grid, cell };
        if seen.iter().flatten().next().is_some() {
            front.carry(&seen, &analysis.flows);
        }
        front
    }

    /// Frames in which something covers.
    pub(super) fn frames(&self) -> usize {
        self.mattes.iter().filter(|matte| matte.iter().any(|&m| m > 0.5)).count()
    }

    fn carry(&mut self, seen: &[Option<Vec<bool>>], flows: &[FlowPair]) {
        let cells = self.grid.0 * self.grid.1;
        self.mattes = vec![vec![0.0; cells]; seen.len()];
        let count = seen.len();
        for backwards in [false, true] {
            let mut matte = vec![0.0; cells];
            for step in 0..count {
                let k = if backwards { count - 1 - step } else { step };
                let at = self.range.start + k;
                let (to, from) = if backwards { (at, at + 1) } else { (at.wrapping_sub(1), at) };
                if step > 0
                    && let Some(pair) = flows.get(to)
                {
                    let field = if backwards { &pair.backward } else { &pair.forward };
                    matte = splat(&matte, field);
                }
                let here = flows.get(from.min(at)).map(|pair| &pair.forward);
                let goes_on = seen.get(k).is_some_and(Option::is_some);
                for (i, m) in matte.iter_mut().enumerate() {
                    let covers = seen.get(k).and_then(Option::as_ref).is_some_and(|s| s[i]);
                    let [u, v] = here.and_then(|f| f.vectors().get(i)).copied().unwrap_or([0, 0]);
                    let moves = libm::hypotf(f32::from(u), f32::from(v)) / 32.0 > AT_REST;
                    *m = match () {
                        () if covers => *m + COMES * (1.0 - *m),
                        () if moves || goes_on => *m * (1.0 - GOES),
                        () => *m * (1.0 - FADES),
                    };
                }
                for (kept, &m) in self.mattes[k].iter_mut().zip(&matte) {
                    *kept = kept.max(m);
                }
            }
        }
    }

    /// Puts what covers back over the frame: `before` is the frame without the layer, `to_copy`
    /// maps px of the screen (from its corner) to px of the copy. Whether anything was put back.
    pub(super) fn cover(
        &self,
        moment: f64,
        before: &Frame,
        frame: &mut Frame,
        to_copy: impl Fn(f32, f32) -> (f32, f32) + Sync,
    ) -> Result<bool, Failure> {
        let index = (moment.round() as usize).saturating_sub(self.range.start);
        let Some(matte) = self.mattes.get(index) else { return Ok(false) };
        if !matte.iter().any(|&m| m > 0.1) {
            return Ok(false);
        }
        let picture = view(before)?;
        let (width, height) = (picture.u().width(), picture.u().height());
        let coarse = Plane::from_fn(width, height, |x, y| {
            let (u, v) = to_copy(2.0 * x as f32 + 1.0, 2.0 * y as f32 + 1.0);
            (255.0 * self.sample(matte, u, v)) as u8
        })?;
        let guide = half(picture)?;
        let fitted = guided::filter(guide.as_ref(), coarse.as_ref(), WINDOW, EPS)?;
        let share = |x: usize, y: usize| {
            let m = f32::from(fitted.row(y.min(height - 1))[x.min(width - 1)]) / 255.0;
            ((m - 0.3) / 0.4).clamp(0.0, 1.0)
        };
        let mut out = view_mut(frame)?;
        for (plane, was) in out.planes_mut().into_iter().zip(picture.planes()) {
            let factor = if was.width() > width { 2 } else { 1 };
            for y in 0..was.height() {
                let row = plane.row_mut(y);
                for (x, (now, &was)) in row.iter_mut().zip(was.row(y)).enumerate() {
                    let back = f32::from(was) - f32::from(*now);
                    if back != 0.0 {
                        let code = f32::from(*now) + share(x / factor, y / factor) * back;
                        *now = (code + 0.5) as u8;
                    }
                }
            }
        }
        Ok(true)
    }

    fn sample(&self, matte: &[f32], x: f32, y: f32) -> f32 {
        let (w, h) = self.grid;
        let gx = (x / self.cell - 0.5).clamp(0.0, (w - 1) as f32);
        let gy = (y / self.cell - 0.5).clamp(0.0, (h - 1) as f32);
        let (i, j) = (gx as usize, gy as usize);
        let (fx, fy) = (gx - i as f32, gy - j as f32);
        let at = |i: usize, j: usize| matte[j.min(h - 1) * w + i.min(w - 1)];
        let above = at(i, j) + fx * (at(i + 1, j) - at(i, j));
        let below = at(i, j + 1) + fx * (at(i + 1, j + 1) - at(i, j + 1));
        above + fy * (below - above)
    }
}

fn half(picture: Yuv420Ref<'_>) -> Result<Plane, Failure> {
    let (w, h) = (picture.u().width(), picture.u().height());
    Ok(kernels::resize::shrink(picture.y(), w, h)?)
}

/// The cells of things that go their own way nearer than `foot`; None if there are none.
fn movers(field: &FlowField, steps: &[Similarity; 2], foot: f32) -> Option<Vec<bool>> {
    let (columns, rows) = field.grid();
    let middle = (field.frame().0 as f32 / 2.0, field.frame().1 as f32 / 2.0);
    let unit = field.frame().0 as f32 / 320.0;
    let clear: Vec<f32> = (0..columns * rows)
        .map(|k| {
            let (i, j) = (k % columns, k / columns);
            if field.confidence_at(i, j) < LEAST_CONFIDENCE {
                return 0.0;
            }
            let ((x, y), (u, v)) = (field.point(i, j), field.vector(i, j));
            let from = (x - middle.0, y - middle.1);
            let clear = steps.iter().map(|step| {
                let to = step.apply(from);
                let way = (to.0 - from.0, to.1 - from.1);
                let parts = OTHER * unit + OTHER_SHARE * libm::hypotf(way.0, way.1);
                libm::hypotf(u - way.0, v - way.1) / parts
            });
            clear.fold(f32::INFINITY, f32::min)
        })
        .collect();
    let mut seen = vec![false; clear.len()];
    let mut covers = vec![false; clear.len()];
    let mut any = false;
    for start in 0..clear.len() {
        if seen[start] || clear[start] <= 1.0 {
            continue;
        }
        let piece = piece(start, (columns, rows), &mut seen, &clear);
        let mean = piece.iter().map(|&i| clear[i]).sum::<f32>() / piece.len() as f32;
        let mut ys: Vec<usize> = piece.iter().map(|i| i / columns).collect();
        ys.sort_unstable();
        let low = ys[(ys.len() - 1) * 97 / 100] + 1;
        let nearer = (low * field.scale()) as f32 > foot + 0.01 * field.frame().1 as f32;
        if nearer && piece.len() as f32 >= LEAST_PART * clear.len() as f32 && mean >= LEAST_CLEAR {
            for i in piece {
                covers[i] = true;
            }
            any = true;
        }
    }
    any.then_some(covers)
}

/// The cells connected to one, all of which go their own way.
fn piece(
    start: usize,
    (columns, rows): (usize, usize),
    seen: &mut [bool],
    clear: &[f32],
) -> Vec<usize> {
    let mut piece = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&at) = piece.get(next) {
        next += 1;
        let (x, y) = (at % columns, at / columns);
        let sides = [
            (x > 0).then(|| at.saturating_sub(1)),
            (x + 1 < columns).then(|| at + 1),
            (y > 0).then(|| at.saturating_sub(columns)),
            (y + 1 < rows).then(|| at + columns),
        ];
        for side in sides.into_iter().flatten() {
            if !seen[side] && clear[side] > 1.0 {
                seen[side] = true;
                piece.push(side);
            }
        }
    }
    piece
}

/// A matte carried along a field: what it leaves behind is bare.
fn splat(matte: &[f32], field: &FlowField) -> Vec<f32> {
    let (columns, rows) = field.grid();
    let mut sums = vec![(0.0f32, 0.0f32); matte.len()];
    let cell = field.scale() as f32;
    for (k, &m) in matte.iter().enumerate() {
        let (i, j) = (k % columns, k / columns);
        let (u, v) = field.vector(i, j);
        let (x, y) = (i as f32 + u / cell, j as f32 + v / cell);
        let (x0, y0) = (libm::floorf(x), libm::floorf(y));
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let (tx, ty) = (x0 + dx, y0 + dy);
            let inside = tx >= 0.0 && ty >= 0.0 && tx < columns as f32 && ty < rows as f32;
            let weight = (1.0 - (x - tx).abs()) * (1.0 - (y - ty).abs()) * (0.1 + m);
            if inside && weight > 0.0 {
                let sum = &mut sums[ty as usize * columns + tx as usize];
                *sum = (sum.0 + weight * m, sum.1 + weight);
            }
        }
    }
    sums.into_iter().map(|(sum, weight)| if weight > 0.02 { sum / weight } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thing that goes to the right by two px a frame, its foot at y = 150.
    fn field(thing: f32) -> FlowField {
        FlowField::from_fn((320, 180), 2, |x, y| {
            let inside = (x - thing).abs() < 20.0 && (60.0..150.0).contains(&y);
            if inside { (2.0, 0.0) } else { (0.0, 0.0) }
        })
        .unwrap()
    }

    #[test]
    fn only_what_is_nearer_covers() {
        let still = [Similarity::IDENTITY; 2];
        let before = movers(&field(100.0), &still, 120.0).unwrap();
        assert!(before[50 * 160 + 50] && !before[50 * 160 + 100]);
        assert!(movers(&field(100.0), &still, 170.0).is_none());
        let along = [Similarity::translation(2.0, 0.0); 2];
        assert!(movers(&field(100.0), &along, 20.0).is_none_or(|cells| !cells[50 * 160 + 50]));
    }

    #[test]
    fn cover_goes_along_and_leaves_nothing_behind() {
        let mut matte = vec![0.0; 160 * 90];
        (30..75).for_each(|j| (40..60).for_each(|i| matte[j * 160 + i] = 1.0));
        for n in 0..20 {
            matte = splat(&matte, &field(100.0 + 2.0 * n as f32));
        }
        assert!(matte[50 * 160 + 69] > 0.9 && matte[50 * 160 + 50] < 0.05);
    }
}
