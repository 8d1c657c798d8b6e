//! Where marks lie that ride on things which move by themselves.
//!
//! A texture hangs on the scene by one similarity a frame; what walks through the scene would walk
//! through its own hatching. A [`Drift`] adds, for each cell, how far the material there has moved
//! against the scene. It carries places and no pixels (Neyret 2003, "Advected textures"): marks are
//! looked up afresh in every frame and stay as crisp after a minute as they were at first.
//!
//! Neighbours that drift alike are interpolated and slowly evened out; where they differ by more
//! than `FAULT` one thing ends and another begins, and the texture is cut there.

use crate::field::{FlowField, STEPS_PER_PX};
use crate::floats::Floats;
use crate::geometry::Similarity;
use crate::rows::for_items;
use crate::tensor::CELL;

/// Difference of neighbouring cells, in px of the texture, from which they belong to different
/// things.
const FAULT: f32 = 3.0;

/// Part of its difference from each neighbour that a cell gives up in a frame.
const EASE: f32 = 0.12;

/// Confidence of the motion (0 to 255) below which a cell stays with the scene, and from which it
/// goes along.
const UNSURE: f32 = 24.0;
const SURE: f32 = 110.0;

/// Cells to each side over which motion is averaged, twice, and the distance in px from which a
/// vector is no error of the mean but another thing's.
const CALM: usize = 3;
const ERROR: f32 = 0.8;

/// Of a cell and its eight neighbours, how many must drift alike.
const ENOUGH: usize = 5;

/// Drift of the material under each cell of [`CELL`] x [`CELL`] px of luma, in px of the texture.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    cells: Vec<[f32; 2]>,
    width: usize,
    height: usize,
    /// [`FAULT`] in px of the texture as it is drawn.
    fault: f32,
}

/// A frame's place on the scene, as [`crate::texture::sample`] takes it, before and now.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// From the screen of the frame before to the texture.
    pub before: Similarity,
    /// From this frame's.
    pub now: Similarity,
}

// === impl Drift ===

impl Drift {
    /// All of a frame of `size` px stays with the scene.
    pub fn still(size: (usize, usize)) -> Self {
        let (width, height) = (size.0.div_ceil(CELL).max(1), size.1.div_ceil(CELL).max(1));
        Self { cells: vec![[0.0; 2]; width * height], width, height, fault: FAULT }
    }

    /// The drift of the next frame; the motion is evened out where it may be, for marks that
    /// tremble with its errors are worse than marks that slip a little. `motion` leads from it back to the frame that this drift is
    /// of; its frames may be smaller than the screen.
    #[must_use]
    pub fn carried(&self, motion: &FlowField, places: Places, size: (usize, usize)) -> Self {
        let mut next = Self::still(size);
        if (next.width, next.height) != (self.width, self.height) {
            return next;
        }
        let factor =
            (size.0 as f32 / motion.frame().0 as f32, size.1 as f32 / motion.frame().1 as f32);
        let middle = (size.0 as f32 / 2.0, size.1 as f32 / 2.0);
        let camera = applied(&places.now.then(&places.before.inverse()));
        let (before, now) = (applied(&places.before), applied(&places.now));
        let motion = Calm::of(motion, factor);
        for_items(
            &mut next.cells,
            self.width,
            #[inline(always)]
            |j, out| {
                for (i, out) in out.iter_mut().enumerate() {
                    let (x, y) = ((i as f32 + 0.5) * CELL as f32, (j as f32 + 0.5) * CELL as f32);
                    let [u, v, sure] = motion.at(x, y);
                    let here = (x - middle.0, y - middle.1);
                    let with_scene = camera(here);
                    let along = (here.0 + u, here.1 + v);
                    let from = (
                        with_scene.0 + sure * (along.0 - with_scene.0),
                        with_scene.1 + sure * (along.1 - with_scene.1),
                    );
                    let was = self.at(from.0 + middle.0, from.1 + middle.1);
                    let (there, now) = (before(from), now(here));
                    *out = [there.0 + was[0] - now.0, there.1 + was[1] - now.1];
                }
            },
        );
        next.healed().eased()
    }

    /// The same for a texture drawn `factor` times as fine.
    #[must_use]
    pub fn times(&self, factor: f32) -> Self {
        let cells = self.cells.iter().map(|&[x, y]| [factor * x, factor * y]).collect();
        Self { cells, fault: factor * self.fault, ..*self }
    }

