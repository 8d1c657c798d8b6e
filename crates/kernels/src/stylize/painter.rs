//! Keyframes, and paintings that are carried along.

use super::carry::Drift;
use super::cost::{Target, Weights};
use super::exemplar::Level;
use super::features::Features;
use super::search::{self, Field, Pass};
use super::{Exemplar, Guide, blend, carry, vote};
use crate::field::FlowField;
use crate::frame::{Yuv420, chroma_size};
use crate::plane::{Plane, ShapeError, check_same, check_size};
use crate::resize;

/// Passes on each level of a keyframe, the finest first; coarser ones have the last number.
const PASSES: [usize; 3] = [4, 5, 8];

/// How a painting follows its guides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Hold on the scene's light, lines and directions: 0 paints freely, 1 keeps the scene
    /// legible, 3 at most.
    pub structure: f32,
    /// Hold on the scene's colours, as far as the style has them: 1 by default, 3 at most.
    pub colour: f32,
    /// Hold on the places of the style picture: 0 puts a motif anywhere, 1 by default, so that
    /// brightness alone makes no moon; 3 at most.
    pub place: f32,
    /// Hold on even use of the style picture: 0 lets motifs repeat, 1 by default, 3 at most.
    pub uniformity: f32,
}

/// Paints the frames of one size after one exemplar.
#[derive(Debug, Clone)]
pub struct Painter<'a> {
    exemplar: &'a Exemplar,
    size: (usize, usize),
    settings: Settings,
    /// Cells that each block of the finest level may show if all are used evenly.
    fair: Vec<f32>,
    weights: Weights,
}

/// A painting: the field that its picture is a function of (see [`Painter::frame`]).
#[derive(Debug, Clone)]
pub struct Painted {
    pub(super) size: (usize, usize),
    pub(super) field: Field,
    /// Cost of the guides when a cell was last chosen: what carrying may not make much worse.
    pub(super) accepted: Vec<u16>,
    /// Where in their cells the samples lie that are carried along.
    pub(super) drifts: Vec<Drift>,
    /// The broad and fine luma that guided it, to see whether a place still shows the same.
    pub(super) guided: Vec<[u8; 2]>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { structure: 1.0, colour: 1.0, place: 1.0, uniformity: 1.0 }
    }
}

impl Settings {
    fn weights(self) -> Weights {
        let factor = |value: f32, by: f32| (value.clamp(0.0, 3.0) * by) as u32;
        Weights {
            broad: factor(self.structure, 320.0),
            fine: factor(self.structure, 320.0),
            edge: factor(self.structure, 640.0),
            turn: factor(self.structure, 60.0),
            hue: factor(self.colour, 600.0),
            across: factor(self.place, 20.0),
            down: factor(self.place, 60.0),
        }
    }

    fn penalty(self) -> f32 {
        self.uniformity.clamp(0.0, 3.0) * 150.0
    }
}

// === impl Painter ===

impl<'a> Painter<'a> {
    /// A painter of frames of `size` px.
    pub fn new(
        exemplar: &'a Exemplar,
        size: (usize, usize),
        settings: Settings,
    ) -> Result<Self, ShapeError> {
        check_size(size.0, size.1)?;
        let (width, height) = chroma_size(size);
        let fair = exemplar.levels[0].fair(width * height);
        Ok(Self { exemplar, size, settings, fair, weights: settings.weights() })
    }

    /// Paints a frame from its guide: coarse to fine, each scale from the one before. `before`
    /// is an earlier painting carried to this frame, if there is one: its colours guide too, so
    /// that the new strokes have those of the strokes that they take over from.
    pub fn key(
        &self,
        guide: &Guide,
        before: Option<&Painted>,
        seed: u64,
    ) -> Result<Painted, ShapeError> {
        check_same(self.size, guide.size())?;
        let scales = self.scales(guide, before)?;
        let top = scales.len() - 1;
        let mut field: Option<Field> = None;
        for k in (0..=top).rev() {
            let level = &self.exemplar.levels[k];
            let mut target = Target::new(&scales[k], self.weights);
            let size = (target.width, target.height);
            let fair = level.fair(size.0 * size.1);
            let mut here = match &field {
                Some(field) => field.refined(&self.exemplar.levels[k + 1], level, size),
                None => search::start(level, &target, &fair, seed),
            };
            for turn in 0..PASSES[k.min(PASSES.len() - 1)] {
                let cells = here.cells(level);
                let penalty = search::penalty(level, &cells, &fair, self.settings.penalty());
                target.paint(level, &cells);
                let step = if k == top && turn % 2 == 0 { 2 } else { 1 };
                let run = Pass { level, penalty: &penalty, step, turn, gain: 16 };
                search::pass(&run, &target, &mut here, None);
            }
            field = Some(here);
        }
        let Some(mut field) = field else {
            return Err(ShapeError::Size { width: self.size.0, height: self.size.1 });
        };
        field.settle(self.finest());
        let accepted = self.guide_costs(guide, &field);
        let drifts = vec![[0; 2]; accepted.len()];
        Ok(self.painted(guide, field, accepted, drifts))
    }

