//! What is no longer kept, and what was used.

use std::collections::BTreeSet;

use domain::{KeyId, OwnerId, Priority, RequestId, Stage, Timestamp};

use super::making::{Maker, START, audited, claim};
use crate::Store;
use crate::accounts::{GroupBy, UsageQuery};
use crate::retention::{Cutoffs, Removal};
use crate::row::FileRow;

const LATER: Timestamp = START.plus_secs(1000);

/// A published request of a new owner.
async fn published(store: &dyn Store, maker: &Maker) -> (OwnerId, RequestId, FileRow) {
    let run = maker.running(store).await;
    let (owner, id) = (run.row.owner.clone(), run.row.id.clone());
    let made = maker.published(&owner, &id);
    let file = made.files[0].clone();
    store.publish(&run.lease, made, START).await.unwrap();
    (owner, id, file)
}

async fn trash(store: &dyn Store) -> BTreeSet<String> {
    store.trash(100).await.unwrap().into_iter().collect()
}

/// A request that has ended is removed with its files; what was charged stays charged.
pub async fn a_finished_request_is_removed(store: &dyn Store) {
    let maker = Maker::new(81);
    let (owner, id, file) = published(store, &maker).await;
    let open = maker.insert(store).await;
    let open_owner = store.status(&open).await.unwrap().unwrap().owner;
    assert_eq!(store.remove(&maker.owner(), &id).await.unwrap(), Removal::NotFound);
    assert_eq!(store.remove(&open_owner, &open).await.unwrap(), Removal::Open);
    let spent = store.loads(&owner, &maker.key_id()).owner.spent;
    assert_eq!(store.remove(&owner, &id).await.unwrap(), Removal::Done);
    assert_eq!(store.status(&id).await.unwrap(), None);
    assert_eq!(store.request(&id).await.unwrap(), None);
    assert_eq!(store.file(&file.token).await.unwrap(), None);
    assert_eq!(store.remove(&owner, &id).await.unwrap(), Removal::NotFound);
    assert_eq!(store.loads(&owner, &maker.key_id()).owner.spent, spent);
    let folders = [format!("inputs/{id}"), format!("outputs/{id}")];
    assert_eq!(trash(store).await, BTreeSet::from(folders.clone()));
    store.emptied(folders.into()).await.unwrap();
    assert!(trash(store).await.is_empty());
    audited(store, START).await;
}

/// A file that a waiting request needs stays, whoever wants it gone.
pub async fn files_in_use_are_kept(store: &dyn Store) {
    let maker = Maker::new(82);
    let (owner, made, file) = published(store, &maker).await;
    let upload = maker.file(&owner, None);
    store.add_file(upload.clone(), &maker.key_id()).await.unwrap();
    let mut new = maker.request(&owner, Priority::Normal);
    new.terms.uses = vec![file.token.clone(), upload.token.clone(), upload.token.clone()];
    let waiting = store.insert(new).await.unwrap().status.id;
    assert_eq!(store.remove(&owner, &made).await.unwrap(), Removal::InUse);
    let all = Some(LATER);
    let cutoffs = Cutoffs { now: LATER, results: all, inputs: None, uploads: all };
    assert_eq!(store.retire(cutoffs, 100).await.unwrap(), 0);
    assert!(store.file(&upload.token).await.unwrap().is_some());
    store.cancel(&waiting, false, LATER.plus_secs(1)).await.unwrap();
    assert_eq!(store.retire(cutoffs, 100).await.unwrap(), 2, "the result and the upload");
    assert_eq!(store.file(&upload.token).await.unwrap(), None);
    assert_eq!(store.status(&made).await.unwrap(), None);
    assert!(store.status(&waiting).await.unwrap().is_some(), "it ended after the cutoff");
    audited(store, START).await;
}

/// Inputs go once, results with everything, and never more at a time than was asked for.
pub async fn what_is_old_is_retired(store: &dyn Store) {
    let maker = Maker::new(83);
    let mut ids = Vec::new();
    for n in 0..5 {
        let id = maker.insert(store).await;
        store.cancel(&id, false, START.plus_secs(n)).await.unwrap();
        ids.push(id);
    }
    let inputs = Cutoffs { now: LATER, inputs: Some(START.plus_secs(3)), ..Cutoffs::default() };
    assert_eq!(store.retire(inputs, 3).await.unwrap(), 3);
    assert_eq!(store.retire(inputs, 3).await.unwrap(), 1);
    assert_eq!(store.retire(inputs, 3).await.unwrap(), 0);
    let gone: BTreeSet<String> = ids.iter().take(4).map(|id| format!("inputs/{id}")).collect();
    assert_eq!(trash(store).await, gone);
    let results = Cutoffs { now: LATER, results: Some(START.plus_secs(1)), ..Cutoffs::default() };
    assert_eq!(store.retire(results, 100).await.unwrap(), 2);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(store.status(id).await.unwrap().is_some(), n > 1, "{n}");
    }
    audited(store, START).await;
}

/// Usage is added up by day, model or key, of one owner and within the time asked for; of one
/// model or key, where that is asked for.
pub async fn usage_is_added_up(store: &dyn Store) {
    let maker = Maker::new(84);
    let (owner, key) = (maker.owner(), maker.key_id());
    let day = |n: i64| {
        Timestamp::from_secs(START.unix_secs().div_euclid(86_400) * 86_400).plus_secs(n * 86_400)
    };
    for (n, model) in [(0, "a"), (0, "b"), (1, "a"), (5, "a")] {
        let mut new = maker.request(&owner, Priority::Normal);
        (new.key, new.model) = (key.clone(), model.to_owned());
        store.insert(new).await.unwrap();
        maker.ready(store).await;
        let run = claim(store, &maker, Stage::Run).await;
        let made = maker.published(&owner, &run.row.id);
        store.publish(&run.lease, made, day(n)).await.unwrap();
    }
    published(store, &maker).await;
    let all = UsageQuery {
        owner: owner.clone(),
        from: day(0),
        to: day(5),
        model: None,
        key: None,
        group_by: GroupBy::Day,
    };
    let lines = async |query: UsageQuery| {
        let lines = store.usage(query).await.unwrap();
        lines.into_iter().map(|l| (l.group, l.clips, l.units, l.cost.0)).collect::<Vec<_>>()
    };
    let asked = async |group_by| lines(UsageQuery { group_by, ..all.clone() }).await;
    let number = |n: i64| (day(n).unix_secs() / 86_400).to_string();
    let by_day = [(number(0), 2, 10, 1_120_000), (number(1), 1, 5, 560_000)];
    assert_eq!(asked(GroupBy::Day).await, by_day);
    let by_model = [("a".to_owned(), 2, 10, 1_120_000), ("b".to_owned(), 1, 5, 560_000)];
    assert_eq!(asked(GroupBy::Model).await, by_model);
    assert_eq!(asked(GroupBy::Key).await, [(key.to_string(), 3, 15, 1_680_000)]);

    let narrowed = async |model: Option<&str>, key: Option<&KeyId>| {
        let (model, key) = (model.map(str::to_owned), key.cloned());
        lines(UsageQuery { model, key, ..all.clone() }).await
    };
    let days_of_a = [(number(0), 1, 5, 560_000), (number(1), 1, 5, 560_000)];
    assert_eq!(narrowed(Some("a"), None).await, days_of_a);
    assert_eq!(narrowed(Some("a"), Some(&key)).await, days_of_a);
    assert_eq!(narrowed(None, Some(&key)).await, by_day);
    assert!(narrowed(Some("none"), None).await.is_empty());
    assert!(narrowed(None, Some(&maker.key_id())).await.is_empty());
}
