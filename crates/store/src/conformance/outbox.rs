//! Messages to webhooks.

use domain::{OwnerId, Priority, RequestId, Stage, State, Timestamp};

use super::making::{Maker, START, claim};
use crate::outbox::{Attempted, Delivery, DeliveryListing, Standing};
use crate::row::{Hook, NewRequest};
use crate::{Store, StoreError};

const URL: &str = "https://hooks.example/a";

fn hooked(maker: &Maker, owner: &OwnerId, url: &str, intermediate: bool) -> NewRequest {
    let mut new = maker.request(owner, Priority::Normal);
    let (url, base) = (url.to_owned(), "https://here".to_owned());
    new.terms.webhook = Some(Hook { url, intermediate, base });
    new
}

async fn all(store: &dyn Store, owner: &OwnerId) -> Vec<Delivery> {
    let listing = DeliveryListing { owner: owner.clone(), request: None, before: None, limit: 100 };
    let mut found = store.deliveries(listing).await.unwrap();
    found.reverse();
    found
}

async fn take(store: &dyn Store, now: Timestamp, limit: u32) -> Vec<Delivery> {
    store.take_deliveries(now, now.plus_secs(30), limit, &[]).await.unwrap()
}

fn failed(again: Option<Timestamp>) -> Attempted {
    Attempted::Failed { status: Some(503), error: "busy".to_owned(), again }
}

/// Each change of the wire's state makes one message, in the transaction that makes the change;
/// those on the way only where they were asked for.
pub async fn states_make_messages(store: &dyn Store) {
    let maker = Maker::new(71);
    let (owner, quiet) = (maker.owner(), maker.owner());
    store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    store.insert(hooked(&maker, &quiet, URL, false)).await.unwrap();
    let mut posted = store.posted();
    posted.mark_unchanged();
    let silent = maker.insert(store).await;
    assert!(!posted.has_changed().unwrap(), "whoever delivers is left alone");
    maker.ready(store).await;
    let run = claim(store, &maker, Stage::Run).await;
    posted.mark_unchanged();
    let published = maker.published(&owner, &run.row.id);
    store.publish(&run.lease, published, START.plus_secs(5)).await.unwrap();
    posted.changed().await.unwrap();
    let told: Vec<_> = all(store, &owner).await.into_iter().map(|d| d.event).collect();
    assert_eq!(told, [State::Received, State::Running, State::Succeeded]);
    assert!(all(store, &quiet).await.is_empty());
    let own = run.row.id.as_str().strip_prefix(RequestId::PREFIX).unwrap().to_owned();
    let last = all(store, &owner).await.pop().unwrap();
    assert_eq!((last.id, last.created_at), (format!("msg_{own}_5"), START.plus_secs(5)));
    store.cancel(&silent, false, START).await.unwrap();
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.pending, backlog.oldest), (3, Some(START)));
}

/// A message is taken for one attempt at a time; only the attempt under way may settle it.
pub async fn a_message_is_tried_until_it_is_acknowledged(store: &dyn Store) {
    let maker = Maker::new(72);
    let owner = maker.owner();
    store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    assert_eq!(store.next_delivery(START).await.unwrap(), Some(START));
    let [first] = take(store, START, 9).await.try_into().unwrap();
    assert_eq!((first.attempts, first.standing), (1, Standing::Pending));
    assert!(take(store, START.plus_secs(29), 9).await.is_empty(), "an attempt is under way");
    let [second] = take(store, START.plus_secs(30), 9).await.try_into().unwrap();
    assert_eq!((&second.id, second.attempts), (&first.id, 2));
    let late = store.settle_delivery(&first.id, 1, Attempted::Delivered { status: 200 }, START);
    assert!(matches!(late.await, Err(StoreError::Fenced)));
    let again = START.plus_secs(100);
    store.settle_delivery(&first.id, 2, failed(Some(again)), START).await.unwrap();
    assert_eq!(store.next_delivery(START).await.unwrap(), Some(again));
    assert!(take(store, START.plus_secs(99), 9).await.is_empty());
    assert_eq!(take(store, again, 9).await.len(), 1);
    let done = Attempted::Delivered { status: 204 };
    store.settle_delivery(&first.id, 3, done.clone(), again).await.unwrap();
    assert!(store.settle_delivery(&first.id, 3, done, again).await.is_err());
    let [told] = all(store, &owner).await.try_into().unwrap();
    assert_eq!((told.standing, told.last_status), (Standing::Delivered, Some(204)));
    assert_eq!((told.finished_at, told.next_at), (Some(again), None));
    assert_eq!(store.next_delivery(START).await.unwrap(), None);
}

