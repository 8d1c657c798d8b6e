//! Which way the picture's structure runs: the smoothed structure tensor.
//!
//! Strokes, hatching and lines follow edges, so every medium asks here first. The tensor lives on
//! cells of [`CELL`] x [`CELL`] px: directions change slowly, and work per cell lets the filters
//! read whole rows of a cell at once. Where the picture is flat its own direction is noise that
//! would boil, so anisotropy is measured against a floor; [`Tensors::blend`] averages along the
//! camera's path before directions are taken (Brox et al. 2006, "Nonlinear structure tensors";
//! Kyprianidis et al. 2009, "Image and video abstraction by anisotropic Kuwahara filtering").

use crate::blur;
use crate::floats::Floats;
use crate::geometry::Similarity;
use crate::plane::PlaneRef;
use crate::resize;
use crate::rows::for_items;

/// Side of a cell in px of the luma plane.
pub const CELL: usize = 4;

/// Squared gradient (codes per cell) below which a place counts as flat.
const FLOOR: f32 = 24.0;

/// The smoothed products of gradients: xx, xy, yy.
#[derive(Debug, Clone)]
pub struct Tensors {
    parts: [Floats; 3],
}

/// Direction of the structure in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Along {
    /// Horizontal part of the unit vector along the edge.
    pub x: f32,
    /// Vertical part.
    pub y: f32,
    /// 0 (no direction) to 1 (a straight edge).
    pub anisotropy: f32,
}

/// The directions of all cells.
#[derive(Debug, Clone)]
pub struct Structure {
    cells: Vec<Along>,
    width: usize,
    height: usize,
}

// === impl Tensors ===

impl Tensors {
    /// Of a luma plane, smoothed by a Gaussian of `sigma` cells.
    pub fn of(luma: PlaneRef<'_>, sigma: f32) -> Self {
        let half = resize::halve(luma);
        let small = Floats::from_plane(resize::halve(half.as_ref()).as_ref());
        let (w, h) = (small.width, small.height);
        let mut products = vec![[0.0f32; 3]; w * h];
        for_items(
            &mut products,
            w,
            #[inline(always)]
            |y, out| {
                let (above, row, below) =
                    (small.row(y.saturating_sub(1)), small.row(y), small.row(y + 1));
                for (x, out) in out.iter_mut().enumerate() {
                    let (left, right) = (x.saturating_sub(1), (x + 1).min(w - 1));
                    let across = |row: &[f32]| row[right] - row[left];
                    let dx = (across(above) + 2.0 * across(row) + across(below)) / 8.0;
                    let line = |row: &[f32]| row[left] + 2.0 * row[x] + row[right];
                    let dy = (line(below) - line(above)) / 8.0;
                    *out = [dx * dx, dx * dy, dy * dy];
                }
            },
        );
        let parts = std::array::from_fn(|k| {
            let data = products.iter().map(|product| product[k]).collect();
            blur::gaussian_floats(Floats { data, width: w, height: h }, sigma)
        });
        Self { parts }
    }

    /// Mixes in the share `share` (0 to 1) of the tensors of the frame `before`, whose scene has
    /// moved by `moved` (luma px about the centre) since. Other sizes are left out.
    pub fn blend(&mut self, before: &Self, moved: &Similarity, share: f32) {
        let (w, h) = (self.parts[0].width, self.parts[0].height);
        if (w, h) != (before.parts[0].width, before.parts[0].height) {
            return;
        }
        let back = moved.resized(1.0 / CELL as f32).inverse();
        let (a, b) = back.linear();
        let middle = (w as f32 / 2.0, h as f32 / 2.0);
        for (now, before) in self.parts.iter_mut().zip(&before.parts) {
            for_items(
                &mut now.data,
                w,
                #[inline(always)]
                |y, out| {
                    let dy = y as f32 + 0.5 - middle.1;
                    for (x, out) in out.iter_mut().enumerate() {
                        let dx = x as f32 + 0.5 - middle.0;
                        let sx = a * dx - b * dy + back.tx + middle.0;
                        let sy = b * dx + a * dy + back.ty + middle.1;
                        if sx >= 0.0 && sy >= 0.0 && sx < w as f32 && sy < h as f32 {
                            *out += share * (before.row(sy as usize)[sx as usize] - *out);
                        }
                    }
                },
            );
        }
    }

