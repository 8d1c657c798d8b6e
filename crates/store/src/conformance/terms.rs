//! What is agreed at the insert: repetitions, limits, deadlines, and who watches.

use std::collections::BTreeSet;

use domain::admission::{Limits, Refused};
use domain::invariants::audit;
use domain::key::KeyRecord;
use domain::usage::Microdollars;
use domain::{OwnerId, Priority, Stage, State, Timestamp};

use super::making::{Maker, START, audited, claim};
use crate::accounts::Subject;
use crate::row::{NewRequest, ONCE_SECS, Once};
use crate::{Expired, Store, StoreError};

fn once(new: &mut NewRequest, key: &str, body: u8) {
    let (key, path) = (key.to_owned(), format!("/v1/models/{}", new.model));
    new.terms.once = Some(Once { key, path, body: [body; 32] });
}

/// The same key, body, path and owner are one request for a day; anything else is another.
pub async fn a_repeated_submit_is_one_request(store: &dyn Store) {
    let maker = Maker::new(61);
    let (owner, other) = (maker.owner(), maker.owner());
    let sent = |owner: &OwnerId, key: &str, body, at| {
        let mut new = maker.request(owner, Priority::Normal);
        new.created_at = at;
        once(&mut new, key, body);
        new
    };
    let first = store.insert(sent(&owner, "k", 1, START)).await.unwrap();
    assert!(!first.replayed);
    for secs in 0..10 {
        let again = sent(&owner, "k", 1, START.plus_secs(secs));
        let known = again.terms.once.clone().unwrap();
        let again = store.insert(again).await.unwrap();
        assert_eq!((again.replayed, &again.status), (true, &first.status));
        let found = store.replayed(&owner, &known, START).await.unwrap();
        assert_eq!(found.as_ref(), Some(&first.status.id));
    }
    assert_eq!(store.queued(), 1);
    let reused = store.insert(sent(&owner, "k", 2, START)).await;
    assert!(matches!(reused, Err(StoreError::Reused)));
    assert!(!store.insert(sent(&other, "k", 2, START)).await.unwrap().replayed);
    let mut elsewhere = sent(&owner, "k", 2, START);
    "/v1/models/another".clone_into(&mut elsewhere.terms.once.as_mut().unwrap().path);
    assert!(!store.insert(elsewhere).await.unwrap().replayed);

    store.cancel(&first.status.id, false, START).await.unwrap();
    let late = START.plus_secs(ONCE_SECS - 1);
    let ended = store.insert(sent(&owner, "k", 1, late)).await.unwrap();
    assert_eq!((ended.replayed, ended.status.state), (true, State::Cancelled));
    let forgotten = store.insert(sent(&owner, "k", 2, START.plus_secs(ONCE_SECS))).await.unwrap();
    assert!(!forgotten.replayed);
    audited(store, START).await;
}

/// A refused insert leaves its key free.
pub async fn a_refused_submit_uses_no_key(store: &dyn Store) {
    let maker = Maker::new(62);
    let mut new = maker.request(&maker.owner(), Priority::Normal);
    once(&mut new, "k", 1);
    new.terms.max_queue = Some(0);
    let refused = store.insert(new.clone()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::Full { max: 0 }))));
    new.terms.max_queue = None;
    assert!(!store.insert(new).await.unwrap().replayed);
}

/// Limits of the key, of the owner and of the whole; what is reserved counts, what was cancelled
/// does not, and what was charged stays.
pub async fn limits_are_kept(store: &dyn Store) {
    let maker = Maker::new(63);
    let (owner, key) = (maker.owner(), maker.key_id());
    let sent = |limits: &dyn Fn(&mut NewRequest)| {
        let mut new = maker.request(&owner, Priority::Normal);
        new.key = key.clone();
        new.terms.price = Microdollars(560_000);
        limits(&mut new);
        new
    };
    let two_of_owner = |new: &mut NewRequest| new.terms.limits.owner.max_queued = Some(2);
    let a = store.insert(sent(&two_of_owner)).await.unwrap().status.id;
    store.insert(sent(&two_of_owner)).await.unwrap();
    let refused = store.insert(sent(&two_of_owner)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::Queued { max: 2, .. }))));
    let loads = store.loads(&owner, &key);
    assert_eq!((loads.owner.queued, loads.key.queued), (2, 2));
    assert_eq!(loads.owner.reserved, Microdollars(1_120_000));

    let budget = |new: &mut NewRequest| new.terms.limits.key.budget = Some(Microdollars(1_500_000));
    let refused = store.insert(sent(&budget)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::Budget { .. }))));
    store.cancel(&a, false, START).await.unwrap();
    store.insert(sent(&budget)).await.unwrap();
    maker.ready(store).await;
    let run = claim(store, &maker, Stage::Run).await;
    let loads = store.loads(&owner, &key);
    assert_eq!((loads.key.queued, loads.key.running), (1, 1));
    let published = maker.published(&owner, &run.row.id);
    store.publish(&run.lease, published, START).await.unwrap();
    let loads = store.loads(&owner, &key);
    assert_eq!(
        (loads.key.spent, loads.key.reserved),
        (Microdollars(560_000), Microdollars(560_000))
    );
    assert_eq!(loads.key, loads.owner);
}

