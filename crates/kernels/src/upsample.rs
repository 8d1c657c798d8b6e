//! Grid values at every pixel of a row, in integers.

/// Number of steps in a pixel of the positions that warps work with.
pub(crate) const STEPS: i32 = 256;

/// Bilinear interpolation from a grid that covers the same area as a plane.
pub(crate) struct Upsampler<'a, const N: usize> {
    grid: &'a [[i16; N]],
    grid_width: usize,
    cell_height: f32,
    /// Left cell and weight of the right one, 0 to 256, for each column of the plane.
    columns: Vec<(u32, i32)>,
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
        Self { grid, grid_width, cell_height: cell.1, columns }
    }

    /// Row `y` of the plane: values times 8 times `factor` / 256 each (so a vector in 1/32 px
    /// becomes 1/256 px at a factor of 256). `scratch` is overwritten.
    #[inline(always)]
    pub(crate) fn row(
        &self,
        y: usize,
        factor: [i32; N],
        scratch: &mut Vec<[i32; N]>,
        out: &mut [[i32; N]],
    ) {
        let width = self.grid_width;
        let last = self.grid.len() / width - 1;
        let (j, weight) = split((y as f32 + 0.5) / self.cell_height - 0.5, last);
        let above = &self.grid[j * width..][..width];
        let below = &self.grid[(j + 1).min(last) * width..][..width];
        scratch.clear();
        scratch.extend(above.iter().zip(below).map(|(a, b)| {
            let mut cell = [0; N];
            for k in 0..N {
                let value = i32::from(a[k]) * (256 - weight) + i32::from(b[k]) * weight;
                cell[k] = ((value >> 3) * factor[k]) >> 8;
            }
            cell
        }));
        if let Some(&end) = scratch.last() {
            scratch.push(end);
        }
        for (out, &(i, weight)) in out.iter_mut().zip(&self.columns) {
            let i = i as usize;
            if let Some([left, right]) = scratch.get(i..i + 2) {
                for k in 0..N {
                    out[k] = (left[k] * 256 + (right[k] - left[k]) * weight + 512) >> 10;
                }
            }
        }
    }
}

/// Whole part (0 to `last`) and fraction in 1/256 of a grid position.
fn split(position: f32, last: usize) -> (usize, i32) {
    let clamped = position.clamp(0.0, last as f32);
    let whole = clamped as usize;
    (whole, ((clamped - whole as f32) * 256.0 + 0.5) as i32)
}
