//! Sharp warps by a similarity: pans, zooms and rolls that neither blur nor crawl.
//!
//! Catmull-Rom (a = -0.5, Keys 1981) along both axes of the source, widened where the picture
//! shrinks so that nothing aliases. Positions are in 1/256 px and all sums are integers: a shift by
//! whole pixels is exact. Outside of the source its border counts.

use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::geometry::Similarity;
use crate::plane::{PlaneMut, PlaneRef};
use crate::rows::for_rows_with;

/// Sub-pixel positions along an axis.
const PHASES: usize = 256;

/// Fraction bits of a weight.
const BITS: i32 = 11;

/// Most source px that one output px is spread over.
const MOST_STRETCH: f32 = 3.0;

/// Fraction bits of a sum over both axes.
const SHIFT: i32 = 2 * BITS - 3;

/// Weights of `T` taps for each sub-pixel position; each row sums to `1 << BITS`.
struct Taps<const T: usize>(Vec<[i32; T]>);

// === impl Taps ===

impl<const T: usize> Taps<T> {
    fn new(stretch: f32) -> Self {
        let row = |phase: usize| {
            let part = phase as f32 / PHASES as f32;
            let first = 1.0 - (T / 2) as f32;
            let raw: [f32; T] =
                std::array::from_fn(|k| keys((first + k as f32 - part).abs() / stretch));
            let sum: f32 = raw.iter().sum();
            let mut row = raw.map(|w| libm::roundf(w / sum * (1 << BITS) as f32) as i32);
            let rest = (1 << BITS) - row.iter().sum::<i32>();
            // What rounding lost goes to the nearest tap.
            row[T / 2 - usize::from(part < 0.5)] += rest;
            row
        };
        Self((0..PHASES).map(row).collect())
    }

    #[inline]
    fn of(&self, fixed: i32) -> &[i32; T] {
        &self.0[(fixed & 255) as usize]
    }
}

