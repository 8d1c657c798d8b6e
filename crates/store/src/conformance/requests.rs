//! Inserting, reading, listing, publishing.

use domain::facts::Facts;
use domain::{Priority, RequestId, Stage, State};

use super::making::{Maker, START, audited, claim, failure};
use crate::row::{Listing, Progress};
use crate::{Store, StoreError};

/// What was inserted is what is read.
pub async fn an_insert_reads_back(store: &dyn Store) {
    let maker = Maker::new(1);
    for _ in 0..50 {
        let new = maker.request(&maker.owner(), Priority::Low);
        let status = store.insert(new.clone()).await.unwrap().status;
        assert_eq!((status.state, &status.owner), (State::Received, &new.owner));
        assert_eq!(store.status(&new.id).await.unwrap(), Some(status));
        let row = store.request(&new.id).await.unwrap().unwrap();
        assert_eq!(row.body.input, new.input);
        let (kept, sent) = (row.body.input.to_string(), new.input.to_string());
        assert_eq!(kept, sent, "the order of the fields is kept too");
        assert_eq!(row.body.warnings, new.warnings);
        assert_eq!((&row.id, &row.owner, &row.key), (&new.id, &new.owner, &new.key));
        assert_eq!((&row.model, row.order.priority), (&new.model, Priority::Low));
        assert_eq!((row.created_at, row.finished_at, row.held), (START, None, None));
        assert_eq!(row.body.timeline.len(), 1);
    }
    let unknown = maker.request(&maker.owner(), Priority::Low).id;
    assert_eq!(store.status(&unknown).await.unwrap(), None);
    assert_eq!(store.request(&unknown).await.unwrap(), None);
    store.check().await.unwrap();
}

/// The same id again is refused and changes nothing.
pub async fn an_id_is_inserted_once(store: &dyn Store) {
    let maker = Maker::new(2);
    let first = maker.request(&maker.owner(), Priority::Normal);
    store.insert(first.clone()).await.unwrap();
    let again = crate::NewRequest { owner: maker.owner(), ..first.clone() };
    assert!(matches!(store.insert(again).await, Err(StoreError::Exists(_))));
    assert_eq!(store.status(&first.id).await.unwrap().unwrap().owner, first.owner);
    let next = maker.request(&first.owner, Priority::Normal);
    assert_eq!(store.insert(next).await.unwrap().status.position, Some(2));
    assert_eq!(store.queued(), 2);
    audited(store, START).await;
}

/// Intake makes a request ready, at its place.
pub async fn intake_makes_it_ready(store: &dyn Store) {
    let maker = Maker::new(3);
    let (a, b) = (maker.insert(store).await, maker.insert(store).await);
    let held = claim(store, &maker, Stage::Intake).await;
    assert_eq!((&held.row.id, held.row.state), (&a, State::Received));
    assert!(store.claim(Stage::Run, &maker.worker(), START, 30).await.unwrap().is_none());
    let progress = Progress { stage: "intake".to_owned(), fraction: 0.5 };
    store.extend(&held.lease, START.plus_secs(60), Some(progress.clone())).await.unwrap();
    let row = store.request(&a).await.unwrap().unwrap();
    assert_eq!(row.body.progress, Some(progress));
    assert_eq!(row.held.map(|held| held.expires_at), Some(START.plus_secs(60)));
    store.inputs_kept(&held.lease, Facts::default(), vec!["big".into()], START).await.unwrap();
    let row = store.request(&a).await.unwrap().unwrap();
    assert_eq!((row.state, row.held, row.body.progress), (State::Ready, None, None));
    assert_eq!((row.body.facts, row.body.warnings.len()), (Some(Facts::default()), 2));
    assert_eq!(store.status(&a).await.unwrap().unwrap().position, Some(1));
    assert_eq!(store.status(&b).await.unwrap().unwrap().position, Some(2));
    audited(store, START).await;
}

/// The record, the names of the files and the charge appear together.
pub async fn publish_is_one_step(store: &dyn Store) {
    let maker = Maker::new(4);
    let held = maker.running(store).await;
    let published = maker.published(&held.row.owner, &held.row.id);
    store.publish(&held.lease, published.clone(), START.plus_secs(9)).await.unwrap();
    let row = store.request(&held.row.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.finished_at), (State::Succeeded, Some(START.plus_secs(9))));
    assert_eq!(row.body.published, Some(published.body.clone()));
    for file in &published.files {
        assert_eq!(store.file(&file.token).await.unwrap().as_ref(), Some(file));
    }
    let again = maker.published(&held.row.owner, &held.row.id);
    assert!(matches!(store.publish(&held.lease, again, START).await, Err(StoreError::Fenced)));
    let seen = store.audit(START).await.unwrap();
    assert_eq!(seen.iter().map(|one| (one.outputs, one.charges)).collect::<Vec<_>>(), [(1, 1)]);
    audited(store, START).await;
}

