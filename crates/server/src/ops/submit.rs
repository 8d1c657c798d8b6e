//! `POST /v1/models/{model_id…}`
//!
//! Authenticate, find the model, read, validate, keep the bytes of `data:` URIs, insert, answer.
//! No URL of the body is touched. What is answered with 200 is durable: bytes first, then the row.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::key::KeyRecord;
use domain::{RequestId, Timestamp};
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};
use store::row::{Hook, Once};
use store::{NewRequest, StoreError, Terms};
use telemetry::Submit;
use wire::{DryRun, ErrorCode, Submitted, path};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::body::{self, Collected, Limits};
use crate::call_span::Subject;
use crate::door::{self, Ticket};
use crate::json;
use crate::ops::model::{self, ModelId};
use crate::params::Params;
use crate::refusal::Refusal;

mod asked;
mod keep;
mod prepare;

use asked::Asked;
use keep::{Inserting, keep_and_insert};
use prepare::{Prepared, fingerprint, prepare, show, uses};

/// Says that the answer is the first one's.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What both kinds of call need once the body is there.
struct Call {
    app: App,
    model: String,
    base: Base,
}

/// What an idempotency key stands in the way of.
#[derive(Debug, thiserror::Error)]
pub(super) enum OnceError {
    #[error(
        "a request with this `Idempotency-Key` is being taken: send it again with the same key"
    )]
    InFlight,
    #[error(
        "this `Idempotency-Key` was used for another body within the last 24 h: use a new key for a new request"
    )]
    Reused,
}

/// The answer of a submit: a new request, or the one that was made before.
struct Taken {
    id: RequestId,
    replayed: bool,
}

