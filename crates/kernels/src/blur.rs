//! Blurs.

use crate::floats::Floats;
use crate::plane::{Plane, PlaneRef};
use crate::resize::to_byte;
use crate::rows::for_items;

/// Above this sigma a Gaussian is made of three box means (error below 3 %, cost independent of
/// sigma; Kovesi 2010, "Fast almost-Gaussian filtering").
const LARGEST_FIR_SIGMA: f32 = 4.0;

/// Mean over (2 `radius` + 1)^2 px, the border repeated.
pub fn box_mean(src: PlaneRef<'_>, radius: usize) -> Plane {
    to_plane(&Floats::from_plane(src).box_mean(radius))
}

/// Gaussian of standard deviation `sigma` px (0 or less copies), the border repeated.
pub fn gaussian(src: PlaneRef<'_>, sigma: f32) -> Plane {
    to_plane(&gaussian_floats(Floats::from_plane(src), sigma))
}

pub(crate) fn gaussian_floats(src: Floats, sigma: f32) -> Floats {
    if sigma <= 0.0 {
        return src;
    }
    if sigma <= LARGEST_FIR_SIGMA {
        return fir(&src, &kernel(sigma));
    }
    box_radii(sigma).into_iter().fold(src, |image, radius| image.box_mean(radius))
}

/// Radii of three box means whose variances add up to that of the Gaussian, as near as odd widths
/// allow (Kovesi 2010).
fn box_radii(sigma: f32) -> [usize; 3] {
    let ideal = libm::sqrtf(4.0 * sigma * sigma + 1.0);
    let radius = ((ideal - 1.0) / 2.0) as usize;
    let width = (2 * radius + 1) as f32;
    let surplus = 12.0 * sigma * sigma - 3.0 * width * width - 12.0 * width - 9.0;
    let narrow = libm::roundf(surplus / (-4.0 * width - 4.0)).clamp(0.0, 3.0) as usize;
    std::array::from_fn(|pass| if pass < narrow { radius } else { radius + 1 })
}

/// Right half of a normalised kernel, the centre first.
fn kernel(sigma: f32) -> Vec<f32> {
    let radius = libm::ceilf(3.0 * sigma) as usize;
    let raw: Vec<f32> =
        (0..=radius).map(|i| libm::expf(-((i * i) as f32) / (2.0 * sigma * sigma))).collect();
    let sum = raw[0] + 2.0 * raw[1..].iter().sum::<f32>();
    raw.iter().map(|v| v / sum).collect()
}

fn fir(src: &Floats, kernel: &[f32]) -> Floats {
    let (w, h) = (src.width, src.height);
    let mut down = Floats::new(w, h);
    for_items(&mut down.data, w, |y, out| {
        for (out, &value) in out.iter_mut().zip(src.row(y)) {
            *out = kernel[0] * value;
        }
        for (k, &weight) in kernel.iter().enumerate().skip(1) {
            let (above, below) = (src.row(y.saturating_sub(k)), src.row(y + k));
            for ((out, &a), &b) in out.iter_mut().zip(above).zip(below) {
                *out += weight * (a + b);
            }
        }
    });
    let mut out = Floats::new(w, h);
    let pad = kernel.len() - 1;
    for_items(&mut out.data, w, |y, out| {
        let row = down.row(y);
        let mut padded = Vec::with_capacity(w + 2 * pad);
        padded.resize(pad, row[0]);
        padded.extend_from_slice(row);
        padded.resize(w + 2 * pad, row[w - 1]);
        for (out, &value) in out.iter_mut().zip(row) {
            *out = kernel[0] * value;
        }
        for (k, &weight) in kernel.iter().enumerate().skip(1) {
            let (left, right) = (&padded[pad - k..], &padded[pad + k..]);
            for ((out, &a), &b) in out.iter_mut().zip(left).zip(right) {
                *out += weight * (a + b);
            }
        }
    });
    out
}

fn to_plane(src: &Floats) -> Plane {
    let data = src.data.iter().map(|&value| to_byte(value)).collect();
    Plane::of_size(data, (src.width, src.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impulse_becomes_a_bell_of_the_asked_width() {
        for sigma in [1.5f32, 3.0, 6.0] {
            let mut floats = Floats::new(81, 81);
            floats.data[40 * 81 + 40] = 1.0;
            let out = gaussian_floats(floats, sigma);
            let mut sum = 0.0;
            let mut variance = 0.0;
            for (i, &v) in out.data.iter().enumerate() {
                let dx = (i % 81) as f32 - 40.0;
                sum += v;
                variance += v * dx * dx;
            }
            assert!((sum - 1.0).abs() < 1e-3, "{sum}");
            assert!((variance.sqrt() / sigma - 1.0).abs() < 0.08, "{sigma}: {}", variance.sqrt());
        }
    }

    #[test]
    fn flat_stays_flat() {
        let src = Plane::new(33, 17, 201).unwrap();
        assert_eq!(gaussian(src.as_ref(), 2.0), src);
        assert_eq!(gaussian(src.as_ref(), 9.0), src);
        assert_eq!(box_mean(src.as_ref(), 40), src);
    }

    #[test]
    fn a_box_mean_is_the_mean_of_its_window() {
        let src = Plane::from_fn(9, 9, |x, y| (x * 20 + y) as u8).unwrap();
        assert_eq!(box_mean(src.as_ref(), 1).as_ref().at(4, 4), 84);
    }
}
