//! What other processes take: the database's lock, the descriptors.

use std::net::TcpStream;
use std::sync::mpsc::channel;

use rusqlite::Connection;
use serde_json::json;
use testkit::Reply;

use super::{id_of, place, refused, still, submit};
use crate::support::ACME;
use crate::support::process::Machine;
use crate::support::processes::until;
use crate::support::{Home, Server};

/// Descriptors of a server that has few; a usual limit is 1024.
const OPEN_FILES: u32 = 160;
/// More connections than it has descriptors, and than it lets in.
const IDLE: usize = 200;

/// Somebody who holds the database's one right to write.
fn hold(home: &Home) -> Connection {
    let other = Connection::open(home.data().join("reshoot.db")).unwrap();
    until("the lock of the database", || other.execute_batch("BEGIN IMMEDIATE").ok());
    other
}

#[test]
fn a_database_that_another_process_holds_is_waited_for_and_then_said() {
    let server = Server::start(Home::with_second_model(&[]).flag("--workers", "0"));
    let caller = server.caller();
    let body = json!({"text": "a still"});
    let id = id_of(&submit(&caller, &body));
    let other = hold(&server.home);
    let (report, reported) = channel();
    let (waiting, waits) = (caller.clone(), body.clone());
    let thread = std::thread::spawn(move || {
        report.send(submit(&waiting, &waits)).unwrap();
    });
    // Whoever reads waits for nobody.
    let answer = until("an answer to the submit", || {
        caller.get(&format!("/v1/requests/{id}/status")).expect(200);
        reported.try_recv().ok()
    });
    thread.join().unwrap();
    assert!(refused(&answer).contains("database"));
    caller.get("/readyz").expect(503);

    // A lock that is let go in time is not noticed.
    let patient = std::thread::spawn({
        let (caller, body) = (caller.clone(), body.clone());
        move || submit(&caller, &body)
    });
    caller.get(&format!("/v1/requests/{id}/status")).expect(200);
    drop(other);
    id_of(&patient.join().unwrap());
    until("readiness", || (caller.get("/readyz").status == 200).then_some(()));
    assert_eq!(caller.list("/v1/requests", "requests").len(), 2, "what was refused is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_take_the_descriptors_that_work_needs() {
    let (host, home) = place();
    host.on("/hook", Reply::status(200));
    let few = Machine { open_files: Some(OPEN_FILES), ..Machine::default() };
    let home = home.flag("--allow-webhook-host", &host.address().to_string()).on(few);
    let server = Server::start(home);
    let caller = server.caller();
    let connect = || TcpStream::connect(server.address()).unwrap();
    let mut idle: Vec<TcpStream> = (0..IDLE / 4).map(|_| connect()).collect();
    let target = format!("/v1/models/{ACME}?webhook={}", host.url("/hook"));
    let ids = [(); 4].map(|()| id_of(&caller.post(&target, &still(&host))));
    // Nobody can be asked how it goes now, but the work is done and told.
    idle.extend((IDLE / 4..IDLE).map(|_| connect()));
    until("messages of the ends", || (host.requests_of("/hook").len() >= ids.len()).then_some(()));

    drop(idle);
    for id in &ids {
        let record = server.record(id);
        assert_eq!((&record["status"], &record["attempts"]), (&json!("succeeded"), &json!(1)));
    }
    server.succeeded(&id_of(&submit(&caller, &still(&host))));
}
