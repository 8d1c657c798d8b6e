//! The wire and the queue, measured on the real program.
//!
//! `make bench` runs it. The server is `reshoot serve` (workers off, so that intake is held), pinned
//! to one core; the load runs on another. A bare axum handler that parses the same JSON and answers
//! a constant is served by this program itself, pinned like the server. Rounds of bare and real
//! calls alternate, so that a noisy machine hits both; what is printed are ratios of the rounds'
//! medians, with the aims beside them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a bench reads the clock, prints, and may fail loudly"
)]

#[path = "wire/instructions.rs"]
mod instructions;
#[path = "wire/load.rs"]
mod load;
#[path = "wire/page.rs"]
mod page;
#[path = "wire/peers.rs"]
mod peers;
#[path = "wire/queue.rs"]
mod queue;
#[path = "wire/served.rs"]
mod served;
#[path = "wire/streams.rs"]
mod streams;

use std::io::Write;
use std::time::Instant;

use axum::Json;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use load::{Call, exchange_once, median, rate, times};
use served::{Served, pin_to_load_core};

const MODEL: &str = "/v1/models/kling/kling-video-o1/video-to-video/reference";
const ROUNDS: usize = 5;
/// How many requests wait in the long queue.
const LONG: usize = 1_000_000;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match args.next().as_deref() {
        Some("bare") => runtime().block_on(bare()),
        // `cargo test --benches` and the like: nothing to measure.
        Some(other) if other.starts_with("--") => {}
        only => {
            pin_to_load_core();
            runtime().block_on(measure(only));
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The handler that ours are held against.
async fn bare() {
    let reply = || async { Json(json!({"request_id": "req_x", "status_url": "http://h/s"})) };
    let router = axum::Router::new()
        .route("/submit", post(move |Json(_): Json<Value>| reply()))
        .route("/status", get(reply));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn measure(only: Option<&str>) {
    let wanted = |section: &str| only.is_none_or(|only| only == section);
    if wanted("wire") {
        wire().await;
    }
    if wanted("instructions") {
        instructions::count().await;
    }
    if wanted("peers") {
        peers::compare().await;
    }
    if wanted("queue") {
        queue::long(LONG).await;
    }
    if wanted("idle") {
        idle().await;
    }
    if wanted("streams") {
        streams::open().await;
    }
    if wanted("page") {
        page::visits().await;
    }
    if wanted("render") {
        queue::while_rendering().await;
    }
}

async fn wire() {
    let bare = Served::bare();
    let real = Served::start(&[]);
    let submit = |served: &Served, path: &str| Call::post(served, path, &body());
    let reply = exchange_once(&submit(&real, MODEL)).await;
    let status = format!("/v1/requests/{}/status", reply["request_id"].as_str().unwrap());
    println!("{:<44} {:>10} {:>10} {:>7}  aim", "path", "bare, 1/s", "real, 1/s", "ratio");
    for (connections, calls) in [(1, 300), (64, 100)] {
        let pair = [submit(&bare, "/submit"), submit(&real, MODEL)];
        compare("durable submit", &pair, connections, calls, "0.20").await;
    }
    for (connections, calls) in [(1, 3000), (64, 400)] {
        let pair = [Call::get(&bare, "/status"), Call::get(&real, &status)];
        compare("status poll", &pair, connections, calls, "0.5").await;
    }
    against_the_disk(&real, &submit(&real, MODEL)).await;
}

fn body() -> String {
    json!({"prompt": "golden hour", "video_url": "https://example.com/a.mp4"}).to_string()
}

/// Prints calls a second of both servers and their ratio, from the median round.
async fn compare(name: &str, pair: &[Call; 2], connections: usize, calls: usize, aim: &str) {
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (which, call) in pair.iter().enumerate() {
            let rate = rate(call, connections, calls).await;
            // The first round warms up.
            if round > 0 {
                rates[which].push(rate);
            }
        }
    }
    let [bare, real] = rates.map(median);
    let name = format!("{name}, {connections} connections");
    println!("{name:<44} {bare:>10.0} {real:>10.0} {:>7.3}  {aim}", real / bare);
}

/// The median time of one durable submit against the disk's own sync of 4 KiB.
async fn against_the_disk(served: &Served, call: &Call) {
    let mut file = std::fs::File::create(served.data().join("sync")).unwrap();
    let mut synced = Vec::new();
    let mut submitted = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        synced.push(began.elapsed().as_secs_f64());
        submitted.extend(times(call, 1).await);
    }
    let (disk, ours) = (median(synced) * 1e6, median(submitted) * 1e6);
    println!(
        "unloaded submit p50 {ours:.0} us, fdatasync of 4 KiB p50 {disk:.0} us: {:.1}x  aim 4",
        ours / disk
    );
}

async fn idle() {
    let served = Served::start(&[]);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let before = served.switches();
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    let after = served.switches();
    let of = |thread: &String| before.get(thread).copied().unwrap_or(0);
    let woken: u64 = after.iter().map(|(thread, count)| count - of(thread)).sum();
    println!(
        "idle: {:.1} MiB resident (aim 25), woken {woken} times in 20 s",
        served.resident_mib()
    );
}
