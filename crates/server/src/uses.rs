//! When each key was last used, to the minute.
//!
//! A call takes a read lock and looks at an atomic; the first one of a minute sets it. What was
//! set is written to the store by one task: at once after a silence, then at most once a minute,
//! all keys together. Nobody calls, nothing wakes up.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use domain::{KeyId, Timestamp};
use foldhash::HashMap;
use store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::app::App;

/// What was used since the start.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    keys: RwLock<HashMap<KeyId, Use>>,
    /// Something was used in another minute than is written.
    news: Notify,
}

/// Minutes since 1970.
#[derive(Debug)]
struct Use {
    last: AtomicI64,
    written: AtomicI64,
}

const MINUTE_SECS: i64 = 60;
/// Two writes are no closer to each other.
const PAUSE: Duration = Duration::from_mins(1);

// === impl Uses ===

impl Uses {
    /// A call was made with this key.
    pub(crate) fn note(&self, key: &KeyId, now: Timestamp) {
        let minute = now.unix_secs().div_euclid(MINUTE_SECS);
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = known.get(key) {
            if used.last.load(Ordering::Relaxed) == minute {
                return;
            }
            used.last.store(minute, Ordering::Relaxed);
        } else {
            drop(known);
            let used = Use { last: minute.into(), written: AtomicI64::new(i64::MIN) };
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.insert(key.clone(), used);
        }
        self.news.notify_one();
    }

    /// The minute in which a call was last made with this key, if one was since the start.
    pub(crate) fn last(&self, key: &KeyId) -> Option<Timestamp> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Some(moment(known.get(key)?.last.load(Ordering::Relaxed)))
    }

    /// Writes what is not written.
    pub(crate) async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        let news: Vec<(KeyId, i64)> = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            let all = keys.iter().map(|(key, used)| (key, used, used.last.load(Ordering::Relaxed)));
            all.filter(|(_, used, last)| used.written.load(Ordering::Relaxed) != *last)
                .map(|(key, _, last)| (key.clone(), last))
                .collect()
        };
        if news.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = news.iter().map(|(key, last)| (key.clone(), moment(*last))).collect();
        store.note_uses(&rows).await?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        for (key, last) in &news {
            if let Some(used) = keys.get(key) {
                used.written.store(*last, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn keep_writing(&self, store: &dyn Store) {
        loop {
            self.news.notified().await;
            if let Err(error) = self.write(store).await {
                tracing::warn!(%error, "when keys were used is not written and tried again");
                self.news.notify_one();
            }
            sleep(PAUSE).await;
        }
    }
}

const fn moment(minute: i64) -> Timestamp {
    Timestamp::from_secs(minute.saturating_mul(MINUTE_SECS))
}

/// Writes down when keys were used until the server drains; sleeps while nothing happens.
pub(crate) async fn keep_writing(app: App) {
    app.draining().run_until_cancelled(app.uses().keep_writing(app.store())).await;
}

/// Writes what is left, once the last call is answered.
pub(crate) async fn write_last(app: &App) {
    if let Err(error) = app.uses().write(app.store()).await {
        tracing::warn!(%error, "when keys were last used is not written");
    }
}

#[cfg(test)]
mod tests {
    use store::conformance::Maker;
    use store::memory::MemoryStore;

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[tokio::test(start_paused = true)]
    async fn a_use_is_written_at_once_after_a_silence_and_then_once_a_minute() {
        let (uses, store, maker) = (Uses::default(), MemoryStore::new(), Maker::new(1));
        let (key, hash) = maker.key(&maker.owner(), START);
        store.add_key(key.clone(), hash).await.unwrap();
        let written = async || store.keys(None).await.unwrap()[0].last_used_at;
        let calls = async {
            sleep(Duration::from_hours(1)).await;
            assert_eq!(written().await, None);
            uses.note(&key.id, START.plus_secs(59));
            sleep(Duration::from_secs(1)).await;
            assert_eq!(written().await, Some(START), "to the minute");
            for secs in 60..120 {
                uses.note(&key.id, START.plus_secs(secs));
                assert_eq!(uses.last(&key.id), Some(START.plus_secs(60)));
                assert_eq!(written().await, Some(START), "not yet");
            }
            sleep(PAUSE).await;
            assert_eq!(written().await, Some(START.plus_secs(60)));
        };
        tokio::select! {
            () = uses.keep_writing(&store) => {}
            () = calls => {}
        }
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_written_the_next_time() {
        use std::sync::Arc;
        use store::faulty::{Faulty, When};

        let store = Faulty::new(Arc::new(MemoryStore::new()));
        let (uses, maker) = (Uses::default(), Maker::new(2));
        let (key, hash) = maker.key(&maker.owner(), START);
        store.add_key(key.clone(), hash).await.unwrap();
        uses.note(&key.id, START);
        store.fail_at(1, When::Before);
        assert!(uses.write(&store).await.is_err());
        uses.write(&store).await.unwrap();
        assert_eq!(store.keys(None).await.unwrap()[0].last_used_at, Some(START));
        // Nothing new, no call.
        store.fail_at(1, When::Before);
        uses.write(&store).await.unwrap();
    }
}
