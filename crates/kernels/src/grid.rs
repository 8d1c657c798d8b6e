//! Coarse grids under a frame: means of cells, and rows of a grid spread over pixels.
//!
//! Fog, glow and the light of a place change slowly over the picture. They are worked out once a
//! cell of 8 x 8 px (4 x 4 px of chroma) and spread bilinearly while a row is blended, so that
//! they cost little more than the blend itself.

use crate::plane::PlaneRef;
use crate::rows::for_items;

/// Side of a cell in luma px.
pub const CELL: usize = 8;

/// A value for each cell of a frame, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    columns: usize,
    rows: usize,
    data: Vec<i16>,
}

// === impl Grid ===

impl Grid {
    /// A grid of one value under a frame of `size` px.
    pub fn new(size: (usize, usize), value: i16) -> Self {
        let (columns, rows) = (size.0.div_ceil(CELL).max(1), size.1.div_ceil(CELL).max(1));
        Self { columns, rows, data: vec![value; columns * rows] }
    }

    /// Means of cells of `cell` px of a plane: 8 for luma and 4 for chroma give one grid.
    pub fn of(plane: PlaneRef<'_>, cell: usize) -> Self {
        Self::folded(plane, cell, i16::from)
    }

    /// Means of what lies above `floor`: 0 where nothing does.
    pub fn above(plane: PlaneRef<'_>, cell: usize, floor: u8) -> Self {
        Self::folded(plane, cell, |code| i16::from(code.saturating_sub(floor)))
    }

    fn folded(plane: PlaneRef<'_>, cell: usize, value: impl Fn(u8) -> i16 + Sync) -> Self {
        let (columns, rows) = (plane.width().div_ceil(cell), plane.height().div_ceil(cell));
        let mut data = vec![0i16; columns * rows];
        for_items(&mut data, columns, |j, out| {
            let mut sums = vec![0i16; columns * cell];
            let lines = j * cell..((j + 1) * cell).min(plane.height());
            let count = lines.len() as i32;
            for y in lines {
                for (sum, &code) in sums.iter_mut().zip(plane.row(y)) {
                    *sum += value(code);
                }
            }
            for (i, (out, cells)) in out.iter_mut().zip(sums.chunks_exact(cell)).enumerate() {
                let across = (plane.width() - i * cell).min(cell) as i32;
                let sum: i32 = cells.iter().map(|&sum| i32::from(sum)).sum();
                *out = ((sum + count * across / 2) / (count * across)) as i16;
            }
        });
        Self { columns, rows, data }
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// The values, row by row.
    pub fn data(&self) -> &[i16] {
        &self.data
    }

    /// The values to write to.
    pub fn data_mut(&mut self) -> &mut [i16] {
        &mut self.data
    }

    /// A grid of the same size from two others' values.
    #[must_use]
    pub fn with(&self, other: &Self, value: impl Fn(i16, i16) -> i16) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(&a, &b)| value(a, b)).collect();
        Self { data, ..*self }
    }

    /// Values of the same grid, one by one.
    #[must_use]
    pub fn map(&self, value: impl Fn(i16) -> i16) -> Self {
        Self { data: self.data.iter().map(|&v| value(v)).collect(), ..*self }
    }

    /// Means over (2 `radius` + 1)^2 cells, `passes` times over; the border is repeated. Three
    /// passes come near a Gaussian.
    #[must_use]
    pub fn blurred(&self, radius: usize, passes: usize) -> Self {
        let mut now: Vec<f32> = self.data.iter().map(|&v| f32::from(v)).collect();
        for _ in 0..passes {
            now = box_mean(&now, (self.columns, self.rows), radius);
        }
        let data = now.iter().map(|&v| libm::roundf(v) as i16).collect();
        Self { data, ..*self }
    }

    /// The value at most `part` (0 to 1) of the cells stay below.
    pub fn quantile(&self, part: f32) -> i16 {
        let mut sorted = self.data.clone();
        sorted.sort_unstable();
        sorted[((sorted.len() - 1) as f32 * part.clamp(0.0, 1.0)) as usize]
    }

    /// Value `x`, `y`, the border repeated.
    pub fn at(&self, x: isize, y: isize) -> i16 {
        let clamp = |v: isize, n: usize| v.clamp(0, n as isize - 1) as usize;
        self.data[clamp(y, self.rows) * self.columns + clamp(x, self.columns)]
    }
}

