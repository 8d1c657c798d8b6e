//! A painting over the picture that it was painted from.
//!
//! Broad light and colour are mixed; fine structure is chosen, the stronger of stroke and scene at
//! each place, so that half a painting has whole strokes and no ghost. Where faces and lettering
//! need it, the scene's own fine luma is added. All of it is computed from the two pictures of one
//! moment, so it moves with them and can't flicker by itself.

use crate::blur;
use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::plane::{Plane, PlaneRef, ShapeError, check_same};
use crate::rows::for_rows;

/// How a painting goes over its source. All parts are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// Of the painting; 1 is the painting itself.
    pub amount: f32,
    /// Of the painting's broad light, times `amount`; 0 leaves the source's.
    pub light: f32,
    /// Of the painting's colours, times `amount`; 0 leaves the source's.
    pub colour: f32,
    /// Of the source's fine luma that is added where the eye reads: fine contrast and skin.
    pub detail: f32,
}

/// Radius of what counts as broad, in parts of the frame's width.
const BROAD: f32 = 1.0 / 110.0;

/// Radius of what is fine, in parts of that of the broad: eyes and a mouth belong to it in a face
/// that is a twelfth of the frame's width.
const FINE: f32 = 0.6;

/// Mean fine contrast in luma codes from which, and at which fully, the source's detail is needed.
const FROM_CONTRAST: i32 = 7;
const FULL_CONTRAST: i32 = 18;

/// Largest detail that is added, in luma codes, so that no outline gets a halo.
const MOST_DETAIL: i32 = 70;

/// Mixes `painted` and `source`, which have one size, into `out`.
pub fn over(
    source: Yuv420Ref<'_>,
    painted: Yuv420Ref<'_>,
    mix: Mix,
    out: &mut Yuv420Mut<'_>,
) -> Result<(), ShapeError> {
    check_same(source.size(), painted.size())?;
    check_same(source.size(), out.size())?;
    let part = |value: f32| libm::roundf(256.0 * value.clamp(0.0, 1.0)) as i32;
    let parts = Parts {
        amount: part(mix.amount),
        light: part(mix.amount * mix.light),
        detail: part(mix.detail),
    };
    let [out_y, out_u, out_v] = out.planes_mut();
    luma(source, painted.y(), parts, out_y);
    let colour = part(mix.amount * mix.colour);
    for (s, p, out) in [(source.u(), painted.u(), out_u), (source.v(), painted.v(), out_v)] {
        for_rows(out, |y, row| {
            for ((out, &s), &p) in row.iter_mut().zip(s.row(y)).zip(p.row(y)) {
                let (s, p) = (i32::from(s), i32::from(p));
                *out = (s + (((p - s) * colour + 128) >> 8)) as u8;
            }
        });
    }
    Ok(())
}

/// Parts in 1/256.
#[derive(Clone, Copy)]
struct Parts {
    amount: i32,
    light: i32,
    detail: i32,
}

fn luma(
    source: Yuv420Ref<'_>,
    painted: PlaneRef<'_>,
    parts: Parts,
    out: &mut crate::plane::PlaneMut<'_>,
) {
    let radius = (BROAD * painted.width() as f32).max(2.0);
    let whole = parts.amount == 256 && parts.light == 256;
    let broad =
        (!whole).then(|| (blur::gaussian(source.y(), radius), blur::gaussian(painted, radius)));
    let detail = (parts.detail > 0).then(|| {
        let soft = blur::gaussian(source.y(), (FINE * radius).max(1.0));
        let needed = needed(source, soft.as_ref());
        (soft, needed)
    });
    let y = source.y();
    for_rows(out, |row, out| {
        let (s, p) = (y.row(row), painted.row(row));
        match &broad {
            None => out.copy_from_slice(p),
            Some((low, painted_low)) => {
                let low = low.row(row).iter().zip(painted_low.row(row));
                for (((out, &s), &p), (&l, &q)) in out.iter_mut().zip(s).zip(p).zip(low) {
                    *out = choose([s, p, l, q].map(i32::from), parts);
                }
            }
        }
        let Some((soft, needed)) = &detail else { return };
        let own = s.iter().zip(soft.row(row)).zip(needed.row(row));
        for (out, ((&s, &soft), &needed)) in out.iter_mut().zip(own) {
            let fine = (i32::from(s) - i32::from(soft)).clamp(-MOST_DETAIL, MOST_DETAIL);
            let added = (fine * i32::from(needed) * parts.detail + (1 << 15)) >> 16;
            *out = (i32::from(*out) + added).clamp(16, 235) as u8;
        }
    });
}

/// Broad light mixed, fine structure by the stronger of both.
#[inline]
fn choose([s, p, low, painted_low]: [i32; 4], parts: Parts) -> u8 {
    let light = low + (((painted_low - low) * parts.light + 128) >> 8);
    // Strokes fade by the root of the amount: contrast adds up by squares.
    let keep = 256 - parts.amount;
    let (a, b) = ((p - painted_low) * (512 - parts.amount) * parts.amount, (s - low) * keep * 256);
    let (a, b) = (a >> 8, b >> 8);
    let weight = a.abs() + b.abs();
    let fine = if weight == 0 {
        0
    } else {
        (a * (a.abs() >> 4) + b * (b.abs() >> 4)) / (weight >> 4).max(1)
    };
    (light + (fine >> 8)).clamp(16, 235) as u8
}

