//! A long queue, and polls beside renders.

use std::hint::black_box;
use std::time::{Duration, Instant};

use domain::queue::{OrderKey, Priority, QueueIndex};
use domain::usage::Microdollars;
use domain::{KeyId, OwnerId, RequestId, Rng, Timestamp};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use store::{NewRequest, Store, Terms};
use store_sqlite::{OpenMode, SqliteStore};

use crate::load::{Call, exchange_once, median, quantile, rate, times};
use crate::served::{Served, folder};
use crate::{MODEL, body};

const OWNERS: usize = 100;
/// Ranks that are looked up.
const LOOKS: usize = 1_000_000;
/// Inserts that share a commit.
const TOGETHER: usize = 256;

struct Random;

impl Rng for Random {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// A server with so many queued, against an empty one.
pub(crate) async fn long(count: usize) {
    rank(count);
    let data = folder();
    let began = Instant::now();
    fill(data.path(), count).await;
    let each = began.elapsed().as_secs_f64() / count as f64;
    println!("{count} requests inserted, {:.1} us each, {TOGETHER} at a time", each * 1e6);
    let (empty, full) = (Served::start(&[]), Served::on(data, &[]));
    let reply = exchange_once(&Call::get(&full, "/v1/models")).await;
    assert!(reply["models"].is_array());
    println!(
        "start with {count} queued: {:.0} ms to the first answer (aim 500), {:.1} MiB resident (aim 150); empty {:.0} ms, {:.1} MiB",
        full.started_in.as_secs_f64() * 1e3,
        full.resident_mib(),
        empty.started_in.as_secs_f64() * 1e3,
        empty.resident_mib(),
    );
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        for (which, served) in [&empty, &full].into_iter().enumerate() {
            rates[which].push(rate(&Call::post(served, MODEL, &body()), 64, 50).await);
        }
    }
    let [empty_rate, full_rate] = rates.map(median);
    println!(
        "durable submit, 64 connections: {full_rate:.0}/s with {count} queued, {empty_rate:.0}/s empty: {:.2} (aim 0.80)",
        full_rate / empty_rate
    );
    println!("after that {:.1} MiB resident", full.resident_mib());
}

/// The time of a rank in memory, at random places.
fn rank(count: usize) {
    let key = |n: usize| OrderKey { priority: Priority::Normal, finish: n as i64, seq: n as i64 };
    let index = QueueIndex::from_sorted((0..count).map(key));
    let mut at = 7_usize;
    let began = Instant::now();
    for _ in 0..LOOKS {
        at = (at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)) % count;
        black_box(index.rank(&key(at)));
    }
    let each = began.elapsed().as_secs_f64() / LOOKS as f64;
    println!("queue position at {count} queued: {:.0} ns (aim 1000)", each * 1e9);
}

async fn fill(data: &std::path::Path, count: usize) {
    let store = SqliteStore::open(data, OpenMode::Serve).unwrap();
    let now = Timestamp::from_secs(1_800_000_000);
    let owners: Vec<(OwnerId, KeyId)> =
        (0..OWNERS).map(|_| (OwnerId::new(now, &Random), KeyId::new(now, &Random))).collect();
    let mut under_way = FuturesUnordered::new();
    for n in 0..count {
        let (owner, key) = owners[n % OWNERS].clone();
        let new = NewRequest {
            id: RequestId::new(now, &Random),
            owner,
            key,
            model: MODEL["/v1/models/".len()..].to_owned(),
            input: json!({"prompt": "golden hour", "video_url": "https://example.com/a.mp4"}),
            warnings: Vec::new(),
            priority: Priority::Normal,
            created_at: now,
            terms: Terms { price: Microdollars(560_000), ..Terms::default() },
        };
        under_way.push(store.insert(new));
        if under_way.len() >= TOGETHER {
            under_way.next().await.unwrap().unwrap();
        }
    }
    while let Some(done) = under_way.next().await {
        done.unwrap();
    }
}

/// The slowest of a hundred polls while two clips are made, against an idle server.
pub(crate) async fn while_rendering() {
    let host = testkit::MediaHost::http();
    let film = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/bigbuckbunny_720p25_5s.mp4");
    host.on("/v.mp4", testkit::Reply::ok(std::fs::read(film).unwrap()));
    let allowed = host.address().to_string();
    let served = Served::start(&["--workers", "2", "--allow-input-host", &allowed]);
    let body = json!({"prompt": "as an oil painting", "video_url": host.url("/v.mp4")}).to_string();
    let submit = Call::post(&served, MODEL, &body);
    let first = exchange_once(&submit).await["request_id"].as_str().unwrap().to_owned();
    let status = Call::get(&served, &format!("/v1/requests/{first}/status"));
    let done = |reply: &serde_json::Value| reply["status"] == "completed";
    while !done(&exchange_once(&status).await) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let idle = quantile(times(&status, 3000).await, 0.99);
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(exchange_once(&submit).await["request_id"].as_str().unwrap().to_owned());
    }
    let states: Vec<Call> =
        ids.iter().map(|id| Call::get(&served, &format!("/v1/requests/{id}/status"))).collect();
    loop {
        let (a, b) = (exchange_once(&states[0]).await, exchange_once(&states[1]).await);
        if a["status"] == "in_progress" && b["status"] == "in_progress" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut busy = Vec::new();
    while !done(&exchange_once(&states[0]).await) && !done(&exchange_once(&states[1]).await) {
        busy.extend(times(&status, 200).await);
    }
    let polls = busy.len();
    let busy = quantile(busy, 0.99);
    println!(
        "status poll p99: idle {:.0} us, while two renders run {:.0} us ({polls} polls): {:.1}x (aim 10)",
        idle * 1e6,
        busy * 1e6,
        busy / idle
    );
}