/// Means over a square window of a row-major picture, the border repeated.
pub(crate) fn box_mean(src: &[f32], (w, h): (usize, usize), radius: usize) -> Vec<f32> {
    let window = |out: &mut [f32], n: usize, stride: usize, src: &[f32]| {
        let at = |i: isize| src[i.clamp(0, n as isize - 1) as usize * stride];
        let r = radius as isize;
        let mut sum: f32 = (-r..=r).map(at).sum();
        for i in 0..n {
            out[i * stride] = sum / (2 * radius + 1) as f32;
            sum += at(i as isize + r + 1) - at(i as isize - r);
        }
    };
    let mut across = vec![0.0; src.len()];
    for (out, row) in across.chunks_mut(w).zip(src.chunks(w)) {
        window(out, w, 1, row);
    }
    let mut out = vec![0.0; src.len()];
    for x in 0..w {
        window(&mut out[x..], h, w, &across[x..]);
    }
    out
}

/// Spreads rows of a grid over pixels.
pub(crate) struct Spread {
    cell: usize,
    line: Vec<i32>,
    out: Vec<i16>,
}

// === impl Spread ===

impl Spread {
    /// For a plane whose cells are `cell` px wide (4 or 8).
    pub(crate) fn new(grid: &Grid, cell: usize) -> Self {
        let columns = grid.columns;
        Self { cell, line: vec![0; columns + 2], out: vec![0; (columns + 1) * cell] }
    }

    /// The values along row `y` of the plane: one a pixel, and a few beyond the end.
    pub(crate) fn row(&mut self, grid: &Grid, y: usize) -> &[i16] {
        let (cell, columns) = (self.cell, grid.columns);
        let below = (y + cell / 2) / cell;
        let weight = (2 * ((y + cell / 2) % cell) + 1) as i32;
        let full = 2 * cell as i32;
        let pick = |j: usize| {
            let j = j.min(grid.rows - 1);
            &grid.data[j * columns..(j + 1) * columns]
        };
        let (a, b) = (pick(below.max(1) - 1), pick(below));
        for ((line, &a), &b) in self.line[1..=columns].iter_mut().zip(a).zip(b) {
            *line = i32::from(a) * (full - weight) + i32::from(b) * weight;
        }
        self.line[0] = self.line[1];
        self.line[columns + 1] = self.line[columns];
        let half = full * full / 2;
        for (out, pair) in self.out.chunks_exact_mut(cell).zip(self.line.windows(2)) {
            for (p, out) in out.iter_mut().enumerate() {
                let weight = (2 * p + 1) as i32;
                *out =
                    ((pair[0] * (full - weight) + pair[1] * weight + half) / (full * full)) as i16;
            }
        }
        &self.out[cell / 2..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;

    #[test]
    fn cells_are_means_and_flat_stays_flat() {
        let plane = Plane::new(44, 20, 77).unwrap();
        let grid = Grid::of(plane.as_ref(), CELL);
        assert_eq!(grid.size(), (6, 3));
        assert!(grid.data().iter().all(|&v| v == 77));
        assert_eq!(grid.blurred(2, 3), grid);
        let mut spread = Spread::new(&grid, CELL);
        for y in 0..20 {
            assert!(spread.row(&grid, y)[..44].iter().all(|&v| v == 77));
        }
    }

    #[test]
    fn a_ramp_spreads_to_a_ramp() {
        let plane = Plane::from_fn(64, 32, |x, _| (3 * x) as u8).unwrap();
        let grid = Grid::of(plane.as_ref(), CELL);
        let mut spread = Spread::new(&grid, CELL);
        let row = spread.row(&grid, 17);
        for (x, &value) in row.iter().enumerate().take(56).skip(8) {
            assert!((i32::from(value) - 3 * x as i32).abs() <= 2, "{x}: {value}");
        }
    }

    #[test]
    fn only_what_is_above_the_floor_counts() {
        let plane = Plane::from_fn(16, 8, |x, _| if x < 8 { 90 } else { 220 }).unwrap();
        assert_eq!(Grid::above(plane.as_ref(), CELL, 200).data(), [0, 20]);
    }
}
