//! Numbers that say how good a picture or a motion is. Sums run in a fixed order.

use crate::color::LabTable;
use crate::field::{FlowField, FlowPair, STEPS_PER_PX};
use crate::hash;
use crate::image::Rgb8;
use crate::plane::{Plane, PlaneRef, ShapeError, check_same};
use crate::warp;

/// Side and step of the windows of [`ssim`].
const WINDOW: usize = 8;
const WINDOW_STEP: usize = 4;

/// Quantiles compared along each direction of [`sliced_wasserstein`].
const QUANTILES: usize = 256;

/// Agreement of two flow fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowAgreement {
    /// Mean distance of the vectors' ends in px.
    pub epe: f32,
    /// Correlation of the vectors about zero motion's mean, -1 to 1; 1 if both stand still.
    pub correlation: f32,
}

/// Mean absolute difference in codes.
pub fn mad(a: PlaneRef<'_>, b: PlaneRef<'_>) -> Result<f64, ShapeError> {
    mean_of(a, b, |d| u64::from(d.unsigned_abs()))
}

/// Mean squared difference in codes squared.
pub fn mse(a: PlaneRef<'_>, b: PlaneRef<'_>) -> Result<f64, ShapeError> {
    mean_of(a, b, |d| u64::from((d * d).unsigned_abs()))
}

/// Peak signal-to-noise ratio in dB; infinite for equal planes.
pub fn psnr(a: PlaneRef<'_>, b: PlaneRef<'_>) -> Result<f64, ShapeError> {
    Ok(10.0 * libm::log10(255.0 * 255.0 / mse(a, b)?))
}

fn mean_of(a: PlaneRef<'_>, b: PlaneRef<'_>, term: impl Fn(i32) -> u64) -> Result<f64, ShapeError> {
    check_same(a.size(), b.size())?;
    let mut sum = 0u64;
    for (a, b) in a.rows().zip(b.rows()) {
        sum += a.iter().zip(b).map(|(&a, &b)| term(i32::from(a) - i32::from(b))).sum::<u64>();
    }
    Ok(sum as f64 / (a.width() * a.height()) as f64)
}

/// Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) over flat windows of 8 x 8 px, 4
/// apart; 1 for equal planes. Planes smaller than a window count as one window.
pub fn ssim(a: PlaneRef<'_>, b: PlaneRef<'_>) -> Result<f64, ShapeError> {
    check_same(a.size(), b.size())?;
    let (width, height) = (WINDOW.min(a.width()), WINDOW.min(a.height()));
    let (mut sum, mut count) = (0.0, 0u32);
    for y in (0..=a.height() - height).step_by(WINDOW_STEP) {
        for x in (0..=a.width() - width).step_by(WINDOW_STEP) {
            sum += window_ssim(a.window(x, y, width, height)?, b.window(x, y, width, height)?);
            count += 1;
        }
    }
    Ok(sum / f64::from(count))
}

fn window_ssim(a: PlaneRef<'_>, b: PlaneRef<'_>) -> f64 {
    const C1: f64 = 6.5025;
    const C2: f64 = 58.5225;
    let m = Moments::of(a, b);
    let luminance =
        (2.0 * m.mean_a * m.mean_b + C1) / (m.mean_a * m.mean_a + m.mean_b * m.mean_b + C1);
    let structure = (2.0 * m.covariance + C2) / (m.variance_a + m.variance_b + C2);
    luminance * structure
}

/// Means and second moments of two planes of one size.
struct Moments {
    mean_a: f64,
    mean_b: f64,
    variance_a: f64,
    variance_b: f64,
    covariance: f64,
}

impl Moments {
    fn of(a: PlaneRef<'_>, b: PlaneRef<'_>) -> Self {
        let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0u64, 0u64, 0u64, 0u64, 0u64);
        for (a, b) in a.rows().zip(b.rows()) {
            for (&a, &b) in a.iter().zip(b) {
                let (a, b) = (u64::from(a), u64::from(b));
                sa += a;
                sb += b;
                saa += a * a;
                sbb += b * b;
                sab += a * b;
            }
        }
        let n = (a.width() * a.height()) as f64;
        let (mean_a, mean_b) = (sa as f64 / n, sb as f64 / n);
        Self {
            mean_a,
            mean_b,
            variance_a: (saa as f64 / n - mean_a * mean_a).max(0.0),
            variance_b: (sbb as f64 / n - mean_b * mean_b).max(0.0),
            covariance: sab as f64 / n - mean_a * mean_b,
        }
    }
}