/// A clock that is set back by an hour delays no message, in whatever pause it is; one that is
/// corrected by seconds hastens none.
pub async fn a_clock_that_is_set_back_delays_no_message(store: &dyn Store) {
    let maker = Maker::new(77);
    let owner = maker.owner();
    for _ in 0..3 {
        store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    }
    let [tried, failing] = take(store, START, 2).await.try_into().unwrap();
    let again = START.plus_secs(600);
    store.settle_delivery(&failing.id, 1, failed(Some(again)), START).await.unwrap();
    let corrected = START.plus_secs(-30);
    assert!(take(store, corrected, 9).await.is_empty());
    assert_eq!(store.next_delivery(corrected).await.unwrap(), Some(START));

    let earlier = START.plus_secs(-3600);
    assert_eq!(store.next_delivery(earlier).await.unwrap(), Some(earlier));
    let taken = take(store, earlier, 9).await;
    let numbers: Vec<_> = taken.iter().map(|d| (d.id == tried.id, d.attempts)).collect();
    assert_eq!(numbers, [(false, 1), (true, 2), (false, 2)], "in the order of before");
    let late = store.settle_delivery(&tried.id, 1, failed(None), earlier).await;
    assert!(matches!(late, Err(StoreError::Fenced)));
    assert!(take(store, earlier, 9).await.is_empty(), "attempts are under way");
    let again = earlier.plus_secs(5);
    store.settle_delivery(&tried.id, 2, failed(Some(again)), earlier).await.unwrap();
    assert_eq!(store.next_delivery(earlier).await.unwrap(), Some(again));
    assert_eq!(take(store, again, 9).await.len(), 1);
}

/// After a 410 nothing goes there any more, until a message is replayed by hand.
pub async fn a_receiver_that_is_gone_is_left_alone(store: &dyn Store) {
    let maker = Maker::new(73);
    let (owner, other) = (maker.owner(), maker.owner());
    for (owner, url) in [(&owner, URL), (&owner, URL), (&owner, "https://b"), (&other, URL)] {
        store.insert(hooked(&maker, owner, url, true)).await.unwrap();
    }
    let [first] = take(store, START, 1).await.try_into().unwrap();
    store.settle_delivery(&first.id, 1, Attempted::Gone, START).await.unwrap();
    let standings =
        |found: Vec<Delivery>| found.into_iter().map(|d| d.standing).collect::<Vec<_>>();
    let (off, on) = (Standing::Disabled, Standing::Pending);
    assert_eq!(standings(all(store, &owner).await), [off, off, on]);
    assert_eq!(standings(all(store, &other).await), [on]);
    store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    assert_eq!(standings(all(store, &owner).await), [off, off, on, off]);

    assert_eq!(store.replay_delivery(&other, &first.id, START).await.unwrap(), None);
    let later = START.plus_secs(9);
    let mut posted = store.posted();
    posted.mark_unchanged();
    let replayed = store.replay_delivery(&owner, &first.id, later).await.unwrap().unwrap();
    assert!(posted.has_changed().unwrap());
    assert_eq!((replayed.standing, replayed.opened_at), (on, later));
    store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    assert_eq!(standings(all(store, &owner).await), [on, off, on, off, on]);
}

