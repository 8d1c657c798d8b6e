//! Where a viewer looks: the subject that a re-framing follows.
//!
//! Colour that differs from its surroundings (centre-surround, Itti, Koch, Niebur 1998, with box
//! means), motion that differs from the camera's, and a mild preference for the middle.

use crate::field::FlowField;
use crate::floats::Floats;
use crate::frame::Yuv420Ref;
use crate::geometry::{Rect, Similarity};
use crate::plane::{Mask, Plane};
use crate::resize::{self, Filter, to_byte};

/// Longer side of the map.
const LONGER_SIDE: usize = 128;

/// Motion against the camera's, in parts of the frame's width, that counts fully.
const FULL_MOTION: f32 = 0.015;

/// Part of the map's peak below which a pixel is background.
const FLOOR: f32 = 0.35;

/// What stands out in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject {
    /// Weighted centroid in px of the frame.
    pub centre: (f32, f32),
    /// Two standard deviations about it on each side, cut to the frame.
    pub bounds: Rect,
    /// 0 (nothing stands out) to 1 (one compact subject).
    pub strength: f32,
}

/// The map of a frame, 128 px on its longer side: 255 = stands out most.
///
/// `motion` is the flow from (or to) a neighbouring frame and the camera's part of it.
pub fn map(frame: Yuv420Ref<'_>, motion: Option<(&FlowField, &Similarity)>) -> Mask {
    let (width, height) = frame.size();
    let longer = width.max(height);
    let scaled = |side: usize| (side * LONGER_SIDE.min(longer)).div_ceil(longer).max(1);
    let size = (scaled(width), scaled(height));
    let mut sum = Floats::new(size.0, size.1);
    for (plane, weight) in frame.planes().into_iter().zip([1.0f32, 2.0, 2.0]) {
        let mut small = Plane::of_size(Vec::new(), size);
        resize::plane(plane, &mut small.as_mut(), Filter::Area);
        let floats = Floats::from_plane(small.as_ref());
        for (near, far) in [(1, size.0 / 8), (3, size.0 / 4)] {
            let (centre, surround) = (floats.box_mean(near), floats.box_mean(far.max(2)));
            for ((out, c), s) in sum.data.iter_mut().zip(&centre.data).zip(&surround.data) {
                *out += weight * (c - s).abs();
            }
        }
    }
    normalise(&mut sum);
    if let Some((flow, camera)) = motion {
        add_motion(&mut sum, flow, camera);
    }
    prefer_middle(&mut sum);
    let mut smooth = sum.box_mean(2);
    normalise(&mut smooth);
    let data = smooth.data.iter().map(|v| to_byte(255.0 * v)).collect();
    Mask(Plane::of_size(data, size))
}

/// The subject of a map, in px of a frame of size `frame`.
pub fn subject(map: &Mask, frame: (usize, usize)) -> Subject {
    let (width, height) = map.0.size();
    let (mut sum, mut x1, mut y1, mut x2, mut y2) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for (y, row) in map.0.as_ref().rows().enumerate() {
        for (x, &value) in row.iter().enumerate() {
            let above = (f64::from(value) / 255.0 - f64::from(FLOOR)).max(0.0);
            let weight = above * above;
            let (x, y) = (x as f64 + 0.5, y as f64 + 0.5);
            sum += weight;
            x1 += weight * x;
            y1 += weight * y;
            x2 += weight * x * x;
            y2 += weight * y * y;
        }
    }
    let (fx, fy) = (frame.0 as f64 / width as f64, frame.1 as f64 / height as f64);
    if sum <= 0.0 {
        let whole = Rect::whole(frame);
        return Subject { centre: whole.centre(), bounds: whole, strength: 0.0 };
    }
    let (cx, cy) = (x1 / sum, y1 / sum);
    let dx = (x2 / sum - cx * cx).max(0.25).sqrt();
    let dy = (y2 / sum - cy * cy).max(0.25).sqrt();
    let spread = (dx / width as f64).max(dy / height as f64);
    let left = (cx - 2.0 * dx).max(0.0);
    let top = (cy - 2.0 * dy).max(0.0);
    let right = (cx + 2.0 * dx).min(width as f64);
    let bottom = (cy + 2.0 * dy).min(height as f64);
    Subject {
        centre: ((cx * fx) as f32, (cy * fy) as f32),
        bounds: Rect {
            x: (left * fx) as f32,
            y: (top * fy) as f32,
            width: ((right - left) * fx) as f32,
            height: ((bottom - top) * fy) as f32,
        },
        strength: (1.0 - spread / 0.289).clamp(0.0, 1.0) as f32,
    }
}

