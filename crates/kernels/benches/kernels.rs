//! CPU time of the kernels that every frame pays, at 720p on one thread.
//!
//! `cargo bench -p kernels`; one iteration is one frame (or one pair of frames).

#![expect(clippy::expect_used, reason = "a bench with constant sizes, outside of any server")]

use criterion::{Criterion, criterion_group, criterion_main};
use kernels::cells::{Pixels, Tesserae};
use kernels::dog::Pen;
use kernels::drift::Drift;
use kernels::flow::{FlowImage, FlowParams};
use kernels::grain::Grain;
use kernels::kuwahara::Brush;
use kernels::resize::Filter;
use kernels::stylize::{Exemplar, Guide, Painter, Picture, Settings, Tone};
use kernels::tensor::Tensors;
use kernels::texture::{Run, Tile};
use kernels::transfer::ColorStats;
use kernels::{FlowPair, Lut33, Plane, Rect, Rgb8, Similarity, Yuv420};
use kernels::{
    camera, cuts, dog, flow, grain, interpolate, kuwahara, resize, saliency, texture, warp,
};
use std::hint::black_box;
use std::time::Duration;

const SIZE: (usize, usize) = (1280, 720);

/// Blocks, stripes and fine noise: texture at every scale.
fn luma(shift: f32) -> Plane {
    let wave = |x: f32, period: f32| libm::sinf(x * std::f32::consts::TAU / period);
    Plane::from_fn(SIZE.0, SIZE.1, |x, y| {
        let (x, y) = (x as f32 - shift, y as f32 - 0.6 * shift);
        let sum = 40.0 * wave(x + 0.3 * y, 190.0) * wave(y, 143.0)
            + 28.0 * wave(x - y, 47.0) * wave(x + 2.0 * y, 61.0)
            + 18.0 * wave(x, 13.0) * wave(y, 17.0);
        (128.0 + sum) as u8
    })
    .expect("a legal size")
}

fn frame(shift: f32) -> Yuv420 {
    let y = luma(shift);
    let u = resize::halve(y.as_ref());
    let v = u.clone();
    Yuv420::from_planes(y, u, v).expect("chroma of half the size")
}

fn motion() -> (Yuv420, Yuv420, FlowPair) {
    let (a, b) = (frame(0.0), frame(5.3));
    let params = FlowParams::default();
    let image = |f: &Yuv420| FlowImage::new(f.as_ref().y(), params);
    let pair = flow::pair(&image(&a), &image(&b)).expect("one size");
    (a, b, pair)
}

fn bench_flow(c: &mut Criterion) {
    let (a, b, _) = motion();
    let params = FlowParams::default();
    let image = |f: &Yuv420| FlowImage::new(f.as_ref().y(), params);
    let (ia, ib) = (image(&a), image(&b));
    c.bench_function("flow/image", |t| t.iter(|| black_box(image(&a))));
    c.bench_function("flow/pair_both_ways", |t| t.iter(|| black_box(flow::pair(&ia, &ib))));
    c.bench_function("flow/forward", |t| t.iter(|| black_box(flow::forward(&ia, &ib))));
}

fn bench_warp(c: &mut Criterion) {
    let (a, b, pair) = motion();
    let mut out = a.clone();
    c.bench_function("warp/frame_by_flow", |t| {
        t.iter(|| warp::frame_by_flow(b.as_ref(), &pair.forward, &mut out.as_mut()));
    });
    let map = Similarity { scale: 1.02, rotation: 0.01, tx: 3.3, ty: -2.1 };
    c.bench_function("warp/frame_by_similarity", |t| {
        t.iter(|| warp::frame_by_similarity(b.as_ref(), &map, &mut out.as_mut()));
    });
    let settings = interpolate::Settings::of(SIZE);
    c.bench_function("interpolate/frame", |t| {
        t.iter(|| {
            let (a, b) = (a.as_ref(), b.as_ref());
            interpolate::frame(a, b, &pair, 0.4, settings, &mut out.as_mut())
        });
    });
}

fn bench_resize(c: &mut Criterion) {
    let src = frame(0.0);
    let mut quarter = Yuv420::new(320, 180, [0; 3]).expect("a legal size");
    c.bench_function("resize/quarter_area", |t| {
        let rect = Rect::whole(SIZE);
        t.iter(|| resize::crop_frame(src.as_ref(), rect, &mut quarter.as_mut(), Filter::Area));
    });
    let mut out = src.clone();
    let rect = Rect { x: 80.3, y: 44.7, width: 1100.0, height: 618.75 };
    for (name, filter) in [("bilinear", Filter::Bilinear), ("bicubic", Filter::Bicubic)] {
        c.bench_function(&format!("resize/reframe_{name}"), |t| {
            t.iter(|| resize::crop_frame(src.as_ref(), rect, &mut out.as_mut(), filter));
        });
    }
}