    /// The drift at a place of the screen in px from its corner.
    #[inline(always)]
    fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let last = ((self.width - 1) as f32, (self.height - 1) as f32);
        let x = (x / CELL as f32 - 0.5).clamp(0.0, last.0);
        let y = (y / CELL as f32 - 0.5).clamp(0.0, last.1);
        let (i, j) = ((x + 0.5) as usize, (y + 0.5) as usize);
        let (dx, dy) = (x - i as f32, y - j as f32);
        let here = self.cell(i, j);
        let beside = if dx < 0.0 { self.cell(i.saturating_sub(1), j) } else { self.cell(i + 1, j) };
        let below = if dy < 0.0 { self.cell(i, j.saturating_sub(1)) } else { self.cell(i, j + 1) };
        let (a, b) = (self.like(here, beside), self.like(here, below));
        std::array::from_fn(|k| here[k] + dx.abs() * a[k] + dy.abs() * b[k])
    }

    /// The way to a neighbour; none to another thing.
    #[inline(always)]
    fn like(&self, here: [f32; 2], other: [f32; 2]) -> [f32; 2] {
        let (x, y) = (other[0] - here[0], other[1] - here[1]);
        if x.abs().max(y.abs()) < self.fault { [x, y] } else { [0.0; 2] }
    }

    fn cell(&self, i: usize, j: usize) -> [f32; 2] {
        self.row(j)[i.min(self.width - 1)]
    }

    fn row(&self, j: usize) -> &[[f32; 2]] {
        &self.cells[j.min(self.height - 1) * self.width..][..self.width]
    }

    /// Cells that few neighbours drift with go with those that most do: shreds grow together again.
    fn healed(&self) -> Self {
        let mut out = self.clone();
        let last = self.width - 1;
        for_items(
            &mut out.cells,
            self.width,
            #[inline(always)]
            |j, out| {
                let rows = [self.row(j.saturating_sub(1)), self.row(j), self.row(j + 1)];
                for (i, out) in out.iter_mut().enumerate() {
                    let around: [[f32; 2]; 9] = std::array::from_fn(|k| {
                        rows[k / 3][(i + k % 3).saturating_sub(1).min(last)]
                    });
                    let agree = |one: [f32; 2]| {
                        around
                            .iter()
                            .filter(|other| self.like(one, **other) != [0.0; 2] || one == **other)
                            .count()
                    };
                    let own = agree(*out);
                    if own < ENOUGH {
                        let most = around.into_iter().map(|one| (agree(one), one));
                        let best = most.fold((own, *out), |a, b| if b.0 > a.0 { b } else { a });
                        *out = best.1;
                    }
                }
            },
        );
        out
    }

    /// Neighbours of one thing brought a little nearer to each other.
    fn eased(&self) -> Self {
        let mut out = self.clone();
        let last = self.width - 1;
        for_items(
            &mut out.cells,
            self.width,
            #[inline(always)]
            |j, out| {
                let (above, row, below) =
                    (self.row(j.saturating_sub(1)), self.row(j), self.row(j + 1));
                for (i, out) in out.iter_mut().enumerate() {
                    let here = row[i];
                    let around =
                        [above[i], below[i], row[i.saturating_sub(1)], row[(i + 1).min(last)]];
                    for other in around {
                        let step = self.like(here, other);
                        *out = [out[0] + EASE * step[0], out[1] + EASE * step[1]];
                    }
                }
            },
        );
        out
    }

    /// The drift along row `y` of a plane whose cells are `cell` px high: at the left border, in
    /// steps a px, of each cell.
    #[inline(always)]
    pub(crate) fn line(&self, y: usize, cell: usize, out: &mut Vec<[f32; 4]>) {
        let place = (y as f32 + 0.5) / cell as f32 - 0.5;
        let j = (y / cell).min(self.height - 1);
        let off = place - j as f32;
        let (row, other) = if off < 0.0 {
            (self.row(j), self.row(j.saturating_sub(1)))
        } else {
            (self.row(j), self.row(j + 1))
        };
        let off = off.abs().min(0.5);
        out.clear();
        out.extend(row.iter().zip(other).map(|(&here, &other)| {
            let step = self.like(here, other);
            [here[0] + off * step[0], here[1] + off * step[1], 0.0, 0.0]
        }));
        let part = 1.0 / cell as f32;
        let mut before = out.first().map_or([0.0; 2], |c| [c[0], c[1]]);
        for i in 0..out.len() {
            let here = [out[i][0], out[i][1]];
            let after = out.get(i + 1).map_or(here, |c| [c[0], c[1]]);
            let (left, right) = (self.like(here, before), self.like(here, after));
            out[i] = std::array::from_fn(|k| match k {
                0 | 1 => here[k] + 0.5 * left[k],
                _ => 0.5 * (right[k - 2] - left[k - 2]) * part,
            });
            before = here;
        }
    }
}

/// A motion without its small errors: a mean over [`CALM`] cells where that is near.
struct Calm {
    /// Vector in px of luma, and how sure it is, 0 to 1.
    cells: Vec<[f32; 3]>,
    grid: (usize, usize),
    /// Px of luma in a cell.
    cell: (f32, f32),
}

