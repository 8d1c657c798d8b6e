//! `GET /v1/requests/{id}/status`

use axum::Json;
use axum::extract::State;
use wire::{StatusReply, path};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::lookup::{self, Id, MAX_WAIT_SECS};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::render;

/// Where a request stands, in the words of status; with `wait`, when it has ended or the time is
/// up.
pub(crate) async fn status(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
    params: Params,
) -> Result<Json<StatusReply>, Refusal> {
    let wait = params.number("wait", 0..=MAX_WAIT_SECS)?;
    lookup::ended(&app, &caller, &id, wait).await?;
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
