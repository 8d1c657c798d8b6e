//! How far the flow is from the truth, and what it costs: two scenes whose motion is known.
//!
//! `flow OUT` prints a line a scene and leaves in OUT what another estimator needs to be measured
//! on the same frames: `SCENE-a.gray` and `-b.gray` (1280 x 720 bytes), `SCENE-truth.f32` (u and v
//! of each pixel, little endian) and `SCENE-seen.gray` (255 where b shows what a shows).

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{FlowField, Plane};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

const SIZE: (usize, usize) = (1280, 720);
const ROUNDS: u32 = 10;

type Point = (f32, f32);

/// How the shapes of the second scene move, and its ground.
const MOVES: [Point; 3] = [(14.0, 3.0), (-11.0, -6.0), (5.0, 9.0)];
const GROUND: Point = (-4.0, 1.5);

struct Scene {
    name: &'static str,
    a: Plane,
    b: Plane,
    truth: Vec<[f32; 2]>,
    seen: Vec<u8>,
}

/// Noise of many sizes, 0 to 1, smooth between its lattice points.
fn texture(seed: u32, (x, y): Point) -> f32 {
    let (mut sum, mut share, mut period) = (0.0f32, 0.0f32, 96.0f32);
    for octave in 0..6 {
        let (gx, gy) = (x / period + 1000.0, y / period + 1000.0);
        let (i, j) = (gx as u32, gy as u32);
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fx, fy) = (ease(gx - i as f32), ease(gy - j as f32));
        let at = |di: u32, dj: u32| {
            let mut h = (i + di).wrapping_mul(0x9E37_79B1) ^ (j + dj).wrapping_mul(0x85EB_CA77);
            h ^= (seed + octave).wrapping_mul(0xC2B2_AE3D);
            h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
            ((h ^ (h >> 13)) & 0xFFFF) as f32 / 65535.0
        };
        let above = at(0, 0) + fx * (at(1, 0) - at(0, 0));
        let below = at(0, 1) + fx * (at(1, 1) - at(0, 1));
        let weight = period.powf(0.6);
        sum += weight * (above + fy * (below - above));
        share += weight;
        period /= 2.0;
    }
    sum / share
}

fn code(value: f32) -> u8 {
    (20.0 + 420.0 * (value - 0.25)).clamp(0.0, 255.0) as u8
}

/// Where a point of the first frame is in the second: a turn, a zoom, a pan and a wave.
fn warp((x, y): Point) -> Point {
    let (dx, dy) = (x - 640.0, y - 360.0);
    let (sin, cos) = (0.012f32.sin(), 0.012f32.cos());
    let wave = 2.5 * (y / 90.0).sin();
    (
        640.0 + 1.015 * (cos * dx - sin * dy) + 4.0 + wave,
        360.0 + 1.015 * (sin * dx + cos * dy) - 3.0,
    )
}

/// The point that `warp` brings to `to`.
fn unwarp(to: Point) -> Point {
    let mut at = to;
    for _ in 0..12 {
        let there = warp(at);
        at = (at.0 + to.0 - there.0, at.1 + to.1 - there.1);
    }
    at
}

fn plane(value: impl Fn(Point) -> u8 + Sync) -> Result<Plane, kernels::ShapeError> {
    Plane::from_fn(SIZE.0, SIZE.1, |x, y| value((x as f32, y as f32)))
}

fn pixels() -> impl Iterator<Item = Point> {
    (0..SIZE.0 * SIZE.1).map(|i| ((i % SIZE.0) as f32, (i / SIZE.0) as f32))
}

fn inside((x, y): Point) -> bool {
    x >= 0.0 && y >= 0.0 && x <= SIZE.0 as f32 - 1.0 && y <= SIZE.1 as f32 - 1.0
}

fn smooth() -> Result<Scene, kernels::ShapeError> {
    let truth = pixels().map(|p| [warp(p).0 - p.0, warp(p).1 - p.1]).collect();
    Ok(Scene {
        name: "warp",
        a: plane(|p| code(texture(1, p)))?,
        b: plane(|p| code(texture(1, unwarp(p))))?,
        truth,
        seen: pixels().map(|p| if inside(warp(p)) { 255 } else { 0 }).collect(),
    })
}

