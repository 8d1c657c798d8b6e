//! What others ask the witness.

use std::collections::BTreeMap;

use domain::{OwnerId, RequestId, State, Timestamp};

use super::Witness;
use super::cases::Case;

impl Witness {
    /// Whether nothing can happen to any request any more.
    pub fn all_ended(&self) -> bool {
        self.cases.values().all(|case| case.state.is_terminal())
    }

    /// The requests that have not ended, for people.
    pub fn open(&self) -> Vec<String> {
        let open = self.cases.iter().filter(|(_, case)| !case.state.is_terminal());
        open.map(|(id, case)| format!("`{id}` {case:?}")).collect()
    }

    /// Where a request stands.
    pub fn state(&self, id: &RequestId) -> Option<State> {
        self.cases.get(id).map(|case| case.state)
    }

    /// Whether a request has ended.
    pub fn has_ended(&self, id: &RequestId) -> bool {
        self.state(id).is_some_and(State::is_terminal)
    }

    /// Whether the record of a request may be gone.
    pub fn may_be_gone(&self, id: &RequestId) -> bool {
        self.was_removed(id) || self.retires && self.has_ended(id)
    }

    /// Whether its owner had the record of a request removed.
    pub fn was_removed(&self, id: &RequestId) -> bool {
        self.cases.get(id).is_some_and(|case| case.removed)
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.cases.values().filter(|case| case.state.is_queued()).count()
    }

    /// How many requests run.
    pub fn running(&self) -> usize {
        self.cases.values().filter(|case| case.state == State::Running).count()
    }

    /// The first moment after `now` at which something is to be done about a request.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.cases.values().filter_map(|case| case.next_wake(now)).min()
    }

    /// How many requests of `owner` stand so.
    pub fn count(&self, owner: &OwnerId, state: State) -> usize {
        self.cases.values().filter(|case| case.owner == *owner && case.state == state).count()
    }

    /// Whether so many workers were lost with a request that it may have ended of that.
    pub fn was_lost(&self, id: &RequestId) -> bool {
        self.cases.get(id).is_some_and(Case::was_lost)
    }

    /// Which request a key was used for.
    pub fn request_of(&self, key: &str) -> Option<&RequestId> {
        self.keys.get(key)
    }

    /// All requests, and where each stands.
    pub fn requests(&self) -> impl Iterator<Item = (&RequestId, State)> {
        self.cases.iter().map(|(id, case)| (id, case.state))
    }

    /// All requests that have a webhook.
    pub fn hooked(&self) -> impl Iterator<Item = (&RequestId, &str, State)> {
        self.cases.iter().filter_map(|(id, case)| Some((id, case.hook.as_deref()?, case.state)))
    }

    /// Where the request of each key stands.
    pub fn ends(&self) -> BTreeMap<String, State> {
        let end = |(key, id): (&String, &RequestId)| Some((key.clone(), self.state(id)?));
        self.keys.iter().filter_map(end).collect()
    }

    /// How many runs of others were claimed from when the request of each key came to when it was.
    pub fn waits(&self) -> BTreeMap<String, usize> {
        let wait = |(key, id): (&String, &RequestId)| {
            let first = self.runs.iter().position(|run| run == id)?;
            Some((key.clone(), first.checked_sub(self.cases.get(id)?.after_runs)?))
        };
        self.keys.iter().filter_map(wait).collect()
    }
}
