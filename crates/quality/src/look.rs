//! Whether the look holds from frame to frame and from end to end, and how near it is to a style.

use std::ops::Range;

use kernels::color::LabTable;
use kernels::resize::{self, Filter};
use kernels::{Rgb8, ShapeError, Yuv420, convert, metrics};

/// Size of the copies whose colours are compared with a style.
const STYLE_SIZE: (usize, usize) = (160, 90);

/// Frames of a clip that are compared with a style.
const STYLE_FRAMES: usize = 5;

/// Directions of the sliced Wasserstein distance.
const DIRECTIONS: usize = 48;

/// Cells of the Lab histogram on each axis.
const CELLS: usize = 8;

/// VBench's temporal flickering (Huang et al., CVPR 2024): 1 less the mean absolute difference of
/// RGB codes from each frame to the next over 255; 1 does not change at all.
pub(crate) fn flicker(frames: &[Yuv420]) -> Result<f64, ShapeError> {
    let mut sum = 0.0;
    let mut before: Option<Rgb8> = None;
    for frame in frames {
        let now = convert::frame_to_rgb(frame.as_ref())?;
        if let Some(before) = before.replace(now.clone()) {
            let codes = before.as_bytes().iter().zip(now.as_bytes());
            let total: u64 = codes.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
            sum += total as f64 / now.as_bytes().len() as f64;
        }
    }
    Ok(1.0 - sum / (255.0 * frames.len().saturating_sub(1).max(1) as f64))
}

/// Variance of the Laplacian (sharpness) over the last second against the first, as a ratio.
pub(crate) fn sharpness_ratio(frames: &[Yuv420], rate: usize) -> f64 {
    let mean = |range: Range<usize>| {
        let count = range.len().max(1) as f64;
        let values = frames[range].iter().map(|f| metrics::laplacian_variance(f.as_ref().y()));
        values.sum::<f64>() / count
    };
    let (first, last) = ends(frames.len(), rate);
    mean(last) / mean(first).max(1e-9)
}

/// Distance of the Lab histograms of the first and the last second, 0 (equal) to 1 (disjoint).
pub(crate) fn histogram_change(frames: &[Yuv420], rate: usize) -> Result<f64, ShapeError> {
    let table = LabTable::new();
    let (first, last) = ends(frames.len(), rate);
    let (a, b) = (histogram(&frames[first], &table)?, histogram(&frames[last], &table)?);
    Ok(0.5 * a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>())
}

/// The first and the last second of a shot, or its halves if it is shorter than two.
fn ends(frames: usize, rate: usize) -> (Range<usize>, Range<usize>) {
    let part = rate.min(frames / 2).max(1).min(frames);
    (0..part, frames - part..frames)
}

fn histogram(frames: &[Yuv420], table: &LabTable) -> Result<Vec<f64>, ShapeError> {
    let mut cells = vec![0.0; CELLS * CELLS * CELLS];
    let mut count = 0.0;
    for frame in frames {
        let rgb = convert::frame_to_rgb(frame.as_ref())?;
        let small = resize::rgb(&rgb, STYLE_SIZE.0, STYLE_SIZE.1, Filter::Area)?;
        for &pixel in small.pixels() {
            let [l, a, b] = table.lab(pixel);
            let cell = |value: f32, least: f32, most: f32| {
                let part = (value - least) / (most - least);
                ((part * CELLS as f32) as usize).min(CELLS - 1)
            };
            let at =
                (cell(l, 0.0, 100.0) * CELLS + cell(a, -64.0, 64.0)) * CELLS + cell(b, -64.0, 64.0);
            cells[at] += 1.0;
            count += 1.0;
        }
    }
    Ok(cells.into_iter().map(|cell| cell / f64::max(count, 1.0)).collect())
}

/// Sliced Wasserstein distance in Lab of some frames to a style picture, in Lab units.
pub(crate) fn style_distance(frames: &[Yuv420], style: &Rgb8) -> Result<f64, ShapeError> {
    let style = resize::rgb(style, STYLE_SIZE.0, STYLE_SIZE.1, Filter::Area)?;
    let mut sum = 0.0;
    let count = STYLE_FRAMES.min(frames.len()).max(1);
    for k in 0..count {
        let Some(frame) = frames.get(k * frames.len() / count) else { continue };
        let rgb = convert::frame_to_rgb(frame.as_ref())?;
        let small = resize::rgb(&rgb, STYLE_SIZE.0, STYLE_SIZE.1, Filter::Area)?;
        sum += metrics::sliced_wasserstein(&small, &style, DIRECTIONS, 1);
    }
    Ok(sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::tests::picture;

    fn grey(code: u8) -> Yuv420 {
        Yuv420::new(64, 36, [code, 128, 128]).unwrap()
    }

    #[test]
    fn flicker_is_the_change_of_codes() {
        let steady = vec![grey(100); 6];
        assert_eq!(flicker(&steady).unwrap(), 1.0);
        // 22 luma codes are 25.6 RGB codes.
        let flickers: Vec<_> = (0..6).map(|n| grey(100 + 22 * (n % 2))).collect();
        let score = flicker(&flickers).unwrap();
        assert!((score - (1.0 - 25.6 / 255.0)).abs() < 0.003, "{score}");
    }

    #[test]
    fn a_clip_that_blurs_loses_sharpness() {
        let soft = |sigma: f32| {
            let frame = picture(0.0, 1.0);
            let y = kernels::blur::gaussian(frame.as_ref().y(), sigma);
            let [_, u, v] = frame.planes().map(Clone::clone);
            Yuv420::from_planes(y, u, v).unwrap()
        };
        let frames: Vec<_> = (0..48).map(|n| soft(0.2 * n as f32)).collect();
        assert!(sharpness_ratio(&frames, 24) < 0.6);
        assert!((sharpness_ratio(&vec![soft(1.0); 48], 24) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_clip_that_changes_colour_drifts() {
        let frames: Vec<_> = (0..48).map(|n| grey(if n < 24 { 60 } else { 180 })).collect();
        assert!(histogram_change(&frames, 24).unwrap() > 0.99);
        assert_eq!(histogram_change(&vec![grey(60); 48], 24).unwrap(), 0.0);
    }

    #[test]
    fn the_style_itself_is_nearest() {
        let style = Rgb8::from_fn(64, 64, |x, y| [20, (2 * x) as u8, (3 * y) as u8]).unwrap();
        let frame = kernels::convert::rgb_to_frame(&style).unwrap();
        let own = style_distance(&[frame], &style).unwrap();
        let other = style_distance(&[grey(120)], &style).unwrap();
        assert!(own < 3.0 && other > 5.0 * own, "{own} {other}");
    }
}
