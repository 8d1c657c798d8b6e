use super::*;
use crate::geometry::Similarity;
use crate::plane::Plane;
use crate::{resize, warp};

/// Smooth value noise of several octaves: texture at every scale, exact at sub-pixel positions.
fn texture(x: f32, y: f32) -> f32 {
    let mut sum = 0.0;
    let mut size = 48.0f32;
    let mut strength = 60.0;
    for octave in 0..5u32 {
        let (gx, gy) = (x / size, y / size);
        let (i, j) = (gx.floor(), gy.floor());
        let ease = |f: f32| f * f * (3.0 - 2.0 * f);
        let (fx, fy) = (ease(gx - i), ease(gy - j));
        let hash = |i: f32, j: f32| {
            let mut h = (i as i32 as u32).wrapping_mul(0x9E37_79B1)
                ^ (j as i32 as u32).wrapping_mul(0x85EB_CA77)
                ^ octave.wrapping_mul(0xC2B2_AE3D);
            h ^= h >> 15;
            h = h.wrapping_mul(0x2C1B_3C6D);
            h ^= h >> 12;
            (h & 0xFFFF) as f32 / 32768.0 - 1.0
        };
        let above = hash(i, j) * (1.0 - fx) + hash(i + 1.0, j) * fx;
        let below = hash(i, j + 1.0) * (1.0 - fx) + hash(i + 1.0, j + 1.0) * fx;
        sum += strength * (above * (1.0 - fy) + below * fy);
        size *= 0.5;
        strength *= 0.7;
    }
    128.0 + sum
}

fn picture(size: (usize, usize), motion: Similarity) -> Plane {
    let back = motion.inverse();
    Plane::from_fn(size.0, size.1, |x, y| {
        let p = (x as f32 + 0.5 - size.0 as f32 / 2.0, y as f32 + 0.5 - size.1 as f32 / 2.0);
        let q = back.apply(p);
        texture(q.0 + 1000.0, q.1 + 1000.0).clamp(0.0, 255.0) as u8
    })
    .unwrap()
}

fn estimate(a: &Plane, b: &Plane) -> FlowPair {
    let params = FlowParams::default();
    pair(&FlowImage::new(a.as_ref(), params), &FlowImage::new(b.as_ref(), params)).unwrap()
}

/// Mean end point error in px of the field against a motion, over the points that stay inside.
fn error(field: &FlowField, motion: Similarity) -> f32 {
    let (w, h) = field.frame();
    let (columns, rows) = field.grid();
    let (mut sum, mut count) = (0.0, 0);
    for j in 0..rows {
        for i in 0..columns {
            let (x, y) = field.point(i, j);
            let p = (x - w as f32 / 2.0, y - h as f32 / 2.0);
            let q = motion.apply(p);
            if q.0.abs() > w as f32 / 2.0 || q.1.abs() > h as f32 / 2.0 {
                continue;
            }
            let (u, v) = field.vector(i, j);
            sum += (u - q.0 + p.0).hypot(v - q.1 + p.1);
            count += 1;
        }
    }
    sum / count as f32
}

#[test]
fn a_known_motion_is_found() {
    let size = (1280, 720);
    let still = picture(size, Similarity::IDENTITY);
    let motions = [
        ("translation", Similarity::translation(7.3, -4.6)),
        ("long translation", Similarity::translation(-41.5, 18.0)),
        ("zoom and rotation", Similarity { scale: 1.03, rotation: 0.02, tx: 5.0, ty: 3.0 }),
    ];
    for (name, motion) in motions {
        let pair = estimate(&still, &picture(size, motion));
        let forward = error(&pair.forward, motion);
        let backward = error(&pair.backward, motion.inverse());
        println!("{name}: {forward} {backward}");
        assert!(forward < 0.45 && backward < 0.45, "{name}: {forward} {backward}");
    }
}

/// A disc that moves before a ground that moves otherwise.
fn two_motions(moved: f32) -> Plane {
    Plane::from_fn(640, 360, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let (disc, ground) = ((12.0 * moved, 4.0 * moved), (-6.0 * moved, 2.0 * moved));
        let inside = (x - disc.0 - 300.0).hypot(y - disc.1 - 180.0) < 90.0;
        let (by, from) = if inside { (disc, 3000.0) } else { (ground, 1000.0) };
        texture(x - by.0 + from, y - by.1 + from).clamp(0.0, 255.0) as u8
    })
    .unwrap()
}

