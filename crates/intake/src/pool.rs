//! How much is fetched at a time: connections in all, connections to one host, bytes on disk.
//!
//! Each fetch takes its permits once and gives all of them back when it ends, so fetches never
//! wait for one another in a circle. Waiting is first come, first served, and does not count
//! towards a fetch's time limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The byte budget is counted in blocks of this many bytes.
const BLOCK_BYTES: u64 = 1 << 16;

/// How much is done at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Fetches in all.
    pub fetches: usize,
    /// Fetches from one host.
    pub fetches_per_host: usize,
    /// Bytes that running fetches may come to on disk together.
    pub disk_bytes: u64,
    /// Files that are probed or decoded at once.
    pub measures: usize,
}

/// The permits.
#[derive(Debug)]
pub(crate) struct Pool {
    limits: PoolLimits,
    fetches: Arc<Semaphore>,
    disk: Arc<Semaphore>,
    measures: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A fetch's place in the pool, for as long as it lives.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub(crate) struct Place {
    _host: OwnedSemaphorePermit,
    _fetch: OwnedSemaphorePermit,
    disk: OwnedSemaphorePermit,
}

/// The pool was closed, which only happens when its owner is gone.
#[derive(Debug, thiserror::Error)]
#[error("intake has been shut down")]
pub(crate) struct Closed;

// === impl PoolLimits ===

impl Default for PoolLimits {
    fn default() -> Self {
        Self { fetches: 32, fetches_per_host: 6, disk_bytes: 4 << 30, measures: 2 }
    }
}

// === impl Pool ===

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            fetches: Arc::new(Semaphore::new(limits.fetches.max(1))),
            disk: Arc::new(Semaphore::new(blocks(limits.disk_bytes) as usize)),
            measures: Arc::new(Semaphore::new(limits.measures.max(1))),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a place to fetch up to `max_bytes` from `host`. A file larger than the whole
    /// budget takes all of it.
    pub(crate) async fn enter(&self, host: &str, max_bytes: u64) -> Result<Place, Closed> {
        // The host first: whoever waits for a slow host must not hold what others could use.
        let host = self.host(host).acquire_owned().await.map_err(|_| Closed)?;
        let disk = blocks(max_bytes.min(self.limits.disk_bytes));
        let disk = Arc::clone(&self.disk).acquire_many_owned(disk).await.map_err(|_| Closed)?;
        let fetch = Arc::clone(&self.fetches).acquire_owned().await.map_err(|_| Closed)?;
        Ok(Place { _host: host, _fetch: fetch, disk })
    }

    /// Waits for a turn to probe or decode a file.
    pub(crate) async fn measure(&self) -> Result<OwnedSemaphorePermit, Closed> {
        Arc::clone(&self.measures).acquire_owned().await.map_err(|_| Closed)
    }

    fn host(&self, name: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = hosts.get(name).and_then(Weak::upgrade) {
            return known;
        }
        hosts.retain(|_, semaphore| semaphore.strong_count() > 0);
        let fresh = Arc::new(Semaphore::new(self.limits.fetches_per_host.max(1)));
        hosts.insert(name.to_owned(), Arc::downgrade(&fresh));
        fresh
    }
}

// === impl Place ===

impl Place {
    /// Gives back what was reserved beyond `bytes`, once the size of the file is known.
    pub(crate) fn shrink(&mut self, bytes: u64) {
        let surplus = self.disk.num_permits().saturating_sub(blocks(bytes) as usize);
        drop(self.disk.split(surplus));
    }
}

/// At least one, at most what a semaphore can hold.
fn blocks(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(BLOCK_BYTES)).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    const LIMITS: PoolLimits =
        PoolLimits { fetches: 3, fetches_per_host: 2, disk_bytes: 10 * BLOCK_BYTES, measures: 1 };

    fn at_once<T>(future: impl Future<Output = Result<T, Closed>>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_host_does_not_take_everything() {
        let pool = Pool::new(LIMITS);
        let first = at_once(pool.enter("a", 1)).unwrap();
        let _second = at_once(pool.enter("a", 1)).unwrap();
        assert!(at_once(pool.enter("a", 1)).is_none());
        let _other = at_once(pool.enter("b", 1)).unwrap();
        assert!(at_once(pool.enter("c", 1)).is_none(), "three in all");
        drop(first);
        assert!(at_once(pool.enter("a", 1)).is_some());
    }

    #[test]
    fn bytes_on_disk_are_bounded_and_surplus_is_given_back() {
        let pool = Pool::new(LIMITS);
        let mut large = at_once(pool.enter("a", 8 * BLOCK_BYTES)).unwrap();
        assert!(at_once(pool.enter("b", 3 * BLOCK_BYTES)).is_none());
        large.shrink(7 * BLOCK_BYTES + 1);
        assert!(at_once(pool.enter("b", 3 * BLOCK_BYTES)).is_none());
        large.shrink(7 * BLOCK_BYTES);
        assert!(at_once(pool.enter("b", 3 * BLOCK_BYTES)).is_some());
    }

    #[test]
    fn a_file_larger_than_the_budget_goes_alone() {
        let pool = Pool::new(LIMITS);
        let huge = at_once(pool.enter("a", u64::MAX)).unwrap();
        assert!(at_once(pool.enter("b", 1)).is_none());
        drop(huge);
        assert!(at_once(pool.enter("b", 1)).is_some());
    }

    #[test]
    fn hosts_that_nobody_uses_are_forgotten() {
        let pool = Pool::new(LIMITS);
        for n in 0..100 {
            drop(at_once(pool.enter(&format!("host-{n}"), 1)).unwrap());
        }
        assert!(pool.hosts.lock().unwrap().len() <= 2);
    }
}
