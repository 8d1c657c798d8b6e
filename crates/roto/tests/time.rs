//! Time, seen in finished clips: how far things go from frame to frame, and across seams.

mod common;

use common::{Studio, luma, plan};
use director::{Camera, Direction, Task, TimeChange, Want};
use engine::ShotInput;

const SIZE: (usize, usize) = (320, 180);

/// A texture, and a camera that pans over it.
fn pan(studio: &Studio, secs: f64) -> ShotInput {
    let source = format!(
        "nullsrc=size=704x180:rate=24:duration={secs},format=yuv420p,\
         geq=lum='125+45*sin(X/90+2*sin(X/53))+25*sin(X/23+Y/17)+20*sin(X/7)*cos(Y/9)':cb=128:cr=128,\
         crop=320:180:'3*n':0"
    );
    studio.video("pan.mp4", &source)
}

/// Something that goes across in front of what does not move; it never comes back.
fn passing(studio: &Studio, secs: f64, a_frame: f64) -> ShotInput {
    let source = format!(
        "nullsrc=size=320x180:rate=24:duration={secs},format=yuv420p,\
         geq=lum='if(lt(hypot(X-40-{a_frame}*N,Y-90),22),30,140+40*sin(X/7)*cos(Y/9)+15*sin(X/3))':\
         cb=128:cr=128"
    );
    studio.video("passing.mp4", &source)
}

/// Waves that go through the picture, not quite in step.
fn waves(studio: &Studio, secs: f64) -> ShotInput {
    let source = format!(
        "nullsrc=size=320x180:rate=24:duration={secs},format=yuv420p,\
         geq=lum='125+40*sin(X/17+N/4)+30*sin(Y/13+N/5.3)':cb=128:cr=128"
    );
    studio.video("waves.mp4", &source)
}

/// Mean change of what is larger than the encoder's noise.
fn step(a: &[u8], b: &[u8]) -> f64 {
    const BLOCK: usize = 4;
    let mean = |frame: &[u8], at: usize| {
        let (x, y) = (at % (SIZE.0 / BLOCK) * BLOCK, at / (SIZE.0 / BLOCK) * BLOCK);
        let rows = (y..y + BLOCK).map(|y| &frame[y * SIZE.0 + x..][..BLOCK]);
        rows.flatten().map(|&code| f64::from(code)).sum::<f64>() / (BLOCK * BLOCK) as f64
    };
    let blocks = SIZE.0 * SIZE.1 / BLOCK / BLOCK;
    (0..blocks).map(|at| (mean(a, at) - mean(b, at)).abs()).sum::<f64>() / blocks as f64
}

