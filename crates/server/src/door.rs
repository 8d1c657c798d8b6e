//! Whether more work is taken now.
//!
//! What a store must decide together with an insert (limits of waiting requests and of budgets)
//! it decides there; this is what can be said before a body is read, and what no row tells: the
//! pace of a key, the room on the disk, and which idempotency keys are in use at this moment.
//! Status polls never come here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::admission::{Bound, Limits, Refused};
use domain::key::KeyRecord;
use domain::usage::Microdollars;
use domain::{OwnerId, Timestamp};
use http::HeaderValue;
use http::header::RETRY_AFTER;
use store::row::BothLimits;
use wire::ErrorCode;

use crate::app::App;
use crate::refusal::Refusal;

/// Why nothing is taken now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Closed {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the server is short of disk space: send this later")]
    Disk,
    #[error("the server is stopping: send this again, it will be back or another will answer")]
    Stopping,
}

/// What the door remembers.
#[derive(Debug, Default)]
pub(crate) struct Door {
    paces: Mutex<HashMap<String, Pace>>,
    in_flight: Arc<Mutex<HashSet<InFlight>>>,
    disk: Mutex<Option<(Timestamp, bool)>>,
}

/// How much of a minute's submits are left: a bucket that fills up evenly.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Submits that may be made now, in thousandths.
    left: i64,
    at: Timestamp,
}

/// One idempotency key in use: owner, path, key.
pub(crate) type InFlight = (OwnerId, String, String);

/// Keeps others with the same idempotency key out until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    taken: InFlight,
    among: Arc<Mutex<HashSet<InFlight>>>,
}

/// A disk is looked at once in so long.
const DISK_FRESH_MILLIS: i64 = 1000;
/// Full buckets are forgotten when there are so many.
const PACES_KEPT: usize = 4096;
const RETRY_DISK_SECS: u32 = 60;
const RETRY_STOPPING_SECS: u32 = 5;
const SUBMIT: i64 = 1000;

/// The limits that bind a key.
pub(crate) const fn limits(key: &KeyRecord) -> BothLimits {
    BothLimits { key: key.limits, owner: key.owner_limits }
}

/// Whether a submit of `key` has a chance, before its body is read: what is said here spares the
/// client the upload, the insert decides.
pub(crate) fn admit_submit(app: &App, key: &KeyRecord) -> Result<(), Closed> {
    admit(app, key)?;
    if let Some(max) = app.config().max_queue.filter(|max| app.store().queued() as u64 >= *max) {
        return Err(Refused::Full { max }.into());
    }
    let now = app.parts().clock.now();
    for (of, subject, limits) in bound(key) {
        app.door().pace(of, subject, limits, now, false)?;
    }
    Ok(app.store().loads(&key.owner, &key.id).admit(&limits(key), Microdollars(0))?)
}

/// Whether bytes of `key` are taken at all.
pub(crate) fn admit(app: &App, key: &KeyRecord) -> Result<(), Closed> {
    if app.is_draining() {
        return Err(Closed::Stopping);
    }
    if app.door().disk_is_full(app) {
        return Err(Closed::Disk);
    }
    let secs = app.parts().clock.now().unix_secs();
    Ok(app.store().loads(&key.owner, &key.id).admit_bytes(&limits(key), secs)?)
}

/// Counts a submit of `key`.
pub(crate) fn count_submit(app: &App, key: &KeyRecord) -> Result<(), Closed> {
    let now = app.parts().clock.now();
    // Both are looked at before either is counted.
    for take in [false, true] {
        for (of, subject, limits) in bound(key) {
            app.door().pace(of, subject, limits, now, take)?;
        }
    }
    Ok(())
}

fn bound(key: &KeyRecord) -> [(Bound, &str, &Limits); 2] {
    [
        (Bound::Key, key.id.as_str(), &key.limits),
        (Bound::Owner, key.owner.as_str(), &key.owner_limits),
    ]
}

// === impl Door ===

impl Door {
    /// Takes an idempotency key, unless a submit with it is under way.
    pub(crate) fn enter(&self, taken: InFlight) -> Option<Ticket> {
        let new = lock(&self.in_flight).insert(taken.clone());
        new.then(|| Ticket { taken, among: Arc::clone(&self.in_flight) })
    }

