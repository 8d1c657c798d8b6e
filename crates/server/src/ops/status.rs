//! `GET /v1/requests/{id}/status`

use axum::Json;
use axum::extract::State;
use wire::{StatusReply, path};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::lookup::{self, Id};
use crate::refusal::Refusal;
use crate::render;

/// Where a request stands, in the words of status.
pub(crate) async fn status(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
) -> Result<Json<StatusReply>, Refusal> {
    let row = lookup::status(&app, &caller, &id).await?;
    let id = row.id.as_str();
    Ok(Json(StatusReply {
        request_id: id.to_owned(),
        status: render::word(row.state).status(),
        queue_position: row.position.filter(|_| row.state.is_queued()),
        status_url: base.url(&path::status(id)),
        result_url: base.url(&path::result(id)),
    }))
}
