use super::*;
use crate::sheet::Move;

const SCREEN: Screen = Screen { size: (1280, 720), rate: 24.0, seed: 7 };
const UPRIGHT: Screen = Screen { size: (720, 1280), rate: 24.0, seed: 7 };

fn cues(frames: usize) -> Vec<Cue> {
    (0..frames).map(|n| Cue::at(n as f64)).collect()
}

fn analysis(frames: usize, subject: impl Fn(usize) -> (f32, f32)) -> Analysis {
    let subjects = (0..frames).map(|n| {
        let (x, y) = subject(n);
        (x, y, 0.8)
    });
    Analysis {
        size: (320, 180),
        frames,
        shots: std::iter::once(0..frames).collect(),
        dissolved: vec![false],
        subjects: subjects.collect(),
        ..Analysis::default()
    }
}

fn wish(kind: Moves) -> Framing {
    Framing { moves: vec![Move { kind, strength: 0.7, when: None }] }
}

/// The windows without anything that goes on.
fn seen(
    framing: &Framing,
    course: Course,
    cues: &[Cue],
    analysis: &Analysis,
    picture: (usize, usize),
    screen: Screen,
) -> Option<Vec<Window>> {
    let shown = windows(framing, course, cues, analysis, picture, screen, None)?;
    assert!(shown.iter().all(|one| one.at == one.join));
    Some(shown.into_iter().map(|one| one.at).collect())
}

fn check_inside(windows: &[Window], (width, height): (usize, usize)) {
    for window in windows {
        let (sin, cos) = (window.turn.sin().abs(), window.turn.cos().abs());
        let w = window.size.0 * cos + window.size.1 * sin;
        let h = window.size.0 * sin + window.size.1 * cos;
        let (x, y) = window.centre;
        assert!(x - w / 2.0 >= -0.01 && x + w / 2.0 <= width as f32 + 0.01, "{window:?}");
        assert!(y - h / 2.0 >= -0.01 && y + h / 2.0 <= height as f32 + 0.01, "{window:?}");
    }
}

#[test]
fn the_same_shape_needs_no_window() {
    let found = seen(
        &Framing::default(),
        Course::Same,
        &cues(48),
        &analysis(48, |_| (0.9, 0.5)),
        (1920, 1080),
        SCREEN,
    );
    assert!(found.is_none());
}

#[test]
fn an_upright_frame_follows_the_subject_smoothly() {
    let moving = analysis(120, |n| (0.2 + 0.6 * n as f32 / 119.0, 0.5));
    let picture = (1280, 720);
    let found =
        seen(&Framing::default(), Course::Same, &cues(120), &moving, picture, UPRIGHT).unwrap();
    check_inside(&found, picture);
    assert!(found[0].centre.0 < 500.0 && found[119].centre.0 > 780.0);
    let aspect = found[60].size.0 / found[60].size.1;
    assert!((aspect - 0.5625).abs() < 1e-3);
    for pair in found.windows(2) {
        assert!((pair[1].centre.0 - pair[0].centre.0).abs() < 12.0);
    }
}

#[test]
fn a_follow_does_not_lean_over_a_cut() {
    let mut cut = analysis(80, |n| if n < 40 { (0.25, 0.5) } else { (0.75, 0.5) });
    cut.shots = vec![0..40, 40..80];
    let found =
        seen(&Framing::default(), Course::Same, &cues(80), &cut, (1280, 720), UPRIGHT).unwrap();
    assert!((found[39].centre.0 - found[0].centre.0).abs() < 1.0);
    assert!(found[40].centre.0 - found[39].centre.0 > 500.0);
}

#[test]
fn every_move_stays_inside_the_picture() {
    let all = [
        Moves::Zoom { inwards: true },
        Moves::Zoom { inwards: false },
        Moves::PunchIn,
        Moves::Close { zoom: 1.7 },
        Moves::Travel { x: 1.0, y: 0.0, fast: false },
        Moves::Travel { x: 0.0, y: -1.0, fast: true },
        Moves::Handheld { amount: 2.6 },
        Moves::NewAngle,
        Moves::Follow,
        Moves::Tilted { rolling: true, sense: 1.0 },
        Moves::Tilted { rolling: false, sense: -1.0 },
    ];
    let corner = analysis(60, |_| (0.98, 0.97));
    for kind in all {
        for screen in [SCREEN, UPRIGHT] {
            let found =
                seen(&wish(kind), Course::Next, &cues(60), &corner, (1280, 720), screen).unwrap();
            check_inside(&found, (1280, 720));
        }
    }
}

