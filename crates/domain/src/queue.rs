//! The order of the queue, and a request's position in it.
//!
//! Strict between priorities, fair between owners within one: each request gets a *virtual
//! finish time* when it is inserted, one step after the owner's last, but never before the
//! virtual time that the queue has reached (start-time fair queueing, Goyal et al. 1996, with
//! unit cost). An owner with a thousand waiting requests therefore does not starve one who
//! comes with a single request. The key never changes after insert, so one index gives the order
//! in every store.
//!
//! `queue_position` is the rank by that key, 1 for the next to run. [`QueueIndex`] answers it
//! from sorted blocks with counts: a rank costs one pass over some thousand block lengths at a
//! million entries, an insert at most one block's move.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::id::OwnerId;

/// What the sender asked for; smaller runs first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others.
    High,
    /// As shipped.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

/// Place in the queue. Ordered by priority, then virtual finish time, then sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// Strict between priorities.
    pub priority: Priority,
    /// Virtual finish time, fixed at insert.
    pub finish: i64,
    /// The request's sequence number: unique, so no two keys are equal.
    pub seq: i64,
}

/// Hands out virtual finish times.
#[derive(Debug, Default, Clone)]
pub struct FairClock {
    /// Per priority: the virtual time reached, and the last finish time of each waiting owner.
    lanes: [Lane; 3],
}

#[derive(Debug, Default, Clone)]
struct Lane {
    now: i64,
    last: HashMap<OwnerId, i64>,
    /// Owners that start anew anyway are forgotten when `last` has grown to this many.
    prune_at: usize,
}

/// All queued keys, with ranks.
#[derive(Debug, Default)]
pub struct QueueIndex {
    /// Sorted, non-empty blocks of sorted keys.
    blocks: Vec<Vec<OrderKey>>,
    /// `blocks[i].len()`, apart so that a rank reads one dense array.
    lens: Vec<u32>,
    total: usize,
    /// The first key that came or went since somebody asked.
    moved: Option<OrderKey>,
}

/// A block is split in two when it reaches this many keys.
const BLOCK_MAX: usize = 1024;

/// So many owners are remembered without a look at who has work waiting.
const OWNERS_KEPT: usize = 1024;

// === impl Priority ===

impl Priority {
    /// The word used in headers and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// The priority stored as a number (0 runs first); other numbers are `Low`.
    pub const fn from_rank(rank: i64) -> Self {
        match rank {
            0 => Self::High,
            1 => Self::Normal,
            _ => Self::Low,
        }
    }

    /// The number stored for it.
    pub const fn rank(self) -> i64 {
        self as i64
    }
}

// === impl FairClock ===

impl FairClock {
    /// The virtual finish time of a new request of `owner`.
    pub fn next(&mut self, priority: Priority, owner: &OwnerId) -> i64 {
        let lane = self.lane(priority);
        let start = lane.last.get(owner).copied().unwrap_or(i64::MIN).max(lane.now);
        let finish = start + 1;
        lane.last.insert(owner.clone(), finish);
        finish
    }

    /// Undoes the last [`Self::next`] of `owner`, which gave `finish`: the insert did not happen.
    pub fn take_back(&mut self, priority: Priority, owner: &OwnerId, finish: i64) {
        if let Some(last) = self.lane(priority).last.get_mut(owner)
            && *last == finish
        {
            *last -= 1;
        }
    }

    /// A request left the queue to run: virtual time reaches the start of its service.
    pub fn served(&mut self, key: &OrderKey) {
        let lane = self.lane(key.priority);
        lane.now = lane.now.max(key.finish - 1);
        let now = lane.now;
        // Twice what was left the last time, so that forgetting costs little per request.
        if lane.last.len() > lane.prune_at.max(OWNERS_KEPT) {
            lane.last.retain(|_, last| *last > now);
            lane.prune_at = 2 * lane.last.len();
        }
    }

    /// Takes up a request that is already queued, after a restart.
    pub fn restore(&mut self, owner: &OwnerId, key: &OrderKey) {
        let lane = self.lane(key.priority);
        let last = lane.last.entry(owner.clone()).or_insert(key.finish);
        *last = (*last).max(key.finish);
    }

