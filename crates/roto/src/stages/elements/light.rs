//! A layer in the light of the footage.
//!
//! Its black is no blacker and its white no whiter than the footage's, its middle goes a part of
//! the way to what surrounds it, its colour takes some of the cast, and its edges are no sharper
//! than the footage's own.

use kernels::composite::{Layer, Shadow};
use kernels::grain;
use kernels::transfer::ColorStats;
use kernels::{Plane, Rgba8, Similarity, acutance, blur};
use media::Frame;

use super::place::Home;
use crate::fail::Failure;
use crate::footage::view;

/// Part of the way to the surroundings' lightness and colour.
const LIGHT_SHARE: f32 = 0.2;
const CAST_SHARE: f32 = 0.12;

/// Part of the way to the footage's black and white.
const RANGE_SHARE: f32 = 0.75;

/// Most that black is lifted, in Lab units: footage without black is not always hazy.
const MOST_BLACK: f32 = 10.0;

/// Most that lightness and colour are moved, in Lab units.
const MOST_LIGHT: f32 = 10.0;
const MOST_CAST: f32 = 4.0;

/// Every how many pixels the footage is read.
const EVERY: usize = 6;

/// Blur in px of the screen that is not worth adding, and the most that is.
const LEAST_BLUR: f32 = 0.35;
const MOST_BLUR: f32 = 3.0;

/// Most that a shadow lies to the side, in widths of the foot, and the unevenness of the light
/// over the frame's halves that it takes.
const MOST_ASIDE: f32 = 0.3;
const UNEVEN: f32 = 0.25;

/// A layer as it is drawn in one shot.
pub(super) struct Lit {
    pub(super) layer: Layer,
    /// Standard deviation of the footage's grain in luma codes.
    pub(super) grain: f32,
    /// Two shadows: a tight one where it touches the ground, and a soft one away from the light.
    pub(super) shadows: [Shadow; 2],
    /// Blur that was added, px of the screen.
    pub(super) blur: f32,
}

/// What the footage's light is like; lightness and colour in Lab units.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scenery {
    black: f32,
    white: f32,
    around: [f64; 3],
    /// How much brighter the right half is than the left, -1 to 1.
    from_right: f32,
}

/// Lights `image`, which stands at `home` and is now at `place`.
pub(super) fn light(
    image: &Rgba8,
    home: &Home,
    place: &Similarity,
    frame: &Frame,
) -> Result<Lit, Failure> {
    let picture = view(frame)?;
    let scenery = scenery(home, frame)?;
    let lit = harmonised(image, &scenery)?;
    let blur = match (acutance::edge_sigma(picture.y()), own_sigma(image, place.scale)?) {
        (Some(theirs), Some(own)) => {
            libm::sqrtf((theirs * theirs - own * own).max(0.0)).min(MOST_BLUR)
        }
        _ => 0.0,
    };
    let (lit, blur) =
        if blur >= LEAST_BLUR { (softened(&lit, blur / place.scale)?, blur) } else { (lit, 0.0) };
    let contrast = ((scenery.white - scenery.black) / 90.0).clamp(0.3, 1.0);
    let aside = -MOST_ASIDE * (scenery.from_right / UNEVEN).clamp(-1.0, 1.0);
    let tight = Shadow { strength: 0.45, flatness: 0.14, spread: 1.02, offset: 0.0 };
    let soft = Shadow {
        strength: 0.2 + 0.2 * contrast,
        flatness: 0.26,
        spread: 1.35 + aside.abs(),
        offset: aside,
    };
    Ok(Lit {
        layer: Layer::new(&lit),
        grain: grain::estimate(picture.y()),
        shadows: [soft, tight],
        blur,
    })
}

fn scenery(home: &Home, frame: &Frame) -> Result<Scenery, Failure> {
    let picture = view(frame)?;
    let (width, height) = picture.size();
    let centre = (home.middle.0 + width as f32 / 2.0, home.middle.1 + height as f32 / 2.0);
    let mut near = ColorStats::new();
    let mut lightness = Vec::with_capacity(width * height / EVERY / EVERY + 1);
    let mut halves = [0.0f64; 2];
    for y in (0..height).step_by(EVERY) {
        for x in (0..width).step_by(EVERY) {
            let code = [
                picture.y().at(x as isize, y as isize),
                picture.u().at(x as isize / 2, y as isize / 2),
                picture.v().at(x as isize / 2, y as isize / 2),
            ];
            let rgb = kernels::color::yuv_to_rgb(code.map(f32::from));
            let lab = kernels::color::rgb_to_lab(rgb.map(|c| c.clamp(0.0, 1.0)));
            let reach = |at: usize, centre: f32, size: f32| (at as f32 - centre).abs() <= size;
            if reach(x, centre.0, home.size.0) && reach(y, centre.1, home.size.1) {
                near.add(lab, 1.0);
            }
            lightness.push(lab[0]);
            halves[usize::from(2 * x > width)] += f64::from(lab[0]);
        }
    }
    lightness.sort_by(f32::total_cmp);
    let at = |part: f32| {
        let index = (part * lightness.len() as f32) as usize;
        lightness.get(index.min(lightness.len().saturating_sub(1))).copied().unwrap_or(50.0)
    };
    let around = if near.weight() > 0.0 { near.mean() } else { [f64::from(at(0.5)), 0.0, 0.0] };
    let from_right = (halves[1] - halves[0]) / (halves[0] + halves[1]).max(1.0);
    Ok(Scenery { black: at(0.02), white: at(0.985), around, from_right: from_right as f32 })
}

