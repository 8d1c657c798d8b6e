//! What is counted shows in a scrape, under bounded labels.

use std::time::Duration;

use domain::lease::Setback;
use domain::{Priority, Stage, State};
use telemetry::{
    Backlog, Disk, Method, Metrics, QueueGroup, RunningGroup, Snapshot, StageEnd, Submit,
    WebhookAttempt,
};

const ROUTE: &str = "/v1/requests/{request_id}/status";
const MODEL: &str = "acme/clip/edit";

fn metrics() -> Metrics {
    Metrics::new([ROUTE, "/healthz"])
}

/// The value of the series that is written like this, if it is there.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}

fn scrape(metrics: &Metrics) -> String {
    metrics.encode(&Snapshot::default())
}

#[test]
fn calls_are_counted_by_route_method_and_status() {
    let metrics = metrics();
    for status in [200, 200, 404] {
        metrics.http(Some(ROUTE), Method::Get, status, Duration::from_millis(2));
    }
    let text = scrape(&metrics);
    let count = |status| {
        let labels = format!("route=\"{ROUTE}\",method=\"GET\",status=\"{status}\"");
        value(&text, &format!("reshoot_http_requests_total{{{labels}}}"))
    };
    assert_eq!((count(200), count(404), count(500)), (Some(2.0), Some(1.0), None));
    let durations = "reshoot_http_request_duration_seconds";
    assert_eq!(value(&text, &format!("{durations}_count{{route=\"{ROUTE}\"}}")), Some(3.0));
    let bucket = |le| value(&text, &format!("{durations}_bucket{{route=\"{ROUTE}\",le=\"{le}\"}}"));
    assert_eq!(
        (bucket("0.001"), bucket("0.0025"), bucket("+Inf")),
        (Some(0.0), Some(3.0), Some(3.0))
    );
}

#[test]
fn what_a_client_sends_makes_no_series() {
    let metrics = metrics();
    let series = |metrics: &Metrics| scrape(metrics).lines().count();
    metrics.http(None, Method::of("BREW"), 404, Duration::ZERO);
    metrics.intake_refusal("never heard of");
    let before = series(&metrics);
    for n in 0..100 {
        let route = format!("/v1/requests/req_{n}/status");
        metrics.http(Some(&route), Method::of(&format!("BREW{n}")), 404, Duration::ZERO);
        metrics.intake_refusal(&format!("kind {n}"));
    }
    assert_eq!(series(&metrics), before);
    let text = scrape(&metrics);
    let calls = "reshoot_http_requests_total{route=\"-\",method=\"other\",status=\"404\"}";
    assert_eq!(value(&text, calls), Some(101.0));
    assert_eq!(value(&text, "reshoot_intake_refusals_total{reason=\"other\"}"), Some(101.0));
}

#[test]
fn short_lists_begin_at_zero() {
    let text = scrape(&metrics());
    for series in [
        "reshoot_submits_total{outcome=\"accepted\"}",
        "reshoot_submits_total{outcome=\"refused_fields\"}",
        "reshoot_lease_losses_total{stage=\"run\"}",
        "reshoot_retries_total{stage=\"intake\",why=\"handed_back\"}",
        "reshoot_webhook_attempts_total{outcome=\"gone\"}",
        "reshoot_webhook_lag_seconds_count",
        "reshoot_sse_streams",
        "reshoot_webhooks_pending",
    ] {
        assert_eq!(value(&text, series), Some(0.0), "{series}");
    }
}

