//! How much of the server one owner or one key may use.
//!
//! As shipped nothing is limited. What is limited is refused when the request is sent, not when
//! it would run: [`admit`] looks at what the subject already has waiting, running and spent, and
//! at what this request would cost, so that a burst cannot spend a budget twice.

use serde::{Deserialize, Serialize};

use crate::queue::Priority;
use crate::request::State;
use crate::usage::Microdollars;

/// Limits of one key or one owner; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most requests that wait at a time.
    pub max_queued: Option<u32>,
    /// Most requests that run at a time; more wait, passed over by claims.
    pub max_running: Option<u32>,
    /// Most submits a minute, in bursts of as many.
    pub submits_per_minute: Option<u32>,
    /// Most bytes of bodies and uploads a UTC day.
    pub bytes_per_day: Option<u64>,
    /// What may be spent in all.
    pub budget: Option<Microdollars>,
}

/// Whom limits bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// One key.
    Key,
    /// An owner, with all keys.
    Owner,
}

/// What a key or an owner has going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Requests that wait.
    pub queued: u32,
    /// Requests that run.
    pub running: u32,
    /// What those that wait or run will cost if they succeed.
    pub reserved: Microdollars,
    /// What was charged.
    pub spent: Microdollars,
    /// Bytes taken in on the latest day.
    pub bytes: u64,
    /// That day: days since 1970, UTC.
    pub day: i64,
}

/// Why a request or an upload is not taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too many wait already.
    #[error("{} has {max} requests waiting, its limit: send this one when some have run", whose(*.of))]
    Queued {
        /// Whose limit.
        of: Bound,
        /// The limit.
        max: u32,
    },
    /// Too many were sent within a minute.
    #[error("{} sent {max} requests within a minute, its limit", whose(*.of))]
    Pace {
        /// Whose limit.
        of: Bound,
        /// The limit.
        max: u32,
        /// When there is room again, in seconds.
        wait_secs: u32,
    },
    /// Too many bytes were sent today.
    #[error("{} sent {max} bytes today, its limit", whose(*.of))]
    Bytes {
        /// Whose limit.
        of: Bound,
        /// The limit.
        max: u64,
        /// Seconds until the next UTC day.
        wait_secs: u32,
    },
    /// It would cost more than is left.
    #[error(
        "this request costs {:.3} USD; of the budget of {:.3} USD of {} {:.3} are spent and {:.3} are reserved for requests that wait or run",
        price.usd(), budget.usd(), noun(*.of), spent.usd(), reserved.usd()
    )]
    Budget {
        /// Whose budget.
        of: Bound,
        /// The budget.
        budget: Microdollars,
        /// Charged so far.
        spent: Microdollars,
        /// Set aside for what waits or runs.
        reserved: Microdollars,
        /// What this request costs.
        price: Microdollars,
    },
    /// The queue of the whole server is full.
    #[error("the queue is full with {max} requests: send this one later")]
    Full {
        /// The limit.
        max: u64,
    },
}

/// What a change of a request's state, or its charge, means for those who pay and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where it was; `None` for a new one.
    pub before: Option<State>,
    /// Where it is.
    pub after: State,
    /// What it will cost.
    pub price: Microdollars,
    /// What was charged with this step.
    pub cost: Microdollars,
}

/// The groups in which an operator looks at the queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// The model's id.
    pub model: String,
    /// The lane.
    pub priority: Priority,
}

const fn whose(of: Bound) -> &'static str {
    match of {
        Bound::Key => "this key",
        Bound::Owner => "the owner of this key",
    }
}

const fn noun(of: Bound) -> &'static str {
    match of {
        Bound::Key => "this key",
        Bound::Owner => "its owner",
    }
}

/// Whether a request that costs `price` may be taken, as far as what waits and what is spent
/// decide.
pub fn admit(of: Bound, limits: &Limits, load: &Load, price: Microdollars) -> Result<(), Refused> {
    if let Some(max) = limits.max_queued.filter(|max| load.queued >= *max) {
        return Err(Refused::Queued { of, max });
    }
    if let Some(budget) = limits.budget
        && load.committed().saturating_add(price.0) > budget.0
    {
        let Load { spent, reserved, .. } = *load;
        return Err(Refused::Budget { of, budget, spent, reserved, price });
    }
    Ok(())
}

// === impl Limits ===

impl Limits {
    /// Whether these allow nothing that `other` does not.
    pub fn within(&self, other: &Self) -> bool {
        fn least<T: PartialOrd>(a: Option<T>, b: Option<T>) -> bool {
            b.is_none_or(|b| a.is_some_and(|a| a <= b))
        }
        least(self.max_queued, other.max_queued)
            && least(self.max_running, other.max_running)
            && least(self.submits_per_minute, other.submits_per_minute)
            && least(self.bytes_per_day, other.bytes_per_day)
            && least(self.budget, other.budget)
    }
}

// === impl Load ===

impl Load {
    /// Applies a step.
    pub fn take(&mut self, step: &Step) {
        self.shift(step, 1);
    }

    /// Takes a step back: it did not happen.
    pub fn undo(&mut self, step: &Step) {
        self.shift(step, -1);
    }

