//! What a run did, how long it took, and what was measured on the way.

use std::collections::BTreeMap;

use engine::Pass;
use kernels::metrics;
use media::Frame;
use serde_json::Value;

use crate::fail::Failure;
use crate::footage::view;

/// Collects passes, times and metrics.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    passes: Vec<Pass>,
    spent_micros: BTreeMap<String, i64>,
    metrics: BTreeMap<String, f64>,
    steps: (f64, u32),
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds time to a pass that runs frame by frame.
    pub(crate) fn spend(&mut self, pass: &str, micros: i64) {
        *self.spent_micros.entry(pass.to_owned()).or_default() += micros;
    }

    /// Records a pass whose time was taken as a whole.
    pub(crate) fn add(&mut self, name: &str, parameters: Value, millis: i64) {
        self.passes.push(Pass { name: name.to_owned(), parameters, millis: millis.max(0) as u64 });
    }

    /// Records a pass with the time that its frames took.
    pub(crate) fn add_spent(&mut self, name: &str, parameters: Value) {
        let micros = self.spent_micros.remove(name).unwrap_or(0);
        self.add(name, parameters, micros / 1000);
    }

    /// Records a number about the clip.
    pub(crate) fn metric(&mut self, name: &str, value: f64) {
        self.metrics.insert(name.to_owned(), value);
    }

    /// Measures how much changes from one frame of the clip to the next.
    pub(crate) fn step(&mut self, before: &Frame, now: &Frame) -> Result<(), Failure> {
        self.steps.0 += metrics::mad(view(before)?.y(), view(now)?.y())?;
        self.steps.1 += 1;
        Ok(())
    }

    /// Passes in order, and metrics.
    pub(crate) fn finish(mut self) -> (Vec<Pass>, BTreeMap<String, f64>) {
        if self.steps.1 > 0 {
            // Luma codes over 219, as VBench's "temporal flickering" counts codes over 255.
            let change = self.steps.0 / f64::from(self.steps.1);
            self.metrics.insert("mean_luma_change".to_owned(), change / 219.0);
        }
        (self.passes, self.metrics)
    }
}