/// Normalised cross-correlation, -1 to 1; two flat planes correlate by 1, a flat one with any
/// other by 0.
pub fn ncc(a: PlaneRef<'_>, b: PlaneRef<'_>) -> Result<f64, ShapeError> {
    check_same(a.size(), b.size())?;
    let m = Moments::of(a, b);
    let norm = (m.variance_a * m.variance_b).sqrt();
    if norm > 1e-9 {
        return Ok(m.covariance / norm);
    }
    Ok(if m.variance_a < 1e-9 && m.variance_b < 1e-9 { 1.0 } else { 0.0 })
}

/// Variance of the 4-neighbour Laplacian: sharpness.
pub fn laplacian_variance(plane: PlaneRef<'_>) -> f64 {
    let (mut sum, mut squares, mut count) = (0i64, 0i64, 0i64);
    for y in 1..plane.height().saturating_sub(1) {
        let (above, row, below) = (plane.row(y - 1), plane.row(y), plane.row(y + 1));
        for x in 1..plane.width().saturating_sub(1) {
            let sides = [above[x], below[x], row[x - 1], row[x + 1]].map(i64::from);
            let value = 4 * i64::from(row[x]) - sides.iter().sum::<i64>();
            sum += value;
            squares += value * value;
            count += 1;
        }
    }
    let n = count.max(1) as f64;
    let mean = sum as f64 / n;
    squares as f64 / n - mean * mean
}

/// Compares two fields over one grid where both are confident (at least `least_confidence`); `None`
/// if nowhere.
pub fn flow_agreement(
    a: &FlowField,
    b: &FlowField,
    least_confidence: u8,
) -> Result<Option<FlowAgreement>, ShapeError> {
    check_same(a.grid(), b.grid())?;
    let (mut sum, mut count) = (0.0f64, 0.0f64);
    let (mut dot, mut aa, mut bb) = (0.0f64, 0.0f64, 0.0f64);
    let sure = a.confidence().iter().zip(b.confidence()).map(|(&a, &b)| a.min(b));
    for ((p, q), confidence) in a.vectors().iter().zip(b.vectors()).zip(sure) {
        if confidence < least_confidence {
            continue;
        }
        let px = |v: i16| f64::from(v) / f64::from(STEPS_PER_PX);
        let (pu, pv, qu, qv) = (px(p[0]), px(p[1]), px(q[0]), px(q[1]));
        sum += libm::hypot(pu - qu, pv - qv);
        dot += pu * qu + pv * qv;
        aa += pu * pu + pv * pv;
        bb += qu * qu + qv * qv;
        count += 1.0;
    }
    if count == 0.0 {
        return Ok(None);
    }
    let norm = (aa * bb).sqrt();
    let correlation = if norm > 1e-9 {
        dot / norm
    } else if aa < 1e-9 && bb < 1e-9 {
        1.0
    } else {
        0.0
    };
    Ok(Some(FlowAgreement { epe: (sum / count) as f32, correlation: correlation as f32 }))
}

/// Mean squared difference (codes over 255) between `a` and `b` brought to `a` by the flow,
/// where `b` shows what `a` shows (Lai et al., ECCV 2018).
pub fn warp_error(a: PlaneRef<'_>, b: PlaneRef<'_>, flow: &FlowPair) -> Result<f64, ShapeError> {
    check_same(a.size(), b.size())?;
    let mut warped = Plane::new(a.width(), a.height(), 0)?;
    warp::by_flow(b, &flow.forward, &mut warped.as_mut())?;
    let hidden = warp::occlusion(&flow.forward, &flow.backward)?;
    let (columns, rows) = flow.forward.grid();
    let (mut sum, mut count) = (0u64, 0u64);
    for (y, (one, other)) in a.rows().zip(warped.as_ref().rows()).enumerate() {
        let mask = hidden.0.row(y * rows / a.height());
        for (x, (&p, &q)) in one.iter().zip(other).enumerate() {
            if mask[x * columns / a.width()] == 0 {
                sum += u64::from(p.abs_diff(q)) * u64::from(p.abs_diff(q));
                count += 1;
            }
        }
    }
    Ok(sum as f64 / (count.max(1) as f64 * 255.0 * 255.0))
}

/// Sliced Wasserstein-1 distance of the colours of two stills in Lab units, over `directions`
/// directions drawn by `seed` (Rabin et al. 2011); 0 for equal colours.
pub fn sliced_wasserstein(a: &Rgb8, b: &Rgb8, directions: usize, seed: u64) -> f64 {
    let table = LabTable::new();
    let lab =
        |image: &Rgb8| -> Vec<[f32; 3]> { image.pixels().iter().map(|&p| table.lab(p)).collect() };
    let (a, b) = (lab(a), lab(b));
    let mut sum = 0.0;
    for k in 0..directions as u64 {
        let axis = direction(hash::mix(seed ^ hash::mix(k)));
        let (p, q) = (quantiles(&a, axis), quantiles(&b, axis));
        let gaps: f64 = p.iter().zip(&q).map(|(p, q)| f64::from((p - q).abs())).sum();
        sum += gaps / QUANTILES as f64;
    }
    sum / directions.max(1) as f64
}

