//! A clock that is set while the server runs, and while it does not.
//!
//! Whatever the clock says, what is asked for is the same: who works keeps his lease, nothing is
//! left waiting for a time that comes an hour late, and everything ends once.

use std::collections::BTreeSet;

use domain::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{MediaHost, Reply};

use super::{id_of, skip};
use crate::support::clock::FalseClock;
use crate::support::http::{Answer, Call, Caller};
use crate::support::media::clip;
use crate::support::process::Machine;
use crate::support::processes::{until, until_or};
use crate::support::{ACME, Home, Server, root, sample_bytes};

const HOUR_SECS: i64 = 3600;
const DAY_SECS: i64 = 24 * HOUR_SECS;
/// By how much the times of a record may be off: as long as a test may take.
const SLACK_SECS: i64 = 600;
/// What one success costs: a number whose sums a float holds exactly.
const PRICE_USD: f64 = 0.25;
/// On the command line of an engine's process.
const ENGINE: &str = " engine ";
/// Where messages go on the host.
const HOOK: &str = "/hook";
/// A file that comes slowly: in so many parts, each after so many milliseconds. Longer than leases
/// are given time to be extended after a jump.
const SLOW: (usize, u64) = (40, 500);

/// A server with a clock of its own, one worker, and the host that it fetches from.
struct Scene {
    host: MediaHost,
    clock: FalseClock,
    server: Server,
    /// What was submitted, in order.
    ids: Vec<String>,
}

/// An engine that was stopped at its work; dropped, it goes on.
struct Stopped(Pid);

// === impl Stopped ===

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have been killed meanwhile.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

// === impl Scene ===

impl Scene {
    /// None where the clock cannot be set; that is said.
    fn start(test: &str) -> Option<Self> {
        let clock = FalseClock::new().map_err(|why| skip(test, &why)).ok()?;
        let host = MediaHost::http();
        let walk = clip(64, 64, 4, 1.0);
        let (parts, millis) = SLOW;
        let pause = std::time::Duration::from_millis(millis);
        let slow = Reply::ok(walk.clone()).trickle(walk.len().div_ceil(parts), pause);
        host.on("/walk.mp4", Reply::ok(walk));
        host.on("/slow.mp4", slow);
        host.on("/bunny.mp4", Reply::ok(sample_bytes("bigbuckbunny_720p25_5s.mp4")));
        host.on(HOOK, Reply::status(200));
        let address = host.address().to_string();
        let machine = Machine { clock: Some(clock.clone()), ..Machine::default() };
        let home = Home::new(std::slice::from_ref(&address))
            .flag("--allow-webhook-host", &address)
            .on(machine);
        home.configure(&format!(
            "workers = 1\nmodels_dir = '{}'\n[models.\"{ACME}\"]\nprice_usd = {PRICE_USD}\n",
            root().join("crates/catalog/tests/models").display()
        ));
        Some(Self { host, clock, server: Server::start(home), ids: Vec::new() })
    }

    fn caller(&self) -> Caller {
        self.server.caller()
    }

    /// A still of a file of the host.
    fn still_of(&self, path: &str) -> Value {
        json!({"text": "a still of @Video1", "clips": [self.host.url(path)]})
    }

    /// Submits with the message of its end to `hook`.
    fn send(&self, body: &Value, hook: &str, headers: &[(&str, &str)]) -> Answer {
        let target = format!("/v1/models/{ACME}?webhook={}", self.host.url(hook));
        let body = body.to_string();
        let call = Call { method: "POST", target: &target, headers, body: body.as_bytes() };
        self.caller().call(&call).unwrap()
    }

    fn submit(&mut self, path: &str, headers: &[(&str, &str)]) -> String {
        let id = id_of(&self.send(&self.still_of(path), HOOK, headers));
        self.ids.push(id.clone());
        id
    }

    /// Waits for an engine and stops it at its work.
    fn stop_engine(&self) -> Stopped {
        let pid = until("the start of an engine", || {
            let mut children = self.server.children().into_iter();
            children.find(|child| child.command.contains(ENGINE)).map(|child| child.pid)
        });
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        Stopped(pid)
    }

    fn kinds(&self, id: &str) -> Vec<String> {
        let record = self.server.record(id);
        let events = record["events"].as_array().unwrap().iter();
        events.map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    }

    fn until_it_has(&self, id: &str, kind: &str, times: usize) {
        until_or(
            || format!("{times} `{kind}` in {:#}", self.server.record(id)),
            || {
                (self.kinds(id).iter().filter(|found| *found == kind).count() >= times)
                    .then_some(())
            },
        );
    }

