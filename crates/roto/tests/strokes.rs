//! Clips painted after pictures: whose strokes, whose motion, and where a painting begins anew.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use common::{Listener, Studio, luma, plan, wish};
use director::{Handle, ImageRole, Want, Wish};
use engine::{EngineError, Pass, ShotInput, Take};
use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{PlaneRef, metrics};

const SIZE: (u32, u32) = (192, 112);

/// A grey texture that a camera pans over by one px a frame.
const PAN: &str = "nullsrc=size=512x180:rate=24:duration=3.2,format=yuv420p,\
    geq=lum='120+50*sin(X/7)*cos(Y/9)+40*sin(X/23+Y/17)':cb=128:cr=128,crop=320:180:n:0";

/// Red strokes, and green ones.
const RED: &str = "nullsrc=size=200x150:duration=1,\
    geq=r='150+100*sin((X+6*sin(Y/15))/3)*cos(Y/40)':g='20+Y/4':b='20'";
const GREEN: &str = "nullsrc=size=200x150:duration=1,\
    geq=r='20':g='150+100*sin((X+6*sin(Y/15))/3)*cos(Y/40)':b='20+Y/4'";

fn style(n: u32, strength: f64) -> Wish {
    let want = Want::Image { source: Handle::image(n), role: ImageRole::Style };
    Wish { strength, ..wish(want) }
}

fn made(studio: &Studio, inputs: Vec<ShotInput>, wishes: Vec<Wish>) -> Take {
    let mut plan = plan(3, []);
    plan.wishes = wishes;
    studio.make(&studio.shot(plan, inputs, SIZE))
}

fn painting(take: &Take) -> &Pass {
    take.report.passes.iter().find(|pass| pass.name == "style").unwrap()
}

/// Mean of each plane of the clip's frame `n`.
fn colour(studio: &Studio, take: &Take, n: usize) -> [f64; 3] {
    let raw = studio.path("frames.yuv");
    let clip = take.outputs[0].path.to_str().unwrap();
    studio.ffmpeg(&["-i", clip, "-f", "rawvideo", "-pix_fmt", "yuv420p", raw.to_str().unwrap()]);
    let bytes = std::fs::read(raw).unwrap();
    let luma = (SIZE.0 * SIZE.1) as usize;
    let frame = &bytes[n * luma * 3 / 2..][..luma * 3 / 2];
    let (y, chroma) = frame.split_at(luma);
    let (u, v) = chroma.split_at(luma / 4);
    [y, u, v].map(|plane| plane.iter().map(|&c| f64::from(c)).sum::<f64>() / plane.len() as f64)
}

#[test]
fn the_picture_gives_the_strokes_and_the_reference_the_motion() {
    let studio = Studio::new();
    let inputs = vec![studio.video("pan.mp4", PAN), studio.image(1, "red.png", RED)];
    let take = made(&studio, inputs.clone(), vec![style(1, 0.7)]);
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    for n in [0, 36, 71] {
        let [_, u, v] = colour(&studio, &take, n);
        assert!(u < 120.0 && v > 150.0, "frame {n}: {u} {v}");
    }
    assert!(take.report.metrics["style_distance"] < 1.0 / 3.0, "{:?}", take.report.metrics);
    assert!(painting(&take).parameters["keyframes"][0].as_array().unwrap().len() >= 2);
    let (painted, size) = luma(&take.outputs[0].path);
    // The next clip is written over this one.
    let plain = made(&studio, inputs, Vec::new());
    let source = luma(&plain.outputs[0].path).0;
    let agreement =
        metrics::flow_agreement(&moved(&source, size), &moved(&painted, size), 1).unwrap();
    assert!(agreement.unwrap().epe < 0.5, "{agreement:?}");
}

