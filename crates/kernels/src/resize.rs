//! Resampling of a sub-pixel window to any size.
//!
//! Separable filters, widened by the ratio when the picture shrinks, so that nothing aliases. Each
//! output row sums its source rows first (long loops over contiguous floats), then its columns;
//! both sums have a fixed order.

use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::geometry::Rect;
use crate::image::{Rgb8, Rgba8};
use crate::plane::{Plane, PlaneMut, PlaneRef, ShapeError, check_size};
use crate::rows::{for_items, for_rows, for_rows_with};

/// Kernel of a resample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Mean over the source area of each output pixel; for shrinking.
    Area,
    /// Triangle.
    Bilinear,
    /// Catmull-Rom (a = -0.5, Keys 1981): keeps edges sharp when enlarging.
    Bicubic,
}

/// Source range and weights of every output position along one axis.
struct Taps {
    starts: Vec<usize>,
    weights: Vec<f32>,
    count: usize,
}

/// Resamples the window `rect` of `src` to the whole of `dst`; outside of `src` its border counts.
pub fn crop(src: PlaneRef<'_>, rect: Rect, dst: &mut PlaneMut<'_>, filter: Filter) {
    let (width, height) = dst.size();
    let across = Taps::new(rect.x, rect.width, width, src.width(), filter);
    let down = Taps::new(rect.y, rect.height, height, src.height(), filter);
    for_rows_with(
        dst,
        || vec![0.0f32; src.width()],
        #[inline(always)]
        |sums, y, out| {
            sum_rows(src, &down, y, sums);
            sum_columns(sums, &across, out);
        },
    );
}

/// Resamples the whole of `src` to the whole of `dst`.
pub fn plane(src: PlaneRef<'_>, dst: &mut PlaneMut<'_>, filter: Filter) {
    crop(src, Rect::whole(src.size()), dst, filter);
}

/// Shrinks by an area mean to a new plane.
pub fn shrink(src: PlaneRef<'_>, width: usize, height: usize) -> Result<Plane, ShapeError> {
    let mut dst = Plane::new(width, height, 0)?;
    plane(src, &mut dst.as_mut(), Filter::Area);
    Ok(dst)
}

/// Mean over blocks of 2 x 2 px; an odd last row or column is repeated.
pub fn halve(src: PlaneRef<'_>) -> Plane {
    let (width, height) = (src.width().div_ceil(2), src.height().div_ceil(2));
    let mut dst = Plane::of_size(Vec::new(), (width, height));
    for_rows(
        &mut dst.as_mut(),
        #[inline(always)]
        |y, out| {
            halve_row(src.row(2 * y), src.row(2 * y + 1), out);
        },
    );
    dst
}

/// Resamples the window `rect` (luma px of `src`) of a frame to the whole of `dst`.
pub fn crop_frame(src: Yuv420Ref<'_>, rect: Rect, dst: &mut Yuv420Mut<'_>, filter: Filter) {
    let luma = src.size();
    for (plane, out) in src.planes().into_iter().zip(dst.planes_mut()) {
        let factor_x = plane.width() as f32 / luma.0 as f32;
        let factor_y = plane.height() as f32 / luma.1 as f32;
        crop(plane, rect.scaled(factor_x, factor_y), out, filter);
    }
}

/// Resamples a still; colours are weighted as stored (in sRGB).
pub fn rgb(src: &Rgb8, width: usize, height: usize, filter: Filter) -> Result<Rgb8, ShapeError> {
    let (pixels, size) = (src.pixels(), src.size());
    Rgb8::new(interleaved(pixels, size, (width, height), filter)?, width, height)
}

/// Resamples a still with straight alpha; colours are weighted by alpha, so that no fringe of the
/// hidden colour appears.
pub fn rgba(src: &Rgba8, width: usize, height: usize, filter: Filter) -> Result<Rgba8, ShapeError> {
    check_size(width, height)?;
    let premultiplied: Vec<[u8; 4]> = src
        .pixels()
        .iter()
        .map(|&[r, g, b, a]| {
            let by_alpha = |c: u8| ((u32::from(c) * u32::from(a) + 127) / 255) as u8;
            [by_alpha(r), by_alpha(g), by_alpha(b), a]
        })
        .collect();
    let mut pixels = interleaved(&premultiplied, src.size(), (width, height), filter)?;
    for pixel in &mut pixels {
        let [r, g, b, a] = *pixel;
        let straight = |c: u8| {
            let scaled = u32::from(c) * 255 + u32::from(a) / 2;
            scaled.checked_div(u32::from(a)).unwrap_or(0).min(255) as u8
        };
        *pixel = [straight(r), straight(g), straight(b), a];
    }
    Rgba8::new(pixels, width, height)
}

