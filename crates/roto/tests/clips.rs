//! Whole clips through ffmpeg: what was promised is what comes out.

mod common;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{Listener, Studio, counter, luma, number, plan};
use director::{Grade, Medium, TimeChange, Want};
use engine::{Context, Engine, EngineError, OutputKind};

#[test]
fn a_plan_without_wishes_passes_the_reference_through() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", &counter(5.0, 24));
    let shot = studio.shot(plan(5, []), vec![reference], (320, 240));
    let take = studio.make(&shot);
    let (frames, size) = luma(&take.outputs[0].path);
    assert_eq!((frames.len(), size), (120, (320, 240)));
    for (n, frame) in frames.iter().enumerate() {
        assert_eq!(number((frame, size)) as usize, n);
    }
    assert!(take.poster.as_ref().is_some_and(|poster| poster.exists()));
    let names: Vec<&str> = take.report.passes.iter().map(|pass| pass.name.as_str()).collect();
    assert_eq!(names, ["pass_through", "encode"]);
    assert_eq!(take.report.metrics["frames"], 120.0);
    assert!(take.report.unmet.is_empty());
}

#[test]
fn a_higher_rate_is_brought_to_the_same_time() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", &counter(4.2, 48));
    let take = studio.make(&studio.shot(plan(4, []), vec![reference], (320, 240)));
    let (frames, size) = luma(&take.outputs[0].path);
    assert_eq!(frames.len(), 96);
    for (n, frame) in frames.iter().enumerate().take(60) {
        assert!(number((frame, size)).abs_diff(2 * n as u32) <= 1, "{n}");
    }
}

#[test]
fn a_short_reference_fills_the_clip_without_going_backwards() {
    let studio = Studio::new();
    let source = "testsrc2=size=320x240:rate=24:duration=3";
    let reference = studio.video("reference.mp4", source);
    let take = studio.make(&studio.shot(plan(5, []), vec![reference], (320, 240)));
    assert_eq!(luma(&take.outputs[0].path).0.len(), 120);
    assert!(take.report.passes.iter().any(|pass| pass.name == "time"));
}

#[test]
fn reverse_and_speed_are_seen_in_the_frames() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", &counter(10.0, 24));
    let time = |change| Want::Time { change };
    let made = |wants: Vec<Want>| {
        let take = studio.make(&studio.shot(plan(3, wants), vec![reference.clone()], (320, 240)));
        let (frames, size) = luma(&take.outputs[0].path);
        frames.iter().map(|frame| number((frame, size))).collect::<Vec<_>>()
    };
    let back = made(vec![time(TimeChange::Reverse)]);
    assert_eq!((back[0], back[71]), (71, 0));
    let fast = made(vec![time(TimeChange::SpeedUp { speed: Some(2.0) })]);
    assert_eq!((fast[0], fast[10], fast[71]), (0, 20, 142));
}

#[test]
fn a_grade_is_made_for_each_shot_and_does_not_cross_the_cut() {
    let studio = Studio::new();
    let source = "color=c=0xd0c0a0:size=320x240:rate=24:duration=2.5[a];\
                  color=c=0x303848:size=320x240:rate=24:duration=2.5[b];[a][b]concat";
    let reference = studio.video("reference.mp4", source);
    let want = Want::Grade { grade: Grade::DayForNight };
    let take = studio.make(&studio.shot(plan(5, [want]), vec![reference], (320, 240)));
    let (frames, size) = luma(&take.outputs[0].path);
    let middle = |n: usize| i32::from(frames[n][size.0 * size.1 / 2 + size.0 / 2]);
    // Within a shot nothing changes; from one to the next it does.
    for n in [1, 30, 58] {
        assert!((middle(n) - middle(20)).abs() <= 1, "{n}");
    }
    for n in [60, 80, 119] {
        assert!((middle(n) - middle(90)).abs() <= 1, "{n}");
    }
    assert!(middle(20) < 150, "{}", middle(20));
    let analysis = &take.report.passes[0];
    assert_eq!((analysis.name.as_str(), &analysis.parameters["shots"]), ("analysis", &2.into()));
}

