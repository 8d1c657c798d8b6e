//! Flattens a picture into strokes that follow its edges.
//!
//! The anisotropic Kuwahara filter (Kyprianidis, Kang, Doellner 2009): the neighbourhood of a
//! pixel is an ellipse along the structure, cut into sectors; every sector's mean counts by how
//! even the sector is, so that an edge is never averaged over. Here a sector is a square patch at
//! its centre of mass, so its mean, its variance and thus its weight are functions of the patch's
//! place alone: they are computed once for every place, and a pixel only adds up `SECTORS` of
//! them. What comes out is a weighted mean of patch means, inside the local range of the source.

use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::plane::{PlaneMut, PlaneRef};
use crate::rows::{for_items, for_items_with, for_rows};
use crate::tensor::{CELL, Structure};

/// Sectors of the ellipse, and one patch in its middle.
const SECTORS: usize = 8;
const PATCHES: usize = SECTORS + 1;

/// Directions of the sectors in the ellipse's frame.
const AROUND: [(f32, f32); SECTORS] = {
    const D: f32 = std::f32::consts::FRAC_1_SQRT_2;
    [(1.0, 0.0), (D, D), (0.0, 1.0), (-D, D), (-1.0, 0.0), (-D, -D), (0.0, -1.0), (D, -D)]
};

/// The strokes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brush {
    /// Radius of the neighbourhood in px of luma, 1 to 24.
    pub radius: f32,
    /// How much longer than wide the ellipse gets along an edge, 0 (a circle) to 1.
    pub stretch: f32,
    /// Variance (codes squared) up to which a sector counts as even.
    pub even: f32,
}

/// Weight and weighted mean of the patch around every place of a plane, padded on all sides so
/// that no offset leaves it.
struct Patches {
    data: Vec<[f32; 2]>,
    stride: usize,
    pad: usize,
}

/// Filters a frame by the directions of its structure. `src` and `dst` have one size.
pub fn filter(src: Yuv420Ref<'_>, structure: &Structure, brush: Brush, dst: &mut Yuv420Mut<'_>) {
    let radius = brush.radius.clamp(1.0, 24.0);
    let [luma, u, v] = dst.planes_mut();
    let patches = Patches::of(src.y(), radius, brush.even, None);
    let offsets = offsets(structure, radius, brush.stretch, patches.stride);
    patches.gather::<CELL>(&offsets, structure.size().0, luma);
    let half = radius / 2.0;
    for (plane, out) in [(src.u(), u), (src.v(), v)] {
        let patches = Patches::of(plane, half, brush.even, Some(&patches));
        let offsets = self::offsets(structure, half, brush.stretch, patches.stride);
        patches.gather::<{ CELL / 2 }>(&offsets, structure.size().0, out);
    }
}

/// Where the patches of every cell lie, as steps in a padded plane.
fn offsets(structure: &Structure, radius: f32, stretch: f32, stride: usize) -> Vec<[i32; PATCHES]> {
    let (width, height) = structure.size();
    let mut out = vec![[0i32; PATCHES]; width * height];
    let reach = radius - patch(radius) as f32 * 0.5;
    for_items(
        &mut out,
        width,
        #[inline(always)]
        |y, out| {
            for (out, along) in out.iter_mut().zip(structure.row(y)) {
                let longer = 1.0 + stretch * along.anisotropy;
                let (a, b) = (reach * longer, reach / longer);
                for (out, (x, y)) in out.iter_mut().zip(AROUND) {
                    let (ex, ey) = (a * x, b * y);
                    let sx = along.x * ex - along.y * ey;
                    let sy = along.y * ex + along.x * ey;
                    *out = nearest(sy) * stride as i32 + nearest(sx);
                }
            }
        },
    );
    out
}

#[inline(always)]
fn nearest(value: f32) -> i32 {
    (value + 64.5) as i32 - 64
}

/// Radius of a patch.
fn patch(radius: f32) -> usize {
    ((radius * 0.45 + 0.5) as usize).max(1)
}

// === impl Patches ===

impl Patches {
    /// Of a plane. With `luma`, the weights of the plane twice as large count as well, so that
    /// colours change where light does.
    fn of(src: PlaneRef<'_>, radius: f32, even: f32, luma: Option<&Self>) -> Self {
        let (width, height) = src.size();
        let r = patch(radius);
        let pad = 2 * radius as usize + 3;
        let stride = width + 2 * pad;
        let mut data = vec![[0.0f32; 2]; stride * (height + 2 * pad)];
        let scratch = || (vec![0u32; width + 2 * r], vec![0u32; width + 2 * r]);
        for_items_with(
            &mut data,
            stride,
            scratch,
            #[inline(always)]
            |(sums, squares), y, out| {
                let y = y.saturating_sub(pad).min(height - 1);
                columns(src, y, r, sums, squares);
                let inner = &mut out[pad..pad + width];
                weigh(sums, squares, r, even, inner);
                if let Some(luma) = luma {
                    let row = &luma.data[(2 * y + luma.pad) * luma.stride + luma.pad..];
                    for (out, luma) in inner.iter_mut().zip(row.iter().step_by(2)) {
                        out[0] *= luma[0];
                        out[1] *= luma[0];
                    }
                }
                let (first, last) = (out[pad], out[pad + width - 1]);
                out[..pad].fill(first);
                out[pad + width..].fill(last);
            },
        );
        Self { data, stride, pad }
    }

