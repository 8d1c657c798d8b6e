//! The stages in a row, and the frames on their way through them.
//!
//! A stage may hold frames back until it has seen what follows (see [`Stage::take`]); what comes
//! out keeps its order, and each frame goes on through the later stages, to the encoder, as soon
//! as it is let go. So memory holds the longest window of one stage and never the clip.
//!
//! Invariant: every frame that goes in comes out exactly once, in order, by the end of
//! [`Line::end`].

use std::cell::Cell;

use domain::Clock;
use engine::Context;

use super::Recorder;
use crate::fail::Failure;
use crate::stages::{Give, Pace, Passing, Stage};

/// Part of a run that is done when all frames are.
const ALL_FRAMES: f64 = 0.98;

/// Stages in their order, with the time that each took.
#[derive(Default)]
pub(crate) struct Line {
    slots: Vec<Slot>,
}

struct Slot {
    stage: Box<dyn Stage>,
    spent_micros: i64,
}

/// How far a clip is, told to whoever waits for it.
pub(super) struct Progress<'a> {
    context: &'a dyn Context,
    from: f64,
    total: f64,
    done: Cell<f64>,
}

// === impl Line ===

impl Line {
    pub(crate) fn new(stages: Vec<Box<dyn Stage>>) -> Self {
        Self { slots: stages.into_iter().map(|stage| Slot { stage, spent_micros: 0 }).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Work on all frames beyond their decoding and encoding, in units of that of one frame.
    pub(super) fn effort(&self) -> f64 {
        self.slots.iter().map(|slot| slot.stage.effort()).sum()
    }

    /// Sends a frame in; those that come out go to `give`.
    pub(super) fn push(
        &mut self,
        passing: Passing,
        clock: &dyn Clock,
        pace: &dyn Pace,
        give: Give<'_>,
    ) -> Result<(), Failure> {
        pass(&mut self.slots, passing, clock, pace, give)
    }

    /// Lets the frames go that are still held.
    pub(super) fn end(
        &mut self,
        clock: &dyn Clock,
        pace: &dyn Pace,
        give: Give<'_>,
    ) -> Result<(), Failure> {
        for first in 0..self.slots.len() {
            let Some((slot, rest)) = self.slots[first..].split_first_mut() else { break };
            slot.timed(clock, rest, pace, give, |stage, give| stage.end(pace, give))?;
        }
        Ok(())
    }

    /// Changes one frame by itself, without those around it.
    pub(super) fn alone(
        &mut self,
        passing: Passing,
        clock: &dyn Clock,
    ) -> Result<Passing, Failure> {
        let Passing { n, cue, mut frame } = passing;
        for slot in &mut self.slots {
            let start = clock.now();
            slot.stage.apply(n, &cue, &mut frame)?;
            slot.spent_micros += clock.now().0 - start.0;
        }
        Ok(Passing { n, cue, frame })
    }

    /// Records each stage's pass.
    pub(super) fn note(&self, recorder: &mut Recorder) {
        for Slot { stage, spent_micros } in &self.slots {
            recorder.add(stage.name(), stage.parameters(), spent_micros / 1000);
            for (name, value) in stage.metrics() {
                recorder.metric(name, value);
            }
        }
    }
}

// === impl Slot ===

impl Slot {
    /// Runs `work`, whose frames go on through `rest`, and counts the time but for the rest's.
    fn timed(
        &mut self,
        clock: &dyn Clock,
        rest: &mut [Slot],
        pace: &dyn Pace,
        give: Give<'_>,
        work: impl FnOnce(&mut dyn Stage, Give<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let start = clock.now();
        let mut beyond = 0;
        let done = work(&mut *self.stage, &mut |passing| {
            let start = clock.now();
            let passed = pass(rest, passing, clock, pace, give);
            beyond += clock.now().0 - start.0;
            passed
        });
        self.spent_micros += clock.now().0 - start.0 - beyond;
        done
    }
}

fn pass(
    slots: &mut [Slot],
    passing: Passing,
    clock: &dyn Clock,
    pace: &dyn Pace,
    give: Give<'_>,
) -> Result<(), Failure> {
    match slots.split_first_mut() {
        None => give(passing),
        Some((slot, rest)) => {
            slot.timed(clock, rest, pace, give, |stage, give| stage.take(passing, pace, give))
        }
    }
}

// === impl Progress ===

impl<'a> Progress<'a> {
    /// Of `frames` frames that take `effort` more than plain ones; `from` of the run is done.
    pub(super) fn new(context: &'a dyn Context, from: f64, frames: usize, effort: f64) -> Self {
        let total = (frames as f64 + effort).max(1.0);
        Self { context, from, total, done: Cell::new(0.0) }
    }
}

impl Pace for Progress<'_> {
    fn work(&self, units: f64) -> Result<(), Failure> {
        if self.context.cancelled() {
            return Err(Failure::Cancelled);
        }
        self.done.set(self.done.get() + units);
        let part = (self.done.get() / self.total).min(1.0);
        self.context.progress("render", self.from + (ALL_FRAMES - self.from) * part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use media::Frame;
    use serde_json::Value;

    use super::*;
    use crate::timeline::Cue;

    struct NoClock;

    impl Clock for NoClock {
        fn now(&self) -> Timestamp {
            Timestamp(0)
        }
    }

    struct NoPace;

    impl Pace for NoPace {
        fn work(&self, _: f64) -> Result<(), Failure> {
            Ok(())
        }
    }

    /// Adds one to every code.
    struct Brighter;

    impl Stage for Brighter {
        fn name(&self) -> &'static str {
            "brighter"
        }

        fn parameters(&self) -> Value {
            Value::Null
        }

        fn apply(&mut self, _: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
            frame.data_mut().iter_mut().for_each(|code| *code += 1);
            Ok(())
        }
    }

    /// Holds so many frames back.
    struct Holding(usize, Vec<Passing>);

    impl Stage for Holding {
        fn name(&self) -> &'static str {
            "holding"
        }

        fn parameters(&self) -> Value {
            Value::Null
        }

        fn apply(&mut self, _: usize, _: &Cue, _: &mut Frame) -> Result<(), Failure> {
            Ok(())
        }

        fn take(
            &mut self,
            passing: Passing,
            pace: &dyn Pace,
            give: Give<'_>,
        ) -> Result<(), Failure> {
            self.1.push(passing);
            if self.1.len() > self.0 { self.end(pace, give) } else { Ok(()) }
        }

        fn end(&mut self, _: &dyn Pace, give: Give<'_>) -> Result<(), Failure> {
            self.1.drain(..).try_for_each(give)
        }
    }

    #[test]
    fn held_frames_come_out_once_in_order_and_changed_by_all_stages() {
        let stages: Vec<Box<dyn Stage>> = vec![
            Box::new(Brighter),
            Box::new(Holding(3, Vec::new())),
            Box::new(Holding(4, Vec::new())),
            Box::new(Brighter),
        ];
        let mut line = Line::new(stages);
        let mut seen = Vec::new();
        let mut give = |passing: Passing| {
            seen.push((passing.n, passing.frame.data()[0]));
            Ok(())
        };
        for n in 0..11 {
            let frame = Frame::from_bytes(2, 2, vec![10 + n as u8; 6]).unwrap();
            let passing = Passing { n, cue: Cue::at(n as f64), frame };
            line.push(passing, &NoClock, &NoPace, &mut give).unwrap();
        }
        line.end(&NoClock, &NoPace, &mut give).unwrap();
        let expected: Vec<(usize, u8)> = (0..11).map(|n| (n, 12 + n as u8)).collect();
        assert_eq!(seen, expected);
    }
}
