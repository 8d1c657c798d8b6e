//! Pictures put into the scene.
//!
//! A layer is placed on the screen once in each shot and from there on it sticks to the scene: its
//! place is carried by the camera's path and by the window over the picture. It takes a part of
//! the light around it, stands on a soft shadow, and gets the reference's grain. It is drawn
//! before the colours change, so that a grade treats it like everything else.

use std::collections::BTreeMap;
use std::sync::Arc;

use director::{Edge, Path};
use kernels::composite::{self, Layer, Shadow};
use kernels::grain::{self, Grain};
use kernels::transfer::ColorStats;
use kernels::{Rgba8, Similarity};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::envelope::{ease, share};
use crate::fail::Failure;
use crate::footage::{view, view_mut};
use crate::scene::Scene;
use crate::sheet::{LayerWish, Side};
use crate::timeline::Cue;

/// Natural height of a layer in parts of the frame's shorter side.
const NATURAL: f32 = 0.34;

/// Widest that a layer may be, in parts of the frame's width.
const WIDEST: f32 = 0.6;

/// Where feet stand, in parts of the frame's height.
const GROUND: f32 = 0.88;

/// Part of the way to the surroundings' lightness and colour.
const LIGHT_SHARE: f32 = 0.3;
const CAST_SHARE: f32 = 0.4;

/// Most that lightness and colour are moved, in Lab units.
const MOST_LIGHT: f32 = 14.0;
const MOST_CAST: f32 = 5.0;

/// Seconds of coming in from an edge.
const ENTRY_SECS: f64 = 1.6;

/// Grain below this is not matched, in luma codes.
const LEAST_GRAIN: f32 = 0.8;

/// Draws all layers of a clip.
pub(crate) struct Elements {
    scene: Arc<Scene>,
    layers: Vec<Placed>,
}

struct Placed {
    wish: LayerWish,
    image: Rgba8,
    plain: Layer,
    /// Where it goes, from the screen's middle, before the scene moves.
    home: Similarity,
    /// For each shot: the layer in its light, and the grain.
    lit: BTreeMap<usize, (Layer, f32)>,
}

// === impl Elements ===

impl Elements {
    /// Places the layers, which are cut out already.
    pub(crate) fn new(layers: Vec<(LayerWish, Rgba8)>, scene: Arc<Scene>) -> Self {
        let mut taken: Vec<f32> = Vec::new();
        let mut placed = Vec::with_capacity(layers.len());
        for (wish, image) in layers {
            let plain = Layer::new(&image);
            let x = free_side(&scene, &wish, &taken);
            taken.push(x);
            let home = home(&wish, &plain, x, scene.screen);
            placed.push(Placed { wish, image, plain, home, lit: BTreeMap::new() });
        }
        // What stands higher in the frame is farther away and is drawn first.
        placed.sort_by(|a, b| a.home.ty.total_cmp(&b.home.ty));
        Self { scene, layers: placed }
    }

    fn draw(&mut self, index: usize, n: usize, frame: &mut Frame) -> Result<(), Failure> {
        let scene = Arc::clone(&self.scene);
        let layer = &mut self.layers[index];
        let secs = n as f64 / scene.rate;
        let length = scene.cues.len() as f64 / scene.rate;
        let mut opacity = share(layer.wish.when, secs, length);
        if layer.wish.appears && layer.wish.when.is_none() {
            opacity *= ease((secs - 0.2 * length) / 0.5) as f32;
        }
        if opacity <= 0.0 {
            return Ok(());
        }
        let (dx, dy) = travel(layer, secs, length, scene.screen);
        let start = Similarity { tx: layer.home.tx + dx, ty: layer.home.ty + dy, ..layer.home };
        let place = scene.carried(&start, n);
        let shot = scene.shot(n);
        if !layer.lit.contains_key(&shot) {
            let lit = light(layer, &place, frame)?;
            layer.lit.insert(shot, lit);
        }
        let Some((lit, sigma)) = layer.lit.get(&shot) else { return Ok(()) };
        let before = (*sigma >= LEAST_GRAIN).then(|| frame.clone());
        if !layer.wish.airborne {
            let shadow = Shadow { strength: 0.42 * opacity, ..Shadow::default() };
            composite::contact_shadow(lit, &place, shadow, &mut view_mut(frame)?);
        }
        composite::over(lit, &place, opacity, &mut view_mut(frame)?);
        if let Some(before) = before {
            let grain = Grain { sigma: *sigma, seed: scene.seed ^ index as u64 };
            add_grain(&before, frame, grain, n)?;
        }
        Ok(())
    }
}

