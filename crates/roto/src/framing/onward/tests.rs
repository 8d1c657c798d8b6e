use super::*;
use crate::sheet::Timing;
use crate::timeline::{Likeness, Reel, Timeline};

const PICTURE: (usize, usize) = (1280, 720);
const COPY: (usize, usize) = (320, 180);
const RATE: f64 = 24.0;

/// A scene whose only good jump is from `exit` to `entry`.
struct OneJump {
    exit: usize,
    entry: usize,
}

impl Likeness for OneJump {
    fn distance(&self, a: usize, b: usize) -> f32 {
        if a.abs_diff(b) == self.exit - self.entry { 0.0 } else { 50.0 }
    }

    fn usual(&self) -> f32 {
        1.0
    }

    fn is_calm(&self, _: &std::ops::Range<usize>) -> bool {
        false
    }
}

/// A scene that never comes back.
struct OneWay;

impl Likeness for OneWay {
    fn distance(&self, a: usize, b: usize) -> f32 {
        a.abs_diff(b) as f32
    }

    fn usual(&self) -> f32 {
        1.0
    }

    fn is_calm(&self, _: &std::ops::Range<usize>) -> bool {
        false
    }
}

/// A shot whose camera makes `step` from each frame to the next.
fn shot(frames: usize, step: impl Fn(usize) -> Similarity) -> Analysis {
    let motions: Vec<Similarity> = (1..frames).map(step).collect();
    Analysis {
        size: COPY,
        frames,
        shots: std::iter::once(0..frames).collect(),
        dissolved: vec![false],
        path: Some(CameraPath::from_motions(&motions)),
        ..Analysis::default()
    }
}

fn timeline(frames: usize, out_frames: usize, likeness: &dyn Likeness) -> Timeline {
    let shots = std::iter::once(0..frames).collect();
    let reel = Reel { frames, rate: RATE, out_frames, out_rate: RATE, shots, heard: false };
    Timeline::build(&Timing::default(), &reel, Some(likeness))
}

fn onward(cues: &[Cue], analysis: &Analysis) -> Option<Onward> {
    Onward::of(&Course { cues, reel_rate: RATE, rate: RATE, lags: true }, analysis)
}

fn shown(onward: &Onward) -> Vec<Shown> {
    let whole = Window::largest(PICTURE, 16.0 / 9.0);
    let moved = onward.moved(&vec![whole; onward.missing.len()], PICTURE);
    for window in moved.iter().flat_map(|one| [one.at, one.join]) {
        let (x, y) = window.centre;
        let (w, h) = (window.size.0 / 2.0, window.size.1 / 2.0);
        assert!(x - w >= -0.01 && x + w <= 1280.01, "{window:?}");
        assert!(y - h >= -0.01 && y + h <= 720.01, "{window:?}");
        // What lies inside by itself was not stopped at the border.
        assert!(window.size.0 > 1280.0 / (ROOM * CLOSER) - 0.01, "{window:?}");
    }
    moved
}

/// Where the scene is on the screen at a moment, in widths, and how large.
fn seen(analysis: &Analysis, moment: f64, window: &Window) -> [f32; 3] {
    let path = analysis.path.as_ref().unwrap();
    let (a, b) = (path.pose(moment.floor() as usize), path.pose(moment.ceil() as usize));
    let pose = a.then(&a.inverse().then(&b).fraction(moment.fract() as f32)).resized(4.0);
    let middle = (window.centre.0 - 640.0, window.centre.1 - 360.0);
    let zoom = 1280.0 / window.size.0;
    // The point of the scene that was in the middle of the first frame.
    let at = ((pose.tx - middle.0) * zoom / 1280.0, (pose.ty - middle.1) * zoom / 1280.0);
    [at.0, at.1, libm::logf(pose.scale * zoom)]
}

/// The same, frame by frame, of what shows most.
fn track(analysis: &Analysis, cues: &[Cue], shown: &[Shown]) -> Vec<[f32; 3]> {
    let pairs = cues.iter().zip(shown);
    pairs
        .map(|(cue, one)| {
            let window = if cue.main() == cue.at { one.at } else { one.join };
            seen(analysis, cue.main(), &window)
        })
        .collect()
}