    /// Sets the virtual time after a restart to just before the first queued key of a lane.
    pub fn resume_at(&mut self, priority: Priority, finish: i64) {
        let lane = self.lane(priority);
        lane.now = lane.now.max(finish - 1);
    }

    fn lane(&mut self, priority: Priority) -> &mut Lane {
        let [high, normal, low] = &mut self.lanes;
        match priority {
            Priority::High => high,
            Priority::Normal => normal,
            Priority::Low => low,
        }
    }
}

// === impl QueueIndex ===

impl QueueIndex {
    /// An index of keys that come in order (a scan of the store's index), without any search.
    pub fn from_sorted(keys: impl IntoIterator<Item = OrderKey>) -> Self {
        let mut index = Self::default();
        index.extend_sorted(keys);
        index
    }

    /// Adds keys that come in order, after all that are there.
    pub fn extend_sorted(&mut self, keys: impl IntoIterator<Item = OrderKey>) {
        for key in keys {
            match self.blocks.last_mut() {
                Some(block) if block.len() < BLOCK_MAX / 2 => block.push(key),
                _ => self.blocks.push(vec![key]),
            }
            self.total += 1;
        }
        self.lens = self.blocks.iter().map(|block| block.len() as u32).collect();
    }

    /// How many are queued.
    pub const fn len(&self) -> usize {
        self.total
    }

    /// Whether none is queued.
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The next to run.
    pub fn first(&self) -> Option<OrderKey> {
        self.blocks.first().and_then(|block| block.first()).copied()
    }

    /// All keys in order.
    pub fn iter(&self) -> impl Iterator<Item = OrderKey> {
        self.blocks.iter().flatten().copied()
    }

