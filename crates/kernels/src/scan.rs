//! The margins of a scanned picture: the scanner's black, white paper, rounded mounts.
//!
//! A margin is one flat colour that ends at a straight line, on at least two sides. A picture's
//! own dark corner or plain ground is not flat all along, or has no straight end, and stays.
//!
//! Invariant: what is cut is a frame around one rectangle; nothing inside it changes.

use crate::image::Rgb8;
use crate::plane::ShapeError;

/// Difference of a channel from the margin's colour that noise and compression explain.
const NOISE: u8 = 18;

/// Part of a side's outermost line that must have the margin's colour.
const FLAT: f64 = 0.94;

/// Part of a side along which the margin must end near its usual depth.
const STRAIGHT: f64 = 0.8;

/// How far the end may lie from its usual depth, in parts of the longer side: scans are skewed.
const SKEW: f64 = 0.012;

/// Deepest margin, in parts of the picture's size.
const DEEPEST: f64 = 0.25;

/// What is cut beyond a margin in parts of the shorter side: the worn rim of the sheet or canvas.
const RIM: f64 = 0.012;

/// Furthest that rounded corners push the cut inwards, in parts of the shorter side.
const ROUNDED: f64 = 0.08;

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

/// A margin on one side.
struct Margin {
    color: [u8; 3],
    depth: usize,
}

/// The picture without the margins of its scan; `None` where it has none.
pub fn without_margins(still: &Rgb8) -> Result<Option<Rgb8>, ShapeError> {
    let sides = [Side::Left, Side::Right, Side::Top, Side::Bottom];
    let found = sides.map(|side| margin(still, side));
    let Some(color) = shared_color(&found) else { return Ok(None) };
    let rim = (RIM * still.width().min(still.height()) as f64).ceil() as usize;
    let mut cut = found.map(|margin| match margin {
        Some(margin) if near(margin.color, color) => margin.depth + rim,
        _ => 0,
    });
    let most = (ROUNDED * still.width().min(still.height()) as f64) as usize;
    for _ in 0..most {
        let [left, right, top, bottom] = cut;
        let (right, bottom) = (still.width() - 1 - right, still.height() - 1 - bottom);
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
        let rounded = |(x, y)| near(still.at(x as isize, y as isize), color);
        if !corners.into_iter().any(rounded) {
            break;
        }
        for side in cut.iter_mut().filter(|side| **side > 0) {
            *side += 1;
        }
    }
    let [left, right, top, bottom] = cut;
    let size = (still.width() - left - right, still.height() - top - bottom);
    let at = |x: usize, y: usize| still.at((x + left) as isize, (y + top) as isize);
    Rgb8::from_fn(size.0, size.1, at).map(Some)
}

/// The colour of the margins of at least two sides.
fn shared_color(found: &[Option<Margin>; 4]) -> Option<[u8; 3]> {
    let colors = || found.iter().flatten().map(|margin| margin.color);
    colors().find(|&color| colors().filter(|&other| near(color, other)).count() >= 2)
}

fn margin(still: &Rgb8, side: Side) -> Option<Margin> {
    let (along, deep) = match side {
        Side::Left | Side::Right => (still.height(), still.width()),
        Side::Top | Side::Bottom => (still.width(), still.height()),
    };
    let pixel = |along: usize, depth: usize| {
        let (i, k) = (along as isize, depth as isize);
        let (width, height) = (still.width() as isize, still.height() as isize);
        match side {
            Side::Left => still.at(k, i),
            Side::Right => still.at(width - 1 - k, i),
            Side::Top => still.at(i, k),
            Side::Bottom => still.at(i, height - 1 - k),
        }
    };
    let color = median(&(0..along).map(|i| pixel(i, 0)).collect::<Vec<_>>())?;
    let flat = (0..along).filter(|&i| near(pixel(i, 0), color)).count();
    if (flat as f64) < FLAT * along as f64 {
        return None;
    }
    let deepest = (DEEPEST * deep as f64) as usize;
    let end = |i: usize| {
        (0..deepest).find(|&k| !near(pixel(i, k), color) && !near(pixel(i, k + 1), color))
    };
    // Lines without an end lie in the margins of the neighbouring sides.
    let mut ends: Vec<usize> = (0..along).filter_map(end).collect();
    ends.sort_unstable();
    let usual = *ends.get(ends.len() / 2).filter(|_| 2 * ends.len() >= along)?;
    let skew = (SKEW * along.max(deep) as f64).ceil() as usize + 1;
    let straight = ends.iter().filter(|end| end.abs_diff(usual) <= skew).count();
    if usual == 0 || usual >= deepest || (straight as f64) < STRAIGHT * ends.len() as f64 {
        return None;
    }
    // The deepest of the ends that belong to the line.
    let depth = ends.iter().rev().find(|end| end.abs_diff(usual) <= skew).copied()?;
    Some(Margin { color, depth })
}

