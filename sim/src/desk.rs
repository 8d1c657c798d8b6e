//! What the server does with a call: the store is asked, the witness told, the history written.
//!
//! The disk under the store takes time before and after each change, and may fail on either side:
//! what a crash or a cut connection falls into.

use std::rc::Rc;
use std::time::Duration;

use domain::facts::Facts;
use domain::lease::{Lease, Stage};
use domain::{Clock as _, Failure, OwnerId, RequestId, State, Timestamp, WorkerId};
use store::outbox::Attempted;
use store::retention::{Cutoffs, Removal};
use store::{Outbox as _, Retention as _, Store as _, StoreError};
use tokio::time::sleep;

use crate::calls::{Answer, Call, End, Letter, Posted};
use crate::letters;
use crate::luck::Luck;
use crate::submit;
use crate::time::HostClock;
use crate::world::World;

/// How long a lease holds without a sign of life, as in the product.
pub const LEASE_SECS: i64 = 30;
/// How many messages are taken at once.
const LETTERS: u32 = 4;
/// The disk works in rounds of so many milliseconds, as a writer that commits in groups does.
const ROUND_MILLIS: u64 = 50;
/// How many records are removed in one go.
const BATCH: u32 = 20;

/// The server's side of all calls.
#[derive(Debug)]
pub struct Desk {
    /// Where it stands.
    pub world: Rc<World>,
    /// The server's host.
    pub host: String,
    /// The server's clock.
    pub clock: HostClock,
    /// The server's chance.
    pub luck: Luck,
}

// === impl Desk ===

impl Desk {
    /// Takes a call that came over the network; `None` where its answer is lost.
    pub async fn take(&self, call: Call) -> Option<Answer> {
        self.world.thawed(&self.host).await;
        let trouble = self.world.trouble();
        if call.writes() && self.luck.chance(trouble.server_dies_midway) {
            // At the end of the tick, wherever the call is then.
            self.world.count("server died midway");
            self.world.doom(&self.host);
        }
        self.disk().await;
        let fails = self.luck.chance(trouble.store_fails);
        if fails && self.luck.chance(500) {
            self.world.count("store failed before");
            return Some(Answer::Unavailable);
        }
        let answer = self.handle(call).await;
        self.disk().await;
        if fails {
            self.world.count("store failed after");
            return Some(Answer::Unavailable);
        }
        if self.luck.chance(trouble.answer_lost) {
            self.world.count("answer lost");
            return None;
        }
        Some(answer)
    }

    async fn disk(&self) {
        let slow = self.luck.chance(self.world.trouble().disk_slow);
        let wait = self.luck.within(if slow { 1000..=12_000 } else { 0..=100 });
        // To the end of a round: what meets there happens at one moment.
        let end = self.world.time.played_millis() as u64 + wait;
        sleep(Duration::from_millis(wait + ROUND_MILLIS - end % ROUND_MILLIS)).await;
    }

    /// Does what a call asks for.
    pub async fn handle(&self, call: Call) -> Answer {
        match call {
            Call::Submit { client, errand, altered } => {
                submit::submit(self, client, errand, altered).await
            }
            Call::Status(id) => match self.world.store.status(&id).await {
                Ok(Some(row)) => Answer::Stands(row.state),
                Ok(None) => Answer::Unknown,
                Err(_) => Answer::Unavailable,
            },
            Call::Cancel(id, force) => self.cancel(&id, force).await,
            Call::Replay(owner, id) => letters::replay(self, owner, id).await,
            Call::Remove(owner, id) => self.remove(&owner, &id).await,
            Call::Claim(stage, worker, now) => self.claim(stage, &worker, now).await,
            Call::Extend(lease, until) => self.extend(&lease, until).await,
            Call::End(lease, end, now) => self.end(&lease, &end, now).await,
            Call::Expire(now) => self.expire(now).await,
            Call::Take { now, until } => self.letters(now, until).await,
            Call::Settle { letter, outcome, now } => self.settle(&letter, outcome, now).await,
        }
    }

    async fn cancel(&self, id: &RequestId, force: bool) -> Answer {
        let outcome = self.world.store.cancel(id, force, self.clock.now()).await;
        let Ok(outcome) = outcome else { return Answer::Unavailable };
        self.world.witness.borrow_mut().cancelled(id, force, outcome.as_ref());
        let Some(outcome) = outcome else { return Answer::Unknown };
        self.note(format!("cancel {id} force={force}: {outcome:?}"));
        if outcome.changed {
            self.world.count("cancelled");
        }
        Answer::Cancelled(outcome.state, outcome.changed)
    }

    async fn remove(&self, owner: &OwnerId, id: &RequestId) -> Answer {
        let Ok(removal) = self.world.store.remove(owner, id).await else {
            return Answer::Unavailable;
        };
        self.world.witness.borrow_mut().removed(id, &removal);
        self.note(format!("remove {id}: {removal:?}"));
        match removal {
            Removal::Done => {
                self.world.count("removed by its owner");
                Answer::Unknown
            }
            Removal::NotFound => Answer::Unknown,
            Removal::Open | Removal::InUse => Answer::Nothing,
        }
    }

    async fn claim(&self, stage: Stage, worker: &WorkerId, now: Timestamp) -> Answer {
        let claim = self.world.store.claim(stage, worker, now, LEASE_SECS).await;
        let Ok(claim) = claim else { return Answer::Unavailable };
        let lease = claim.as_ref().map(|claim| &claim.lease);
        self.world.witness.borrow_mut().claimed(stage, now, lease);
        let Some(claim) = claim else { return Answer::Nothing };
        let (id, epoch) = (&claim.lease.request, claim.lease.epoch.0);
        self.note(format!("claim {stage:?} {id} by {worker}: epoch {epoch}"));
        let poison = claim.row.body.input.get("poison").is_some_and(|p| *p == true);
        Answer::Claimed(claim.lease, poison)
    }

