//! The server's numbers for Prometheus, and the spans of its traces ([`spans`]).
//!
//! Who runs this server has to see that it is slow, full or failing before a client says so. All
//! that is counted goes through [`Metrics`]: one value, made by the binary, given to whoever has
//! something to count. Its methods take types, not strings; names and labels stand in one file,
//! and what they mean in `docs/metrics.md`, which a test compares with what a scrape shows.
//!
//! Two rules hold. The number of series is bounded: a label's value is a word of a closed list or
//! the id of a model that is or was served, never what a client sent. And counting is cheap: a
//! call that was seen before costs no allocation.

mod families;
mod snapshot;
pub mod spans;
mod words;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::lease::Setback;
use domain::{Stage, State};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use families::{
    Call, EngineModel, Live, ModelLabel, ModelPriority, ModelState, Outcome, Reason, Route,
    Scraped, StageLabel, StageOutcomeLabel, StageWhy,
};
use words::NO_ROUTE;

pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
pub use snapshot::{Backlog, Disk, QueueGroup, RunningGroup, Snapshot};
pub use words::{Method, StageEnd, Submit, WebhookAttempt};

/// All that is counted. Cheap to clone; the clones count together.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    routes: HashSet<&'static str>,
    live: Live,
    registry: Registry,
}

/// One open event stream, which counts for as long as this lives.
#[derive(Debug)]
#[must_use = "the stream stops counting when this is dropped"]
pub struct SseStream(Gauge<u64, AtomicU64>);

// === impl Metrics ===

impl Metrics {
    /// Nothing counted yet. `routes` are the templates of the paths that are served, such as
    /// `/v1/requests/{request_id}`; calls of others are counted together.
    pub fn new(routes: impl IntoIterator<Item = &'static str>) -> Self {
        let (live, registry) = Live::new();
        start_at_zero(&live);
        let routes = routes.into_iter().collect();
        Self { inner: Arc::new(Inner { routes, live, registry }) }
    }

    /// A call was answered. `route` is the template that it matched, if it did; `took` ends with
    /// the head of the answer.
    pub fn http(&self, route: Option<&str>, method: Method, status: u16, took: Duration) {
        let Inner { routes, live, .. } = &*self.inner;
        let route = route.and_then(|route| routes.get(route)).copied().unwrap_or(NO_ROUTE);
        live.http_requests.get_or_create(&Call { route, method: method.as_str(), status }).inc();
        live.http_request_duration.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// A submit was answered.
    pub fn submit(&self, answer: Submit) {
        self.live().submits.get_or_create(&Outcome { outcome: answer.as_str() }).inc();
    }

    /// Intake found a fault of this kind ([`domain::Fault::kind`]) in an input.
    pub fn intake_refusal(&self, kind: &str) {
        self.live().intake_refusals.get_or_create(&Reason { reason: words::reason(kind) }).inc();
    }

    /// Work on a claim ended, `took` after the claim.
    pub fn stage(&self, stage: Stage, end: StageEnd, took: Duration) {
        let label = StageOutcomeLabel { stage: words::stage(stage), outcome: end.as_str() };
        self.live().stage_duration.get_or_create(&label).observe(took.as_secs_f64());
    }

    /// An engine ran for a request of `model`, whatever came of it.
    pub fn engine(&self, engine: &str, model: &str, took: Duration) {
        let label = EngineModel { engine: engine.into(), model: model.into() };
        self.live().engine_secs.get_or_create(&label).inc_by(took.as_secs_f64());
    }

    /// A lease ran out while its holder still worked, or died.
    pub fn lease_loss(&self, stage: Stage) {
        self.live().lease_losses.get_or_create(&StageLabel { stage: words::stage(stage) }).inc();
    }

    /// A claim was given back and will be tried again.
    pub fn retry(&self, stage: Stage, why: Setback) {
        let label = StageWhy { stage: words::stage(stage), why: words::why(why) };
        self.live().retries.get_or_create(&label).inc();
    }

    /// A request of `model` reached the terminal state `state`.
    pub fn finished(&self, model: &str, state: State) {
        let label = ModelState { model: model.into(), state: state.as_str() };
        self.live().requests_finished.get_or_create(&label).inc();
    }

    /// An attempt to deliver a webhook ended.
    pub fn webhook(&self, attempt: WebhookAttempt) {
        let label = Outcome { outcome: attempt.as_str() };
        self.live().webhook_attempts.get_or_create(&label).inc();
        if let WebhookAttempt::Delivered { lag } = attempt {
            self.live().webhook_lag.observe(lag.as_secs_f64());
        }
    }

    /// An event stream was opened; it counts until the returned value is dropped.
    pub fn sse_stream(&self) -> SseStream {
        let gauge = self.live().sse_streams.clone();
        gauge.inc();
        SseStream(gauge)
    }

    /// Everything as text, to be answered with [`CONTENT_TYPE`]: what was counted, and how things
    /// stand according to `snapshot`.
    pub fn encode(&self, snapshot: &Snapshot) -> String {
        let mut text = String::new();
        for registry in [&self.inner.registry, &scraped(snapshot)] {
            // Only the writer can fail, and a `String` does not.
            let _ = prometheus_text::encode(&mut text, registry);
        }
        text
    }

    fn live(&self) -> &Live {
        &self.inner.live
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("routes", &self.inner.routes.len()).finish_non_exhaustive()
    }
}

/// Shows the series of short lists from the start: a rate needs a zero before its first one.
fn start_at_zero(live: &Live) {
    for answer in Submit::ALL {
        drop(live.submits.get_or_create(&Outcome { outcome: answer.as_str() }));
    }
    for stage in words::STAGES {
        let stage = words::stage(stage);
        drop(live.lease_losses.get_or_create(&StageLabel { stage }));
        for why in words::SETBACKS {
            drop(live.retries.get_or_create(&StageWhy { stage, why: words::why(why) }));
        }
    }
    let attempts = [
        WebhookAttempt::Delivered { lag: Duration::ZERO },
        WebhookAttempt::Failed,
        WebhookAttempt::Gone,
    ];
    for attempt in attempts {
        drop(live.webhook_attempts.get_or_create(&Outcome { outcome: attempt.as_str() }));
    }
}

fn scraped(snapshot: &Snapshot) -> Registry {
    let (gauges, registry) = Scraped::new();
    for group in &snapshot.queue {
        let priority = group.priority.as_str();
        let label = ModelPriority { model: group.model.as_str().into(), priority };
        gauges.queue_depth.get_or_create(&label).set(group.depth);
        gauges.queue_oldest_age.get_or_create(&label).set(group.oldest_age_secs);
    }
    for group in &snapshot.running {
        let label = ModelLabel { model: group.model.as_str().into() };
        gauges.running.get_or_create(&label).set(group.count);
    }
    gauges.webhooks_pending.set(snapshot.webhooks.pending);
    gauges.webhooks_oldest_age.set(snapshot.webhooks.oldest_age_secs);
    if let Some(disk) = snapshot.disk {
        gauges.disk_free.get_or_create(&[]).set(disk.free_bytes);
        gauges.disk_total.get_or_create(&[]).set(disk.total_bytes);
    }
    registry
}

// === impl SseStream ===

impl Drop for SseStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}
