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
    let mut colours = Colours::default();
    colours.add(frame.as_ref()).unwrap();
    Tone::of(exemplar, &colours)
}

#[test]
fn a_still_scene_keeps_its_strokes() {
    let (exemplar, frame) = (exemplar(), scene(128, 96, 0.0));
    let guide = Guide::new(frame.as_ref(), &tone(&exemplar, &frame));
    let painter = Painter::new(&exemplar, (128, 96), Settings::default()).unwrap();
    let key = painter.key(&guide, None, 7).unwrap();
    let flow = FlowField::still((128, 96), 4).unwrap();
    let next = painter.carry(&key, &flow, &guide).unwrap();
    assert_eq!(painter.frame(&next).unwrap(), painter.frame(&key).unwrap());
}

/// Carries a key over `count` frames that move by `step` px each.
fn run(exemplar: &Exemplar, size: (usize, usize), step: f32, count: usize) -> Vec<Yuv420> {
    let frame = |n: usize| scene(size.0, size.1, step * n as f32);
    let tone = tone(exemplar, &frame(0));
    let painter = Painter::new(exemplar, size, Settings::default()).unwrap();
    let flow = FlowField::from_fn(size, 4, |_, _| (-step, 0.0)).unwrap();
    let mut run = vec![painter.key(&Guide::new(frame(0).as_ref(), &tone), None, 7).unwrap()];
    for n in 1..=count {
        let guide = Guide::new(frame(n).as_ref(), &tone);
        run.push(painter.carry(&run[n - 1], &flow, &guide).unwrap());
    }
    run.iter().map(|painted| painter.frame(painted).unwrap()).collect()
}

/// Mean difference of two luma planes where `b`, `shift` px to the left, lies over `a`.
fn moved_by(a: &Yuv420, b: &Yuv420, shift: usize) -> f64 {
    let ((a, b), (width, height)) = ((a.as_ref().y(), b.as_ref().y()), a.size());
    let margin = 8;
    let (mut sum, mut count) = (0.0, 0.0);
    for y in margin..height - margin {
        for x in margin..width - margin - shift {
            let (p, q) = (a.at(x as isize, y as isize), b.at((x + shift) as isize, y as isize));
            sum += f64::from(p.abs_diff(q));
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn strokes_move_with_the_scene() {
    let exemplar = exemplar();
    for (step, count) in [(2.0, 6), (0.5, 24)] {
        let run = run(&exemplar, (160, 96), step, count);
        let (first, last) = (&run[0], &run[count]);
        let (with, without) = (moved_by(first, last, 12), moved_by(first, last, 0));
        assert!(with < 3.0 && with < 0.3 * without, "{step}: {with} {without}");
    }
}

#[test]
fn strokes_stay_sharp_over_two_seconds() {
    let run = run(&exemplar(), (160, 96), 0.7, 48);
    let sharpness = |k: usize| {
        let part = &run[k..k + 12];
        let sum: f64 =
            part.iter().map(|p| crate::metrics::laplacian_variance(p.as_ref().y())).sum();
        sum / 12.0
    };
    let (first, last) = (sharpness(1), sharpness(37));
    assert!((last / first - 1.0).abs() < 0.15, "{first} {last}");
}

#[test]
fn a_painting_after_itself_is_itself() {
    let picture = style(160, 120);
    let exemplar = Exemplar::new(&[Picture { image: &picture, weight: 1.0 }]).unwrap();
    let frame = crate::convert::rgb_to_frame(&picture).unwrap();
    let guide = Guide::new(frame.as_ref(), &Tone::identity());
    let painter = Painter::new(&exemplar, (160, 120), Settings::default()).unwrap();
    let painted = painter.key(&guide, None, 3).unwrap();
    let painted = painter.frame(&painted).unwrap();
    let error = crate::metrics::mad(painted.as_ref().y(), frame.as_ref().y()).unwrap();
    assert!(error < 4.0, "{error}");
}

#[test]
fn newly_seen_places_are_painted_in_their_light() {
    let exemplar = exemplar();
    let frame = |right: bool| {
        Yuv420::from_planes(
            crate::Plane::from_fn(128, 96, |x, _| if (x < 40) == right { 220 } else { 40 })
                .unwrap(),
            crate::Plane::new(64, 48, 128).unwrap(),
            crate::Plane::new(64, 48, 128).unwrap(),
        )
        .unwrap()
    };
    let (before, after) = (frame(false), frame(true));
    let tone = tone(&exemplar, &before);
    let painter = Painter::new(&exemplar, (128, 96), Settings::default()).unwrap();
    let key = painter.key(&Guide::new(before.as_ref(), &tone), None, 7).unwrap();
    // Nothing of the scene is where it was, and the flow knows nothing.
    let still = FlowField::still((128, 96), 4).unwrap();
    let count = still.vectors().len();
    let flow = FlowField::from_parts((128, 96), 4, vec![[0, 0]; count], vec![0; count]).unwrap();
    let next = painter.carry(&key, &flow, &Guide::new(after.as_ref(), &tone)).unwrap();
    let light = |painted: &Painted, x: usize| {
        let frame = painter.frame(painted).unwrap();
        let window = frame.as_ref().y().window(x, 20, 24, 56).unwrap();
        window.rows().flatten().map(|&v| f64::from(v)).sum::<f64>() / (24.0 * 56.0)
    };
    assert!(light(&key, 80) > light(&key, 8) + 30.0);
    assert!(light(&next, 8) > light(&next, 80) + 30.0);
}

#[test]
fn threads_change_nothing() {
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&exemplar(), (96, 64), 1.3, 3))
    };
    assert_eq!(bytes(1), bytes(4));
}

