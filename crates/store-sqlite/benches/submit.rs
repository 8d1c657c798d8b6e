//! What a submit, a poll and a start cost.
//!
//! With `BENCH_MILLION=1` also at a million queued requests (some twenty seconds to prepare).
#![expect(clippy::unwrap_used, reason = "a bench: a failed call ends it")]
#![allow(missing_docs, reason = "`criterion_group!` makes a public function without any")]

use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use domain::{Priority, RequestId};
use futures_util::future::join_all;
use store::Store;
use store::conformance::Maker;
use store_sqlite::{OpenMode, SqliteStore};
use tokio::runtime::Runtime;

const MILLION: usize = 1_000_000;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, OpenMode::Serve).unwrap()
}

fn insert(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (store, maker) = (open(folder.path()), Maker::new(1));
    inserts(c, "insert", &store, &maker);
}

fn inserts(c: &mut Criterion, name: &str, store: &SqliteStore, maker: &Maker) {
    let runtime = Runtime::new().unwrap();
    let owner = maker.owner();
    let mut group = c.benchmark_group(name);
    for at_once in [1, 64] {
        group.throughput(Throughput::Elements(at_once));
        group.bench_function(format!("{at_once} at once"), |b| {
            b.iter_batched(
                || (0..at_once).map(|_| maker.request(&owner, Priority::Normal)).collect(),
                |news: Vec<_>| {
                    let all = join_all(news.into_iter().map(|new| store.insert(new)));
                    for answer in runtime.block_on(all) {
                        answer.unwrap();
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn poll(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (store, maker) = (open(folder.path()), Maker::new(2));
    let ids = fill(&store, &maker, 10_000);
    polls(c, "status, 10,000 queued", &store, &ids);
}

fn polls(c: &mut Criterion, name: &str, store: &SqliteStore, ids: &[RequestId]) {
    let runtime = Runtime::new().unwrap();
    let mut at = 0;
    c.bench_function(name, |b| {
        b.iter(|| {
            at = (at + 7919) % ids.len();
            runtime.block_on(store.status(&ids[at])).unwrap()
        });
    });
}

fn million(c: &mut Criterion) {
    if std::env::var_os("BENCH_MILLION").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let maker = Maker::new(3);
    let ids = fill(&open(folder.path()), &maker, MILLION);
    let mut group = c.benchmark_group("open");
    group.sample_size(10);
    group.bench_function("1,000,000 queued", |b| b.iter(|| open(folder.path()).queued()));
    group.finish();
    let store = open(folder.path());
    polls(c, "status, 1,000,000 queued", &store, &ids);
    inserts(c, "insert, 1,000,000 queued", &store, &maker);
    rank(c);
}

fn rank(c: &mut Criterion) {
    let key = |n: i64| domain::OrderKey { priority: Priority::Normal, finish: n / 3, seq: n };
    let index = domain::QueueIndex::from_sorted((0..MILLION as i64).map(key));
    let mut at = 0;
    c.bench_function("rank, 1,000,000 queued", |b| {
        b.iter(|| {
            at = (at + 611_953) % MILLION as i64;
            index.rank(&key(at))
        });
    });
}

/// Inserts `count` requests of a hundred owners; their ids.
fn fill(store: &SqliteStore, maker: &Maker, count: usize) -> Vec<RequestId> {
    let runtime = Runtime::new().unwrap();
    let owners: Vec<_> = (0..100).map(|_| maker.owner()).collect();
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let news = (0..250).map(|n| maker.request(&owners[n % 100], Priority::Normal));
        let all = join_all(news.map(|new| store.insert(new)));
        ids.extend(runtime.block_on(all).into_iter().map(|answer| answer.unwrap().status.id));
    }
    ids
}

criterion_group!(benches, insert, poll, million);
criterion_main!(benches);