/// A publication with a name that is taken changes nothing at all.
pub async fn publish_refuses_a_taken_name(store: &dyn Store) {
    let maker = Maker::new(5);
    let held = maker.running(store).await;
    let mut published = maker.published(&held.row.owner, &held.row.id);
    let upload = maker.file(&held.row.owner, None);
    store.add_file(upload.clone(), &maker.key_id()).await.unwrap();
    let fresh = published.files.clone();
    published.files.push(upload);
    let answer = store.publish(&held.lease, published.clone(), START).await;
    assert!(matches!(answer, Err(StoreError::Exists(_))));
    let row = store.request(&held.row.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.body.published), (State::Running, None));
    for file in &fresh {
        assert_eq!(store.file(&file.token).await.unwrap(), None);
    }
    audited(store, START).await;
    published.files.pop();
    store.publish(&held.lease, published, START).await.unwrap();
    audited(store, START).await;
}

/// Lists filter by owner, state and model, newest first, page by page.
pub async fn lists_filter_and_page(store: &dyn Store) {
    let maker = Maker::new(6);
    let owners = [maker.owner(), maker.owner()];
    let mut ids = Vec::new();
    for n in 0..20 {
        let mut new = maker.request(&owners[n % 2], Priority::Normal);
        if n % 4 == 0 {
            "other/model".clone_into(&mut new.model);
        }
        ids.push(store.insert(new).await.unwrap().status.id);
    }
    store.cancel(&ids[3], false, START).await.unwrap();
    let all = Listing { owner: None, states: vec![], model: None, before: None, limit: 100 };
    let newest: Vec<RequestId> = ids.iter().rev().cloned().collect();
    assert_eq!(listed(store, &all).await, newest);
    let first = Listing { owner: Some(owners[0].clone()), ..all.clone() };
    assert_eq!(listed(store, &first).await.len(), 10);
    let cancelled = Listing { states: vec![State::Cancelled, State::Failed], ..all.clone() };
    assert_eq!(listed(store, &cancelled).await, [ids[3].clone()]);
    let model = Listing { model: Some("other/model".to_owned()), ..first.clone() };
    assert_eq!(listed(store, &model).await.len(), 5);
    let model = Listing { model: Some("none".to_owned()), ..all.clone() };
    assert!(listed(store, &model).await.is_empty());

    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = store.list(Listing { before, limit: 4, ..first.clone() }).await.unwrap();
        assert!(!page.rows.is_empty(), "a page that was announced has rows");
        pages.extend(page.rows.into_iter().map(|row| row.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, listed(store, &first).await);
    let exact = store.list(Listing { limit: 10, ..first }).await.unwrap();
    assert_eq!(exact.next, None, "a last page that is full announces no other");
}

/// Who is worked on, and what ended last in each way, whoever owns it.
pub async fn work_and_ends_are_listed(store: &dyn Store) {
    let maker = Maker::new(7);
    assert!(store.at_work(9).await.unwrap().is_empty());
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(maker.insert(store).await);
    }
    let held = async |limit| -> Vec<RequestId> {
        store.at_work(limit).await.unwrap().into_iter().map(|row| row.id).collect()
    };
    let mut claims = Vec::new();
    for _ in 0..4 {
        claims.push(claim(store, &maker, Stage::Intake).await);
    }
    assert_eq!(held(9).await, ids[..4]);
    assert_eq!(held(2).await, ids[..2]);
    let rows = store.at_work(1).await.unwrap();
    assert_eq!(rows[0].held.as_ref().map(|held| held.stage), Some(Stage::Intake));
    assert_eq!(rows[0].body.timeline.last().unwrap().event, "intake_started");

    // They end in another order than they came.
    for (at, secs) in [(2, 5), (0, 7), (1, 7)] {
        let now = START.plus_secs(secs);
        store.fail(&claims[at].lease, failure(), now).await.unwrap();
    }
    store.cancel(&ids[4], false, START.plus_secs(9)).await.unwrap();
    let ended = async |state, limit| -> Vec<RequestId> {
        let rows = store.last_ended(state, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    let last = [ids[1].clone(), ids[0].clone(), ids[2].clone()];
    assert_eq!(ended(State::Failed, 9).await, last);
    assert_eq!(ended(State::Failed, 2).await, last[..2]);
    assert_eq!(ended(State::Cancelled, 9).await, ids[4..]);
    assert!(ended(State::Succeeded, 9).await.is_empty());
    assert_eq!(held(9).await, ids[3..4]);
}

async fn listed(store: &dyn Store, listing: &Listing) -> Vec<RequestId> {
    let page = store.list(listing.clone()).await.unwrap();
    page.rows.into_iter().map(|row| row.id).collect()
}
