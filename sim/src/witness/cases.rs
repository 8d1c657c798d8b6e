//! What is known of one request.

use domain::invariants::Seen;
use domain::lease::{Lease, Setback, Stage};
use domain::{OrderKey, OwnerId, State, Timestamp};
use store::row::RequestRow;

use crate::calls::End;

/// One request, as it must be.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) owner: OwnerId,
    pub(super) state: State,
    pub(super) order: OrderKey,
    pub(super) hook: Option<String>,
    /// How many runs were claimed before it came.
    pub(super) after_runs: usize,
    /// Its owner had its record removed.
    pub(super) removed: bool,
    epoch: i64,
    faults: u32,
    losses: u32,
    held: Option<(Stage, Timestamp)>,
    created_at: Timestamp,
    not_before: Timestamp,
    deadline: Option<Timestamp>,
}

/// Which leases are lost.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lapse {
    /// Those that ended before.
    At(Timestamp),
    /// All.
    All(Timestamp),
}

/// Engines may fail so often.
const MAX_FAULTS: u32 = 3;
/// The longest wait between two tries.
const MAX_WAIT_SECS: i64 = 60;
/// A request that came so far in the future is of a clock that was ahead.
const AHEAD_MAX_SECS: i64 = 60;
/// Workers may be lost so often.
const MAX_LOSSES: u32 = 10;

// === impl Case ===

impl Case {
    pub(super) fn new(row: &RequestRow, after_runs: usize) -> Self {
        Self {
            owner: row.owner.clone(),
            state: State::Received,
            order: row.order,
            hook: row.body.webhook.as_ref().map(|hook| hook.url.clone()),
            epoch: 0,
            after_runs,
            removed: false,
            faults: 0,
            losses: 0,
            held: None,
            created_at: row.created_at,
            not_before: row.created_at,
            deadline: row.deadline,
        }
    }

    /// Whether it may be claimed. A wait that is longer than any, by this clock, comes of another
    /// that was ahead, and does not count.
    pub(super) fn waits_for(&self, stage: Stage, now: Timestamp) -> bool {
        let state = match stage {
            Stage::Intake => State::Received,
            Stage::Run => State::Ready,
        };
        let due = self.not_before <= now || self.not_before > now.plus_secs(MAX_WAIT_SECS);
        self.state == state && self.held.is_none() && due
    }

    pub(super) fn holds(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch.0 && self.held.is_some_and(|(stage, _)| stage == lease.stage)
    }

    pub(super) fn claimed(&mut self, lease: &Lease) -> Result<(), String> {
        if let Some((stage, until)) = self.held {
            return Err(format!("it is held for {stage:?} until {until}"));
        }
        if lease.epoch.0 <= self.epoch {
            return Err(format!("epoch {} was given before", lease.epoch.0));
        }
        self.epoch = lease.epoch.0;
        self.held = Some((lease.stage, lease.expires_at));
        if lease.stage == Stage::Run {
            self.state = State::Running;
        }
        Ok(())
    }

    pub(super) fn extended(&mut self, until: Timestamp) {
        if let Some(held) = &mut self.held {
            held.1 = until;
        }
    }

    pub(super) fn ended(&mut self, end: &End, now: Timestamp) {
        match end {
            End::Kept => {
                self.state = State::Ready;
                self.held = None;
            }
            End::Publish(_) => self.finish(State::Succeeded),
            End::Fail => self.finish(State::Failed),
            End::Fault => self.set_back(Setback::Fault, now),
            End::HandedBack => self.set_back(Setback::HandedBack, now),
        }
    }

    pub(super) fn cancelled(&mut self, force: bool) -> bool {
        let reached = self.state.is_queued() || force && self.state == State::Running;
        if reached {
            self.epoch += 1;
            self.finish(State::Cancelled);
        }
        reached
    }

    /// Ends it if its deadline has passed. Where the clock by which it came is ahead of this one,
    /// the deadline is counted from now on, the first time that this is seen.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Option<()> {
        let ahead = self.created_at > now.plus_secs(AHEAD_MAX_SECS);
        if let Some(deadline) = &mut self.deadline
            && ahead
            && *deadline > self.created_at
            && !self.state.is_terminal()
        {
            *deadline = now.plus_millis(deadline.millis_since(self.created_at));
        }
        let passed = self.deadline.is_some_and(|deadline| deadline <= now);
        (passed && !self.state.is_terminal()).then(|| {
            self.epoch += 1;
            self.finish(State::Failed);
        })
    }

    /// Takes its lease away if it is one of those.
    pub(super) fn lapsed(&mut self, which: Lapse) -> Option<()> {
        let (_, until) = self.held?;
        let now = match which {
            Lapse::At(now) if until > now => return None,
            Lapse::At(now) | Lapse::All(now) => now,
        };
        self.set_back(Setback::Lost, now);
        Some(())
    }

    fn set_back(&mut self, setback: Setback, now: Timestamp) {
        let (count, max) = match setback {
            Setback::Fault => (&mut self.faults, Some(MAX_FAULTS)),
            Setback::Lost => (&mut self.losses, Some(MAX_LOSSES)),
            Setback::HandedBack => (&mut self.losses, None),
        };
        *count += 1;
        if max.is_some_and(|max| *count >= max) {
            return self.finish(State::Failed);
        }
        // 1 s, 2 s, 4 s, … 60 s; whoever hands back in good order does not wait.
        let doubled = 2_i64.pow((*count - 1).min(6)).min(MAX_WAIT_SECS);
        let wait_secs = if max.is_some() { doubled } else { 0 };
        self.not_before = now.plus_secs(wait_secs);
        self.held = None;
        if self.state == State::Running {
            self.state = State::Ready;
        }
    }

    fn finish(&mut self, state: State) {
        self.state = state;
        self.held = None;
    }

    /// The first moment after `now` at which something is to be done about it.
    pub(super) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        if self.state.is_terminal() {
            return None;
        }
        let claimable = self.held.is_none() && self.not_before > self.created_at;
        let next = self.held.map(|(_, until)| until).or(claimable.then_some(self.not_before));
        next.into_iter().chain(self.deadline).filter(|moment| *moment > now).min()
    }

    /// Whether so many workers were lost with it that it may have ended of that.
    pub(super) const fn was_lost(&self) -> bool {
        self.losses >= MAX_LOSSES
    }

    /// How the store's account of it differs.
    pub(super) fn differs(&self, seen: &Seen) -> Option<String> {
        let known = (self.state, self.epoch, self.faults, self.losses);
        let found = (seen.state, seen.epoch.0, seen.tries.attempts, seen.tries.losses);
        (known != found).then(|| format!("`{}` is {found:?} and must be {known:?}", seen.id))
    }
}