#[test]
fn a_slowed_pan_keeps_its_speed_and_then_brakes() {
    let analysis = shot(120, |_| Similarity::translation(-1.0, 0.0));
    let timeline = timeline(120, 140, &OneWay);
    assert!(timeline.jump.is_none() && timeline.goes_on);
    let onward = onward(&timeline.cues, &analysis).unwrap();
    assert!((onward.speed[1] + 24.0 / 320.0).abs() < 1e-3, "{:?}", onward.speed);
    let moved = shown(&onward);
    let path = track(&analysis, &timeline.cues, &moved);
    let speed: Vec<f32> = path.windows(2).map(|p| p[0][0] - p[1][0]).collect();
    let natural = 1.0 / 320.0;
    let slow = timeline.cues.windows(2).position(|p| p[1].at - p[0].at < 0.99).unwrap();
    for (n, &v) in speed.iter().enumerate() {
        assert!(v > 0.45 * natural && v < 1.35 * natural, "{n}: {v}");
        assert!(n == 0 || (v - speed[n - 1]).abs() < 0.1 * natural, "{n}: {v}");
    }
    // Half a second after slow play begins the camera is as fast as before.
    assert!(speed[slow + 12] > 0.95 * natural, "{}", speed[slow + 12]);
    // It gets further than the reference does.
    let plain = (timeline.cues[139].at / 320.0) as f32;
    assert!(-path[139][0] > plain + 0.04, "{} {plain}", -path[139][0]);
    assert!(moved[0].at.is_whole(PICTURE), "{:?}", moved[0]);
}

#[test]
fn a_zoom_goes_on_without_a_corner() {
    let growth = 1.0015f32;
    let analysis = shot(96, |_| Similarity { scale: growth, ..Similarity::IDENTITY });
    let timeline = timeline(96, 120, &OneWay);
    let onward = onward(&timeline.cues, &analysis).unwrap();
    let path = track(&analysis, &timeline.cues, &shown(&onward));
    let speed: Vec<f32> = path.windows(2).map(|p| p[1][2] - p[0][2]).collect();
    let natural = libm::logf(growth);
    for (n, &v) in speed.iter().enumerate() {
        assert!(v > 0.6 * natural && v < 1.1 * natural, "{n}: {v}");
        assert!(n == 0 || (v - speed[n - 1]).abs() < 0.05 * natural, "{n}: {v}");
    }
    assert!(path[119][2] > (timeline.cues[119].at as f32 + 8.0) * natural);
}

#[test]
fn a_camera_that_can_only_go_wider_shows_no_border() {
    let analysis = shot(96, |_| Similarity { scale: 0.998, ..Similarity::IDENTITY });
    let timeline = timeline(96, 120, &OneWay);
    if let Some(onward) = onward(&timeline.cues, &analysis) {
        assert!(shown(&onward).iter().all(|one| one.at.is_whole(PICTURE)));
    }
}

#[test]
fn a_camera_that_stands_still_is_left_alone() {
    let shake =
        |n: usize| Similarity::translation(if n.is_multiple_of(2) { 0.6 } else { -0.6 }, 0.03);
    let drift = |_| Similarity::translation(0.05, 0.0);
    for analysis in [shot(96, |_| Similarity::IDENTITY), shot(96, shake), shot(60, drift)] {
        for likeness in [&OneWay as &dyn Likeness, &OneJump { exit: 40, entry: 10 }] {
            let timeline = timeline(analysis.frames, 200, likeness);
            assert!(onward(&timeline.cues, &analysis).is_none());
        }
    }
}

