//! The one thing before a few shaded surfaces.
//!
//! The colours along the picture's border are learnt; the thing is what differs from all of them, if
//! it is one solid piece that does not reach the border.

use kernels::color::LabTable;
use kernels::resize::{self, Filter};
use kernels::{Plane, Rgba8};

use super::pieces::{largest_piece, ring, with_faint_parts, without_holes};
use super::{CutError, at_most, spurs};

/// Longest side of the picture that is searched, in px.
const SEARCHED: usize = 320;

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
pub(super) const MOST_TOUCH: f32 = 0.04;

/// Dark or pale parts of the thing that touch it may differ by this part of the level only, and by
/// no less than the faintest difference.
const FAINT: f32 = 0.3;
const FAINTEST: f32 = 7.5;

/// Part of all that differs which the thing must be: the rest is clutter.
const LEAST_WHOLE: f32 = 0.8;

/// The one thing before a few surfaces, as a mask of a small copy.
pub(super) fn thing(image: &Rgba8) -> Result<Option<Plane>, CutError> {
    let size = at_most(image.size(), SEARCHED);
    let small = resize::rgba(image, size.0, size.1, Filter::Area)?;
    let table = LabTable::new();
    let lab: Vec<[f32; 3]> =
        small.pixels().iter().map(|&[r, g, b, _]| table.lab([r, g, b])).collect();
    let points: Vec<[f32; 3]> = lab.iter().map(|&[l, a, b]| [LIGHTNESS * l, a, b]).collect();
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
    let mut filled = without_holes(&grown, size);
    spurs::add(&mut filled, &lab, size);
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
