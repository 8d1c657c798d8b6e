//! Spans: what a call, a stage or a delivery took, for whoever collects traces.
//!
//! Names and attributes stand here, and what they mean in `docs/tracing.md`. How spans leave this
//! process is the affair of the [`Tracer`] that the binary gives to [`Spans`]; without one a span
//! is an empty value, for which nothing is done.
//!
//! Two rules hold. Whatever is done for a request carries its id, as [`REQUEST_ID`]. And nothing
//! that may be secret becomes an attribute: no prompt, path, query, URL, host, header or key.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use domain::{Epoch, RequestId, Stage, State};

use crate::words::{self, Method, StageEnd};

/// The attribute by which all spans of a request are found.
pub const REQUEST_ID: &str = "reshoot.request_id";

const CALL_ID: &str = "reshoot.call_id";
const DELIVERY_ID: &str = "reshoot.delivery_id";
const ENGINE: &str = "reshoot.engine";
const EPOCH: &str = "reshoot.epoch";
const EVENT: &str = "reshoot.event";
const MODEL: &str = "reshoot.model";
const ATTEMPT: &str = "reshoot.attempt";
const OUTCOME: &str = "reshoot.outcome";
// Of the semantic conventions for HTTP and for errors.
const METHOD: &str = "http.request.method";
const ROUTE: &str = "http.route";
const STATUS: &str = "http.response.status_code";
const ERROR: &str = "error.type";

/// Records spans and sends them somewhere.
pub trait Tracer: Send + Sync {
    /// A span that begins now.
    fn begin(&self, start: Start<'_>) -> Box<dyn Recording>;
}

/// A span that is under way. Dropped, it ends.
pub trait Recording: Send + Sync {
    /// Gives it an attribute.
    fn set(&mut self, name: &'static str, value: Value<'_>);
    /// Marks what it stands for as failed.
    fn fail(&mut self);
}

/// How a span begins.
#[derive(Debug)]
pub struct Start<'a> {
    /// Its name: one of few.
    pub name: Cow<'static, str>,
    /// Which side of what it is.
    pub kind: Kind,
    /// What it is a part of, as the W3C's `traceparent` writes it. Not yet known to be well-formed.
    pub parent: Option<&'a str>,
}

/// Which side a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A call is answered.
    Server,
    /// A call is made.
    Client,
    /// Work within.
    Internal,
}

/// An attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(i64),
}

/// Where spans go: nowhere by default. Cheap to clone.
#[derive(Clone, Default)]
pub struct Spans(Option<Arc<dyn Tracer>>);

/// One span, or none where none are recorded. Dropped, it ends.
#[derive(Default)]
#[must_use = "the span ends when this is dropped"]
pub struct Span(Option<Box<dyn Recording>>);

/// A claim, in the words of its span.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'a> {
    /// What is worked on.
    pub stage: Stage,
    /// For which request.
    pub request: &'a RequestId,
    /// Which claim of that request it is.
    pub epoch: Epoch,
    /// Its model's id.
    pub model: &'a str,
    /// The engine that makes the clip; none for intake.
    pub engine: Option<&'a str>,
}

/// How an attempt to deliver a webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// The receiver acknowledged it.
    Delivered {
        /// With this HTTP status.
        status: u16,
    },
    /// It did not, or was not reached.
    Failed {
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
    },
    /// It wants no more (410).
    Gone,
    /// It was not sent: it was out of date.
    Superseded,
}

/// An attempt to deliver a webhook, in the words of its span.
#[derive(Debug, Clone, Copy)]
pub struct Attempting<'a> {
    /// The message's id, the same for each attempt.
    pub delivery: &'a str,
    /// The request that it tells of.
    pub request: &'a RequestId,
    /// The state that it tells of.
    pub event: State,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

// === impl Spans ===

impl Spans {
    /// Spans that `tracer` records.
    pub fn to(tracer: Arc<dyn Tracer>) -> Self {
        Self(Some(tracer))
    }

