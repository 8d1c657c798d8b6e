//! `GET /v1/webhooks/secret`, `POST …/rotate`; `GET /v1/webhooks/deliveries`, `POST …/{id}/replay`

use axum::Json;
use axum::extract::{RawPathParams, State};
use domain::WebhookSecret;
use domain::fault::public_text;
use http::StatusCode;
use store::outbox::DeliveryListing;
use wire::{Delivery, DeliveryList, ErrorCode, WebhookSecrets};

use crate::app::App;
use crate::auth::Caller;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::render;

/// Both secrets sign for so long after a rotation.
const OVERLAP_SECS: i64 = 24 * 3600;
const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;

/// There is no such delivery.
#[derive(Debug, thiserror::Error)]
#[error("there is no delivery with this id")]
struct NoDelivery;

/// The secrets that sign the owner's messages; made at the first question.
pub(crate) async fn secret(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<WebhookSecrets>, Refusal> {
    Ok(Json(secrets(&app, &caller).await?))
}

/// Makes a new secret; the old one signs along for a day.
pub(crate) async fn rotate(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<WebhookSecrets>, Refusal> {
    secrets(&app, &caller).await?;
    let fresh = WebhookSecret::new(app.parts().rng.as_ref()).expose();
    let now = app.parts().clock.now();
    let until = now.plus_secs(OVERLAP_SECS);
    app.store().rotate_secret(&caller.0.owner, &fresh, now, until).await?;
    Ok(Json(secrets(&app, &caller).await?))
}

/// What was sent to the owner's webhooks, newest first.
pub(crate) async fn deliveries(
    State(app): State<App>,
    caller: Caller,
    params: Params,
) -> Result<Json<DeliveryList>, Refusal> {
    let limit = params.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT) as u32;
    let listing = DeliveryListing {
        owner: caller.0.owner,
        request: params.text("request_id").and_then(|text| text.parse().ok()),
        before: params.text("cursor").map(str::to_owned),
        // One more than is shown tells whether there is another page.
        limit: limit + 1,
    };
    if params.text("request_id").is_some() && listing.request.is_none() {
        return Ok(Json(DeliveryList { deliveries: Vec::new(), next_cursor: None }));
    }
    let mut found = app.store().deliveries(listing).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Json(DeliveryList { deliveries: found.into_iter().map(show).collect(), next_cursor }))
}

/// Makes a delivery due now, whatever became of it.
pub(crate) async fn replay(
    State(app): State<App>,
    caller: Caller,
    params: RawPathParams,
) -> Result<(StatusCode, Json<Delivery>), Refusal> {
    let id = params.iter().find(|(name, _)| *name == "delivery_id").map_or("", |(_, text)| text);
    let now = app.parts().clock.now();
    let found = app.store().replay_delivery(&caller.0.owner, id, now).await?;
    Ok((StatusCode::ACCEPTED, Json(show(found.ok_or(NoDelivery)?))))
}

async fn secrets(app: &App, caller: &Caller) -> Result<WebhookSecrets, Refusal> {
    let fresh = WebhookSecret::new(app.parts().rng.as_ref()).expose();
    let now = app.parts().clock.now();
    let mut found = app.store().secrets(&caller.0.owner, &fresh, now).await?.into_iter();
    Ok(WebhookSecrets { secret: found.next().unwrap_or_default(), previous: found.collect() })
}

fn show(delivery: store::outbox::Delivery) -> Delivery {
    Delivery {
        id: delivery.id,
        request_id: delivery.request.to_string(),
        event: render::word(delivery.event).as_str().to_owned(),
        url: public_text(&delivery.url),
        state: delivery.standing.as_str().to_owned(),
        attempts: delivery.attempts,
        created_at: delivery.created_at.to_string(),
        next_attempt_at: delivery.next_at.map(|at| at.to_string()),
        finished_at: delivery.finished_at.map(|at| at.to_string()),
        last_status: delivery.last_status,
        last_error: delivery.last_error,
    }
}

impl From<NoDelivery> for Refusal {
    fn from(error: NoDelivery) -> Self {
        Self::new(ErrorCode::ResourceNotFound, error.to_string())
    }
}