#[test]
fn a_small_painting_has_its_known_bytes() {
    let run = run(&exemplar(), (64, 48), 1.3, 4);
    let frame = &run[4];
    let mut hash = 0u64;
    let [y, u, v] = frame.as_ref().planes();
    for &byte in y.rows().chain(u.rows()).chain(v.rows()).flatten() {
        hash = crate::hash::mix(hash ^ u64::from(byte));
    }
    assert_eq!(hash, 16_444_396_326_527_184_059);
}

#[test]
fn runs_are_blended_stroke_by_stroke() {
    let exemplar = exemplar();
    let frame = scene(128, 96, 0.0);
    let guide = Guide::new(frame.as_ref(), &tone(&exemplar, &frame));
    let painter = Painter::new(&exemplar, (128, 96), Settings::default()).unwrap();
    let (a, b) = (painter.key(&guide, None, 1).unwrap(), painter.key(&guide, None, 2).unwrap());
    let [first, half, last] = [0.0, 0.5, 1.0].map(|t| painter.between(&a, &b, t).unwrap());
    let [a, b] = [&a, &b].map(|painted| painter.frame(painted).unwrap());
    assert_eq!((&first, &last), (&a, &b));
    let codes = |f: &Yuv420| f.as_ref().y().rows().flatten().copied().collect::<Vec<u8>>();
    let (a, b, half) = (codes(&a), codes(&b), codes(&half));
    let differ = a.iter().zip(&b).zip(&half).filter(|((a, b), _)| a.abs_diff(**b) > 8);
    let pure = differ.clone().filter(|((a, b), m)| a == m || b == m).count();
    let from_b = differ.clone().filter(|((_, b), m)| b == m).count();
    let all = differ.count();
    assert!(10 * pure > 6 * all && 10 * from_b > 2 * all, "{pure} {from_b} {all}");
}

#[test]
fn a_key_is_guided_to_the_colours_of_the_painting_that_it_follows() {
    let exemplar = exemplar();
    let frame = scene(128, 96, 0.0);
    let guide = Guide::new(frame.as_ref(), &tone(&exemplar, &frame));
    let painter = Painter::new(&exemplar, (128, 96), Settings::default()).unwrap();
    let first = painter.key(&guide, None, 1).unwrap();
    let shown = painter.frame(&first).unwrap();
    let away = |before: Option<&Painted>| {
        let scales = painter.scales(&guide, before).unwrap();
        let of = |k: usize| {
            let codes = shown.planes()[k - 3].data().iter().zip(&scales[0].marks);
            codes.map(|(&code, mark)| u64::from(code.abs_diff(mark[k]))).sum::<u64>()
        };
        of(4) + of(5)
    };
    let (alone, after) = (away(None), away(Some(&first)));
    assert!(10 * after < 8 * alone, "{after} {alone}");
}

