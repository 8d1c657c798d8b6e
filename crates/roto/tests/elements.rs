//! Elements in scenes whose truth is known: where the ground goes, and what is in front.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use common::{Studio, luma, plan};
use director::{Edge, Entry, Handle, Path, Pivot, Place, Placement, Side, Want};
use domain::facts::Role;
use engine::{ShotInput, Take};

const WIDE: usize = 640;
const TALL: usize = 360;
const STRIP: usize = 16;

/// Rough value noise that is smooth from pixel to pixel.
fn noise(x: f64, y: f64) -> f64 {
    let hash = |i: i64, j: i64| {
        let h = (i.wrapping_mul(374_761_393) ^ j.wrapping_mul(668_265_263)) as u64;
        let h = (h ^ (h >> 13)).wrapping_mul(1_274_126_177);
        ((h ^ (h >> 16)) & 0xffff) as f64 / 65535.0
    };
    let (i, j) = (x.floor() as i64, y.floor() as i64);
    let soft = |t: f64| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (soft(x - x.floor()), soft(y - y.floor()));
    let above = hash(i, j) + fx * (hash(i + 1, j) - hash(i, j));
    let below = hash(i, j + 1) + fx * (hash(i + 1, j + 1) - hash(i, j + 1));
    above + fy * (below - above)
}

/// A clip of grey pictures, written without loss worth naming.
fn clip(
    studio: &Studio,
    name: &str,
    frames: usize,
    code: impl Fn(usize, usize, usize) -> f64,
) -> ShotInput {
    let raw = studio.path("raw.gray");
    let mut bytes = Vec::with_capacity(frames * WIDE * TALL);
    for n in 0..frames {
        for y in 0..TALL {
            // Black and white at the top edge, so that the element keeps its black.
            bytes.extend((0..WIDE).map(|x| match y {
                0..STRIP => 8 + 232 * u8::from(x > WIDE / 2),
                _ => code(n, x, y).clamp(70.0, 230.0) as u8,
            }));
        }
    }
    std::fs::write(&raw, bytes).unwrap();
    let path = studio.path(name);
    let size = format!("{WIDE}x{TALL}");
    studio.ffmpeg(&[
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-s",
        &size,
        "-r",
        "24",
        "-i",
        raw.to_str().unwrap(),
        "-vf",
        "scale=out_range=tv,format=yuv420p",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-qp",
        "8",
        path.to_str().unwrap(),
    ]);
    std::fs::remove_file(raw).unwrap();
    common::reference(path, false)
}

/// A black pole before white, as `@ElementN`.
fn pole(studio: &Studio, n: u32) -> ShotInput {
    let source = "nullsrc=size=120x240:duration=1,geq=r='255*gt(abs(X-60),26)+255*lt(Y,20)+255*gt(Y,220)':g='255*gt(abs(X-60),26)+255*lt(Y,20)+255*gt(Y,220)':b='255*gt(abs(X-60),26)+255*lt(Y,20)+255*gt(Y,220)'";
    let mut input = studio.image(n, &format!("pole{n}.png"), source);
    input.role = Role::ElementFrontal { n };
    input
}

fn make(studio: &Studio, secs: u32, inputs: Vec<ShotInput>, wants: Vec<Want>) -> Take {
    studio.make(&studio.shot(plan(secs, wants), inputs, (WIDE as u32, TALL as u32)))
}

/// Middle and lower end of what is dark, and how much there is.
fn dark(frame: &[u8]) -> Option<(f64, f64, usize)> {
    let at: Vec<usize> =
        (STRIP * WIDE + 4 * WIDE..frame.len()).filter(|&i| frame[i] < 52).collect();
    if at.len() < 60 {
        return None;
    }
    let x = at.iter().map(|i| (i % WIDE) as f64).sum::<f64>() / at.len() as f64;
    let mut ys: Vec<usize> = at.iter().map(|i| i / WIDE).collect();
    ys.sort_unstable();
    Some((x, ys[ys.len() - 1 - ys.len() / 100] as f64, at.len()))
}

fn parameters(take: &Take) -> &serde_json::Value {
    &take.report.passes.iter().find(|pass| pass.name == "elements").unwrap().parameters
}

