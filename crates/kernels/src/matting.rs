//! Alpha along the border of a cut-out.
//!
//! A hard mask says what is surely inside and surely outside; between them lies a band in which a
//! pixel C mixes the subject's colour F and the background's B: C = alpha F + (1 - alpha) B
//! (Porter and Duff 1984). F and B are local means of the sure pixels (normalised convolution,
//! Knutsson and Westin 1993), alpha is C's place between them, and the subject keeps F, so that
//! nothing of the old background shines through. Where F and B are too much alike to tell, the
//! blurred mask decides.

use crate::floats::Floats;
use crate::image::{Rgb8, Rgba8};
use crate::plane::{PlaneRef, ShapeError, check_same};

/// Squared distance of F and B in RGB codes at which the colours count half.
const HALF_SURE: f32 = 24.0 * 24.0;

/// Weight of pixels that are inside without being deep inside, so that parts thinner than the band
/// are made of their own colour.
const SHALLOW: f32 = 0.02;

/// Alpha below this is nothing and above the rest is all: noise.
const NOISE: f32 = 0.06;

/// Local means of colours that are known only somewhere.
pub(crate) struct Spread {
    channels: [Floats; 3],
    weight: Floats,
}

// === impl Spread ===

impl Spread {
    /// The weighted mean over growing windows: the smallest one that knows anything counts.
    pub(crate) fn of(image: &[Floats; 3], weight: &Floats, radius: usize) -> Self {
        let (width, height) = (weight.width, weight.height);
        let weighted: [Floats; 3] = std::array::from_fn(|c| {
            let data = image[c].data.iter().zip(&weight.data).map(|(v, w)| v * w).collect();
            Floats { data, width, height }
        });
        let mut channels: [Floats; 3] = std::array::from_fn(|_| Floats::new(width, height));
        let mut known = Floats::new(width, height);
        for step in [1, 3, 9, 27] {
            let reach = (radius * step).min(width.max(height));
            let share = weight.box_mean(reach);
            let means: [Floats; 3] = std::array::from_fn(|c| weighted[c].box_mean(reach));
            // A window that hardly knows the colour leaves room for the next one.
            let least = 0.04 * SHALLOW;
            for i in 0..known.data.len() {
                let found = share.data[i];
                if known.data[i] == 0.0 && found > least {
                    known.data[i] = 1.0;
                    (0..3).for_each(|c| channels[c].data[i] = means[c].data[i] / found);
                }
            }
        }
        Self { channels, weight: known }
    }

    /// The colour about sample `i`.
    pub(crate) fn at(&self, i: usize) -> [f32; 3] {
        std::array::from_fn(|c| self.channels[c].data[i])
    }

    /// 1 where the colour is known, 0 elsewhere.
    pub(crate) fn knows(&self, i: usize) -> f32 {
        self.weight.data[i]
    }
}

/// The picture with straight alpha, exact along the border of `mask` (255 inside, 0 outside).
///
/// `band` is how far from the mask's border a pixel may mix, in px (at least 1). Colours of mixed
/// pixels are the subject's alone.
pub fn refine(image: &Rgb8, mask: PlaneRef<'_>, band: usize) -> Result<Rgba8, ShapeError> {
    check_same(image.size(), mask.size())?;
    let band = band.max(1);
    let inside = Floats::from_plane(mask);
    let depth = inside.box_mean(band);
    let (mut deep, mut outside) = (depth.clone(), depth.clone());
    for (i, &mean) in depth.data.iter().enumerate() {
        let shallow = if inside.data[i] > 254.0 { SHALLOW } else { 0.0 };
        deep.data[i] = if mean > 254.5 { 1.0 } else { shallow };
        outside.data[i] = if mean < 0.5 { 1.0 } else { 0.0 };
    }
    let colours = std::array::from_fn(|c| {
        let data = image.pixels().iter().map(|pixel| f32::from(pixel[c])).collect();
        Floats { data, ..Floats::new(depth.width, depth.height) }
    });
    let back = Spread::of(&colours, &outside, 2 * band);
    stress_difference(image, &mut deep, &back);
    let fore = Spread::of(&colours, &deep, 2 * band);
    let prior = crate::blur::gaussian_floats(inside, 0.5 * band as f32);
    let alpha = mixes(image, &depth, &prior, &fore, &back);
    let alpha = crate::blur::gaussian_floats(alpha, 0.6);
    Ok(dressed(image, &depth, &alpha, &fore, &back))
}

/// Shallow pixels count by how much they differ from the background: the core of a hair and not
/// its soft rim is its colour.
fn stress_difference(image: &Rgb8, deep: &mut Floats, back: &Spread) {
    for (i, pixel) in image.pixels().iter().enumerate() {
        if deep.data[i] == SHALLOW && back.weight.data[i] > 0.0 {
            let gap = squared(std::array::from_fn(|c| f32::from(pixel[c]) - back.at(i)[c]));
            deep.data[i] *= gap / (gap + 4.0 * HALF_SURE);
        }
    }
}

