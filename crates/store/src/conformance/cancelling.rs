//! Cancelling, and its race with publishing.

use domain::{Stage, State};

use super::making::{Maker, START, audited, claim, failure, fenced};
use crate::{CancelOutcome, Store};

/// What a cancellation does in each state, and when it is repeated.
pub async fn cancel_in_every_state(store: &dyn Store) {
    let maker = Maker::new(21);
    let unknown = maker.request(&maker.owner(), domain::Priority::Low).id;
    assert_eq!(store.cancel(&unknown, true, START).await.unwrap(), None);

    let received = maker.insert(store).await;
    for changed in [true, false, false] {
        let outcome = store.cancel(&received, false, START).await.unwrap().unwrap();
        assert_eq!((outcome.state, outcome.changed), (State::Cancelled, changed));
    }
    maker.insert(store).await;
    let ready = maker.ready(store).await;
    assert!(cancel(store, &ready, false).await.changed);

    let running = maker.running(store).await.row.id;
    let outcome = cancel(store, &running, false).await;
    assert_eq!((outcome.state, outcome.changed), (State::Running, false));
    let outcome = cancel(store, &running, true).await;
    assert_eq!((outcome.state, outcome.changed), (State::Cancelled, true));
    assert!(!cancel(store, &running, true).await.changed);

    let failed = maker.running(store).await;
    store.fail(&failed.lease, failure(), START).await.unwrap();
    let outcome = cancel(store, &failed.row.id, true).await;
    assert_eq!((outcome.state, outcome.changed), (State::Failed, false));
    let row = store.request(&failed.row.id).await.unwrap().unwrap();
    assert_eq!(row.body.failure, Some(failure()));
    assert_eq!(store.queued(), 0);
    audited(store, START).await;
}

/// A cancellation that came first stays: the publication is fenced and nothing is charged.
pub async fn forced_cancel_before_publish(store: &dyn Store) {
    let maker = Maker::new(22);
    let held = maker.running(store).await;
    assert!(cancel(store, &held.row.id, true).await.changed);
    let published = maker.published(&held.row.owner, &held.row.id);
    let token = published.files[0].token.clone();
    assert!(fenced(store.publish(&held.lease, published, START).await));
    assert_eq!(store.file(&token).await.unwrap(), None);
    let row = store.request(&held.row.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.body.published), (State::Cancelled, None));
    let seen = store.audit(START).await.unwrap();
    assert_eq!(seen.iter().map(|one| one.charges).sum::<usize>(), 0);
    audited(store, START).await;
}

/// A publication that came first stays.
pub async fn publish_before_forced_cancel(store: &dyn Store) {
    let maker = Maker::new(23);
    maker.insert(store).await;
    maker.ready(store).await;
    let held = claim(store, &maker, Stage::Run).await;
    let published = maker.published(&held.row.owner, &held.row.id);
    store.publish(&held.lease, published, START).await.unwrap();
    let outcome = cancel(store, &held.row.id, true).await;
    assert_eq!((outcome.state, outcome.changed), (State::Succeeded, false));
    audited(store, START).await;
}

async fn cancel(store: &dyn Store, id: &domain::RequestId, force: bool) -> CancelOutcome {
    store.cancel(id, force, START).await.unwrap().unwrap()
}
