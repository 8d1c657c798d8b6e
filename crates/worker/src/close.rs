//! Telling the store how work on a claim ended, and counting it.
//!
//! Invariant: what is counted as done, failed or set back is what the store took. Work that it did
//! not take is counted as fenced, or, where the store gave no answer, as set back: the lease then
//! runs out.

use domain::lease::Setback;
use domain::{Failure, Lease, Stage, State};
use intake::Taken;
use store::{Published, StoreError};
use telemetry::StageEnd;
use telemetry::spans::{Claimed, Span};
use tokio::time::Instant;

use crate::Parts;

/// One claim's end, which comes once.
#[must_use = "the store has to be told how work on a claim ended"]
pub(crate) struct Closing<'a> {
    parts: &'a Parts,
    lease: &'a Lease,
    model: &'a str,
    began: Instant,
    span: Span,
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
        let span = parts.spans.stage(Claimed {
            stage: lease.stage,
            request: &lease.request,
            epoch: lease.epoch,
            model,
            engine: (lease.stage == Stage::Run).then(|| parts.engine_of(model)),
        });
        Self { parts, lease, model, began: Instant::now(), span }
    }

    /// A cancellation, a deadline or another claim came first.
    pub(crate) fn lost(self) {
        tracing::info!("the lease was lost; dropped");
        self.count(StageEnd::Fenced, None);
    }

    /// The inputs are kept.
    pub(crate) async fn keep(self, taken: Taken) -> Told {
        let Taken { facts, warnings } = taken;
        let now = self.parts.clock.now();
        let kept = self.parts.store.inputs_kept(self.lease, facts, warnings, now).await;
        self.tell("inputs kept", &kept, None, |()| StageEnd::Done)
    }

    /// The clip is made.
    pub(crate) async fn publish(self, published: Published) -> Told {
        let now = self.parts.clock.now();
        let published = self.parts.store.publish(self.lease, published, now).await;
        let (metrics, model) = (&self.parts.metrics, self.model);
        self.tell("published", &published, None, |()| {
            metrics.finished(model, State::Succeeded);
            StageEnd::Done
        })
    }

    /// The request fails.
    pub(crate) async fn fail(self, failure: Failure) -> Told {
        tracing::info!(code = failure.code, why = failure.message, "failed");
        let (code, now) = (failure.code.clone(), self.parts.clock.now());
        let failed = self.parts.store.fail(self.lease, failure, now).await;
        let (metrics, model) = (&self.parts.metrics, self.model);
        self.tell("failed", &failed, Some(&code), |()| {
            metrics.finished(model, State::Failed);
            StageEnd::Failed
        })
    }

    /// The claim is given back.
    pub(crate) async fn set_back(self, setback: Setback, why: &str) -> Told {
        tracing::warn!(?setback, why, "set back");
        let now = self.parts.clock.now();
        let state = self.parts.store.set_back(self.lease, setback, why, now).await;
        let (metrics, model, stage) = (&self.parts.metrics, self.model, self.lease.stage);
        // An orderly stop is no error.
        let error = (setback != Setback::HandedBack).then_some("fault");
        self.tell("set back", &state, error, |state| {
            if state.is_terminal() {
                metrics.finished(model, *state);
                return StageEnd::Failed;
            }
            metrics.retry(stage, setback);
            StageEnd::SetBack
        })
    }

    /// Logs what could not be written; a lost lease is no fault of anybody.
    /// `error` is what the span shows where the store took it.
    fn tell<T>(
        self,
        what: &str,
        outcome: &Result<T, StoreError>,
        error: Option<&str>,
        end: impl FnOnce(&T) -> StageEnd,
    ) -> Told {
        let (end, told, error) = match outcome {
            Ok(answer) => (end(answer), Told::Taken, error),
            Err(StoreError::Fenced) => {
                tracing::info!(what, "the lease was lost; dropped");
                (StageEnd::Fenced, Told::Fenced, None)
            }
            Err(error) => {
                tracing::error!(what, %error, "not written; the lease will run out");
                (StageEnd::SetBack, Told::Unknown, Some("not_written"))
            }
        };
        self.count(end, error);
        told
    }

    fn count(self, end: StageEnd, error: Option<&str>) {
        self.parts.metrics.stage(self.lease.stage, end, self.began.elapsed());
        self.span.worked(end, error);
    }
}