impl Stage for Elements {
    fn name(&self) -> &'static str {
        "elements"
    }

    fn parameters(&self) -> Value {
        let screen = self.scene.screen;
        let layers = self.layers.iter().map(|layer| {
            json!({
                "source": layer.wish.name(),
                "x": (layer.home.tx / screen.0 as f32 + 0.5),
                "y": (layer.home.ty / screen.1 as f32 + 0.5),
                "scale": layer.home.scale,
            })
        });
        json!({ "layers": layers.collect::<Vec<_>>() })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        (0..self.layers.len()).try_for_each(|index| self.draw(index, n, frame))
    }
}

/// Where across the frame a layer goes, 0 to 1: where it was wished, else away from the subject
/// and from other layers.
fn free_side(scene: &Scene, wish: &LayerWish, taken: &[f32]) -> f32 {
    let candidates: &[f32] = match wish.side {
        Some(Side::Left) => &[0.2, 0.32, 0.12],
        Some(Side::Centre) => &[0.5, 0.42, 0.58],
        Some(Side::Right) => &[0.8, 0.68, 0.88],
        None => &[0.78, 0.22, 0.62, 0.38],
    };
    let subject = scene.subject_on_screen();
    let crowd = |x: f32| {
        let near = |other: f32| (0.3 - (x - other).abs()).max(0.0);
        let others: f32 = taken.iter().map(|&other| 3.0 * near(other)).sum();
        others + if wish.side.is_none() { subject.map_or(0.0, near) } else { 0.0 }
    };
    candidates.iter().copied().min_by(|&a, &b| crowd(a).total_cmp(&crowd(b))).unwrap_or(0.5)
}

/// Size and place of a layer's picture so that its visible part stands where it should.
fn home(wish: &LayerWish, layer: &Layer, x: f32, screen: (usize, usize)) -> Similarity {
    let (width, height) = (screen.0 as f32, screen.1 as f32);
    let seen = layer.bounds();
    let tall = NATURAL * wish.scale * width.min(height);
    let scale =
        (tall / seen.height).min(WIDEST * width / seen.width).min(0.9 * height / seen.height);
    let (layer_w, layer_h) = layer.size();
    // Middle of the visible part from the layer's middle.
    let off = (
        (seen.x + seen.width / 2.0 - layer_w as f32 / 2.0) * scale,
        (seen.y + seen.height / 2.0 - layer_h as f32 / 2.0) * scale,
    );
    let half = seen.height * scale / 2.0;
    let y = if wish.airborne || wish.high {
        (if wish.high { 0.2 } else { 0.36 } * height).max(half + 0.02 * height)
    } else {
        GROUND * height - half
    };
    Similarity {
        scale,
        rotation: 0.0,
        tx: x * width - width / 2.0 - off.0,
        ty: y - height / 2.0 - off.1,
    }
}