#[test]
fn refinement_keeps_the_border_between_two_motions() {
    let params = FlowParams::default();
    let [a, b] = [0.0, 1.0].map(|t| FlowImage::new(two_motions(t).as_ref(), params));
    let error = |dense: &Dense| {
        let (mut sum, mut count) = (0.0, 0.0);
        for y in 15..75 {
            for x in 40..110 {
                let (px, py) = (4.0 * x as f32 + 1.5, 4.0 * y as f32 + 1.5);
                let from_border = (px - 300.0).hypot(py - 180.0) - 90.0;
                // The ground in front of the disc is covered a moment later.
                if (-20.0..0.0).contains(&from_border)
                    || (0.0..20.0).contains(&from_border) && px < 280.0
                {
                    let (u, v) = if from_border < 0.0 { (3.0, 1.0) } else { (-1.5, 0.5) };
                    let at = y * dense.width + x;
                    sum += (dense.u[at] - u).hypot(dense.v[at] - v);
                    count += 1.0;
                }
            }
        }
        sum / count
    };
    let blurred = found(&a, &b);
    let before = error(&blurred);
    let after = error(&refine::refine(&a.levels()[0], &b.levels()[0], blurred));
    assert!(after < 0.75 * before, "{before} {after}");
}

#[test]
fn identical_frames_do_not_move() {
    let frame = picture((322, 178), Similarity::IDENTITY);
    let pair = estimate(&frame, &frame);
    assert!(pair.forward.vectors().iter().all(|v| *v == [0, 0]));
    assert!(pair.forward.confidence().iter().all(|&c| c == 255));
    let flat = Plane::new(64, 48, 90).unwrap();
    assert!(estimate(&flat, &flat).forward.vectors().iter().all(|v| *v == [0, 0]));
}

#[test]
fn a_change_of_brightness_is_not_motion() {
    let a = picture((640, 360), Similarity::IDENTITY);
    let motion = Similarity::translation(3.0, 2.0);
    let mut b = picture((640, 360), motion);
    b.data_mut().iter_mut().for_each(|v| *v = v.saturating_add(12));
    let pair = estimate(&a, &b);
    assert!(error(&pair.forward, motion) < 0.6, "{}", error(&pair.forward, motion));
}

#[test]
fn unrelated_frames_are_not_trusted() {
    let a = picture((640, 360), Similarity::IDENTITY);
    let b = picture((640, 360), Similarity::translation(5000.0, 3000.0));
    let pair = estimate(&a, &b);
    let mean = pair.forward.confidence().iter().map(|&c| f32::from(c)).sum::<f32>()
        / pair.forward.confidence().len() as f32;
    assert!(mean < 110.0, "{mean}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let a = picture((400, 300), Similarity::IDENTITY);
    let b = picture((400, 300), Similarity { scale: 1.02, rotation: -0.03, tx: 4.0, ty: 6.0 });
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let pair = estimate(&a, &b);
            let mut warped = Plane::new(400, 300, 0).unwrap();
            warp::by_flow(b.as_ref(), &pair.forward, &mut warped.as_mut()).unwrap();
            let small = resize::shrink(warped.as_ref(), 123, 77).unwrap();
            (pair, warped, small)
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn small_frames_are_fine() {
    for (w, h) in [(1, 1), (3, 9), (17, 5), (33, 40)] {
        let frame = picture((w, h), Similarity::IDENTITY);
        let pair = estimate(&frame, &frame);
        assert!(pair.forward.vectors().iter().all(|v| *v == [0, 0]), "{w}x{h}");
    }
}

#[test]
fn frames_of_two_sizes_are_refused() {
    let params = FlowParams::default();
    let a = FlowImage::new(Plane::new(64, 64, 0).unwrap().as_ref(), params);
    let b = FlowImage::new(Plane::new(64, 62, 0).unwrap().as_ref(), params);
    assert!(pair(&a, &b).is_err());
}
