//! Cutting a subject out of a plain background.
//!
//! Only what is sure: the border of the picture must be of one colour, and the subject must stand
//! clear of it. A cluttered photo is refused, with how plain its border is.

use crate::blur;
use crate::color::{LabTable, lab_distance};
use crate::image::{Rgb8, Rgba8};
use crate::plane::{Mask, Plane, PlaneRef};

/// Lab distance up to which a pixel may be background.
const NEAR: f32 = 10.0;

/// Part of the shorter side that counts as border.
const BORDER: f32 = 0.02;

/// Least part of the border that must have the background's colour.
const LEAST_PLAINNESS: f32 = 0.8;

/// Limits of the subject's part of the picture.
const COVERAGE: (f32, f32) = (0.005, 0.97);

/// Standard deviation in px of the soft edge.
const FEATHER: f32 = 1.2;

/// Why a picture can't be cut.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum MatteError {
    /// The border has more than one colour.
    #[error(
        "background is not plain: `{plainness:.2}` of the border has one colour, at least `{LEAST_PLAINNESS}` is needed"
    )]
    Cluttered {
        /// Part of the border that has one colour, 0 to 1.
        plainness: f32,
    },
    /// Nothing, or next to everything, differs from the background.
    #[error(
        "no subject stands clear of the background: it would cover `{coverage:.3}` of the picture"
    )]
    NoSubject {
        /// Part of the picture that would be kept, 0 to 1.
        coverage: f32,
    },
}

/// Cuts the subject out: straight alpha, the colours of the soft edge freed from the background.
pub fn cut_out(image: &Rgb8) -> Result<Rgba8, MatteError> {
    let table = LabTable::new();
    let lab: Vec<[f32; 3]> = image.pixels().iter().map(|&p| table.lab(p)).collect();
    let border = border(image.size());
    let background = median(&border.iter().map(|&i| lab[i]).collect::<Vec<_>>());
    let same = border.iter().filter(|&&i| lab_distance(lab[i], background) <= NEAR).count();
    let plainness = same as f32 / border.len().max(1) as f32;
    if plainness < LEAST_PLAINNESS {
        return Err(MatteError::Cluttered { plainness });
    }
    let hard = flood(image.size(), &lab, background, &border);
    let coverage = Mask(hard.clone()).coverage();
    if !(COVERAGE.0..=COVERAGE.1).contains(&coverage) {
        return Err(MatteError::NoSubject { coverage });
    }
    let soft = blur::gaussian(hard.as_ref(), FEATHER);
    Ok(freed(image, soft.as_ref(), mean_rgb(image, hard.as_ref())))
}

/// Indices of the pixels along the border.
fn border((width, height): (usize, usize)) -> Vec<usize> {
    let depth = (BORDER * width.min(height) as f32).max(1.0) as usize;
    let near = |v: usize, side: usize| v < depth || v + depth >= side;
    (0..width * height).filter(|i| near(i % width, width) || near(i / width, height)).collect()
}

/// Median of each channel.
fn median(colors: &[[f32; 3]]) -> [f32; 3] {
    std::array::from_fn(|k| {
        let mut values: Vec<f32> = colors.iter().map(|c| c[k]).collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    })
}

/// 0 where the background reaches from the border, 255 elsewhere.
fn flood(
    (width, height): (usize, usize),
    lab: &[[f32; 3]],
    background: [f32; 3],
    border: &[usize],
) -> Plane {
    let mut data = vec![255u8; width * height];
    let mut open: Vec<usize> = Vec::new();
    let mut visit = |i: usize, open: &mut Vec<usize>| {
        if data[i] != 0 && lab_distance(lab[i], background) <= NEAR {
            data[i] = 0;
            open.push(i);
        }
    };
    for &i in border {
        visit(i, &mut open);
    }
    while let Some(i) = open.pop() {
        let (x, y) = (i % width, i / width);
        if x > 0 {
            visit(i - 1, &mut open);
        }
        if x + 1 < width {
            visit(i + 1, &mut open);
        }
        if y > 0 {
            visit(i - width, &mut open);
        }
        if y + 1 < height {
            visit(i + width, &mut open);
        }
    }
    Plane::of_size(data, (width, height))
}