impl Calm {
    fn of(motion: &FlowField, factor: (f32, f32)) -> Self {
        let grid = motion.grid();
        let count = grid.0 * grid.1;
        let sure = |i: usize| {
            let code = motion.confidence().get(i).copied().unwrap_or_default();
            ((f32::from(code) - UNSURE) / (SURE - UNSURE)).clamp(0.0, 1.0)
        };
        let own = |i: usize| {
            let [u, v] = motion.vectors().get(i).copied().unwrap_or_default();
            let px = |steps: i16, factor: f32| f32::from(steps) / STEPS_PER_PX * factor;
            [px(u, factor.0), px(v, factor.1)]
        };
        let mean = |value: &dyn Fn(usize) -> f32| {
            let values: Vec<f32> = (0..count).map(value).collect();
            let data = Floats { data: values, width: grid.0, height: grid.1 };
            data.box_mean(CALM).box_mean(CALM).data
        };
        let weights = mean(&|i| sure(i) + 0.01);
        let means =
            [mean(&|i| own(i)[0] * (sure(i) + 0.01)), mean(&|i| own(i)[1] * (sure(i) + 0.01))];
        let cells = (0..count).map(|i| {
            let (own, weight) = (own(i), weights[i]);
            let mean = [means[0][i] / weight, means[1][i] / weight];
            let off = (own[0] - mean[0]).abs().max((own[1] - mean[1]).abs());
            let part = (2.0 - off / ERROR).clamp(0.0, 1.0);
            let at = |k: usize| own[k] + part * (mean[k] - own[k]);
            [at(0), at(1), sure(i)]
        });
        let scale = motion.scale() as f32;
        let cell = (scale * factor.0, scale * factor.1);
        Self { cells: cells.collect(), grid, cell }
    }

    /// The nearest vector and how sure it is.
    #[inline(always)]
    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let i = ((x / self.cell.0) as usize).min(self.grid.0 - 1);
        let j = ((y / self.cell.1) as usize).min(self.grid.1 - 1);
        self.cells[j * self.grid.0 + i]
    }
}

/// A similarity as a function, its angle worked out once.
fn applied(of: &Similarity) -> impl Fn((f32, f32)) -> (f32, f32) + Sync + use<> {
    let ((a, b), tx, ty) = (of.linear(), of.tx, of.ty);
    move |(x, y)| (a * x - b * y + tx, b * x + a * y + ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (160, 96);

    fn places(before: Similarity, now: Similarity) -> Places {
        Places { before, now }
    }

    fn here() -> Places {
        places(Similarity::IDENTITY, Similarity::IDENTITY)
    }

    #[test]
    fn what_moves_takes_its_texture_along_and_the_rest_stays() {
        // The right half has come 5 px from the left.
        let motion =
            FlowField::from_fn(SIZE, 4, |x, _| if x > 80.0 { (-5.0, 0.0) } else { (0.0, 0.0) });
        let motion = motion.unwrap();
        let mut drift = Drift::still(SIZE);
        for _ in 0..3 {
            drift = drift.carried(&motion, here(), SIZE);
        }
        let ([x, _], [still, _]) = (drift.cell(30, 12), drift.cell(8, 12));
        assert!((x + 15.0).abs() < 0.1, "{x}");
        assert_eq!(still, 0.0);
    }

    #[test]
    fn the_cameras_own_motion_is_no_drift() {
        let pan = Similarity::translation(-4.0, 2.0);
        let motion = FlowField::from_fn(SIZE, 2, |_, _| (-4.0, 2.0)).unwrap();
        let next = Drift::still(SIZE).carried(&motion, places(Similarity::IDENTITY, pan), SIZE);
        assert!(next.cells.iter().flatten().all(|d| d.abs() < 1e-3));
    }

    #[test]
    fn a_shred_grows_together_with_what_surrounds_it() {
        let mut drift = Drift::still(SIZE);
        let at = 12 * drift.width + 20;
        drift.cells[at] = [60.0, -40.0];
        let still = FlowField::still(SIZE, 4).unwrap();
        assert_eq!(drift.carried(&still, here(), SIZE), Drift::still(SIZE));
    }

    #[test]
    fn a_line_is_continuous_over_cells_of_one_thing() {
        let motion = FlowField::from_fn(SIZE, 4, |x, y| (x / 40.0, y / 60.0)).unwrap();
        let drift = Drift::still(SIZE).carried(&motion, here(), SIZE);
        let mut line = Vec::new();
        drift.line(41, CELL, &mut line);
        for pair in line.windows(2) {
            let end = pair[0][0] + CELL as f32 * pair[0][2];
            assert!((end - pair[1][0]).abs() < 1e-4);
        }
    }
}
