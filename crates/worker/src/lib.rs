//! Takes requests from the queue and brings them to an end, and keeps in order what is there.
//!
//! [`Worker`] makes clips in two stages, each a bounded pool that claims in queue order: intake
//! keeps and checks the inputs of `received` requests, runs make the clips of `ready` ones. Work is
//! done under a lease that `keeper` extends; losing it stops the work, and whatever was made is
//! dropped. [`Upkeep`] runs whether clips are made here or not: it ends what ran out and removes
//! what is old; so does [`Deliverer`], which posts messages to webhooks.
//!
//! Invariant: every claim ends in exactly one of publish, fail, set back, or a lost lease. A
//! worker that is stopped hands back what it holds without a penalty for the request.

mod child;
mod close;
mod collect;
mod deliver;
mod intake_stage;
mod keeper;
mod pause;
mod run_stage;
pub mod shot;
#[cfg(test)]
mod tests;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use artifacts::Artifacts;
use catalog::Catalog;
use domain::{Clock, Lease, Rng, Stage, WorkerId};
use intake::Intake;
use store::{Claim, Store};
use telemetry::Metrics;
use telemetry::spans::Spans;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use child::{Launcher, STALL};
pub use collect::{CollectError, Leftovers};
pub use deliver::{DeliverParts, Deliverer, Render};
pub use keeper::LEASE_SECS;
pub use upkeep::{Policy, Upkeep, UpkeepParts};

use pause::{STORE_PAUSE, until};

/// What a worker is made of. Shared by its tasks.
pub struct Parts {
    /// Requests.
    pub store: Arc<dyn Store>,
    /// Bytes.
    pub artifacts: Artifacts,
    /// Models.
    pub catalog: Arc<Catalog>,
    /// Fetching and checking.
    pub intake: Intake,
    /// The engine of models that name none.
    pub default_engine: String,
    /// How engine children are started.
    pub launcher: Launcher,
    /// Scratch space; what is in it at the start is removed.
    pub scratch: PathBuf,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Where stages, engine time and ends are counted.
    pub metrics: Metrics,
    /// Where work on claims leaves its spans.
    pub spans: Spans,
}

/// How much a worker does at once.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Clips at the same time.
    pub runs: usize,
    /// Requests whose inputs are fetched at the same time.
    pub intakes: usize,
    /// How long running clips get to finish once the worker is told to stop.
    pub drain: Duration,
}

/// One worker process.
pub struct Worker {
    parts: Arc<Parts>,
    settings: Settings,
    id: WorkerId,
}

/// One stage's pool.
struct Pool {
    stage: Stage,
    slots: usize,
    tasks: JoinSet<()>,
}

// === impl Parts ===

impl Parts {
    /// The engine that makes the clips of a model.
    fn engine_of(&self, model: &str) -> &str {
        let named = self.catalog.get(model).and_then(|model| model.engine().name.as_deref());
        named.unwrap_or(&self.default_engine)
    }
}

// === impl Worker ===

impl Worker {
    /// A worker with an id of its own.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let id = WorkerId::new(parts.clock.now(), parts.rng.as_ref());
        Self { parts: Arc::new(parts), settings, id }
    }

    /// Works until `stop` is triggered, then finishes or hands back what it holds.
    pub async fn run(self, stop: CancellationToken) {
        // Triggered when the time to finish is over: children are killed, requests handed back.
        let abort = CancellationToken::new();
        // Fetching is cheap to repeat: a stop ends it at once, and nothing but it.
        let fetching = abort.child_token();
        let intake = self.pool(Stage::Intake, self.settings.intakes, &stop, &fetching);
        let runs = self.pool(Stage::Run, self.settings.runs, &stop, &abort);
        let drain = async {
            stop.cancelled().await;
            fetching.cancel();
            tokio::time::sleep(self.settings.drain).await;
            abort.cancel();
            std::future::pending::<()>().await;
        };
        let work = async { tokio::join!(intake, runs) };
        tokio::select! {
            _ = work => {}
            () = drain => {}
        }
    }

    /// Claims in queue order while there are free slots, until `stop`; then waits for its tasks.
    async fn pool(
        &self,
        stage: Stage,
        slots: usize,
        stop: &CancellationToken,
        abort: &CancellationToken,
    ) {
        let mut pool = Pool { stage, slots, tasks: JoinSet::new() };
        let mut changes = self.parts.store.changes();
        while !stop.is_cancelled() {
            changes.mark_unchanged();
            self.fill(&mut pool, abort).await;
            tokio::select! {
                () = stop.cancelled() => {}
                _ = changes.changed(), if pool.has_room() => {}
                Some(_) = pool.tasks.join_next(), if !pool.tasks.is_empty() => {}
                () = self.until_next_wake() => {}
            }
        }
        while pool.tasks.join_next().await.is_some() {}
    }

    /// Starts as many tasks as there are free slots and waiting requests.
    async fn fill(&self, pool: &mut Pool, abort: &CancellationToken) {
        while pool.has_room() {
            let now = self.parts.clock.now();
            match self.parts.store.claim(pool.stage, &self.id, now, LEASE_SECS).await {
                Ok(Some(claim)) => self.start(pool, claim, abort),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "no request could be claimed");
                    tokio::time::sleep(STORE_PAUSE).await;
                    return;
                }
            }
        }
    }

    fn start(&self, pool: &mut Pool, claim: Claim, abort: &CancellationToken) {
        let parts = Arc::clone(&self.parts);
        let abort = abort.child_token();
        let Lease { request, epoch, .. } = &claim.lease;
        // Each line of a stage's log says whose it is.
        match pool.stage {
            Stage::Intake => {
                let span = tracing::info_span!("intake", %request, epoch = epoch.0);
                pool.tasks.spawn(intake_stage::take_in(parts, claim, abort).instrument(span))
            }
            Stage::Run => {
                let span = tracing::info_span!("run", %request, epoch = epoch.0);
                pool.tasks.spawn(run_stage::make(parts, claim, abort).instrument(span))
            }
        };
    }

    async fn until_next_wake(&self) {
        let now = self.parts.clock.now();
        let next = self.parts.store.next_wake_after(now).await;
        tokio::time::sleep(next.map_or(STORE_PAUSE, |next| until(next, now))).await;
    }
}

// === impl Pool ===

impl Pool {
    fn has_room(&self) -> bool {
        self.tasks.len() < self.slots
    }
}
