//! Grid values at every pixel of a row, in integers.

use std::ops::Range;

/// Number of steps in a pixel of the positions that warps work with.
pub(crate) const STEPS: i32 = 256;

/// Bilinear interpolation from a grid that covers the same area as a plane.
pub(crate) struct Upsampler<'a, const N: usize> {
    grid: &'a [[i16; N]],
    grid_width: usize,
    cell_height: f32,
    /// Left cell and weight of the right one, 0 to 256, for each column of the plane.
    columns: Vec<(u32, i32)>,
    /// Columns of the plane that a cell spans, where they are a whole number, else 0.
    whole: usize,
}

/// A row of numbers upsampled, and what it takes to make it.
pub(crate) struct Lines<const N: usize> {
    cells: Vec<i32>,
    /// A value for each column of the plane, number after number.
    pub(crate) values: [Vec<i32>; N],
}

impl<'a, const N: usize> Upsampler<'a, N> {
    /// `cell` is the size of a grid cell in px of the plane.
    pub(crate) fn new(
        grid: &'a [[i16; N]],
        grid_width: usize,
        plane_width: usize,
        cell: (f32, f32),
    ) -> Self {
        let last = grid_width - 1;
        let columns = (0..plane_width)
            .map(|x| {
                let (i, weight) = split((x as f32 + 0.5) / cell.0 - 0.5, last);
                (i as u32, weight)
            })
            .collect();
        let whole = if cell.0.fract() == 0.0 { cell.0 as usize } else { 0 };
        Self { grid, grid_width, cell_height: cell.1, columns, whole }
    }

    /// Room for a row.
    pub(crate) fn lines(&self) -> Lines<N> {
        Lines {
            cells: vec![0; self.grid_width + 1],
            values: std::array::from_fn(|_| vec![0; self.columns.len()]),
        }
    }

    /// Row `y` of the plane, a line for each number: values times 8 times `factor` / 256 each (so a
    /// vector in 1/32 px becomes 1/256 px at a factor of 256).
    #[inline(always)]
    pub(crate) fn row(&self, y: usize, factor: [i32; N], lines: &mut Lines<N>) {
        let width = self.grid_width;
        let last = self.grid.len() / width - 1;
        let (j, weight) = split((y as f32 + 0.5) / self.cell_height - 0.5, last);
        let above = &self.grid[j * width..][..width];
        let below = &self.grid[(j + 1).min(last) * width..][..width];
        for k in 0..N {
            let cells = &mut lines.cells[..=width];
            for ((cell, a), b) in cells.iter_mut().zip(above).zip(below) {
                let value = i32::from(a[k]) * (256 - weight) + i32::from(b[k]) * weight;
                *cell = ((value >> 3) * factor[k]) >> 8;
            }
            cells[width] = cells[width - 1];
            let out = &mut lines.values[k];
            let done = match self.whole {
                4 => spread::<4>(cells, out),
                2 => spread::<2>(cells, out),
                _ => 0..0,
            };
            self.spread_any(cells, &mut out[..done.start], 0);
            self.spread_any(cells, &mut out[done.end..], done.end);
        }
    }

    /// The values of the columns from `first` on.
    #[inline(always)]
    fn spread_any(&self, cells: &[i32], out: &mut [i32], first: usize) {
        for (out, &(i, weight)) in out.iter_mut().zip(&self.columns[first..]) {
            if let Some(&[left, right]) = cells.get(i as usize..).and_then(<[i32]>::first_chunk) {
                *out = (left * 256 + (right - left) * weight + 512) >> 10;
            }
        }
    }
}

/// The values between the middles of the cells, each `C` columns wide; which columns those are.
#[inline(always)]
fn spread<const C: usize>(cells: &[i32], out: &mut [i32]) -> Range<usize> {
    let mut weights = [0; C];
    for (j, weight) in weights.iter_mut().enumerate() {
        *weight = (128 * (2 * j as i32 + 1)) / C as i32;
    }
    let Some(inner) = out.get_mut(C / 2..) else { return 0..0 };
    let (chunks, _) = inner.as_chunks_mut::<C>();
    for (chunk, cells) in chunks.iter_mut().zip(cells.windows(2)) {
        let (left, step) = (cells[0] * 256 + 512, cells[1] - cells[0]);
        for (out, weight) in chunk.iter_mut().zip(weights) {
            *out = (left + step * weight) >> 10;
        }
    }
    C / 2..C / 2 + chunks.len().min(cells.len() - 1) * C
}

/// Whole part (0 to `last`) and fraction in 1/256 of a grid position.
fn split(position: f32, last: usize) -> (usize, i32) {
    let clamped = position.clamp(0.0, last as f32);
    let whole = clamped as usize;
    (whole, ((clamped - whole as f32) * 256.0 + 0.5) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_whole_columns_are_spread_as_any() {
        let cells: Vec<[i16; 2]> =
            (0..35).map(|i| [(i * 997 % 1301) as i16 - 600, (i * 31 % 77) as i16]).collect();
        for (cell, width) in [(4.0, 28), (4.0, 26), (4.0, 27), (2.0, 14), (2.0, 13), (4.0, 1)] {
            let quick = Upsampler::new(&cells, 7, width, (cell, 3.0));
            let slow = Upsampler { whole: 0, ..Upsampler::new(&cells, 7, width, (cell, 3.0)) };
            let (mut found, mut expected) = (quick.lines(), slow.lines());
            for y in 0..15 {
                quick.row(y, [256, 300], &mut found);
                slow.row(y, [256, 300], &mut expected);
                assert_eq!(found.values, expected.values, "{cell} {width} {y}");
            }
        }
    }
}