fn steps(frames: &[Vec<u8>]) -> Vec<f64> {
    frames.windows(2).map(|pair| step(&pair[0], &pair[1])).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Across the middle of what is dark.
fn middle(frame: &[u8]) -> f64 {
    let dark = frame.iter().enumerate().filter(|(_, code)| **code < 70);
    let (sum, count) =
        dark.fold((0.0, 0.0), |(sum, count), (at, _)| (sum + (at % SIZE.0) as f64, count + 1.0));
    sum / count
}

fn made(studio: &Studio, secs: u32, input: ShotInput, wants: Vec<Want>) -> Vec<Vec<u8>> {
    let mut plan = plan(secs, wants.clone());
    for want in wants {
        if let Want::Task { task } = want {
            plan.task = task;
        }
    }
    let take = studio.make(&studio.shot(plan, vec![input], (SIZE.0 as u32, SIZE.1 as u32)));
    let (frames, size) = luma(&take.outputs[0].path);
    assert_eq!((frames.len(), size), (secs as usize * 24, SIZE));
    frames
}

fn timed(change: TimeChange) -> Vec<Want> {
    vec![Want::Time { change }]
}

#[test]
fn the_step_across_a_loops_seam_is_a_usual_step() {
    let studio = Studio::new();
    for input in [pan(&studio, 5.2), waves(&studio, 5.2)] {
        let frames = made(&studio, 5, input, timed(TimeChange::Loop));
        let usual = median(&steps(&frames));
        let seam = step(&frames[frames.len() - 1], &frames[0]);
        assert!(seam <= 1.5 * usual, "{seam} {usual}");
        assert!(usual > 0.3, "something moves: {usual}");
    }
}

#[test]
fn a_pan_of_any_length_goes_on_without_a_snap() {
    let studio = Studio::new();
    for secs in [3.2, 5.2] {
        let frames = made(&studio, 10, pan(&studio, secs), Vec::new());
        let steps = steps(&frames);
        let most = steps.iter().copied().fold(0.0, f64::max);
        // The reference's own; what is added is slower.
        let usual = median(&steps[..24]);
        assert!(most <= 2.0 * usual, "{secs}: {most} {usual}");
    }
}

#[test]
fn shots_before_and_after_a_pan_do_not_snap() {
    let studio = Studio::new();
    for task in [Task::NextShot, Task::PreviousShot] {
        let frames = made(&studio, 5, pan(&studio, 5.2), vec![Want::Task { task: task.clone() }]);
        let steps = steps(&frames);
        let (usual, most) = (median(&steps), steps.iter().copied().fold(0.0, f64::max));
        assert!(most <= 2.0 * usual, "{task:?}: {most} {usual}");
    }
}

#[test]
fn slow_motion_and_ramps_are_as_fast_as_they_say() {
    let studio = Studio::new();
    let slow = TimeChange::SlowMotion { speed: Some(0.5) };
    let frames = made(&studio, 5, passing(&studio, 5.2, 2.0), timed(slow));
    let at: Vec<f64> = frames.iter().map(|frame| middle(frame)).collect();
    for n in [10, 31, 60, 85] {
        // 2 px a frame at half speed, frames between frames included.
        assert!((at[n] - 40.0 - n as f64).abs() < 1.5, "{n}: {}", at[n]);
    }
    assert!(at[..100].windows(2).all(|pair| (0.4..1.6).contains(&(pair[1] - pair[0]))));
    let ramp = TimeChange::Ramp { to_slow: Some(true) };
    let frames = made(&studio, 5, passing(&studio, 6.2, 1.5), timed(ramp));
    let at: Vec<f64> = frames.iter().map(|frame| middle(frame)).collect();
    let speed = |n: usize| (at[n + 12] - at[n]) / 12.0 / 1.5;
    assert!(
        (speed(6) - 1.5).abs() < 0.15 && (speed(104) - 0.4).abs() < 0.12,
        "{} {}",
        speed(6),
        speed(104)
    );
    assert!(at.windows(2).all(|pair| pair[1] > pair[0] - 0.3), "it never goes back");
}

#[test]
fn reversed_time_runs_evenly_to_the_start() {
    let studio = Studio::new();
    let frames = made(&studio, 5, passing(&studio, 5.2, 1.8), timed(TimeChange::Reverse));
    let at: Vec<f64> = frames.iter().map(|frame| middle(frame)).collect();
    assert!((at[119] - 40.0).abs() < 2.0 && at[0] > 230.0, "{} {}", at[0], at[119]);
    assert!(at.windows(2).all(|pair| (0.8..2.8).contains(&(pair[0] - pair[1]))));
}

/// Spread of what is dark: it grows as the frame closes in.
fn dark(frame: &[u8]) -> usize {
    frame.iter().filter(|code| **code < 70).count()
}

#[test]
fn new_angles_close_in_pan_tilt_and_shake() {
    let studio = Studio::new();
    let still = passing(&studio, 3.2, 0.001);
    let of =
        |act, direction| made(&studio, 3, still.clone(), vec![Want::Camera { act, direction }]);
    let plain = dark(&made(&studio, 3, still.clone(), Vec::new())[0]) as f64;
    let angle = made(&studio, 3, still.clone(), vec![Want::Task { task: Task::NewAngle }]);
    assert!(dark(&angle[71]) as f64 > 1.1 * plain, "{} {plain}", dark(&angle[71]));
    let closer = of(Camera::PunchIn, None);
    assert!(dark(&closer[71]) as f64 > 1.15 * plain, "{} {plain}", dark(&closer[71]));
    let right = of(Camera::Pan, Some(Direction::Right));
    assert!(middle(&right[0]) - middle(&right[71]) > 15.0);
    let usual = |frames: &[Vec<u8>]| {
        let steps = steps(frames);
        (median(&steps), steps.iter().copied().fold(0.0, f64::max))
    };
    // A punch-in is quick; the others are smooth.
    let crane = of(Camera::Crane, Some(Direction::Up));
    for frames in [&angle, &right, &of(Camera::Dolly, None), &crane] {
        let (median, most) = usual(frames);
        assert!(most <= 4.0 * median.max(0.3), "{most} {median}");
    }
    let shaken = of(Camera::Handheld, None);
    let at: Vec<f64> = shaken.iter().map(|frame| middle(frame)).collect();
    let spread =
        at.iter().copied().fold(f64::MIN, f64::max) - at.iter().copied().fold(f64::MAX, f64::min);
    assert!((1.0..30.0).contains(&spread), "{spread}");
}
