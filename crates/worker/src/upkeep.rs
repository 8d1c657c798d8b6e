//! What has to be done whether clips are made here or not: what ran out ends, what is old goes.
//!
//! One loop with three duties. Leases and deadlines are ended when they run out. Once a minute,
//! what is older than the operator's [`Policy`] is removed. And the bytes of what was removed, by
//! that policy or by its owner, are deleted within a second or two.
//!
//! Invariant: nothing but `stop` ends the loop, and it may be cut anywhere. Rows go before their
//! bytes, and the store's note of the bytes goes last: what was cut is done by the next round.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use artifacts::Artifacts;
use domain::lease::Setback;
use domain::{Clock, Timestamp};
use store::retention::Cutoffs;
use store::{Expired, Lapsed, Store, StoreError};
use telemetry::Metrics;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::pause::{STORE_PAUSE, until};

/// How often it is looked for what is old.
const RETIRE_PERIOD: Duration = Duration::from_mins(1);
/// A clock that is so far ahead of the time that passed was set.
const JUMP_MILLIS: i64 = 5000;
/// Two beats and some more: whoever holds a lease and lives has extended it by then.
const GRACE: Duration = Duration::from_secs(12);
/// A round follows no closer on the one before.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);
/// How much is removed in one transaction: others wait for it.
const BATCH: u32 = 200;

/// What upkeep needs.
pub struct UpkeepParts {
    /// Requests.
    pub store: Arc<dyn Store>,
    /// Bytes.
    pub artifacts: Artifacts,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long things are kept.
    pub policy: Policy,
    /// Where lost leases and their requests' ends are counted.
    pub metrics: Metrics,
}

/// How long things are kept; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// Records with their inputs and outputs, after the request's end.
    pub results: Option<Duration>,
    /// Inputs alone, after the request's end.
    pub inputs: Option<Duration>,
    /// Uploads that no open request needs, after their arrival.
    pub uploads: Option<Duration>,
}

/// The loop that keeps an installation in order.
pub struct Upkeep {
    parts: UpkeepParts,
    retire_at: Instant,
    watch: Watch,
    /// Folders that could not be deleted: left alone until the next look for what is old.
    stuck: HashSet<String>,
}

/// Tells time that passed from a clock that was set ahead, or a machine that slept.
///
/// Leases end by the wall clock. Were they all ended at the moment it jumps, work would be lost
/// whose holders live and give a sign of it within a beat or two; so for that long the clock is
/// read as if it had not jumped.
struct Watch {
    wall: Timestamp,
    at: Instant,
    jump_millis: i64,
    until: Instant,
}

// === impl Watch ===

impl Watch {
    fn new(wall: Timestamp) -> Self {
        let at = Instant::now();
        Self { wall, at, jump_millis: 0, until: at }
    }

    /// The time by which leases end, where the clock says `wall`.
    fn read(&mut self, wall: Timestamp) -> Timestamp {
        let at = Instant::now();
        let passed = at.duration_since(self.at).as_millis() as i64;
        let jump_millis = wall.millis_since(self.wall) - passed;
        (self.wall, self.at) = (wall, at);
        if jump_millis > JUMP_MILLIS {
            tracing::warn!(jump_millis, "the clock was set ahead: leases get time to be extended");
            (self.jump_millis, self.until) = (jump_millis, at + GRACE);
        }
        if jump_millis < -JUMP_MILLIS {
            tracing::warn!(jump_millis, "the clock was set back");
        }
        if at < self.until { wall.plus_millis(-self.jump_millis) } else { wall }
    }

