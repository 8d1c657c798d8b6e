//! Leases: fencing, ends, attempts and losses.

use domain::facts::Facts;
use domain::lease::{Lease, MAX_ATTEMPTS, MAX_LOSSES, Setback};
use domain::{RequestId, Stage, State, Timestamp};

use super::making::{Maker, START, audited, claim, failure, fenced, forged};
use crate::{Expired, Lapsed, Store};

/// After a cancellation, an end of the lease or another claim, no method takes the old lease,
/// and none changes anything.
pub async fn every_lease_method_is_fenced(store: &dyn Store) {
    let maker = Maker::new(41);
    let cancelled = maker.running(store).await.lease;
    store.cancel(&cancelled.request, true, START).await.unwrap();
    refuses(store, &maker, &cancelled).await;

    maker.insert(store).await;
    let fetching = claim(store, &maker, Stage::Intake).await.lease;
    store.cancel(&fetching.request, false, START).await.unwrap();
    refuses(store, &maker, &fetching).await;

    let expired = maker.running(store).await.lease;
    let end = START.plus_secs(30);
    assert_eq!(store.expire(end).await.unwrap().leases.len(), 1);
    refuses(store, &maker, &expired).await;

    let later = end.plus_secs(60);
    let again = store.claim(Stage::Run, &maker.worker(), later, 30).await.unwrap().unwrap();
    assert_eq!(again.row.id, expired.request);
    refuses(store, &maker, &expired).await;
    refuses(store, &maker, &forged(&again.lease, again.lease.epoch.0 + 1)).await;
    let other_stage = Lease { stage: Stage::Intake, ..again.lease.clone() };
    refuses(store, &maker, &other_stage).await;
    let nobody = maker.request(&maker.owner(), domain::Priority::Low).id;
    let stranger = Lease { request: nobody, ..again.lease.clone() };
    assert!(fenced(store.extend(&stranger, later, None).await));
    let published = maker.published(&again.row.owner, &again.row.id);
    store.publish(&again.lease, published, later).await.unwrap();
    refuses(store, &maker, &again.lease).await;
    audited(store, later).await;
}

async fn refuses(store: &dyn Store, maker: &Maker, lease: &Lease) {
    let before = store.request(&lease.request).await.unwrap().unwrap();
    let published = maker.published(&before.owner, &before.id);
    let later = START.plus_secs(900);
    assert!(fenced(store.extend(lease, later, None).await));
    let progress = crate::Progress { stage: "late".to_owned(), fraction: 0.9 };
    assert!(fenced(store.extend(lease, later, Some(progress)).await));
    assert!(fenced(store.inputs_kept(lease, Facts::default(), Vec::new(), later).await));
    assert!(fenced(store.publish(lease, published, later).await));
    assert!(fenced(store.fail(lease, failure(), later).await));
    for setback in [Setback::Fault, Setback::Lost, Setback::HandedBack] {
        assert!(fenced(store.set_back(lease, setback, "late", later).await));
    }
    assert_eq!(store.request(&lease.request).await.unwrap(), Some(before));
}

/// A lease holds until its end, extended or not, and then is lost.
pub async fn leases_expire(store: &dyn Store) {
    let maker = Maker::new(42);
    let held = maker.running(store).await;
    assert_eq!(store.expire(START.plus_secs(29)).await.unwrap().leases.len(), 0);
    store.extend(&held.lease, START.plus_secs(90), None).await.unwrap();
    assert_eq!(store.expire(START.plus_secs(89)).await.unwrap().leases.len(), 0);
    assert_eq!(store.audit(START).await.unwrap()[0].leases, [Stage::Run]);
    let end = START.plus_secs(90);
    let expired = store.expire(end).await.unwrap();
    let lapsed = Lapsed::of(&held.row, Some(Stage::Run));
    assert_eq!(expired.leases, [Lapsed { state: State::Ready, ..lapsed }]);
    assert_eq!(store.expire(end).await.unwrap(), Expired::default());
    let row = store.request(&held.row.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.tries.losses, row.tries.attempts), (State::Ready, 1, 0));
    assert_eq!(row.not_before, end.plus_secs(1));
    assert_eq!(store.status(&held.row.id).await.unwrap().unwrap().position, Some(1));
    audited(store, end).await;
}

/// Faults of an engine end a request after [`MAX_ATTEMPTS`].
pub async fn attempts_run_out(store: &dyn Store) {
    let maker = Maker::new(43);
    maker.insert(store).await;
    let id = maker.ready(store).await;
    let ended = exhaust(store, &maker, &id, Setback::Fault).await;
    assert_eq!(ended, MAX_ATTEMPTS);
    let row = store.request(&id).await.unwrap().unwrap();
    assert_eq!(row.tries.attempts, MAX_ATTEMPTS);
    assert_eq!(row.body.failure.unwrap().code, "attempts_exhausted");
    audited(store, START).await;
}

