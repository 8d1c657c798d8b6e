//! Durable submits and status polls against a bare axum handler, in one process and one run.
//!
//! `make bench` runs it. Rounds of bare and real calls alternate, so that a noisy machine hits
//! both; what is printed are ratios of the rounds' medians. The bare handler parses the same JSON
//! and answers a constant, over the same kind of connection.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a bench reads the clock, prints, and may fail loudly"
)]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use artifacts::Artifacts;
use axum::Json;
use axum::routing::{get, post};
use catalog::{Catalog, HttpsOnly, Inputs, Model};
use domain::facts::Facts;
use domain::key::{KeyRecord, KeyRole, SecretKey};
use domain::{Clock, KeyId, OwnerId, Rng, Timestamp};
use serde_json::{Value, json};
use server::{App, Config, FileKind, Forecast, Forecasted, Parts};
use store::Store;
use store_sqlite::{OpenMode, SqliteStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const MODEL: &str = "kling/kling-video-o1/video-to-video/reference";
const ROUNDS: usize = 5;

struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp(since.as_micros() as i64)
    }
}

impl Rng for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

impl Forecast for Machine {
    fn forecast(&self, _: &Model, _: &Inputs, _: Option<&Facts>) -> Forecasted {
        Forecasted { plan: Value::Null, engine: None, unmet: Vec::new(), provisional: true }
    }
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(bench());
}

async fn bench() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let stop = CancellationToken::new();
    let mut servers = JoinSet::new();
    let (real, key) = real_server(dir.path(), &stop, &mut servers).await;
    let bare = bare_server(&mut servers).await;
    let body =
        json!({"prompt": "golden hour", "video_url": "https://example.com/a.mp4"}).to_string();
    let submit = |host: SocketAddr, path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let poll = |host: SocketAddr, path: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\r\n")
    };
    let model = format!("/v1/models/{MODEL}");
    let first = one(real, &submit(real, &model)).await;
    let (_, json) = first.split_once("\r\n\r\n").unwrap();
    let reply: Value = serde_json::from_str(json).unwrap();
    let status = format!("/v1/requests/{}/status", reply["request_id"].as_str().unwrap());

    println!("{:<40} {:>12} {:>12} {:>7}", "path", "bare, 1/s", "real, 1/s", "ratio");
    for (name, connections, calls) in [("1 connection", 1, 200), ("64 connections", 64, 60)] {
        let pair = [(bare, submit(bare, "/submit")), (real, submit(real, &model))];
        compare(&format!("durable submit, {name}"), &pair, connections, calls).await;
    }
    for (name, connections, calls) in [("1 connection", 1, 2000), ("64 connections", 64, 200)] {
        let pair = [(bare, poll(bare, "/status")), (real, poll(real, &status))];
        compare(&format!("status poll, {name}"), &pair, connections, calls).await;
    }
    against_the_disk(dir.path(), real, &submit(real, &model)).await;
    stop.cancel();
    servers.abort_all();
}

/// Prints calls a second of both servers and their ratio, from the median round.
async fn compare(name: &str, pair: &[(SocketAddr, String); 2], connections: usize, calls: usize) {
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (which, (host, call)) in pair.iter().enumerate() {
            let began = Instant::now();
            let mut clients = JoinSet::new();
            for _ in 0..connections {
                clients.spawn(repeat(*host, call.clone(), calls));
            }
            while let Some(done) = clients.join_next().await {
                done.unwrap();
            }
            // The first round warms up.
            if round > 0 {
                rates[which].push((connections * calls) as f64 / began.elapsed().as_secs_f64());
            }
        }
    }
    let [bare, real] = rates.map(median);
    println!("{name:<40} {bare:>12.0} {real:>12.0} {:>7.3}", real / bare);
}

/// The median time of one durable submit against the disk's own sync of 4 KiB.
async fn against_the_disk(dir: &std::path::Path, host: SocketAddr, call: &str) {
    let mut file = std::fs::File::create(dir.join("sync")).unwrap();
    let (mut synced, mut submitted) = (Vec::new(), Vec::new());
    let mut stream = TcpStream::connect(host).await.unwrap();
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        synced.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        exchange(&mut stream, call).await;
        submitted.push(began.elapsed().as_secs_f64());
    }
    let (disk, ours) = (median(synced) * 1e6, median(submitted) * 1e6);
    println!(
        "unloaded submit p50 {ours:.0} us, fdatasync of 4 KiB p50 {disk:.0} us: {:.1}x",
        ours / disk
    );
}

async fn repeat(host: SocketAddr, call: String, calls: usize) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for _ in 0..calls {
        exchange(&mut stream, &call).await;
    }
}

async fn one(host: SocketAddr, call: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    exchange(&mut stream, call).await
}

/// One call on a kept connection; the reply, which has a content length.
async fn exchange(stream: &mut TcpStream, call: &str) -> String {
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the server hung up");
        reply.extend_from_slice(&buffer[..read]);
        let text = std::str::from_utf8(&reply).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
        });
        if body.len() >= length.unwrap().parse::<usize>().unwrap() {
            return text.to_owned();
        }
    }
}

async fn bare_server(servers: &mut JoinSet<()>) -> SocketAddr {
    let reply = || async { Json(json!({"request_id": "req_x", "status_url": "http://h/s"})) };
    let router = axum::Router::new()
        .route("/submit", post(move |Json(_): Json<Value>| reply()))
        .route("/status", get(reply));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn real_server(
    dir: &std::path::Path,
    stop: &CancellationToken,
    servers: &mut JoinSet<()>,
) -> (SocketAddr, String) {
    let store = Arc::new(SqliteStore::open(dir, OpenMode::Serve).unwrap());
    let secret = SecretKey::new(&Machine);
    let now = Machine.now();
    let (id, owner) = (KeyId::new(now, &Machine), OwnerId::new(now, &Machine));
    let key = KeyRecord::new(id, owner, "bench".into(), KeyRole::User, now);
    store.add_key(key, secret.hash()).await.unwrap();
    let app = App::new(Parts {
        store,
        artifacts: Artifacts::local(&dir.join("files")).unwrap(),
        catalog: Arc::new(Catalog::builtin().unwrap()),
        clock: Arc::new(Machine),
        rng: Arc::new(Machine),
        forecast: Arc::new(Machine),
        sniff: Arc::new(|_: &[u8]| None::<FileKind>),
        urls: Arc::new(HttpsOnly),
        webhooks: Arc::new(|_: &str| Ok(())),
        room: None,
        metrics: telemetry::Metrics::new(server::paths()),
        probes: Vec::new(),
        config: Config { drain: Duration::ZERO, ..Config::default() },
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = stop.clone();
    servers.spawn(async move { server::serve(listener, app, stop).await.unwrap() });
    (address, secret.expose().to_owned())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
