//! Wishes about time.

use director::{ShotPlan, Task, TimeChange, When, Wish};
use domain::facts::Facts;

use super::{Framing, Move, Sheet, start, unmet};

/// How output time relates to reference time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Course {
    /// Output time t shows reference time t.
    #[default]
    Same,
    /// What follows the reference's end.
    Next,
    /// What leads into the reference's start.
    Previous,
}

/// One change of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeWish {
    /// How.
    pub(crate) change: TimeChange,
    /// In which part of the clip; `None` is all of it.
    pub(crate) when: Option<When>,
}

/// All that is wished of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Timing {
    /// How output time relates to reference time.
    pub(crate) course: Course,
    /// Whether the clip goes on beyond the reference whatever its length.
    pub(crate) extend: bool,
    /// Changes, in the order of the prompt.
    pub(crate) changes: Vec<TimeWish>,
}

// === impl Timing ===

impl Timing {
    pub(super) fn add(&mut self, change: TimeChange, wish: &Wish) {
        self.changes.push(TimeWish { change, when: wish.when });
    }

    /// Whether output time t shows something else than reference time t.
    pub(crate) fn changes_time(&self) -> bool {
        self.course != Course::Same || self.extend || !self.changes.is_empty()
    }

    /// Whether some part runs slower than life, so that frames between frames are needed.
    pub(crate) fn slows(&self) -> bool {
        let slow = |wish: &TimeWish| {
            matches!(wish.change, TimeChange::SlowMotion { .. } | TimeChange::Ramp { .. })
        };
        self.changes.iter().any(slow)
    }

    /// Whether `change` is among the wishes.
    pub(crate) fn wants(&self, change: TimeChange) -> bool {
        self.changes.iter().any(|wish| wish.change == change)
    }
}

/// Files a task of the plan.
pub(super) fn read_task(task: &Task, plan: &ShotPlan, facts: Option<&Facts>, sheet: &mut Sheet) {
    let words = said(task, plan);
    match task {
        Task::KeepMotionRestyle => {}
        Task::NextShot => sheet.timing.course = Course::Next,
        Task::PreviousShot => sheet.timing.course = Course::Previous,
        Task::Extend => sheet.timing.extend = true,
        Task::NewAngle => sheet.framing.add_once(Move::new_angle()),
        Task::MotionTransfer { .. } => {
            sheet.say(&words, unmet::INVENTS_NOTHING.to_owned(), false);
        }
        Task::CameraTransfer { start: source, .. } => {
            start::read_transfer(*source, &words, plan, facts, sheet);
        }
    }
}

/// The words that asked for a task, or a name for it where none did.
fn said(task: &Task, plan: &ShotPlan) -> String {
    let by_words = plan.wishes.iter().find_map(|wish| match &wish.want {
        director::Want::Task { task: t } if t == task => Some(wish.said().to_owned()),
        _ => None,
    });
    let name = match task {
        Task::MotionTransfer { .. } => "motion transfer",
        Task::CameraTransfer { .. } => "camera transfer",
        _ => "the task",
    };
    by_words.filter(|words| !words.is_empty()).unwrap_or_else(|| name.to_owned())
}

impl Framing {
    fn add_once(&mut self, new: Move) {
        if !self.moves.contains(&new) {
            self.moves.push(new);
        }
    }
}
