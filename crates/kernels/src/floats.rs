//! Planes of floats, inside the crate only.

use crate::plane::PlaneRef;
use crate::rows::for_items;

/// Rows of floats without padding.
#[derive(Debug, Clone)]
pub(crate) struct Floats {
    pub(crate) data: Vec<f32>,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Floats {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { data: vec![0.0; width * height], width, height }
    }

    pub(crate) fn from_plane(src: PlaneRef<'_>) -> Self {
        let mut out = Self::new(src.width(), src.height());
        for_items(
            &mut out.data,
            src.width(),
            #[inline(always)]
            |y, row| {
                for (out, &value) in row.iter_mut().zip(src.row(y)) {
                    *out = f32::from(value);
                }
            },
        );
        out
    }

    pub(crate) fn row(&self, y: usize) -> &[f32] {
        &self.data[y.min(self.height - 1) * self.width..][..self.width]
    }

    /// Mean over (2 radius + 1)^2 px, the border repeated.
    ///
    /// Running sums start afresh in every row and column, so the error stays bounded and does not
    /// depend on the partition of the work.
    pub(crate) fn box_mean(&self, radius: usize) -> Self {
        let (w, h) = (self.width, self.height);
        let factor = 1.0 / (2 * radius + 1) as f32;
        let mut across = Self::new(w, h);
        for_items(
            &mut across.data,
            w,
            #[inline(always)]
            |y, out| {
                let row = self.row(y);
                let at = |x: isize| row[x.clamp(0, w as isize - 1) as usize];
                let r = radius as isize;
                let mut sum: f64 = (-r..=r).map(|x| f64::from(at(x))).sum();
                for (x, out) in out.iter_mut().enumerate() {
                    *out = sum as f32 * factor;
                    sum += f64::from(at(x as isize + r + 1)) - f64::from(at(x as isize - r));
                }
            },
        );
        let mut out = Self::new(w, h);
        let mut sums = vec![0.0f64; w];
        let row_at = |y: isize| across.row(y.clamp(0, h as isize - 1) as usize);
        let r = radius as isize;
        for y in -r..=r {
            for (sum, &value) in sums.iter_mut().zip(row_at(y)) {
                *sum += f64::from(value);
            }
        }
        for y in 0..h as isize {
            let line = &mut out.data[y as usize * w..][..w];
            let (enter, leave) = (row_at(y + r + 1), row_at(y - r));
            for x in 0..w {
                line[x] = sums[x] as f32 * factor;
                sums[x] += f64::from(enter[x]) - f64::from(leave[x]);
            }
        }
        out
    }
}