#[test]
fn a_requests_life_is_counted() {
    let metrics = metrics();
    let counting = metrics.clone();
    counting.submit(Submit::Accepted);
    counting.submit(Submit::Refused { status: 422 });
    counting.intake_refusal("file_too_large");
    counting.stage(Stage::Intake, StageEnd::Done, Duration::from_secs(3));
    counting.stage(Stage::Run, StageEnd::SetBack, Duration::from_secs(30));
    counting.retry(Stage::Run, Setback::Fault);
    counting.lease_loss(Stage::Run);
    counting.engine("roto", MODEL, Duration::from_millis(1500));
    counting.engine("roto", MODEL, Duration::from_secs(2));
    counting.finished(MODEL, State::Succeeded);
    counting.webhook(WebhookAttempt::Failed);
    counting.webhook(WebhookAttempt::Delivered { lag: Duration::from_secs(7) });
    let text = scrape(&metrics);
    for (series, expected) in [
        ("submits_total{outcome=\"accepted\"}", 1.0),
        ("submits_total{outcome=\"refused_fields\"}", 1.0),
        ("intake_refusals_total{reason=\"file_too_large\"}", 1.0),
        ("stage_duration_seconds_sum{stage=\"intake\",outcome=\"done\"}", 3.0),
        ("stage_duration_seconds_sum{stage=\"run\",outcome=\"set_back\"}", 30.0),
        ("retries_total{stage=\"run\",why=\"fault\"}", 1.0),
        ("lease_losses_total{stage=\"run\"}", 1.0),
        ("engine_seconds_total{engine=\"roto\",model=\"acme/clip/edit\"}", 3.5),
        ("requests_finished_total{model=\"acme/clip/edit\",state=\"succeeded\"}", 1.0),
        ("webhook_attempts_total{outcome=\"failed\"}", 1.0),
        ("webhook_attempts_total{outcome=\"delivered\"}", 1.0),
        ("webhook_lag_seconds_sum", 7.0),
        ("webhook_lag_seconds_count", 1.0),
    ] {
        assert_eq!(value(&text, &format!("reshoot_{series}")), Some(expected), "{series}");
    }
    let build = format!("reshoot_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&text, &build), Some(1.0));
}

#[test]
fn an_event_stream_counts_while_it_lives() {
    let metrics = metrics();
    let open = || value(&scrape(&metrics), "reshoot_sse_streams");
    let (first, second) = (metrics.sse_stream(), metrics.sse_stream());
    assert_eq!(open(), Some(2.0));
    drop(first);
    assert_eq!(open(), Some(1.0));
    drop(second);
    assert_eq!(open(), Some(0.0));
}

#[test]
fn a_scrape_shows_its_own_snapshot_and_nothing_of_the_last() {
    let metrics = metrics();
    let group = |priority, depth, oldest_age_secs| QueueGroup {
        model: MODEL.to_owned(),
        priority,
        depth,
        oldest_age_secs,
    };
    let busy = Snapshot {
        queue: vec![group(Priority::High, 2, 1.5), group(Priority::Low, 30, 900.0)],
        running: vec![RunningGroup { model: MODEL.to_owned(), count: 1 }],
        webhooks: Backlog { pending: 4, oldest_age_secs: 61.0 },
        disk: Some(Disk { free_bytes: 5_000_000_000_000, total_bytes: 9_000_000_000_000 }),
    };
    let text = metrics.encode(&busy);
    for (series, expected) in [
        ("queue_depth{model=\"acme/clip/edit\",priority=\"high\"}", 2.0),
        ("queue_depth{model=\"acme/clip/edit\",priority=\"low\"}", 30.0),
        ("queue_oldest_age_seconds{model=\"acme/clip/edit\",priority=\"low\"}", 900.0),
        ("running{model=\"acme/clip/edit\"}", 1.0),
        ("webhooks_pending", 4.0),
        ("webhooks_oldest_age_seconds", 61.0),
        ("disk_free_bytes", 5e12),
        ("disk_total_bytes", 9e12),
    ] {
        assert_eq!(value(&text, &format!("reshoot_{series}")), Some(expected), "{series}");
    }
    let idle = scrape(&metrics);
    for name in ["reshoot_queue_", "reshoot_running", "reshoot_disk_"] {
        assert!(!idle.contains(name), "{name}");
    }
    assert_eq!(value(&idle, "reshoot_webhooks_pending"), Some(0.0));
}

#[test]
fn a_models_id_cannot_break_the_text() {
    let metrics = metrics();
    metrics.finished("a\"b\\c\nd", State::Failed);
    let text = scrape(&metrics);
    let line = r#"reshoot_requests_finished_total{model="a\"b\\c\nd",state="failed"} 1"#;
    assert!(text.lines().any(|found| found == line), "{text}");
}
