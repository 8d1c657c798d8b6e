//! `GET /v1/requests/{id}/result`

use axum::Json;
use axum::extract::State;
use wire::ResultReply;

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::lookup::{self, Id};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::render;

/// What came out, or where the request stands, in the words of result.
pub(crate) async fn result(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
    params: Params,
) -> Result<Json<ResultReply>, Refusal> {
    let include_cost = params.flag("include_cost")?;
    let row = lookup::row(&app, &caller, &id).await?;
    Ok(Json(ResultReply {
        request_id: row.id.to_string(),
        status: render::word(row.state),
        model_id: row.model.clone(),
        output: render::output(&row, &base),
        error: row.body.failure.as_ref().map(render::run_error),
        created_at: Some(row.created_at.to_string()),
        finished_at: row.finished_at.map(|at| at.to_string()),
        cost: include_cost.then(|| render::cost(&row)),
    }))
}