fn median(colors: &[[u8; 3]]) -> Option<[u8; 3]> {
    let middle = |channel: usize| {
        let mut codes: Vec<u8> = colors.iter().map(|color| color[channel]).collect();
        codes.sort_unstable();
        codes.get(codes.len() / 2).copied()
    };
    Some([middle(0)?, middle(1)?, middle(2)?])
}

fn near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= NOISE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn painted(x: usize, y: usize) -> [u8; 3] {
        let wave = |k: usize| (90 + (x * k + y * (k + 3) + x * y / 5) % 130) as u8;
        [wave(7), wave(11), wave(5)]
    }

    fn framed(size: (usize, usize), margins: [usize; 4], color: u8) -> Rgb8 {
        let [left, right, top, bottom] = margins;
        Rgb8::from_fn(size.0, size.1, |x, y| {
            let inside = x >= left && x < size.0 - right && y >= top && y < size.1 - bottom;
            if inside { painted(x, y) } else { [color + ((x + y) % 3) as u8; 3] }
        })
        .unwrap()
    }

    proptest! {
        #[test]
        fn margins_go_and_little_else(
            margins in proptest::array::uniform4(4usize..30),
            dark in any::<bool>(),
        ) {
            let still = framed((240, 180), margins, if dark { 2 } else { 245 });
            let cut = without_margins(&still).unwrap().unwrap();
            let [left, right, top, bottom] = margins;
            let inner = (240 - left - right, 180 - top - bottom);
            prop_assert!(cut.width() <= inner.0 && cut.width() + 24 >= inner.0);
            prop_assert!(cut.height() <= inner.1 && cut.height() + 24 >= inner.1);
        }

        #[test]
        fn a_dark_corner_of_the_picture_stays(reach in 10usize..150, corner in 0usize..4) {
            let still = Rgb8::from_fn(240, 180, |x, y| {
                let (dx, dy) = (
                    if corner % 2 == 0 { x } else { 239 - x },
                    if corner < 2 { y } else { 179 - y },
                );
                if dx + dy < reach { [3; 3] } else { painted(x, y) }
            })
            .unwrap();
            prop_assert_eq!(without_margins(&still).unwrap(), None);
        }
    }

    #[test]
    fn a_night_sky_and_a_plain_ground_stay() {
        let lit = |x: usize, y: usize| (x as f64 - 120.0).hypot(y as f64 - 90.0) < 50.0;
        let night = Rgb8::from_fn(240, 180, |x, y| if lit(x, y) { painted(x, y) } else { [4; 3] });
        assert_eq!(without_margins(&night.unwrap()).unwrap(), None);
        let sky = Rgb8::from_fn(240, 180, |x, y| if y < 40 { [4; 3] } else { painted(x, y) });
        assert_eq!(without_margins(&sky.unwrap()).unwrap(), None);
        let vignette = Rgb8::from_fn(240, 180, |x, y| {
            let radius = (x as f64 / 120.0 - 1.0).hypot(y as f64 / 90.0 - 1.0);
            painted(x, y).map(|code| (f64::from(code) * (1.2 - radius).clamp(0.0, 1.0)) as u8)
        });
        assert_eq!(without_margins(&vignette.unwrap()).unwrap(), None);
    }

    #[test]
    fn a_skewed_scan_and_rounded_corners_leave_no_margin() {
        let skewed = Rgb8::from_fn(400, 300, |x, y| {
            let inside = x >= 8 + y / 100 && x < 390 - y / 100 && (9..288).contains(&y);
            if inside { painted(x, y) } else { [0; 3] }
        });
        let round = Rgb8::from_fn(400, 300, |x, y| {
            let (dx, dy) = (x.min(399 - x), y.min(299 - y));
            let corner = dx < 28 && dy < 28 && (28 - dx).pow(2) + (28 - dy).pow(2) > 18 * 18;
            if dx < 10 || dy < 10 || corner { [250; 3] } else { painted(x, y) }
        });
        for still in [skewed.unwrap(), round.unwrap()] {
            let cut = without_margins(&still).unwrap().unwrap();
            assert!(cut.width() > 330 && cut.height() > 240, "{:?}", cut.size());
            let edge = |p: &[u8; 3]| *p == [0; 3] || *p == [250; 3];
            assert!(!cut.pixels().iter().any(edge));
        }
    }
}
