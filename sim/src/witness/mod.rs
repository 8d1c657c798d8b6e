//! Stands beside the store and says what must follow from its answers.
//!
//! The rules of a row are told here a second time, from the documentation and not from the code,
//! with the least that is needed: who holds what, what has ended, what may be claimed. Every
//! answer of the store is held against them at the moment it is given, and every audit as a whole.
//! A store that lets an old lease write, gives one request to two workers, or leaves one lying
//! that could be worked on is found out at that call, and not only if harm came of it.

mod cases;
mod messages;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use domain::admission::Limits;
use domain::invariants::{Seen, audit, audit_progress};
use domain::lease::{Lease, Stage};
use domain::{OwnerId, RequestId, State, Timestamp};
use store::retention::Removal;
use store::row::RequestRow;
use store::{CancelOutcome, StoreError};

use crate::calls::End;
use crate::plan::PRICE;
use cases::{Case, Lapse};
use messages::Message;

/// What is known of the store from its answers alone.
#[derive(Debug, Default)]
pub struct Witness {
    /// What does not fit.
    pub wrong: Vec<String>,
    limits: BTreeMap<OwnerId, Limits>,
    /// Whether records are removed after a time.
    retires: bool,
    cases: BTreeMap<RequestId, Case>,
    /// Which request each idempotency key was used for.
    keys: BTreeMap<String, RequestId>,
    messages: BTreeMap<String, Message>,
    /// When each message was replayed last.
    replays: BTreeMap<String, i64>,
    before: Vec<Seen>,
    /// Webhooks of owners that are gone, by the store's own account.
    gone: BTreeSet<(OwnerId, String)>,
    /// Claims of runs, in order.
    runs: Vec<RequestId>,
}

// === impl Witness ===

impl Witness {
    /// Of a store that is empty.
    pub fn new(limits: BTreeMap<OwnerId, Limits>, retires: bool) -> Self {
        Self { limits, retires, ..Self::default() }
    }

    /// A submit with this key was answered with a request that was there.
    pub fn repeated(&mut self, key: &str, id: &RequestId) {
        let known = self.keys.get(key);
        if known != Some(id) {
            self.wrong.push(format!("key {key} gave {known:?} and then `{id}`"));
        }
    }

    /// A submit with this key made a request, whose row this is.
    pub fn inserted(&mut self, key: &str, row: &RequestRow) {
        if let Some(known) = self.keys.get(key) {
            self.wrong.push(format!("key {key} made `{known}` and then `{}`", row.id));
        }
        if !self.has_room(&row.owner) {
            self.wrong.push(format!("`{}` was taken beyond its owner's limits", row.id));
        }
        self.keys.insert(key.to_owned(), row.id.clone());
        self.cases.insert(row.id.clone(), Case::new(row, self.runs.len()));
    }

    /// A submit of this owner was refused for its limits.
    pub fn refused(&mut self, owner: &OwnerId) {
        if self.has_room(owner) {
            self.wrong.push(format!("`{owner}` was refused with room left"));
        }
    }

    fn has_room(&self, owner: &OwnerId) -> bool {
        let limits = self.limits.get(owner).copied().unwrap_or_default();
        let own = || self.cases.values().filter(|case| case.owner == *owner);
        let queued = own().filter(|case| case.state.is_queued()).count();
        let owed = own().filter(|c| !c.state.is_terminal() || c.state == State::Succeeded).count();
        limits.max_queued.is_none_or(|max| queued < max as usize)
            && limits.budget.is_none_or(|budget| PRICE.0 * (owed as i64 + 1) <= budget.0)
    }

    fn may_run(&self, owner: &OwnerId) -> bool {
        let running =
            self.cases.values().filter(|c| c.owner == *owner && c.state == State::Running);
        let max = self.limits.get(owner).and_then(|limits| limits.max_running);
        max.is_none_or(|max| running.count() < max as usize)
    }

    /// The request that a claim has to take.
    fn first(&self, stage: Stage, now: Timestamp) -> Option<&RequestId> {
        let open = self.cases.iter().filter(|(_, case)| case.waits_for(stage, now));
        let open = open.filter(|(_, case)| stage == Stage::Intake || self.may_run(&case.owner));
        open.min_by_key(|(_, case)| case.order).map(|(id, _)| id)
    }

    /// A claim was answered so.
    pub fn claimed(&mut self, stage: Stage, now: Timestamp, lease: Option<&Lease>) {
        let (first, taken) = (self.first(stage, now), lease.map(|lease| &lease.request));
        if first != taken {
            let wrong = format!("a claim for {stage:?} at {now} took {taken:?}, not {first:?}");
            self.wrong.push(wrong);
        }
        let Some(lease) = lease else { return };
        if let Some(case) = self.cases.get_mut(&lease.request)
            && let Err(why) = case.claimed(lease)
        {
            self.wrong.push(format!("`{}` was claimed although {why}", lease.request));
        }
        if stage == Stage::Run {
            self.runs.push(lease.request.clone());
        }
    }

