//! What the killer and its victims' clients share: where the server is, and what happened so far.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::support::processes::PATIENCE;

/// Where the server is, and the count of what clients saw.
#[derive(Debug)]
pub(crate) struct Load {
    stand: Mutex<Stand>,
    moved: Condvar,
}

#[derive(Debug)]
struct Stand {
    address: SocketAddr,
    /// Rises with each start of the server.
    life: u32,
    over: bool,
    tally: Tally,
}

/// How much clients saw.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Submits answered with 200.
    pub(crate) acknowledged: u64,
    /// Submits sent again with their key, because the answer was lost or to see what comes.
    pub(crate) repeated: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
}

// === impl Load ===

impl Load {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stand = Stand { address, life: 0, over: false, tally: Tally::default() };
        Self { stand: Mutex::new(stand), moved: Condvar::new() }
    }

    /// The server's address, and which of its lives it is.
    pub(crate) fn place(&self) -> (SocketAddr, u32) {
        let stand = self.lock();
        (stand.address, stand.life)
    }

    /// The server is back.
    pub(crate) fn back(&self, address: SocketAddr) {
        self.change(|stand| {
            stand.address = address;
            stand.life += 1;
        });
    }

    /// Nothing new is to be submitted.
    pub(crate) fn end(&self) {
        self.change(|stand| stand.over = true);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Something was seen.
    pub(crate) fn count(&self, add: impl FnOnce(&mut Tally)) {
        self.change(|stand| add(&mut stand.tally));
    }

    pub(crate) fn tally(&self) -> Tally {
        self.lock().tally
    }

    /// Waits for a life of the server after this one, of which `why` was the last word.
    pub(crate) fn await_life_after(&self, life: u32, why: &str) {
        self.wait(&format!("a restart after `{why}`"), |stand| stand.life > life);
    }

    /// Waits until so many more of what `count` counts were seen, or for so long.
    pub(crate) fn await_more(&self, more: u64, count: fn(&Tally) -> u64, longest: Duration) {
        let stand = self.lock();
        let enough = count(&stand.tally) + more;
        let few = |stand: &mut Stand| count(&stand.tally) < enough;
        let _ = self.moved.wait_timeout_while(stand, longest, few).unwrap();
    }

    /// Lets others work for a moment.
    pub(crate) fn pause(&self, length: Duration) {
        let _ = self.moved.wait_timeout(self.lock(), length).unwrap();
    }

    fn wait(&self, what: &str, done: impl Fn(&Stand) -> bool) {
        let waited = self.moved.wait_timeout_while(self.lock(), PATIENCE, |stand| !done(stand));
        let (stand, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "in {PATIENCE:?} there was not {what}: {stand:?}");
    }

    fn change(&self, change: impl FnOnce(&mut Stand)) {
        change(&mut self.lock());
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap()
    }
}

// === impl Tally ===

impl Tally {
    /// Ends of work.
    pub(crate) const fn made(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// Everything that cannot be taken back.
    pub(crate) const fn events(&self) -> u64 {
        self.acknowledged + self.cancelled + self.made()
    }

    /// What came after `earlier`.
    pub(crate) const fn since(&self, earlier: &Self) -> Self {
        Self {
            acknowledged: self.acknowledged - earlier.acknowledged,
            repeated: self.repeated - earlier.repeated,
            succeeded: self.succeeded - earlier.succeeded,
            failed: self.failed - earlier.failed,
            cancelled: self.cancelled - earlier.cancelled,
        }
    }
}
