//! Lines where edges are, and solid darks: the extended difference of Gaussians.
//!
//! XDoG (Winnemoeller, Kyprianidis, Olsen 2012): a blurred plane plus its difference from a wider
//! blur, thresholded softly. The difference is averaged along the structure first (Kang, Lee, Chui
//! 2007, "Coherent line drawing"), which joins broken lines and takes out what would flicker.

use crate::plane::{PlaneMut, PlaneRef};
use crate::rows::{for_items_with, for_rows};
use crate::tensor::{CELL, Structure};

/// Ratio of the two blurs.
const WIDER: f32 = 1.6;

/// Samples to each side along a line.
const REACH: i32 = 4;

/// A pen. With u = `level` * G + `edges` * (G - wider G), in codes, the ink is full where u is
/// `softness` below `threshold` and none where it is as much above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pen {
    /// Standard deviation of the narrower blur in px, 0.3 to 6: the width of a line.
    pub sigma: f32,
    /// How much darkness itself draws: 0 gives lines only.
    pub level: f32,
    /// How much edges draw.
    pub edges: f32,
    /// The code below which there is ink.
    pub threshold: f32,
    /// Half the range of codes over which ink sets in, above 0. A hard pen flickers.
    pub softness: f32,
    /// Distance of the samples along a line in px; 0 draws without looking along it.
    pub stride: f32,
}

/// Draws: `ink` becomes 0 (none) to 255 (solid). `luma` and `ink` have one size.
pub fn draw(luma: PlaneRef<'_>, structure: &Structure, pen: Pen, ink: &mut PlaneMut<'_>) {
    let (width, height) = luma.size();
    let sigma = pen.sigma.clamp(0.3, 6.0);
    let narrow = taps(sigma);
    let wide = taps(sigma * WIDER);
    let pad = (REACH as f32 * pen.stride.max(0.0)) as usize + 2;
    let padded = width + 2 * pad;
    let mut response = vec![0.0f32; padded * (height + 2 * pad)];
    let reach = wide.len() - 1;
    let scratch = || (vec![0u16; width + 2 * reach], vec![0.0f32; width], vec![0.0f32; width]);
    for_items_with(
        &mut response,
        padded,
        scratch,
        #[inline(always)]
        |(columns, one, two), y, out| {
            let y = y.saturating_sub(pad).min(height - 1);
            blur_row(luma, y, &narrow, reach, columns, one);
            blur_row(luma, y, &wide, reach, columns, two);
            let (near, far) = (pen.level + pen.edges, pen.edges);
            for ((out, &one), &two) in out[pad..pad + width].iter_mut().zip(&*one).zip(&*two) {
                *out = near * one - far * two;
            }
            let (first, last) = (out[pad], out[pad + width - 1]);
            out[..pad].fill(first);
            out[pad + width..].fill(last);
        },
    );
    along(&response, (padded, pad), structure, pen, ink);
}

/// Averages the response along the structure and inks it.
fn along(
    response: &[f32],
    (padded, pad): (usize, usize),
    structure: &Structure,
    pen: Pen,
    ink: &mut PlaneMut<'_>,
) {
    let weights: [f32; REACH as usize + 1] = [0.2, 0.17, 0.12, 0.07, 0.04];
    let scale = 0.5 / pen.softness.max(0.01);
    for_rows(
        ink,
        #[inline(always)]
        |y, row| {
            let start = (y + pad) * padded + pad;
            for (x, (out, along)) in row.chunks_mut(CELL).zip(structure.row(y / CELL)).enumerate() {
                let place = (start + x * CELL) as i32;
                let mut sums = [0.0f32; CELL];
                for k in -REACH..=REACH {
                    let step = k as f32 * pen.stride;
                    let dx = (step * along.x + 64.5) as i32 - 64;
                    let dy = (step * along.y + 64.5) as i32 - 64;
                    let at = (place + dy * padded as i32 + dx) as usize;
                    let Some(values) = response[at..].first_chunk::<CELL>() else { continue };
                    let weight = weights[k.unsigned_abs() as usize];
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum += weight * value;
                    }
                }
                for (out, sum) in out.iter_mut().zip(sums) {
                    let t = ((pen.threshold - sum) * scale + 0.5).clamp(0.0, 1.0);
                    *out = (255.0 * t * t * (3.0 - 2.0 * t) + 0.5) as u8;
                }
            }
        },
    );
}

