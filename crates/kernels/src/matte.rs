//! Cutting a subject out of a plain background.
//!
//! Only what is sure: the border of the picture must be of one colour, and the subject must stand
//! clear of it. A cluttered photo is refused, with how plain its border is.

use crate::color::{LabTable, lab_distance};
use crate::image::{Rgb8, Rgba8};
use crate::matting;
use crate::plane::{Mask, Plane, ShapeError};

/// Lab distance up to which a pixel may be background.
const NEAR: f32 = 10.0;

/// Part of the shorter side that counts as border.
const BORDER: f32 = 0.02;

/// Least part of the border that must have the background's colour.
const LEAST_PLAINNESS: f32 = 0.8;

/// Limits of the subject's part of the picture.
const COVERAGE: (f32, f32) = (0.005, 0.97);

/// Part of the shorter side over which the subject's border may be soft.
const SOFT: f32 = 0.008;

/// A shadow on the background differs from it in Lab colour by no more than this, is darker by no
/// more than this, and comes and goes by no more than this from pixel to pixel.
const SHADOW_CAST: f32 = 6.0;
const SHADOW_DEPTH: f32 = 55.0;
const SHADOW_STEP: f32 = 2.4;

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
    /// The picture's buffers don't fit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
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
    let band = (SOFT * image.width().min(image.height()) as f32).max(2.0) as usize;
    Ok(matting::refine(image, hard.as_ref(), band)?)
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

/// 0 where the background and the soft shadows on it reach from the border, 255 elsewhere.
fn flood(
    (width, height): (usize, usize),
    lab: &[[f32; 3]],
    background: [f32; 3],
    border: &[usize],
) -> Plane {
    let calm = calmed(lab, (width, height));
    let mut data = vec![255u8; width * height];
    let mut open: Vec<usize> = Vec::new();
    let mut visit = |i: usize, from: Option<usize>, open: &mut Vec<usize>| {
        let near = |i: usize| lab_distance(lab[i], background) <= NEAR;
        let shaded = |from: usize| {
            let cast = libm::hypotf(calm[i][1] - background[1], calm[i][2] - background[2]);
            cast <= SHADOW_CAST
                && (0.0..=SHADOW_DEPTH).contains(&(background[0] - calm[i][0]))
                && (calm[i][0] - calm[from][0]).abs() <= SHADOW_STEP
        };
        if data[i] != 0 && (near(i) || from.is_some_and(shaded)) {
            data[i] = 0;
            open.push(i);
        }
    };
    for &i in border {
        visit(i, None, &mut open);
    }
    while let Some(i) = open.pop() {
        let (x, y) = (i % width, i / width);
        if x > 0 {
            visit(i - 1, Some(i), &mut open);
        }
        if x + 1 < width {
            visit(i + 1, Some(i), &mut open);
        }
        if y > 0 {
            visit(i - width, Some(i), &mut open);
        }
        if y + 1 < height {
            visit(i + width, Some(i), &mut open);
        }
    }
    Plane::of_size(data, (width, height))
}

/// Means over 3 x 3 px: noise makes no steps.
fn calmed(lab: &[[f32; 3]], (width, height): (usize, usize)) -> Vec<[f32; 3]> {
    let at = |x: usize, y: usize| lab[y.min(height - 1) * width + x.min(width - 1)];
    (0..lab.len())
        .map(|i| {
            let (x, y) = (i % width, i / width);
            let mut sum = [0.0; 3];
            for dy in 0..3 {
                for dx in 0..3 {
                    let near = at((x + dx).saturating_sub(1), (y + dy).saturating_sub(1));
                    (0..3).for_each(|k| sum[k] += near[k] / 9.0);
                }
            }
            sum
        })
        .collect()
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
    fn a_soft_shadow_beside_the_subject_goes_and_a_grey_subject_stays() {
        for colour in [[180, 40, 30], [150, 150, 152]] {
            let image = Rgb8::from_fn(200, 160, |x, y| {
                let far = ((x as f32 - 140.0) / 50.0).hypot((y as f32 - 120.0) / 16.0);
                let shadow = 70.0 * (1.0 - far).clamp(0.0, 1.0);
                let n = noise(x, y, 3.0);
                if disc(x, y) { colour } else { [236 - shadow as u8 + n; 3] }
            });
            let cut = cut_out(&image.unwrap()).unwrap();
            assert_eq!(cut.at(100, 80)[3], 255, "{colour:?}");
            assert!(cut.at(158, 118)[3] < 20, "{colour:?} {:?}", cut.at(158, 118));
        }
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
