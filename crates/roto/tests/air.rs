//! Weather, light, film and tape through ffmpeg, one clip a family.

mod common;

use common::{Studio, luma, plan};
use director::{Effect, Medium, Want, Weather, When};

/// Mean step between neighbours in a row: a grey wall has none, rain has.
fn texture(frame: &[u8], width: usize) -> f64 {
    let rows = frame.chunks(width);
    let steps: u64 = rows
        .map(|row| row.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))).sum::<u64>())
        .sum();
    steps as f64 / frame.len() as f64
}

#[test]
fn rain_begins_when_it_is_asked_to() {
    let studio = Studio::new();
    let reference = studio.video("wall.mp4", "color=c=0x304048:size=320x240:rate=24:duration=3");
    let mut plan = plan(3, [Want::Weather { weather: Weather::Rain }]);
    plan.wishes[0].when = Some(When::From { secs: 2.0 });
    let take = studio.make(&studio.shot(plan, vec![reference], (320, 240)));
    let (frames, (width, _)) = luma(&take.outputs[0].path);
    assert!(texture(&frames[10], width) < 0.05);
    assert!(texture(&frames[70], width) > 0.15, "{}", texture(&frames[70], width));
    assert!(take.report.unmet.iter().any(|unmet| unmet.reason.contains("wet ground")));
    assert!(take.report.passes.iter().any(|pass| pass.name == "weather"));
}

#[test]
fn beams_need_a_bright_place() {
    let studio = Studio::new();
    let dark = studio.video("dark.mp4", "color=c=0x303030:size=320x240:rate=24:duration=3");
    let beams = || plan(3, [Want::Effect { effect: Effect::GodRays }]);
    let take = studio.make(&studio.shot(beams(), vec![dark], (320, 240)));
    assert!(take.report.unmet.iter().any(|unmet| unmet.reason.contains("bright enough")));
    assert!(take.report.passes.iter().all(|pass| pass.name != "light"));
    let source = "color=c=0x202020:size=320x240:rate=24:duration=3,drawbox=200:20:60:60:white:fill";
    let lit = studio.video("lit.mp4", source);
    let take = studio.make(&studio.shot(beams(), vec![lit], (320, 240)));
    let (frames, (width, _)) = luma(&take.outputs[0].path);
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    assert!(frames[30][110 * width + 200] > 50, "{}", frames[30][110 * width + 200]);
}

#[test]
fn tape_wears_every_frame_in_its_own_way() {
    let studio = Studio::new();
    let wall = studio.video("wall.mp4", "color=c=0x607080:size=320x240:rate=24:duration=3");
    let tape = plan(3, [Want::Medium { medium: Medium::Vhs }]);
    let take = studio.make(&studio.shot(tape, vec![wall], (320, 240)));
    let (frames, (width, _)) = luma(&take.outputs[0].path);
    assert!(texture(&frames[20], width) > 0.4);
    assert_ne!(frames[20], frames[21]);
    assert!(take.report.passes.iter().any(|pass| pass.name == "wear"));
}