/// How far a layer is from its place, in px of the screen.
fn travel(layer: &Placed, secs: f64, length: f64, screen: (usize, usize)) -> (f32, f32) {
    let (width, height) = (screen.0 as f32, screen.1 as f32);
    let seen = layer.plain.bounds();
    let (half_w, half_h) =
        (seen.width * layer.home.scale / 2.0, seen.height * layer.home.scale / 2.0);
    let x = layer.home.tx;
    // From its place to just outside.
    let out = |edge: Edge| match edge {
        Edge::Left => (-width / 2.0 - half_w - x, 0.0),
        Edge::Right => (width / 2.0 + half_w - x, 0.0),
        Edge::Top | Edge::Back => (0.0, -height / 2.0 - half_h - layer.home.ty),
        Edge::Bottom | Edge::Front => (0.0, height / 2.0 + half_h - layer.home.ty),
    };
    let mixed =
        |a: (f32, f32), b: (f32, f32), t: f32| (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
    let part = (secs / length.max(0.1)) as f32;
    let moving =
        matches!(layer.wish.path, Some(Path::Walks | Path::Runs | Path::Drives | Path::Flies));
    match (layer.wish.from, layer.wish.path) {
        (Some(Edge::Right), _) if moving => mixed(out(Edge::Right), out(Edge::Left), part),
        (_, _) if moving => mixed(out(Edge::Left), out(Edge::Right), part),
        (Some(edge), _) => {
            let gone = 1.0 - ease(secs / ENTRY_SECS.min(0.5 * length)) as f32;
            mixed((0.0, 0.0), out(edge), gone)
        }
        (None, Some(Path::Falls)) => {
            let fall = (secs / 1.1).min(1.0) as f32;
            mixed(out(Edge::Top), (0.0, 0.0), fall * fall)
        }
        (None, Some(Path::Floats)) => {
            let sway = libm::sin(std::f64::consts::TAU * 0.35 * secs) as f32;
            (0.0, 0.02 * height * sway)
        }
        _ => (0.0, 0.0),
    }
}

/// The layer in the light of its surroundings, and the grain there.
fn light(layer: &Placed, place: &Similarity, frame: &Frame) -> Result<(Layer, f32), Failure> {
    let picture = view(frame)?;
    let around = surroundings(layer, place, frame)?;
    let own = ColorStats::of_rgba(&layer.image).mean();
    let shift = |k: usize, share: f32, most: f32, from: f64| {
        (share * (around[k] - from) as f32).clamp(-most, most)
    };
    let moved = [
        shift(0, LIGHT_SHARE, MOST_LIGHT, own[0]),
        // Colour follows the cast of the light, not the colour of what stands there.
        shift(1, CAST_SHARE * 0.5, MOST_CAST, 0.0),
        shift(2, CAST_SHARE * 0.5, MOST_CAST, 0.0),
    ];
    let (width, height) = layer.image.size();
    let table = kernels::color::LabTable::new();
    let lit = Rgba8::from_fn(width, height, |x, y| {
        let [r, g, b, a] = layer.image.at(x as isize, y as isize);
        if a == 0 {
            return [r, g, b, 0];
        }
        let lab = table.lab([r, g, b]);
        // Black stays black and white stays white.
        let room = 1.0 - libm::powf((lab[0] / 50.0 - 1.0).abs().min(1.0), 3.0);
        let lab = [lab[0] + room * moved[0], lab[1] + room * moved[1], lab[2] + room * moved[2]];
        let [r, g, b] =
            kernels::color::lab_to_rgb(lab).map(|c| (255.0 * c.clamp(0.0, 1.0) + 0.5) as u8);
        [r, g, b, a]
    })?;
    Ok((Layer::new(&lit), grain::estimate(picture.y())))
}

/// Mean Lab colour of the picture around a placed layer.
fn surroundings(layer: &Placed, place: &Similarity, frame: &Frame) -> Result<[f64; 3], Failure> {
    let picture = view(frame)?;
    let (width, height) = picture.size();
    let seen = layer.plain.bounds();
    let (cx, cy) = (place.tx + width as f32 / 2.0, place.ty + height as f32 / 2.0);
    let reach = (seen.width * place.scale, seen.height * place.scale);
    let side = |at: f32, side: usize| at.clamp(0.0, side as f32 - 2.0) as usize;
    let (x0, x1) = (side(cx - reach.0, width), side(cx + reach.0, width));
    let (y0, y1) = (side(cy - reach.1, height), side(cy + reach.1, height));
    let mut stats = ColorStats::new();
    for y in (y0..=y1).step_by(6) {
        for x in (x0..=x1).step_by(6) {
            let code = [
                picture.y().at(x as isize, y as isize),
                picture.u().at(x as isize / 2, y as isize / 2),
                picture.v().at(x as isize / 2, y as isize / 2),
            ];
            let rgb = kernels::color::yuv_to_rgb(code.map(f32::from));
            stats.add(kernels::color::rgb_to_lab(rgb.map(|c| c.clamp(0.0, 1.0))), 1.0);
        }
    }
    Ok(stats.mean())
}

/// Grain where the picture changed, nowhere else.
fn add_grain(before: &Frame, frame: &mut Frame, grain: Grain, n: usize) -> Result<(), Failure> {
    let mut grainy = frame.clone();
    grain::add(&mut view_mut(&mut grainy)?, grain, n as u64);
    let (luma, _, _) = frame.planes_mut();
    for ((out, &was), &now) in luma.iter_mut().zip(before.y()).zip(grainy.y()) {
        if *out != was {
            *out = now;
        }
    }
    Ok(())
}