/// Takes a request, or tells with `?dry_run=true` what would become of it.
pub(crate) async fn submit(
    State(app): State<App>,
    caller: Caller,
    ModelId(model): ModelId,
    base: Base,
    params: Params,
    request: Request,
) -> Result<Response, Refusal> {
    model::find(&app.parts().catalog, &model)?;
    let asked = Asked::read(&app, request.headers(), &params)?;
    json::check_headers(request.headers())?;
    if asked.dry_run {
        let body = read(&app, request).await?;
        return Ok(Json(Call { app, model, base }.forecast(body).await?).into_response());
    }
    let metrics = app.parts().metrics.clone();
    let answer = Call { app, model, base }.submit(caller.0, asked, request).await;
    metrics.submit(match &answer {
        Ok((_, false)) => Submit::Accepted,
        Ok((_, true)) => Submit::Replayed,
        Err(refusal) => Submit::Refused { status: refusal.status().as_u16() },
    });
    let (reply, replayed) = answer?;
    let subject = Subject(reply.request_id.clone());
    let mut response = Json(reply).into_response();
    response.extensions_mut().insert(subject);
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

async fn read(app: &App, request: Request) -> Result<Collected, body::BodyError> {
    let config = app.config();
    let limits = Limits {
        bytes: u64::from(config.max_body_bytes),
        idle: config.body_idle,
        total: config.body_total,
    };
    let (parts, body) = request.into_parts();
    body::collect(app.budget(), &parts.headers, body, limits).await
}

// === impl Call ===

impl Call {
    /// The reply, and whether it is that of an earlier call.
    async fn submit(
        self,
        key: KeyRecord,
        asked: Asked,
        request: Request,
    ) -> Result<(Submitted, bool), Refusal> {
        let ticket = self.enter(&key, &asked)?;
        // A repetition is answered whatever the limits say.
        if ticket.is_none() {
            door::admit_submit(&self.app, &key)?;
        }
        let body = read(&self.app, request).await?;
        let once = self.once(&asked, &body).await?;
        if let Some(once) = &once {
            let now = self.app.parts().clock.now();
            let known = self.app.store().replayed(&key.owner, once, now).await;
            if let Some(id) = known.map_err(refused)? {
                return Ok((submitted(&id, &self.base), true));
            }
            door::admit_submit(&self.app, &key)?;
        }
        let base = self.base.clone();
        let taken = self.keep(key, asked, once, ticket, body).await?;
        Ok((submitted(&taken.id, &base), taken.replayed))
    }

    fn enter(&self, key: &KeyRecord, asked: &Asked) -> Result<Option<Ticket>, OnceError> {
        let Some(once) = &asked.once else { return Ok(None) };
        let taken = (key.owner.clone(), path::model(&self.model), once.clone());
        self.app.door().enter(taken).map(Some).ok_or(OnceError::InFlight)
    }

    async fn once(&self, asked: &Asked, body: &Collected) -> Result<Option<Once>, Refusal> {
        let Some(key) = asked.once.clone() else { return Ok(None) };
        let body = fingerprint(&body.bytes).await?;
        Ok(Some(Once { key, path: path::model(&self.model), body }))
    }

    /// Validates and keeps the request.
    async fn keep(
        self,
        caller: KeyRecord,
        asked: Asked,
        once: Option<Once>,
        ticket: Option<Ticket>,
        body: Collected,
    ) -> Result<Taken, Refusal> {
        let Self { app, model, base } = self;
        let created_at = app.parts().clock.now();
        let id = RequestId::new(created_at, app.parts().rng.as_ref());
        let bytes = body.bytes.len() as u64;
        let prepared = prepare(&app, &model, &base, body.bytes, Some(&id)).await?;
        door::count_submit(&app, &caller)?;
        let price = model::find(&app.parts().catalog, &model)?.price(prepared.inputs.length_secs);
        let uses = uses(&app, &caller.owner, &prepared.inputs).await?;
        let Prepared { canonical: input, warnings, kept, .. } = prepared;
        let limits = door::limits(&caller);
        let max_queue = app.config().max_queue;
        let webhook = asked.webhook.map(|hook| Hook {
            url: hook.url,
            intermediate: hook.intermediate,
            base: base.0.clone(),
        });
        let deadline = asked.deadline_secs.map(|secs| Timestamp::plus_secs(created_at, secs));
        let terms = Terms { price, deadline, webhook, uses, once, limits, max_queue, bytes };
        let (owner, key, priority) = (caller.owner, caller.id, asked.priority);
        let new =
            NewRequest { id, owner, key, model, input, warnings, priority, created_at, terms };
        let inserting = Inserting { kept, reserved: body.reserved, ticket };
        let inserted = keep_and_insert(&app, new, inserting).await?;
        Ok(Taken { id: inserted.status.id, replayed: inserted.replayed })
    }

    /// Validates, and tells what would be made.
    async fn forecast(self, body: Collected) -> Result<DryRun, Refusal> {
        let Self { app, model: model_id, base } = self;
        let prepared = prepare(&app, &model_id, &base, body.bytes, None).await?;
        let model = model::find(&app.parts().catalog, &model_id)?;
        let forecast = app.parts().forecast.forecast(model, &prepared.inputs, None);
        Ok(DryRun {
            dry_run: true,
            cost: model.price(prepared.inputs.length_secs).usd(),
            model_id,
            input: show(prepared.canonical, &prepared.inputs),
            plan: forecast.plan,
            engine: forecast.engine,
            unmet: forecast.unmet,
            provisional: forecast.provisional,
            warnings: prepared.warnings,
        })
    }
}

fn submitted(id: &RequestId, base: &Base) -> Submitted {
    let id = id.as_str();
    Submitted {
        request_id: id.to_owned(),
        status_url: base.url(&path::status(id)),
        result_url: base.url(&path::result(id)),
        cancel_url: base.url(&path::cancel(id)),
    }
}

/// A store's refusal of an insert, in the words of submit.
fn refused(error: StoreError) -> Refusal {
    match error {
        StoreError::Reused => OnceError::Reused.into(),
        StoreError::Refused(refused) => refused.into(),
        other => other.into(),
    }
}

impl From<OnceError> for Refusal {
    fn from(error: OnceError) -> Self {
        match error {
            OnceError::InFlight => Self::new(ErrorCode::Conflict, error.to_string())
                .with(RETRY_AFTER, HeaderValue::from_static("1")),
            OnceError::Reused => Self::new(ErrorCode::Validation, error.to_string()),
        }
    }
}
