//! Whether the last server tells what its clients were told in all its lives.

use std::collections::{BTreeMap, BTreeSet};

use domain::webhook::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, verify};
use domain::{Timestamp, WebhookSecret};
use serde_json::{Value, json};
use testkit::{MediaHost, Recorded};

use super::PRICE_USD;
use super::client::{Cancel, Entry};
use crate::support::disk::leftovers;
use crate::support::http::Caller;
use crate::support::media::png_size;
use crate::support::processes::until_or;
use crate::support::server::Server;

/// Where messages go on the host.
pub(crate) const HOOK: &str = "/hook";

const ENDS: [&str; 3] = ["succeeded", "failed", "cancelled"];

/// Whoever audits: the owner of all requests, beside the server's machine.
pub(crate) struct Audit<'a> {
    pub(crate) server: &'a Server,
    pub(crate) host: &'a MediaHost,
    pub(crate) journal: &'a [Entry],
    pub(crate) caller: Caller,
}

// === impl Audit ===

impl Audit<'_> {
    /// What waits has the positions from one, each once.
    pub(crate) fn positions(&self) -> usize {
        let waiting = self.caller.list("/v1/requests?status=in_queue", "requests");
        let mut positions: Vec<u64> =
            waiting.iter().map(|request| request["queue_position"].as_u64().unwrap()).collect();
        positions.sort_unstable();
        assert_eq!(positions, (1..=waiting.len() as u64).collect::<Vec<_>>());
        waiting.len()
    }

    /// Waits until all has ended; every request by its id.
    pub(crate) fn settled(&self) -> BTreeMap<String, Value> {
        for Entry { id, .. } in self.journal {
            let result = || self.caller.get(&format!("/v1/requests/{id}/result")).expect(200);
            until_or(
                || format!("an end of {:#}", self.server.record(id)),
                || ENDS.contains(&result()["status"].as_str().unwrap()).then_some(()),
            );
        }
        let all = self.caller.list("/v1/requests", "requests");
        let id = |request: &Value| request["request_id"].as_str().unwrap().to_owned();
        all.into_iter().map(|request| (id(&request), request)).collect()
    }

    /// Each entry of the journal is one request, and there is no other.
    pub(crate) fn requests(&self, all: &BTreeMap<String, Value>) {
        let known: BTreeSet<&str> = self.journal.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(known.len(), self.journal.len(), "two keys, two requests");
        assert_eq!(known, all.keys().map(String::as_str).collect(), "one key, one request");
        for entry in self.journal {
            let request = &all[&entry.id];
            let end = request["status"].as_str().unwrap();
            let said = || format!("{entry:?}: {:#}", self.server.record(&entry.id));
            assert!(entry.end.as_deref().is_none_or(|seen| seen == end), "{}", said());
            assert!(entry.cancel != Cancel::Told || end == "cancelled", "{}", said());
            assert!(end != "cancelled" || entry.cancel != Cancel::Never, "{}", said());
            // Ten losses of its worker are an end, too; a long run may bring them.
            let lost = request["error"]["code"] == "worker_lost";
            let can = entry.sound && end != "cancelled" && !lost;
            assert_eq!(end == "succeeded", can, "{}", said());
            if end == "succeeded" {
                self.output(request);
            } else {
                assert_eq!(request.get("output"), None, "{}", said());
            }
        }
    }

    fn output(&self, request: &Value) {
        let images = request["output"]["images"].as_array().unwrap();
        assert_eq!(images.len(), 1, "{request:#}");
        let url = images[0].as_str().unwrap();
        let path = url.strip_prefix(&format!("http://{}", self.caller.address)).unwrap();
        let picture = self.caller.get(path);
        assert_eq!((picture.status, png_size(&picture.body)), (200, (512, 512)), "{request:#}");
    }

    /// What succeeded is charged, once; nothing else is.
    pub(crate) fn usage(&self, all: &BTreeMap<String, Value>) {
        let made = all.values().filter(|request| request["status"] == "succeeded").count();
        let total = self.caller.get("/v1/usage").expect(200)["total"].clone();
        assert_eq!(total["requests"], made, "{total:#}");
        assert_eq!(total["cost"], json!(made as f64 * PRICE_USD), "{total:#}");
    }

    /// Every end that was to be told was told, signed, and never in two ways.
    pub(crate) fn messages(&self, all: &BTreeMap<String, Value>) {
        let hooked = self.journal.iter().filter(|entry| entry.hooked).map(|entry| &entry.id);
        let hooked: BTreeSet<&String> = hooked.collect();
        let told = || -> BTreeSet<String> {
            self.host.requests_of(HOOK).iter().map(|message| request_of(message).0).collect()
        };
        let missing = || hooked.iter().filter(|id| !told().contains(**id)).count();
        until_or(|| format!("{} messages", missing()), || (missing() == 0).then_some(()));
        let secrets = self.caller.get("/v1/webhooks/secret").expect(200);
        let secret = WebhookSecret::parse(secrets["secret"].as_str().unwrap()).unwrap();
        let mut said = BTreeMap::new();
        for message in self.host.requests_of(HOOK) {
            let header = |name| message.header(name).unwrap().to_owned();
            let (id, at) = (header(ID_HEADER), header(TIMESTAMP_HEADER).parse().unwrap());
            let signature = header(SIGNATURE_HEADER);
            let at = Timestamp::from_secs(at);
            assert!(verify(&secret, &id, at, &message.body, &signature), "{message:?}");
            let (request, status) = request_of(&message);
            assert!(hooked.contains(&request), "nobody asked for {message:?}");
            assert!(ENDS.contains(&status.as_str()), "{message:?}");
            assert_eq!(all[&request]["status"], status, "{message:?}");
            let first = said.entry(id).or_insert_with(|| message.body.clone());
            assert_eq!(*first, message.body, "a message says the same each time");
        }
        assert_eq!(said.len(), hooked.len(), "one message for one end");
    }

    /// Nothing is on disk that no row names, and nobody is at work.
    pub(crate) fn quiet(&self) {
        let home = &self.server.home;
        let left = || (leftovers(home), home.files_under("scratch"), self.server.children());
        until_or(
            || format!("an end of {:?}", left()),
            || {
                let (files, scratch, children) = left();
                (files.is_empty() && scratch.is_empty() && children.is_empty()).then_some(())
            },
        );
    }
}

/// The request that a message is about, and the word for its end.
fn request_of(message: &Recorded) -> (String, String) {
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("request_id"), text("status"))
}