/// Divides by the maximum; a map without any stays 0.
fn normalise(map: &mut Floats) {
    let peak = map.data.iter().fold(0.0f32, |peak, &v| peak.max(v));
    if peak > 1e-3 {
        map.data.iter_mut().for_each(|v| *v /= peak);
    }
}

fn add_motion(map: &mut Floats, flow: &FlowField, camera: &Similarity) {
    let (width, height) = (flow.frame().0 as f32, flow.frame().1 as f32);
    let full = FULL_MOTION * width;
    for y in 0..map.height {
        for x in 0..map.width {
            let px = (x as f32 + 0.5) / map.width as f32 * width;
            let py = (y as f32 + 0.5) / map.height as f32 * height;
            let (u, v) = flow.sample(px, py);
            let centred = (px - width / 2.0, py - height / 2.0);
            let (cx, cy) = camera.apply(centred);
            let own = libm::hypotf(u - cx + centred.0, v - cy + centred.1);
            map.data[y * map.width + x] += (own / full).min(1.0);
        }
    }
}

/// Down to 60 % in the corners.
fn prefer_middle(map: &mut Floats) {
    for y in 0..map.height {
        let dy = 2.0 * (y as f32 + 0.5) / map.height as f32 - 1.0;
        for x in 0..map.width {
            let dx = 2.0 * (x as f32 + 0.5) / map.width as f32 - 1.0;
            map.data[y * map.width + x] *= 1.0 - 0.2 * (dx * dx + dy * dy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    fn scene(red_at: Option<(usize, usize)>) -> Yuv420 {
        let inside = |x: usize, y: usize| {
            red_at.is_some_and(|(cx, cy)| x.abs_diff(cx) < 40 && y.abs_diff(cy) < 40)
        };
        let y = Plane::from_fn(640, 360, |x, y| {
            if inside(x, y) { 90 } else { 110 + ((x / 7 + y / 5) % 8) as u8 }
        });
        let u = Plane::new(320, 180, 128);
        let v = Plane::from_fn(320, 180, |x, y| if inside(2 * x, 2 * y) { 200 } else { 128 });
        Yuv420::from_planes(y.unwrap(), u.unwrap(), v.unwrap()).unwrap()
    }

    #[test]
    fn a_coloured_thing_is_the_subject() {
        for at in [(120, 100), (500, 250), (320, 180)] {
            let found = subject(&map(scene(Some(at)).as_ref(), None), (640, 360));
            let (x, y) = found.centre;
            assert!((x - at.0 as f32).abs() < 30.0 && (y - at.1 as f32).abs() < 30.0, "{found:?}");
            assert!(found.strength > 0.5, "{found:?}");
        }
    }

    #[test]
    fn what_moves_against_the_camera_is_the_subject() {
        let camera = Similarity::translation(12.0, 0.0);
        let flow = FlowField::from_fn((640, 360), 4, |x, y| {
            if (x - 150.0).abs() < 50.0 && (y - 200.0).abs() < 50.0 {
                (0.0, 0.0)
            } else {
                (12.0, 0.0)
            }
        })
        .unwrap();
        let found = subject(&map(scene(None).as_ref(), Some((&flow, &camera))), (640, 360));
        assert!((found.centre.0 - 150.0).abs() < 60.0, "{found:?}");
        assert!((found.centre.1 - 200.0).abs() < 50.0, "{found:?}");
    }

    #[test]
    fn a_flat_frame_has_no_subject() {
        let flat = Yuv420::new(64, 36, [100, 128, 128]).unwrap();
        let found = subject(&map(flat.as_ref(), None), (64, 36));
        assert_eq!((found.centre, found.strength), ((32.0, 18.0), 0.0));
    }
}