    /// A write under a lease was answered so. Whether it was made, and might be.
    pub fn wrote<T>(&mut self, lease: &Lease, answer: &Result<T, StoreError>) -> bool {
        let (id, epoch) = (&lease.request, lease.epoch);
        let holds = self.cases.get(id).is_some_and(|case| case.holds(lease));
        match answer {
            Ok(_) if !holds => {
                self.wrong.push(format!("`{id}` was written under its old lease {epoch:?}"));
            }
            Err(StoreError::Fenced) if holds => {
                self.wrong.push(format!("`{id}` was fenced under its own lease {epoch:?}"));
            }
            Err(StoreError::Fenced) | Ok(_) => {}
            Err(error) => self.wrong.push(format!("`{id}` was not written: {error}")),
        }
        holds && answer.is_ok()
    }

    /// A lease holds longer.
    pub fn extended(&mut self, lease: &Lease, until: Timestamp) {
        if let Some(case) = self.cases.get_mut(&lease.request) {
            case.extended(until);
        }
    }

    /// A lease was ended by its holder; the state that the store gives.
    pub fn ended(&mut self, lease: &Lease, end: &End, now: Timestamp, state: State) {
        let Some(case) = self.cases.get_mut(&lease.request) else { return };
        case.ended(end, now);
        if case.state != state {
            let (id, expected) = (&lease.request, case.state);
            self.wrong.push(format!("`{id}` is {state:?} after {end:?}, not {expected:?}"));
        }
    }

    /// A cancellation was answered so.
    pub fn cancelled(&mut self, id: &RequestId, force: bool, outcome: Option<&CancelOutcome>) {
        let Some(case) = self.cases.get_mut(id) else { return };
        let changed = case.cancelled(force);
        let expected = (case.state, changed);
        match outcome.map(|outcome| (outcome.state, outcome.changed)) {
            Some(found) if found == expected => {}
            None if case.removed || self.retires && case.state.is_terminal() => {}
            found => {
                self.wrong.push(format!("cancelling `{id}` gave {found:?}, not {expected:?}"));
            }
        }
    }

    /// A removal was answered so.
    pub fn removed(&mut self, id: &RequestId, removal: &Removal) {
        let Some(case) = self.cases.get_mut(id) else { return };
        let there = !case.removed && !self.retires;
        match removal {
            Removal::Done if case.state.is_terminal() && !case.removed => case.removed = true,
            Removal::Open if !case.state.is_terminal() => {}
            Removal::NotFound if !there => {}
            _ => self.wrong.push(format!("removing `{id}` gave {removal:?}: {case:?}")),
        }
    }

    /// What had run out at `now` was ended; how many leases, and how many requests.
    pub fn expired(&mut self, now: Timestamp) -> (usize, usize) {
        let overdue = self.cases.values_mut().filter_map(|case| case.overdue(now)).count();
        (self.lapse(Lapse::At(now)), overdue)
    }

    /// All leases were voided at `now`; how many.
    pub fn voided(&mut self, now: Timestamp) -> usize {
        self.lapse(Lapse::All(now))
    }

    fn lapse(&mut self, which: Lapse) -> usize {
        self.cases.values_mut().filter_map(|case| case.lapsed(which)).count()
    }

    /// Looks at the whole store.
    pub fn audit(&mut self, seen: Vec<Seen>, acknowledged: &BTreeSet<RequestId>) {
        let there: BTreeSet<&RequestId> = seen.iter().map(|seen| &seen.id).collect();
        let removed = |id: &RequestId| {
            let case = self.cases.get(id);
            let may = case.is_some_and(|case| self.retires && case.state.is_terminal());
            (may || case.is_some_and(|case| case.removed)) && !there.contains(id)
        };
        let expected = acknowledged.iter().filter(|id| !removed(id)).cloned().collect();
        let mut wrong = audit(&seen, &expected);
        wrong.extend(audit_progress(&self.before, &seen));
        for (id, case) in &self.cases {
            match seen.iter().find(|seen| seen.id == *id) {
                Some(_) if case.removed => wrong.push(format!("`{id}` is there again")),
                Some(seen) => wrong.extend(case.differs(seen)),
                None if removed(id) && !case.removed && self.is_untold(id) => {
                    wrong.push(format!("`{id}` is gone with a message not settled"));
                }
                None if removed(id) => {}
                None => wrong.push(format!("`{id}` is gone: {case:?}")),
            }
        }
        let unknown = seen.iter().filter(|seen| !self.cases.contains_key(&seen.id));
        wrong.extend(unknown.map(|seen| format!("nobody sent `{}`", seen.id)));
        self.wrong.extend(wrong);
        self.before = seen;
    }
}
