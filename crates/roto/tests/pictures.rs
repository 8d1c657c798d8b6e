//! Clips that show a picture: along the reference's camera, or at one of their ends.

mod common;

use common::{Studio, luma, plan};
use director::{Camera, Handle, ImageRole, Task, Want};

/// A texture that a camera pans over by one px a frame, to the right, swaying up and down.
const PAN: &str = "nullsrc=size=640x300:rate=24:duration=3.2,format=yuv420p,\
    geq=lum='150+22*sin(X/7)*cos(Y/9)+20*sin(X/23+Y/17)+15*sin(X*X/3000)':cb=128:cr=128,\
    crop=320:240:'n':'30+12*sin(n/9)'";

const STILL: &str = "testsrc2=size=320x240:rate=1:duration=1,fps=24,loop=80:1:0,trim=duration=3.2";

/// A black disc before grey, in a wide picture.
const DISC: &str = "nullsrc=size=800x480:duration=1,geq=r='200*gt(hypot(X-400,Y-240),50)':\
    g='200*gt(hypot(X-400,Y-240),50)':b='200*gt(hypot(X-400,Y-240),50)'";

fn transfer() -> Want {
    let (start, from) = (Some(Handle::image(1)), Handle::video(1));
    Want::Task { task: Task::CameraTransfer { start, from } }
}

fn tasked(length: u32, wants: Vec<Want>) -> director::ShotPlan {
    let mut plan = plan(length, wants.clone());
    for want in wants {
        if let Want::Task { task } = want {
            plan.task = task;
        }
    }
    plan
}

/// Middle of what is dark, and how much is.
fn centre(frame: &[u8], width: usize) -> (f64, f64, f64) {
    let dark = frame.iter().enumerate().filter(|(_, code)| **code < 90);
    let (x, y, count) = dark.fold((0.0, 0.0, 0.0), |(x, y, count), (i, _)| {
        (x + (i % width) as f64, y + (i / width) as f64, count + 1.0)
    });
    (x / count, y / count, count)
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let product = |p: &[f64], mp: f64, q: &[f64], mq: f64| -> f64 {
        p.iter().zip(q).map(|(p, q)| (p - mp) * (q - mq)).sum()
    };
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}

#[test]
fn a_picture_is_seen_along_the_references_camera() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let disc = studio.image(1, "disc.png", DISC);
    let shot = studio.shot(tasked(3, vec![transfer()]), vec![pan, disc], (320, 240));
    let take = studio.make(&shot);
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    let (frames, (width, _)) = luma(&take.outputs[0].path);
    let seen: Vec<_> = frames.iter().map(|frame| centre(frame, width)).collect();
    let known = |axis: fn(f64) -> f64| (0..72).map(|n| axis(f64::from(n))).collect::<Vec<_>>();
    let (xs, ys): (Vec<f64>, Vec<f64>) = seen.iter().map(|&(x, y, _)| (x, y)).unzip();
    let across = correlation(&xs, &known(|n| -n));
    let down = correlation(&ys, &known(|n| -12.0 * (n / 9.0).sin()));
    assert!(across > 0.99 && down > 0.97, "{across} {down}");
    // The picture is wide enough for all of the pan.
    assert!((xs[0] - xs[71] - 71.0).abs() < 6.0, "{} {}", xs[0], xs[71]);
    let pass = take.report.passes.iter().find(|pass| pass.name == "camera_transfer").unwrap();
    assert!(pass.parameters["amplitude_kept"].as_f64().unwrap() > 0.999);
    assert!(pass.parameters["punch_in"].as_f64().unwrap() < 1.25);
}

#[test]
fn a_camera_that_stands_still_is_said_and_the_picture_drifts() {
    let studio = Studio::new();
    let still = studio.video("still.mp4", STILL);
    let disc = studio.image(1, "disc.png", DISC);
    let shot = studio.shot(tasked(3, vec![transfer()]), vec![still, disc], (320, 240));
    let take = studio.make(&shot);
    assert_eq!(take.report.unmet.len(), 1);
    assert!(take.report.unmet[0].reason.contains("stands still"), "{:?}", take.report.unmet);
    let (frames, (width, _)) = luma(&take.outputs[0].path);
    let (start, end) = (centre(&frames[0], width).2, centre(&frames[71], width).2);
    assert!(end > 1.08 * start && end < 1.2 * start, "{start} {end}");
}

#[test]
fn without_a_picture_the_clip_is_made_and_the_wish_unmet() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let shot = studio.shot(tasked(3, vec![transfer()]), vec![pan], (320, 240));
    let take = studio.make(&shot);
    assert_eq!(take.report.unmet.len(), 1);
    assert!(take.report.unmet[0].reason.contains("not among the inputs"));
    assert!(take.report.passes.iter().all(|pass| pass.name != "camera_transfer"));
}

#[test]
fn motion_on_a_picture_is_not_replaced_by_a_camera() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let disc = studio.image(1, "disc.png", DISC);
    let (onto, from) = (Some(Handle::image(1)), Handle::video(1));
    let task = Want::Task { task: Task::MotionTransfer { onto, from } };
    let take = studio.make(&studio.shot(tasked(3, vec![task]), vec![pan, disc], (320, 240)));
    assert_eq!(take.report.unmet.len(), 1);
    assert!(take.report.passes.iter().all(|pass| pass.name != "camera_transfer"));
}

#[test]
fn a_clip_ends_on_its_end_frame_and_starts_on_its_start_frame() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let disc = studio.image(1, "disc.png", DISC);
    let made = |role| {
        let want = Want::Image { source: Handle::image(1), role };
        let shot = studio.shot(plan(3, [want]), vec![pan.clone(), disc.clone()], (320, 240));
        let take = studio.make(&shot);
        assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
        let (frames, (width, _)) = luma(&take.outputs[0].path);
        [0, 36, 71].map(|n| centre(&frames[n], width).2)
    };
    let disc = std::f64::consts::PI * 25.0 * 25.0;
    let [start, middle, end] = made(ImageRole::EndFrame);
    assert!(start < 400.0 && middle < 400.0 && (end / disc - 1.0).abs() < 0.1, "{start} {end}");
    let [start, middle, end] = made(ImageRole::StartFrame);
    assert!(end < 400.0 && middle < 400.0 && (start / disc - 1.0).abs() < 0.1, "{start} {end}");
}

#[test]
fn a_move_of_the_frame_goes_over_the_transferred_path() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let disc = studio.image(1, "disc.png", DISC);
    let closer = Want::Camera { act: Camera::Zoom, direction: None };
    let shot = studio.shot(tasked(3, vec![transfer(), closer]), vec![pan, disc], (320, 240));
    let (frames, (width, _)) = luma(&studio.make(&shot).outputs[0].path);
    let (start, end) = (centre(&frames[0], width), centre(&frames[71], width));
    assert!(end.2 > 1.5 * start.2 && start.0 - end.0 > 20.0, "{start:?} {end:?}");
}
