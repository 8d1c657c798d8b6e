//! Repaints the picture in a medium.
//!
//! ```text
//! footage held still > structure > strokes along it (Kuwahara) > tone
//!                    > pigment on its ground > lines > traced from the drawing of the frame before
//! ```
//!
//! Invariant: a frame's medium is a function of the frame, of the scene's motion and of what the
//! shot showed before. No number is drawn for a frame, and no texture hangs on the screen.

mod bodies;
mod hold;
mod ops;
mod recipe;
#[cfg(test)]
mod tests;

use std::f32::consts::PI;
use std::sync::Arc;

use director::Medium;
use kernels::cells::{Pixels, Tesserae};
use kernels::dog::{self, Pen};
use kernels::drift::Drift;
use kernels::kuwahara::{self, Brush};
use kernels::tensor::{Structure, Tensors};
use kernels::texture::{self, DIRECTIONS, SIDE, Tile};
use kernels::{Plane, Similarity};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::envelope;
use crate::fail::Failure;
use crate::footage::{view, view_mut};
use crate::scene::Scene;
use crate::sheet::MediumWish;
use crate::timeline::Cue;
use hold::Hold;
use recipe::{Body, PAPER, Recipe};

/// Shorter side of the picture that recipes are written for, in px.
const UNIT: f32 = 720.0;

/// Share of a shot's earlier structure in that of a frame.
const MEMORY: f32 = 0.85;

/// Strength from which on nothing of the footage itself is mixed in.
const WHOLE: f32 = 0.6;

/// Share of the footage's own luma under the strokes: eyes and mouths stay legible.
const DETAIL: f32 = 0.2;

/// Codes up to which light and dark stay whole: faint clouds go on drifting under the strokes.
const FAINT: i32 = 14;

/// Repaints each frame.
pub(crate) struct MediumStage {
    wish: MediumWish,
    recipe: Recipe,
    scene: Arc<Scene>,
    /// Px of this picture for one of a recipe.
    unit: f32,
    sheets: Sheets,
    before: Option<(usize, Tensors)>,
    pixels: Option<(usize, Pixels)>,
    hold: Hold,
}

/// The textures of a recipe.
struct Sheets {
    /// Uneven black, where ink is brushed on.
    brushed: Option<Box<[Tile; DIRECTIONS]>>,
    strokes: Option<Box<[Tile; DIRECTIONS]>>,
    fine: Tile,
    coarse: Tile,
    cells: Option<Tesserae>,
}

/// What one frame is painted with.
struct Sitting<'a> {
    structure: &'a Structure,
    drift: &'a Drift,
    /// From the screen to the scene as the shot's first frame showed it, in px of a recipe.
    place: Similarity,
    size: (usize, usize),
}

// === impl Sheets ===

impl Sheets {
    fn of(recipe: &Recipe, seed: u64) -> Self {
        let noise = texture::noise(seed);
        let length = match recipe.body {
            Body::Paint { length, .. } | Body::Hatch { length, .. } => length,
            Body::Chalk { .. } => 9.0,
            _ => 0.0,
        };
        let strokes = match recipe.body {
            Body::Pen { pitch, .. } => Some(Box::new(texture::lines_of(&noise, pitch, seed))),
            _ => (length > 0.0).then(|| Box::new(texture::strokes_of(&noise, length, 52.0))),
        };
        let fine = match recipe.body {
            Body::Paint { .. } => Tile::from_fn(weave),
            Body::Dots { .. } => Tile::from_fn(dot),
            Body::Block { .. } => {
                let long = texture::smeared(&texture::smeared(&noise, 0.0, 61.0), 0.0, 61.0);
                Tile::even(&long, 40.0)
            }
            _ => {
                let layers = [(2, 0.5), (4, 1.0), (8, 0.6)];
                Tile::even(&layered(&layers, seed), 40.0)
            }
        };
        let coarse = Tile::even(&layered(&[(16, 0.5), (32, 0.8), (64, 1.0)], seed + 9), 44.0);
        let cells = match recipe.body {
            Body::Cells { jitter, .. } => Some(Tesserae::new(jitter, seed)),
            _ => None,
        };
        let brushed = matches!(recipe.body, Body::Pen { .. })
            .then(|| Box::new(texture::strokes_of(&texture::clouds(4, seed), 25.0, 44.0)));
        Self { brushed, strokes, fine, coarse, cells }
    }
}

