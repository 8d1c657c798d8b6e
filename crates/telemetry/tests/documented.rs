//! `docs/metrics.md` says what a scrape shows, no more and no less.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::lease::Setback;
use domain::{Priority, Stage, State};
use telemetry::{
    Backlog, Disk, Method, Metrics, QueueGroup, RunningGroup, Snapshot, StageEnd, Submit,
    WebhookAttempt,
};

/// A metric's type and the names of its labels, by its name.
type Table = BTreeMap<String, (String, BTreeSet<String>)>;

/// A scrape in which every metric has at least one series.
fn full_scrape() -> String {
    let metrics = Metrics::new(["/healthz"]);
    let model = "acme/clip/edit";
    metrics.http(Some("/healthz"), Method::Get, 200, Duration::ZERO);
    metrics.submit(Submit::Accepted);
    metrics.intake_refusal("missing");
    metrics.stage(Stage::Run, StageEnd::Done, Duration::ZERO);
    metrics.engine("roto", model, Duration::ZERO);
    metrics.lease_loss(Stage::Run);
    metrics.retry(Stage::Run, Setback::Lost);
    metrics.finished(model, State::Succeeded);
    metrics.webhook(WebhookAttempt::Delivered { lag: Duration::ZERO });
    let group = QueueGroup {
        model: model.to_owned(),
        priority: Priority::Normal,
        depth: 1,
        oldest_age_secs: 1.0,
    };
    metrics.encode(&Snapshot {
        queue: vec![group],
        running: vec![RunningGroup { model: model.to_owned(), count: 1 }],
        webhooks: Backlog::default(),
        disk: Some(Disk { free_bytes: 1, total_bytes: 2 }),
    })
}

fn shown() -> Table {
    let text = full_scrape();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let labels = |name: &str| {
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name).map(|rest| rest.trim_start_matches("_bucket"));
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        series.flat_map(label_names).filter(|label| label != "le").collect()
    };
    types.map(|(name, kind)| (name.to_owned(), (kind.to_owned(), labels(name)))).collect()
}

/// Those of a line such as `name{a="1",b="2"} 3`, whose values hold no comma.
fn label_names(line: &str) -> Vec<String> {
    let Some((_, rest)) = line.split_once('{') else { return Vec::new() };
    let inner = rest.rsplit_once('}').unwrap().0;
    inner.split(',').map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect()
}

fn in_ticks(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn documented() -> Table {
    let rows = include_str!("../../../docs/metrics.md").lines();
    let rows = rows.filter(|line| line.starts_with("| `reshoot_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 7, "five columns: {row}");
        let name = in_ticks(cells[1]).next().unwrap();
        (name, (cells[2].to_owned(), in_ticks(cells[3]).collect()))
    })
    .collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_there() {
    let (shown, documented) = (shown(), documented());
    assert!(shown.len() >= 20, "{shown:?}");
    assert_eq!(shown, documented);
}

#[test]
fn every_refusal_of_a_submit_is_documented() {
    let text = full_scrape();
    let prefix = "reshoot_submits_total{outcome=\"";
    let words = text.lines().filter_map(|line| line.strip_prefix(prefix)?.split('"').next());
    let shown: BTreeSet<String> =
        words.filter(|word| word.starts_with("refused_")).map(str::to_owned).collect();
    let (_, section) =
        include_str!("../../../docs/metrics.md").split_once("\n## Refused submits").unwrap();
    let documented: BTreeSet<String> =
        in_ticks(section).filter(|word| word.starts_with("refused_")).collect();
    assert_eq!(shown, documented);
}

#[test]
fn every_name_has_the_prefix_and_a_sentence() {
    let text = full_scrape();
    for name in shown().keys() {
        assert!(name.starts_with("reshoot_"), "{name}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
}