/// Bytes of bodies and uploads are counted by day, for the key and for the owner.
pub async fn bytes_are_counted(store: &dyn Store) {
    let maker = Maker::new(64);
    let (owner, key) = (maker.owner(), maker.key_id());
    let limits = Limits { bytes_per_day: Some(1000), ..Limits::default() };
    store.set_limits(&Subject::Owner(owner.clone()), limits).await.unwrap();
    let mut new = maker.request(&owner, Priority::Normal);
    (new.key, new.terms.bytes) = (key.clone(), 300);
    store.insert(new.clone()).await.unwrap();
    let mut file = maker.file(&owner, None);
    file.bytes = 400;
    store.add_file(file.clone(), &key).await.unwrap();
    assert!(store.add_file(file, &key).await.is_err(), "the token is taken");
    let loads = store.loads(&owner, &key);
    assert_eq!((loads.owner.bytes, loads.key.bytes), (700, 700));
    new.id = maker.request(&owner, Priority::Normal).id;
    new.created_at = START.plus_secs(86_400);
    store.insert(new).await.unwrap();
    assert_eq!(store.loads(&owner, &key).owner.bytes, 300, "a new day");
}

/// Limits are found with the key, and go over to its successor.
pub async fn limits_come_with_the_key(store: &dyn Store) {
    let maker = Maker::new(65);
    let (record, hash) = maker.key(&maker.owner(), START);
    store.add_key(record.clone(), hash).await.unwrap();
    assert_eq!(store.key_by_hash(hash).await.unwrap().as_ref(), Some(&record));
    let limits = Limits { max_queued: Some(7), ..Limits::default() };
    let owner_limits = Limits { budget: Some(Microdollars(5)), ..Limits::default() };
    let subjects = [Subject::Key(record.id.clone()), Subject::Owner(record.owner.clone())];
    store.set_limits(&subjects[0], limits).await.unwrap();
    store.set_limits(&subjects[1], owner_limits).await.unwrap();
    assert_eq!(store.limits(&subjects[0]).await.unwrap(), limits);
    let limited = KeyRecord { limits, owner_limits, ..record.clone() };
    assert_eq!(store.key_by_hash(hash).await.unwrap().as_ref(), Some(&limited));
    assert_eq!(store.keys(Some(&record.owner)).await.unwrap(), [limited]);
    let (next, next_hash) = maker.key(&record.owner, START);
    let made = store.rotate_key(&record.id, next.id, next_hash, START).await.unwrap().unwrap();
    assert_eq!((made.limits, made.owner_limits), (limits, owner_limits));
    assert_eq!(store.key_by_hash(next_hash).await.unwrap(), Some(made));
}

/// A claim for a run passes over keys and owners who run as many as they may.
pub async fn a_claim_passes_over_who_runs_enough(store: &dyn Store) {
    let maker = Maker::new(66);
    let (busy, idle) = (maker.owner(), maker.owner());
    for owner in [&busy, &busy, &idle] {
        store.insert(maker.request(owner, Priority::High)).await.unwrap();
        maker.ready(store).await;
    }
    let one = Limits { max_running: Some(1), ..Limits::default() };
    store.set_limits(&Subject::Owner(busy.clone()), one).await.unwrap();
    let first = claim(store, &maker, Stage::Run).await;
    let second = claim(store, &maker, Stage::Run).await;
    assert_eq!((&first.row.owner, &second.row.owner), (&busy, &idle));
    let none = store.claim(Stage::Run, &maker.worker(), START, 30).await.unwrap();
    assert!(none.is_none(), "{none:?}");
    let mut changes = store.changes();
    changes.mark_unchanged();
    store.set_limits(&Subject::Owner(busy), Limits::default()).await.unwrap();
    assert!(changes.has_changed().unwrap(), "whoever claims looks again");
    claim(store, &maker, Stage::Run).await;
    audited(store, START).await;
}

