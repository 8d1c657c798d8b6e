//! The order of the queue and positions in it.

use domain::lease::Setback;
use domain::{Priority, RequestId, Stage, State};

use super::making::{Maker, START, audited, claim};
use crate::Store;

/// A higher priority runs first, whoever came first.
pub async fn order_is_strict_between_priorities(store: &dyn Store) {
    let maker = Maker::new(11);
    let owner = maker.owner();
    let mut ids = Vec::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let status = store.insert(maker.request(&owner, priority)).await.unwrap().status;
        assert_eq!(status.position, Some(1), "the newcomer is before all that came");
        ids.insert(0, status.id);
    }
    assert_eq!(drained(store, &maker).await, ids);
}

/// Within a priority owners take turns, however many requests one of them has waiting.
pub async fn order_is_fair_between_owners(store: &dyn Store) {
    let maker = Maker::new(12);
    let (many, few) = (maker.owner(), maker.owner());
    for _ in 0..10 {
        store.insert(maker.request(&many, Priority::Normal)).await.unwrap();
    }
    for turn in 0..3 {
        let status = store.insert(maker.request(&few, Priority::Normal)).await.unwrap().status;
        assert_eq!(status.position, Some(2 * turn + 2), "every second turn");
    }
    for _ in 0..13 {
        maker.ready(store).await;
    }
    // Four of the first owner's ran when a third owner comes: it does not wait for the rest.
    for _ in 0..7 {
        claim(store, &maker, Stage::Run).await;
    }
    let late = store.insert(maker.request(&maker.owner(), Priority::Normal)).await.unwrap().status;
    assert!(late.position <= Some(2), "{late:?}");
    audited(store, START).await;
}

/// A position is the rank in claim order, through claims, cancellations and intake.
pub async fn positions_are_ranks(store: &dyn Store) {
    let maker = Maker::new(13);
    let owners = [maker.owner(), maker.owner(), maker.owner()];
    let mut ids = Vec::new();
    for n in 0..30_usize {
        let priority = Priority::from_rank(n as i64 % 3);
        let new = maker.request(&owners[n * n % 3], priority);
        ids.push(store.insert(new).await.unwrap().status.id);
    }
    for _ in 0..10 {
        maker.ready(store).await;
    }
    for id in ids.iter().step_by(7) {
        store.cancel(id, false, START).await.unwrap();
    }
    for _ in 0..3 {
        claim(store, &maker, Stage::Run).await;
    }
    let mut placed = Vec::new();
    for id in &ids {
        let status = store.status(id).await.unwrap().unwrap();
        assert_eq!(status.position.is_some(), status.state.is_queued());
        placed.extend(status.position.map(|position| (position, id.clone())));
    }
    placed.sort();
    let ranks: Vec<u64> = placed.iter().map(|(position, _)| *position).collect();
    assert_eq!(ranks, (1..=placed.len() as u64).collect::<Vec<_>>());
    assert_eq!(store.queued(), placed.len());
    audited(store, START).await;
    let order: Vec<RequestId> = placed.into_iter().map(|(_, id)| id).collect();
    assert_eq!(drained(store, &maker).await, order);
}

/// A request in backoff is passed over and keeps its place.
pub async fn a_claim_passes_over_backoff(store: &dyn Store) {
    let maker = Maker::new(14);
    let (a, b) = (maker.insert(store).await, maker.insert(store).await);
    let held = claim(store, &maker, Stage::Intake).await;
    store.set_back(&held.lease, Setback::Fault, "no route", START).await.unwrap();
    assert_eq!(store.status(&a).await.unwrap().unwrap().position, Some(1));
    assert_eq!(claim(store, &maker, Stage::Intake).await.row.id, b);
    assert!(store.claim(Stage::Intake, &maker.worker(), START, 30).await.unwrap().is_none());
    let later = START.plus_secs(1);
    let again = store.claim(Stage::Intake, &maker.worker(), later, 30).await.unwrap().unwrap();
    assert_eq!((again.row.id, again.row.tries.attempts), (a, 1));
}

/// A run that is handed back waits where it waited before.
pub async fn a_set_back_request_keeps_its_place(store: &dyn Store) {
    let maker = Maker::new(15);
    let held = maker.running(store).await;
    let later = maker.insert(store).await;
    let state = store.set_back(&held.lease, Setback::HandedBack, "stopping", START).await.unwrap();
    assert_eq!(state, State::Ready);
    assert_eq!(store.status(&held.row.id).await.unwrap().unwrap().position, Some(1));
    assert_eq!(store.status(&later).await.unwrap().unwrap().position, Some(2));
    let again = claim(store, &maker, Stage::Run).await;
    assert_eq!((again.row.id, again.row.order), (held.row.id, held.row.order));
    assert!(again.lease.epoch > held.lease.epoch);
}

/// The ids in the order in which a single worker runs them.
async fn drained(store: &dyn Store, maker: &Maker) -> Vec<RequestId> {
    while let Some(held) = store.claim(Stage::Intake, &maker.worker(), START, 30).await.unwrap() {
        let facts = domain::facts::Facts::default();
        store.inputs_kept(&held.lease, facts, Vec::new(), START).await.unwrap();
    }
    let mut ids = Vec::new();
    while let Some(held) = store.claim(Stage::Run, &maker.worker(), START, 30).await.unwrap() {
        ids.push(held.row.id);
    }
    assert_eq!(store.queued(), 0);
    ids
}

/// A clock that is set back by an hour strands nothing: neither what came before nor what waits
/// for its next try.
pub async fn a_clock_that_is_set_back_strands_nothing(store: &dyn Store) {
    let maker = Maker::new(29);
    let set_back = maker.running(store).await.lease;
    store.set_back(&set_back, Setback::Fault, "boom", START).await.unwrap();
    maker.insert(store).await;
    let earlier = START.plus_secs(-3600);
    for stage in [Stage::Run, Stage::Intake] {
        let claim = store.claim(stage, &maker.worker(), earlier, 30).await.unwrap();
        assert!(claim.is_some(), "{stage:?}");
    }
    audited(store, earlier).await;
}
