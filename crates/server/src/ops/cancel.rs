//! `POST /v1/requests/{id}/cancel`

use axum::Json;
use axum::extract::State;
use domain::State as Stand;
use http::StatusCode;
use wire::{CancelReply, Outcome};

use crate::app::App;
use crate::auth::Caller;
use crate::lookup::{self, Id, LookupError};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::render;

/// Cancels queued work, and running work with `force`. 202 in every state, as often as it is
/// repeated; `outcome` tells whether the request is cancelled.
pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    params: Params,
) -> Result<(StatusCode, Json<CancelReply>), Refusal> {
    let force = params.flag("force")?;
    lookup::status(&app, &caller, &id).await?;
    let now = app.parts().clock.now();
    let after = app.store().cancel(&id.0, force, now).await?.ok_or(LookupError::NotFound)?;
    if after.changed {
        app.parts().metrics.finished(&after.model, after.state);
    }
    let reply = CancelReply {
        request_id: id.0.to_string(),
        status: render::word(after.state).status(),
        outcome: match after.state {
            Stand::Cancelled => Outcome::Cancelled,
            _ => Outcome::NotCancellable,
        },
    };
    Ok((StatusCode::ACCEPTED, Json(reply)))
}