/// Two discs and a bar that move before a panning ground.
fn occluding() -> Result<Scene, kernels::ShapeError> {
    let disc = |(x, y): Point, cx: f32, cy: f32, r: f32| (x - cx).hypot(y - cy) < r;
    let shapes = move |k: usize, p: Point| match k {
        0 => disc(p, 400.0, 300.0, 130.0),
        1 => disc(p, 880.0, 430.0, 170.0),
        _ => (p.0 - 640.0).abs() < 24.0 && (p.1 - 330.0).abs() < 260.0,
    };
    let of = move |p: Point, moved: f32| {
        (0..3).find(|&k| shapes(k, (p.0 - moved * MOVES[k].0, p.1 - moved * MOVES[k].1)))
    };
    let shown = move |p: Point, moved: f32| {
        let k = of(p, moved);
        let (u, v) = k.map_or(GROUND, |k| MOVES[k]);
        let seed = 7 + 10 * k.map_or(9, |k| k as u32);
        code(texture(seed, (p.0 - moved * u, p.1 - moved * v)))
    };
    let move_of = move |p: Point| of(p, 0.0).map_or(GROUND, |k| MOVES[k]);
    let seen = |p: Point| {
        let (u, v) = move_of(p);
        let there = (p.0 + u, p.1 + v);
        if inside(there) && of(there, 1.0) == of(p, 0.0) { 255 } else { 0 }
    };
    Ok(Scene {
        name: "occlusion",
        a: plane(|p| shown(p, 0.0))?,
        b: plane(|p| shown(p, 1.0))?,
        truth: pixels().map(|p| [move_of(p).0, move_of(p).1]).collect(),
        seen: pixels().map(seen).collect(),
    })
}

/// Mean end-point error of what is seen, in px.
fn error(scene: &Scene, field: &FlowField) -> f64 {
    let (mut sum, mut count) = (0.0f64, 0u32);
    for ((p, truth), seen) in pixels().zip(&scene.truth).zip(&scene.seen) {
        if *seen > 0 {
            let (u, v) = field.sample(p.0 + 0.5, p.1 + 0.5);
            sum += f64::from((u - truth[0]).hypot(v - truth[1]));
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

fn keep(out: &Path, scene: &Scene) -> std::io::Result<()> {
    let path = |part: &str| out.join(format!("{}-{part}", scene.name));
    std::fs::write(path("a.gray"), scene.a.data())?;
    std::fs::write(path("b.gray"), scene.b.data())?;
    std::fs::write(path("seen.gray"), &scene.seen)?;
    let truth: Vec<u8> = scene.truth.as_flattened().iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(path("truth.f32"), truth)
}

#[expect(clippy::disallowed_methods, reason = "an example that measures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("flow OUT")?;
    std::fs::create_dir_all(&out)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for scene in [smooth()?, occluding()?] {
        keep(Path::new(&out), &scene)?;
        let image = |plane: &Plane| FlowImage::new(plane.as_ref(), FlowParams::default());
        let both = || flow::pair(&image(&scene.a), &image(&scene.b));
        let one = || flow::forward(&image(&scene.a), &image(&scene.b));
        let mut best = [f64::INFINITY; 2];
        for _ in 0..ROUNDS {
            let start = Instant::now();
            pool.install(both)?;
            best[0] = best[0].min(start.elapsed().as_secs_f64());
            let start = Instant::now();
            pool.install(one)?;
            best[1] = best[1].min(start.elapsed().as_secs_f64());
        }
        let line = format!(
            "{}: EPE {:.3} px one way, {:.3} of both; {:.1} ms one way, {:.1} ms both",
            scene.name,
            error(&scene, &one()?),
            error(&scene, &both()?.forward),
            1000.0 * best[1],
            1000.0 * best[0],
        );
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}
