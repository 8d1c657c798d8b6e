//! `reshoot serve` as a process.

use std::io::BufRead;
use std::net::SocketAddr;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::Reply;
use super::curl::curl;
use super::home::Home;
use super::http::Caller;
use super::process::Process;
use super::processes::{self, until, until_or};

/// A running server, and a key for it. Dropped, it is killed.
pub(crate) struct Server {
    pub(crate) home: Home,
    pub(crate) key: String,
    base: String,
    process: Process,
    first_lines: Vec<String>,
}

// === impl Server ===

impl Server {
    /// Starts one on an empty home.
    pub(crate) fn start(home: Home) -> Self {
        Self::launch(home, None)
    }

    fn launch(home: Home, key: Option<String>) -> Self {
        let mut process = Process::spawn(&home.machine, &home.config(), &home.data(), &home.args);
        let mut first_lines = Vec::new();
        let base = loop {
            let mut line = String::new();
            let read = process.stdout.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the server ended: {}", process.end().1);
            if let Some(base) = line.trim().strip_prefix("listening on ") {
                break base.to_owned();
            }
            first_lines.push(line.trim().to_owned());
        };
        let key = key.unwrap_or_else(|| home.create_key("tests"));
        Self { home, key, base, process, first_lines }
    }

    /// A server on an empty home, the key that it makes itself, and all that it says with it.
    pub(crate) fn start_with_first_key(home: Home) -> (Self, Vec<String>) {
        let mut server = Self::launch(home, Some(String::new()));
        let mut lines = std::mem::take(&mut server.first_lines);
        while !lines.iter().any(|line: &String| line.contains("curl")) {
            let mut line = String::new();
            assert_ne!(server.process.stdout.read_line(&mut line).unwrap(), 0);
            lines.push(line.trim().to_owned());
        }
        (server, lines)
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.base.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// Calls over bare sockets, with the server's key.
    pub(crate) fn caller(&self) -> Caller {
        Caller { address: self.address(), key: self.key.clone() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Engines, jails and ffmpegs that work for it.
    pub(crate) fn children(&self) -> Vec<processes::Child> {
        processes::of(&self.home.data(), self.pid())
    }

    /// `kill -9`, then the end of everything that worked for it.
    pub(crate) fn kill(mut self) -> (Home, String) {
        let pid = self.pid();
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
        let data = self.home.data();
        until("the end of the killed server's children", || {
            processes::of(&data, pid).is_empty().then_some(())
        });
        (self.home, self.key)
    }

    /// The same home and key, again.
    pub(crate) fn restart((home, key): (Home, String)) -> Self {
        Self::launch(home, Some(key))
    }

    /// SIGTERM, and how it ended: status, what it said on the way.
    pub(crate) fn terminate(self) -> (Home, String, ExitStatus, String) {
        let Self { home, key, process, .. } = self;
        let pid = Pid::from_raw(i32::try_from(process.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let (status, log) = process.end();
        (home, key, status, log)
    }

    /// One call; `target` is a path of this server or a URL.
    pub(crate) fn call_as(
        &self,
        key: Option<&str>,
        method: &str,
        target: &str,
        body: Option<&Value>,
    ) -> Reply {
        let url = if target.contains("://") {
            target.to_owned()
        } else {
            format!("{}{target}", self.base)
        };
        let authorization = format!("Authorization: Bearer {}", key.unwrap_or_default());
        let mut args = vec!["--request", method, "--url", url.as_str()];
        if key.is_some() {
            args.extend(["--header", authorization.as_str()]);
        }
        if body.is_some() {
            args.extend(["--header", "Content-Type: application/json", "--data-binary", "@-"]);
        }
        curl(&args, body.map(Value::to_string).unwrap_or_default().as_bytes())
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        self.call_as(Some(&self.key), "GET", target, None)
    }

    pub(crate) fn post(&self, target: &str, body: Option<&Value>) -> Reply {
        self.call_as(Some(&self.key), "POST", target, body)
    }

    /// Submits and gives the id.
    #[track_caller]
    pub(crate) fn submit(&self, model: &str, body: &Value) -> String {
        let reply = self.post(&format!("/v1/models/{model}"), Some(body)).expect(200);
        reply["request_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn status(&self, id: &str) -> Value {
        self.get(&format!("/v1/requests/{id}/status")).expect(200)
    }

    pub(crate) fn record(&self, id: &str) -> Value {
        self.get(&format!("/v1/requests/{id}")).expect(200)
    }

    /// The result once the request has ended.
    #[track_caller]
    pub(crate) fn finished(&self, id: &str) -> Value {
        let what = || format!("the end of a request: {:#}", self.record(id));
        until_or(what, || {
            let target = format!("/v1/requests/{id}/result?include_cost=true");
            let result = self.get(&target).expect(200);
            let ended = json!(["succeeded", "failed", "cancelled"]);
            ended.as_array().unwrap().contains(&result["status"]).then_some(result)
        })
    }

    /// The result of a request that succeeds.
    #[track_caller]
    pub(crate) fn succeeded(&self, id: &str) -> Value {
        let result = self.finished(id);
        assert_eq!(result["status"], "succeeded", "{result:#}");
        result
    }

    /// Waits until the request runs.
    #[track_caller]
    pub(crate) fn running(&self, id: &str) {
        until("the start of a run", || {
            let status = self.status(id)["status"].clone();
            assert!(status == "in_queue" || status == "in_progress", "it is {status} already");
            (status == "in_progress").then_some(())
        });
    }
}
