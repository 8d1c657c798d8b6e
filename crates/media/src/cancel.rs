//! Cancellation and deadlines that reach child processes at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::MediaError;

/// Stops what it is passed to. Clones share one state; a cancelled token stays cancelled.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    inner: Arc<Inner>,
    /// When calls with this handle are stopped, if they are.
    deadline: Option<Instant>,
}

#[derive(Debug, Default)]
struct Inner {
    cancelled: AtomicBool,
    groups: Mutex<Vec<Pid>>,
}

// === impl CancelToken ===

impl CancelToken {
    /// A token that nobody has cancelled, without a deadline.
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle on the same token whose calls end with [`MediaError::TimedOut`] after `limit`
    /// from now, or at this handle's own deadline if that is earlier.
    #[must_use]
    pub fn with_timeout(&self, limit: Duration) -> Self {
        let deadline = now().checked_add(limit);
        let deadline = match (self.deadline, deadline) {
            (Some(own), Some(new)) => Some(own.min(new)),
            (own, new) => own.or(new),
        };
        Self { inner: Arc::clone(&self.inner), deadline }
    }

    /// Kills the process group of every child that runs under this token.
    pub fn cancel(&self) {
        let groups = self.groups();
        self.inner.cancelled.store(true, Ordering::SeqCst);
        for group in groups.iter() {
            // One that ended by itself is not there any more.
            let _ = kill_process_group(*group, Signal::KILL);
        }
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::SeqCst)
    }

    /// An error if calls with this handle are to end.
    pub(crate) fn check(&self) -> Result<(), MediaError> {
        if self.is_cancelled() {
            return Err(MediaError::Cancelled);
        }
        match self.left() {
            Some(left) if left.is_zero() => Err(MediaError::TimedOut),
            _ => Ok(()),
        }
    }

    /// Time to the deadline; `None` without one.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(now()))
    }

    /// Registers a child's group; one that comes after the cancellation is killed at once.
    pub(crate) fn watch(&self, group: Pid) {
        let mut groups = self.groups();
        groups.push(group);
        if self.is_cancelled() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Kills a group, unless it was forgotten: its id may be another's by then.
    pub(crate) fn kill(&self, group: Pid) {
        if self.groups().contains(&group) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Forgets a group whose leader is about to be waited for.
    pub(crate) fn forget(&self, group: Pid) {
        self.groups().retain(|watched| *watched != group);
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        self.inner.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline for a child process is real time; no result depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