#[test]
fn a_jump_goes_on_from_where_the_camera_was() {
    // 48 frames of rest, then a pan of 20 px of the copy over 24 frames, then rest again.
    let analysis = shot(120, |n| {
        Similarity::translation(if (48..72).contains(&n) { -20.0 / 24.0 } else { 0.0 }, 0.0)
    });
    let timeline = timeline(120, 200, &OneJump { exit: 90, entry: 20 });
    let (exit, entry, _) = timeline.jump.unwrap();
    assert_eq!(exit - entry, 70);
    let onward = onward(&timeline.cues, &analysis).unwrap();
    let moved = shown(&onward);
    let morph = timeline.cues.iter().position(|cue| cue.join.is_some()).unwrap();
    let (cue, sides) = (&timeline.cues[morph + 6], &moved[morph + 6]);
    let left = seen(&analysis, cue.at, &sides.at);
    let entered = seen(&analysis, cue.join.unwrap().at, &sides.join);
    // 20 of 320 px apart without help.
    assert!((left[0] - entered[0]).abs() < 0.03, "{left:?} {entered:?}");
    // Neither the window of a moment nor the punch-in jumps.
    for (n, pair) in moved.windows(2).enumerate() {
        let size = (pair[1].at.size.0 - pair[0].at.size.0).abs();
        assert!(size < 10.0, "{n}: {size}");
        let switched = timeline.cues[n].join.is_some() && timeline.cues[n + 1].join.is_none();
        let before = if switched { pair[0].join } else { pair[0].at };
        let step = (pair[1].at.centre.0 - before.centre.0).abs();
        assert!(step < 6.0, "{n}: {step}");
    }
}

#[test]
fn a_jump_that_is_too_far_to_hide_hides_no_subject() {
    // Rest, a pan of half the frame's width, rest.
    let analysis = shot(120, |n| {
        Similarity::translation(if (30..50).contains(&n) { -160.0 / 20.0 } else { 0.0 }, 0.0)
    });
    let timeline = timeline(120, 200, &OneJump { exit: 90, entry: 20 });
    if let Some(onward) = onward(&timeline.cues, &analysis) {
        assert!(shown(&onward).iter().all(|one| (one.join.centre.0 - 640.0).abs() < 20.0));
    }
}

#[test]
fn a_pan_stays_fast_across_a_jump_to_a_moment_of_rest() {
    // Rest, then a pan that gets up to speed and goes on to the end.
    let speed = |n: usize| (n as f32 - 60.0).clamp(0.0, 24.0) / 24.0;
    let analysis = shot(120, |n| Similarity::translation(-0.5 * speed(n), 0.0));
    let timeline = timeline(120, 200, &OneJump { exit: 100, entry: 20 });
    let onward = onward(&timeline.cues, &analysis).unwrap();
    let moved = shown(&onward);
    let morph = timeline.cues.iter().position(|cue| cue.join.is_some()).unwrap();
    // What is gone on to, from where it comes in.
    let path = |n: usize| {
        let cue = timeline.cues[n];
        seen(&analysis, cue.join.map_or(cue.at, |join| join.at), &moved[n].join)[0]
    };
    let steps: Vec<f32> = (morph..morph + 50).map(|n| path(n) - path(n + 1)).collect();
    assert!(steps[0] > 0.0005, "{steps:?}");
    // It brakes, and never goes back.
    assert!(steps.iter().all(|&step| step > -1e-4), "{steps:?}");
    assert!(steps.windows(2).all(|p| (p[1] - p[0]).abs() < 0.0006), "{steps:?}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]
    #[test]
    fn no_path_leads_out_of_the_picture(
        x in -4.0f32..4.0, y in -3.0f32..3.0, growth in -0.004f32..0.006,
        frames in 72usize..130, out in 120usize..240, jumps in proptest::bool::ANY,
        centre in (0.3f32..0.7, 0.35f32..0.65),
    ) {
        let step = Similarity { scale: libm::expf(growth), rotation: 0.0, tx: x, ty: y };
        let analysis = shot(frames, |_| step);
        let jump = OneJump { exit: frames - 24, entry: 10 };
        let timeline = timeline(frames, out, if jumps { &jump } else { &OneWay });
        if let Some(onward) = onward(&timeline.cues, &analysis) {
            shown(&onward);
            let upright = Window::largest(PICTURE, 9.0 / 16.0);
            let at = (centre.0 * 1280.0, centre.1 * 720.0);
            let window = Window { centre: at, ..upright }.zoomed(1.3).inside(PICTURE);
            for one in onward.moved(&vec![window; out], PICTURE) {
                for window in [one.at, one.join] {
                    let (half, at) = (window.size.0 / 2.0, window.centre.0);
                    proptest::prop_assert!(at - half >= -0.01 && at + half <= 1280.01);
                }
            }
        }
    }
}
