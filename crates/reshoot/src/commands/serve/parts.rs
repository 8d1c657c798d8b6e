//! What the loops of `serve` are made of.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use artifacts::Artifacts;
use async_trait::async_trait;
use catalog::{Catalog, Overrides};
use egress::Exempt;
use media::Toolchain;
use server::{FileKind, Probe};
use store::Store;
use telemetry::Metrics;
use telemetry::spans::Spans;
use worker::{DeliverParts, Deliverer, Policy, Settings, Upkeep, UpkeepParts, Worker};

use crate::config::Serve;
use crate::machine::{DataDisk, KernelRng, SystemClock, most_connections, open_files};
use crate::planning::Planner;
use crate::wiring;

/// Requests whose inputs are fetched at the same time.
const INTAKES: u32 = 8;

/// Asks whether ffmpeg starts, for `/readyz`.
struct FfmpegProbe(Toolchain);

/// The catalogue; with `--strict-fields`, every model refuses unknown fields.
pub(super) fn catalog(serve: &Serve) -> anyhow::Result<Catalog> {
    let catalog = wiring::catalog(&serve.installation)?;
    if !serve.strict_fields {
        return Ok(catalog);
    }
    let strict =
        |id: &str| (id.to_owned(), Overrides { strict: Some(true), ..Overrides::default() });
    let all = catalog.models().map(|model| strict(model.id())).collect();
    Ok(catalog.with_overrides(&all)?)
}

pub(super) fn server(
    serve: &Serve,
    store: &Arc<dyn Store>,
    artifacts: &Artifacts,
    catalog: &Arc<Catalog>,
    metrics: &Metrics,
    spans: &Spans,
) -> anyhow::Result<server::Parts> {
    let sandbox = serve.installation.require_sandbox;
    let exempt = wiring::exempt(&serve.installation)?;
    let mut probes: Vec<Arc<dyn Probe>> = Vec::new();
    if serve.workers > 0 {
        probes.push(Arc::new(FfmpegProbe(wiring::toolchain(sandbox)?)));
    }
    Ok(server::Parts {
        store: Arc::clone(store),
        artifacts: artifacts.clone(),
        catalog: Arc::clone(catalog),
        clock: Arc::new(SystemClock),
        rng: Arc::new(KernelRng),
        forecast: Arc::new(Planner { engines: wiring::engines(sandbox)? }),
        sniff: Arc::new(sniff),
        urls: Arc::new(move |_: &str, host: &str, port: u16| {
            exempt.iter().any(|exempt: &Exempt| exempt.allows(host, port))
        }),
        webhooks: Arc::new({
            let client = wiring::webhook_client(&serve.allow_webhook_host)?;
            move |url: &str| client.admits(url).map_err(|error| error.to_string())
        }),
        room: Some(Arc::new(DataDisk {
            folder: serve.installation.data.clone(),
            reserve_bytes: serve.disk_reserve_bytes,
        })),
        metrics: metrics.clone(),
        spans: spans.clone(),
        probes,
        config: server::Config {
            public_url: serve.public_url.clone(),
            trusted_proxies: serve.trusted_proxy.clone(),
            drain: Duration::from_secs(serve.drain_secs),
            max_connections: most_connections(open_files()),
            max_queue: serve.max_queue,
            keep_results: serve.kept.results,
            keep_uploads: serve.kept.uploads,
            metrics: serve.metrics_listen.is_none(),
            slots: slots(serve),
            ..server::Config::default()
        },
    })
}

/// How much the workers do at a time.
fn slots(serve: &Serve) -> server::Slots {
    let intakes = if serve.workers > 0 { INTAKES } else { 0 };
    server::Slots { runs: serve.workers, intakes }
}

pub(super) fn worker(
    serve: &Serve,
    store: &Arc<dyn Store>,
    artifacts: &Artifacts,
    catalog: &Arc<Catalog>,
    metrics: &Metrics,
    spans: &Spans,
) -> anyhow::Result<Option<Worker>> {
    if serve.workers == 0 {
        return Ok(None);
    }
    let installation = &serve.installation;
    let scratch = installation.data.join("scratch");
    // What an earlier run left behind; the lock on the data folder says that it is gone.
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).context("no scratch folder")?;
    let parts = worker::Parts {
        store: Arc::clone(store),
        artifacts: artifacts.clone(),
        catalog: Arc::clone(catalog),
        intake: wiring::intake(installation, artifacts.clone())?,
        default_engine: wiring::DEFAULT_ENGINE.to_owned(),
        launcher: wiring::launcher(installation.require_sandbox)?,
        scratch: std::path::absolute(scratch)?,
        clock: Arc::new(SystemClock),
        rng: Arc::new(KernelRng),
        metrics: metrics.clone(),
        spans: spans.clone(),
    };
    let settings = Settings {
        runs: serve.workers as usize,
        intakes: INTAKES as usize,
        drain: Duration::from_secs(serve.drain_secs),
    };
    Ok(Some(Worker::new(parts, settings)))
}

/// What posts to webhooks.
pub(super) fn deliverer(
    serve: &Serve,
    store: &Arc<dyn Store>,
    metrics: &Metrics,
    spans: &Spans,
) -> anyhow::Result<Deliverer> {
    Ok(Deliverer::new(DeliverParts {
        store: Arc::clone(store),
        client: wiring::webhook_client(&serve.allow_webhook_host)?,
        render: Arc::new(server::webhook_payload),
        clock: Arc::new(SystemClock),
        rng: Arc::new(KernelRng),
        metrics: metrics.clone(),
        spans: spans.clone(),
    }))
}

/// What ends what has run out, and removes what is old.
pub(super) fn upkeep(
    serve: &Serve,
    store: &Arc<dyn Store>,
    artifacts: &Artifacts,
    metrics: &Metrics,
) -> Upkeep {
    let kept = serve.kept;
    Upkeep::new(UpkeepParts {
        store: Arc::clone(store),
        artifacts: artifacts.clone(),
        clock: Arc::new(SystemClock),
        policy: Policy { results: kept.results, inputs: kept.inputs, uploads: kept.uploads },
        metrics: metrics.clone(),
    })
}

fn sniff(head: &[u8]) -> Option<FileKind> {
    Some(match media::sniff(head)? {
        media::FileKind::Mp4 => FileKind::Mp4,
        media::FileKind::Mov => FileKind::Mov,
        media::FileKind::Jpeg => FileKind::Jpeg,
        media::FileKind::Png => FileKind::Png,
        media::FileKind::Webp => FileKind::Webp,
        media::FileKind::Other(_) => return None,
    })
}

#[async_trait]
impl Probe for FfmpegProbe {
    fn name(&self) -> &'static str {
        "ffmpeg"
    }

    async fn check(&self) -> Result<(), String> {
        let tools = self.0.clone();
        let check = tokio::task::spawn_blocking(move || tools.check()).await;
        match check {
            Ok(check) if check.ffmpeg.is_ok() && check.ffprobe.is_ok() => Ok(()),
            _ => Err("ffmpeg does not start; `reshoot doctor` says more".to_owned()),
        }
    }
}