    /// Adds a key; `false` if it was there.
    pub fn insert(&mut self, key: OrderKey) -> bool {
        let at = self.block_of(&key).min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(vec![key]);
            self.lens.push(1);
            self.total = 1;
            self.note(key);
            return true;
        };
        let Err(place) = block.binary_search(&key) else { return false };
        block.insert(place, key);
        if block.len() >= BLOCK_MAX {
            // Keys mostly arrive at the end: an uneven split leaves full blocks behind.
            let cut = if place + 1 == block.len() { block.len() - 1 } else { block.len() / 2 };
            let tail = block.split_off(cut);
            self.lens.insert(at + 1, tail.len() as u32);
            self.blocks.insert(at + 1, tail);
        }
        self.recount(at);
        self.total += 1;
        self.note(key);
        true
    }

    /// Takes a key out; `false` if it was not there.
    pub fn remove(&mut self, key: &OrderKey) -> bool {
        let at = self.block_of(key);
        let Some(block) = self.blocks.get_mut(at) else { return false };
        let Ok(place) = block.binary_search(key) else { return false };
        block.remove(place);
        if block.is_empty() {
            self.blocks.remove(at);
            self.lens.remove(at);
        } else {
            self.recount(at);
        }
        self.total -= 1;
        self.note(*key);
        true
    }

    /// The first key that came or went since this was asked last: whoever is before it has the
    /// position that he had.
    pub const fn take_moved(&mut self) -> Option<OrderKey> {
        self.moved.take()
    }

    fn note(&mut self, key: OrderKey) {
        self.moved = Some(self.moved.map_or(key, |first| first.min(key)));
    }

    /// The key's rank, 1 for the next to run; `None` if it is not queued.
    pub fn position(&self, key: &OrderKey) -> Option<u64> {
        let at = self.block_of(key);
        let place = self.blocks.get(at)?.binary_search(key).ok()?;
        let before: u32 = self.lens.get(..at)?.iter().sum();
        Some(u64::from(before) + place as u64 + 1)
    }

    /// The position that the key has, or would have if it were queued.
    pub fn rank(&self, key: &OrderKey) -> u64 {
        let at = self.block_of(key);
        let before: u32 = self.lens.get(..at).map_or(0, |lens| lens.iter().sum());
        let place = self.blocks.get(at).map_or(0, |b| b.partition_point(|other| other < key));
        u64::from(before) + place as u64 + 1
    }

    /// The first block whose last key is not before `key`; one past the end if there is none.
    fn block_of(&self, key: &OrderKey) -> usize {
        self.blocks.partition_point(|block| block.last().is_none_or(|last| last < key))
    }

    fn recount(&mut self, at: usize) {
        if let (Some(len), Some(block)) = (self.lens.get_mut(at), self.blocks.get(at)) {
            *len = block.len() as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{FairClock, OrderKey, Priority, QueueIndex};
    use crate::clock::{Rng, Timestamp};
    use crate::id::OwnerId;

    struct Byte(u8);
    impl Rng for Byte {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn owner(n: u8) -> OwnerId {
        OwnerId::new(Timestamp(0), &Byte(n))
    }

    fn key(n: i64) -> OrderKey {
        OrderKey { priority: Priority::from_rank(n % 3), finish: n / 7 % 50, seq: n }
    }

    proptest! {
        #[test]
        fn agrees_with_a_sorted_set(ops in prop::collection::vec((any::<bool>(), 0_i64..4000), 0..3000)) {
            let mut index = QueueIndex::default();
            let mut model = BTreeSet::new();
            for (add, n) in ops {
                let key = key(n);
                if add {
                    prop_assert_eq!(index.insert(key), model.insert(key));
                } else {
                    prop_assert_eq!(index.remove(&key), model.remove(&key));
                }
            }
            prop_assert_eq!(index.len(), model.len());
            prop_assert!(index.iter().eq(model.iter().copied()));
            for (rank, key) in model.iter().enumerate() {
                prop_assert_eq!(index.position(key), Some(rank as u64 + 1));
            }
            for n in 0..4000 {
                let before = model.range(..key(n)).count() as u64;
                prop_assert_eq!(index.rank(&key(n)), before + 1);
            }
            prop_assert_eq!(index.first(), model.first().copied());
        }
    }

    #[test]
    fn a_rebuilt_index_gives_the_same_ranks() {
        let sorted: BTreeSet<OrderKey> = (0..10_000).map(key).collect();
        let mut index = QueueIndex::from_sorted(sorted.iter().copied());
        for (rank, key) in sorted.iter().enumerate() {
            assert_eq!(index.position(key), Some(rank as u64 + 1));
        }
        let newcomer = OrderKey { priority: Priority::High, finish: -1, seq: 10_001 };
        assert_eq!(index.position(&newcomer), None);
        assert!(index.insert(newcomer));
        assert_eq!(index.position(&newcomer), Some(1));
    }

    #[test]
    fn positions_before_the_first_move_stay() {
        let mut index = QueueIndex::from_sorted((0..9).map(|n| key(21 * n)));
        assert_eq!(index.take_moved(), None, "it was made so");
        index.insert(key(21 * 9));
        index.remove(&key(21 * 4));
        index.insert(key(21 * 6 + 3));
        assert!(!index.insert(key(0)) && !index.remove(&key(1)), "neither moves anybody");
        assert_eq!((index.take_moved(), index.take_moved()), (Some(key(21 * 4)), None));
    }

    #[test]
    fn a_place_taken_back_is_given_again() {
        let mut clock = FairClock::default();
        let first = clock.next(Priority::Low, &owner(1));
        let second = clock.next(Priority::Low, &owner(1));
        clock.take_back(Priority::Low, &owner(1), second);
        clock.take_back(Priority::Low, &owner(1), first);
        assert_eq!(clock.next(Priority::Low, &owner(1)), first);
        assert_eq!(clock.next(Priority::Low, &owner(2)), first);
    }

    #[test]
    fn one_request_of_a_second_owner_does_not_wait_for_a_thousand_of_the_first() {
        let mut clock = FairClock::default();
        let mut index = QueueIndex::default();
        let mut seq = 0;
        let mut add = |clock: &mut FairClock, index: &mut QueueIndex, who: &OwnerId| {
            seq += 1;
            let finish = clock.next(Priority::Normal, who);
            let key = OrderKey { priority: Priority::Normal, finish, seq };
            index.insert(key);
            key
        };
        for _ in 0..1000 {
            add(&mut clock, &mut index, &owner(1));
        }
        for _ in 0..10 {
            let next = index.first().unwrap();
            index.remove(&next);
            clock.served(&next);
        }
        let late = add(&mut clock, &mut index, &owner(2));
        assert!(index.position(&late).unwrap() <= 2);
    }
}