    /// How long the clock is still read as if it had not jumped.
    fn grace(&self) -> Option<Duration> {
        self.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

// === impl Policy ===

impl Policy {
    fn cutoffs(&self, now: Timestamp) -> Cutoffs {
        let before = |age: Option<Duration>| {
            age.map(|age| now.plus_millis(-i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
        };
        let Self { results, inputs, uploads } = *self;
        Cutoffs { now, results: before(results), inputs: before(inputs), uploads: before(uploads) }
    }
}

// === impl Upkeep ===

impl Upkeep {
    /// Begins with a look at everything.
    pub fn new(parts: UpkeepParts) -> Self {
        let watch = Watch::new(parts.clock.now());
        Self { parts, retire_at: Instant::now(), watch, stuck: HashSet::new() }
    }

    /// Works until `stop` is triggered.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.parts.store.changes();
        let rounds = async {
            loop {
                changes.mark_unchanged();
                let round = self.round().await;
                rest(&mut changes, round).await;
            }
        };
        let _: Option<()> = stop.run_until_cancelled(rounds).await;
    }

    /// All that is due; says how long there is nothing to do then. A duty that the store fails in
    /// does not keep the others from being done.
    async fn round(&mut self) -> Result<Duration, StoreError> {
        let expired = self.expire().await;
        let retired = self.retire().await;
        let emptied = self.empty_trash().await;
        expired.and(retired).and(emptied)?;
        let now = self.parts.clock.now();
        let next = until(self.parts.store.next_wake_after(now).await?, now);
        let next = self.watch.grace().map_or(next, |left| next.min(left));
        Ok(next.min(self.retire_at.saturating_duration_since(Instant::now())))
    }

    /// Treats leases that ran out as lost, and ends requests whose deadline has passed.
    async fn expire(&mut self) -> Result<(), StoreError> {
        let now = self.watch.read(self.parts.clock.now());
        let metrics = &self.parts.metrics;
        let Expired { leases, deadlines } = self.parts.store.expire(now).await?;
        for Lapsed { id, model, stage, state } in &leases {
            tracing::warn!(request = %id, ?stage, ?state, "a lease ran out");
            let Some(stage) = *stage else { continue };
            metrics.lease_loss(stage);
            if state.is_terminal() {
                metrics.finished(model, *state);
            } else {
                metrics.retry(stage, Setback::Lost);
            }
        }
        for Lapsed { id, model, state, .. } in &deadlines {
            tracing::info!(request = %id, "its deadline has passed");
            metrics.finished(model, *state);
        }
        Ok(())
    }

    /// Removes what is older than the policy, once a minute.
    async fn retire(&mut self) -> Result<(), StoreError> {
        if Instant::now() < self.retire_at {
            return Ok(());
        }
        let cutoffs = self.parts.policy.cutoffs(self.parts.clock.now());
        let mut removed = 0;
        loop {
            match self.parts.store.retire(cutoffs, BATCH).await? {
                0 => break,
                count => removed += count,
            }
            tokio::task::yield_now().await;
        }
        if removed > 0 {
            tracing::info!(removed, "what is kept no longer is removed");
        }
        self.stuck.clear();
        self.retire_at = Instant::now() + RETIRE_PERIOD;
        Ok(())
    }

    /// Deletes the bytes that the store has noted for it.
    async fn empty_trash(&mut self) -> Result<(), StoreError> {
        loop {
            let limit = BATCH.saturating_add(self.stuck.len() as u32);
            let mut folders = self.parts.store.trash(limit).await?;
            folders.retain(|folder| !self.stuck.contains(folder));
            if folders.is_empty() {
                return Ok(());
            }
            let mut gone = Vec::with_capacity(folders.len());
            for folder in folders {
                match self.parts.artifacts.delete_all(&folder).await {
                    Ok(()) => gone.push(folder),
                    Err(error) => {
                        tracing::warn!(folder, %error, "bytes that nothing names stay on disk");
                        self.stuck.insert(folder);
                    }
                }
            }
            self.parts.store.emptied(gone).await?;
        }
    }
}

/// Waits between two rounds: for as long as the first asked for, or a second where it failed, or
/// until something changes; never less than a second.
async fn rest(changes: &mut watch::Receiver<u64>, round: Result<Duration, StoreError>) {
    let wait = round.unwrap_or_else(|error| {
        tracing::error!(%error, "upkeep stopped short and begins again");
        STORE_PAUSE
    });
    sleep(SHORTEST_SLEEP).await;
    tokio::select! {
        _ = changes.changed() => {}
        () = sleep(wait.saturating_sub(SHORTEST_SLEEP)) => {}
    }
}

#[cfg(test)]
mod tests;
