//! yuv420p frames to stills and back, BT.709 limited range, in integers.

use crate::frame::{Yuv420, Yuv420Ref, chroma_size};
use crate::image::Rgb8;
use crate::plane::{Plane, ShapeError};
use crate::rows::for_rows;

/// Fraction bits of the matrices.
const BITS: i32 = 14;

/// The still that a frame shows; chroma is interpolated between its samples.
pub fn frame_to_rgb(src: Yuv420Ref<'_>) -> Result<Rgb8, ShapeError> {
    let (width, height) = src.size();
    let (u, v) = (src.u(), src.v());
    let mut pixels = vec![[0u8; 3]; width * height];
    crate::rows::for_items(&mut pixels, width, |y, row| {
        let (near, far) = neighbours(y);
        let rows = |p: crate::plane::PlaneRef<'_>, x: isize| {
            3 * i32::from(p.at(x, near)) + i32::from(p.at(x, far))
        };
        for (x, (out, &luma)) in row.iter_mut().zip(src.y().row(y)).enumerate() {
            let (a, b) = neighbours(x);
            let chroma = |p| (3 * rows(p, a) + rows(p, b) + 8) >> 4;
            *out = to_rgb(i32::from(luma), chroma(u), chroma(v));
        }
    });
    Rgb8::new(pixels, width, height)
}

/// The frame that shows a still; chroma is the mean of 2 x 2 px.
pub fn rgb_to_frame(src: &Rgb8) -> Result<Yuv420, ShapeError> {
    let (width, height) = src.size();
    let (cw, ch) = chroma_size(src.size());
    let mut luma = Plane::new(width, height, 0)?;
    for_rows(&mut luma.as_mut(), |y, out| {
        for (out, &pixel) in out.iter_mut().zip(src.row(y)) {
            *out = to_yuv(pixel.map(i32::from))[0];
        }
    });
    let chroma = |channel: usize| {
        let mut plane = Plane::new(cw, ch, 128)?;
        for_rows(&mut plane.as_mut(), |y, out| {
            let (above, below) = (src.row(2 * y), src.row(2 * y + 1));
            for (x, out) in out.iter_mut().enumerate() {
                let (a, b) = (2 * x, (2 * x + 1).min(width - 1));
                let mean = std::array::from_fn(|c| {
                    let sum = [above[a], above[b], below[a], below[b]].map(|p| i32::from(p[c]));
                    (sum[0] + sum[1] + sum[2] + sum[3] + 2) >> 2
                });
                *out = to_yuv(mean)[channel];
            }
        });
        Ok::<_, ShapeError>(plane)
    };
    Yuv420::from_planes(luma, chroma(1)?, chroma(2)?)
}

/// Codes of an sRGB colour.
pub fn rgb_code(rgb: [u8; 3]) -> [u8; 3] {
    to_yuv(rgb.map(i32::from))
}

/// sRGB colour of a code.
pub fn yuv_code([y, u, v]: [u8; 3]) -> [u8; 3] {
    to_rgb(i32::from(y), i32::from(u), i32::from(v))
}

/// Chroma samples that a luma position lies between, the nearer one first.
#[inline]
fn neighbours(position: usize) -> (isize, isize) {
    let near = (position / 2) as isize;
    (near, if position.is_multiple_of(2) { near - 1 } else { near + 1 })
}

#[inline]
fn to_rgb(y: i32, u: i32, v: i32) -> [u8; 3] {
    const Y: i32 = 19077;
    const RV: i32 = 29372;
    const GU: i32 = 3494;
    const GV: i32 = 8731;
    const BU: i32 = 34610;
    let luma = Y * (y - 16) + (1 << (BITS - 1));
    let (u, v) = (u - 128, v - 128);
    [luma + RV * v, luma - GU * u - GV * v, luma + BU * u].map(|c| (c >> BITS).clamp(0, 255) as u8)
}

#[inline]
fn to_yuv([r, g, b]: [i32; 3]) -> [u8; 3] {
    let half = 1 << (BITS - 1);
    let y = (16 << BITS) + half + 2992 * r + 10064 * g + 1016 * b;
    let u = (128 << BITS) + half - 1649 * r - 5547 * g + 7196 * b;
    let v = (128 << BITS) + half + 7196 * r - 6536 * g - 660 * b;
    [y, u, v].map(|c| (c >> BITS).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_follow_the_formula(r: u8, g: u8, b: u8) {
            let rgb = [r, g, b];
            let exact = color::rgb_to_yuv(rgb.map(|c| f32::from(c) / 255.0));
            for (code, exact) in rgb_code(rgb).iter().zip(exact) {
                prop_assert!((f32::from(*code) - exact).abs() < 0.52);
            }
            for (back, c) in yuv_code(rgb_code(rgb)).iter().zip(rgb) {
                prop_assert!(back.abs_diff(c) <= 2);
            }
        }
    }

    #[test]
    fn a_smooth_still_survives_both_ways() {
        let src = Rgb8::from_fn(63, 41, |x, y| [(x * 4) as u8, (y * 6) as u8, (x + y) as u8 * 2])
            .unwrap();
        let back = frame_to_rgb(rgb_to_frame(&src).unwrap().as_ref()).unwrap();
        for (y, x) in (2..39).flat_map(|y| (2..61).map(move |x| (y, x))) {
            for (a, b) in src.at(x, y).iter().zip(back.at(x, y)) {
                assert!(a.abs_diff(b) <= 6, "{x} {y}: {a} {b}");
            }
        }
    }
}
