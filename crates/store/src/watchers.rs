//! Who waits for news of which request.
//!
//! Ten thousand callers that watch ten thousand requests cost nothing while nothing happens, and
//! a change wakes those alone who watch the request that changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::RequestId;
use tokio::sync::watch;

/// The callers that watch, by request.
#[derive(Debug, Default)]
pub struct Watchers {
    watched: Mutex<Watched>,
    /// How many requests are watched, to be read without the lock.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Watched {
    senders: HashMap<RequestId, watch::Sender<()>>,
    /// Requests that nobody watches any more are forgotten when there are so many.
    prune_at: usize,
}

/// So many requests are remembered without a look at who still watches.
const KEPT: usize = 1024;

// === impl Watchers ===

impl Watchers {
    /// A receiver that changes whenever this request does. To be made before the request is
    /// read: what happens in between is then not missed.
    pub fn watch(&self, id: &RequestId) -> watch::Receiver<()> {
        let mut watched = self.lock();
        if watched.senders.len() > watched.prune_at.max(KEPT) {
            watched.senders.retain(|_, sender| sender.receiver_count() > 0);
            watched.prune_at = 2 * watched.senders.len();
        }
        let sender = watched.senders.entry(id.clone()).or_insert_with(|| watch::Sender::new(()));
        let receiver = sender.subscribe();
        self.count.store(watched.senders.len(), Ordering::Release);
        receiver
    }

    /// These requests changed.
    pub fn tell<'a>(&self, ids: impl IntoIterator<Item = &'a RequestId>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut watched = self.lock();
        for id in ids {
            let Some(sender) = watched.senders.get(id) else { continue };
            if sender.send(()).is_err() {
                watched.senders.remove(id);
            }
        }
        self.count.store(watched.senders.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crate::conformance::{Dice, Maker};
    use domain::{Priority, Timestamp};

    use super::*;

    #[test]
    fn only_those_who_watch_a_request_hear_of_it_and_the_gone_are_forgotten() {
        let (watchers, maker) = (Watchers::default(), Maker::new(1));
        let id = || maker.request(&maker.owner(), Priority::Normal).id;
        let (a, b) = (id(), id());
        let (mut of_a, mut of_b) = (watchers.watch(&a), watchers.watch(&b));
        watchers.tell([&a]);
        assert!(of_a.has_changed().unwrap() && !of_b.has_changed().unwrap());
        of_a.mark_unchanged();
        of_b.mark_unchanged();
        drop(of_a);
        watchers.tell([&a, &b]);
        assert_eq!(watchers.lock().senders.len(), 1, "nobody watches the first any more");
        let dice = Dice::new(2);
        for _ in 0..5 * KEPT {
            drop(watchers.watch(&RequestId::new(Timestamp(0), &dice)));
        }
        assert!(watchers.lock().senders.len() <= 2 * KEPT + 2);
        watchers.tell([&b]);
        assert!(of_b.has_changed().unwrap());
    }
}
