use super::*;
use crate::analysis::Analysis;
use kernels::CameraPath;

const SIZE: (usize, usize) = (96, 64);

const ALL: [Medium; 19] = [
    Medium::Watercolour,
    Medium::Oil,
    Medium::Painting,
    Medium::Gouache,
    Medium::Impressionist,
    Medium::Pastel,
    Medium::Pencil,
    Medium::Charcoal,
    Medium::Sketch,
    Medium::Ink,
    Medium::InkWash,
    Medium::Anime,
    Medium::Cartoon,
    Medium::Comic,
    Medium::Woodblock,
    Medium::Linocut,
    Medium::Pixel,
    Medium::Mosaic,
    Medium::StainedGlass,
];

/// Blocks of light and dark that have moved to the right by `shift` px.
fn picture(shift: usize) -> Frame {
    let (w, h) = SIZE;
    let mut bytes = Vec::with_capacity(Frame::bytes(w as u32, h as u32));
    for y in 0..h {
        let code = |x: usize| 30 + ((x + 96 - shift) / 12 * 53 + y / 10 * 71) % 190;
        bytes.extend((0..w).map(|x| code(x) as u8));
    }
    bytes.extend((0..w * h / 2).map(|i| (96 + (i % 48) / 8 * 11) as u8));
    Frame::from_bytes(w as u32, h as u32, bytes).unwrap()
}

/// A scene that pans by `step` px of the analysed picture a frame; a cut before frame `cut`.
fn scene(frames: usize, step: f32, cut: usize) -> Arc<Scene> {
    let poses = (0..frames).map(|n| Similarity::translation(step * n as f32, 0.0)).collect();
    let analysis = Analysis {
        frames,
        size: SIZE,
        shots: vec![0..cut, cut..frames],
        path: Some(CameraPath { poses }),
        ..Analysis::default()
    };
    Arc::new(Scene {
        analysis: Arc::new(analysis),
        cues: Arc::new((0..frames).map(|n| Cue::at(n as f64)).collect()),
        windows: Arc::new(None),
        picture: SIZE,
        screen: SIZE,
        rate: 24.0,
        seed: 3,
    })
}

fn wish(medium: Medium) -> MediumWish {
    MediumWish { medium, over: None, strength: 0.7, when: None, keeps_colours: false }
}

fn made(wish: &MediumWish, frames: &[Frame], step: f32, cut: usize) -> Vec<Frame> {
    let mut stage = MediumStage::new(wish, scene(frames.len(), step, cut));
    let paint = |(n, frame): (usize, &Frame)| {
        let mut frame = frame.clone();
        stage.apply(n, &Cue::at(n as f64), &mut frame).unwrap();
        frame
    };
    frames.iter().enumerate().map(paint).collect()
}

/// FNV-1a, 64 bits.
fn hash(frames: &[Frame]) -> u64 {
    frames.iter().flat_map(media::Frame::data).fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn a_still_scene_stands_still_in_every_medium() {
    for medium in ALL {
        let frames = made(&wish(medium), &[picture(0), picture(0), picture(0)], 0.0, 3);
        assert_ne!(frames[0], picture(0), "{medium:?}");
        assert_eq!(frames[1], frames[2], "{medium:?}");
    }
}

#[test]
fn marks_follow_a_pan_in_every_medium() {
    let (w, _) = SIZE;
    for medium in ALL {
        let frames = made(&wish(medium), &[picture(0), picture(4)], 4.0, 2);
        let (mut followed, mut stayed, mut count) = (0, 0, 0);
        for y in 8..56 {
            for x in 16..76 {
                let at = |n: usize, x: usize| i32::from(frames[n].y()[y * w + x]);
                followed += (at(1, x + 4) - at(0, x)).abs();
                stayed += (at(1, x) - at(0, x)).abs();
                count += 1;
            }
        }
        assert!(3 * followed < stayed, "{medium:?}: {followed} {stayed}");
        assert!(followed < 8 * count, "{medium:?}: {followed} of {count}");
    }
}

#[test]
fn a_smooth_dark_is_solid_ink_and_a_light_is_bare_paper() {
    let flat = |code: u8| {
        let (w, h) = SIZE;
        let mut bytes = vec![128u8; Frame::bytes(w as u32, h as u32)];
        bytes[..w * h].fill(code);
        Frame::from_bytes(w as u32, h as u32, bytes).unwrap()
    };
    let inked = |code| {
        let made = made(&wish(Medium::Ink), &[flat(code)], 0.0, 1);
        made[0].y().iter().map(|&y| u32::from(y)).sum::<u32>() / (SIZE.0 * SIZE.1) as u32
    };
    let (dark, middle, light) = (inked(40), inked(110), inked(190));
    assert!(dark < 45 && light > 215, "{dark} {light}");
    assert!((80..200).contains(&middle), "{middle}");
}

#[test]
fn nothing_of_a_shot_is_seen_after_the_cut() {
    for medium in ALL {
        let one = made(&wish(medium), &[picture(0), picture(0), picture(9)], 0.0, 2);
        let other = made(&wish(medium), &[picture(5), picture(31), picture(9)], 0.0, 2);
        assert_eq!(one[2], other[2], "{medium:?}");
    }
}

#[test]
fn a_slight_wish_leaves_more_of_the_footage() {
    let off = |strength| {
        let wish = MediumWish { strength, ..wish(Medium::Oil) };
        let made = &made(&wish, &[picture(0)], 0.0, 1)[0];
        made.y().iter().zip(picture(0).y()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
    };
    assert!(off(0.35) < off(0.7) && off(0.35) > 0);
}

#[test]
fn kept_colours_make_coloured_pencils() {
    let own = MediumWish { keeps_colours: true, ..wish(Medium::Pencil) };
    let spread = |wish: &MediumWish| {
        let frame = &made(wish, &[picture(0)], 0.0, 1)[0];
        frame.u().iter().max().unwrap() - frame.u().iter().min().unwrap()
    };
    let plain = spread(&wish(Medium::Pencil));
    assert!(plain < 6, "{plain}");
    assert!(spread(&own) > 15);
}

#[test]
fn threads_change_no_pixel_and_the_pixels_are_what_they_were() {
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let of = |medium| hash(&made(&wish(medium), &[picture(0), picture(3)], 3.0, 2));
        pool.install(|| ALL.map(of).into_iter().fold(0u64, |sum, hash| sum.rotate_left(5) ^ hash))
    };
    assert_eq!(all(1), all(3));
    assert_eq!(
        all(2),
        16_432_430_593_256_800_990,
        "a change of any medium changes this number: look before you do"
    );
}