    async fn extend(&self, lease: &Lease, until: Timestamp) -> Answer {
        let answer = self.world.store.extend(lease, until, None).await;
        let mut witness = self.world.witness.borrow_mut();
        if witness.wrote(lease, &answer) {
            witness.extended(lease, until);
        }
        drop(witness);
        self.told("extend", lease, &answer);
        done(&answer)
    }

    async fn end(&self, lease: &Lease, end: &End, now: Timestamp) -> Answer {
        let answer = self.write(lease, end, now).await;
        let mut witness = self.world.witness.borrow_mut();
        if witness.wrote(lease, &answer)
            && let Ok(state) = answer
        {
            witness.ended(lease, end, now, state);
        }
        drop(witness);
        self.told(&format!("{end:?}"), lease, &answer);
        done(&answer.map(drop))
    }

    async fn write(&self, lease: &Lease, end: &End, now: Timestamp) -> Result<State, StoreError> {
        let store = &self.world.store;
        match end {
            End::Kept => {
                let kept = store.inputs_kept(lease, Facts::default(), Vec::new(), now).await;
                kept.map(|()| State::Ready)
            }
            End::Publish(token) => {
                let row = store.request(&lease.request).await?.ok_or(StoreError::Fenced)?;
                let published = submit::published(&row, lease, token, now);
                store.publish(lease, published, now).await.map(|()| State::Succeeded)
            }
            End::Fail => store.fail(lease, failure(), now).await.map(|()| State::Failed),
            End::Fault | End::HandedBack => {
                let setback = end.setback().unwrap_or(domain::lease::Setback::Fault);
                store.set_back(lease, setback, "simulated", now).await
            }
        }
    }

    /// Ends what ran out at `now`.
    pub async fn expire(&self, now: Timestamp) -> Answer {
        if self.world.store.expire(now).await.is_err() {
            return Answer::Unavailable;
        }
        let (leases, deadlines) = self.world.witness.borrow_mut().expired(now);
        if leases + deadlines > 0 {
            self.note(format!("expire: {leases} leases, {deadlines} deadlines"));
        }
        (0..leases).for_each(|_| self.world.count("lease ran out"));
        (0..deadlines).for_each(|_| self.world.count("deadline passed"));
        Answer::Nothing
    }

    /// Takes all leases for lost.
    pub async fn void(&self) {
        let now = self.clock.now();
        if self.world.store.void_leases(now).await.is_err() {
            return;
        }
        let leases = self.world.witness.borrow_mut().voided(now);
        self.note(format!("void: {leases} leases"));
        (0..leases).for_each(|_| self.world.count("lease voided"));
    }

    /// Removes records that are kept no longer.
    pub async fn retire(&self) {
        let Some(kept) = self.world.plan.results_kept else { return };
        let now = self.clock.now();
        let results = Some(now.plus_secs(-(kept.as_secs() as i64)));
        let cutoffs = Cutoffs { now, results, ..Cutoffs::default() };
        while let Ok(removed @ 1..) = self.world.store.retire(cutoffs, BATCH).await {
            self.note(format!("retire: {removed} records"));
            (0..removed).for_each(|_| self.world.count("record removed"));
        }
    }

    async fn letters(&self, now: Timestamp, until: Timestamp) -> Answer {
        let taken = self.world.store.take_deliveries(now, until, LETTERS, &[]).await;
        let Ok(taken) = taken else { return Answer::Unavailable };
        self.world.witness.borrow_mut().taken(now, until, &taken);
        let mut letters = Vec::new();
        for delivery in taken {
            let Ok(row) = self.world.store.status(&delivery.request).await else {
                return Answer::Unavailable;
            };
            letters.push(letters::letter(delivery, row.map(|row| row.state)));
        }
        Answer::Letters(letters)
    }

    async fn settle(&self, letter: &Letter, outcome: Posted, now: Timestamp) -> Answer {
        let outcome = letters::attempted(outcome);
        let gone = outcome == Attempted::Gone;
        let answer = self
            .world
            .store
            .settle_delivery(&letter.id, letter.attempt, outcome.clone(), now)
            .await;
        self.note(format!("settle {} #{}: {outcome:?} {answer:?}", letter.id, letter.attempt));
        self.world.witness.borrow_mut().settled(letter, &outcome, &answer, now);
        if gone {
            self.world.count("receiver gone");
        }
        done(&answer)
    }

    fn told<T: std::fmt::Debug>(&self, what: &str, lease: &Lease, answer: &Result<T, StoreError>) {
        self.note(format!("{what} {} epoch {}: {answer:?}", lease.request, lease.epoch.0));
        if matches!(answer, Err(StoreError::Fenced)) {
            self.world.count("fenced");
        }
    }

    fn note(&self, event: String) {
        self.world.note(&self.host, event);
    }
}

fn done(answer: &Result<(), StoreError>) -> Answer {
    match answer {
        Ok(()) => Answer::Done,
        Err(StoreError::Fenced) => Answer::Fenced,
        Err(_) => Answer::Unavailable,
    }
}

fn failure() -> Failure {
    Failure {
        code: "engine_failed".into(),
        class: "infrastructure".into(),
        message: "simulated".into(),
        detail: Vec::new(),
    }
}
