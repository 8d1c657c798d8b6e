//! `POST /v1/models/{model_id…}`
//!
//! Authenticate, find the model, read, validate, keep the bytes of `data:` URIs, insert, answer.
//! No URL of the body is touched. What is answered with 200 is durable: bytes first, then the row.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::{Priority, RequestId};
use http::{HeaderMap, HeaderName};
use store::{NewRequest, Terms};
use wire::{DryRun, ErrorCode, Submitted, path};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::body::{self, Collected, Limits};
use crate::json;
use crate::ops::model::{self, ModelId};
use crate::params::Params;
use crate::refusal::Refusal;

mod keep;
mod prepare;

use keep::keep_and_insert;
use prepare::{Prepared, prepare, show};

const PRIORITY: HeaderName = HeaderName::from_static("x-reshoot-priority");

/// What both kinds of call need once the body is there.
struct Call {
    app: App,
    model: String,
    base: Base,
}

/// The priority header cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the header `X-Reshoot-Priority` has to be high, normal or low, not `{0}`")]
struct BadPriority(String);

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
    let dry_run = params.flag("dry_run")?;
    let priority = priority(request.headers())?;
    json::check_headers(request.headers())?;
    let body = read(&app, request).await?;
    let call = Call { app, model, base };
    if dry_run {
        return Ok(Json(call.forecast(body).await?).into_response());
    }
    Ok(Json(call.keep(caller, priority, body).await?).into_response())
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

fn priority(headers: &HeaderMap) -> Result<Priority, BadPriority> {
    let Some(value) = headers.get(PRIORITY) else { return Ok(Priority::default()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.trim().to_ascii_lowercase().as_str() {
        "high" => Ok(Priority::High),
        "normal" => Ok(Priority::Normal),
        "low" => Ok(Priority::Low),
        other => Err(BadPriority(other.chars().take(64).collect())),
    }
}

// === impl Call ===

impl Call {
    /// Validates and keeps the request.
    async fn keep(
        self,
        caller: Caller,
        priority: Priority,
        body: Collected,
    ) -> Result<Submitted, Refusal> {
        let Self { app, model, base } = self;
        let created_at = app.parts().clock.now();
        let id = RequestId::new(created_at, app.parts().rng.as_ref());
        let prepared = prepare(&app, &model, &base, body.bytes, Some(&id)).await?;
        let Prepared { canonical: input, warnings, kept, .. } = prepared;
        let (owner, key) = (caller.0.owner, caller.0.id);
        let reply = submitted(&id, &base);
        let new = NewRequest {
            id,
            owner,
            key,
            model,
            input,
            warnings,
            priority,
            created_at,
            terms: Terms::default(),
        };
        keep_and_insert(&app, new, kept, body.reserved).await?;
        Ok(reply)
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

impl From<BadPriority> for Refusal {
    fn from(error: BadPriority) -> Self {
        Self::new(ErrorCode::Malformed, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_priority_header() {
        let read = |text| {
            let value = http::HeaderValue::from_static(text);
            priority(&HeaderMap::from_iter([(PRIORITY, value)])).map_err(|error| error.to_string())
        };
        assert_eq!(priority(&HeaderMap::new()).ok(), Some(Priority::Normal));
        assert_eq!(read("High"), Ok(Priority::High));
        assert_eq!(read(" low "), Ok(Priority::Low));
        assert!(read("urgent").unwrap_err().contains("`urgent`"));
    }
}
