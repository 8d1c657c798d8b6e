//! A thing freed from its background, where that is sure.
//!
//! Alpha is taken as it is; a plain background is the kernel's work. What remains are photos of one
//! thing before a few shaded surfaces: there the colours along the border are learnt, and the
//! thing is what differs from all of them, if it is one solid piece in the middle that does not
//! reach the border. Anything less clear is refused.

use kernels::color::LabTable;
use kernels::matte::{self, MatteError};
use kernels::resize::{self, Filter};
use kernels::{Plane, Rgba8, blur};
use media::StillImage;

/// Longest side of a layer in px.
const LONGEST: usize = 1280;

/// Longest side of the picture that is searched, in px.
const SEARCHED: usize = 320;

/// Part of the shorter side that counts as border.
const BORDER: f32 = 0.04;

/// Colours that a border may have.
const COLOURS: usize = 6;
const ROUNDS: usize = 12;

/// Lightness counts this much less than colour: surfaces are shaded.
const LIGHTNESS: f32 = 0.35;

/// Least distance from the border's colours that can part a thing from them.
const LEAST_GAP: f32 = 9.0;

/// Part of the variance that the parting must explain: two groups, not a slope.
const LEAST_PARTING: f32 = 0.6;

/// Limits of the thing's part of the picture, and most of the border that it may touch.
const COVERAGE: (f32, f32) = (0.04, 0.85);
const MOST_TOUCH: f32 = 0.04;

/// Dark or pale parts of the thing that touch it may differ by this part of the level only, and by
/// no less than the faintest difference; together they may be this part of the thing.
const FAINT: f32 = 0.3;
const FAINTEST: f32 = 7.5;
const MOST_FAINT: f32 = 0.45;

/// Faint parts thinner than twice this part of the picture are not the thing's.
const THIN: f32 = 0.04;

