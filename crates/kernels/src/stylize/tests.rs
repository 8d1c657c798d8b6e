//! What paintings must and must not do.

use super::*;
use crate::field::FlowField;
use crate::frame::Yuv420;
use crate::image::Rgb8;

/// Strokes in several colours and directions.
fn style(width: usize, height: usize) -> Rgb8 {
    Rgb8::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32, y as f32);
        let bent = u + 6.0 * libm::sinf(v / 17.0) + 0.4 * v;
        let stroke = 0.5 + 0.5 * libm::sinf(bent / 2.3) * libm::cosf(v / 9.0);
        let light = 0.15 + 0.85 * (v / height as f32) * (0.6 + 0.4 * stroke);
        let warm = 0.5 + 0.5 * libm::sinf(u / 41.0);
        [light, light * (0.4 + 0.5 * warm), light * (1.0 - 0.7 * warm)].map(|c| (255.0 * c) as u8)
    })
    .unwrap()
}

/// A ball before a slope, `shift` px to the right.
fn scene(width: usize, height: usize, shift: f32) -> Yuv420 {
    let y = crate::Plane::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 - shift, y as f32);
        let waves = 25.0 * libm::sinf(u / 11.0) * libm::sinf((v + u) / 14.0);
        let (dx, dy) = (u - 0.45 * width as f32, v - 0.5 * height as f32);
        let ball = if dx * dx + dy * dy < 0.04 * (width * height) as f32 { 70.0 } else { 0.0 };
        (60.0 + 80.0 * v / height as f32 + waves + ball) as u8
    })
    .unwrap();
    let chroma = crate::resize::halve(y.as_ref());
    Yuv420::from_planes(y, chroma.clone(), chroma).unwrap()
}

fn exemplar() -> Exemplar {
    Exemplar::new(&[Picture { image: &style(160, 120), weight: 1.0 }]).unwrap()
}

fn tone(exemplar: &Exemplar, frame: &Yuv420) -> Tone {
    let mut histogram = Histogram::default();
    histogram.add(frame.as_ref().y());
    Tone::of(exemplar, &histogram, 0.8)
}

#[test]
fn a_still_scene_keeps_its_strokes() {
    let (exemplar, frame) = (exemplar(), scene(128, 96, 0.0));
    let guide = Guide::new(frame.as_ref(), &tone(&exemplar, &frame));
    let painter = Painter::new(&exemplar, (128, 96), Settings::default()).unwrap();
    let key = painter.key(&guide, 7).unwrap();
    let flow = FlowField::still((128, 96), 4).unwrap();
    let next = painter.carry(&key, &flow, &guide).unwrap();
    assert_eq!(next.frame(), key.frame());
}
