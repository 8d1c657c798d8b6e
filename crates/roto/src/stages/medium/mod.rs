//! Repaints the picture in a medium.
//!
//! ```text
//! structure > strokes along it (Kuwahara) > tone > pigment on its ground > lines
//!           > worked into the drawing of the frame before
//! ```
//!
//! Invariant: a frame's medium is a function of the frame, of the scene's motion and of what the
//! shot showed before. No number is drawn for a frame, and no texture hangs on the screen.

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
use kernels::kuwahara::{self, Brush};
use kernels::tensor::{CELL, Structure, Tensors};
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
    strokes: Option<Box<[Tile; DIRECTIONS]>>,
    fine: Tile,
    coarse: Tile,
    cells: Option<Tesserae>,
}

/// What one frame is painted with.
struct Sitting<'a> {
    structure: &'a Structure,
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
        let strokes = (length > 0.0).then(|| Box::new(texture::strokes_of(&noise, length, 52.0)));
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
        Self { strokes, fine, coarse, cells }
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
        let sheets = Sheets::of(&recipe, scene.seed);
        Self {
            wish: wish.clone(),
            recipe,
            scene,
            unit,
            sheets,
            before: None,
            pixels: None,
            hold: Hold::default(),
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
        let structure = self.structure(n, frame)?;
        let footage = if self.recipe.hold > 0.0 { Some(hold::small(frame)?) } else { None };
        let size = (frame.width() as usize, frame.height() as usize);
        let ink = match self.recipe.pen {
            Some((pen, ..)) => Some(self.ink(frame, &structure, pen)?),
            None => None,
        };
        if let Some(brush) = self.recipe.brush {
            let source = frame.clone();
            let bold = (0.5 + 0.7 * self.wish.strength).clamp(0.6, 1.15);
            let brush = Brush { radius: (brush.radius * self.unit * bold).max(1.5), ..brush };
            kuwahara::filter(view(&source)?, &structure, brush, &mut view_mut(frame)?);
            ops::mix(frame.planes_mut().0, source.y(), 1.0 - DETAIL);
        }
        self.tone(frame);
        let sitting = Sitting { structure: &structure, place: self.place(n), size };
        self.body(n, frame, &sitting)?;
        if let (Some(ink), Some((_, weight, colour))) = (ink, self.recipe.pen) {
            let weight = weight * (self.wish.strength / 0.7).clamp(0.5, 1.2);
            let (y, u, v) = frame.planes_mut();
            ops::covers([y, u, v], size.0, &ink, colour, (weight.min(1.0) * 256.0) as i32, false);
        }
        if let Some(footage) = footage {
            let shot = self.scene.shot(n);
            self.hold.settle((n, shot), footage, frame, self.recipe.hold)?;
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

    fn body(&mut self, n: usize, frame: &mut Frame, sitting: &Sitting<'_>) -> Result<(), Failure> {
        match self.recipe.body {
            Body::Flat => Ok(()),
            Body::Paint { bristle, relief, weave, stray, fine, .. } => {
                self.thick(frame, sitting, (bristle, relief, fine), (weave, stray))
            }
            Body::Wash { rims, pools, grain } => self.thin(frame, sitting, rims, pools, grain),
            Body::Chalk { tooth, ground } => self.chalk(frame, sitting, tooth, ground),
            Body::Hatch { marks, soft, smudge, crossed, pigment, .. } => {
                self.hatch(frame, sitting, (marks, soft, smudge, crossed), pigment)
            }
            Body::Dots { amount } => self.dots(frame, sitting, amount),
            Body::Block { grain } => {
                let paper = sampled(&self.sheets.fine, &sitting.place, sitting.size)?;
                let density = mapped(&paper, |t| 128.0 + grain * (t - 128.0) * 1.2);
                let (y, u, v) = frame.planes_mut();
                ops::dense([y, u, v], sitting.size.0, &density);
                Ok(())
            }
            Body::Pixels { rows } => self.pixelate(n, frame, rows),
            Body::Cells { pitch, mortar, width, .. } => {
                self.tessellate(frame, sitting, pitch, mortar, width)
            }
        }
    }

    fn thick(
        &self,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
        (bristle, relief, fine): (f32, f32, f32),
        (weave, stray): (f32, f32),
    ) -> Result<(), Failure> {
        let Some(tiles) = &self.sheets.strokes else { return Ok(()) };
        let (width, height) = sitting.size;
        let mut half = Plane::new(width / 2, height / 2, 0)?;
        let place = in_half(&sitting.place, fine);
        texture::strokes(tiles, &place, sitting.structure, CELL / 2, 0.6, &mut half.as_mut());
        let mut marks = Plane::new(width, height, 0)?;
        ops::doubled(&half, &mut marks);
        let (y, u, v) = frame.planes_mut();
        ops::relief(y, width, &marks, (bristle * 256.0) as i32, (relief * 256.0) as i32);
        if weave > 0.0 {
            let canvas = sampled(&self.sheets.fine, &scaled(&sitting.place, 2.0), sitting.size)?;
            ops::relief(y, width, &canvas, 0, (weave * 256.0) as i32);
        }
        let stray = (stray * 256.0) as i32;
        ops::stray(u, width / 2, &half, stray);
        ops::stray(v, width / 2, &half, -stray);
        Ok(())
    }

    fn thin(
        &self,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
        rims: f32,
        pools: f32,
        grain: f32,
    ) -> Result<(), Failure> {
        let paper = sampled(&self.sheets.fine, &sitting.place, sitting.size)?;
        let clouds = sampled(&self.sheets.coarse, &scaled(&sitting.place, 0.5), sitting.size)?;
        let rim = if rims > 0.0 {
            let pen = Pen {
                sigma: 2.6,
                level: 0.0,
                edges: 1.0,
                threshold: -5.0,
                softness: 5.0,
                stride: 1.6,
            };
            Some(self.ink(frame, sitting.structure, pen)?)
        } else {
            None
        };
        let mut density = mapped(&paper, |t| 128.0 + grain * (t - 128.0));
        let width = sitting.size.0;
        ops::stray(density.data_mut(), width, &clouds, (pools * 256.0) as i32);
        if let Some(rim) = rim {
            let rim = mapped(&rim, |t| 128.0 + t / 2.0);
            ops::stray(density.data_mut(), width, &rim, (rims * 256.0) as i32);
        }
        let (y, u, v) = frame.planes_mut();
        ops::dense([y, u, v], width, &density);
        Ok(())
    }

    fn chalk(
        &self,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
        tooth: f32,
        ground: [u8; 3],
    ) -> Result<(), Failure> {
        let Some(tiles) = &self.sheets.strokes else { return Ok(()) };
        let (width, height) = sitting.size;
        let mut marks = Plane::new(width, height, 0)?;
        texture::strokes(tiles, &sitting.place, sitting.structure, CELL, 0.8, &mut marks.as_mut());
        let paper = sampled(&self.sheets.fine, &sitting.place, sitting.size)?;
        ops::stray(marks.data_mut(), width, &paper, 150);
        let cover = mapped(&marks, |t| 222.0 + tooth * (t - 128.0) * 1.5);
        let (y, u, v) = frame.planes_mut();
        ops::relief(y, width, &marks, 26, 12);
        ops::covers([y, u, v], width, &cover, ground, 256, true);
        Ok(())
    }

    fn hatch(
        &self,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
        (marks, soft, smudge, crossed): (f32, f32, f32, bool),
        pigment: [u8; 3],
    ) -> Result<(), Failure> {
        let Some(tiles) = &self.sheets.strokes else { return Ok(()) };
        let (width, height) = sitting.size;
        let mut strokes = Plane::new(width, height, 0)?;
        texture::strokes(
            tiles,
            &sitting.place,
            sitting.structure,
            CELL,
            2.2,
            &mut strokes.as_mut(),
        );
        let paper = sampled(&self.sheets.fine, &sitting.place, sitting.size)?;
        ops::stray(strokes.data_mut(), width, &paper, 90);
        let mut cover = Plane::new(width, height, 0)?;
        let fall = 330.0 * marks;
        ops::covered(frame.y(), width, &strokes, (300.0, fall, soft), &mut cover);
        if crossed {
            let across = sampled(&tiles[1], &sitting.place, sitting.size)?;
            let mut second = Plane::new(width, height, 0)?;
            ops::covered(frame.y(), width, &across, (390.0, fall * 1.1, soft), &mut second);
            ops::joined(&mut cover, &second);
        }
        if smudge > 0.0 {
            let luma = Plane::from_vec(frame.y().to_vec(), width, height)?;
            let rubbed = mapped(&luma, |code| smudge * 1.1 * (235.0 - code));
            ops::joined(&mut cover, &rubbed);
        }
        let keeps = !self.recipe.grey;
        let (y, u, v) = frame.planes_mut();
        let ground = mapped(&paper, |t| f32::from(PAPER[0]) + (t - 128.0) * 0.1);
        if keeps {
            ops::covers([y, u, v], width, &cover, PAPER, 256, true);
        } else {
            ops::fill([&mut *y, &mut *u, &mut *v], PAPER);
            y.copy_from_slice(ground.data());
            ops::covers([y, u, v], width, &cover, pigment, 235, false);
        }
        Ok(())
    }

    fn dots(&self, frame: &mut Frame, sitting: &Sitting<'_>, amount: f32) -> Result<(), Failure> {
        let screen = sampled(&self.sheets.fine, &scaled(&sitting.place, 1.7), sitting.size)?;
        let (width, height) = sitting.size;
        let mut cover = Plane::new(width, height, 0)?;
        ops::covered(frame.y(), width, &screen, (275.0, 300.0, 60.0), &mut cover);
        let density = mapped(&cover, |t| 118.0 + amount * 0.36 * t);
        let (y, u, v) = frame.planes_mut();
        ops::dense([y, u, v], width, &density);
        Ok(())
    }

    fn pixelate(&mut self, n: usize, frame: &mut Frame, rows: f32) -> Result<(), Failure> {
        let short = self.unit * UNIT;
        let side = ((short / rows / 2.0 + 0.5) as usize * 2).max(2);
        let source = frame.clone();
        let shot = self.scene.shot(n);
        let moved = self.carried(n);
        let shift = (libm::roundf(moved.tx) as i64, libm::roundf(moved.ty) as i64);
        if self.pixels.as_ref().is_none_or(|(of, _)| *of != shot) {
            self.pixels = Some((shot, Pixels::of(view(&source)?, side)));
        }
        if let Some((_, pixels)) = &mut self.pixels {
            pixels.show(view(&source)?, side, shift, 14, &mut view_mut(frame)?);
        }
        Ok(())
    }

    fn tessellate(
        &self,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
        pitch: f32,
        mortar: u8,
        width: f32,
    ) -> Result<(), Failure> {
        let Some(cells) = &self.sheets.cells else { return Ok(()) };
        let source = frame.clone();
        let (w, h) = sitting.size;
        let mut edge = Plane::new(w, h, 0)?;
        let place = scaled(&sitting.place, 16.0 / pitch);
        cells.lay(view(&source)?, &place, &mut view_mut(frame)?, &mut edge.as_mut());
        let gap = 255.0 * width;
        let joint = mapped(&edge, |t| 255.0 * (1.6 - 1.6 * t / gap).clamp(0.0, 1.0));
        let (y, u, v) = frame.planes_mut();
        ops::relief(y, w, &mapped(&edge, |t| 128.0 + t.min(90.0) * 0.7), 10, 90);
        ops::covers([y, u, v], w, &joint, [mortar, 128, 129], 256, false);
        Ok(())
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

/// The same place for a texture drawn `factor` times as fine.
fn scaled(place: &Similarity, factor: f32) -> Similarity {
    place.then(&Similarity { scale: factor, ..Similarity::IDENTITY })
}

/// The same place from a screen of half the size, for a texture `factor` times as fine.
fn in_half(place: &Similarity, factor: f32) -> Similarity {
    Similarity { scale: 2.0, ..Similarity::IDENTITY }.then(&scaled(place, factor))
}

fn sampled(tile: &Tile, place: &Similarity, size: (usize, usize)) -> Result<Plane, Failure> {
    let mut out = Plane::new(size.0, size.1, 0)?;
    texture::sample(tile, place, &mut out.as_mut());
    Ok(out)
}

/// Every code of a plane put through a function.
fn mapped(plane: &Plane, value: impl Fn(f32) -> f32) -> Plane {
    let table: [u8; 256] =
        std::array::from_fn(|code| (value(code as f32) + 0.5).clamp(0.0, 255.0) as u8);
    let mut out = plane.clone();
    let width = out.width();
    ops::by_table(out.data_mut(), width, &table);
    out
}