/// Where the eye reads, 0 to 255: fine contrast, and skin.
fn needed(source: Yuv420Ref<'_>, soft: PlaneRef<'_>) -> Plane {
    let (width, height) = source.size();
    let mut contrast = Plane::of_size(Vec::new(), (width, height));
    let y = source.y();
    for_rows(&mut contrast.as_mut(), |row, out| {
        for ((out, &s), &soft) in out.iter_mut().zip(y.row(row)).zip(soft.row(row)) {
            *out = s.abs_diff(soft);
        }
    });
    let mut mean = blur::gaussian(contrast.as_ref(), (width as f32 / 200.0).max(1.5));
    let (u, v) = (source.u(), source.v());
    for_rows(&mut mean.as_mut(), |row, out| {
        let (u, v) = (u.row(row / 2), v.row(row / 2));
        for (x, out) in out.iter_mut().enumerate() {
            let fine = 255 * (i32::from(*out) - FROM_CONTRAST) / (FULL_CONTRAST - FROM_CONTRAST);
            let skin = skin(i32::from(u[x / 2]), i32::from(v[x / 2]));
            *out = fine.max(skin).clamp(0, 255) as u8;
        }
    });
    mean
}

/// How far a colour is that of skin, 0 to 255, after the box of Chai and Ngan 1999 in Cb and Cr
/// with soft borders.
#[inline]
fn skin(u: i32, v: i32) -> i32 {
    let inside = |code: i32, low: i32, high: i32| (code - low).min(high - code).clamp(0, 8);
    inside(u, 88, 124) * inside(v, 136, 170) * 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    const WHOLE: Mix = Mix { amount: 1.0, light: 1.0, colour: 1.0, detail: 0.0 };

    fn picture(k: usize, chroma: u8) -> Yuv420 {
        let y = Plane::from_fn(96, 64, |x, y| (60 + (x * k + y * (k + 2)) % 120) as u8).unwrap();
        let half = Plane::new(48, 32, chroma).unwrap();
        Yuv420::from_planes(y, half.clone(), half).unwrap()
    }

    fn made(mix: Mix) -> (Yuv420, Yuv420, Yuv420) {
        let (source, painted) = (picture(3, 100), picture(17, 150));
        let mut out = Yuv420::new(96, 64, [16, 128, 128]).unwrap();
        over(source.as_ref(), painted.as_ref(), mix, &mut out.as_mut()).unwrap();
        (source, painted, out)
    }

    #[test]
    fn all_of_the_painting_is_the_painting_and_none_is_the_source() {
        let (_, painted, out) = made(WHOLE);
        assert_eq!(painted, out);
        let (source, _, out) = made(Mix { amount: 0.0, ..WHOLE });
        let gap = crate::metrics::mad(source.as_ref().y(), out.as_ref().y()).unwrap();
        assert!(gap < 1.0 && source.planes()[1] == out.planes()[1], "{gap}");
    }

    #[test]
    fn half_a_painting_keeps_contrast_that_a_mean_would_lose() {
        let (source, painted, out) = made(Mix { amount: 0.5, ..WHOLE });
        let mut mean = source.clone();
        let (s, p) = (source.planes()[0].data(), painted.planes()[0].data());
        let half: Vec<u8> = s.iter().zip(p).map(|(&s, &p)| s.midpoint(p)).collect();
        mean.as_mut().planes_mut()[0].copy_from(PlaneRef::new(&half, 96, 64, 96).unwrap()).unwrap();
        let contrast = |frame: &Yuv420| crate::metrics::laplacian_variance(frame.as_ref().y());
        assert!(contrast(&out) > 1.2 * contrast(&mean));
    }

    #[test]
    fn colours_can_stay() {
        let (source, painted, out) = made(Mix { colour: 0.0, ..WHOLE });
        assert_eq!((out.planes()[1], out.planes()[0]), (source.planes()[1], painted.planes()[0]));
    }

    #[test]
    fn lettering_comes_back_and_plain_ground_stays_painted() {
        let y = Plane::from_fn(96, 64, |x, _| if x < 48 && x % 6 < 2 { 200 } else { 90 }).unwrap();
        let half = Plane::new(48, 32, 128).unwrap();
        let source = Yuv420::from_planes(y, half.clone(), half).unwrap();
        let painted = Yuv420::new(96, 64, [120, 128, 128]).unwrap();
        let mut out = painted.clone();
        let mix = Mix { detail: 0.35, ..WHOLE };
        over(source.as_ref(), painted.as_ref(), mix, &mut out.as_mut()).unwrap();
        let row = out.planes()[0].row(32);
        assert!(row[24] > row[26] + 20, "{row:?}");
        assert!(row[70..].iter().all(|&code| code == 120));
    }
}