/// Whatever the attempt under way comes to, a replay is posted: it was asked for meanwhile.
pub async fn a_replay_fences_the_attempt_under_way(store: &dyn Store) {
    let maker = Maker::new(76);
    let owner = maker.owner();
    store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    let [first] = take(store, START, 9).await.try_into().unwrap();
    let now = START.plus_secs(1);
    let replay = || store.replay_delivery(&owner, &first.id, now);
    replay().await.unwrap().unwrap();
    let done = || Attempted::Delivered { status: 200 };
    for outcome in [done(), failed(Some(START.plus_secs(99))), failed(None), Attempted::Gone] {
        let settled = store.settle_delivery(&first.id, first.attempts, outcome, now).await;
        assert!(matches!(settled, Err(StoreError::Fenced)));
    }
    replay().await.unwrap().unwrap();
    let [second] = take(store, now, 9).await.try_into().unwrap();
    assert_eq!((&second.id, second.attempts), (&first.id, 2));
    store.settle_delivery(&second.id, 2, done(), now).await.unwrap();

    // One that has ended is posted once more; one that was never taken, for the first time.
    replay().await.unwrap().unwrap();
    let [third] = take(store, now, 9).await.try_into().unwrap();
    assert_eq!((&third.id, third.attempts), (&first.id, 3));
    store.settle_delivery(&third.id, 3, done(), now).await.unwrap();
    store.insert(hooked(&maker, &owner, URL, true)).await.unwrap();
    let fresh = all(store, &owner).await.pop().unwrap();
    store.replay_delivery(&owner, &fresh.id, now).await.unwrap().unwrap();
    let [fresh] = take(store, now, 9).await.try_into().unwrap();
    assert_eq!(fresh.attempts, 1);
    assert!(take(store, now, 9).await.is_empty());
}

/// Owners whose receivers are slow hold up nobody else; the end of the retries is an end.
pub async fn messages_of_busy_owners_wait(store: &dyn Store) {
    let maker = Maker::new(74);
    let (busy, other) = (maker.owner(), maker.owner());
    for owner in [&busy, &busy, &other] {
        store.insert(hooked(&maker, owner, URL, true)).await.unwrap();
    }
    let passed = std::slice::from_ref(&busy);
    let taken = store.take_deliveries(START, START.plus_secs(9), 9, passed).await.unwrap();
    assert_eq!(taken.iter().map(|d| &d.owner).collect::<Vec<_>>(), [&other]);
    store.settle_delivery(&taken[0].id, 1, failed(None), START).await.unwrap();
    let [told] = all(store, &other).await.try_into().unwrap();
    assert_eq!((told.standing, told.last_error.as_deref()), (Standing::Failed, Some("busy")));
    let page = |before| DeliveryListing { owner: busy.clone(), request: None, before, limit: 1 };
    let first = store.deliveries(page(None)).await.unwrap();
    let second = store.deliveries(page(Some(first[0].id.clone()))).await.unwrap();
    let third = store.deliveries(page(Some(second[0].id.clone()))).await.unwrap();
    assert!(first[0].id != second[0].id && third.is_empty());
}

/// The first secret stays until it is rotated; the old one signs along for a while.
pub async fn secrets_are_rotated(store: &dyn Store) {
    let maker = Maker::new(75);
    let (owner, other) = (maker.owner(), maker.owner());
    let secrets = |fresh: &'static str, now| store.secrets(&owner, fresh, now);
    assert_eq!(secrets("a", START).await.unwrap(), ["a"]);
    assert_eq!(secrets("x", START).await.unwrap(), ["a"]);
    let until = START.plus_secs(60);
    store.rotate_secret(&owner, "b", START, until).await.unwrap();
    assert_eq!(secrets("x", START).await.unwrap(), ["b", "a"]);
    store.rotate_secret(&owner, "c", START, until.plus_secs(9)).await.unwrap();
    assert_eq!(secrets("x", START.plus_secs(59)).await.unwrap(), ["c", "b", "a"]);
    assert_eq!(secrets("x", until).await.unwrap(), ["c", "b"]);
    assert_eq!(secrets("x", until.plus_secs(9)).await.unwrap(), ["c"]);
    assert_eq!(store.secrets(&other, "o", START).await.unwrap(), ["o"]);
}