/// Dead workers end a request after [`MAX_LOSSES`]; orderly stops do not.
pub async fn losses_run_out(store: &dyn Store) {
    let maker = Maker::new(44);
    maker.insert(store).await;
    let id = maker.ready(store).await;
    let held = claim(store, &maker, Stage::Run).await;
    store.set_back(&held.lease, Setback::HandedBack, "stopping", START).await.unwrap();
    let ended = exhaust(store, &maker, &id, Setback::Lost).await;
    assert_eq!(ended, MAX_LOSSES - 1);
    let row = store.request(&id).await.unwrap().unwrap();
    assert_eq!(row.body.failure.unwrap().code, "worker_lost");
    assert_eq!(store.queued(), 0);
    audited(store, START).await;
}

/// Sets a ready request back until it fails; how often that took.
async fn exhaust(store: &dyn Store, maker: &Maker, id: &RequestId, setback: Setback) -> u32 {
    let mut now = START;
    for n in 1..100 {
        now = now.plus_secs(120);
        let held = store.claim(Stage::Run, &maker.worker(), now, 30).await.unwrap().unwrap();
        assert_eq!(&held.row.id, id);
        if store.set_back(&held.lease, setback, "boom", now).await.unwrap() == State::Failed {
            return n;
        }
    }
    0
}

/// A server that starts takes every lease back, whatever its end.
pub async fn void_takes_all_leases(store: &dyn Store) {
    let maker = Maker::new(45);
    let run = maker.running(store).await;
    maker.insert(store).await;
    let intake = claim(store, &maker, Stage::Intake).await;
    assert_eq!(store.void_leases(START).await.unwrap(), 2);
    assert_eq!(store.void_leases(START).await.unwrap(), 0);
    refuses(store, &maker, &run.lease).await;
    refuses(store, &maker, &intake.lease).await;
    for (id, state) in [(run.row.id, State::Ready), (intake.row.id, State::Received)] {
        let row = store.request(&id).await.unwrap().unwrap();
        assert_eq!((row.state, row.tries.losses), (state, 1));
    }
    assert_eq!(store.queued(), 2);
    audited(store, START).await;
}

/// Ends of leases and of backoffs are what there is to wake for.
pub async fn the_next_wake_is_the_earliest(store: &dyn Store) {
    let maker = Maker::new(46);
    assert_eq!(store.next_wake().await.unwrap(), None);
    maker.insert(store).await;
    assert_eq!(store.next_wake().await.unwrap(), None, "a change announced it");
    maker.ready(store).await;
    let held = claim(store, &maker, Stage::Run).await;
    assert_eq!(store.next_wake().await.unwrap(), Some(START.plus_secs(30)));
    maker.insert(store).await;
    let other = claim(store, &maker, Stage::Intake).await;
    store.set_back(&other.lease, Setback::Fault, "no route", START).await.unwrap();
    let backoff = START.plus_secs(1);
    assert_eq!(store.next_wake().await.unwrap(), Some(backoff));
    assert_eq!(store.next_wake_after(backoff).await.unwrap(), Some(START.plus_secs(30)));
    store.cancel(&other.row.id, false, START).await.unwrap();
    assert_eq!(store.next_wake().await.unwrap(), Some(START.plus_secs(30)));
    store.fail(&held.lease, failure(), START).await.unwrap();
    assert_eq!(store.next_wake().await.unwrap(), None);
    assert_eq!(store.next_wake_after(Timestamp(0)).await.unwrap(), None);
}

/// The counter rises with each change of a request, and with nothing else.
pub async fn changes_are_counted(store: &dyn Store) {
    let maker = Maker::new(47);
    let mut changes = store.changes();
    changes.mark_unchanged();
    assert!(store.claim(Stage::Run, &maker.worker(), START, 30).await.unwrap().is_none());
    store.add_file(maker.file(&maker.owner(), None), &maker.key_id()).await.unwrap();
    store.check().await.unwrap();
    assert!(!changes.has_changed().unwrap());
    let mut last = *changes.borrow_and_update();
    maker.insert(store).await;
    changes.changed().await.unwrap();
    assert!(*changes.borrow_and_update() > last);
    let held = claim(store, &maker, Stage::Intake).await;
    for step in 0..3 {
        changes.changed().await.unwrap();
        last = *changes.borrow_and_update();
        match step {
            0 => store.extend(&held.lease, START.plus_secs(60), None).await.unwrap(),
            1 => store.fail(&held.lease, failure(), START).await.unwrap(),
            _ => assert!(fenced(store.fail(&held.lease, failure(), START).await)),
        }
    }
    assert_eq!(*changes.borrow_and_update(), last, "a fenced call changes nothing");
}
