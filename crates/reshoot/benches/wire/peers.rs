//! The same calls to what people would build or take otherwise, on the same core.
//!
//! `scripts/bench-peers.sh` makes their environments, names the folder in `PEERS`, and calls this.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

use crate::load::{Call, exchange_once, is_up, median, rate};
use crate::served::{Served, folder, pinned};
use crate::{MODEL, ROUNDS, body};

/// Peers take long to start.
const START_TRIES: usize = 600;
const CONNECTIONS: usize = 64;
/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(3);

/// A program that ends with this value.
struct Running(Child);

/// Prints our rate as a multiple of theirs.
pub(crate) async fn compare() {
    let Some(peers) = std::env::var_os("PEERS").map(PathBuf::from) else { return };
    let real = Served::start(&[]);
    let submit = Call::post(&real, MODEL, &body());
    let id = exchange_once(&submit).await["request_id"].as_str().unwrap().to_owned();
    let poll = Call::get(&real, &format!("/v1/requests/{id}/status"));
    let redis = free_port().await;
    let data = folder();
    let mut command = pinned(Path::new("redis-server"));
    command.args(["--port", &redis.to_string(), "--bind", "127.0.0.1", "--appendonly", "yes"]);
    command.args(["--appendfsync", "always", "--save", "", "--dir"]).arg(data.path());
    let redis_server = Running::start(&mut command);
    let port = free_port().await;
    let mut command = pinned(&peers.join("fastapi/bin/python"));
    command.args(["-m", "uvicorn", "fastapi_arq:app", "--no-access-log", "--port"]);
    command.arg(port.to_string()).arg("--app-dir").arg(here());
    command.env("PEER_KEY", "k").env("PEER_BASE", format!("http://127.0.0.1:{port}"));
    let fastapi = Running::start(command.env("PEER_REDIS", redis.to_string()));
    let at = ([127, 0, 0, 1], port).into();
    let theirs = Call::to(at, "k", "/submit", Some(&body()));
    let id = up(&theirs).await["request_id"].as_str().unwrap().to_owned();
    let their_poll = Call::to(at, "k", &format!("/requests/{id}/status"), None);
    row("durable submit against FastAPI, arq, Redis", [&submit, &theirs], 10.0).await;
    row("status poll against FastAPI, arq, Redis", [&poll, &their_poll], 15.0).await;
    drop((fastapi, redis_server));
    if !peers.join("bentoml").exists() {
        return println!("BentoML: not measured, it could not be installed");
    }
    let port = free_port().await;
    let mut command = pinned(&peers.join("bentoml/bin/bentoml"));
    command.args(["serve", "bento_task:Clips", "--host", "127.0.0.1", "--port"]);
    command.arg(port.to_string()).current_dir(here());
    let home = folder();
    command.env("BENTOML_HOME", home.path()).env("BENTOML_DO_NOT_TRACK", "true");
    let _running = Running::start(&mut command);
    let task = json!({"prompt": "golden hour", "video_url": "https://example.com/a.mp4"});
    let at = ([127, 0, 0, 1], port).into();
    let theirs = Call::to(at, "k", "/generate/submit", Some(&task.to_string()));
    up(&theirs).await;
    row("durable submit against a task of BentoML", [&submit, &theirs], 25.0).await;
}

async fn row(name: &str, [ours, theirs]: [&Call; 2], aim: f64) {
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (which, (call, calls)) in [(ours, 200), (theirs, 10)].into_iter().enumerate() {
            // Whatever a peer does after its answers must not slow us.
            tokio::time::sleep(PAUSE).await;
            let rate = rate(call, CONNECTIONS, calls).await;
            if round > 0 {
                rates[which].push(rate);
            }
        }
    }
    let [ours, theirs] = rates.map(median);
    println!("{name}: {ours:.0}/s, {theirs:.0}/s: {:.1}x (aim {aim})", ours / theirs);
}

/// Waits until the peer answers.
async fn up(call: &Call) -> serde_json::Value {
    for _ in 0..START_TRIES {
        if is_up(call).await {
            return exchange_once(call).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the peer does not answer");
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn here() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/wire/peers")
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // BentoML has children, which end with a parent that may say so.
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.0),
            rustix::process::Signal::TERM,
        );
        let _ = self.0.wait();
    }
}