fn interleaved<const N: usize>(
    src: &[[u8; N]],
    from: (usize, usize),
    to: (usize, usize),
    filter: Filter,
) -> Result<Vec<[u8; N]>, ShapeError> {
    check_size(to.0, to.1)?;
    let across = Taps::new(0.0, from.0 as f32, to.0, from.0, filter);
    let down = Taps::new(0.0, from.1 as f32, to.1, from.1, filter);
    let mut out = vec![[0u8; N]; to.0 * to.1];
    for_items(
        &mut out,
        to.0,
        #[inline(always)]
        |y, row| {
            let mut sums = vec![[0.0f32; N]; from.0];
            for (k, &weight) in down.of(y).iter().enumerate() {
                let line = &src[(down.starts[y] + k) * from.0..][..from.0];
                for (sum, pixel) in sums.iter_mut().zip(line) {
                    for c in 0..N {
                        sum[c] += weight * f32::from(pixel[c]);
                    }
                }
            }
            for (x, pixel) in row.iter_mut().enumerate() {
                let mut sum = [0.0f32; N];
                for (&weight, value) in across.of(x).iter().zip(&sums[across.starts[x]..]) {
                    for c in 0..N {
                        sum[c] += weight * value[c];
                    }
                }
                *pixel = sum.map(to_byte);
            }
        },
    );
    Ok(out)
}

#[inline(always)]
fn halve_row(above: &[u8], below: &[u8], out: &mut [u8]) {
    let whole = above.len() / 2;
    let (above_pairs, above_rest) = above.as_chunks::<2>();
    let (below_pairs, below_rest) = below.as_chunks::<2>();
    for ((a, b), out) in above_pairs.iter().zip(below_pairs).zip(out.iter_mut()) {
        let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
        *out = ((sum + 2) >> 2) as u8;
    }
    if let (Some(&a), Some(&b), Some(last)) =
        (above_rest.first(), below_rest.first(), out.get_mut(whole))
    {
        *last = (u16::from(a) + u16::from(b)).div_ceil(2) as u8;
    }
}

#[inline(always)]
fn sum_rows(src: PlaneRef<'_>, down: &Taps, y: usize, sums: &mut [f32]) {
    sums.fill(0.0);
    for (k, &weight) in down.of(y).iter().enumerate() {
        if weight == 0.0 {
            continue;
        }
        for (sum, &value) in sums.iter_mut().zip(src.row(down.starts[y] + k)) {
            *sum += weight * f32::from(value);
        }
    }
}

#[inline(always)]
fn sum_columns(sums: &[f32], across: &Taps, out: &mut [u8]) {
    for (x, out) in out.iter_mut().enumerate() {
        let mut sum = 0.0;
        for (&weight, &value) in across.of(x).iter().zip(&sums[across.starts[x]..]) {
            sum += weight * value;
        }
        *out = to_byte(sum);
    }
}

#[inline(always)]
pub(crate) fn to_byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

// === impl Filter ===