fn moved(frames: &[Vec<u8>], (width, height): (usize, usize)) -> kernels::FlowField {
    let image = |n: usize| {
        let plane = PlaneRef::new(&frames[n], width, height, width).unwrap();
        FlowImage::new(plane, FlowParams { finest: 1, ..FlowParams::default() })
    };
    flow::pair(&image(40), &image(42)).unwrap().forward
}

#[test]
fn a_cut_begins_a_new_painting() {
    let studio = Studio::new();
    let source = "testsrc2=size=320x180:rate=24:duration=1.5[a];\
                  mandelbrot=size=320x180:rate=24,trim=duration=1.7,format=yuv420p[b];[a][b]concat";
    let inputs = vec![studio.video("two.mp4", source), studio.image(1, "red.png", RED)];
    let take = made(&studio, inputs, vec![style(1, 0.7)]);
    let keys: Vec<Vec<usize>> =
        serde_json::from_value(painting(&take).parameters["keyframes"].clone()).unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].iter().all(|&key| key < 36) && keys[1].iter().all(|&key| key >= 36));
    assert!(!keys[0].is_empty() && !keys[1].is_empty());
}

#[test]
fn slightly_stays_nearer_to_the_reference_than_heavily() {
    let studio = Studio::new();
    let inputs = vec![studio.video("pan.mp4", PAN), studio.image(1, "red.png", RED)];
    let red = |strength| {
        let take = made(&studio, inputs.clone(), vec![style(1, strength)]);
        colour(&studio, &take, 30)[2] - 128.0
    };
    let (slightly, heavily) = (red(0.35), red(0.95));
    assert!(slightly > 5.0 && slightly < 0.75 * heavily, "{slightly} {heavily}");
}

#[test]
fn two_pictures_share_the_painting() {
    let studio = Studio::new();
    let (red, green) = (studio.image(1, "red.png", RED), studio.image(2, "green.png", GREEN));
    let inputs = vec![studio.video("pan.mp4", PAN), red, green];
    let of = |wishes: Vec<Wish>| colour(&studio, &made(&studio, inputs.clone(), wishes), 30)[2];
    let (red, both, green) =
        (of(vec![style(1, 0.7)]), of(vec![style(1, 0.7), style(2, 0.7)]), of(vec![style(2, 0.7)]));
    assert!(green + 8.0 < both && both + 8.0 < red, "{green} {both} {red}");
}

#[test]
fn threads_change_no_stroke() {
    let studio = Studio::new();
    let inputs = vec![studio.video("pan.mp4", PAN), studio.image(1, "red.png", RED)];
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let take = pool.install(|| made(&studio, inputs.clone(), vec![style(1, 0.7)]));
        std::fs::read(&take.outputs[0].path).unwrap()
    };
    assert!(bytes(1) == bytes(2));
}

#[test]
fn a_painting_tells_its_progress_and_stops_within_a_frames_work() {
    let studio = Studio::new();
    let inputs = vec![studio.video("pan.mp4", PAN), studio.image(1, "red.png", RED)];
    let mut plan = plan(3, []);
    plan.wishes = vec![style(1, 0.7)];
    let shot = studio.shot(plan, inputs, SIZE);
    let whole = Listener::default();
    studio.try_make(&shot, &whole).unwrap();
    let heard = whole.heard.lock().unwrap();
    let rendering: Vec<f64> =
        heard.iter().filter(|(stage, _)| stage == "render").map(|(_, part)| *part).collect();
    assert!(rendering.windows(2).all(|pair| pair[0] <= pair[1] && pair[1] - pair[0] < 0.03));
    assert!(rendering.last().is_some_and(|part| (0.97..=0.98).contains(part)), "{rendering:?}");
    for part in [3, 2] {
        let most = heard.len() * part / 4;
        let context = Listener { stop_after: Some(most), ..Listener::default() };
        assert_eq!(studio.try_make(&shot, &context).unwrap_err(), EngineError::Cancelled);
        assert!(context.heard.lock().unwrap().len() <= most + 1);
    }
}
