//! Telling the store how work on a claim ended, and counting it.
//!
//! Invariant: what is counted as done, failed or set back is what the store took. Work that it did
//! not take is counted as fenced, or, where the store gave no answer, as set back: the lease then
//! runs out.

use domain::lease::Setback;
use domain::{Failure, Lease, State};
use intake::Taken;
use store::{Published, StoreError};
use telemetry::StageEnd;
use tokio::time::Instant;

use crate::Parts;

/// One claim's end.
pub(crate) struct Closing<'a> {
    parts: &'a Parts,
    lease: &'a Lease,
    model: &'a str,
    began: Instant,
}

/// What the store made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is written.
    Taken,
    /// The lease had been lost: nothing is written, or ever will be.
    Fenced,
    /// The store failed. It may be written all the same.
    Unknown,
}

// === impl Closing ===

impl<'a> Closing<'a> {
    /// Of a claim on a request of `model` that is made now.
    pub(crate) fn new(parts: &'a Parts, lease: &'a Lease, model: &'a str) -> Self {
        Self { parts, lease, model, began: Instant::now() }
    }

    /// A cancellation, a deadline or another claim came first.
    pub(crate) fn lost(&self) {
        tracing::info!("the lease was lost; dropped");
        self.count(StageEnd::Fenced);
    }

    /// The inputs are kept.
    pub(crate) async fn keep(&self, taken: Taken) -> Told {
        let Taken { facts, warnings } = taken;
        let now = self.parts.clock.now();
        let kept = self.parts.store.inputs_kept(self.lease, facts, warnings, now).await;
        self.tell("inputs kept", &kept, |()| StageEnd::Done)
    }

    /// The clip is made.
    pub(crate) async fn publish(&self, published: Published) -> Told {
        let now = self.parts.clock.now();
        let published = self.parts.store.publish(self.lease, published, now).await;
        self.tell("published", &published, |()| {
            self.parts.metrics.finished(self.model, State::Succeeded);
            StageEnd::Done
        })
    }

    /// The request fails.
    pub(crate) async fn fail(&self, failure: Failure) -> Told {
        tracing::info!(code = failure.code, why = failure.message, "failed");
        let failed = self.parts.store.fail(self.lease, failure, self.parts.clock.now()).await;
        self.tell("failed", &failed, |()| {
            self.parts.metrics.finished(self.model, State::Failed);
            StageEnd::Failed
        })
    }

    /// The claim is given back.
    pub(crate) async fn set_back(&self, setback: Setback, why: &str) -> Told {
        tracing::warn!(?setback, why, "set back");
        let now = self.parts.clock.now();
        let state = self.parts.store.set_back(self.lease, setback, why, now).await;
        self.tell("set back", &state, |state| {
            if state.is_terminal() {
                self.parts.metrics.finished(self.model, *state);
                return StageEnd::Failed;
            }
            self.parts.metrics.retry(self.lease.stage, setback);
            StageEnd::SetBack
        })
    }

    /// Logs what could not be written; a lost lease is no fault of anybody.
    fn tell<T>(
        &self,
        what: &str,
        outcome: &Result<T, StoreError>,
        end: impl FnOnce(&T) -> StageEnd,
    ) -> Told {
        let (end, told) = match outcome {
            Ok(answer) => (end(answer), Told::Taken),
            Err(StoreError::Fenced) => {
                tracing::info!(what, "the lease was lost; dropped");
                (StageEnd::Fenced, Told::Fenced)
            }
            Err(error) => {
                tracing::error!(what, %error, "not written; the lease will run out");
                (StageEnd::SetBack, Told::Unknown)
            }
        };
        self.count(end);
        told
    }

    fn count(&self, end: StageEnd) {
        self.parts.metrics.stage(self.lease.stage, end, self.began.elapsed());
    }
}
