//! Leases, epochs and the rules for attempts.
//!
//! Whoever works on a request holds a lease: an epoch and a deadline. Each claim, and each
//! cancellation, raises the epoch; a write that carries an old epoch changes nothing (fencing
//! token, as in Kleppmann, *How to do distributed locking*, 2016). A worker that was paused for
//! a minute and wakes up therefore cannot overwrite what its successor did.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{RequestId, WorkerId};

/// How often an engine may fail on one request before the request fails.
pub const MAX_ATTEMPTS: u32 = 3;
/// How often a whole worker or server may die or hand back while it holds one request.
pub const MAX_LOSSES: u32 = 10;

/// Longest wait between two tries, in seconds.
pub const MAX_BACKOFF_SECS: i64 = 60;

/// Counts the claims and cancellations of one request.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Epoch(pub i64);

/// The two stages that are leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Fetching and checking the inputs of a `received` request.
    Intake,
    /// Making the clip of a `ready` request.
    Run,
}

/// The right to work on one stage of one request until `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a lease is published, released or left to expire"]
pub struct Lease {
    /// The request.
    pub request: RequestId,
    /// What the holder may do.
    pub stage: Stage,
    /// The fencing token.
    pub epoch: Epoch,
    /// Who holds it.
    pub worker: WorkerId,
    /// When it counts no more, unless extended.
    pub expires_at: Timestamp,
}

/// How often a request was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tries {
    /// Runs that ended in a fault of the engine or of intake's surroundings.
    pub attempts: u32,
    /// Runs that ended because a whole worker died or stopped.
    pub losses: u32,
}

/// Why a lease is given back without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// The engine, or something that intake needs, failed: costs an attempt.
    Fault,
    /// The worker died, or its lease ran out: counted apart, with backoff.
    Lost,
    /// The worker stops in good order and hands the request back: counted as a loss, no backoff.
    HandedBack,
}

/// What becomes of a request after a setback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Back to the queue at its old place, not before `not_before`.
    Retry {
        /// The new counts.
        tries: Tries,
        /// Earliest moment of the next claim.
        not_before: Timestamp,
    },
    /// The request has failed.
    GiveUp {
        /// The new counts.
        tries: Tries,
    },
}

// === impl Tries ===

impl Tries {
    /// Applies the attempt rules to a setback at `now`.
    ///
    /// Backoff doubles from 1 s: after attempt n, 2^(n-1) s; after loss n, likewise, at most
    /// [`MAX_BACKOFF_SECS`].
    pub fn after(self, setback: Setback, now: Timestamp) -> Next {
        let (tries, count, max) = match setback {
            Setback::Fault => {
                let tries = Self { attempts: self.attempts + 1, ..self };
                (tries, tries.attempts, MAX_ATTEMPTS)
            }
            Setback::Lost | Setback::HandedBack => {
                let tries = Self { losses: self.losses + 1, ..self };
                (tries, tries.losses, MAX_LOSSES)
            }
        };
        if count >= max && setback != Setback::HandedBack {
            return Next::GiveUp { tries };
        }
        let wait_secs = match setback {
            Setback::HandedBack => 0,
            Setback::Fault | Setback::Lost => {
                (1_i64 << count.saturating_sub(1).min(6)).min(MAX_BACKOFF_SECS)
            }
        };
        Next::Retry { tries, not_before: now.plus_secs(wait_secs) }
    }
}

/// Whether a request that is not to be claimed before `not_before` may be claimed at `now`. A wait
/// longer than any backoff comes of a clock that was set back meanwhile: it counts no more.
pub const fn is_due(not_before: Timestamp, now: Timestamp) -> bool {
    not_before.0 <= now.0 || not_before.0 > now.plus_secs(MAX_BACKOFF_SECS).0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(100);

    fn count(setback: Setback) -> u32 {
        let mut tries = Tries::default();
        for n in 1..100 {
            match tries.after(setback, NOW) {
                Next::Retry { tries: after, .. } => tries = after,
                Next::GiveUp { .. } => return n,
            }
        }
        100
    }

    #[test]
    fn faults_and_losses_have_limits_of_their_own() {
        assert_eq!(count(Setback::Fault), MAX_ATTEMPTS);
        assert_eq!(count(Setback::Lost), MAX_LOSSES);
        assert_eq!(count(Setback::HandedBack), 100, "an orderly stop never fails a request");
    }

    #[test]
    fn waits_double_and_an_orderly_hand_back_waits_not_at_all() {
        let waits: Vec<i64> = (0..9)
            .map(|losses| match (Tries { attempts: 0, losses }).after(Setback::Lost, NOW) {
                Next::Retry { not_before, .. } => not_before.millis_since(NOW) / 1000,
                Next::GiveUp { .. } => -1,
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let Next::Retry { not_before, .. } = Tries::default().after(Setback::HandedBack, NOW)
        else {
            unreachable!()
        };
        assert_eq!(not_before, NOW);
    }
}
