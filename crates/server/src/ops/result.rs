//! `GET /v1/requests/{id}/result`

use axum::Json;
use axum::extract::State;
use wire::ResultReply;

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::lookup::{self, Id, MAX_WAIT_SECS};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::render;

/// What came out, or where the request stands, in the words of result; with `wait`, when it has
/// ended or the time is up.
pub(crate) async fn result(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
    params: Params,
) -> Result<Json<ResultReply>, Refusal> {
    let include_cost = params.flag("include_cost")?;
    let wait = params.number("wait", 0..=MAX_WAIT_SECS)?;
    lookup::ended(&app, &caller, &id, wait).await?;
    let row = lookup::row(&app, &caller, &id).await?;
    let cost = include_cost.then(|| render::cost(&row));
    Ok(Json(ResultReply { cost, ..render::result(&row, &base) }))
}
