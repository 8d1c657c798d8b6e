//! `reshoot serve`: the API and workers, in one process.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use catalog::{Catalog, Model};
use domain::Clock;
use domain::key::KeyRole;
use server::App;
use store::Store;
use store_sqlite::OpenMode;
use telemetry::Metrics;
use telemetry::spans::Spans;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use worker::Leftovers;

use crate::cli::ServeArgs;
use crate::commands::{keys, print_line, runtime};
use crate::config::{self, Serve};
use crate::exit::{Coded, UNAVAILABLE};
use crate::machine::{SystemClock, told_to_stop};
use crate::traces::Traces;
use crate::{log, wiring};

mod parts;

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let serve = config::serve(args)?;
    log::start();
    let traces = Traces::set_up()?;
    let ended = runtime()?.block_on(up(serve, traces.spans()));
    traces.end();
    log::flush();
    ended?;
    Ok(ExitCode::SUCCESS)
}

async fn up(serve: Serve, spans: Spans) -> anyhow::Result<()> {
    let store: Arc<dyn Store> = Arc::new(wiring::store(&serve.installation, OpenMode::Serve)?);
    let artifacts = wiring::artifacts(&serve.installation.data)?;
    let catalog = Arc::new(parts::catalog(&serve)?);
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
    let app = App::new(parts::server(&serve, &store, &artifacts, &catalog, &metrics, &spans)?);
    let scraped = metrics_listener(&serve).await?;
    let worker = parts::worker(&serve, &store, &artifacts, &catalog, &metrics, &spans)?;
    let deliverer = parts::deliverer(&serve, &store, &metrics, &spans)?;
    let upkeep = parts::upkeep(&serve, &store, &artifacts, &metrics);
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
        first_key(store.as_ref(), &catalog, &app, address).await?;
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
    let keeping = async {
        tokio::join!(deliverer.run(stop.clone()), upkeep.run(stop.clone()));
    };
    let (answered, scraped, (), (), told, _) =
        tokio::join!(answering, scraping, working, keeping, telling, collecting);
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

/// On an empty installation: a key, a link for whoever sits at this machine, and a call to try the
/// key with.
async fn first_key(
    store: &dyn Store,
    catalog: &Catalog,
    app: &App,
    address: SocketAddr,
) -> anyhow::Result<()> {
    if !store.keys(None).await?.is_empty() {
        return Ok(());
    }
    let secret = keys::create(store, "first", None, KeyRole::Admin).await?;
    let key = secret.expose();
    print_line(&format!("this installation is new; its first key, shown once: {key}"))?;
    let first = store.keys(None).await?.into_iter().next().filter(|_| address.ip().is_loopback());
    if let Some(code) = first.and_then(|first| app.offer_sign_in(first.owner)) {
        print_line(&format!(
            "open the pages, signed in, with this link (good once, for one hour): \
             http://{address}/sign-in#{code}"
        ))?;
    }
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
