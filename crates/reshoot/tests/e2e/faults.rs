//! Real faults under the real server: disks that are full or read-only, a database that another
//! process holds, no descriptors left, an ffmpeg that is missing, crashes or hangs, a write-ahead
//! log that was cut, a clock that is set.
//!
//! Each time the same is asked for: a clear answer, nothing lost that was acknowledged, and work
//! that goes on by itself when the fault is gone. What this machine does not let a test do is
//! skipped, and said.

mod clock;
mod disk;
mod ffmpeg;
mod machine;
mod wal;

use serde_json::{Value, json};
use testkit::{MediaHost, Reply};

use crate::support::ACME;
use crate::support::home::Home;
use crate::support::http::{Answer, Caller};
use crate::support::media::clip;

/// A host with a short clip, and a home that may ask it.
fn place() -> (MediaHost, Home) {
    let host = MediaHost::http();
    host.on("/walk.mp4", Reply::ok(clip(64, 64, 4, 1.0)));
    let home = Home::with_second_model(&[host.address().to_string()]);
    (host, home)
}

/// A request that succeeds.
fn still(host: &MediaHost) -> Value {
    json!({"text": "a still of @Video1", "clips": [host.url("/walk.mp4")]})
}

fn submit(caller: &Caller, body: &Value) -> Answer {
    caller.post(&format!("/v1/models/{ACME}"), body)
}

/// The id that a submit was answered with.
#[track_caller]
fn id_of(answer: &Answer) -> String {
    answer.expect(200)["request_id"].as_str().unwrap().to_owned()
}

/// A 503 that says when to come again; its sentence.
#[track_caller]
fn refused(answer: &Answer) -> String {
    let body = answer.expect(503);
    let secs = answer.header("retry-after").unwrap_or_else(|| panic!("when? {body}"));
    assert!(secs.parse::<u32>().unwrap() > 0);
    assert_eq!(body["error_code"], 503_001);
    body["error_message"].as_str().unwrap().to_owned()
}

fn skip(test: &str, why: &str) {
    println!("skipped: {test}: {why}");
}