/// A camera that goes sideways over a plane which ends at the horizon, a wall far behind it: no one
/// motion fits both.
#[test]
fn a_foot_does_not_slide_on_ground_with_parallax() {
    const HORIZON: f64 = 150.0;
    const SPEED: f64 = 1.6;
    let studio = Studio::new();
    let frames = 126;
    let reference = clip(&studio, "plane.mp4", frames, |n, x, y| {
        let (x, y, n) = (x as f64 - 320.0, y as f64, n as f64);
        if y < HORIZON {
            let x = x + 0.25 * SPEED * n;
            return 120.0 + 90.0 * noise(x / 9.0, y / 9.0);
        }
        // Near ground goes fast and far ground slowly: speed is in proportion to nearness.
        let near = (y - HORIZON + 6.0) / (0.86 * 360.0 - HORIZON + 6.0);
        let x = x / near + SPEED * n;
        90.0 + 70.0 * noise(x / 16.0, 40.0 / near) + 60.0 * noise(x / 7.0, 90.0 / near)
    });
    let placement = Placement { at: vec![Place::Right], ..Placement::of(Handle::element(1)) };
    let take = make(&studio, 5, vec![reference, pole(&studio, 1)], vec![Want::Place(placement)]);
    let (frames, _) = luma(&take.outputs[0].path);
    let (start, foot, _) = dark(&frames[0]).unwrap();
    let mut worst: f64 = 0.0;
    for (n, frame) in frames.iter().enumerate().step_by(10) {
        let Some((x, y, _)) = dark(frame) else { break };
        // The ground at the foot's height goes by its own speed.
        let near = (foot - HORIZON + 6.0) / (0.86 * 360.0 - HORIZON + 6.0);
        let truth = start - SPEED * near * n as f64;
        worst = worst.max((x - truth).abs()).max((y - foot).abs());
    }
    let drift = worst / WIDE as f64;
    assert!(drift < 0.005, "drift {drift} of the width, {}", parameters(&take));
}

/// A box goes from left to right, its foot lower than the element's or higher.
fn passing(n: usize, x: usize, y: usize, foot: f64) -> f64 {
    let left = -100.0 + 8.0 * n as f64;
    let (u, v) = (x as f64 - left, y as f64);
    if (0.0..110.0).contains(&u) && (foot - 190.0..foot).contains(&v) {
        return 150.0 + 70.0 * noise(u / 7.0, v / 7.0);
    }
    70.0 + 80.0 * noise(x as f64 / 8.0, v / 8.0)
}

#[test]
fn a_box_that_passes_in_front_covers_the_element() {
    let studio = Studio::new();
    let at = |place| {
        let placement = Placement { at: vec![place], ..Placement::of(Handle::element(1)) };
        vec![Want::Place(placement)]
    };
    let shown = |foot: f64| {
        let reference = clip(&studio, "box.mp4", 76, |n, x, y| passing(n, x, y, foot));
        let take = make(&studio, 3, vec![reference, pole(&studio, 1)], at(Place::Centre));
        let (frames, _) = luma(&take.outputs[0].path);
        let whole = dark(&frames[2]).unwrap().2 as f64;
        // The box is over the middle from frame 40 to 52.
        let part = |n: usize| dark(&frames[n]).map_or(0.0, |(_, _, count)| count as f64 / whole);
        let jump = (1..frames.len()).map(|n| (part(n) - part(n - 1)).abs()).fold(0.0, f64::max);
        (part(46), part(70), jump)
    };
    let (behind, after, jump) = shown(345.0);
    assert!(behind < 0.12, "{behind} of the element shows through the box");
    assert!(after > 0.9, "{after} of the element is back");
    assert!(jump < 0.6, "{jump}");
    let (before, _, _) = shown(260.0);
    assert!(before > 0.9, "{before}: a box that is farther away covers nothing");
}