    /// Adds bytes taken in on `day`; counting starts anew with each day.
    pub fn add_bytes(&mut self, day: i64, bytes: u64) {
        if self.day != day {
            (self.day, self.bytes) = (day, 0);
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether more bytes may come at `secs` seconds since 1970.
    pub fn admit_bytes(&self, of: Bound, limits: &Limits, secs: i64) -> Result<(), Refused> {
        let (day, within) = (secs.div_euclid(DAY_SECS), secs.rem_euclid(DAY_SECS));
        match limits.bytes_per_day {
            Some(max) if self.day == day && self.bytes >= max => {
                Err(Refused::Bytes { of, max, wait_secs: (DAY_SECS - within) as u32 })
            }
            _ => Ok(()),
        }
    }

    /// What is left of a budget.
    pub const fn left_of(&self, budget: Microdollars) -> Microdollars {
        Microdollars(budget.0.saturating_sub(self.spent.0))
    }

    const fn committed(&self) -> i64 {
        self.spent.0.saturating_add(self.reserved.0)
    }

    fn shift(&mut self, step: &Step, sign: i64) {
        let is = |state: Option<State>, what: fn(State) -> bool| i64::from(state.is_some_and(what));
        let queued = is(Some(step.after), State::is_queued) - is(step.before, State::is_queued);
        let running = |state: State| state == State::Running;
        let runs = is(Some(step.after), running) - is(step.before, running);
        let open = |state: State| !state.is_terminal();
        let opened = is(Some(step.after), open) - is(step.before, open);
        self.queued = moved(self.queued, sign * queued);
        self.running = moved(self.running, sign * runs);
        self.reserved.0 += sign * opened * step.price.0;
        self.spent.0 += sign * step.cost.0;
    }
}

/// Seconds of a day.
pub const DAY_SECS: i64 = 86_400;

fn moved(count: u32, by: i64) -> u32 {
    debug_assert!(i64::from(count) + by >= 0, "a count below zero");
    (i64::from(count) + by).clamp(0, i64::from(u32::MAX)) as u32
}

// === impl Refused ===

impl Refused {
    /// When to try again, in seconds.
    pub const fn wait_secs(&self) -> u32 {
        match self {
            Self::Pace { wait_secs, .. } | Self::Bytes { wait_secs, .. } => *wait_secs,
            Self::Queued { .. } | Self::Full { .. } => 15,
            Self::Budget { .. } => 3600,
        }
    }

    /// A stable word, for metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Pace { .. } => "pace",
            Self::Bytes { .. } => "bytes",
            Self::Budget { .. } => "budget",
            Self::Full { .. } => "full",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRICE: Microdollars = Microdollars(100);

    fn step(before: Option<State>, after: State) -> Step {
        let cost = if after == State::Succeeded { PRICE } else { Microdollars(0) };
        Step { before, after, price: PRICE, cost }
    }

    #[test]
    fn a_budget_counts_what_waits_and_is_charged_once() {
        let limits = Limits { budget: Some(Microdollars(250)), ..Limits::default() };
        let mut load = Load::default();
        for _ in 0..2 {
            admit(Bound::Key, &limits, &load, PRICE).unwrap();
            load.take(&step(None, State::Received));
        }
        let refused = admit(Bound::Key, &limits, &load, PRICE).unwrap_err();
        assert_eq!((refused.word(), load.queued, load.reserved), ("budget", 2, Microdollars(200)));
        load.take(&step(Some(State::Received), State::Cancelled));
        admit(Bound::Key, &limits, &load, PRICE).unwrap();
        load.take(&step(Some(State::Received), State::Ready));
        load.take(&step(Some(State::Ready), State::Running));
        load.take(&step(Some(State::Running), State::Succeeded));
        let open = (load.queued, load.running, load.reserved);
        assert_eq!((open, load.spent), ((0, 0, Microdollars(0)), PRICE));
    }

    #[test]
    fn a_limit_of_waiting_requests_ends_when_one_runs() {
        let limits = Limits { max_queued: Some(1), ..Limits::default() };
        let mut load = Load::default();
        load.take(&step(None, State::Ready));
        let refused = admit(Bound::Owner, &limits, &load, PRICE).unwrap_err();
        assert_eq!(refused, Refused::Queued { of: Bound::Owner, max: 1 });
        load.take(&step(Some(State::Ready), State::Running));
        assert_eq!(admit(Bound::Owner, &limits, &load, PRICE), Ok(()));
    }

    #[test]
    fn limits_are_within_what_is_no_tighter() {
        let none = Limits::default();
        let two = Limits { max_queued: Some(2), ..none };
        let three = Limits { max_queued: Some(3), budget: Some(PRICE), ..none };
        assert!(two.within(&none) && two.within(&two) && three.within(&none));
        assert!(!none.within(&two) && !three.within(&two) && !two.within(&three));
    }

    #[test]
    fn bytes_count_until_midnight() {
        let limits = Limits { bytes_per_day: Some(10), ..Limits::default() };
        let mut load = Load::default();
        load.add_bytes(0, 10);
        let refused = load.admit_bytes(Bound::Key, &limits, DAY_SECS - 7).unwrap_err();
        assert_eq!(refused.wait_secs(), 7);
        assert_eq!(load.admit_bytes(Bound::Key, &limits, DAY_SECS), Ok(()));
        load.add_bytes(1, 3);
        assert_eq!(load.bytes, 3);
    }

    proptest! {
        #[test]
        fn a_step_taken_back_leaves_no_trace(before in 0_usize..7, after in 0_usize..6) {
            let before = State::ALL.get(before).copied();
            let step = step(before, State::ALL[after]);
            let start = Load { queued: 5, running: 5, reserved: Microdollars(500), ..Load::default() };
            let mut load = start;
            load.take(&step);
            load.undo(&step);
            prop_assert_eq!(load, start);
        }
    }
}
