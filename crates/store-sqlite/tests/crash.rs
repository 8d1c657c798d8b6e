//! A server killed amid inserts has every insert that it acknowledged.
#![expect(clippy::unwrap_used, reason = "a failed call is a failed test")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use domain::{Priority, RequestId, Timestamp};
use store::Store;
use store::conformance::Maker;
use store_sqlite::{OpenMode, SqliteStore};

const FOLDER: &str = "STORE_CRASH_FOLDER";
const CLIENTS: u64 = 16;
const ROUNDS: usize = 4;
const BEFORE_THE_KILL: usize = 300;

/// Run by the test below in a process of its own; inserts until it is killed.
#[test]
#[ignore = "the victim of `every_acknowledged_insert_is_there_after_a_kill`"]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Arc::new(SqliteStore::open(Path::new(&folder), OpenMode::Serve).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let store = Arc::clone(&store);
            let seed = u64::from(std::process::id()) << 8 | client;
            clients.spawn(insert_for_ever(store, Maker::new(seed)));
        }
        clients.join_all().await;
    });
}

async fn insert_for_ever(store: Arc<SqliteStore>, maker: Maker) {
    let owner = maker.owner();
    loop {
        let id = store.insert(maker.request(&owner, Priority::Normal)).await.unwrap().status.id;
        // One write of less than a pipe's atomic size: never half a line.
        std::io::stdout().write_all(format!("\nack {id}\n").as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn every_acknowledged_insert_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeSet<RequestId> = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acks = |most: usize| {
            let ids = lines.by_ref().map_while(Result::ok).filter_map(|line| {
                line.strip_prefix("ack ").and_then(|id| id.parse::<RequestId>().ok())
            });
            ids.take(most).collect::<Vec<_>>()
        };
        let first = acks(BEFORE_THE_KILL);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(first.len(), BEFORE_THE_KILL, "round {round}: the victim ended by itself");
        acknowledged.extend(first);
        acknowledged.extend(acks(usize::MAX));

        let store = SqliteStore::open(folder.path(), OpenMode::Serve).unwrap();
        let seen = store.audit(Timestamp::from_secs(1_800_000_000)).await.unwrap();
        let wrong = domain::invariants::audit(&seen, &acknowledged);
        assert!(wrong.is_empty(), "round {round}: {wrong:#?}");
        for id in &acknowledged {
            assert!(store.request(id).await.unwrap().is_some(), "its document is there too");
        }
    }
}