    fn position(&self, id: &str) -> Value {
        self.server.status(id)["queue_position"].clone()
    }

    /// Waits until `count` messages have come to `hook`.
    fn told(&self, hook: &str, count: usize) {
        let come = || self.host.requests_of(hook).len();
        until_or(
            || format!("{count} messages, but {}", come()),
            || (come() >= count).then_some(()),
        );
    }

    /// Has a message refused by its receiver, which asks for a minute of rest; its request.
    fn fail_to_tell(&self) -> String {
        let busy = Reply::status(503).header("retry-after", "60");
        self.host.script("/busy", [busy, Reply::status(200)]);
        let id = id_of(&self.send(&self.still_of("/walk.mp4"), "/busy", &[]));
        until("a failed attempt to post", || {
            (self.message_of(&id)?["last_status"] == 503).then_some(())
        });
        id
    }

    /// The message of [`Self::fail_to_tell`] comes once more.
    fn told_at_last(&self, id: &str) {
        let message = || self.message_of(id).unwrap();
        until_or(
            || format!("an end of {:#}", message()),
            || (message()["state"] == "delivered").then_some(()),
        );
        assert_eq!(self.host.requests_of("/busy").len(), 2);
    }

    fn message_of(&self, id: &str) -> Option<Value> {
        let all = self.caller().list("/v1/webhooks/deliveries", "deliveries");
        all.into_iter().find(|message| message["request_id"] == id)
    }

    /// Kills the server, does this to its clock, and starts it anew.
    fn restart(self, meanwhile: impl FnOnce(&FalseClock)) -> Self {
        let stopped = self.server.kill();
        meanwhile(&self.clock);
        Self { server: Server::restart(stopped), ..self }
    }

    /// All has succeeded, was charged once and told once, and is listed in the order in which it
    /// came.
    fn all_succeeded_once(&self) {
        for id in &self.ids {
            self.server.succeeded(id);
        }
        let listed = self.caller().list("/v1/requests", "requests");
        let made = listed.iter().filter(|one| one["status"] == "succeeded").count();
        // Some of it may have been charged tomorrow.
        let target = "/v1/usage?from=2000-01-01&to=2999-12-31";
        let total = self.caller().get(target).expect(200)["total"].clone();
        assert_eq!(total["requests"], made, "{total:#}");
        assert_eq!(total["cost"], json!(made as f64 * PRICE_USD), "{total:#}");
        let own = listed.iter().rev().map(|one| one["request_id"].as_str().unwrap());
        let own: Vec<&str> = own.filter(|id| self.ids.iter().any(|known| known == id)).collect();
        assert_eq!(own, self.ids, "newest first");
        self.told(HOOK, self.ids.len());
        let told = self.host.requests_of(HOOK).into_iter().map(|message| {
            let body: Value = serde_json::from_slice(&message.body).unwrap();
            assert_eq!(body["status"], "succeeded", "{body:#}");
            body["request_id"].as_str().unwrap().to_owned()
        });
        let told: Vec<String> = told.collect();
        assert_eq!(told.len(), self.ids.len(), "told once: {told:?}");
        assert_eq!(told.iter().collect::<BTreeSet<_>>(), self.ids.iter().collect());
    }
}

/// A moment in a record.
fn moment(text: &Value) -> Timestamp {
    text.as_str().unwrap().parse().unwrap()
}

/// The true time.
fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp(i64::try_from(since.as_micros()).unwrap())
}

