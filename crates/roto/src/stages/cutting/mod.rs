//! A thing freed from its background, where that is sure.
//!
//! Alpha is taken as it is; a plain background is the kernel's work. What remains are photos of one
//! thing before a few shaded surfaces: there the colours along the border are learnt, and the
//! thing is what differs from all of them, if it is one solid piece in the middle that does not
//! reach the border. Anything less clear is refused.

mod pieces;
mod spurs;
mod surfaces;

use kernels::matte::{self, MatteError};
use kernels::resize::{self, Filter};
use kernels::{Plane, Rgba8, matting};
use media::StillImage;

/// Part of the shorter side over which the border of a thing may be soft.
const SOFT: f32 = 0.012;

/// Longest side of a layer in px.
const LONGEST: usize = 1280;

/// Why a picture can't be put into the scene.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutError {
    /// It has no plain background.
    #[error(transparent)]
    Matte(#[from] MatteError),
    /// It has no size.
    #[error(transparent)]
    Shape(#[from] kernels::ShapeError),
}

/// Frees a picture from its background.
pub(crate) fn cut_out(image: &StillImage) -> Result<Rgba8, CutError> {
    let (width, height) = (image.width as usize, image.height as usize);
    let mut rgba = Rgba8::from_bytes(&image.rgba, width, height)?;
    if width.max(height) > LONGEST {
        let (width, height) = at_most((width, height), LONGEST);
        rgba = resize::rgba(&rgba, width, height, Filter::Area)?;
    }
    if image.has_alpha {
        return Ok(rgba);
    }
    match matte::cut_out(&rgba.to_rgb()) {
        Ok(cut) => Ok(cut),
        Err(refusal) => match surfaces::thing(&rgba)? {
            Some(mask) => Ok(masked(&rgba, &mask)?),
            None => Err(refusal.into()),
        },
    }
}

fn at_most((width, height): (usize, usize), longest: usize) -> (usize, usize) {
    let longer = width.max(height);
    let part = |side: usize| (side * longest.min(longer) / longer).max(1);
    (part(width), part(height))
}

/// The picture with the small mask as its alpha, found again at full size.
fn masked(image: &Rgba8, mask: &Plane) -> Result<Rgba8, CutError> {
    let (width, height) = image.size();
    let mut full = Plane::new(width, height, 0)?;
    resize::plane(mask.as_ref(), &mut full.as_mut(), Filter::Bicubic);
    full.data_mut().iter_mut().for_each(|inside| *inside = if *inside > 127 { 255 } else { 0 });
    let band = (SOFT * width.min(height) as f32).max(2.0) as usize;
    Ok(matting::refine(&image.to_rgb(), full.as_ref(), band)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(colour: impl Fn(f32, f32) -> [u8; 3] + Sync) -> StillImage {
        let rgba = Rgba8::from_fn(200, 200, |x, y| {
            let [r, g, b] = colour(x as f32 / 200.0, y as f32 / 200.0);
            [r, g, b, 255]
        });
        let rgba = rgba.unwrap().as_bytes().to_vec();
        StillImage { width: 200, height: 200, rgba, format: "png", has_alpha: false }
    }

    fn disc(x: f32, y: f32) -> bool {
        (x - 0.5).hypot(y - 0.5) < 0.3
    }

    #[test]
    fn a_red_disc_before_a_shaded_wall_and_a_table_is_cut_out() {
        let image = picture(|x, y| match () {
            () if disc(x, y) => [200, 60, 40],
            () if y > 0.85 => [90, 110, 100],
            () => [120 + (60.0 * x) as u8, 130 + (50.0 * x) as u8, 80 + (30.0 * y) as u8],
        });
        let cut = cut_out(&image).unwrap();
        assert!(cut.at(100, 100)[3] > 250 && cut.at(10, 10)[3] == 0 && cut.at(100, 190)[3] == 0);
        let covered = cut.pixels().iter().filter(|p| p[3] > 127).count() as f32 / 40_000.0;
        assert!((covered - 0.2827).abs() < 0.03, "{covered}");
    }

    #[test]
    fn a_dark_part_belongs_to_the_thing_and_a_clear_one_does_not() {
        let image = |notch: [u8; 3]| {
            picture(move |x, y| match () {
                () if disc(x, y) && y > 0.65 && (x - 0.5).abs() < 0.1 => notch,
                () if disc(x, y) => [200, 60, 40],
                () => [120 + (60.0 * x) as u8, 130 + (50.0 * x) as u8, 100],
            })
        };
        let dark = cut_out(&image([60, 52, 40])).unwrap();
        assert!(dark.at(100, 140)[3] > 200);
        let clear = cut_out(&image([150, 155, 100])).unwrap();
        assert!(clear.at(100, 150)[3] < 50);
    }

    #[test]
    fn a_stem_of_a_colour_that_the_border_has_too_stays_on() {
        let stem = |x: f32, y: f32| (0.06..0.22).contains(&y) && (x - 0.5).abs() < 0.012;
        let image = picture(|x, y| match () {
            () if disc(x, y) => [200, 60, 40],
            () if stem(x, y) || (x < 0.2 && y > 0.9) => [70, 66, 50],
            () => [120 + (40.0 * x) as u8, 130 + (40.0 * x) as u8, 80 + (30.0 * y) as u8],
        });
        let cut = cut_out(&image).unwrap();
        let thick = (90..110).filter(|&x| cut.at(x, 30)[3] > 127).count();
        assert!((3..=8).contains(&thick), "{thick}");
        assert!(cut.at(10, 195)[3] == 0 && cut.at(80, 30)[3] == 0);
    }

    #[test]
    fn a_thing_that_reaches_the_border_is_refused() {
        let image = picture(|x, y| match () {
            () if (x - 0.5).abs() < 0.25 && y > 0.3 => [200, 60, 40],
            () => [120 + (60.0 * x) as u8, 150, 80 + (90.0 * y) as u8],
        });
        assert!(cut_out(&image).is_err());
    }

    #[test]
    fn clutter_is_refused() {
        let image = picture(|x, y| {
            let wave = |k: f32| (127.0 + 120.0 * (k * x * 31.0 + y * 47.0 * (2.0 - k)).sin()) as u8;
            [wave(0.3), wave(0.9), wave(1.4)]
        });
        assert!(cut_out(&image).is_err());
    }
}
