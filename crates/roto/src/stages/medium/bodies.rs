//! What pigment does on its ground: one function a [`super::Body`].

use kernels::cells::Pixels;
use kernels::dog::Pen;
use kernels::tensor::CELL;
use kernels::texture::{self, Run, Tile};
use kernels::{Plane, Similarity, blur, resize};
use media::Frame;

use super::recipe::{BLACK, Body, PAPER};
use super::{MediumStage, Sitting, UNIT, ops};
use crate::fail::Failure;
use crate::footage::{view, view_mut};

/// Codes of a line's profile over which its side goes from ink to paper: about a pixel.
const LINE_SOFT: f32 = 90.0;

impl MediumStage {
    /// Puts the recipe's pigment on frame `n`.
    pub(super) fn body(
        &mut self,
        n: usize,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
    ) -> Result<(), Failure> {
        match self.recipe.body {
            Body::Flat => Ok(()),
            Body::Paint { bristle, relief, weave, stray, fine, .. } => {
                self.thick(frame, sitting, (bristle, relief, fine), (weave, stray))
            }
            Body::Wash { rims, pools, grain } => self.thin(frame, sitting, rims, pools, grain),
            Body::Chalk { tooth, ground } => self.chalk(frame, sitting, tooth, ground),
            Body::Hatch { marks, soft, smudge, crossed, pigment, press, .. } => {
                let with = (pigment, press);
                self.hatch(frame, sitting, (marks, soft, smudge, crossed), with)
            }
            Body::Pen { light, dark, uneven, .. } => {
                self.pen(frame, sitting, (light, dark), uneven)
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
        let drift = sitting.drift.times(fine);
        let along = (sitting.structure, &drift);
        texture::strokes(tiles, &place, along, CELL / 2, run(0.6), &mut half.as_mut());
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
        let along = (sitting.structure, sitting.drift);
        texture::strokes(tiles, &sitting.place, along, CELL, run(0.8), &mut marks.as_mut());
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
        (pigment, press): ([u8; 3], f32),
    ) -> Result<(), Failure> {
        let Some(tiles) = &self.sheets.strokes else { return Ok(()) };
        let (width, height) = sitting.size;
        let mut strokes = Plane::new(width, height, 0)?;
        let along = (sitting.structure, sitting.drift);
        texture::strokes(tiles, &sitting.place, along, CELL, run(2.2), &mut strokes.as_mut());
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
            ops::covers([y, u, v], width, &cover, pigment, (256.0 * press) as i32, false);
        }
        Ok(())
    }

    fn pen(
        &self,
        frame: &mut Frame,
        sitting: &Sitting<'_>,
        (light, dark): (f32, f32),
        uneven: f32,
    ) -> Result<(), Failure> {
        let Some(tiles) = &self.sheets.strokes else { return Ok(()) };
        let (width, height) = sitting.size;
        let mut lines = Plane::new(width, height, 0)?;
        let along = (sitting.structure, sitting.drift);
        let lined = Run { rest: 2.2, snap: 6.0 };
        texture::strokes(tiles, &sitting.place, along, CELL, lined, &mut lines.as_mut());
        let tone = blur::box_mean(resize::halve(view(frame)?.y()).as_ref(), 2);
        let mut whole = Plane::new(width, height, 0)?;
        ops::doubled(&tone, &mut whole);
        // No line's middle reaches paper at `light`; at `dark` the gaps between lines close.
        let soft = LINE_SOFT;
        let (none, all) = (235.0 + 0.5 * soft, 20.0 - 0.5 * soft);
        let per_code = (none - all) / (light - dark);
        let from = none + per_code * (235.0 - light);
        let mut cover = Plane::new(width, height, 0)?;
        ops::covered(whole.data(), width, &lines, (from, per_code * 219.0, soft), &mut cover);
        let faint = ops::faint(view(frame)?.y());
        let (y, u, v) = frame.planes_mut();
        if self.recipe.grey {
            ops::fill([&mut *y, &mut *u, &mut *v], PAPER);
        }
        ops::covers([&mut *y, &mut *u, &mut *v], width, &cover, BLACK, 236, false);
        let Some(brushed) = &self.sheets.brushed else { return Ok(()) };
        let mut half = Plane::new(width / 2, height / 2, 0)?;
        let drift = sitting.drift.times(0.5);
        let along = (sitting.structure, &drift);
        texture::strokes(
            brushed,
            &in_half(&sitting.place, 0.5),
            along,
            CELL / 2,
            run(0.6),
            &mut half.as_mut(),
        );
        let mut marks = Plane::new(width, height, 0)?;
        ops::doubled(&half, &mut marks);
        ops::stray(marks.data_mut(), width, &faint, 448);
        ops::thinned(y, width, &marks, uneven as i32);
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

fn run(rest: f32) -> Run {
    Run { rest, snap: 1.0 }
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