#[test]
fn two_elements_stand_as_the_words_have_it() {
    let studio = Studio::new();
    let still = clip(&studio, "still.mp4", 26, |_, x, y| {
        90.0 + 80.0 * noise(x as f64 / 9.0, y as f64 / 9.0)
    });
    let first = Placement { at: vec![Place::Centre], ..Placement::of(Handle::element(1)) };
    let pivot = |thing: &str| Pivot { side: Side::LeftOf, thing: thing.to_owned() };
    let by = |thing| Placement { pivot: Some(pivot(thing)), ..Placement::of(Handle::element(2)) };
    let inputs = vec![still, pole(&studio, 1), pole(&studio, 2)];
    let take = make(
        &studio,
        1,
        inputs.clone(),
        vec![Want::Place(by("@Element1")), Want::Place(first.clone())],
    );
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    let place = |take: &Take, name: &str| {
        let layers = parameters(take)["layers"].as_array().unwrap().clone();
        layers.iter().find(|layer| layer["source"] == name).unwrap()["x"].as_f64().unwrap()
    };
    let (left, middle) = (place(&take, "@Element2"), place(&take, "@Element1"));
    assert!(left < middle - 0.05 && left > middle - 0.3, "{left} {middle}");
    let take = make(&studio, 1, inputs, vec![Want::Place(first), Want::Place(by("the tower"))]);
    assert_eq!(take.report.unmet.len(), 1);
    assert!(take.report.unmet[0].reason.contains("`the tower`"));
    assert!(place(&take, "@Element2") < 0.45);
}

#[test]
fn an_element_that_enters_is_itself_and_its_first_frame_is_clean() {
    let studio = Studio::new();
    let still = clip(&studio, "still.mp4", 76, |_, x, y| {
        110.0 + 60.0 * noise(x as f64 / 9.0, y as f64 / 9.0)
    });
    let source = "testsrc2=size=200x200:duration=1,drawbox=c=white:t=30";
    let mut card = studio.image(1, "card.png", source);
    card.role = Role::ElementFrontal { n: 1 };
    let enters = Placement {
        entry: Some(Entry::From(Edge::Left)),
        at: vec![Place::Centre],
        ..Placement::of(Handle::element(1))
    };
    let take = make(&studio, 3, vec![still.clone(), card], vec![Want::Place(enters)]);
    let identity = take.report.metrics["element_identity"];
    assert!(identity >= 0.9, "{identity}");
    let drives = Placement { path: Some(Path::Drives), ..Placement::of(Handle::element(1)) };
    let take = make(&studio, 3, vec![still, pole(&studio, 1)], vec![Want::Place(drives)]);
    let (frames, _) = luma(&take.outputs[0].path);
    assert!(dark(&frames[0]).is_none() && dark(&frames[frames.len() - 1]).is_none());
    assert!(dark(&frames[36]).is_some());
}

/// Towers whose upright lines meet in a point `up` px above the middle, under a camera that is
/// still.
fn towers(studio: &Studio, up: f64) -> ShotInput {
    clip(studio, "towers.mp4", 30, |_, x, y| {
        let (dx, dy) = (x as f64 - WIDE as f64 / 2.0, y as f64 - TALL as f64 / 2.0);
        150.0 + 60.0 * (dx * up / (up + dy) / 8.0).sin()
    })
}

#[test]
fn nothing_stands_where_no_ground_is_seen() {
    let studio = Studio::new();
    let centre = Placement { at: vec![Place::Centre], ..Placement::of(Handle::element(1)) };
    let put = |up: f64, placement: &Placement| {
        let inputs = vec![towers(&studio, up), pole(&studio, 1)];
        make(&studio, 1, inputs, vec![Want::Place(placement.clone())])
    };
    let below = put(420.0, &centre);
    assert!(below.report.passes.iter().all(|pass| pass.name != "elements"));
    assert_eq!(below.report.unmet.len(), 1);
    assert!(below.report.unmet[0].reason.contains("no ground"), "{:?}", below.report.unmet);
    // What flies needs none, and a level street has it, its horizon in the middle.
    let flies = Placement { path: Some(Path::Floats), ..centre.clone() };
    assert!(put(420.0, &flies).report.passes.iter().any(|pass| pass.name == "elements"));
    let level = put(1e6, &centre);
    assert!(level.report.unmet.is_empty(), "{:?}", level.report.unmet);
    let horizon = parameters(&level)["layers"][0]["horizon"].as_f64().unwrap();
    assert!((horizon - 0.5).abs() < 0.06, "{horizon}");
}