    /// Carries `previous` to the frame of `guide`. `flow` goes from this frame to the previous
    /// one: the backward field of the pair when painting forward in time, the forward field of
    /// the pair when painting backward.
    pub fn carry(
        &self,
        previous: &Painted,
        flow: &FlowField,
        guide: &Guide,
    ) -> Result<Painted, ShapeError> {
        check_same(self.size, guide.size())?;
        check_same(self.size, previous.size)?;
        let level = self.finest();
        let weights = Weights { across: 0, down: 0, ..self.weights };
        let mut target = Target::new(&guide.features, weights);
        let mut moved = carry::moved(level, &target, previous, flow);
        carry::fill(level, &target, &mut moved);
        if moved.active.contains(&true) {
            for turn in 0..carry::PASSES {
                let cells = moved.field.cells(level);
                let penalty = search::penalty(level, &cells, &self.fair, self.settings.penalty());
                target.paint(level, &cells);
                let run = Pass { level, penalty: &penalty, step: 1, turn, gain: 14 };
                search::pass(&run, &target, &mut moved.field, Some(&moved.active));
            }
            moved.field.settle(level);
            carry::accept(level, &target, &mut moved);
        }
        Ok(self.painted(guide, moved.field, moved.accepted, moved.drifts))
    }

    /// The picture of a painting.
    pub fn frame(&self, painted: &Painted) -> Result<Yuv420, ShapeError> {
        check_same(self.size, painted.size)?;
        vote::frame(self.finest(), &self.exemplar.ink, &painted.field, self.size)
    }

    /// The picture `share` (0 to 1) of the way from `a` to `b`: areas of about a stroke's size
    /// change over one after the other.
    pub fn between(&self, a: &Painted, b: &Painted, share: f32) -> Result<Yuv420, ShapeError> {
        check_same(self.size, a.size)?;
        check_same(self.size, b.size)?;
        let weights = blend::weights(&a.field, share.clamp(0.0, 1.0))?;
        let fields = [&a.field, &b.field];
        vote::mixed(self.finest(), &self.exemplar.ink, fields, &weights, self.size)
    }

    fn finest(&self) -> &Level {
        &self.exemplar.levels[0]
    }

    /// Features of the guide at all scales, the finest first.
    pub(super) fn scales(
        &self,
        guide: &Guide,
        before: Option<&Painted>,
    ) -> Result<Vec<Features>, ShapeError> {
        let mut own = guide.planes.clone();
        let mut shown = before.map(|before| self.shown(before)).transpose()?;
        let mut scales = Vec::with_capacity(self.exemplar.levels.len());
        for k in 0..self.exemplar.levels.len() {
            if k > 0 {
                let (width, height) = own.0.as_ref().size();
                if width.min(height) < 2 * RADIUS_OF_SMALLEST {
                    break;
                }
                own = halved(&own);
                shown = shown.as_ref().map(halved);
            }
            let [u, v] = &own.1;
            let mut features = if k == 0 {
                guide.features.clone()
            } else {
                Features::of(own.0.as_ref(), [u.as_ref(), v.as_ref()])
            };
            if let Some((luma, [u, v])) = &shown {
                features.lean(luma.as_ref(), [u.as_ref(), v.as_ref()]);
            }
            scales.push(features);
        }
        Ok(scales)
    }

    /// Luma of the cells of a painting, and its colour differences at half that resolution.
    fn shown(&self, painted: &Painted) -> Result<(Plane, [Plane; 2]), ShapeError> {
        check_same(self.size, painted.size)?;
        let (level, field) = (self.finest(), &painted.field);
        let cells = field.cells(level);
        let channel = |k: usize| {
            let codes = cells.iter().map(|&cell| level.cells[cell as usize][k]).collect();
            Plane::from_vec(codes, field.width, field.height)
        };
        let [u, v] = [channel(1)?, channel(2)?].map(|plane| resize::halve(plane.as_ref()));
        Ok((channel(0)?, [u, v]))
    }

    fn guide_costs(&self, guide: &Guide, field: &Field) -> Vec<u16> {
        let weights = Weights { across: 0, down: 0, ..self.weights };
        let target = Target::new(&guide.features, weights);
        carry::costs(self.finest(), &target, field)
    }

    fn painted(
        &self,
        guide: &Guide,
        field: Field,
        accepted: Vec<u16>,
        drifts: Vec<Drift>,
    ) -> Painted {
        let guided = guide.features.marks.iter().map(|m| [m[0], m[1]]).collect();
        Painted { size: self.size, field, accepted, drifts, guided }
    }
}

fn halved((luma, [u, v]): &(Plane, [Plane; 2])) -> (Plane, [Plane; 2]) {
    (resize::halve(luma.as_ref()), [u, v].map(|plane| resize::halve(plane.as_ref())))
}

/// Half of the shorter side, in cells, of the smallest scale that a key starts from.
const RADIUS_OF_SMALLEST: usize = 8;