    fn pace(
        &self,
        of: Bound,
        subject: &str,
        limits: &Limits,
        now: Timestamp,
        take: bool,
    ) -> Result<(), Refused> {
        let Some(max) = limits.submits_per_minute else { return Ok(()) };
        let mut paces = lock(&self.paces);
        if paces.len() >= PACES_KEPT {
            paces.retain(|_, pace| now.millis_since(pace.at) < 60_000);
        }
        let full = i64::from(max) * SUBMIT;
        let pace = paces.entry(subject.to_owned()).or_insert(Pace { left: full, at: now });
        // A clock that was set back fills nothing; one that was set ahead no more than is full.
        let millis = now.millis_since(pace.at).clamp(0, 60_000);
        *pace = Pace { left: (pace.left + millis * i64::from(max) / 60).min(full), at: now };
        if pace.left < SUBMIT {
            let missing = SUBMIT - pace.left;
            let millis = if max == 0 { 60_000 } else { missing * 60 / i64::from(max) };
            return Err(Refused::Pace { of, max, wait_secs: (millis / 1000 + 1) as u32 });
        }
        pace.left -= if take { SUBMIT } else { 0 };
        Ok(())
    }

    fn disk_is_full(&self, app: &App) -> bool {
        let Some(room) = &app.parts().room else { return false };
        let now = app.parts().clock.now();
        let mut last = lock(&self.disk);
        match *last {
            Some((at, full)) if (0..DISK_FRESH_MILLIS).contains(&now.millis_since(at)) => full,
            _ => last.insert((now, !room.has_room())).1,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Ticket ===

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.among).remove(&self.taken);
    }
}

// === impl Closed ===

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Budget { .. } => {
                return Self::new(ErrorCode::InsufficientResources, refused.to_string());
            }
            Refused::Full { .. } => ErrorCode::Unavailable,
            Refused::Queued { .. } | Refused::Pace { .. } | Refused::Bytes { .. } => {
                ErrorCode::RateLimited
            }
        };
        let wait = HeaderValue::from(refused.wait_secs());
        Self::new(code, refused.to_string()).with(RETRY_AFTER, wait)
    }
}

impl From<Closed> for Refusal {
    fn from(closed: Closed) -> Self {
        let secs = match closed {
            Closed::Refused(refused) => return refused.into(),
            Closed::Disk => RETRY_DISK_SECS,
            Closed::Stopping => RETRY_STOPPING_SECS,
        };
        Self::new(ErrorCode::Unavailable, closed.to_string()).with(RETRY_AFTER, secs.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_burst_and_then_an_even_flow() {
        let door = Door::default();
        let limits = Limits { submits_per_minute: Some(6), ..Limits::default() };
        let take = |secs| door.pace(Bound::Key, "key", &limits, Timestamp::from_secs(secs), true);
        for _ in 0..6 {
            take(100).unwrap();
        }
        let Err(Refused::Pace { max: 6, wait_secs, .. }) = take(100) else { panic!() };
        assert_eq!(wait_secs, 11, "one every ten seconds");
        assert!(take(109).is_err());
        assert_eq!((take(110), take(110).is_err()), (Ok(()), true));
        // A look takes nothing; a clock that is set back gives nothing.
        let look = |secs| door.pace(Bound::Key, "key", &limits, Timestamp::from_secs(secs), false);
        assert!(look(0).is_err());
        assert_eq!((look(100), look(100)), (Ok(()), Ok(())));
        assert!(take(100_000).is_ok());
    }

    #[test]
    fn an_idempotency_key_is_in_use_until_its_ticket_is_dropped() {
        let door = Door::default();
        let owner: OwnerId = format!("own_{}", "0".repeat(26)).parse().unwrap();
        let taken = || (owner.clone(), "/p".to_owned(), "k".to_owned());
        let ticket = door.enter(taken());
        assert!(ticket.is_some() && door.enter(taken()).is_none());
        assert!(door.enter((owner.clone(), "/q".to_owned(), "k".to_owned())).is_some());
        drop(ticket);
        assert!(door.enter(taken()).is_some());
    }
}
