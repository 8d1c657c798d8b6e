//! What the store does when its disk or its database fails under it.

use std::collections::BTreeSet;
use std::sync::mpsc;

use domain::{Priority, Timestamp};
use futures_util::FutureExt;
use store::conformance::Maker;
use store::{Store, StoreError};

use crate::fault::Fault;
use crate::{OpenMode, SqliteStore};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn open() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(folder.path(), OpenMode::Serve).unwrap(), folder)
}

/// Runs SQL outside any transaction, between two batches.
async fn between(store: &SqliteStore, sql: &'static str) {
    let (done, wait) = tokio::sync::oneshot::channel();
    let look = move |conn: &rusqlite::Connection, _: &domain::QueueIndex| {
        conn.execute_batch(sql).unwrap();
        done.send(()).unwrap();
    };
    store.jobs.send(crate::writer::Job::Look(Box::new(look))).unwrap();
    wait.await.unwrap();
}

/// Keeps the writer busy until the gate opens; returns when it is: what is handed in from then on
/// is one batch.
async fn hold(
    store: &SqliteStore,
    gate: mpsc::Receiver<()>,
) -> impl Future<Output = Result<bool, StoreError>> + '_ {
    let (begin, begun) = tokio::sync::oneshot::channel();
    let mut held = Box::pin(store.write(move |_| {
        begin.send(()).unwrap();
        Ok(gate.recv().is_ok())
    }));
    assert!((&mut held).now_or_never().is_none(), "it is held");
    begun.await.unwrap();
    held
}

async fn audited(store: &SqliteStore) {
    let seen = store.audit(NOW).await.unwrap();
    let wrong = domain::invariants::audit(&seen, &BTreeSet::new());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen.iter().filter(|one| one.state.is_queued()).count(), store.queued());
}

fn reason<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Unavailable(reason)) => reason,
        other => panic!("expected `Unavailable`, got {other:?}"),
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_without_a_hand() {
    let (store, _folder) = open();
    let maker = Maker::new(1);
    let owner = maker.owner();
    between(&store, "PRAGMA max_page_count = 40").await;
    let mut taken = 0;
    let refused = loop {
        match store.insert(maker.request(&owner, Priority::Normal)).await {
            Ok(_) => taken += 1,
            refused => break reason(refused),
        }
    };
    assert!(refused.contains("full") && refused.contains("free some space"), "{refused}");
    assert_eq!(store.queued(), taken);
    audited(&store).await;
    between(&store, "PRAGMA max_page_count = 1000000").await;
    let next = store.insert(maker.request(&owner, Priority::Normal)).await.unwrap();
    assert_eq!(next.status.position, Some(taken as u64 + 1));
    let row = store.request(&next.status.id).await.unwrap().unwrap();
    assert_eq!(row.order.finish, taken as i64 + 1, "refused requests cost their owner no turn");
    audited(&store).await;
}

#[tokio::test]
async fn a_failed_commit_answers_everybody_and_changes_nothing() {
    let (store, _folder) = open();
    let maker = Maker::new(2);
    let owner = maker.owner();
    let first = maker.insert(&store).await;
    let changes = store.changes();
    let before = *changes.borrow();

    // All that follows is in one batch: the writer is held until it has been handed in.
    let (open_gate, gate) = mpsc::channel::<()>();
    let held = hold(&store, gate).await;
    let orphan = store.write(|writer| {
        // Found out by the commit, not by the statement.
        writer.conn.execute_batch(
            "PRAGMA defer_foreign_keys = ON; INSERT INTO body (seq, doc) VALUES (99, '{}')",
        )?;
        Ok(())
    });
    let insert = store.insert(maker.request(&owner, Priority::Normal));
    let cancel = store.cancel(&first, false, NOW);
    let release = async { open_gate.send(()).unwrap() };
    let (held, orphan, insert, cancel, ()) = tokio::join!(held, orphan, insert, cancel, release);
    assert!(reason(orphan).contains("FOREIGN KEY"));
    reason(insert);
    reason(cancel);
    drop(held);

    assert_eq!(*changes.borrow(), before);
    assert_eq!(store.queued(), 1);
    assert_eq!(store.status(&first).await.unwrap().unwrap().position, Some(1));
    audited(&store).await;
    let next = store.insert(maker.request(&owner, Priority::Normal)).await.unwrap();
    assert_eq!(next.status.position, Some(2));
    let row = store.request(&next.status.id).await.unwrap().unwrap();
    assert_eq!((row.order.finish, row.order.seq), (1, 2));
    audited(&store).await;
}

#[tokio::test]
async fn one_refused_job_does_not_take_the_others_of_its_batch_along() {
    let (store, _folder) = open();
    let maker = Maker::new(3);
    let new = maker.request(&maker.owner(), Priority::Normal);
    let (open_gate, gate) = mpsc::channel::<()>();
    let held = hold(&store, gate).await;
    let first = store.insert(new.clone());
    let again = store.insert(new.clone());
    let broken = store.write(|writer| {
        writer.conn.execute("INSERT INTO name (text) VALUES ('half')", [])?;
        Err::<(), _>(Fault::Damaged("on purpose".to_owned()))
    });
    let last = store.insert(maker.request(&new.owner, Priority::Normal));
    let release = async { open_gate.send(()).unwrap() };
    let (_, first, again, broken, last, ()) =
        tokio::join!(held, first, again, broken, last, release);
    assert_eq!(first.unwrap().status.position, Some(1));
    assert!(matches!(again, Err(StoreError::Exists(_))));
    assert!(reason(broken).contains("on purpose"));
    assert_eq!(last.unwrap().status.position, Some(2));
    let halves = store
        .write(|writer| {
            let sql = "SELECT count(*) FROM name WHERE text = 'half'";
            Ok(writer.conn.query_row(sql, [], |row| row.get::<_, i64>(0))?)
        })
        .await;
    assert_eq!(halves.unwrap(), 0);
    audited(&store).await;
}

#[tokio::test]
async fn a_lock_of_another_process_and_a_read_only_folder_are_named() {
    let (store, folder) = open();
    let maker = Maker::new(4);
    between(&store, "PRAGMA busy_timeout = 0").await;
    let other = rusqlite::Connection::open(folder.path().join("reshoot.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = reason(store.insert(maker.request(&maker.owner(), Priority::Low)).await);
    assert!(refused.contains("another process keeps the database locked"), "{refused}");
    other.execute_batch("ROLLBACK").unwrap();
    between(&store, "PRAGMA query_only = ON").await;
    let refused = reason(store.check().await);
    assert!(refused.contains("cannot be written"), "{refused}");
    between(&store, "PRAGMA query_only = OFF").await;
    store.check().await.unwrap();
    maker.insert(&store).await;
    audited(&store).await;
}