/// Right half of a Gaussian in 1/256, the centre first; the whole sums to 256.
fn taps(sigma: f32) -> Vec<u16> {
    let reach = libm::ceilf(2.5 * sigma) as usize;
    let raw: Vec<f32> =
        (0..=reach).map(|i| libm::expf(-((i * i) as f32) / (2.0 * sigma * sigma))).collect();
    let sum = raw[0] + 2.0 * raw[1..].iter().sum::<f32>();
    let mut taps: Vec<u16> = raw.iter().map(|v| (v / sum * 256.0 + 0.5) as u16).collect();
    let sides: u16 = taps[1..].iter().map(|v| 2 * v).sum();
    taps[0] = 256 - sides;
    taps
}

/// One row of a blur: down in 16 bits, which hold 255 * 256, then across.
#[inline(always)]
fn blur_row(
    src: PlaneRef<'_>,
    y: usize,
    taps: &[u16],
    pad: usize,
    columns: &mut [u16],
    out: &mut [f32],
) {
    let width = src.width();
    let inner = &mut columns[pad..pad + width];
    for (sum, &code) in inner.iter_mut().zip(src.row(y)) {
        *sum = taps[0] * u16::from(code);
    }
    for (k, &tap) in taps.iter().enumerate().skip(1) {
        let (above, below) = (src.row(y.saturating_sub(k)), src.row(y + k));
        for ((sum, &a), &b) in inner.iter_mut().zip(above).zip(below) {
            *sum += tap * (u16::from(a) + u16::from(b));
        }
    }
    let (first, last) = (columns[pad], columns[pad + width - 1]);
    columns[..pad].fill(first);
    columns[pad + width..].fill(last);
    let tap = |k: usize| f32::from(taps[k]) / 65_536.0;
    for (out, &value) in out.iter_mut().zip(&columns[pad..]) {
        *out = tap(0) * f32::from(value);
    }
    for k in 1..taps.len() {
        let weight = tap(k);
        let (left, right) = (&columns[pad - k..], &columns[pad + k..]);
        for ((out, &a), &b) in out.iter_mut().zip(left).zip(right) {
            *out += weight * (f32::from(a) + f32::from(b));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;
    use crate::tensor::Tensors;
    use proptest::prelude::*;

    const LINES: Pen =
        Pen { sigma: 1.0, level: 0.0, edges: 1.0, threshold: -3.0, softness: 2.0, stride: 1.5 };
    const FILL: Pen =
        Pen { sigma: 1.0, level: 1.0, edges: 8.0, threshold: 90.0, softness: 20.0, stride: 1.5 };

    fn drawn(luma: &Plane, pen: Pen) -> Plane {
        let structure = Tensors::of(luma.as_ref(), 2.0).directions();
        let mut ink = luma.clone();
        draw(luma.as_ref(), &structure, pen, &mut ink.as_mut());
        ink
    }

    #[test]
    fn a_line_stands_on_the_dark_side_of_an_edge_and_nowhere_else() {
        let src = Plane::from_fn(96, 64, |x, _| if x < 48 { 60 } else { 180 }).unwrap();
        let ink = drawn(&src, LINES);
        let row = ink.row(30);
        assert!(row[46] > 200 && row[47] > 200, "{:?}", &row[40..56]);
        assert!(row[..40].iter().chain(&row[50..]).all(|&v| v == 0), "{row:?}");
    }

    #[test]
    fn darks_are_filled_and_lights_are_not() {
        for (code, want) in [(30, 255), (200, 0)] {
            let ink = drawn(&Plane::new(20, 9, code).unwrap(), FILL);
            assert!(ink.data().iter().all(|&v| v == want), "{code}");
        }
    }

    #[test]
    fn ink_sets_in_gradually() {
        let step = |code| drawn(&Plane::new(8, 8, code).unwrap(), FILL).data()[0];
        assert!((0..250).all(|code| step(code).abs_diff(step(code + 1)) < 16));
    }

    proptest! {
        #[test]
        fn flat_paper_stays_blank(w in 1usize..50, h in 1usize..30, code: u8, sigma in 0.3f32..6.0) {
            let ink = drawn(&Plane::new(w, h, code).unwrap(), Pen { sigma, ..LINES });
            prop_assert!(ink.data().iter().all(|&v| v == 0));
        }
    }
}
