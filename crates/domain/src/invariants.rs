//! What must hold whichever store, worker or server is asked; used by conformance and crash tests.
//!
//! The list is numbered as in `ARCHITECTURE.md`. Each function takes what an observer can see
//! and returns the violations in words, so that an audit lists all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::RequestId;
use crate::lease::{Epoch, MAX_ATTEMPTS, Stage, Tries};
use crate::queue::OrderKey;
use crate::request::State;

/// One request as an audit sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its id.
    pub id: RequestId,
    /// Its state.
    pub state: State,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its counts.
    pub tries: Tries,
    /// Its key, while queued.
    pub order: Option<OrderKey>,
    /// Its position as answered, while queued.
    pub position: Option<u64>,
    /// Unexpired leases on it.
    pub leases: Vec<Stage>,
    /// Outputs published for it.
    pub outputs: usize,
    /// Times it was charged.
    pub charges: usize,
}

/// Checks what one look at a whole store can tell: 1, 2, 4, 6, 7 and 8.
///
/// `acknowledged` are the ids that clients were given with a 200.
pub fn audit(seen: &[Seen], acknowledged: &BTreeSet<RequestId>) -> Vec<String> {
    let mut wrong = Vec::new();
    let ids: BTreeSet<&RequestId> = seen.iter().map(|request| &request.id).collect();
    for id in acknowledged.iter().filter(|id| !ids.contains(id)) {
        wrong.push(format!("1: `{id}` was acknowledged and is gone"));
    }
    for request in seen {
        audit_one(request, &mut wrong);
    }
    let mut queued: Vec<_> = seen.iter().filter_map(|r| r.order.map(|key| (key, r))).collect();
    queued.sort_by_key(|(key, _)| *key);
    for (rank, (_, request)) in queued.iter().enumerate() {
        if request.position != Some(rank as u64 + 1) {
            let (id, found) = (&request.id, request.position);
            wrong.push(format!("7: `{id}` answers position {found:?}, its rank is {}", rank + 1));
        }
    }
    wrong
}

fn audit_one(request: &Seen, wrong: &mut Vec<String>) {
    let Seen { id, state, outputs, charges, .. } = request;
    let published = usize::from(*state == State::Succeeded);
    if *outputs != published {
        wrong.push(format!("2: `{id}` is {state:?} with {outputs} published outputs"));
    }
    if *charges != published {
        wrong.push(format!("8: `{id}` is {state:?} and was charged {charges} times"));
    }
    for stage in [Stage::Intake, Stage::Run] {
        if request.leases.iter().filter(|held| **held == stage).count() > 1 {
            wrong.push(format!("4: `{id}` has two leases for {stage:?}"));
        }
    }
    if request.tries.attempts > MAX_ATTEMPTS {
        wrong.push(format!("6: `{id}` has {} attempts", request.tries.attempts));
    }
    if state.is_queued() != request.order.is_some() {
        wrong.push(format!("7: `{id}` is {state:?} and its place is {:?}", request.order));
    }
}

/// Compares two looks at the same store, the second later: 3 and 5.
pub fn audit_progress(before: &[Seen], after: &[Seen]) -> Vec<String> {
    let later: BTreeMap<&RequestId, &Seen> = after.iter().map(|r| (&r.id, r)).collect();
    let mut wrong = Vec::new();
    for old in before {
        let Some(new) = later.get(&old.id) else { continue };
        if old.state.is_terminal() && new.state != old.state {
            wrong.push(format!("3: `{}` went from {:?} to {:?}", old.id, old.state, new.state));
        }
        if new.epoch < old.epoch {
            wrong.push(format!("5: the epoch of `{}` went back", old.id));
        }
    }
    wrong
}
