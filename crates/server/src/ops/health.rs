//! `GET /healthz`

use axum::Json;
use wire::{Health, HealthWord};

/// The process lives. Asks nothing of anybody: a full disk is no reason to be restarted.
pub(crate) async fn health() -> Json<Health> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Json(Health { status: HealthWord::Ok, version })
}
