//! How sharp a picture's sharpest edges are.
//!
//! An edge blurred by sigma and blurred again by s has its gradient lowered by
//! sqrt(sigma^2 + s^2) / sigma (Zhuo and Sim 2011, "Defocus map estimation from a single image");
//! the ratio at the strongest gradients gives sigma.

use crate::blur;
use crate::plane::PlaneRef;

/// Standard deviation in px of the second blur.
const AGAIN: f32 = 1.5;

/// Variance in px squared that the difference over two px adds to an edge.
const OF_DIFFERENCE: f32 = 0.5;

/// Least gradient of an edge in codes a px.
const LEAST_GRADIENT: i32 = 12;

/// Least number of edge pixels.
const LEAST_EDGES: usize = 40;

/// Part of the edge pixels, sharpest first, at which the blur is read.
const SHARPEST: f32 = 0.25;

/// Standard deviation in px of the blur of the picture's sharpest edges, 0.3 to 6; None where there
/// are no edges.
pub fn edge_sigma(luma: PlaneRef<'_>) -> Option<f32> {
    let soft = blur::gaussian(luma, AGAIN);
    let (width, height) = luma.size();
    let mut ratios = Vec::new();
    for y in (1..height.saturating_sub(1)).step_by(2) {
        for x in 1..width.saturating_sub(1) {
            let (was, is) = (gradient(luma, x, y), gradient(soft.as_ref(), x, y));
            let ridge = |dx: isize, dy: isize| {
                gradient(luma, x.saturating_add_signed(dx), y.saturating_add_signed(dy)) <= was
            };
            let strong = was >= 4 * LEAST_GRADIENT * LEAST_GRADIENT;
            if strong && ridge(-1, 0) && ridge(1, 0) && is > 0 {
                ratios.push(libm::sqrtf(was as f32 / is as f32));
            }
        }
    }
    if ratios.len() < LEAST_EDGES {
        return None;
    }
    ratios.sort_by(|a, b| b.total_cmp(a));
    let ratio = ratios[((ratios.len() as f32 * SHARPEST) as usize).min(ratios.len() - 1)];
    let variance = AGAIN * AGAIN / (ratio * ratio - 1.0).max(1e-3) - OF_DIFFERENCE;
    Some(libm::sqrtf(variance.max(0.0)).clamp(0.3, 6.0))
}

/// Squared length of the central difference, in codes over two px.
fn gradient(plane: PlaneRef<'_>, x: usize, y: usize) -> i32 {
    let (x, y) = (x as isize, y as isize);
    let across = i32::from(plane.at(x + 1, y)) - i32::from(plane.at(x - 1, y));
    let down = i32::from(plane.at(x, y + 1)) - i32::from(plane.at(x, y - 1));
    across * across + down * down
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;

    fn bars() -> Plane {
        Plane::from_fn(160, 120, |x, y| if (x / 20 + y / 30) % 2 == 0 { 40 } else { 200 }).unwrap()
    }

    #[test]
    fn the_blur_of_an_edge_is_found() {
        for sigma in [0.8, 1.5, 2.5] {
            let found = edge_sigma(blur::gaussian(bars().as_ref(), sigma).as_ref()).unwrap();
            assert!((found / sigma - 1.0).abs() < 0.3, "{sigma} -> {found}");
        }
    }

    #[test]
    fn a_flat_picture_has_no_edges() {
        assert_eq!(edge_sigma(Plane::new(80, 60, 90).unwrap().as_ref()), None);
    }
}