fn bench_lut(c: &mut Criterion) {
    let src = frame(0.0);
    let grade = |[r, g, b]: [f32; 3]| [r * r, g, 0.9 * b];
    let lut = Lut33::from_rgb(grade);
    let mut out = src.clone();
    c.bench_function("lut/build", |t| t.iter(|| black_box(Lut33::from_rgb(grade))));
    c.bench_function("lut/frame", |t| t.iter(|| lut.apply(src.as_ref(), &mut out.as_mut())));
    let grain = Grain { sigma: 3.0, seed: 7 };
    c.bench_function("grain/frame", |t| t.iter(|| grain::add(&mut out.as_mut(), grain, 3)));
}

fn bench_media(c: &mut Criterion) {
    let src = frame(0.0);
    let mut out = src.clone();
    let luma = src.as_ref().y();
    let mut plane = luma.to_plane();
    c.bench_function("tensor/directions", |t| {
        t.iter(|| black_box(Tensors::of(luma, 2.2).directions()));
    });
    let structure = Tensors::of(luma, 2.2).directions();
    for (name, radius) in [("6px", 6.0), ("11px", 11.0)] {
        let brush = Brush { radius, stretch: 1.0, even: 10.0 };
        c.bench_function(&format!("kuwahara/frame_{name}"), |t| {
            t.iter(|| kuwahara::filter(src.as_ref(), &structure, brush, &mut out.as_mut()));
        });
    }
    let pen =
        Pen { sigma: 1.0, level: 0.0, edges: 1.0, threshold: -2.6, softness: 1.6, stride: 1.6 };
    c.bench_function("dog/draw", |t| {
        t.iter(|| dog::draw(luma, &structure, pen, &mut plane.as_mut()));
    });
    let place = Similarity { scale: 1.1, rotation: 0.05, tx: 31.4, ty: -9.2 };
    let noise = texture::noise(3);
    let paper = Tile::even(&noise, 40.0);
    c.bench_function("texture/sample", |t| {
        t.iter(|| texture::sample(&paper, &place, &mut plane.as_mut()));
    });
    let strokes = texture::strokes_of(&noise, 21.0, 50.0);
    let (drift, run) = (Drift::still(luma.size()), Run { rest: 0.6, snap: 1.0 });
    c.bench_function("texture/strokes", |t| {
        t.iter(|| {
            texture::strokes(&strokes, &place, (&structure, &drift), 4, run, &mut plane.as_mut());
        });
    });
    let tesserae = Tesserae::new(0.5, 3);
    c.bench_function("cells/tesserae", |t| {
        t.iter(|| tesserae.lay(src.as_ref(), &place, &mut out.as_mut(), &mut plane.as_mut()));
    });
    let mut pixels = Pixels::of(src.as_ref(), 6);
    c.bench_function("cells/pixels", |t| {
        t.iter(|| pixels.show(src.as_ref(), 6, (3, 5), 14, &mut out.as_mut()));
    });
}

fn bench_analysis(c: &mut Criterion) {
    let (a, _, pair) = motion();
    c.bench_function("camera/estimate", |t| t.iter(|| camera::estimate(&pair.forward)));
    c.bench_function("cuts/features", |t| t.iter(|| cuts::Features::of(a.as_ref())));
    c.bench_function("saliency/map", |t| t.iter(|| saliency::map(a.as_ref(), None)));
    c.bench_function("transfer/stats", |t| t.iter(|| ColorStats::of_frame(a.as_ref())));
}

fn bench_stylize(c: &mut Criterion) {
    let (a, b, pair) = motion();
    let style = Rgb8::from_fn(1280, 960, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let stroke = libm::sinf((x + 0.4 * y + 30.0 * libm::sinf(y / 90.0)) / 5.0);
        let light = 128.0 + 70.0 * libm::sinf(x / 310.0) * libm::cosf(y / 230.0) + 40.0 * stroke;
        [light, 0.8 * light, 255.0 - light].map(|v| v as u8)
    })
    .expect("a legal size");
    let exemplar = Exemplar::new(&[Picture { image: &style, weight: 1.0 }]).expect("one picture");
    let painter = Painter::new(&exemplar, SIZE, Settings::default()).expect("a legal size");
    let tone = Tone::identity();
    let (first, second) = (Guide::new(a.as_ref(), &tone), Guide::new(b.as_ref(), &tone));
    let key = painter.key(&first, None, 7).expect("one size");
    c.bench_function("stylize/guide", |t| t.iter(|| black_box(Guide::new(b.as_ref(), &tone))));
    c.bench_function("stylize/key", |t| t.iter(|| black_box(painter.key(&first, None, 7))));
    c.bench_function("stylize/carry", |t| {
        t.iter(|| black_box(painter.carry(&key, &pair.backward, &second)));
    });
}

fn one_thread() -> Criterion {
    let built = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    assert!(built.is_ok() || rayon::current_num_threads() >= 1);
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = kernels;
    config = one_thread();
    targets = bench_flow, bench_warp, bench_resize, bench_lut, bench_media, bench_analysis, bench_stylize
}
criterion_main!(kernels);