/// Mean colour of the pixels that `subject` leaves out.
fn mean_rgb(image: &Rgb8, subject: PlaneRef<'_>) -> [f32; 3] {
    let (mut sum, mut count) = ([0u64; 3], 0u64);
    for (y, row) in subject.rows().enumerate() {
        for (&kept, pixel) in row.iter().zip(image.row(y)) {
            if kept == 0 {
                (0..3).for_each(|c| sum[c] += u64::from(pixel[c]));
                count += 1;
            }
        }
    }
    sum.map(|s| s as f32 / count.max(1) as f32)
}

/// Gives each pixel its alpha and takes the background's part out of its colour. The blurred mask
/// is drawn in a little, so that no rim of background stays.
fn freed(image: &Rgb8, soft: PlaneRef<'_>, background: [f32; 3]) -> Rgba8 {
    let pixels = (0..image.height()).flat_map(|y| {
        image.row(y).iter().zip(soft.row(y)).map(|(pixel, &mask)| {
            let alpha = ((f32::from(mask) / 255.0 - 0.4) / 0.5).clamp(0.0, 1.0);
            let [r, g, b]: [u8; 3] = std::array::from_fn(|c| {
                let seen = f32::from(pixel[c]);
                let own = seen + (1.0 - alpha) * (seen - background[c]) / alpha.max(0.3);
                crate::resize::to_byte(own)
            });
            [r, g, b, crate::resize::to_byte(255.0 * alpha)]
        })
    });
    let mut out = image.to_rgba();
    for (out, pixel) in out.pixels_mut().iter_mut().zip(pixels.collect::<Vec<_>>()) {
        *out = pixel;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    fn disc(x: usize, y: usize) -> bool {
        (x as f32 - 100.0).hypot(y as f32 - 80.0) < 45.0
    }

    fn noise(x: usize, y: usize, strength: f32) -> u8 {
        (hash::unit(hash::mix(((x as u64) << 32) | y as u64)) * strength) as u8
    }

    #[test]
    fn a_disc_on_plain_ground_is_cut_out() {
        let image = Rgb8::from_fn(200, 160, |x, y| {
            let n = noise(x, y, 5.0);
            if disc(x, y) { [180 + n, 40, 30] } else { [225 + n, 226, 230] }
        });
        let cut = cut_out(&image.unwrap()).unwrap();
        let (mut wrong, mut total) = (0, 0);
        for y in 0..160 {
            for x in 0..200 {
                let edge = ((x as f32 - 100.0).hypot(y as f32 - 80.0) - 45.0).abs() < 3.0;
                if !edge {
                    total += 1;
                    let kept = cut.at(x as isize, y as isize)[3];
                    wrong += usize::from(kept != if disc(x, y) { 255 } else { 0 });
                }
            }
        }
        assert!(wrong * 500 < total, "{wrong} of {total}");
    }

    #[test]
    fn a_hole_of_the_background_s_colour_stays_part_of_the_subject() {
        let image = Rgb8::from_fn(200, 160, |x, y| {
            let hole = (x as f32 - 100.0).hypot(y as f32 - 80.0) < 10.0;
            if disc(x, y) && !hole { [30, 90, 40] } else { [240, 240, 240] }
        });
        assert_eq!(cut_out(&image.unwrap()).unwrap().at(100, 80)[3], 255);
    }

    #[test]
    fn clutter_and_empty_pictures_are_refused() {
        let cluttered = Rgb8::from_fn(200, 160, |x, y| {
            [noise(x / 9, y / 9, 255.0), noise(y / 7, x / 5, 255.0), noise(x / 11, y / 4, 255.0)]
        });
        assert!(
            matches!(cut_out(&cluttered.unwrap()), Err(MatteError::Cluttered { plainness }) if plainness < 0.5)
        );
        let empty = Rgb8::from_fn(60, 60, |_, _| [200; 3]).unwrap();
        assert_eq!(cut_out(&empty), Err(MatteError::NoSubject { coverage: 0.0 }));
    }
}
