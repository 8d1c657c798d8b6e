//! The colours of a frame: one table a shot.

use std::sync::Arc;

use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::analysis::Analysis;
use crate::fail::Failure;
use crate::footage::view_mut;
use crate::look::Colourist;
use crate::timeline::Cue;

/// Applies the table of the shot that a frame shows most.
pub(crate) struct Grade {
    colourist: Colourist,
    analysis: Arc<Analysis>,
    rate: f64,
    parameters: Value,
}

// === impl Grade ===

impl Grade {
    pub(crate) fn new(
        colourist: Colourist,
        analysis: Arc<Analysis>,
        rate: f64,
        looks: &[String],
    ) -> Self {
        let parameters = json!({ "looks": looks, "shots": analysis.shots.len() });
        Self { colourist, analysis, rate, parameters }
    }
}

impl Stage for Grade {
    fn name(&self) -> &'static str {
        "grade"
    }

    fn parameters(&self) -> Value {
        self.parameters.clone()
    }

    fn apply(&mut self, n: usize, cue: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let secs = n as f64 / self.rate;
        let (shot, other) = self.analysis.grade_of(cue.main().floor() as usize);
        let table = self.colourist.table(shot, secs);
        let table = match other {
            None => table,
            Some((other, share)) => {
                Arc::new(table.mix(self.colourist.table(other, secs).as_ref(), share))
            }
        };
        table.apply_in_place(&mut view_mut(frame)?);
        Ok(())
    }
}