/// The clock is set by so much while one request runs, one is in intake and others wait.
fn a_jump(test: &str, secs: i64) {
    let Some(mut scene) = Scene::start(test) else { return };
    let key = [("Idempotency-Key", "first")];
    let running = scene.submit("/bunny.mp4", &key);
    let engine = scene.stop_engine();
    let fetching = scene.submit("/slow.mp4", &[]);
    until("a fetch", || (!scene.host.requests_of("/slow.mp4").is_empty()).then_some(()));
    let waiting = [(); 2].map(|()| scene.submit("/walk.mp4", &[]));

    scene.clock.set(secs);
    let again = scene.send(&scene.still_of("/bunny.mp4"), HOOK, &key);
    assert_eq!(
        (again.header("idempotent-replayed"), id_of(&again)),
        (Some("true"), running.clone())
    );
    let late = scene.submit("/walk.mp4", &[]);
    let queued = [&fetching, &waiting[0], &waiting[1], &late];
    let places = queued.map(|id| scene.position(id));
    assert_eq!(places, [1, 2, 3, 4].map(Value::from), "the order is as before");
    let created = moment(&scene.server.record(&late)["created_at"]);
    let off = created.millis_since(now()) / 1000 - secs;
    assert!(off.abs() < SLACK_SECS, "it came at {created}, off by {off} s");

    // The engine stands still for as long as the file takes, and its request is still its own.
    scene.until_it_has(&fetching, "ready", 1);
    drop(engine);
    scene.all_succeeded_once();
    let once = ["received", "intake_started", "ready", "run_started", "succeeded"];
    for id in &scene.ids {
        assert_eq!(scene.kinds(id), once, "nobody lost it: {:#}", scene.server.record(id));
        assert_eq!(scene.server.record(id)["attempts"], 1);
    }
    let began = queued.map(|id| moment(&scene.server.record(id)["events"][3]["at"]));
    assert!(began.is_sorted(), "they ran in the order of the queue: {began:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_an_hour_ahead_takes_nothing_from_anybody() {
    a_jump("a clock set an hour ahead", HOUR_SECS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_an_hour_back_strands_nothing() {
    a_jump("a clock set an hour back", -HOUR_SECS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_a_day_back_strands_nothing() {
    a_jump("a clock set a day back", -DAY_SECS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_between_two_tries_grows_by_no_clock() {
    let Some(mut scene) = Scene::start("a pause between two tries") else { return };
    let message = scene.fail_to_tell();
    let tried = scene.submit("/bunny.mp4", &[]);
    for times in 1..=2 {
        let engine = scene.stop_engine();
        kill_process(engine.0, Signal::KILL).unwrap();
        scene.until_it_has(&tried, "set_back", times);
    }
    // One waits for two seconds now, the other for a minute.
    scene.clock.set(-HOUR_SECS);
    scene.all_succeeded_once();
    assert_eq!(scene.server.record(&tried)["attempts"], 3);
    scene.told_at_last(&message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_counted_anew_from_a_jump_back_and_not_put_off_by_it() {
    let Some(mut scene) = Scene::start("a deadline") else { return };
    let soon = [("X-Reshoot-Deadline", "15")];
    let doomed = ["/bunny.mp4", "/slow.mp4"].map(|path| {
        let id = id_of(&scene.send(&scene.still_of(path), "/other", &soon));
        (id, path)
    });
    let engine = scene.stop_engine();
    let patient = scene.submit("/walk.mp4", &[("X-Reshoot-Deadline", "7200")]);
    scene.clock.set(-DAY_SECS);
    for (id, path) in &doomed {
        let error = scene.server.finished(id)["error"].clone();
        assert_eq!(error["code"], "deadline_exceeded", "{path}: {error:#}");
    }
    scene.server.succeeded(&patient);
    scene.all_succeeded_once();
    until("the end of the engine", || scene.server.children().is_empty().then_some(()));
    drop(engine);
}

/// A server is killed with work of each kind, and starts with its clock set back by so much.
fn a_restart(test: &str, secs: i64) {
    let Some(mut scene) = Scene::start(test) else { return };
    let message = scene.fail_to_tell();
    let running = scene.submit("/bunny.mp4", &[("Idempotency-Key", "first")]);
    let engine = scene.stop_engine();
    scene.submit("/walk.mp4", &[]);
    let soon = [("X-Reshoot-Deadline", "15")];
    let doomed = id_of(&scene.send(&scene.still_of("/slow.mp4"), "/other", &soon));
    let scene = scene.restart(|clock| clock.set(-secs));
    drop(engine);

    let again = [("Idempotency-Key", "first")];
    let again = scene.send(&scene.still_of("/bunny.mp4"), HOOK, &again);
    assert_eq!(
        (again.header("idempotent-replayed"), id_of(&again)),
        (Some("true"), running.clone())
    );
    let error = scene.server.finished(&doomed)["error"].clone();
    assert_eq!(error["code"], "deadline_exceeded", "{error:#}");
    scene.all_succeeded_once();
    assert_eq!(scene.kinds(&running).iter().filter(|kind| *kind == "set_back").count(), 1);
    scene.told_at_last(&message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_an_hour_before_its_end_takes_up_its_work() {
    a_restart("a start an hour before the end", HOUR_SECS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_a_day_before_its_end_takes_up_its_work() {
    a_restart("a start a day before the end", DAY_SECS);
}