/// A unit vector, uniform on the sphere (Archimedes).
fn direction(word: u64) -> [f32; 3] {
    let z = 2.0 * hash::unit(word) - 1.0;
    let angle = std::f32::consts::TAU * hash::unit(hash::mix(word));
    let radius = (1.0 - z * z).max(0.0).sqrt();
    [radius * libm::cosf(angle), radius * libm::sinf(angle), z]
}

fn quantiles(colors: &[[f32; 3]], axis: [f32; 3]) -> Vec<f32> {
    let mut values: Vec<f32> =
        colors.iter().map(|c| c[0] * axis[0] + c[1] * axis[1] + c[2] * axis[2]).collect();
    values.sort_unstable_by(f32::total_cmp);
    (0..QUANTILES).map(|k| values[(2 * k + 1) * values.len() / (2 * QUANTILES)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64) -> Plane {
        Plane::from_fn(64, 48, |x, y| {
            hash::mix(seed ^ ((x as u64) << 20) ^ y as u64) as u8 / 2 + 60
        })
        .unwrap()
    }

    #[test]
    fn equal_planes_are_perfect() {
        let p = noise(1);
        let p = p.as_ref();
        assert_eq!(mad(p, p).unwrap(), 0.0);
        assert_eq!(psnr(p, p).unwrap(), f64::INFINITY);
        assert!((ssim(p, p).unwrap() - 1.0).abs() < 1e-12);
        assert!((ncc(p, p).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn known_differences_have_known_numbers() {
        let a = Plane::new(32, 32, 100).unwrap();
        let b = Plane::new(32, 32, 110).unwrap();
        assert_eq!(mad(a.as_ref(), b.as_ref()).unwrap(), 10.0);
        assert!((psnr(a.as_ref(), b.as_ref()).unwrap() - 28.13).abs() < 0.01);
        let (p, q) = (noise(1), noise(2));
        assert!(ssim(p.as_ref(), q.as_ref()).unwrap() < 0.2);
        assert!(ncc(p.as_ref(), q.as_ref()).unwrap().abs() < 0.1);
        let negative = Plane::from_fn(64, 48, |x, y| 255 - p.as_ref().at(x as isize, y as isize));
        assert!(ncc(p.as_ref(), negative.unwrap().as_ref()).unwrap() < -0.99);
        let soft = crate::blur::gaussian(p.as_ref(), 1.0);
        assert!(laplacian_variance(soft.as_ref()) < 0.1 * laplacian_variance(p.as_ref()));
    }

    #[test]
    fn flows_are_compared_by_their_ends() {
        let a = FlowField::from_fn((64, 64), 4, |_, _| (3.0, 4.0)).unwrap();
        let b = FlowField::from_fn((64, 64), 4, |_, _| (3.0, 2.0)).unwrap();
        let same = flow_agreement(&a, &a, 1).unwrap().unwrap();
        assert_eq!((same.epe, same.correlation), (0.0, 1.0));
        assert!((flow_agreement(&a, &b, 1).unwrap().unwrap().epe - 2.0).abs() < 1e-6);
        let still = FlowField::still((64, 64), 4).unwrap();
        assert_eq!(flow_agreement(&a, &still, 1).unwrap().unwrap().correlation, 0.0);
    }

    #[test]
    fn a_true_flow_has_no_warp_error() {
        let a = noise(3);
        let b = Plane::from_fn(64, 48, |x, y| a.as_ref().at(x as isize - 4, y as isize)).unwrap();
        let field = |u: f32| FlowField::from_fn((64, 48), 4, |_, _| (u, 0.0)).unwrap();
        let right = FlowPair::new(field(4.0), field(-4.0)).unwrap();
        let wrong = FlowPair::new(field(0.0), field(0.0)).unwrap();
        let error = |flow: &FlowPair| warp_error(a.as_ref(), b.as_ref(), flow).unwrap();
        assert!(error(&right) < 1e-9 && error(&wrong) > 0.01);
    }

    #[test]
    fn colour_distance_is_zero_for_a_shuffle_and_grows_with_a_shift() {
        let image = |k: u8, flip: bool| {
            Rgb8::from_fn(32, 32, |x, y| {
                let x = if flip { 31 - x } else { x };
                [(x * 6) as u8 + k, (y * 5) as u8 + k, 90 + k]
            })
            .unwrap()
        };
        let base = image(0, false);
        assert_eq!(sliced_wasserstein(&base, &image(0, true), 16, 7), 0.0);
        let (near, far) = (
            sliced_wasserstein(&base, &image(8, false), 16, 7),
            sliced_wasserstein(&base, &image(40, false), 16, 7),
        );
        assert!(near > 0.5 && far > 3.0 * near, "{near} {far}");
    }
}
