//! Keeps a lease while work goes on, and stops the work when the lease is lost.
//!
//! Who cancels a request does not want to wait for the next sign of life, nor does a deadline: the
//! keeper hears of each change of its request and looks where it stands. The look is a read, for
//! the keeper's own signs of life are changes, too, and must not call forth the next one.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Clock, Lease, Stage, State};
use store::{Progress, Store, StoreError};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
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
    let mut changes = store.watch(&lease.request);
    // What happened between the claim and the watch.
    changes.mark_changed();
    let mut beats = interval_at(Instant::now() + PROGRESS_BEAT, PROGRESS_BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since_beat = Duration::ZERO;
    loop {
        let held = tokio::select! {
            done = &mut work => return Kept::Done(done),
            Ok(()) = changes.changed() => stands(store, lease).await,
            _ = beats.tick() => {
                since_beat += PROGRESS_BEAT;
                let progress = gauge.take();
                if progress.is_none() && since_beat < BEAT {
                    continue;
                }
                since_beat = Duration::ZERO;
                extend(store, clock, lease, progress).await
            }
        };
        if !held {
            stop.cancel();
            work.await;
            return Kept::Lost;
        }
    }
}

/// Gives a sign of life. Whether the lease may still hold.
async fn extend(
    store: &dyn Store,
    clock: &dyn Clock,
    lease: &Lease,
    progress: Option<Progress>,
) -> bool {
    let until = clock.now().plus_secs(LEASE_SECS);
    match store.extend(lease, until, progress).await {
        Ok(()) => true,
        Err(StoreError::Fenced) => false,
        // The store may come back before the lease ends; if not, another takes over.
        Err(error) => {
            tracing::warn!(%error, "lease not extended");
            true
        }
    }
}

/// Whether the request stands where its lease may still hold. Another's lease for the same stage
/// looks the same: that is for [`extend`] to find out.
async fn stands(store: &dyn Store, lease: &Lease) -> bool {
    let expected = match lease.stage {
        Stage::Intake => State::Received,
        Stage::Run => State::Running,
    };
    match store.status(&lease.request).await {
        Ok(row) => row.is_some_and(|row| row.state == expected),
        // The next sign of life will say.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use domain::{KeyId, OwnerId, Priority, RequestId, Stage, Timestamp, WorkerId};
    use store::memory::MemoryStore;
    use store::{NewRequest, Terms};
    use testkit::{ManualClock, SeededRng};
    use tokio::time::timeout;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1);
    const DEADLINE: Timestamp = NOW.plus_secs(10);

    /// A store with one request, claimed for intake.
    async fn claimed() -> (MemoryStore, ManualClock, Lease) {
        let (store, rng, now) = (MemoryStore::new(), SeededRng::new(1), NOW);
        let request = NewRequest {
            id: RequestId::new(now, &rng),
            owner: OwnerId::new(now, &rng),
            key: KeyId::new(now, &rng),
            model: "m".into(),
            input: serde_json::Value::Null,
            warnings: Vec::new(),
            priority: Priority::Normal,
            created_at: now,
            terms: Terms { deadline: Some(DEADLINE), ..Terms::default() },
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
        let kept = keep(&store, &clock, &lease, &gauge, &stop, stop.cancelled()).await;
        assert!(matches!(kept, Kept::Lost));
    }

    /// Claims the request for a run.
    async fn running(store: &MemoryStore, intake: &Lease) -> Lease {
        let facts = domain::facts::Facts::default();
        store.inputs_kept(intake, facts, Vec::new(), NOW).await.unwrap();
        let claim = store.claim(Stage::Run, &intake.worker, NOW, LEASE_SECS).await;
        claim.unwrap().unwrap().lease
    }

    #[tokio::test(start_paused = true)]
    async fn a_forced_cancellation_and_a_deadline_stop_the_work_at_once() {
        for force in [true, false] {
            let (store, clock, intake) = claimed().await;
            let lease = running(&store, &intake).await;
            let (gauge, stop) = (Gauge::default(), CancellationToken::new());
            let start = Instant::now();
            let kept = keep(&store, &clock, &lease, &gauge, &stop, stop.cancelled());
            let end = async {
                // The keeper is waiting by now.
                tokio::task::yield_now().await;
                if force {
                    store.cancel(&lease.request, true, NOW).await.unwrap();
                } else {
                    store.expire(DEADLINE).await.unwrap();
                }
            };
            let (kept, ()) = tokio::join!(kept, end);
            assert!(matches!(kept, Kept::Lost));
            assert_eq!(start.elapsed(), Duration::ZERO, "no beat was waited for");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_another_took_is_found_out_by_the_next_sign_of_life() {
        let (store, clock, lease) = claimed().await;
        store.void_leases(NOW).await.unwrap();
        let later = NOW.plus_secs(9);
        store.claim(Stage::Intake, &lease.worker, later, LEASE_SECS).await.unwrap().unwrap();
        let (gauge, stop) = (Gauge::default(), CancellationToken::new());
        let start = Instant::now();
        let kept = keep(&store, &clock, &lease, &gauge, &stop, stop.cancelled());
        assert!(matches!(timeout(2 * BEAT, kept).await, Ok(Kept::Lost)));
        assert_eq!(start.elapsed(), BEAT);
    }

    #[tokio::test(start_paused = true)]
    async fn signs_of_life_keep_their_beat_and_call_forth_no_others() {
        let (store, clock, lease) = claimed().await;
        let (gauge, stop) = (Gauge::default(), CancellationToken::new());
        let changes = store.changes();
        let before = *changes.borrow();
        let work = tokio::time::sleep(3 * BEAT + PROGRESS_BEAT / 2);
        let kept = keep(&store, &clock, &lease, &gauge, &stop, work).await;
        assert!(matches!(kept, Kept::Done(())));
        assert_eq!(*changes.borrow() - before, 3, "as many changes as signs of life");
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_written_once_a_second() {
        let (store, clock, lease) = claimed().await;
        let (gauge, stop) = (Gauge::default(), CancellationToken::new());
        let work = async {
            for done in 1..=40 {
                gauge.set(Progress { stage: "intake".into(), fraction: f64::from(done) / 100.0 });
                tokio::time::sleep(PROGRESS_BEAT / 10).await;
            }
        };
        let changes = store.changes();
        let before = *changes.borrow();
        keep(&store, &clock, &lease, &gauge, &stop, work).await;
        assert!((3..=4).contains(&(*changes.borrow() - before)));
        let row = store.request(&lease.request).await.unwrap().unwrap();
        assert!(row.body.progress.unwrap().fraction >= 0.3);
    }
}
