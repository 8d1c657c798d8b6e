//! Who is told of his place in the queue, by that place.
//!
//! What comes into the queue, or leaves it, changes the positions behind it alone. Only those are
//! woken: ten thousand who wait cost nothing while requests join the end, and while some run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::OrderKey;
use tokio::sync::Notify;

/// All who are told. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    /// By place, and a number of their own: several may wait for one request.
    told: BTreeMap<(OrderKey, u64), Arc<Notify>>,
    next: u64,
}

/// One who is told; dropped, he is told no more.
#[derive(Debug)]
pub(crate) struct Place {
    key: (OrderKey, u64),
    moved: Arc<Notify>,
    places: Places,
}

// === impl Places ===

impl Places {
    /// Takes one up whose request has this place. To be done before its position is read: a move
    /// in between is then not missed.
    pub(crate) fn enter(&self, order: OrderKey) -> Place {
        let moved = Arc::new(Notify::new());
        let mut open = self.lock();
        let key = (order, open.next);
        open.next += 1;
        open.told.insert(key, Arc::clone(&moved));
        Place { key, moved, places: self.clone() }
    }

    /// The queue has changed from this place on; how many were told.
    pub(crate) fn tell(&self, from: OrderKey) -> usize {
        let open = self.lock();
        open.told.range((from, 0)..).map(|(_, place)| place.notify_one()).count()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Place ===

impl Place {
    /// Returns once it may have moved.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().told.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use domain::Priority;
    use futures_util::FutureExt;

    use super::*;

    fn order(n: i64) -> OrderKey {
        OrderKey { priority: Priority::Normal, finish: n, seq: n }
    }

    #[test]
    fn only_those_behind_are_told_each_once() {
        let places = Places::default();
        let [first, second, twin, third] = [1, 2, 2, 3].map(|n| places.enter(order(n)));
        let heard = |place: &Place| place.moved().now_or_never().is_some();
        assert_eq!(places.tell(order(2)), 3);
        assert_eq!(places.tell(order(3)), 1, "which is told once for both");
        let all = [&first, &second, &twin, &third];
        assert_eq!(all.map(heard), [false, true, true, true]);
        assert_eq!(all.map(heard), [false; 4]);
        drop([second, third]);
        assert_eq!((places.tell(order(1)), places.tell(order(3))), (2, 0));
        assert!(heard(&first) && heard(&twin));
        drop([first, twin]);
        assert!(places.lock().told.is_empty());
    }
}
