//! Where the horizon is, told by things that stand upright.
//!
//! Lines that are vertical in the world meet in one point of the picture. Where that point lies far
//! away the camera looks level; where it lies above, the camera looks up, and the horizon lies as
//! far below the middle: with the focal length f in px, the product of both distances is f squared
//! (Hartley and Zisserman 2004, section 8.6: the horizon is the polar of the vertical point).

use crate::floats::Floats;
use crate::plane::PlaneRef;

/// Half the side of the square in which an edge must keep its direction, in px.
const REACH: usize = 4;

/// Change across an edge in codes from which it counts, and up to which it counts more.
const LEAST_EDGE: f32 = 10.0;
const FULL_EDGE: f32 = 40.0;

/// Least part of the change that goes one way.
const LEAST_COHERENCE: f32 = 0.8;

/// Lean, as px aside for each px up, up to which an edge may be upright, and by which it may differ
/// from where it should lean.
const MOST_LEAN: f32 = 0.7;
const TOLERANCE: f32 = 0.06;

/// Part of the picture that must be such edges.
const LEAST_PART: f32 = 0.008;

/// Part of them that must agree; those of grass reach a fifth.
const AGREE: (f32, f32) = (0.25, 0.5);

/// Focal length in widths of the picture, of lenses as they are used in streets.
const FOCAL: f32 = 0.9;

/// Half the number of steps of the search for the point, and its step: in heights to one over its
/// distance, and in widths aside.
const NEAR_STEPS: i32 = 30;
const NEAR_STEP: f32 = 0.04;
const ASIDE_STEPS: i32 = 4;
const ASIDE_STEP: f32 = 0.08;

/// What uprights say of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uprights {
    /// The horizon in parts of the picture's height from its top; below 0 or above 1 it lies
    /// outside.
    pub horizon: f32,
    /// How sure that is, 0 to 1.
    pub sureness: f32,
}

/// An edge: its place from the middle in px, its lean, its weight.
type Edge = [f32; 4];

/// Looks for uprights. Meant for small copies (about 320 px wide): time goes with the area.
pub fn find(luma: PlaneRef<'_>) -> Uprights {
    let (width, height) = (luma.width() as f32, luma.height() as f32);
    let edges = edges(luma);
    let total: f32 = edges.iter().map(|edge| edge[3]).sum();
    let (mut most, mut near) = (0.0f32, 0.0f32);
    for step in -NEAR_STEPS..=NEAR_STEPS {
        let k = step as f32 * NEAR_STEP / height;
        for aside in -ASIDE_STEPS..=ASIDE_STEPS {
            let x = aside as f32 * ASIDE_STEP * width;
            let agreeing = edges.iter().filter(|edge| {
                let lean = k * (x - edge[0]) / (1.0 - k * edge[1]).max(0.2);
                (edge[2] - lean).abs() < TOLERANCE
            });
            let sum: f32 = agreeing.map(|edge| edge[3]).sum();
            // The farther point of equals: level is the rule.
            if sum > most * 1.0001 || (sum >= most && k.abs() < near.abs()) {
                (most, near) = (sum, k);
            }
        }
    }
    let enough = (edges.len() as f32 / (width * height) / LEAST_PART).min(1.0);
    let agree = ((most / total.max(1.0) - AGREE.0) / (AGREE.1 - AGREE.0)).clamp(0.0, 1.0);
    let focal = FOCAL * width;
    Uprights { horizon: 0.5 - focal * focal * near / height, sureness: enough * enough * agree }
}

fn edges(luma: PlaneRef<'_>) -> Vec<Edge> {
    let (width, height) = luma.size();
    let at = |x: usize, y: usize| f32::from(luma.at(x as isize, y as isize));
    let mut products = [(); 3].map(|()| Floats::new(width, height));
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let across = at(x + 1, y) - at(x - 1, y);
            let down = at(x, y + 1) - at(x, y - 1);
            let values = [across * across, across * down, down * down];
            for (plane, value) in products.iter_mut().zip(values) {
                plane.data[y * width + x] = value;
            }
        }
    }
    let [xx, xy, yy] = products.map(|plane| plane.box_mean(REACH).data);
    let mut edges = Vec::new();
    for (k, ((xx, xy), yy)) in xx.iter().zip(&xy).zip(&yy).enumerate() {
        let (sum, difference) = (xx + yy, xx - yy);
        let spread = libm::sqrtf(difference * difference + 4.0 * xy * xy);
        if sum < LEAST_EDGE * LEAST_EDGE || spread < LEAST_COHERENCE * sum {
            continue;
        }
        // Along the edge: across the direction in which it changes most.
        let turn = 0.5 * libm::atan2f(2.0 * xy, difference);
        let lean = -libm::tanf(turn);
        if lean.abs() <= MOST_LEAN {
            let place =
                ((k % width) as f32 - width as f32 / 2.0, (k / width) as f32 - height as f32 / 2.0);
            edges.push([place.0, place.1, lean, libm::sqrtf(sum).min(FULL_EDGE)]);
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;

    /// Soft stripes whose lines meet in a point `up` px above the middle.
    fn towers(up: f32) -> Uprights {
        let code = |x: usize, y: usize| {
            let (dx, dy) = (x as f32 - 160.0, y as f32 - 90.0);
            // Where the line from the point through here crosses the middle row.
            let at = dx * up / (up + dy);
            (110.0 + 90.0 * libm::sinf(at / 3.0)) as u8
        };
        find(Plane::from_fn(320, 180, code).unwrap().as_ref())
    }

    #[test]
    fn a_camera_that_looks_up_has_its_horizon_below() {
        let level = towers(1e6);
        assert!(level.sureness > 0.8 && (level.horizon - 0.5).abs() < 0.1, "{level:?}");
        let (some, far) = (towers(700.0), towers(260.0));
        let true_at = |up: f32| 0.5 + (0.9f32 * 320.0).powi(2) / up / 180.0;
        assert!((some.horizon - true_at(700.0)).abs() < 0.3, "{some:?}");
        assert!(far.sureness > 0.6 && (far.horizon - true_at(260.0)).abs() < 0.5, "{far:?}");
    }

    #[test]
    fn grass_says_nothing() {
        let noise = |x: usize, y: usize| {
            let h = (x as u32 * 7919) ^ (y as u32).wrapping_mul(104_729);
            ((h ^ (h >> 7)).wrapping_mul(2_654_435_761) >> 24) as u8
        };
        let random = find(Plane::from_fn(320, 180, noise).unwrap().as_ref());
        let plain = find(Plane::new(320, 180, 90).unwrap().as_ref());
        assert!(random.sureness < 0.2 && plain.sureness == 0.0, "{random:?} {plain:?}");
    }
}
