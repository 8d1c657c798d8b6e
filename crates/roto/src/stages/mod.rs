//! What happens to a frame after time and framing, in order: scene, then colours, then finish.
//!
//! A stage is prepared once and then changes frame after frame in place. Weather and media that
//! the engine learns later are further stages between the elements and the grade.

mod cutting;
mod elements;
mod finish;
mod grade;

pub(crate) use cutting::cut_out;
pub(crate) use elements::Elements;
pub(crate) use finish::FinishStage;
pub(crate) use grade::Grade;

use media::Frame;

use crate::fail::Failure;
use crate::timeline::Cue;

/// One step over the finished frame.
pub(crate) trait Stage {
    /// The name of its pass.
    fn name(&self) -> &'static str;

    /// Its parameters, for the report.
    fn parameters(&self) -> serde_json::Value;

    /// Changes frame `n` of the clip, which shows `cue`.
    fn apply(&mut self, n: usize, cue: &Cue, frame: &mut Frame) -> Result<(), Failure>;
}
