//! `GET /metrics`

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::key::KeyRole;
use http::header::CONTENT_TYPE;
use http::request;
use store::{Store, StoreError};
use telemetry::{Backlog, Disk, QueueGroup, RunningGroup, Snapshot};
use wire::ErrorCode;

use crate::app::App;
use crate::auth::Caller;
use crate::base::Peer;
use crate::hooks::Room;
use crate::refusal::Refusal;

/// Whoever may look: an admin, or somebody on this machine.
pub(crate) struct Viewer;

/// What is counted, for Prometheus.
pub(crate) async fn metrics(State(app): State<App>, _viewer: Viewer) -> Result<Response, Refusal> {
    let text = text(&app).await?;
    Ok(([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], text).into_response())
}

/// The same without a key, for a listener of its own.
pub(crate) async fn on_its_own(State(app): State<App>) -> Result<Response, Refusal> {
    Ok(([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], text(&app).await?).into_response())
}

/// Everything that is counted, and the gauges as they are now.
async fn text(app: &App) -> Result<String, StoreError> {
    let parts = app.parts();
    let snapshot = snapshot(app.store(), parts.room.as_deref(), parts.clock.now()).await?;
    Ok(parts.metrics.encode(&snapshot))
}

/// The gauges as they are now.
pub(super) async fn snapshot(
    store: &dyn Store,
    room: Option<&dyn Room>,
    now: Timestamp,
) -> Result<Snapshot, StoreError> {
    let survey = store.survey().await?;
    let backlog = store.backlog().await?;
    let age =
        |at: Option<Timestamp>| at.map_or(0.0, |at| now.millis_since(at).max(0) as f64 / 1000.0);
    let group = |group: store::accounts::Waiting| QueueGroup {
        model: group.model,
        priority: group.priority,
        depth: group.depth,
        oldest_age_secs: age(group.oldest),
    };
    let disk = room.and_then(Room::bytes);
    Ok(Snapshot {
        queue: survey.waiting.into_iter().map(group).collect(),
        running: survey
            .running
            .into_iter()
            .map(|(model, count)| RunningGroup { model, count })
            .collect(),
        webhooks: Backlog { pending: backlog.pending, oldest_age_secs: age(backlog.oldest) },
        disk: disk.map(|(free_bytes, total_bytes)| Disk { free_bytes, total_bytes }),
    })
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        if !app.config().metrics {
            let message = "metrics are answered at another address, see --metrics-listen";
            return Err(Refusal::new(ErrorCode::ResourceNotFound, message));
        }
        // A proxy on this machine would make everybody local: where one is trusted, a key counts.
        let local = app.config().trusted_proxies.is_empty()
            && parts.extensions.get::<Peer>().is_some_and(|peer| peer.remote.ip().is_loopback());
        if local {
            return Ok(Self);
        }
        let Caller(key) = Caller::from_request_parts(parts, app).await?;
        if key.role == KeyRole::Admin {
            return Ok(Self);
        }
        Err(Refusal::new(ErrorCode::PermissionDenied, "metrics take a key of role admin"))
    }
}
