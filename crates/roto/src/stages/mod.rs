//! What happens to a frame after time and framing, in order: scene, colours, weather, light,
//! medium, wear, finish.
//!
//! A stage is prepared once and then changes frame after frame. Most do it in place; one that must
//! see what follows holds frames back for a while ([`Stage::take`]).

mod background;
mod cutting;
mod elements;
mod finish;
mod grade;
mod light;
mod likeness;
mod medium;
mod pictures;
mod sky;
pub(crate) mod strips;
mod strokes;
mod wear;
mod weather;

pub(crate) use background::{ApartStage, BackgroundStage};
pub(crate) use cutting::cut_out;
pub(crate) use elements::{Elements, View};
pub(crate) use finish::FinishStage;
pub(crate) use grade::Grade;
pub(crate) use light::{LightStage, shines};
pub(crate) use likeness::Likeness;
pub(crate) use medium::MediumStage;
pub(crate) use pictures::{End, Pictures};
pub(crate) use sky::{SkyGrade, SkyStage};
pub(crate) use strokes::{Palette, Strokes};
pub(crate) use wear::WearStage;
pub(crate) use weather::WeatherStage;

use media::Frame;

use crate::fail::Failure;
use crate::timeline::Cue;

/// A frame on its way through the stages.
pub(crate) struct Passing {
    /// Its number in the clip.
    pub(crate) n: usize,
    /// What it shows.
    pub(crate) cue: Cue,
    /// Its picture.
    pub(crate) frame: Frame,
}

/// Stages in their order.
pub(crate) type Stages = Vec<Box<dyn Stage>>;

/// Where a stage puts the frames that it has finished.
pub(crate) type Give<'a> = &'a mut dyn FnMut(Passing) -> Result<(), Failure>;

/// Who waits for the clip.
pub(crate) trait Pace {
    /// Says that work is done, in units of a plain frame's decoding and encoding; fails if nobody
    /// waits any longer. A stage that works long on a frame says so at least once a frame.
    fn work(&self, units: f64) -> Result<(), Failure>;
}

/// One step over the finished frame.
pub(crate) trait Stage {
    /// The name of its pass.
    fn name(&self) -> &'static str;

    /// Its parameters, for the report.
    fn parameters(&self) -> serde_json::Value;

    /// Changes frame `n` of the clip, which shows `cue`, in place and by itself.
    fn apply(&mut self, n: usize, cue: &Cue, frame: &mut Frame) -> Result<(), Failure>;

    /// Takes the clip's next frame and gives on what is finished, in order. A stage that needs to
    /// look ahead holds frames back, at most 2 s of them.
    fn take(&mut self, passing: Passing, _: &dyn Pace, give: Give<'_>) -> Result<(), Failure> {
        let Passing { n, cue, mut frame } = passing;
        self.apply(n, &cue, &mut frame)?;
        give(Passing { n, cue, frame })
    }

    /// Gives on what is still held: no frame follows.
    fn end(&mut self, _: &dyn Pace, _: Give<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// The work that it says to [`Pace`] in all.
    fn effort(&self) -> f64 {
        0.0
    }

    /// What it measured of the clip, by name.
    fn metrics(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}