fn mixes(image: &Rgb8, depth: &Floats, prior: &Floats, fore: &Spread, back: &Spread) -> Floats {
    let mut alpha = Floats::new(depth.width, depth.height);
    for (i, pixel) in image.pixels().iter().enumerate() {
        let mean = depth.data[i];
        alpha.data[i] = if mean > 254.5 {
            1.0
        } else if mean < 0.5 {
            0.0
        } else {
            let (f, b) = (fore.at(i), back.at(i));
            let way: [f32; 3] = std::array::from_fn(|c| f[c] - b[c]);
            let gone: f32 = (0..3).map(|c| (f32::from(pixel[c]) - b[c]) * way[c]).sum();
            let length = squared(way);
            let known = fore.weight.data[i] * back.weight.data[i];
            let sure = known * length / (length + HALF_SURE);
            let guess = ((prior.data[i] / 255.0 - 0.35) / 0.4).clamp(0.0, 1.0);
            let seen = (gone / length.max(1.0)).clamp(0.0, 1.0);
            let mixed = guess + sure * (seen - guess);
            ((mixed - NOISE) / (1.0 - 2.0 * NOISE)).clamp(0.0, 1.0)
        };
    }
    alpha
}

/// Takes the background's part out of each mixed colour; the fainter the pixel, the more it is the
/// subject's usual colour there.
fn dressed(image: &Rgb8, depth: &Floats, alpha: &Floats, fore: &Spread, back: &Spread) -> Rgba8 {
    let mut out = image.to_rgba();
    for (i, pixel) in out.pixels_mut().iter_mut().enumerate() {
        let a = alpha.data[i];
        if depth.data[i] <= 254.5 {
            let (f, b) = (fore.at(i), back.at(i));
            for c in 0..3 {
                let own = (f32::from(pixel[c]) - (1.0 - a) * b[c]) / a.max(0.3);
                let near = own.clamp(f[c] - 48.0, f[c] + 48.0);
                pixel[c] = crate::resize::to_byte(f[c] + a * a * (near - f[c]));
            }
        }
        pixel[3] = crate::resize::to_byte(255.0 * a);
    }
    out
}

fn squared(v: [f32; 3]) -> f32 {
    v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;

    const RED: [f32; 3] = [190.0, 50.0, 40.0];
    const GREEN: [f32; 3] = [110.0, 150.0, 90.0];

    /// Cover of a pixel by a disc with a rod on it that is three px thick, its edge two px soft.
    fn cover(x: usize, y: usize) -> f32 {
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        let disc = 40.0 - (x - 80.0).hypot(y - 90.0);
        let rod = if y < 60.0 && y > 20.0 { 2.0 - (x - 80.0).abs() } else { -9.0 };
        (disc.max(rod) / 2.0 + 0.5).clamp(0.0, 1.0)
    }

    fn scene() -> (Rgb8, Plane) {
        let image = Rgb8::from_fn(160, 160, |x, y| {
            let a = cover(x, y);
            std::array::from_fn(|c| (a * RED[c] + (1.0 - a) * GREEN[c]) as u8)
        });
        let mask = Plane::from_fn(160, 160, |x, y| if cover(x, y) > 0.4 { 255 } else { 0 });
        (image.unwrap(), mask.unwrap())
    }

    #[test]
    fn alpha_is_the_cover_and_thin_parts_stay() {
        let (image, mask) = scene();
        let cut = refine(&image, mask.as_ref(), 4).unwrap();
        let (mut sum, mut count) = (0.0, 0);
        for y in 0..160 {
            for x in 0..160 {
                let truth = cover(x, y);
                let found = f32::from(cut.at(x as isize, y as isize)[3]) / 255.0;
                if truth > 0.0 && truth < 1.0 {
                    sum += (truth - found).abs();
                    count += 1;
                }
            }
        }
        assert!(sum / (count as f32) < 0.12, "{}", sum / count as f32);
        assert!(cut.at(80, 30)[3] > 230, "the rod: {:?}", cut.at(80, 30));
        assert_eq!(cut.at(20, 20)[3], 0);
    }

    #[test]
    fn no_colour_of_the_background_stays_at_the_edge() {
        let (image, mask) = scene();
        let cut = refine(&image, mask.as_ref(), 4).unwrap();
        for pixel in cut.pixels().iter().filter(|p| p[3] > 40) {
            let off = (0..3).map(|c| (f32::from(pixel[c]) - RED[c]).abs()).fold(0.0, f32::max);
            assert!(off < 26.0, "{pixel:?}");
        }
    }

    #[test]
    fn a_mask_of_another_size_is_refused() {
        let (image, _) = scene();
        assert!(refine(&image, Plane::new(9, 9, 0).unwrap().as_ref(), 3).is_err());
    }
}