/// At its deadline a request fails wherever it stands, and whoever works on it has lost it.
pub async fn deadlines_end_requests(store: &dyn Store) {
    let maker = Maker::new(67);
    let end = START.plus_secs(60);
    let mut ids = Vec::new();
    for deadline in [Some(end), Some(end), Some(end), Some(end.plus_secs(1)), None] {
        let mut new = maker.request(&maker.owner(), Priority::Normal);
        new.terms.deadline = deadline;
        ids.push(store.insert(new).await.unwrap().status.id);
    }
    let worker = maker.worker();
    let lease = |stage| store.claim(stage, &worker, START, 600);
    let intake = lease(Stage::Intake).await.unwrap().unwrap().lease;
    store.inputs_kept(&intake, domain::facts::Facts::default(), vec![], START).await.unwrap();
    let run = lease(Stage::Run).await.unwrap().unwrap().lease;
    let fetching = lease(Stage::Intake).await.unwrap().unwrap().lease;
    assert_eq!(store.next_wake().await.unwrap(), Some(end));
    assert_eq!(store.expire(Timestamp(end.0 - 1)).await.unwrap(), Expired::default());
    let Expired { leases, deadlines } = store.expire(end).await.unwrap();
    let seen: Vec<_> = deadlines.iter().map(|ended| (&ended.id, ended.stage)).collect();
    let stages = [Some(Stage::Run), Some(Stage::Intake), None];
    assert_eq!(seen, ids.iter().zip(stages).collect::<Vec<_>>());
    assert!(leases.is_empty() && deadlines.iter().all(|ended| ended.state == State::Failed));
    for (n, id) in ids.iter().enumerate() {
        let row = store.request(id).await.unwrap().unwrap();
        let failed = row.body.failure.map(|failure| failure.code);
        assert_eq!(failed.as_deref(), (n < 3).then_some("deadline_exceeded"), "{n}");
    }
    for lost in [run, fetching] {
        assert!(matches!(store.extend(&lost, end, None).await, Err(StoreError::Fenced)));
    }
    assert_eq!(store.next_wake_after(end).await.unwrap(), Some(end.plus_secs(1)));
    audited(store, end).await;
}

/// A deadline that a clock set back has put off is counted anew, once.
pub async fn deadlines_are_not_put_off_by_a_clock(store: &dyn Store) {
    let maker = Maker::new(78);
    let mut new = maker.request(&maker.owner(), Priority::Normal);
    new.terms.deadline = Some(START.plus_secs(600));
    let id = store.insert(new).await.unwrap().status.id;
    let deadline = async || store.request(&id).await.unwrap().unwrap().deadline;
    store.expire(START.plus_secs(-30)).await.unwrap();
    assert_eq!(deadline().await, Some(START.plus_secs(600)), "that was a correction");

    let earlier = START.plus_secs(-3600);
    assert_eq!(store.expire(earlier).await.unwrap(), Expired::default());
    let end = earlier.plus_secs(600);
    assert_eq!((deadline().await, store.next_wake().await.unwrap()), (Some(end), Some(end)));
    assert_eq!(store.expire(end.plus_millis(-1)).await.unwrap(), Expired::default());
    assert_eq!(deadline().await, Some(end));
    assert_eq!(store.expire(end).await.unwrap().deadlines.len(), 1);
    store.expire(earlier).await.unwrap();
    audited(store, end).await;
}

/// Who watches a request hears of its changes, and of no other's.
pub async fn watchers_hear_of_their_request(store: &dyn Store) {
    let maker = Maker::new(68);
    let (a, b) = (maker.insert(store).await, maker.insert(store).await);
    let (mut of_a, mut of_b) = (store.watch(&a), store.watch(&b));
    of_a.mark_unchanged();
    of_b.mark_unchanged();
    let fetching = claim(store, &maker, Stage::Intake).await;
    assert_eq!(fetching.row.id, a);
    of_a.changed().await.unwrap();
    store
        .extend(&fetching.lease, START.plus_secs(9), Some(super::making::progress()))
        .await
        .unwrap();
    of_a.changed().await.unwrap();
    assert!(!of_b.has_changed().unwrap());
    store.cancel(&b, false, START).await.unwrap();
    of_b.changed().await.unwrap();
    assert!(!of_a.has_changed().unwrap());
}

/// What is counted in memory is what the rows say.
pub async fn the_survey_agrees_with_the_rows(store: &dyn Store) {
    let maker = Maker::new(69);
    let owner = maker.owner();
    for n in 0..6 {
        let mut new = maker.request(&owner, Priority::from_rank(n % 3));
        new.created_at = START.plus_secs(n);
        if n > 3 {
            "z/other".clone_into(&mut new.model);
        }
        store.insert(new).await.unwrap();
    }
    maker.ready(store).await;
    claim(store, &maker, Stage::Run).await;
    let survey = store.survey().await.unwrap();
    let told: Vec<_> = survey
        .waiting
        .iter()
        .map(|group| {
            let oldest = group.oldest.map(|at| at.millis_since(START) / 1000);
            (group.model.as_str(), group.priority.as_str(), group.depth, oldest)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("maker/model/clip", "high", 1, Some(3)),
            ("maker/model/clip", "normal", 1, Some(1)),
            ("maker/model/clip", "low", 1, Some(2)),
            ("z/other", "normal", 1, Some(4)),
            ("z/other", "low", 1, Some(5)),
        ]
    );
    assert_eq!(survey.running, [("maker/model/clip".to_owned(), 1)]);
    let seen = store.audit(START).await.unwrap();
    assert!(audit(&seen, &BTreeSet::new()).is_empty());
}
