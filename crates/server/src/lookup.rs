//! Finding a request for whoever asks: unknown, malformed and somebody else's are one answer.

use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams};
use domain::RequestId;
use http::request;
use store::{RequestRow, StatusRow, StoreError};
use tokio::time::{Instant, sleep_until};
use wire::ErrorCode;

use crate::app::App;
use crate::auth::Caller;
use crate::refusal::Refusal;

/// Longest `?wait=`.
pub(crate) const MAX_WAIT_SECS: u64 = 60;

/// The request that the path names.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) RequestId);

/// Why a request is not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("there is no request with this id")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FromRequestParts<App> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| LookupError::NotFound)?;
        let text = params.iter().find(|(name, _)| *name == "request_id").map(|(_, text)| text);
        Ok(Self(text.and_then(|text| text.parse().ok()).ok_or(LookupError::NotFound)?))
    }
}

/// The caller's request, as far as a poll needs it.
pub(crate) async fn status(app: &App, caller: &Caller, id: &Id) -> Result<StatusRow, LookupError> {
    let row = app.store().status(&id.0).await?;
    row.filter(|row| row.owner == caller.0.owner).ok_or(LookupError::NotFound)
}

/// The caller's request, whole.
pub(crate) async fn row(app: &App, caller: &Caller, id: &Id) -> Result<RequestRow, LookupError> {
    let row = app.store().request(&id.0).await?;
    row.filter(|row| row.owner == caller.0.owner).ok_or(LookupError::NotFound)
}

/// Returns when the caller's request has ended, the server stops, or `secs` are over.
pub(crate) async fn ended(
    app: &App,
    caller: &Caller,
    id: &Id,
    secs: Option<u64>,
) -> Result<(), LookupError> {
    let Some(secs) = secs.filter(|secs| *secs > 0) else { return Ok(()) };
    // Whoever may not see it must not be able to watch it either.
    status(app, caller, id).await?;
    let mut changes = app.store().watch(&id.0);
    let end = Instant::now() + Duration::from_secs(secs);
    while !status(app, caller, id).await?.state.is_terminal() {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return Ok(()) },
            () = sleep_until(end) => return Ok(()),
            () = app.draining().cancelled() => return Ok(()),
        }
    }
    Ok(())
}

impl From<LookupError> for Refusal {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::NotFound => Self::new(ErrorCode::ResourceNotFound, error.to_string()),
            LookupError::Store(error) => error.into(),
        }
    }
}
