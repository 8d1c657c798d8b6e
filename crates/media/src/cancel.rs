//! Cancellation that reaches child processes at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// Cancels what it is passed to. Clones share one state; a cancelled token stays cancelled.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    cancelled: AtomicBool,
    groups: Mutex<Vec<Pid>>,
}

// === impl CancelToken ===

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Kills the process group of every child that runs under this token.
    pub fn cancel(&self) {
        let groups = self.groups();
        self.0.cancelled.store(true, Ordering::SeqCst);
        for group in groups.iter() {
            // One that ended by itself is not there any more.
            let _ = kill_process_group(*group, Signal::KILL);
        }
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Registers a child's group; one that comes after the cancellation is killed at once.
    pub(crate) fn watch(&self, group: Pid) {
        let mut groups = self.groups();
        groups.push(group);
        if self.is_cancelled() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Forgets a group whose leader is about to be waited for.
    pub(crate) fn forget(&self, group: Pid) {
        self.groups().retain(|watched| *watched != group);
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
