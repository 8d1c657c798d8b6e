//! Instructions for each call, counted by callgrind.
//!
//! They are the same whatever else the machine does: a change of a few per cent shows. What the
//! kernel does is not in them, and valgrind's processor has no instructions for SHA-256, so that
//! the check of a key counts some 3,000 more than it takes.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::load::{Call, exchange_once, times};
use crate::served::Served;
use crate::{MODEL, body};

/// Calls that are counted, on one connection; as many come before.
const CALLS: usize = 500;

/// Prints instructions for each poll and each submit, the writer's commit included.
pub(crate) async fn count() {
    let out = tempfile::tempdir().unwrap();
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("instructions: not counted, valgrind is not installed");
        return;
    }
    let real = Served::counted(out.path(), true);
    let submit = Call::post(&real, MODEL, &body());
    let id = exchange_once(&submit).await["request_id"].as_str().unwrap().to_owned();
    let poll = Call::get(&real, &format!("/v1/requests/{id}/status"));
    let bare = Served::counted(out.path(), false);
    let pairs = [
        ("status poll", poll, Call::get(&bare, "/status")),
        ("durable submit", submit, Call::post(&bare, "/submit", &body())),
    ];
    for (name, ours, theirs) in pairs {
        let (ours, theirs) =
            (of(&real, out.path(), &ours).await, of(&bare, out.path(), &theirs).await);
        println!("{name}, 1 connection: {ours:.0} instructions, bare {theirs:.0}");
    }
}

async fn of(served: &Served, out: &Path, call: &Call) -> f64 {
    times(call, CALLS).await;
    control(served, "--zero");
    times(call, CALLS).await;
    control(served, "--dump");
    let prefix = format!("{}.", served.id());
    let newest = std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .max_by_key(|entry| entry.metadata().unwrap().modified().unwrap())
        .unwrap();
    let text = std::fs::read_to_string(newest.path()).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("summary: ")).unwrap();
    total.trim().parse::<f64>().unwrap() / CALLS as f64
}

fn control(served: &Served, order: &str) {
    let mut command = Command::new("callgrind_control");
    let done = command.arg(order).arg(served.id().to_string()).stdout(Stdio::null()).status();
    assert!(done.unwrap().success(), "callgrind_control {order}");
}