fn keys(x: f32) -> f32 {
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

/// dst(p) = src(`source_of`(p)), both with their origin at the centre, in px of the plane.
pub fn by_similarity(src: PlaneRef<'_>, source_of: &Similarity, dst: &mut PlaneMut<'_>) {
    let stretch = source_of.scale.clamp(1.0, MOST_STRETCH);
    match libm::ceilf(2.0 * stretch) as usize {
        0..=2 => warp::<4>(src, source_of, stretch, dst),
        3 => warp::<6>(src, source_of, stretch, dst),
        4 => warp::<8>(src, source_of, stretch, dst),
        _ => warp::<12>(src, source_of, stretch, dst),
    }
}

/// [`by_similarity`] for the three planes of a frame; `source_of` is in luma px.
pub fn frame_by_similarity(src: Yuv420Ref<'_>, source_of: &Similarity, dst: &mut Yuv420Mut<'_>) {
    let luma = src.size();
    for (src, dst) in src.planes().into_iter().zip(dst.planes_mut()) {
        let factor = src.width() as f32 / luma.0 as f32;
        by_similarity(src, &source_of.resized(factor), dst);
    }
}

fn warp<const T: usize>(
    src: PlaneRef<'_>,
    source_of: &Similarity,
    stretch: f32,
    dst: &mut PlaneMut<'_>,
) {
    let taps = Taps::<T>::new(stretch);
    let (a, b) = source_of.linear();
    let (a, b) = (f64::from(a), f64::from(b));
    let (width, height) = dst.size();
    let half = |side: usize| 0.5 * (side as f64 - 1.0);
    let centre_x = half(src.width()) + f64::from(source_of.tx);
    let centre_y = half(src.height()) + f64::from(source_of.ty);
    let dx = -half(width);
    let (step_x, step_y) = (fixed(a), fixed(b));
    for_rows_with(
        dst,
        || (),
        |(), y, out| {
            let dy = y as f64 - half(height);
            let mut x = fixed(centre_x + a * dx - b * dy) + HALF_STEP;
            let mut y = fixed(centre_y + b * dx + a * dy) + HALF_STEP;
            for out in out {
                *out = sample(src, &taps, (x >> 16) as i32, (y >> 16) as i32);
                x += step_x;
                y += step_y;
            }
        },
    );
}

/// Half of 1/256 px in the fixed point of [`fixed`].
const HALF_STEP: i64 = 1 << 15;

/// A length in px with 24 fraction bits, kept to what a frame can need.
fn fixed(px: f64) -> i64 {
    let limit = 8.0 * crate::plane::MAX_SIDE as f64;
    libm::round(px.clamp(-limit, limit) * f64::from(1 << 24)) as i64
}

/// The value at a position in 1/256 px.
#[inline]
fn sample<const T: usize>(src: PlaneRef<'_>, taps: &Taps<T>, x: i32, y: i32) -> u8 {
    let (across, down) = (taps.of(x), taps.of(y));
    let reach = (T / 2) as i32 - 1;
    let (i, j) = ((x >> 8) - reach, (y >> 8) - reach);
    let (data, stride) = src.raw();
    let inside = i >= 0
        && j >= 0
        && i + T as i32 <= src.width() as i32
        && j + T as i32 <= src.height() as i32;
    let mut sum = 0i32;
    for (k, &weight) in down.iter().enumerate() {
        let line: [u8; T] = if inside {
            let at = (j as usize + k) * stride + i as usize;
            data.get(at..at + T).and_then(|row| row.try_into().ok()).unwrap_or([0; T])
        } else {
            std::array::from_fn(|m| src.at((i + m as i32) as isize, (j + k as i32) as isize))
        };
        let row: i32 = line.iter().zip(across).map(|(&code, &w)| i32::from(code) * w).sum();
        sum += (row >> 3) * weight;
    }
    ((sum + (1 << (SHIFT - 1))) >> SHIFT).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;
    use crate::warp;
    use proptest::prelude::*;

    fn noise(width: usize, height: usize) -> Plane {
        Plane::from_fn(width, height, |x, y| ((x * 97 + y * 57 + x * y * 11) % 253) as u8).unwrap()
    }

    proptest! {
        #[test]
        fn whole_shifts_are_exact(dx in -9i16..9, dy in -9i16..9) {
            let src = noise(48, 36);
            let expected = Plane::from_fn(48, 36, |x, y| {
                src.as_ref().at(x as isize + dx as isize, y as isize + dy as isize)
            }).unwrap();
            let mut dst = Plane::new(48, 36, 0).unwrap();
            let shift = Similarity::translation(f32::from(dx), f32::from(dy));
            by_similarity(src.as_ref(), &shift, &mut dst.as_mut());
            prop_assert_eq!(&dst, &expected);
        }

        #[test]
        fn a_flat_picture_stays_flat(
            code: u8, scale in 0.3f32..3.5, rotation in -1.0f32..1.0, tx in -20.0f32..20.0,
        ) {
            let src = Plane::new(40, 30, code).unwrap();
            let mut dst = Plane::new(33, 27, 0).unwrap();
            let source_of = Similarity { scale, rotation, tx, ty: 1.3 };
            by_similarity(src.as_ref(), &source_of, &mut dst.as_mut());
            prop_assert!(dst.data().iter().all(|&v| v == code));
        }
    }

    #[test]
    fn a_turn_there_and_back_keeps_more_than_a_bilinear_one() {
        let wave = |x: usize, y: usize| {
            (128.0 + 60.0 * libm::sinf(x as f32 * 1.1) + 50.0 * libm::cosf(y as f32 * 0.9)) as u8
        };
        let src = Plane::from_fn(120, 90, wave).unwrap();
        let turn = Similarity { rotation: 0.1, tx: 0.4, ..Similarity::IDENTITY };
        let error = |kernel: fn(PlaneRef<'_>, &Similarity, &mut PlaneMut<'_>)| {
            let (mut there, mut back) = (src.clone(), src.clone());
            kernel(src.as_ref(), &turn, &mut there.as_mut());
            kernel(there.as_ref(), &turn.inverse(), &mut back.as_mut());
            let inner = |x: usize, y: usize| f64::from(back.row(y)[x].abs_diff(src.row(y)[x]));
            (20..70)
                .flat_map(|y| (20..100).map(move |x| (x, y)))
                .map(|(x, y)| inner(x, y))
                .sum::<f64>()
        };
        let (sharp, soft) = (error(by_similarity), error(warp::by_similarity));
        assert!(sharp < 0.4 * soft, "{sharp} {soft}");
    }
}
