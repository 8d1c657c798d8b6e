//! Open event streams: what they cost in memory, at rest, and while the queue moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::load::{Call, exchange_once, median, rate, replies, stream};
use crate::served::Served;
use crate::{MODEL, ROUNDS, body};

/// Streams that are open at a time, if there are files for so many; each of a request of its own,
/// which waits.
const STREAMS: usize = 10_000;
/// As long as the pause between two signs of life: each stream has one in it.
const REST: Duration = Duration::from_secs(25);
/// Changes of the queue that are measured together, and the pause between two of them.
const CHANGES: usize = 100;
const PAUSE: Duration = Duration::from_millis(200);
/// Connections that are opened, and submits that are made, at a time.
const TOGETHER: usize = 64;
const FILES_WANTED: u64 = 65_536;

/// What a server did in the same time, or for the same work, with streams and without.
struct Costs {
    resident_mib: f64,
    rest_millis: f64,
    submit_millis: f64,
    cancel_millis: f64,
}

/// Streams that are read to their end.
struct Streams {
    tasks: JoinSet<()>,
    bytes: Arc<AtomicUsize>,
}

/// A server with ten thousand streams, against itself without any.
pub(crate) async fn open() {
    let count = room();
    let served = Served::start(&[]);
    let ids = queue(&served, count + 2 * CHANGES).await;
    let (first, rest) = ids.split_at(CHANGES);
    let (second, followed) = rest.split_at(CHANGES);
    let none = Costs::of(&served, first).await;
    let mut streams = Streams::open(&served, followed).await;
    let opened = streams.bytes();
    let all = Costs::of(&served, second).await;
    let heard = (streams.bytes() - opened) as f64 / count as f64;
    assert!(streams.tasks.try_join_next().is_none(), "a stream has ended");
    tell(count, &all, &none, heard);
    polls(&served, &Served::start(&[])).await;
}

fn tell(count: usize, all: &Costs, none: &Costs, heard_bytes: f64) {
    println!(
        "{count} event streams: {:.1} MiB resident, {:.1} KiB each; with as many queued and none open {:.1} MiB",
        all.resident_mib,
        (all.resident_mib - none.resident_mib) * 1024.0 / count as f64,
        none.resident_mib,
    );
    println!(
        "at rest: {:.0} ms of CPU in {} s; none open {:.0} ms",
        all.rest_millis,
        REST.as_secs(),
        none.rest_millis,
    );
    let changes = [
        ("a submit", all.submit_millis, none.submit_millis),
        ("a cancellation in front", all.cancel_millis, none.cancel_millis),
    ];
    for (what, with, without) in changes {
        println!(
            "{what}, {} a second: {with:.1} ms of CPU each, beside what rest takes; none open {without:.1} ms (aim 20 more at most)",
            1000 / PAUSE.as_millis(),
        );
    }
    println!("each stream heard {heard_bytes:.0} bytes meanwhile");
}

/// Polls of a server with streams, against one without; rounds alternate.
async fn polls(with: &Served, without: &Served) {
    let mut calls = Vec::new();
    for served in [with, without] {
        let reply = exchange_once(&Call::post(served, MODEL, &body())).await;
        calls.push(status(served, reply["request_id"].as_str().unwrap()));
    }
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (which, call) in calls.iter().enumerate() {
            let rate = rate(call, TOGETHER, 200).await;
            // The first round warms up.
            if round > 0 {
                rates[which].push(rate);
            }
        }
    }
    let [with, without] = rates.map(median);
    println!(
        "status poll, {TOGETHER} connections: {with:.0}/s; of a server without streams {without:.0}/s: {:.2}",
        with / without
    );
}

/// Submits so many requests; their ids, in the order of the queue.
async fn queue(served: &Served, count: usize) -> Vec<String> {
    let submit = Call::post(served, MODEL, &body());
    let mut clients = JoinSet::new();
    for n in 0..TOGETHER {
        let share = count / TOGETHER + usize::from(n < count % TOGETHER);
        let submit = submit.clone();
        clients.spawn(async move { replies(&submit, share).await });
    }
    let replies = clients.join_all().await.into_iter().flatten();
    let id = |reply: serde_json::Value| reply["request_id"].as_str().unwrap().to_owned();
    let mut ids: Vec<(u64, String)> = Vec::with_capacity(count);
    for id in replies.map(id) {
        let status = exchange_once(&status(served, &id)).await;
        ids.push((status["queue_position"].as_u64().unwrap(), id));
    }
    ids.sort();
    ids.into_iter().map(|(_, id)| id).collect()
}

fn status(served: &Served, id: &str) -> Call {
    Call::get(served, &format!("/v1/requests/{id}/status"))
}

/// Has this process, and the servers that it starts, open as many files as it may; for how many
/// streams that is enough. A server gives half of its files to connections.
fn room() -> usize {
    let (current, maximum) = (Some(FILES_WANTED), Some(FILES_WANTED));
    // Above its maximum only root may go.
    if setrlimit(Resource::Nofile, Rlimit { current, maximum }).is_err() {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(FILES_WANTED);
    STREAMS.min((files as usize / 2).saturating_sub(2 * TOGETHER))
}

// === impl Costs ===

impl Costs {
    /// `waiting` are requests at the head of the queue, which are cancelled one after the other.
    async fn of(served: &Served, waiting: &[String]) -> Self {
        let resident_mib = served.resident_mib();
        let before = served.cpu_millis();
        tokio::time::sleep(REST).await;
        let rest_millis = served.cpu_millis() - before;
        let submits = vec![Call::post(served, MODEL, &body()); CHANGES];
        let submit_millis = trickle(served, submits, rest_millis).await;
        let cancel = |id: &String| Call::post(served, &format!("/v1/requests/{id}/cancel"), "");
        let cancel_millis =
            trickle(served, waiting.iter().map(cancel).collect(), rest_millis).await;
        Self { resident_mib, rest_millis, submit_millis, cancel_millis }
    }
}

/// Makes these calls one after the other, with pauses; milliseconds of the server's CPU for each,
/// beside what it takes at rest.
async fn trickle(served: &Served, calls: Vec<Call>, rest_millis: f64) -> f64 {
    let mut beats = interval(PAUSE);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (count, before, began) = (calls.len(), served.cpu_millis(), Instant::now());
    for call in calls {
        beats.tick().await;
        exchange_once(&call).await;
    }
    beats.tick().await;
    let rest = rest_millis * began.elapsed().as_secs_f64() / REST.as_secs_f64();
    (served.cpu_millis() - before - rest) / count as f64
}

// === impl Streams ===

impl Streams {
    /// Opens one for each request, and reads on.
    async fn open(served: &Served, ids: &[String]) -> Self {
        let mut streams = Self { tasks: JoinSet::new(), bytes: Arc::default() };
        for ids in ids.chunks(TOGETHER) {
            let mut opening = JoinSet::new();
            for id in ids {
                let call = Call::get(served, &format!("/v1/requests/{id}/events"));
                opening.spawn(async move { stream(&call, "event: position").await });
            }
            for mut open in opening.join_all().await {
                let bytes = Arc::clone(&streams.bytes);
                streams.tasks.spawn(async move {
                    let mut buffer = [0; 1024];
                    while let Ok(read @ 1..) = open.read(&mut buffer).await {
                        bytes.fetch_add(read, Ordering::Relaxed);
                    }
                });
            }
        }
        streams
    }

    /// Bytes that have come so far, over all streams.
    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}
