//! A write-ahead log whose tail is gone.
//!
//! SQLite has synced each commit before the 200, so a log can only be cut where a disk said that
//! it had written what it had not. Requests that were acknowledged behind the cut may be gone, and
//! no program can help that. What must not happen is damage: what is left is a beginning of what
//! was acknowledged, whole, in order, and work goes on.

use std::fs::File;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{MediaHost, SeededRng};

use super::{id_of, place, still, submit};
use crate::support::rng::below;
use crate::support::{Home, Server};

const SEED: u64 = 20_261_204;
const CUTS: usize = 6;
const REQUESTS: usize = 12;
const LOG: &str = "reshoot.db-wal";

fn length(home: &Home) -> u64 {
    std::fs::metadata(home.data().join(LOG)).unwrap().len()
}

/// A copy of a killed server's home, its log cut to `bytes`.
fn cut(home: &Home, host: &MediaHost, bytes: u64) -> Home {
    let copy = Home::with_second_model(&[host.address().to_string()]);
    copy_folder(&home.data(), &copy.data());
    let log = File::options().write(true).open(copy.data().join(LOG)).unwrap();
    log.set_len(bytes).unwrap();
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_folder(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

/// What is there is a beginning of `acknowledged`, whole; how much.
fn intact(server: &Server, acknowledged: &[String]) -> usize {
    let caller = server.caller();
    let mut listed: Vec<Value> = caller.list("/v1/requests", "requests");
    listed.reverse();
    let ids: Vec<&str> = listed.iter().map(|one| one["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids, acknowledged[..ids.len()]);
    for (at, id) in ids.iter().enumerate() {
        let record = caller.get(&format!("/v1/requests/{id}")).expect(200);
        assert_eq!((&record["request_id"], &record["status"]), (&json!(id), &json!("in_queue")));
        assert_eq!(record["events"].as_array().unwrap().len(), 1, "{record:#}");
        let status = caller.get(&format!("/v1/requests/{id}/status")).expect(200);
        assert_eq!(status["queue_position"], at + 1);
    }
    ids.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_log_costs_its_end_and_nothing_else() {
    let (host, home) = place();
    home.set("workers = 0");
    let server = Server::start(home);
    let caller = server.caller();
    let mut acknowledged = vec![id_of(&submit(&caller, &still(&host)))];
    // The key is before this, and with it everything that a call needs.
    let first = length(&server.home);
    acknowledged.extend((1..REQUESTS).map(|_| id_of(&submit(&caller, &still(&host)))));
    let (home, key) = server.kill();
    let rng = SeededRng::new(SEED);
    let mut kept = Vec::new();
    for _ in 0..CUTS {
        let bytes = first + below(&rng, (length(&home) - first) as usize) as u64;
        let copy = cut(&home, &host, bytes);
        copy.set("workers = 0");
        let server = Server::restart((copy, key.clone()));
        let there = intact(&server, &acknowledged);
        assert!((1..REQUESTS).contains(&there), "{there} left of {bytes} bytes");
        let after = id_of(&submit(&server.caller(), &still(&host)));
        let (copy, key) = server.kill();
        copy.set("workers = 1");
        let server = Server::restart((copy, key));
        for id in acknowledged[..there].iter().take(1).chain([&after]) {
            server.succeeded(id);
        }
        kept.push(there);
    }
    println!("seed {SEED}: of {REQUESTS} requests, {kept:?} were left by the cuts");
    // And one that was not cut has them all.
    home.set("workers = 0");
    assert_eq!(intact(&Server::restart((home, key)), &acknowledged), REQUESTS);
}
