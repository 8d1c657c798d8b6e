//! A client that insists: it repeats each call until a server answers it, and keeps a journal of
//! everything that it was told.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::SeededRng;

use super::load::Load;
use crate::support::ACME;
use crate::support::http::{Answer, Broken, Call, Caller};
use crate::support::rng::below;

/// Requests of one client that have not ended.
const OPEN_MAX: usize = 4;
/// Between two looks that told nothing new.
const PAUSE: Duration = Duration::from_millis(40);

/// What a client knows of one of its requests.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// Its idempotency key.
    pub(crate) key: String,
    pub(crate) id: String,
    /// Whether it is one that can succeed.
    pub(crate) sound: bool,
    /// Whether its end is to be told to the webhook.
    pub(crate) hooked: bool,
    /// Whether it may be cancelled.
    fickle: bool,
    pub(crate) cancel: Cancel,
    /// The word for its end, once one was seen.
    pub(crate) end: Option<String>,
}

/// How far a cancellation came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cancel {
    #[default]
    Never,
    /// It was asked for.
    Sent,
    /// `cancelled` was the answer.
    Told,
}

/// What requests are made of.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    pub(crate) clip: String,
    /// The same as `data:` URI.
    pub(crate) carried: String,
    pub(crate) hook: String,
}

pub(crate) struct Client {
    pub(crate) name: usize,
    pub(crate) key: String,
    pub(crate) load: Arc<Load>,
    pub(crate) material: Material,
    pub(crate) rng: SeededRng,
    pub(crate) journal: Vec<Entry>,
}

// === impl Client ===

impl Client {
    /// Works until the load is over; the journal.
    pub(crate) fn run(mut self) -> Vec<Entry> {
        while !self.load.is_over() {
            match self.below(12) {
                _ if self.journal.is_empty() => self.submit(),
                0 => self.repeat(),
                1 => self.cancel(),
                // Whatever has ended is looked at again and again: it must stay as it is.
                2 => self.look(self.any()),
                3..=7 if self.open().len() < OPEN_MAX => self.submit(),
                _ => match self.any_open() {
                    Some(at) => self.look(at),
                    None => self.submit(),
                },
            }
        }
        self.journal
    }

    fn submit(&mut self) {
        let key = format!("client-{}-{}", self.name, self.journal.len());
        let (sound, hooked, fickle) = (self.below(6) > 0, self.below(3) == 0, self.below(3) == 0);
        self.journal.push(Entry { key, sound, hooked, fickle, ..Entry::default() });
        let at = self.journal.len() - 1;
        self.journal[at].id = self.send(at);
        self.load.count(|tally| tally.acknowledged += 1);
    }

    /// A submit whose answer is known already.
    fn repeat(&self) {
        let at = self.any();
        self.load.count(|tally| tally.repeated += 1);
        assert_eq!(self.send(at), self.journal[at].id, "one key, one request");
        self.load.pause(PAUSE);
    }

    fn send(&self, at: usize) -> String {
        let entry = &self.journal[at];
        let mut target = format!("/v1/models/{ACME}");
        if entry.hooked {
            target.extend(["?webhook=", &self.material.hook]);
        }
        let body = self.body(at).to_string();
        let headers = [("Idempotency-Key", entry.key.as_str())];
        let call =
            Call { method: "POST", target: &target, headers: &headers, body: body.as_bytes() };
        let reply = self.insist(&call).expect(200);
        reply["request_id"].as_str().unwrap().to_owned()
    }

    /// The same for the same entry: a key is for one body.
    fn body(&self, at: usize) -> Value {
        let Material { clip, carried, .. } = &self.material;
        match (self.journal[at].sound, at % 3) {
            (false, _) => json!({"text": "a still of nothing"}),
            (true, 0) => json!({"text": "a still of @Video1", "clips": [carried]}),
            (true, _) => json!({"text": "a still of @Video1", "clips": [clip]}),
        }
    }

    fn cancel(&mut self) {
        let Some(at) = self.any_open().filter(|at| self.journal[*at].fickle) else { return };
        let force = self.below(2) == 0;
        let target = format!("/v1/requests/{}/cancel?force={force}", self.journal[at].id);
        let before = self.journal[at].cancel;
        self.journal[at].cancel = before.max(Cancel::Sent);
        let call = Call { method: "POST", target: &target, headers: &[], body: &[] };
        let reply = self.insist(&call).expect(202);
        if reply["outcome"] == "cancelled" {
            self.journal[at].cancel = Cancel::Told;
        }
    }

    /// Notes the end, or that it is still the same.
    fn look(&mut self, at: usize) {
        let target = format!("/v1/requests/{}/result", self.journal[at].id);
        let call = Call { method: "GET", target: &target, headers: &[], body: &[] };
        let reply = self.insist(&call).expect(200);
        let word = reply["status"].as_str().unwrap().to_owned();
        let entry = &mut self.journal[at];
        if let Some(end) = &entry.end {
            assert_eq!(*end, word, "an end is for ever: {reply:#}");
            self.load.pause(PAUSE);
        } else {
            match word.as_str() {
                "succeeded" => self.load.count(|tally| tally.succeeded += 1),
                "failed" => self.load.count(|tally| tally.failed += 1),
                "cancelled" => self.load.count(|tally| tally.cancelled += 1),
                _ => return self.load.pause(PAUSE),
            }
            entry.end = Some(word);
        }
    }

    /// Calls until there is an answer that says something of the call. All calls made here may be
    /// repeated: that is what the key of a submit is for.
    fn insist(&self, call: &Call<'_>) -> Answer {
        let mut first = true;
        loop {
            if !first && call.headers.iter().any(|(name, _)| *name == "Idempotency-Key") {
                self.load.count(|tally| tally.repeated += 1);
            }
            first = false;
            let (address, life) = self.load.place();
            match (Caller { address, key: self.key.clone() }).call(call) {
                // The first one with this key may still be under way.
                Ok(answer) if answer.status == 409 || answer.status >= 500 => {
                    self.load.pause(PAUSE);
                }
                Ok(answer) => return answer,
                Err(Broken(why)) => self.load.await_life_after(life, &why),
            }
        }
    }

    fn open(&self) -> Vec<usize> {
        (0..self.journal.len()).filter(|at| self.journal[*at].end.is_none()).collect()
    }

    fn any_open(&self) -> Option<usize> {
        let open = self.open();
        (!open.is_empty()).then(|| open[self.below(open.len())])
    }

    fn any(&self) -> usize {
        self.below(self.journal.len())
    }

    fn below(&self, bound: usize) -> usize {
        below(&self.rng, bound)
    }
}
