//! Posts messages from the outbox to the webhooks that they are for.
//!
//! A message is taken for one attempt at a time, under a lease that outlasts the attempt; how it
//! ended is written down, and if it cannot be, the lease runs out and the message is sent once
//! more. Receivers may thus get a message twice, with the same id, and never not at all while they
//! answer within a day.
//!
//! Invariant: at most [`ATTEMPTS`] are under way, and at most [`ATTEMPTS_PER_OWNER`] of one owner: a
//! receiver that hangs delays its owner's messages and nobody else's.

mod attempt;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, OwnerId, Rng, State, Timestamp};
use store::outbox::Delivery;
use store::{RequestRow, Store, StoreError};
use telemetry::Metrics;
use telemetry::spans::Spans;
use tokio::task::{Id, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::pause::{STORE_PAUSE, until};

/// Attempts at a time, in all.
const ATTEMPTS: usize = 32;
/// Attempts at a time for one owner.
const ATTEMPTS_PER_OWNER: usize = 4;
/// How long an attempt counts as under way; it is over long before, or its process is.
const LEASE_SECS: i64 = 40;
/// Pause where all that is due has to wait for its owner's other messages: meanwhile a message of
/// somebody else may come due behind it.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Writes what is posted.
pub trait Render: Send + Sync {
    /// The JSON that tells that the request came to `event`. Its absolute URLs begin with `base`.
    fn payload(&self, row: &RequestRow, event: State, base: &str) -> Vec<u8>;
}

/// What delivering needs.
pub struct DeliverParts {
    /// Requests, messages and secrets.
    pub store: Arc<dyn Store>,
    /// The way out.
    pub client: egress::Client,
    /// What is posted.
    pub render: Arc<dyn Render>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Where attempts are counted.
    pub metrics: Metrics,
    /// Where attempts leave their spans.
    pub spans: Spans,
}

/// The loop that delivers.
pub struct Deliverer {
    parts: Arc<DeliverParts>,
    under_way: UnderWay,
}

/// Attempts under way.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<()>,
    owners: HashMap<Id, OwnerId>,
    /// When the latest of them began.
    latest: Timestamp,
}

// === impl Render ===

impl<F: Fn(&RequestRow, State, &str) -> Vec<u8> + Send + Sync> Render for F {
    fn payload(&self, row: &RequestRow, event: State, base: &str) -> Vec<u8> {
        self(row, event, base)
    }
}

// === impl Deliverer ===

impl Deliverer {
    /// With nothing under way.
    pub fn new(parts: DeliverParts) -> Self {
        Self { parts: Arc::new(parts), under_way: UnderWay::default() }
    }

    /// Delivers until `stop` is triggered, then waits for the attempts under way, which have ten
    /// seconds each.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut posted = self.parts.store.posted();
        while !stop.is_cancelled() {
            posted.mark_unchanged();
            let wait = self.start_due().await.unwrap_or_else(|error| {
                tracing::error!(%error, "no messages could be taken");
                STORE_PAUSE
            });
            let room = self.under_way.room() > 0;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.under_way.one_ended(), if !self.under_way.is_empty() => {}
                _ = posted.changed(), if room => {}
                () = sleep(wait), if room => {}
            }
        }
        while !self.under_way.is_empty() {
            self.under_way.one_ended().await;
        }
    }

    /// Starts an attempt for all that is due, as far as there is room; how long there is nothing
    /// to do then.
    async fn start_due(&mut self) -> Result<Duration, StoreError> {
        loop {
            let store = &self.parts.store;
            let now = self.parts.clock.now();
            let next = store.next_delivery(now).await?;
            if next.is_none_or(|at| at > now) {
                return Ok(until(next, now));
            }
            // The clock was set back: to the store, what is under way is due.
            if self.under_way.latest.is_of_a_clock_set_back(now) && !self.under_way.is_empty() {
                return Ok(BUSY_PAUSE);
            }
            let (limit, busy) = self.under_way.next_round();
            if limit == 0 {
                return Ok(BUSY_PAUSE);
            }
            let lost_at = now.plus_secs(LEASE_SECS);
            let taken = store.take_deliveries(now, lost_at, limit as u32, &busy).await?;
            if taken.is_empty() {
                return Ok(BUSY_PAUSE);
            }
            self.under_way.latest = now;
            for delivery in taken {
                self.under_way.start(Arc::clone(&self.parts), delivery);
            }
        }
    }
}

// === impl UnderWay ===

impl UnderWay {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    fn room(&self) -> usize {
        ATTEMPTS.saturating_sub(self.tasks.len())
    }

    /// How many messages may be taken now, and of whom none. All that are taken may be one
    /// owner's, so there are no more than each of the others has room for.
    fn next_round(&self) -> (usize, Vec<OwnerId>) {
        let mut counts: HashMap<&OwnerId, usize> = HashMap::new();
        for owner in self.owners.values() {
            *counts.entry(owner).or_default() += 1;
        }
        let (mut limit, mut busy) = (self.room().min(ATTEMPTS_PER_OWNER), Vec::new());
        for (owner, count) in counts {
            match ATTEMPTS_PER_OWNER.saturating_sub(count) {
                0 => busy.push(owner.clone()),
                room => limit = limit.min(room),
            }
        }
        (limit, busy)
    }

    fn start(&mut self, parts: Arc<DeliverParts>, delivery: Delivery) {
        let owner = delivery.owner.clone();
        let span = tracing::info_span!("webhook", delivery = delivery.id, n = delivery.attempts);
        let attempt = async move { attempt::make(&parts, &delivery).await };
        let id = self.tasks.spawn(attempt.instrument(span)).id();
        self.owners.insert(id, owner);
    }

    /// Waits until an attempt has ended.
    async fn one_ended(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "an attempt broke off; it counts as lost");
                error.id()
            }
            None => return,
        };
        self.owners.remove(&id);
    }
}
