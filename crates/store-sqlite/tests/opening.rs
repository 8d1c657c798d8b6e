//! Opening a data folder: again, twice, beside a server, and of another version.
#![expect(clippy::unwrap_used, reason = "a failed call is a failed test")]

use domain::{Priority, Stage, Timestamp};
use store::conformance::Maker;
use store::sharing::{Link, Sharing};
use store::{Store, StoreError};
use store_sqlite::{OpenError, OpenMode, SqliteStore};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[tokio::test]
async fn a_restart_changes_no_place_and_no_turn() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(1);
    let owners = [maker.owner(), maker.owner(), maker.owner()];
    let store = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    for n in 0..60_usize {
        let priority = Priority::from_rank(n as i64 % 3);
        store.insert(maker.request(&owners[n * n % 3], priority)).await.unwrap();
    }
    for _ in 0..20 {
        maker.ready(&store).await;
    }
    for _ in 0..7 {
        store.claim(Stage::Run, &maker.worker(), NOW, 30).await.unwrap().unwrap();
    }
    let before = places(&store).await;
    drop(store);

    let store = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    assert_eq!(places(&store).await, before);
    assert_eq!(store.queued(), 53);
    // The runs of before come back to the head of the queue, not behind newcomers.
    assert_eq!(store.void_leases(NOW).await.unwrap(), 7);
    let newcomer = maker.request(&maker.owner(), Priority::High);
    let newcomer = store.insert(newcomer).await.unwrap();
    assert!(newcomer.status.position > Some(7), "{newcomer:?}");
    let wrong = domain::invariants::audit(
        &store.audit(NOW).await.unwrap(),
        &std::collections::BTreeSet::new(),
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn places(store: &SqliteStore) -> Vec<String> {
    store.audit(NOW).await.unwrap().iter().map(|one| format!("{one:?}")).collect()
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    let second = SqliteStore::open(folder.path(), OpenMode::Serve);
    let error = second.err().unwrap();
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    drop(first);
    SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
}

#[tokio::test]
async fn keys_made_and_revoked_beside_a_server_count_at_its_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(2);
    let beside = SqliteStore::open(folder.path(), OpenMode::Beside).unwrap();
    let serve = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    let (key, hash) = maker.key(&maker.owner(), NOW);
    assert_eq!(serve.key_by_hash(hash).await.unwrap(), None);
    beside.add_key(key.clone(), hash).await.unwrap();
    assert_eq!(serve.key_by_hash(hash).await.unwrap(), Some(key.clone()));
    beside.revoke_key(&key.id, NOW).await.unwrap();
    assert_eq!(serve.key_by_hash(hash).await.unwrap().unwrap().revoked_at, Some(NOW));
}

#[tokio::test]
async fn beside_a_server_requests_are_seen_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(3);
    let serve = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    let beside = SqliteStore::open(folder.path(), OpenMode::Beside).unwrap();
    maker.insert(&serve).await;
    let id = maker.insert(&serve).await;
    beside.check().await.unwrap();
    assert_eq!(beside.queued(), 2);
    assert_eq!(beside.status(&id).await.unwrap(), serve.status(&id).await.unwrap());
    assert_eq!(places(&beside).await, places(&serve).await);
    let refused = beside.cancel(&id, true, NOW).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let refused = beside.insert(maker.request(&maker.owner(), Priority::Low)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn what_an_earlier_version_kept_is_there_and_can_be_shared() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(4);
    let store = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    let run = maker.running(&store).await;
    let (owner, id) = (run.row.owner, run.row.id);
    store.publish(&run.lease, maker.published(&owner, &id), NOW).await.unwrap();
    drop(store);
    // As version 3 left it.
    let conn = rusqlite::Connection::open(folder.path().join("reshoot.db")).unwrap();
    let back = "DROP TABLE share; DROP INDEX request_ended; \
                ALTER TABLE api_key DROP COLUMN last_used_at; PRAGMA user_version = 3";
    conn.execute_batch(back).unwrap();
    drop(conn);
    let store = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    let link = maker.link();
    assert_eq!(store.share(&owner, &id, &link).await.unwrap(), Link::Stands(link.clone()));
    drop(store);
    let store = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
    assert_eq!(store.shared(&link).await.unwrap().map(|row| row.id), Some(id));
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path(), OpenMode::Serve).unwrap());
    let file = folder.path().join("reshoot.db");
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.pragma_update(None, "user_version", 999).unwrap();
    drop(conn);
    let bytes = std::fs::read(&file).unwrap();
    for mode in [OpenMode::Serve, OpenMode::Beside] {
        let error = SqliteStore::open(folder.path(), mode).err().unwrap();
        assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error}");
        assert!(error.to_string().contains("newer program"), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("reshoot.db"), "not a database ".repeat(1000)).unwrap();
    let error = SqliteStore::open(folder.path(), OpenMode::Serve).err().unwrap();
    assert!(error.to_string().contains("damaged"), "{error}");
}
