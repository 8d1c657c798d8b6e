//! The images that the search reads: padded float levels with gradients.

use super::FlowParams;
use super::patch::SIDE;
use crate::plane::{Plane, PlaneRef};
use crate::rows::{for_items, for_rows_with};

/// Repeated border of each level in px: a patch may lie outside as a whole.
pub(super) const PAD: usize = 16;

/// The coarsest level is the last whose shorter side is at least this.
const COARSEST_SIDE: usize = 2 * SIDE;

/// A frame's luma prepared for [`super::pair`]; made once, used for both its neighbours.
#[derive(Debug, Clone)]
pub struct FlowImage {
    frame: (usize, usize),
    params: FlowParams,
    levels: Vec<Level>,
}

/// One level: values and central differences, [`PAD`] px of border on each side.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) stride: usize,
    pub(super) values: Vec<f32>,
    pub(super) dx: Vec<f32>,
    pub(super) dy: Vec<f32>,
}

impl FlowImage {
    /// Builds the levels from a full-resolution luma plane.
    pub fn new(luma: PlaneRef<'_>, params: FlowParams) -> Self {
        let params = params.checked();
        let mut plane = if params.finest == 0 { luma.to_plane() } else { halved(luma) };
        for _ in 1..params.finest {
            plane = halved(plane.as_ref());
        }
        let mut levels = vec![Level::new(&plane)];
        while plane.width().min(plane.height()) >= 2 * COARSEST_SIDE {
            plane = halved(plane.as_ref());
            levels.push(Level::new(&plane));
        }
        Self { frame: luma.size(), params, levels }
    }

    /// Size in px of the frame that it was made from.
    pub fn frame(&self) -> (usize, usize) {
        self.frame
    }

    /// Columns and rows of the finest level, which is the grid of the flow.
    pub fn finest_size(&self) -> (usize, usize) {
        (self.levels[0].width, self.levels[0].height)
    }

    pub(super) fn params(&self) -> FlowParams {
        self.params
    }

    /// Finest first, at least one.
    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }
}

impl Level {
    fn new(plane: &Plane) -> Self {
        let (width, height) = plane.size();
        let stride = width + 2 * PAD;
        let mut values = vec![0.0f32; stride * (height + 2 * PAD)];
        for_items(
            &mut values,
            stride,
            #[inline(always)]
            |y, out| {
                let row = plane.row(y.saturating_sub(PAD).min(height - 1));
                out[..PAD].fill(f32::from(row[0]));
                out[PAD + width..].fill(f32::from(row[width - 1]));
                for (out, &value) in out[PAD..].iter_mut().zip(row) {
                    *out = f32::from(value);
                }
            },
        );
        let mut dx = vec![0.0f32; values.len()];
        for_items(
            &mut dx,
            stride,
            #[inline(always)]
            |y, out| {
                let row = &values[y * stride..][..stride];
                for (out, near) in out[1..].iter_mut().zip(row.windows(3)) {
                    *out = 0.5 * (near[2] - near[0]);
                }
            },
        );
        let mut dy = vec![0.0f32; values.len()];
        let rows = height + 2 * PAD;
        for_items(
            &mut dy,
            stride,
            #[inline(always)]
            |y, out| {
                let above = &values[y.saturating_sub(1) * stride..][..stride];
                let below = &values[(y + 1).min(rows - 1) * stride..][..stride];
                for ((out, &a), &b) in out.iter_mut().zip(above).zip(below) {
                    *out = 0.5 * (b - a);
                }
            },
        );
        Self { width, height, stride, values, dx, dy }
    }

    /// Index of the unpadded pixel (x, y).
    #[inline(always)]
    pub(super) fn index(&self, x: usize, y: usize) -> usize {
        (y + PAD) * self.stride + x + PAD
    }

    /// The four values about (x, y) blended; the point is clamped to the padded level.
    #[inline(always)]
    pub(super) fn sample(&self, x: f32, y: f32) -> f32 {
        let (at, fx, fy) = self.locate(x, y, 1);
        let v = &self.values;
        let above = v[at] + fx * (v[at + 1] - v[at]);
        let below = v[at + self.stride] + fx * (v[at + self.stride + 1] - v[at + self.stride]);
        above + fy * (below - above)
    }

    /// Index and fractions of the point (x, y), so that `side` px to the right and below, and one
    /// more, lie inside.
    #[inline(always)]
    pub(super) fn locate(&self, x: f32, y: f32, side: usize) -> (usize, f32, f32) {
        let pad = PAD as f32;
        let x = (x + pad).clamp(0.0, (self.width + 2 * PAD - side - 1) as f32);
        let y = (y + pad).clamp(0.0, (self.height + 2 * PAD - side - 1) as f32);
        let (i, j) = (x as usize, y as usize);
        (j * self.stride + i, x - i as f32, y - j as f32)
    }
}

/// Half the size, through the binomial 1 3 3 1 both ways: less of what is too fine for the next
/// level passes as something coarser than through a box.
fn halved(src: PlaneRef<'_>) -> Plane {
    let (w, h) = src.size();
    let half = w.div_ceil(2);
    let mut dst = Plane::of_size(Vec::new(), (half, h.div_ceil(2)));
    for_rows_with(
        &mut dst.as_mut(),
        || vec![0u16; 2 * half + 2],
        #[inline(always)]
        |sums, y, out| {
            let line = |k: usize| &src.row((2 * y + k).clamp(1, h) - 1)[..w];
            let (a, b, c, d) = (line(0), line(1), line(2), line(3));
            let down = &mut sums[1..=w];
            for x in 0..w {
                let near = u16::from(b[x]) + u16::from(c[x]);
                down[x] = u16::from(a[x]) + u16::from(d[x]) + 3 * near;
            }
            // What lies beside the plane repeats its first and its last column.
            sums[0] = sums[1];
            let last = sums[w];
            sums[w + 1..].fill(last);
            let (pairs, _) = sums.as_chunks::<2>();
            for ((out, left), right) in out.iter_mut().zip(pairs).zip(&pairs[1..]) {
                let sum = left[0] + right[1] + 3 * (left[1] + right[0]);
                *out = ((sum + 32) >> 6) as u8;
            }
        },
    );
    dst
}
