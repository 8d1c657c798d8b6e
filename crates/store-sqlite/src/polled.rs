//! What polls ask for, in memory: where a request stands, and whose a key is.
//!
//! A look-up in SQLite takes two locks of its file and some ten microseconds; most polls ask for
//! what was asked a moment ago. Both caches hold what the database said, and are corrected after
//! each commit. One rule keeps out what was read before a commit and arrives after the
//! correction: a reader notes the [`Generation`] before it reads, and puts down what it read only
//! if no commit has been settled since.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use domain::key::{KeyHash, KeyRecord};
use domain::{OrderKey, OwnerId, RequestId, State};
use foldhash::HashMap;
use foldhash::fast::RandomState;

use crate::stamp::Stamp;

/// How many commits were settled: a reader's proof that what it read is not older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// Where one request stands.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    pub(crate) owner: OwnerId,
    pub(crate) state: State,
    pub(crate) order: OrderKey,
}

/// Both caches.
pub(crate) struct Polled {
    generation: AtomicU64,
    hasher: RandomState,
    shards: [Mutex<HashMap<RequestId, Stand>>; SHARDS],
    keys: RwLock<Keys>,
    stamp: Stamp,
}

/// Keys as they were when the stamp had this length.
#[derive(Default)]
struct Keys {
    stamp: u64,
    records: HashMap<KeyHash, KeyRecord>,
}

const SHARDS: usize = 16;
/// A shard that is full starts anew: what is polled comes back at its next poll.
const SHARD_MAX: usize = 2048;
const KEYS_MAX: usize = 4096;

// === impl Polled ===

impl Polled {
    /// Empty caches; `stamp` tells of keys that another process changes.
    pub(crate) fn new(stamp: Stamp) -> Self {
        Self {
            generation: AtomicU64::new(0),
            hasher: RandomState::default(),
            shards: std::array::from_fn(|_| Mutex::default()),
            keys: RwLock::default(),
            stamp,
        }
    }

    /// To be taken before the database is read.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    /// A commit is durable; what follows corrects what is known.
    pub(crate) fn settled(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Where a request stands, if that is known.
    pub(crate) fn stand(&self, id: &RequestId) -> Option<Stand> {
        self.shard(id)?.get(id).cloned()
    }

    /// Puts down what was read at `generation`.
    pub(crate) fn keep(&self, id: &RequestId, stand: Stand, generation: Generation) {
        let Some(mut shard) = self.shard(id) else { return };
        if self.generation() == generation {
            put(&mut shard, id, stand);
        }
    }

    /// A request went to another state, or is new.
    pub(crate) fn moved(&self, id: &RequestId, stand: Stand) {
        let Some(mut shard) = self.shard(id) else { return };
        put(&mut shard, id, stand);
    }

    /// A request's record is gone.
    pub(crate) fn removed(&self, id: &RequestId) {
        if let Some(mut shard) = self.shard(id) {
            shard.remove(id);
        }
    }

    /// A key, if it is known and no process has changed keys since.
    pub(crate) fn key(&self, hash: &KeyHash) -> Option<KeyRecord> {
        let stamp = self.stamp.read()?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if keys.stamp == stamp { keys.records.get(hash).cloned() } else { None }
    }

    /// What [`Self::keep_key`] needs from before the database is read; none while another process
    /// changes keys.
    pub(crate) fn before_key(&self) -> Option<(Generation, u64)> {
        Some((self.generation(), self.stamp.read()?))
    }

    /// Puts down a key that was read after `before`.
    pub(crate) fn keep_key(&self, hash: KeyHash, key: &KeyRecord, before: (Generation, u64)) {
        let (generation, stamp) = before;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != generation || stamp < keys.stamp {
            return;
        }
        if keys.stamp != stamp || keys.records.len() >= KEYS_MAX {
            keys.records.clear();
            keys.stamp = stamp;
        }
        keys.records.insert(hash, key.clone());
    }

    /// What tells of keys that another process changes.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Keys or limits changed.
    pub(crate) fn forget_keys(&self) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).records.clear();
    }

    fn shard(&self, id: &RequestId) -> Option<MutexGuard<'_, HashMap<RequestId, Stand>>> {
        let at = self.hasher.hash_one(Of(id)) as usize % SHARDS;
        Some(self.shards.get(at)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn put(shard: &mut HashMap<RequestId, Stand>, id: &RequestId, stand: Stand) {
    if let Some(known) = shard.get_mut(id) {
        *known = stand;
        return;
    }
    if shard.len() >= SHARD_MAX {
        shard.clear();
    }
    shard.insert(id.clone(), stand);
}

#[derive(Hash)]
struct Of<'a>(&'a RequestId);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::Priority;
    use store::conformance::Maker;

    use super::*;

    fn stand(owner: &OwnerId, state: State) -> Stand {
        let order = OrderKey { priority: Priority::Normal, finish: 1, seq: 1 };
        Stand { owner: owner.clone(), state, order }
    }

    #[test]
    fn what_was_read_before_a_commit_is_not_put_down_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let polled = Polled::new(Stamp::of(folder.path()));
        let maker = Maker::new(1);
        let (owner, id) = (maker.owner(), maker.request(&maker.owner(), Priority::Normal).id);
        let state = |polled: &Polled| polled.stand(&id).map(|stand| stand.state);
        let early = polled.generation();
        polled.settled();
        polled.keep(&id, stand(&owner, State::Ready), early);
        assert_eq!(state(&polled), None);
        polled.keep(&id, stand(&owner, State::Ready), polled.generation());
        assert_eq!(state(&polled), Some(State::Ready));
        polled.settled();
        polled.moved(&id, stand(&owner, State::Running));
        assert_eq!(state(&polled), Some(State::Running));
        polled.removed(&id);
        assert_eq!(state(&polled), None);
    }

    #[test]
    fn a_full_shard_starts_anew_and_memory_is_bounded() {
        let polled = Polled::new(Stamp::of(Path::new("nowhere")));
        let maker = Maker::new(2);
        let owner = maker.owner();
        for _ in 0..4 * SHARDS * SHARD_MAX {
            let id = maker.request(&owner, Priority::Normal).id;
            polled.moved(&id, stand(&owner, State::Received));
        }
        let held: usize = polled.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * SHARD_MAX, "{held}");
    }
}
