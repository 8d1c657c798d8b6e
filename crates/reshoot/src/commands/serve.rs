//! `reshoot serve`: the API and workers, in one process.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use artifacts::Artifacts;
use async_trait::async_trait;
use catalog::{Catalog, Model, Overrides};
use domain::Clock;
use domain::key::KeyRole;
use egress::Exempt;
use media::Toolchain;
use server::{App, FileKind, Probe};
use store::Store;
use store_sqlite::OpenMode;
use telemetry::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use worker::{Leftovers, Settings, Worker};

use crate::cli::ServeArgs;
use crate::commands::{keys, print_line, runtime};
use crate::config::{self, Serve};
use crate::exit::{Coded, UNAVAILABLE};
use crate::machine::{DataDisk, KernelRng, SystemClock, told_to_stop};
use crate::planning::Planner;
use crate::wiring;

/// Requests whose inputs are fetched at the same time.
const INTAKES: usize = 8;

/// Asks whether ffmpeg starts, for `/readyz`.
struct FfmpegProbe(Toolchain);

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let serve = config::serve(args)?;
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("RESHOOT_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    runtime()?.block_on(up(serve))?;
    Ok(ExitCode::SUCCESS)
}

async fn up(serve: Serve) -> anyhow::Result<()> {
    let store: Arc<dyn Store> = Arc::new(wiring::store(&serve.installation, OpenMode::Serve)?);
    let artifacts = wiring::artifacts(&serve.installation.data)?;
    let catalog = Arc::new(catalog(&serve)?);
    let lost = store.void_leases(SystemClock.now()).await?;
    if lost > 0 {
        tracing::info!(lost, "work of an earlier run goes back to the queue");
    }
    let leftovers = Leftovers::list(&artifacts).await?;
    let listener = TcpListener::bind(serve.listen).await.map_err(|e| {
        Coded::new(UNAVAILABLE, format!("cannot listen on {}: {e}; use --listen", serve.listen))
    })?;
    let address = listener.local_addr().context("no local address")?;
    let metrics = Metrics::new(server::paths());
    let app = App::new(server_parts(&serve, &store, &artifacts, &catalog, &metrics)?);
    let scraped = metrics_listener(&serve).await?;
    let worker = worker(&serve, &store, &artifacts, &catalog)?;
    let stop = CancellationToken::new();
    let scraping = async {
        match scraped {
            Some(listener) => server::serve_metrics(listener, app.clone(), stop.clone()).await,
            None => Ok(()),
        }
    };
    let answering = server::serve(listener, app.clone(), stop.clone());
    let working = async {
        match worker {
            Some(worker) => worker.run(stop.clone()).await,
            None => stop.cancelled().await,
        }
    };
    let telling = async {
        print_line(&format!("listening on http://{address}"))?;
        first_key(store.as_ref(), &catalog, address).await?;
        told_to_stop().await?;
        tracing::info!("stopping: no new work is taken");
        stop.cancel();
        anyhow::Ok(())
    };
    let collecting = stop.run_until_cancelled(async {
        match leftovers.collect(store.as_ref(), &artifacts).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "files that nothing names are removed"),
            Err(error) => tracing::warn!(%error, "leftovers of an earlier run stay on disk"),
        }
    });
    let (answered, scraped, (), told, _) =
        tokio::join!(answering, scraping, working, telling, collecting);
    told?;
    scraped.context("the listener of the metrics failed")?;
    answered.context("the listener failed")
}

async fn metrics_listener(serve: &Serve) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = serve.metrics_listen else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|e| {
        Coded::new(UNAVAILABLE, format!("cannot listen on {address}: {e}; use --metrics-listen"))
    })?;
    tracing::info!(address = %listener.local_addr()?, "metrics are answered here");
    Ok(Some(listener))
}

/// The catalogue; with `--strict-fields`, every model refuses unknown fields.
fn catalog(serve: &Serve) -> anyhow::Result<Catalog> {
    let catalog = wiring::catalog(&serve.installation)?;
    if !serve.strict_fields {
        return Ok(catalog);
    }
    let strict =
        |id: &str| (id.to_owned(), Overrides { strict: Some(true), ..Overrides::default() });
    let all = catalog.models().map(|model| strict(model.id())).collect();
    Ok(catalog.with_overrides(&all)?)
}

fn server_parts(
    serve: &Serve,
    store: &Arc<dyn Store>,
    artifacts: &Artifacts,
    catalog: &Arc<Catalog>,
    metrics: &Metrics,
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
        probes,
        config: server::Config {
            public_url: serve.public_url.clone(),
            trusted_proxies: serve.trusted_proxy.clone(),
            drain: Duration::from_secs(serve.drain_secs),
            max_queue: serve.max_queue,
            keep_results: serve.kept.results,
            keep_uploads: serve.kept.uploads,
            metrics: serve.metrics_listen.is_none(),
            ..server::Config::default()
        },
    })
}

fn worker(
    serve: &Serve,
    store: &Arc<dyn Store>,
    artifacts: &Artifacts,
    catalog: &Arc<Catalog>,
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
    };
    let settings = Settings {
        runs: serve.workers as usize,
        intakes: INTAKES,
        drain: Duration::from_secs(serve.drain_secs),
    };
    Ok(Some(Worker::new(parts, settings)))
}

/// On an empty installation: a key, and a call to try it with.
async fn first_key(
    store: &dyn Store,
    catalog: &Catalog,
    address: SocketAddr,
) -> anyhow::Result<()> {
    if !store.keys(None).await?.is_empty() {
        return Ok(());
    }
    let secret = keys::create(store, "first", None, KeyRole::Admin).await?;
    let key = secret.expose();
    print_line(&format!("this installation is new; its first key, shown once: {key}"))?;
    let authorization = format!("--header 'Authorization: Bearer {key}'");
    let example = |model: &Model| Some((model.id().to_owned(), model.example()?.to_string()));
    if let Some((id, body)) = catalog.models().find_map(example) {
        // In a shell, a quote inside quotes ends them, stands alone and opens them again.
        let body = body.replace('\'', r"'\''");
        print_line("try it with the model's own example, whose files come from the internet:")?;
        print_line(&format!(
            "  curl {authorization} --header 'Content-Type: application/json' --data '{body}' \
             http://{address}/v1/models/{id}"
        ))?;
    }
    print_line("a file of yours gets a URL to use in its place with:")?;
    print_line(&format!(
        "  curl {authorization} --header 'Content-Type: video/mp4' --data-binary @clip.mp4 \
         http://{address}/v1/files"
    ))
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
