//! `POST`, `DELETE /v1/requests/{id}/share`

use axum::Json;
use axum::extract::State;
use domain::ShareToken;
use http::StatusCode;
use store::StoreError;
use store::sharing::Link;
use wire::{ErrorCode, Shared, path};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::lookup::{Id, LookupError};
use crate::refusal::Refusal;

/// Why a request is not shared.
#[derive(Debug, thiserror::Error)]
enum ShareError {
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error("this request has no result to share: only one that succeeded has")]
    NoResult,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a link that shows the result without a key; the one that stands, if there is one.
pub(crate) async fn share(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
) -> Result<Json<Shared>, Refusal> {
    let token = shared(&app, &caller, &id).await?;
    Ok(Json(Shared { url: url(&token, &base) }))
}

/// Takes the link back; there may have been none.
pub(crate) async fn unshare(
    State(app): State<App>,
    caller: Caller,
    id: Id,
) -> Result<StatusCode, Refusal> {
    if !app.store().unshare(&caller.0.owner, &id.0).await? {
        return Err(LookupError::NotFound.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The link of a token.
pub(crate) fn url(token: &ShareToken, base: &Base) -> String {
    base.url(&path::share_page(token.as_str()))
}

async fn shared(app: &App, caller: &Caller, id: &Id) -> Result<ShareToken, ShareError> {
    let fresh = ShareToken::new(app.parts().rng.as_ref());
    match app.store().share(&caller.0.owner, &id.0, &fresh).await? {
        Link::Stands(token) => Ok(token),
        Link::NotFound => Err(LookupError::NotFound.into()),
        Link::NoResult => Err(ShareError::NoResult),
    }
}

impl From<ShareError> for Refusal {
    fn from(error: ShareError) -> Self {
        match error {
            ShareError::Lookup(error) => error.into(),
            ShareError::Store(error) => error.into(),
            ShareError::NoResult => Self::new(ErrorCode::Conflict, error.to_string()),
        }
    }
}