    /// A call that arrived. `route` is the template that it matched, if it did; `traceparent` is
    /// asked for the header of that name if the span is recorded.
    pub fn call<'a>(
        &self,
        method: Method,
        route: Option<&str>,
        traceparent: impl FnOnce() -> Option<&'a str>,
    ) -> Span {
        let Some(tracer) = &self.0 else { return Span::default() };
        // As the semantic conventions have it for words that are no method.
        let (in_name, word) = match method {
            Method::Other => ("HTTP", "_OTHER"),
            known => (known.as_str(), known.as_str()),
        };
        let name = match route {
            Some(route) => format!("{in_name} {route}").into(),
            None => in_name.into(),
        };
        let mut span = Span::begin(&**tracer, name, Kind::Server, traceparent());
        span.text(METHOD, word);
        if let Some(route) = route {
            span.text(ROUTE, route);
        }
        span
    }

    /// Work on a claim.
    pub fn stage(&self, claimed: Claimed<'_>) -> Span {
        let Some(tracer) = &self.0 else { return Span::default() };
        let Claimed { stage, request, epoch, model, engine } = claimed;
        let mut span = Span::begin(&**tracer, words::stage(stage).into(), Kind::Internal, None);
        span.text(REQUEST_ID, request.as_str());
        span.number(EPOCH, epoch.0);
        span.text(MODEL, model);
        if let Some(engine) = engine {
            span.text(ENGINE, engine);
        }
        span
    }

    /// An attempt to deliver a webhook.
    pub fn delivery(&self, attempting: Attempting<'_>) -> Span {
        let Some(tracer) = &self.0 else { return Span::default() };
        let Attempting { delivery, request, event, attempt } = attempting;
        let mut span = Span::begin(&**tracer, "webhook".into(), Kind::Client, None);
        span.text(REQUEST_ID, request.as_str());
        span.text(DELIVERY_ID, delivery);
        span.text(EVENT, event.as_str());
        span.number(ATTEMPT, i64::from(attempt));
        span
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spans").field(&self.0.is_some()).finish()
    }
}

// === impl Span ===

impl Span {
    fn begin(
        tracer: &dyn Tracer,
        name: Cow<'static, str>,
        kind: Kind,
        parent: Option<&str>,
    ) -> Self {
        Self(Some(tracer.begin(Start { name, kind, parent })))
    }

    /// Whether anything is recorded.
    pub fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// The end of a call: its answer, its own id, and the request that it was about.
    pub fn answered(mut self, status: u16, call: &str, request: Option<&str>) {
        self.number(STATUS, i64::from(status));
        self.text(CALL_ID, call);
        if let Some(request) = request {
            self.text(REQUEST_ID, request);
        }
        // That a client was wrong is no fault of the server.
        if status >= 500 {
            self.error(status.to_string().as_str());
        }
    }

    /// The end of work on a claim; `error` is the code of what went wrong, if anything did.
    pub fn worked(mut self, end: StageEnd, error: Option<&str>) {
        self.text(OUTCOME, end.as_str());
        if let Some(error) = error {
            self.error(error);
        }
    }

    /// The end of an attempt.
    pub fn attempted(mut self, end: DeliveryEnd) {
        let (outcome, status) = match end {
            DeliveryEnd::Delivered { status } => ("delivered", Some(status)),
            DeliveryEnd::Failed { status } => ("failed", status),
            DeliveryEnd::Gone => ("gone", Some(410)),
            DeliveryEnd::Superseded => ("superseded", None),
        };
        self.text(OUTCOME, outcome);
        if let Some(status) = status {
            self.number(STATUS, i64::from(status));
        }
        if matches!(end, DeliveryEnd::Failed { .. } | DeliveryEnd::Gone) {
            let status = status.map(|status| status.to_string());
            self.error(status.as_deref().unwrap_or("no_answer"));
        }
    }

    fn error(&mut self, what: &str) {
        self.text(ERROR, what);
        if let Some(recording) = &mut self.0 {
            recording.fail();
        }
    }

    fn text(&mut self, name: &'static str, value: &str) {
        if let Some(recording) = &mut self.0 {
            recording.set(name, Value::Text(value));
        }
    }

    fn number(&mut self, name: &'static str, value: i64) {
        if let Some(recording) = &mut self.0 {
            recording.set(name, Value::Number(value));
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span").field(&self.is_recorded()).finish()
    }
}