/// Threads of a canvas, 8 px apart.
fn weave(x: usize, y: usize) -> f32 {
    let wave = |at: usize| libm::sinf(at as f32 * PI / 4.0);
    let over = if (x / 8 + y / 8).is_multiple_of(2) { wave(x) } else { wave(y) };
    128.0 + 70.0 * over
}

/// Dots of a 45 degree screen.
fn dot(x: usize, y: usize) -> f32 {
    let wave = |at: usize| libm::cosf((at % 16) as f32 * PI / 8.0);
    128.0 + 62.0 * (wave(x + y) + wave(x + 256 - y))
}

fn layered(layers: &[(usize, f32)], seed: u64) -> Vec<f32> {
    let mut sum = vec![0.0f32; SIDE * SIDE];
    for (k, &(period, weight)) in layers.iter().enumerate() {
        for (sum, value) in sum.iter_mut().zip(texture::clouds(period, seed + k as u64)) {
            *sum += weight * value;
        }
    }
    sum
}

// === impl MediumStage ===

impl MediumStage {
    pub(crate) fn new(wish: &MediumWish, scene: Arc<Scene>) -> Self {
        let mut recipe = Recipe::of(wish.medium);
        if let Some(over) = wish.over {
            recipe.pen = Some(Recipe::pen_of(over));
        }
        if wish.keeps_colours {
            recipe.tone.colour = 1.0;
            recipe.grey = false;
        }
        let unit = scene.screen.0.min(scene.screen.1) as f32 / UNIT;
        let crisp = !matches!(recipe.body, Body::Pen { .. });
        let sheets = Sheets::of(&recipe, scene.seed);
        Self {
            wish: wish.clone(),
            recipe,
            scene,
            unit,
            sheets,
            before: None,
            pixels: None,
            hold: Hold::new(crisp),
        }
    }

    /// How much of the painted frame shows.
    fn share(&self, n: usize) -> f32 {
        let secs = n as f64 / self.scene.rate;
        let length = self.scene.cues.len() as f64 / self.scene.rate;
        envelope::share(self.wish.when, secs, length) * (self.wish.strength / WHOLE).min(1.0)
    }

    /// Directions of a frame, carried on from the one before within a shot.
    fn structure(&mut self, n: usize, frame: &Frame) -> Result<Structure, Failure> {
        let mut tensors = Tensors::of(view(frame)?.y(), (2.2 * self.unit).max(1.0));
        if let Some((last, before)) = &self.before
            && last + 1 == n
            && self.scene.shot(*last) == self.scene.shot(n)
        {
            let moved = self.carried(*last).inverse().then(&self.carried(n));
            tensors.blend(before, &moved, MEMORY);
        }
        let structure = tensors.directions();
        self.before = Some((n, tensors));
        Ok(structure)
    }

    fn carried(&self, n: usize) -> Similarity {
        self.scene.carried(&Similarity::IDENTITY, n)
    }

    fn place(&self, n: usize) -> Similarity {
        // Another sheet of paper for every shot.
        let shot = (self.scene.shot(n) * 89 % SIDE) as f32;
        let sheet =
            Similarity { scale: 1.0 / self.unit, tx: shot, ty: 2.0 * shot, ..Similarity::IDENTITY };
        self.carried(n).inverse().then(&sheet)
    }

