//! One true time, and clocks that are wrong.
//!
//! True time is what turmoil has simulated, and what was skipped: where nothing is left to do but
//! to wait for an hour, the hour is not played. A host's clock shows true time and its own error,
//! which jumps both ways while there are faults. Stores have no clock: whatever they compare are
//! times that some host's clock showed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Clock, Timestamp};

/// The moment at which every history begins.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// True time, and by how much the clock of each host is wrong.
#[derive(Debug, Default)]
pub struct Time {
    /// Milliseconds played so far, as the last step left them.
    played: AtomicI64,
    /// Milliseconds that were not played.
    skipped: AtomicI64,
    errors: Mutex<BTreeMap<String, i64>>,
}

/// One host's clock.
#[derive(Debug, Clone)]
pub struct HostClock {
    time: Arc<Time>,
    host: String,
}

// === impl Time ===

impl Time {
    /// Milliseconds simulated so far: to the point inside a host, to the step outside.
    pub fn played_millis(&self) -> i64 {
        turmoil::sim_elapsed()
            .map_or_else(|| self.played.load(Ordering::Relaxed), |at| at.as_millis() as i64)
    }

    /// The present moment.
    pub fn truth(&self) -> Timestamp {
        START.plus_millis(self.played_millis() + self.skipped.load(Ordering::Relaxed))
    }

    /// What `host`'s clock shows is what it asks for.
    pub fn clock(self: &Arc<Self>, host: &str) -> HostClock {
        HostClock { time: Arc::clone(self), host: host.to_owned() }
    }

    /// A step was simulated.
    pub fn stepped_to(&self, millis: i64) {
        self.played.store(millis, Ordering::Relaxed);
    }

    /// Goes on at `moment`, if it lies ahead.
    pub fn skip_to(&self, moment: Timestamp) {
        let ahead = moment.millis_since(self.truth()).max(0);
        self.skipped.fetch_add(ahead, Ordering::Relaxed);
    }

    /// Sets the error of `host`'s clock.
    pub fn set_error(&self, host: &str, millis: i64) {
        self.lock().insert(host.to_owned(), millis);
    }

    /// Every clock is right.
    pub fn heal(&self) {
        self.lock().clear();
    }

    /// Milliseconds skipped in all.
    pub fn skipped_millis(&self) -> i64 {
        self.skipped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl HostClock ===

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let error = self.time.lock().get(&self.host).copied().unwrap_or_default();
        self.time.truth().plus_millis(error)
    }
}