    /// Writes the weighted mean of every pixel's patches; a cell is `N` px wide.
    fn gather<const N: usize>(
        &self,
        offsets: &[[i32; PATCHES]],
        cells: usize,
        dst: &mut PlaneMut<'_>,
    ) {
        for_rows(
            dst,
            #[inline(always)]
            |y, row| {
                let start = (y + self.pad) * self.stride + self.pad;
                let line = offsets.chunks(cells).nth(y / N).unwrap_or_default();
                for (x, (out, offsets)) in row.chunks_mut(N).zip(line).enumerate() {
                    let place = (start + x * N) as i32;
                    let mut sums = [[0.0f32; 2]; N];
                    for offset in offsets {
                        let at = (place + offset) as usize;
                        let Some(patches) = self.data[at..].first_chunk::<N>() else { continue };
                        for (sum, patch) in sums.iter_mut().zip(patches) {
                            sum[0] += patch[0];
                            sum[1] += patch[1];
                        }
                    }
                    for (out, [weight, weighted]) in out.iter_mut().zip(sums) {
                        *out = (weighted / weight + 0.5) as u8;
                    }
                }
            },
        );
    }
}

/// Sums and sums of squares over the `2 r + 1` rows about `y`, the ends repeated `r` times.
#[inline(always)]
fn columns(src: PlaneRef<'_>, y: usize, r: usize, sums: &mut [u32], squares: &mut [u32]) {
    let width = src.width();
    sums.fill(0);
    squares.fill(0);
    let (inner, inner_squares) = (&mut sums[r..r + width], &mut squares[r..r + width]);
    for k in 0..=2 * r {
        let row = src.row((y + k).saturating_sub(r));
        for ((sum, square), &code) in inner.iter_mut().zip(inner_squares.iter_mut()).zip(row) {
            *sum += u32::from(code);
            *square += u32::from(u16::from(code) * u16::from(code));
        }
    }
    for line in [sums, squares] {
        let (first, last) = (line[r], line[r + width - 1]);
        line[..r].fill(first);
        line[r + width..].fill(last);
    }
}

/// From sums of columns to weight and weighted mean of each patch.
#[inline(always)]
fn weigh(sums: &[u32], squares: &[u32], r: usize, even: f32, out: &mut [[f32; 2]]) {
    let part = 1.0 / ((2 * r + 1) * (2 * r + 1)) as f32;
    let width = out.len();
    for out in out.iter_mut() {
        *out = [0.0; 2];
    }
    for k in 0..=2 * r {
        let (sums, squares) = (&sums[k..k + width], &squares[k..k + width]);
        for ((out, &sum), &square) in out.iter_mut().zip(sums).zip(squares) {
            out[0] += square as i32 as f32;
            out[1] += sum as i32 as f32;
        }
    }
    for out in out {
        let mean = out[1] * part;
        let variance = (out[0] * part - mean * mean).max(0.0);
        let evenness = even / (even + variance);
        let squared = evenness * evenness;
        let weight = squared * squared;
        *out = [weight, weight * mean];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;
    use crate::plane::Plane;
    use crate::tensor::Tensors;
    use proptest::prelude::*;

    const BRUSH: Brush = Brush { radius: 6.0, stretch: 1.0, even: 8.0 };

    fn painted(luma: Plane, chroma: Plane, brush: Brush) -> Yuv420 {
        let src = Yuv420::from_planes(luma, chroma.clone(), chroma).unwrap();
        let structure = Tensors::of(src.as_ref().y(), 2.0).directions();
        let mut dst = src.clone();
        filter(src.as_ref(), &structure, brush, &mut dst.as_mut());
        dst
    }

    fn of_luma(luma: Plane) -> Yuv420 {
        let (w, h) = luma.size();
        painted(luma, Plane::new(w.div_ceil(2), h.div_ceil(2), 100).unwrap(), BRUSH)
    }

    #[test]
    fn a_slanted_edge_stays_as_sharp_as_it_was() {
        let edge = |x: usize, y: usize| if 2 * x + y < 150 { 50 } else { 190 };
        let src = Plane::from_fn(120, 80, edge).unwrap();
        let out = of_luma(src.clone());
        let differing = src.data().iter().zip(out.planes()[0].data());
        let wrong = differing.filter(|(a, b)| a.abs_diff(**b) > 40).count();
        assert!(wrong < 120, "{wrong} px along an edge of 80 rows");
    }

    #[test]
    fn texture_is_flattened() {
        let src =
            Plane::from_fn(96, 96, |x, y| 100 + ((x * 7 + y * 13 + x * y) % 23) as u8).unwrap();
        let spread = |p: &Plane| {
            let mean = p.data().iter().map(|&v| f64::from(v)).sum::<f64>() / p.data().len() as f64;
            p.data().iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>()
        };
        assert!(spread(of_luma(src.clone()).planes()[0]) < 0.2 * spread(&src));
    }

    #[test]
    fn any_number_of_threads_paints_the_same() {
        let made = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let src = Plane::from_fn(97, 61, |x, y| ((x * x + 3 * y * x) % 251) as u8).unwrap();
            pool.install(|| of_luma(src))
        };
        assert_eq!(made(1), made(3));
    }

    proptest! {
        #[test]
        fn nothing_is_brighter_or_darker_than_its_neighbourhood(
            w in 1usize..40, h in 1usize..40, low in 0u8..100, span in 0u8..150, radius in 1.0f32..24.0,
        ) {
            let code = |x: usize, y: usize| low + ((x * 31 + y * 17 + x * y) % (usize::from(span) + 1)) as u8;
            let luma = Plane::from_fn(w, h, code).unwrap();
            let chroma = Plane::new(w.div_ceil(2), h.div_ceil(2), 77).unwrap();
            let out = painted(luma.clone(), chroma, Brush { radius, ..BRUSH });
            let (least, most) = luma.data().iter().fold((255, 0), |(a, b), &v| (v.min(a), v.max(b)));
            prop_assert!(out.planes()[0].data().iter().all(|v| (least..=most).contains(v)));
            prop_assert!(out.planes()[1].data().iter().all(|&v| v == 77));
        }
    }
}
