//! Spans as a tracer gets them, held against `docs/tracing.md`.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use domain::{Epoch, RequestId, Stage, State, Timestamp};
use telemetry::spans::{
    Attempting, Claimed, DeliveryEnd, REQUEST_ID, Recording, Spans, Start, Tracer, Value,
};
use telemetry::{Method, StageEnd};

/// What ended, in order.
#[derive(Clone, Default)]
struct Ended(Arc<Mutex<Vec<Seen>>>);

/// A span; it joins the others when it is dropped.
struct Open(Ended, Seen);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    name: String,
    parent: Option<String>,
    attributes: BTreeMap<&'static str, String>,
    failed: bool,
}

impl Tracer for Ended {
    fn begin(&self, start: Start<'_>) -> Box<dyn Recording> {
        let parent = start.parent.map(str::to_owned);
        let seen = Seen { name: start.name.into_owned(), parent, ..Seen::default() };
        Box::new(Open(self.clone(), seen))
    }
}

impl Recording for Open {
    fn set(&mut self, name: &'static str, value: Value<'_>) {
        let text = match value {
            Value::Text(text) => text.to_owned(),
            Value::Number(number) => number.to_string(),
        };
        self.1.attributes.insert(name, text);
    }

    fn fail(&mut self) {
        self.1.failed = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().push(std::mem::take(&mut self.1));
    }
}

fn request() -> RequestId {
    RequestId::new(Timestamp(0), &testkit::SeededRng::new(1))
}

fn claimed(request: &RequestId) -> Claimed<'_> {
    let (epoch, engine) = (Epoch(2), Some("roto"));
    Claimed { stage: Stage::Run, request, epoch, model: "acme/clip/edit", engine }
}

fn attempting(request: &RequestId) -> Attempting<'_> {
    Attempting { delivery: "msg_1", request, event: State::Succeeded, attempt: 3 }
}

/// One span of each kind, each with all that it may have.
fn all(request: &RequestId) -> Vec<Seen> {
    let ended = Ended::default();
    let spans = Spans::to(Arc::new(ended.clone()));
    let call = spans.call(Method::Get, Some("/v1/requests/{request_id}"), || Some("00-1-2-01"));
    call.answered(503, "call", Some(request.as_str()));
    spans.stage(claimed(request)).worked(StageEnd::Failed, Some("run_timeout"));
    spans.delivery(attempting(request)).attempted(DeliveryEnd::Failed { status: Some(500) });
    ended.0.lock().unwrap().clone()
}

#[test]
fn each_names_its_request_and_says_that_it_failed() {
    let request = request();
    let seen = all(&request);
    let names: Vec<_> = seen.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET /v1/requests/{request_id}", "run", "webhook"]);
    assert_eq!(seen[0].parent.as_deref(), Some("00-1-2-01"));
    for (span, error) in seen.iter().zip(["503", "run_timeout", "500"]) {
        assert_eq!(span.attributes[REQUEST_ID], request.as_str(), "{span:?}");
        assert!(span.failed && span.attributes["error.type"] == error, "{span:?}");
    }
}

#[test]
fn what_a_client_made_up_is_neither_name_nor_fault() {
    let ended = Ended::default();
    let spans = Spans::to(Arc::new(ended.clone()));
    spans.call(Method::of("BREW"), None, || None).answered(404, "call", None);
    let seen = ended.0.lock().unwrap().pop().unwrap();
    assert_eq!((seen.name.as_str(), seen.failed), ("HTTP", false));
    assert_eq!(seen.attributes["http.request.method"], "_OTHER");
}

#[test]
fn without_a_tracer_nothing_is_asked_for() {
    let span = Spans::default().call(Method::Get, None, || unreachable!());
    assert!(!span.is_recorded());
    span.answered(200, "call", None);
}

#[test]
fn the_documentation_names_all_attributes_and_no_others() {
    let text = include_str!("../../../docs/tracing.md");
    let spans = text.split("\n## ").find(|part| part.starts_with("Spans")).unwrap();
    let words = spans.split('`').skip(1).step_by(2);
    let attribute =
        |word: &&str| ["reshoot.", "http.", "error."].iter().any(|start| word.starts_with(start));
    let documented: BTreeSet<_> =
        words.filter(attribute).filter(|word| !word.contains([' ', '='])).collect();
    let request = request();
    let seen: BTreeSet<_> =
        all(&request).iter().flat_map(|span| span.attributes.keys().copied()).collect();
    assert_eq!(seen, documented);
}
