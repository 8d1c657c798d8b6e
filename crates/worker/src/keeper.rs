//! Keeps a lease while work goes on, and stops the work when the lease is lost.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Clock, Lease};
use store::{Progress, Store, StoreError};
use tokio_util::sync::CancellationToken;

/// How long a lease holds without a sign of life.
pub const LEASE_SECS: i64 = 30;
/// How often a sign of life is given; several may be missed before the lease ends.
const BEAT: Duration = Duration::from_secs(5);
/// How often progress is written while it moves.
const PROGRESS_BEAT: Duration = Duration::from_secs(1);

/// The latest progress of a run, shared between the child's reader and the keeper.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge(Arc<Mutex<Option<Progress>>>);

/// How kept work ended.
#[derive(Debug)]
pub(crate) enum Kept<T> {
    /// By itself.
    Done(T),
    /// The lease was lost: somebody cancelled the request, or took it over.
    Lost,
}

// === impl Gauge ===

impl Gauge {
    /// Notes progress; the keeper writes it down at its next beat.
    pub(crate) fn set(&self, progress: Progress) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    fn take(&self) -> Option<Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs `work` to its end while extending `lease`. When the lease is lost, `stop` is triggered
/// and `work` is awaited still, so that it can clean up; its outcome no longer counts.
pub(crate) async fn keep<T>(
    store: &dyn Store,
    clock: &dyn Clock,
    lease: &Lease,
    gauge: &Gauge,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Kept<T> {
    tokio::pin!(work);
    let mut lost = false;
    let mut since_beat = Duration::ZERO;
    loop {
        tokio::select! {
            done = &mut work => return if lost { Kept::Lost } else { Kept::Done(done) },
            () = tokio::time::sleep(PROGRESS_BEAT), if !lost => {
                since_beat += PROGRESS_BEAT;
                let progress = gauge.take();
                if progress.is_none() && since_beat < BEAT {
                    continue;
                }
                since_beat = Duration::ZERO;
                let until = clock.now().plus_secs(LEASE_SECS);
                match store.extend(lease, until, progress).await {
                    Ok(()) => {}
                    Err(StoreError::Fenced) => {
                        lost = true;
                        stop.cancel();
                    }
                    // The store may come back before the lease ends; if not, another takes over.
                    Err(error) => tracing::warn!(request = %lease.request, %error, "lease not extended"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{KeyId, OwnerId, Priority, RequestId, Stage, Timestamp, WorkerId};
    use store::memory::MemoryStore;
    use store::{NewRequest, Terms};
    use testkit::{ManualClock, SeededRng};

    use super::*;

    /// A store with one request, claimed for intake.
    async fn claimed() -> (MemoryStore, ManualClock, Lease) {
        let (store, rng, now) = (MemoryStore::new(), SeededRng::new(1), Timestamp::from_secs(1));
        let request = NewRequest {
            id: RequestId::new(now, &rng),
            owner: OwnerId::new(now, &rng),
            key: KeyId::new(now, &rng),
            model: "m".into(),
            input: serde_json::Value::Null,
            warnings: Vec::new(),
            priority: Priority::Normal,
            created_at: now,
            terms: Terms::default(),
        };
        store.insert(request).await.unwrap();
        let worker = WorkerId::new(now, &rng);
        let claim = store.claim(Stage::Intake, &worker, now, LEASE_SECS).await.unwrap().unwrap();
        (store, ManualClock::at(now), claim.lease)
    }

    #[tokio::test]
    async fn work_whose_request_is_cancelled_is_stopped_and_does_not_count() {
        let (store, clock, lease) = claimed().await;
        store.cancel(&lease.request, false, clock.now()).await.unwrap();
        let (gauge, stop) = (Gauge::default(), CancellationToken::new());
        gauge.set(Progress { stage: "intake".into(), fraction: 0.5 });
        let kept = keep(&store, &clock, &lease, &gauge, &stop, stop.cancelled()).await;
        assert!(matches!(kept, Kept::Lost));
    }
}
