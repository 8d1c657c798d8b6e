//! `GET /readyz`

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use domain::Timestamp;
use futures_util::future::join_all;
use http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::timeout;
use wire::{Check, HealthWord, Ready};

use crate::app::App;

/// What was found when somebody last looked. The call needs no key and the checks write to disk:
/// however often it is asked, they run once in [`FRESH_MILLIS`].
#[derive(Debug, Default)]
pub(crate) struct LastLook(Mutex<Option<(Timestamp, Ready)>>);

const FRESH_MILLIS: i64 = 1000;

/// Whether the server can take work: 200, or 503 and the reasons.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Ready>) {
    let ready = look(&app).await;
    let status = match ready.status {
        HealthWord::Ok => StatusCode::OK,
        HealthWord::Draining | HealthWord::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(ready))
}

/// What is found, by a look that is no older than a second.
pub(super) async fn look(app: &App) -> Ready {
    let mut last = app.last_look().0.lock().await;
    let now = app.parts().clock.now();
    match last.as_ref() {
        Some((at, found)) if (0..FRESH_MILLIS).contains(&now.millis_since(*at)) => found.clone(),
        _ => last.insert((now, look_again(app).await)).1.clone(),
    }
}

async fn look_again(app: &App) -> Ready {
    let store = async {
        app.store().check().await.map_err(|error| {
            tracing::warn!(%error, "the store is not ready");
            "cannot be read and written, the server's log says why".to_owned()
        })
    };
    let artifacts = async {
        app.parts().artifacts.check().await.map_err(|error| {
            tracing::warn!(%error, "the file store is not ready");
            "files cannot be written and read, the server's log says why".to_owned()
        })
    };
    // Side by side: the slowest one is the time of all.
    let limit = app.config().check_timeout;
    let probes = app.parts().probes.iter().map(|probe| check(probe.name(), limit, probe.check()));
    let (store, artifacts, probes) = tokio::join!(
        check("store", limit, store),
        check("artifacts", limit, artifacts),
        join_all(probes)
    );
    let checks = [serving(app), store, artifacts].into_iter().chain(disk(app)).chain(probes);
    Ready::of(checks.collect())
}

fn serving(app: &App) -> Check {
    let status = if app.is_draining() { HealthWord::Draining } else { HealthWord::Ok };
    Check { name: "server".to_owned(), status, message: None }
}

/// Whether the disk has the room that is to be kept free: below it, no work is taken.
fn disk(app: &App) -> Option<Check> {
    let room = app.parts().room.as_ref()?;
    let (status, message) = if room.has_room() {
        (HealthWord::Ok, None)
    } else {
        (HealthWord::Failing, Some("too little is free, new work is refused".to_owned()))
    };
    Some(Check { name: "disk".to_owned(), status, message })
}

async fn check(
    name: &str,
    limit: Duration,
    outcome: impl Future<Output = Result<(), String>>,
) -> Check {
    let outcome = timeout(limit, outcome).await.unwrap_or_else(|_| {
        tracing::warn!(name, "a check of readiness hangs");
        Err(format!("no answer within {} ms", limit.as_millis()))
    });
    let status = if outcome.is_ok() { HealthWord::Ok } else { HealthWord::Failing };
    Check { name: name.to_owned(), status, message: outcome.err() }
}