    fn paint(&mut self, n: usize, frame: &mut Frame) -> Result<(), Failure> {
        let place = self.place(n);
        let held = if self.recipe.rides() {
            let shot = self.scene.shot(n);
            Some(self.hold.settle((n, shot), place, frame, self.recipe.keeps())?)
        } else {
            None
        };
        let structure = self.structure(n, frame)?;
        let size = (frame.width() as usize, frame.height() as usize);
        let mut ink = match self.recipe.pen {
            Some((pen, ..)) => Some(self.ink(frame, &structure, pen)?),
            None => None,
        };
        if let Some(brush) = self.recipe.brush {
            let source = frame.clone();
            let bold = (0.5 + 0.7 * self.wish.strength).clamp(0.6, 1.15);
            let brush = Brush { radius: (brush.radius * self.unit * bold).max(1.5), ..brush };
            kuwahara::filter(view(&source)?, &structure, brush, &mut view_mut(frame)?);
            let luma = frame.planes_mut().0;
            let faint = if self.recipe.shows_faint() { FAINT } else { 0 };
            ops::detailed(luma, source.y(), size.0, (faint, (256.0 * DETAIL) as i32));
        }
        let spared = self.spared(frame, ink.as_mut())?;
        self.tone(frame);
        if let Some((busy, amount)) = spared {
            ops::spared(frame.planes_mut().0, size.0, &busy, amount, i32::from(PAPER[0]));
        }
        let still = Drift::still(size);
        let drift = held.as_ref().map_or(&still, |held| &held.drift);
        let sitting = Sitting { structure: &structure, drift, place, size };
        self.body(n, frame, &sitting)?;
        if let (Some(ink), Some((_, weight, colour))) = (ink, self.recipe.pen) {
            let weight = weight * (self.wish.strength / 0.7).clamp(0.5, 1.2);
            let (y, u, v) = frame.planes_mut();
            ops::covers([y, u, v], size.0, &ink, colour, (weight.min(1.0) * 256.0) as i32, false);
        }
        if let Some(held) = held
            && self.recipe.hold > 0.0
        {
            self.hold.trace(&held, frame, self.recipe.hold)?;
        }
        Ok(())
    }

    fn ink(&self, frame: &Frame, structure: &Structure, pen: Pen) -> Result<Plane, Failure> {
        let view = view(frame)?;
        let (width, height) = view.size();
        let mut ink = Plane::new(width, height, 0)?;
        let unit = self.unit.max(0.6);
        let pen = Pen { sigma: pen.sigma * unit, stride: pen.stride * unit, ..pen };
        dog::draw(view.y(), structure, pen, &mut ink.as_mut());
        Ok(ink)
    }

    /// Thins the lines where they would crowd; the busy places and how much lighter they are to be.
    fn spared(
        &self,
        frame: &Frame,
        ink: Option<&mut Plane>,
    ) -> Result<Option<(Plane, i32)>, Failure> {
        let Body::Hatch { spare, .. } = self.recipe.body else { return Ok(None) };
        if spare <= 0.0 {
            return Ok(None);
        }
        let luma = view(frame)?.y();
        let mut busy = Plane::new(luma.width(), luma.height(), 0)?;
        ops::doubled(&ops::busy(luma), &mut busy);
        let amount = (256.0 * spare) as i32;
        if let Some(ink) = ink {
            ops::spared(ink.data_mut(), luma.width(), &busy, amount, 0);
        }
        Ok(Some((busy, amount)))
    }

    fn tone(&self, frame: &mut Frame) {
        let width = frame.width() as usize;
        let tone = &self.recipe.tone;
        let light = ops::light_table(tone);
        let (y, u, v) = frame.planes_mut();
        ops::by_table(y, width, &light);
        if self.recipe.grey {
            u.fill(PAPER[1]);
            v.fill(PAPER[2]);
            return;
        }
        let colour = ops::colour_table(tone.colour);
        ops::by_table(u, width / 2, &colour);
        ops::by_table(v, width / 2, &colour);
    }
}

impl Stage for MediumStage {
    fn name(&self) -> &'static str {
        "medium"
    }

    fn parameters(&self) -> Value {
        let note = match self.wish.medium {
            Medium::Anime => Some("cel shading of the footage, not a redraw"),
            Medium::Cartoon => Some("flat areas and outlines of the footage, not a redraw"),
            _ => None,
        };
        json!({
            "medium": self.wish.medium,
            "lines_of": self.wish.over,
            "strength": self.wish.strength,
            "anchored": if self.scene.analysis.path.is_some() { "scene" } else { "still" },
            "note": note,
        })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let share = self.share(n);
        if share < 0.004 {
            return Ok(());
        }
        let source = (share < 0.996).then(|| frame.clone());
        self.paint(n, frame)?;
        if let Some(source) = source {
            ops::mix(frame.data_mut(), source.data(), share);
        }
        Ok(())
    }
}
