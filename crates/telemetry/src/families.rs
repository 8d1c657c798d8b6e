//! Every metric's name, type, labels and buckets, and nothing else: whoever looks for a name that
//! a scrape shows finds it here, and its meaning in `docs/metrics.md`.
//!
//! Counters are registered without the `_total` that the text format gives them, and all names
//! without [`PREFIX`].

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

/// What every name begins with.
const PREFIX: &str = "reshoot";

/// Seconds; a call that answers from memory is in the first ones, an upload in the last.
const CALL_SECS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Seconds; from an input that is there already to a clip on a slow machine.
const STAGE_SECS: [f64; 15] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1200.0, 3600.0];
/// Seconds; from a receiver that answers at once to one that is away for a day.
const LAG_SECS: [f64; 12] =
    [0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 14_400.0, 43_200.0, 86_400.0];

pub(crate) type Count<L> = Family<L, Counter>;
pub(crate) type Secs<L> = Family<L, Histogram>;
type Level<L> = Family<L, Gauge<u64, AtomicU64>>;
type Age<L> = Family<L, Gauge<f64, AtomicU64>>;

/// The labels of a number that stands alone, but need not be there.
type Bare = [(&'static str, &'static str); 0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Call {
    pub(crate) route: &'static str,
    pub(crate) method: &'static str,
    pub(crate) status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Route {
    pub(crate) route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StageLabel {
    pub(crate) stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StageOutcomeLabel {
    pub(crate) stage: &'static str,
    pub(crate) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StageWhy {
    pub(crate) stage: &'static str,
    pub(crate) why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct EngineModel {
    pub(crate) engine: Arc<str>,
    pub(crate) model: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ModelState {
    pub(crate) model: Arc<str>,
    pub(crate) state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ModelPriority {
    pub(crate) model: Arc<str>,
    pub(crate) priority: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ModelLabel {
    pub(crate) model: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// What is counted where it happens.
pub(crate) struct Live {
    pub(crate) http_requests: Count<Call>,
    pub(crate) http_request_duration: Secs<Route>,
    pub(crate) submits: Count<Outcome>,
    pub(crate) intake_refusals: Count<Reason>,
    pub(crate) stage_duration: Secs<StageOutcomeLabel>,
    pub(crate) engine_secs: Family<EngineModel, Counter<f64, AtomicU64>>,
    pub(crate) lease_losses: Count<StageLabel>,
    pub(crate) retries: Count<StageWhy>,
    pub(crate) requests_finished: Count<ModelState>,
    pub(crate) webhook_attempts: Count<Outcome>,
    pub(crate) webhook_lag: Histogram,
    pub(crate) sse_streams: Gauge<u64, AtomicU64>,
}

/// What is looked up when somebody asks. Made anew for each scrape, so that a model that has no
/// more requests leaves no number behind, and two scrapes at once do not mix.
pub(crate) struct Scraped {
    pub(crate) queue_depth: Level<ModelPriority>,
    pub(crate) queue_oldest_age: Age<ModelPriority>,
    pub(crate) running: Level<ModelLabel>,
    pub(crate) webhooks_pending: Gauge<u64, AtomicU64>,
    pub(crate) webhooks_oldest_age: Gauge<f64, AtomicU64>,
    /// No number where the disk could not be asked.
    pub(crate) disk_free: Level<Bare>,
    pub(crate) disk_total: Level<Bare>,
}

// === impl Live ===

impl Live {
    /// The metrics, and the registry that shows them.
    pub(crate) fn new() -> (Self, Registry) {
        let mut registry = Registry::with_prefix(PREFIX);
        let r = &mut registry;
        add_build_info(r);
        let live = Self {
            http_requests: add(r, "http_requests", "HTTP calls answered", Family::default()),
            http_request_duration: add(
                r,
                "http_request_duration_seconds",
                "From a call's arrival to the head of its answer",
                seconds(|| Histogram::new(CALL_SECS)),
            ),
            submits: add(r, "submits", "Submits answered", Family::default()),
            intake_refusals: add(
                r,
                "intake_refusals",
                "Faults found in inputs that were taken in",
                Family::default(),
            ),
            stage_duration: add(
                r,
                "stage_duration_seconds",
                "From a claim to its end",
                seconds(|| Histogram::new(STAGE_SECS)),
            ),
            engine_secs: add(r, "engine_seconds", "Time that engines ran", Family::default()),
            lease_losses: add(r, "lease_losses", "Leases lost to expiry", Family::default()),
            retries: add(r, "retries", "Claims given back to be tried again", Family::default()),
            requests_finished: add(r, "requests_finished", "Requests ended", Family::default()),
            webhook_attempts: add(r, "webhook_attempts", "Webhooks sent", Family::default()),
            webhook_lag: add(
                r,
                "webhook_lag_seconds",
                "From a change of state to its acknowledgement",
                Histogram::new(LAG_SECS),
            ),
            sse_streams: add(r, "sse_streams", "Open event streams", Gauge::default()),
        };
        (live, registry)
    }
}

// === impl Scraped ===

impl Scraped {
    /// The gauges, and the registry that shows them.
    pub(crate) fn new() -> (Self, Registry) {
        let mut registry = Registry::with_prefix(PREFIX);
        let r = &mut registry;
        let scraped = Self {
            queue_depth: add(r, "queue_depth", "Requests in the queue", Family::default()),
            queue_oldest_age: add(
                r,
                "queue_oldest_age_seconds",
                "Age of the oldest request in the queue",
                Family::default(),
            ),
            running: add(r, "running", "Requests that an engine works on", Family::default()),
            webhooks_pending: add(r, "webhooks_pending", "Webhooks to be sent", Gauge::default()),
            webhooks_oldest_age: add(
                r,
                "webhooks_oldest_age_seconds",
                "Age of the oldest webhook to be sent",
                Gauge::default(),
            ),
            disk_free: add(r, "disk_free_bytes", "Free in the data folder", Family::default()),
            disk_total: add(r, "disk_total_bytes", "Disk of the data folder", Family::default()),
        };
        (scraped, registry)
    }
}

fn add_build_info(registry: &mut Registry) {
    let version = Version { version: env!("CARGO_PKG_VERSION") };
    registry.register("build", "What runs", Info::new(version));
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn seconds<L: Clone + std::hash::Hash + Eq>(make: fn() -> Histogram) -> Secs<L> {
    Family::new_with_constructor(make)
}