impl Filter {
    /// Half the width of the kernel, in output pixels of the smaller scale.
    fn radius(self) -> f32 {
        match self {
            Self::Area => 0.5,
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, distance: f32) -> f32 {
        let d = distance.abs();
        match self {
            Self::Area => 1.0,
            Self::Bilinear => (1.0 - d).max(0.0),
            Self::Bicubic if d < 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
            Self::Bicubic if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
            Self::Bicubic => 0.0,
        }
    }
}

// === impl Taps ===

impl Taps {
    fn new(origin: f32, span: f32, outputs: usize, inputs: usize, filter: Filter) -> Self {
        let ratio = (span / outputs as f32).max(f32::MIN_POSITIVE);
        let stretch = ratio.max(1.0);
        let radius = filter.radius() * stretch;
        let count = ((radius * 2.0) as usize + 2).min(inputs);
        let mut starts = Vec::with_capacity(outputs);
        let mut weights = Vec::with_capacity(outputs * count);
        for i in 0..outputs {
            let centre = origin + (i as f32 + 0.5) * ratio;
            let first = libm::floorf(centre - radius) as isize;
            let start = first.clamp(0, (inputs - count) as isize) as usize;
            let mut taps = vec![0.0f32; count];
            for k in first..=first + (radius * 2.0) as isize + 1 {
                let weight = match filter {
                    Filter::Area => overlap(k as f32, centre, radius),
                    _ => filter.weight((k as f32 + 0.5 - centre) / stretch),
                };
                let at = k.clamp(0, inputs as isize - 1) as usize;
                taps[at.clamp(start, start + count - 1) - start] += weight;
            }
            let sum: f32 = taps.iter().sum();
            starts.push(start);
            weights.extend(taps.iter().map(|w| w / sum));
        }
        Self { starts, weights, count }
    }

    fn of(&self, output: usize) -> &[f32] {
        &self.weights[output * self.count..][..self.count]
    }
}

/// Length of the pixel `left`..`left + 1` that lies in `centre` +- `radius`.
fn overlap(left: f32, centre: f32, radius: f32) -> f32 {
    ((left + 1.0).min(centre + radius) - left.max(centre - radius)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noise(width: usize, height: usize) -> Plane {
        Plane::from_fn(width, height, |x, y| ((x * 73 + y * 151 + x * y * 7) % 251) as u8).unwrap()
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let src = noise(37, 23);
        for filter in [Filter::Area, Filter::Bilinear, Filter::Bicubic] {
            let mut dst = Plane::new(37, 23, 0).unwrap();
            plane(src.as_ref(), &mut dst.as_mut(), filter);
            assert_eq!(src, dst, "{filter:?}");
        }
    }

    #[test]
    fn area_takes_the_mean_of_whole_blocks() {
        let src = Plane::from_fn(8, 4, |x, y| (10 * x + y) as u8).unwrap();
        let dst = shrink(src.as_ref(), 2, 1).unwrap();
        assert_eq!(dst.data(), [17, 57], "means 16.5 and 56.5, halves up");
    }

    #[test]
    fn a_whole_pixel_window_is_a_crop() {
        let src = noise(40, 30);
        let mut dst = Plane::new(10, 8, 0).unwrap();
        let rect = Rect { x: 5.0, y: 7.0, width: 10.0, height: 8.0 };
        crop(src.as_ref(), rect, &mut dst.as_mut(), Filter::Bicubic);
        assert_eq!(dst, src.as_ref().window(5, 7, 10, 8).unwrap().to_plane());
    }

    #[test]
    fn transparent_colour_does_not_bleed() {
        let src =
            Rgba8::from_fn(4, 1, |x, _| if x < 2 { [200, 0, 0, 255] } else { [0, 255, 0, 0] })
                .unwrap();
        let dst = rgba(&src, 3, 1, Filter::Bilinear).unwrap();
        let [r, g, _, a] = dst.at(1, 0);
        assert!(a > 60 && a < 200);
        assert!(r > 195 && g < 5);
    }

    proptest! {
        #[test]
        fn a_flat_plane_stays_flat(
            value: u8, w in 1usize..40, h in 1usize..40, dw in 1usize..60, dh in 1usize..60,
        ) {
            let src = Plane::new(w, h, value).unwrap();
            for filter in [Filter::Area, Filter::Bilinear, Filter::Bicubic] {
                let mut dst = Plane::new(dw, dh, 0).unwrap();
                plane(src.as_ref(), &mut dst.as_mut(), filter);
                prop_assert!(dst.data().iter().all(|&v| v == value));
            }
        }

        #[test]
        fn area_keeps_the_mean(w in 8usize..64, h in 8usize..64, f in 1usize..6) {
            let src = noise(w * f, h * f);
            let dst = shrink(src.as_ref(), w, h).unwrap();
            let mean = |p: &Plane| p.data().iter().map(|&v| f64::from(v)).sum::<f64>()
                / p.data().len() as f64;
            prop_assert!((mean(&src) - mean(&dst)).abs() < 0.6);
        }
    }
}
