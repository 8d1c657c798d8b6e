//! From a prompt to a [`ShotPlan`]: what is wished for, by which words, and how surely.
//!
//! The wire has no field for a task, a style or a camera move; there is only prose. This crate
//! reads that prose with a hand-written tokenizer and grammar: no network, no model, no
//! randomness, so that the same request always gets the same plan and a dry run can show it.
//! The plan is engine-neutral. It says what is asked, never what can be done: what stays unmet
//! is for an engine's assessment.
//!
//! Invariant: nothing is dropped. Every character of the prompt that is not white space lies in
//! the span of a wish, a keep, a reference, in [`ShotPlan::passed_over`] (glue such as "and
//! please") or in [`ShotPlan::not_understood`].

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

mod adverbs;
mod assemble;
mod brief;
mod clauses;
mod handle;
mod keeps;
mod leftovers;
mod lexer;
mod lexicon;
mod phrases;
mod placement;
mod plan;
mod reader;
mod references;
mod sequence;
mod themes;
mod transfer;
mod want;

pub use brief::{Aspect, Brief};
pub use handle::{Handle, HandleError, HandleKind};
pub use plan::{
    DEFAULT_STRENGTH, Keep, Kept, Mention, MentionRole, Need, NeedKind, Overruled, ShotPlan, Task,
    Wish, Words,
};
pub use want::{
    Camera, Direction, Edge, Effect, Entry, Grade, ImageRole, Medium, Mood, Path, Pivot, Place,
    Placement, Side, Sound, Target, TimeChange, TimeOfDay, Want, Weather, When,
};

use domain::facts::Facts;

/// Reads `request` and says what is wished.
///
/// Without `facts` (a dry run looks at no file) whatever depends on the media is marked
/// provisional. The answer depends on the arguments alone.
pub fn plan(request: &Brief, facts: Option<&Facts>) -> ShotPlan {
    let mut reader = reader::Reader::new(request);
    transfer::read(&mut reader);
    references::read(&mut reader);
    themes::read(&mut reader);
    adverbs::read(&mut reader);
    sequence::read(&mut reader);
    assemble::plan(reader, facts)
}