#[test]
fn a_run_stops_when_it_is_told_to() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", "testsrc2=size=640x360:rate=24:duration=10");
    let shot = studio.shot(plan(10, []), vec![reference], (640, 360));
    let context = Listener { stop_after: Some(12), ..Listener::default() };
    let stopped = studio.try_make(&shot, &context);
    assert_eq!(stopped.unwrap_err(), EngineError::Cancelled);
    let reports = context.heard.lock().unwrap().len();
    assert!(reports <= 14, "{reports} reports");
}

#[test]
fn a_run_stops_in_the_middle_of_its_analysis() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", "testsrc2=size=640x360:rate=24:duration=10");
    let want = Want::Grade { grade: Grade::DayForNight };
    let shot = studio.shot(plan(10, [want]), vec![reference], (640, 360));
    let context = Listener { stop_after: Some(12), ..Listener::default() };
    let stopped = studio.try_make(&shot, &context);
    assert_eq!(stopped.unwrap_err(), EngineError::Cancelled);
    let heard = context.heard.lock().unwrap();
    assert!(heard.iter().all(|(stage, _)| stage == "analysis"), "{heard:?}");
    assert!(heard.len() <= 13, "{} reports", heard.len());
}

#[test]
fn a_run_stops_while_it_waits_for_ffmpeg() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", "testsrc2=size=320x240:rate=24:duration=3");
    let shot = studio.shot(plan(3, []), vec![reference], (320, 240));
    // A jail that never lets its program begin: nothing is reported, so only the watcher can stop.
    let script = "#!/bin/sh\nexec sleep 600\n";
    std::fs::write(studio.path("no-jail.sh"), script).unwrap();
    std::fs::set_permissions(studio.path("no-jail.sh"), Permissions::from_mode(0o755)).unwrap();
    let stopped = studio.engine().generate(&shot, &Impatient(AtomicU32::new(0)));
    assert_eq!(stopped.unwrap_err(), EngineError::Cancelled);
}

/// Says stop when it was asked for the tenth time.
struct Impatient(AtomicU32);

impl Context for Impatient {
    fn progress(&self, _: &str, _: f64) {}

    fn cancelled(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) >= 10
    }
}

#[test]
fn progress_only_rises() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", "testsrc2=size=320x240:rate=24:duration=3");
    let want = Want::Medium { medium: Medium::BlackAndWhite };
    let shot = studio.shot(plan(3, [want]), vec![reference], (320, 240));
    let context = Listener::default();
    studio.try_make(&shot, &context).unwrap();
    let heard = context.heard.lock().unwrap();
    assert!(heard.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    assert_eq!(heard.last().map(|(_, fraction)| *fraction), Some(1.0));
}

#[test]
fn a_still_is_made_at_its_size() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", "testsrc2=size=320x240:rate=24:duration=3");
    let want = Want::Medium { medium: Medium::Sepia };
    let mut shot = studio.shot(plan(3, [want]), vec![reference], (320, 240));
    shot.outputs[0].kind = OutputKind::Image { width: 240, height: 240 };
    let take = studio.make(&shot);
    assert_eq!(take.outputs[0].content_type, "image/png");
    let bytes = std::fs::read(&take.outputs[0].path).unwrap();
    let probe = media::probe_image(&bytes).unwrap();
    assert_eq!((probe.width, probe.height, probe.format), (240, 240, "png"));
}

#[test]
fn a_request_without_a_reference_is_at_fault() {
    let studio = Studio::new();
    let shot = studio.shot(plan(3, []), Vec::new(), (320, 240));
    let failed = studio.try_make(&shot, &Listener::default());
    assert!(matches!(failed, Err(EngineError::Input { .. })));
}
