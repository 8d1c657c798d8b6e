//! Who has what waiting, running and spent, and how deep the queue is: counted as it happens.
//!
//! A store applies the step of each change ([`Ledger::take`]) and takes it back when its
//! transaction is rolled back. What it says decides admissions, so it must never drift from the
//! rows: the conformance suite compares the two.

use domain::admission::{self, Load, Refused, Step};
use domain::queue::Priority;
use domain::usage::Microdollars;
use domain::{KeyId, OwnerId, State};
use foldhash::HashMap;

use crate::row::{Loads, NewRequest, RequestRow};

/// What somebody has going on, and what the queue holds.
#[derive(Debug, Default, Clone)]
pub struct Ledger {
    loads: HashMap<Box<str>, Load>,
    models: HashMap<Box<str>, Depth>,
    queued: u64,
}

/// What one model has going on.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Requests that wait, by priority rank.
    pub queued: [u64; 3],
    /// Requests that run.
    pub running: u64,
}

/// Whom a step concerns.
#[derive(Debug, Clone)]
pub struct Parties {
    /// Whose request it is.
    pub owner: OwnerId,
    /// The key it came with.
    pub key: KeyId,
    /// Its model.
    pub model: Box<str>,
    /// Its lane.
    pub priority: Priority,
}

// === impl Parties ===

impl Parties {
    /// Those of a row.
    pub fn of(row: &RequestRow) -> Self {
        Self {
            owner: row.owner.clone(),
            key: row.key.clone(),
            model: row.model.as_str().into(),
            priority: row.order.priority,
        }
    }
}

// === impl Ledger ===

impl Ledger {
    /// Applies a step.
    pub fn take(&mut self, parties: &Parties, step: &Step) {
        self.each(parties, |load| load.take(step));
        self.shift(parties, step.before, Some(step.after));
    }

    /// Takes a step back.
    pub fn undo(&mut self, parties: &Parties, step: &Step) {
        self.each(parties, |load| load.undo(step));
        self.shift(parties, Some(step.after), step.before);
    }

    /// Takes up `count` requests of one kind after a restart.
    pub fn restore(&mut self, parties: &Parties, state: State, count: u64, price: Microdollars) {
        let (queued, running) = match state {
            _ if state.is_queued() => (count as u32, 0),
            State::Running => (0, count as u32),
            _ => return,
        };
        self.each(parties, |load| {
            load.queued += queued;
            load.running += running;
            load.reserved.0 += price.0;
        });
        let depth = self.depth_mut(parties);
        depth.running += u64::from(running);
        if let Some(lane) = depth.queued.get_mut(parties.priority.rank() as usize) {
            *lane += u64::from(queued);
        }
        self.queued += u64::from(queued);
    }

    /// Takes up what `subject` (an owner or a key) spent and sent before a restart.
    pub fn restore_account(&mut self, subject: &str, spent: Microdollars, day: i64, bytes: u64) {
        let load = self.load_mut(subject);
        (load.spent, load.day, load.bytes) = (spent, day, bytes);
    }

    /// Adds bytes that were taken in.
    pub fn add_bytes(&mut self, owner: &OwnerId, key: &KeyId, day: i64, bytes: u64) {
        self.load_mut(owner.as_str()).add_bytes(day, bytes);
        self.load_mut(key.as_str()).add_bytes(day, bytes);
    }

    /// Takes bytes back.
    pub fn undo_bytes(&mut self, owner: &OwnerId, key: &KeyId, day: i64, bytes: u64) {
        for subject in [owner.as_str(), key.as_str()] {
            let load = self.load_mut(subject);
            if load.day == day {
                load.bytes = load.bytes.saturating_sub(bytes);
            }
        }
    }

    /// What an owner and one of their keys have going on.
    pub fn loads(&self, owner: &OwnerId, key: &KeyId) -> Loads {
        Loads { owner: self.load(owner.as_str()), key: self.load(key.as_str()) }
    }

    /// What one of them, by id, has going on.
    pub fn load(&self, subject: &str) -> Load {
        self.loads.get(subject).copied().unwrap_or_default()
    }

    /// Whether a new request may be taken.
    pub fn admit(&self, new: &NewRequest) -> Result<(), Refused> {
        let terms = &new.terms;
        if let Some(max) = terms.max_queue.filter(|max| self.queued >= *max) {
            return Err(Refused::Full { max });
        }
        let loads = self.loads(&new.owner, &new.key);
        loads.admit(&terms.limits, terms.price)
    }

    /// What each model has going on.
    pub fn depths(&self) -> impl Iterator<Item = (&str, &Depth)> {
        self.models.iter().map(|(model, depth)| (&**model, depth))
    }

    fn each(&mut self, parties: &Parties, mut change: impl FnMut(&mut Load)) {
        change(self.load_mut(parties.owner.as_str()));
        change(self.load_mut(parties.key.as_str()));
    }

    fn load_mut(&mut self, subject: &str) -> &mut Load {
        if !self.loads.contains_key(subject) {
            self.loads.insert(subject.into(), Load::default());
        }
        self.loads.entry(subject.into()).or_default()
    }

    fn depth_mut(&mut self, parties: &Parties) -> &mut Depth {
        self.models.entry(parties.model.clone()).or_default()
    }

    fn shift(&mut self, parties: &Parties, before: Option<State>, after: Option<State>) {
        let lane = parties.priority.rank() as usize;
        let depth = self.depth_mut(parties);
        let mut moved = 0_i64;
        for (state, by) in [(before, -1_i64), (after, 1)] {
            let Some(state) = state else { continue };
            if state == State::Running {
                depth.running = depth.running.saturating_add_signed(by);
            } else if state.is_queued() {
                moved += by;
            }
        }
        if let Some(lane) = depth.queued.get_mut(lane) {
            *lane = lane.saturating_add_signed(moved);
        }
        self.queued = self.queued.saturating_add_signed(moved);
    }
}

// === impl Loads ===

impl Loads {
    /// Whether both the key and its owner may take on a request that costs `price`.
    pub fn admit(
        &self,
        limits: &crate::row::BothLimits,
        price: Microdollars,
    ) -> Result<(), Refused> {
        use admission::Bound::{Key, Owner};
        admission::admit(Key, &limits.key, &self.key, price)?;
        admission::admit(Owner, &limits.owner, &self.owner, price)
    }

    /// Whether both may send more bytes at `secs` seconds since 1970.
    pub fn admit_bytes(&self, limits: &crate::row::BothLimits, secs: i64) -> Result<(), Refused> {
        use admission::Bound::{Key, Owner};
        self.key.admit_bytes(Key, &limits.key, secs)?;
        self.owner.admit_bytes(Owner, &limits.owner, secs)
    }
}
