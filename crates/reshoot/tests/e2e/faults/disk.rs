//! Disks: full, nearly full, read-only.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::{id_of, place, refused, skip, still, submit};
use crate::support::disk::run;
use crate::support::http::{Answer, Call, Caller};
use crate::support::media::plain_png;
use crate::support::processes::until;
use crate::support::{Home, Server};
use crate::support::{stderr, stdout};

const DISK_MIB: u32 = 32;
/// More than any disk has free.
const ENDLESS_MIB: &str = "1000000000000";

fn upload(caller: &Caller) -> Answer {
    let headers = [("Content-Type", "image/png")];
    let body = plain_png(512, 512, "olive");
    let call = Call { method: "POST", target: "/v1/files", headers: &headers, body: &body };
    caller.call(&call).unwrap()
}

/// Submits until that is refused; the refusal. What was taken before is added to `taken`.
fn until_refused(caller: &Caller, body: &serde_json::Value, taken: &mut Vec<String>) -> Answer {
    until("a refusal", || {
        let answer = submit(caller, body);
        if answer.status == 200 {
            taken.push(id_of(&answer));
        }
        (answer.status != 200).then_some(answer)
    })
}

/// Submits until that is taken, and all that was taken succeeds; there is nothing else.
fn until_recovered(server: &Server, body: &serde_json::Value, mut taken: Vec<String>) {
    let caller = server.caller();
    let last = until("a recovery", || {
        let answer = submit(&caller, body);
        (answer.status == 200).then(|| id_of(&answer))
    });
    taken.push(last);
    until("readiness", || (caller.get("/readyz").status == 200).then_some(()));
    for id in &taken {
        server.succeeded(id);
    }
    assert_eq!(caller.list("/v1/requests", "requests").len(), taken.len(), "nothing is half there");
}

/// Polls are answered, readiness is not given.
fn answers_polls_only(caller: &Caller, id: &str) {
    let status = caller.get(&format!("/v1/requests/{id}/status")).expect(200);
    assert_eq!(status["request_id"], id);
    caller.get(&format!("/v1/requests/{id}/result")).expect(200);
    until("an end of readiness", || {
        let ready = caller.get("/readyz");
        (ready.status == 503 && ready.json()["status"] == "failing").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_work_and_answers_polls_until_there_is_room() {
    let (host, home) = place();
    let home = match home.flag("--disk-reserve-mib", "0").on_small_disk(DISK_MIB) {
        Ok(home) => home,
        Err(why) => return skip("a full disk", &why),
    };
    let server = Server::start(home);
    let caller = server.caller();
    let mut taken = vec![id_of(&submit(&caller, &still(&host)))];

    let filler = server.home.disk().fill();
    // The last page of the log may have had room for another row.
    let refusal = until_refused(&caller, &still(&host), &mut taken);
    assert!(refused(&refusal).contains("send the request again"));
    refused(&upload(&caller));
    answers_polls_only(&caller, &taken[0]);

    drop(filler);
    until_recovered(&server, &still(&host), taken);
    assert_eq!(upload(&caller).status, 200);
}

#[test]
fn below_the_reserve_nothing_is_taken_before_its_body_is_sent() {
    let home = Home::with_second_model(&[]).flag("--workers", "0");
    let server = Server::start(home);
    let id = id_of(&submit(&server.caller(), &json!({"text": "a still"})));
    let (home, key) = server.kill();
    let server = Server::restart((home.flag("--disk-reserve-mib", ENDLESS_MIB), key));
    let caller = server.caller();
    for target in ["/v1/files", "/v1/models/acme/still-maker/portrait"] {
        let answer = caller.announce(target, 1 << 20).unwrap();
        assert!(refused(&answer).contains("short of disk space"), "{target}");
    }
    let status = caller.get(&format!("/v1/requests/{id}/status")).expect(200);
    assert_eq!((&status["status"], &status["queue_position"]), (&json!("in_queue"), &json!(1)));
}

#[test]
fn a_read_only_folder_is_a_clear_end_at_the_start() {
    let home = match Home::with_second_model(&[]).on_small_disk(DISK_MIB) {
        Ok(home) => home.flag("--workers", "0").flag("--disk-reserve-mib", "0"),
        Err(why) => return skip("a read-only folder at the start", &why),
    };
    for made_before in [false, true] {
        home.disk().read_only(true).unwrap();
        let output = home.refuses_to_serve();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert_eq!((said.lines().count(), stdout(&output)), (1, String::new()), "{said}");
        assert!(said.contains("data folder") && said.contains("cannot be"), "{said}");
        home.disk().read_only(false).unwrap();
        if !made_before {
            home.create_key("first");
        }
    }
    let server = Server::start(home);
    id_of(&submit(&server.caller(), &json!({"text": "a still"})));
}

/// Paths that not even root can write to, until this is dropped.
///
/// The kernel refuses to make a disk read-only while files on it are open for writing. What a file
/// system does by itself after errors makes writes to open files fail, and so does this.
struct Immutable(Vec<PathBuf>);

// === impl Immutable ===

impl Immutable {
    fn new(paths: Vec<PathBuf>) -> Result<Self, String> {
        // Made first: what was marked before a failure is freed, too.
        let made = Self(paths);
        made.0.iter().try_for_each(|path| run(Command::new("chattr").arg("+i").arg(path)))?;
        Ok(made)
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let _ = run(Command::new("chattr").arg("-i").arg(path));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_turns_read_only_refuses_work_until_it_is_writable() {
    let (host, home) = place();
    let server = Server::start(home);
    let caller = server.caller();
    let mut taken = vec![id_of(&submit(&caller, &still(&host)))];

    let data = server.home.data();
    let paths = ["reshoot.db-wal", "reshoot.db", "files"].map(|name| data.join(name));
    let frozen = match Immutable::new(paths.into()) {
        Ok(frozen) => frozen,
        Err(why) => return skip("a read-only folder at run time", &why),
    };
    refused(&until_refused(&caller, &still(&host), &mut taken));
    answers_polls_only(&caller, &taken[0]);

    drop(frozen);
    until_recovered(&server, &still(&host), taken);
}