#[test]
fn a_dark_sky_is_painted_as_the_style_s_blue_and_not_as_its_darkest() {
    // A picture of blue above, with a black-green trunk and yellow ground.
    let picture = Rgb8::from_fn(160, 120, |x, y| {
        let word = crate::hash::mix((y / 3 * 160 + x / 5) as u64) as u8 % 30;
        match (x, y) {
            (20..40, _) => [15, 22 + word / 3, 12],
            (_, 0..80) => [30 + word, 60 + word, 150 + 2 * word],
            _ => [170 + word, 150 + word, 40],
        }
    })
    .unwrap();
    let exemplar = Exemplar::new(&[Picture { image: &picture, weight: 1.0 }]).unwrap();
    // Night: a sky of the darkest blue takes up most of it, houses are lit or black.
    let night = Rgb8::from_fn(128, 96, |x, y| match (x, y) {
        (_, 0..48) => [8, 10, 34],
        (x, _) if x % 32 < 24 => [190, 170, 120],
        _ => [12, 12, 10],
    })
    .unwrap();
    let night = crate::convert::rgb_to_frame(&night).unwrap();
    let guide = Guide::new(night.as_ref(), &tone(&exemplar, &night));
    let painter = Painter::new(&exemplar, (128, 96), Settings::default()).unwrap();
    let painted = painter.frame(&painter.key(&guide, None, 5).unwrap()).unwrap();
    let blue = |from: usize, rows: usize| {
        let window = painted.planes()[1].as_ref();
        let window = window.window(4, from, 56, rows).unwrap();
        window.rows().flatten().filter(|&&u| u > 150).count() as f64 / (56 * rows) as f64
    };
    assert!(blue(2, 20) > 0.7 && blue(30, 16) < 0.3, "{} {}", blue(2, 20), blue(30, 16));
}

#[test]
fn tiny_frames_and_plain_pictures_are_no_trouble() {
    let plain = Rgb8::from_fn(1, 1, |_, _| [200, 30, 90]).unwrap();
    let small = style(7, 3);
    let pictures = [Picture { image: &plain, weight: 1.0 }, Picture { image: &small, weight: 0.0 }];
    for pictures in [&pictures[..1], &pictures[1..], &pictures[..]] {
        let exemplar = Exemplar::new(pictures).unwrap();
        for size in [(1, 1), (2, 9), (33, 5)] {
            let frame = scene(size.0, size.1, 0.0);
            let guide = Guide::new(frame.as_ref(), &tone(&exemplar, &frame));
            let painter = Painter::new(&exemplar, size, Settings::default()).unwrap();
            let key = painter.key(&guide, None, 7).unwrap();
            let flow = FlowField::from_fn(size, 4, |_, _| (3.0, -2.0)).unwrap();
            let next = painter.carry(&key, &flow, &guide).unwrap();
            assert_eq!(painter.frame(&next).unwrap().size(), size);
        }
    }
    assert!(Exemplar::new(&[]).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]
    #[test]
    fn colours_stay_within_the_pictures(low in 0u8..120, span in 1u8..100, seed: u64, u in -6.0f32..6.0) {
        let picture = Rgb8::from_fn(40, 30, |x, y| {
            let word = crate::hash::mix(seed ^ (y * 40 + x) as u64);
            [word as u8, (word >> 8) as u8, (word >> 16) as u8].map(|c| low + c % span)
        }).unwrap();
        let inside = crate::convert::rgb_to_frame(&picture).unwrap();
        let exemplar = Exemplar::new(&[Picture { image: &picture, weight: 1.0 }]).unwrap();
        let frame = scene(48, 32, 0.0);
        let guide = Guide::new(frame.as_ref(), &tone(&exemplar, &frame));
        let painter = Painter::new(&exemplar, (48, 32), Settings::default()).unwrap();
        let key = painter.key(&guide, None, seed).unwrap();
        let flow = FlowField::from_fn((48, 32), 4, |_, _| (u, 0.3 * u)).unwrap();
        let next = painter.carry(&key, &flow, &guide).unwrap();
        for painted in [key, next] {
            let painted = painter.frame(&painted).unwrap();
            for (painted, picture) in painted.planes().into_iter().zip(inside.planes()) {
                let range = |p: &crate::Plane| {
                    let codes = p.as_ref().rows().flatten().copied().collect::<Vec<u8>>();
                    (codes.iter().copied().min().unwrap(), codes.iter().copied().max().unwrap())
                };
                let ((a, b), (low, high)) = (range(painted), range(picture));
                proptest::prop_assert!(a >= low && b <= high, "{a}..{b} of {low}..{high}");
            }
        }
    }
}

#[test]
fn noise_of_a_flat_sky_stays_noise() {
    let exemplar = exemplar();
    let sky = crate::Plane::from_fn(64, 64, |x, y| match (x, y) {
        (0..16, _) => 60 + (y * 2) as u8,
        _ => 20 + (crate::hash::mix((y * 64 + x) as u64) % 3) as u8,
    });
    let grey = crate::Plane::new(32, 32, 128).unwrap();
    let sky = Yuv420::from_planes(sky.unwrap(), grey.clone(), grey).unwrap();
    let tone = tone(&exemplar, &sky);
    let frame = |code: u8| Yuv420::new(8, 8, [code, 128, 128]).unwrap();
    let light = |code: u8| Guide::new(frame(code).as_ref(), &tone).planes.0.data()[9];
    assert!(light(22) - light(20) <= 8, "{} {}", light(20), light(22));
    assert!(light(150) > light(22) + 40, "{} {}", light(22), light(150));
}