#[test]
fn moves_go_the_way_they_are_called() {
    let still = analysis(60, |_| (0.5, 0.5));
    let path =
        |kind| seen(&wish(kind), Course::Same, &cues(60), &still, (1280, 720), SCREEN).unwrap();
    let closer = path(Moves::Zoom { inwards: true });
    assert!(closer[0].size.0 > 1279.0 && closer[59].size.0 < 1000.0);
    let right = path(Moves::Travel { x: 1.0, y: 0.0, fast: false });
    assert!(right[0].centre.0 < 640.0 && right[59].centre.0 > 640.0);
    assert!((right[0].centre.1 - right[59].centre.1).abs() < 1e-3);
    let up = path(Moves::Travel { x: 0.0, y: -1.0, fast: false });
    assert!(up[59].centre.1 < up[0].centre.1);
    let punch = path(Moves::PunchIn);
    assert!(punch[20].size.0 > 1279.0 && punch[30].size.0 < 1000.0);
}

#[test]
fn a_shaky_pan_is_steadied_to_a_pan() {
    use kernels::{CameraPath, Similarity};
    let mut shaky = analysis(96, |_| (0.5, 0.5));
    let shake = |n: usize| if n.is_multiple_of(2) { 1.5 } else { -1.5 };
    let pose = |n: usize| Similarity::translation(-0.4 * n as f32 + shake(n), 0.0);
    shaky.path = Some(CameraPath { poses: (0..96).map(pose).collect() });
    let kind = Moves::Stabilise { lock: false };
    let found = seen(&wish(kind), Course::Same, &cues(96), &shaky, (1280, 720), SCREEN).unwrap();
    // A point of the scene, as the screen shows it.
    let scene = |n: usize| 4.0 * pose(n).tx - (found[n].centre.0 - 640.0);
    for n in 40..56 {
        let step = scene(n + 1) - scene(n);
        assert!((step + 1.6).abs() < 0.8, "{n}: {step}");
    }
}

#[test]
fn the_reference_is_decoded_no_larger_than_needed() {
    let none = Framing::default();
    assert_eq!(working_size((1920, 1080), (1280, 720), &none, Course::Same, None), (1280, 720));
    assert_eq!(working_size((1920, 1080), (720, 1280), &none, Course::Same, None), (1920, 1080));
    assert_eq!(working_size((3840, 2160), (720, 1280), &none, Course::Same, None), (2276, 1280));
    let close = wish(Moves::Close { zoom: 1.5 });
    assert_eq!(working_size((3840, 2160), (1280, 720), &close, Course::Same, None), (1920, 1080));
}

#[test]
fn a_window_shows_its_part_of_the_picture() {
    use kernels::{Plane, Yuv420};
    let y = Plane::from_fn(64, 64, |x, y| if x < 32 { 40 } else { 100 + (y as u8) }).unwrap();
    let chroma = Plane::new(32, 32, 128).unwrap();
    let picture = Yuv420::from_planes(y, chroma.clone(), chroma).unwrap();
    let mut screen = Yuv420::new(32, 32, [0, 0, 0]).unwrap();
    for turn in [0.0, 0.001] {
        let window = Window { centre: (48.0, 32.0), size: (32.0, 32.0), turn };
        window.show(picture.as_ref(), &mut screen.as_mut());
        let seen = i32::from(screen.planes()[0].row(16)[16]);
        assert!((seen - 132).abs() <= 1, "{seen}");
        let (x, y) = window.to_screen((32, 32)).apply((48.0, 40.0));
        assert!(x.abs() < 0.1 && (y - 8.0).abs() < 0.1);
    }
}