    /// The direction of least change in every cell.
    pub fn directions(&self) -> Structure {
        let [xx, xy, yy] = &self.parts;
        let (width, height) = (xx.width, xx.height);
        let mut cells = vec![Along { x: 1.0, y: 0.0, anisotropy: 0.0 }; width * height];
        for_items(
            &mut cells,
            width,
            #[inline(always)]
            |y, out| {
                let (xx, xy, yy) = (xx.row(y), xy.row(y), yy.row(y));
                for (x, out) in out.iter_mut().enumerate() {
                    *out = least(xx[x], xy[x], yy[x]);
                }
            },
        );
        Structure { cells, width, height }
    }
}

/// The minor eigenvector of a symmetric 2 x 2 matrix.
#[inline(always)]
fn least(xx: f32, xy: f32, yy: f32) -> Along {
    let half = (xx - yy) / 2.0;
    let root = (half * half + xy * xy).sqrt();
    let anisotropy = 2.0 * root / (xx + yy + FLOOR);
    // Of the two forms of the vector, the one that does not cancel.
    let (x, y) = if half > 0.0 { (-xy, half + root) } else { (root - half, -xy) };
    let length = (x * x + y * y).sqrt();
    if length < 1e-6 {
        return Along { x: 1.0, y: 0.0, anisotropy: 0.0 };
    }
    Along { x: x / length, y: y / length, anisotropy }
}

// === impl Structure ===

impl Structure {
    /// Width and height in cells.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The cell at (`x`, `y`), clamped to the grid.
    #[inline]
    pub fn at(&self, x: usize, y: usize) -> Along {
        self.cells[y.min(self.height - 1) * self.width + x.min(self.width - 1)]
    }

    /// All cells of a row, clamped to the last one.
    pub fn row(&self, y: usize) -> &[Along] {
        &self.cells[y.min(self.height - 1) * self.width..][..self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;

    fn stripes(dx: f32, dy: f32) -> Plane {
        Plane::from_fn(128, 96, |x, y| {
            let phase = (x as f32 * dx + y as f32 * dy) * std::f32::consts::TAU / 24.0;
            (128.0 + 80.0 * libm::sinf(phase)) as u8
        })
        .unwrap()
    }

    #[test]
    fn stripes_run_along_themselves() {
        for (dx, dy) in [(1.0f32, 0.0f32), (0.0, 1.0), (0.6, 0.8), (0.6, -0.8)] {
            let structure = Tensors::of(stripes(dx, dy).as_ref(), 2.0).directions();
            let Along { x, y, anisotropy } = structure.at(16, 12);
            assert!((x * dx + y * dy).abs() < 0.05, "{dx} {dy}: {x} {y}");
            assert!(anisotropy > 0.6, "{anisotropy}");
        }
    }

    #[test]
    fn a_flat_plane_has_no_direction() {
        let flat = Plane::new(33, 1, 90).unwrap();
        let structure = Tensors::of(flat.as_ref(), 2.0).directions();
        assert_eq!(structure.at(3, 0).anisotropy, 0.0);
    }

    #[test]
    fn tensors_are_carried_by_the_camera() {
        let edge =
            |at: usize| Plane::from_fn(128, 64, |x, _| if x < at { 40 } else { 200 }).unwrap();
        let mut flat = Tensors::of(Plane::new(128, 64, 90).unwrap().as_ref(), 1.0);
        let before = Tensors::of(edge(40).as_ref(), 1.0);
        flat.blend(&before, &Similarity::translation(40.0, 0.0), 1.0);
        let moved = flat.directions();
        assert!(moved.at(20, 8).anisotropy > 0.5 && moved.at(10, 8).anisotropy < 0.1);
    }
}