/// Part of all that differs which the thing must be: the rest is clutter.
const LEAST_WHOLE: f32 = 0.8;

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
        Err(refusal) => match before_surfaces(&rgba)? {
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

/// The one thing before a few surfaces, as a mask of a small copy.
fn before_surfaces(image: &Rgba8) -> Result<Option<Plane>, CutError> {
    let size = at_most(image.size(), SEARCHED);
    let small = resize::rgba(image, size.0, size.1, Filter::Area)?;
    let table = LabTable::new();
    let points: Vec<[f32; 3]> = small
        .pixels()
        .iter()
        .map(|&[r, g, b, _]| {
            let [l, a, b] = table.lab([r, g, b]);
            [LIGHTNESS * l, a, b]
        })
        .collect();
    let ring = ring(size);
    let colours = border_colours(ring.iter().map(|&i| points[i]).collect());
    let gaps: Vec<f32> = points
        .iter()
        .map(|p| colours.iter().map(|c| distance(*p, *c)).fold(f32::INFINITY, f32::min))
        .collect();
    let (level, parting) = part(&gaps);
    if parting < LEAST_PARTING {
        return Ok(None);
    }
    let level = level.max(LEAST_GAP);
    let differs: Vec<bool> = gaps.iter().map(|&gap| gap > level).collect();
    let all = differs.iter().filter(|&&d| d).count();
    let Some(thing) = largest_piece(&differs, size) else { return Ok(None) };
    let faint = (FAINT * level).max(FAINTEST);
    let grown = with_faint_parts(&thing, size, |i| gaps[i] > faint)?;
    let filled = without_holes(&grown, size);
    let pixels = filled.iter().filter(|&&d| d).count();
    let own = thing.iter().filter(|&&d| d).count();
    let coverage = pixels as f32 / filled.len() as f32;
    let touching = ring.iter().filter(|&&i| filled[i]).count() as f32 / ring.len() as f32;
    let whole = own as f32 / all.max(1) as f32;
    if !(COVERAGE.0..=COVERAGE.1).contains(&coverage)
        || touching > MOST_TOUCH
        || whole < LEAST_WHOLE
    {
        return Ok(None);
    }
    let data = filled.iter().map(|&inside| if inside { 255 } else { 0 }).collect();
    Ok(Some(Plane::from_vec(data, size.0, size.1)?))
}

/// The picture with the mask as its alpha, the edge soft and drawn in a little.
fn masked(image: &Rgba8, mask: &Plane) -> Result<Rgba8, CutError> {
    let (width, height) = image.size();
    let round = blur::gaussian(mask.as_ref(), 2.0);
    let mut full = Plane::new(width, height, 0)?;
    resize::plane(round.as_ref(), &mut full.as_mut(), Filter::Bicubic);
    Ok(Rgba8::from_fn(width, height, |x, y| {
        let [r, g, b, _] = image.at(x as isize, y as isize);
        let inside = f32::from(full.row(y)[x]) / 255.0;
        let alpha = ((inside - 0.5) / 0.3).clamp(0.0, 1.0);
        [r, g, b, (255.0 * alpha) as u8]
    })?)
}

fn ring((width, height): (usize, usize)) -> Vec<usize> {
    let depth = (BORDER * width.min(height) as f32).max(1.0) as usize;
    let near = |at: usize, side: usize| at < depth || at + depth >= side;
    (0..width * height).filter(|i| near(i % width, width) || near(i / width, height)).collect()
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
}

/// The border's colours by k-means (Lloyd 1982), begun at quantiles so that nothing is random;
/// groups of less than a fiftieth are left out.
fn border_colours(mut points: Vec<[f32; 3]>) -> Vec<[f32; 3]> {
    points.sort_by(|a, b| (a[0] + a[1] - a[2]).total_cmp(&(b[0] + b[1] - b[2])));
    let mut centres: Vec<[f32; 3]> =
        (0..COLOURS).map(|k| points[(2 * k + 1) * points.len() / (2 * COLOURS)]).collect();
    let mut counts = [0usize; COLOURS];
    for _ in 0..ROUNDS {
        let mut sums = [[0.0f32; 3]; COLOURS];
        counts = [0; COLOURS];
        for point in &points {
            let nearest = (0..COLOURS)
                .min_by(|&a, &b| {
                    distance(*point, centres[a]).total_cmp(&distance(*point, centres[b]))
                })
                .unwrap_or(0);
            counts[nearest] += 1;
            (0..3).for_each(|c| sums[nearest][c] += point[c]);
        }
        for (k, centre) in centres.iter_mut().enumerate() {
            if counts[k] > 0 {
                *centre = sums[k].map(|sum| sum / counts[k] as f32);
            }
        }
    }
    let least = points.len() / 50;
    centres.into_iter().zip(counts).filter(|(_, n)| *n > least).map(|(c, _)| c).collect()
}

/// The level that parts values into two groups best, and the part of the variance that it explains
/// (Otsu 1979).
fn part(values: &[f32]) -> (f32, f32) {
    const BINS: usize = 256;
    let most = values.iter().copied().fold(1e-3, f32::max);
    let mut counts = [0.0f64; BINS];
    for value in values {
        counts[(value / most * (BINS - 1) as f32) as usize] += 1.0;
    }
    let total: f64 = counts.iter().sum();
    let mean = |range: std::ops::Range<usize>| {
        let n: f64 = counts[range.clone()].iter().sum();
        let sum: f64 = range.map(|bin| bin as f64 * counts[bin]).sum();
        (n, if n > 0.0 { sum / n } else { 0.0 })
    };
    let (_, middle) = mean(0..BINS);
    let variance: f64 =
        (0..BINS).map(|bin| counts[bin] * (bin as f64 - middle).powi(2)).sum::<f64>() / total;
    let mut best = (0, 0.0);
    for level in 1..BINS {
        let ((n, low), (m, high)) = (mean(0..level), mean(level..BINS));
        let between = n * m * (high - low) * (high - low) / (total * total);
        if between > best.1 {
            best = (level, between);
        }
    }
    (most * best.0 as f32 / (BINS - 1) as f32, (best.1 / variance.max(1e-9)) as f32)
}

/// The largest connected piece.
fn largest_piece(inside: &[bool], size: (usize, usize)) -> Option<Vec<bool>> {
    let mut seen = vec![false; inside.len()];
    let mut best: Option<Vec<usize>> = None;
    for start in 0..inside.len() {
        if inside[start] && !seen[start] {
            let piece = flood(start, size, &mut seen, |i| inside[i]);
            if best.as_ref().is_none_or(|best| piece.len() > best.len()) {
                best = Some(piece);
            }
        }
    }
    let mut mask = vec![false; inside.len()];
    best?.into_iter().for_each(|i| mask[i] = true);
    Some(mask)
}

/// The piece and what of the faint pixels hangs together with it, without what is thin; the piece
/// alone if that is too much to be a part of it or runs to the border.
fn with_faint_parts(
    piece: &[bool],
    size: (usize, usize),
    faint: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, CutError> {
    let joins: Vec<bool> = (0..piece.len()).map(|i| piece[i] || faint(i)).collect();
    let Some(grown) = largest_piece(&joins, size) else { return Ok(piece.to_vec()) };
    let data = grown.iter().map(|&inside| if inside { 255 } else { 0 }).collect();
    let radius = (THIN * size.0.min(size.1) as f32) as usize;
    let mut core = blur::box_mean(Plane::from_vec(data, size.0, size.1)?.as_ref(), radius);
    core.data_mut().iter_mut().for_each(|mean| *mean = if *mean >= 253 { 255 } else { 0 });
    let solid = blur::box_mean(core.as_ref(), radius);
    let kept: Vec<bool> =
        (0..piece.len()).map(|i| piece[i] || (grown[i] && solid.data()[i] > 0)).collect();
    let joined = largest_piece(&kept, size).unwrap_or(kept);
    let count = |mask: &[bool]| mask.iter().filter(|&&inside| inside).count() as f32;
    let (own, all) = (count(piece), count(&joined));
    let ring = ring(size);
    let touching = ring.iter().filter(|&&i| joined[i]).count() as f32 / ring.len() as f32;
    let a_part = all <= own * (1.0 + MOST_FAINT) && touching <= MOST_TOUCH;
    Ok(if a_part { joined } else { piece.to_vec() })
}

/// Everything that the outside does not reach.
fn without_holes(inside: &[bool], size: (usize, usize)) -> Vec<bool> {
    let mut reached = vec![false; inside.len()];
    for start in ring(size) {
        if !inside[start] && !reached[start] {
            flood(start, size, &mut reached, |i| !inside[i]);
        }
    }
    reached.iter().map(|&outside| !outside).collect()
}

/// The pixels connected to `start` for which `joins` holds; marks them as seen.
fn flood(
    start: usize,
    (width, height): (usize, usize),
    seen: &mut [bool],
    joins: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let mut piece = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&at) = piece.get(next) {
        next += 1;
        let (x, y) = (at % width, at / width);
        let sides = [
            (x > 0).then(|| at - 1),
            (x + 1 < width).then(|| at + 1),
            (y > 0).then(|| at - width),
            (y + 1 < height).then(|| at + width),
        ];
        for side in sides.into_iter().flatten() {
            if !seen[side] && joins(side) {
                seen[side] = true;
                piece.push(side);
            }
        }
    }
    piece
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