fn harmonised(image: &Rgba8, scenery: &Scenery) -> Result<Rgba8, Failure> {
    let table = kernels::color::LabTable::new();
    let mut own: Vec<f32> = image
        .pixels()
        .iter()
        .filter(|pixel| pixel[3] > 200)
        .step_by(7)
        .map(|&[r, g, b, _]| table.lab([r, g, b])[0])
        .collect();
    own.sort_by(f32::total_cmp);
    let at = |part: f32| {
        let index = (part * own.len() as f32) as usize;
        own.get(index.min(own.len().saturating_sub(1))).copied().unwrap_or(50.0)
    };
    let (black, middle, white) = (at(0.02), at(0.5), at(0.985));
    // Only ever into the footage's range: a thing may well be without white or black.
    let low = black + (RANGE_SHARE * (scenery.black - black)).clamp(0.0, MOST_BLACK);
    let high = (white + RANGE_SHARE * (scenery.white - white).min(0.0)).max(low + 12.0);
    let slope = if white - black > 12.0 { (high - low) / (white - black) } else { 1.0 };
    let placed = |l: f32| (low + slope * (l - black)).clamp(0.0, 100.0);
    let lift = LIGHT_SHARE * (scenery.around[0] as f32 - placed(middle));
    let lift = lift.clamp(-MOST_LIGHT, MOST_LIGHT);
    // Colour follows the cast of the light, not the colour of what stands there.
    let cast =
        [1, 2].map(|k: usize| (CAST_SHARE * scenery.around[k] as f32).clamp(-MOST_CAST, MOST_CAST));
    let (width, height) = image.size();
    Ok(Rgba8::from_fn(width, height, |x, y| {
        let [r, g, b, a] = image.at(x as isize, y as isize);
        if a == 0 {
            return [r, g, b, 0];
        }
        let lab = table.lab([r, g, b]);
        let level = placed(lab[0]);
        // The ends of the range stay where they are.
        let room = 1.0 - libm::powf((level / 50.0 - 1.0).abs().min(1.0), 3.0);
        let light = level + room * lift;
        let chroma = (light / lab[0].max(4.0)).clamp(0.5, 1.15);
        let lab = [light, chroma * lab[1] + room * cast[0], chroma * lab[2] + room * cast[1]];
        let [r, g, b] =
            kernels::color::lab_to_rgb(lab).map(|c| (255.0 * c.clamp(0.0, 1.0) + 0.5) as u8);
        [r, g, b, a]
    })?)
}

/// Blur of the picture's own edges at the size at which it is shown, in px of the screen.
fn own_sigma(image: &Rgba8, scale: f32) -> Result<Option<f32>, Failure> {
    let (width, height) = image.size();
    let luma = Plane::from_fn(width, height, |x, y| {
        let [r, g, b, a] = image.at(x as isize, y as isize);
        let code = kernels::composite::opaque_code([r, g, b])[0];
        // Outside it is grey, so that the outline counts as an edge.
        ((u32::from(code) * u32::from(a) + 128 * (255 - u32::from(a))) / 255) as u8
    })?;
    Ok(acutance::edge_sigma(luma.as_ref()).map(|sigma| (sigma * scale).max(0.3)))
}

/// The picture blurred by `sigma` px of its own, without a fringe.
fn softened(image: &Rgba8, sigma: f32) -> Result<Rgba8, Failure> {
    let (width, height) = image.size();
    let mut planes = Vec::with_capacity(4);
    for channel in 0..4 {
        let plane = Plane::from_fn(width, height, |x, y| {
            let pixel = image.at(x as isize, y as isize);
            let by_alpha = u32::from(pixel[channel]) * u32::from(pixel[3]);
            if channel == 3 { pixel[3] } else { ((by_alpha + 127) / 255) as u8 }
        })?;
        planes.push(blur::gaussian(plane.as_ref(), sigma));
    }
    let [r, g, b, a] = planes.as_slice() else { return Ok(image.clone()) };
    Ok(Rgba8::from_fn(width, height, |x, y| {
        let alpha = a.row(y)[x];
        if alpha == 0 {
            return [0; 4];
        }
        let own = |plane: &Plane| (u32::from(plane.row(y)[x]) * 255 / u32::from(alpha)).min(255);
        [own(r) as u8, own(g) as u8, own(b) as u8, alpha]
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Rgba8 {
        Rgba8::from_fn(60, 60, |x, y| {
            let code = (255 * x / 59) as u8;
            [code, code, code, if (5..55).contains(&y) { 255 } else { 0 }]
        })
        .unwrap()
    }

    #[test]
    fn the_range_of_night_is_not_left() {
        let night = Scenery { black: 4.0, white: 42.0, around: [14.0, 0.0, -6.0], from_right: 0.0 };
        let lit = harmonised(&chart(), &night).unwrap();
        let table = kernels::color::LabTable::new();
        let lightness = |x: isize| table.lab(lit.at(x, 30)[..3].try_into().unwrap())[0];
        assert!(lightness(59) < 60.0 && lightness(0) >= 1.0, "{}", lightness(59));
        assert!((1..59).all(|x| lightness(x + 1) >= lightness(x) - 0.6));
    }

    #[test]
    fn a_like_light_changes_little() {
        let day = Scenery { black: 0.0, white: 100.0, around: [53.0, 0.0, 0.0], from_right: 0.0 };
        let lit = harmonised(&chart(), &day).unwrap();
        let off = chart().pixels().iter().zip(lit.pixels()).map(|(a, b)| a[0].abs_diff(b[0])).max();
        assert!(off.unwrap() <= 6, "{off:?}");
    }
}
