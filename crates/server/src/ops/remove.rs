//! `DELETE /v1/requests/{id}`

use axum::extract::State;
use http::StatusCode;
use store::StoreError;
use store::retention::Removal;
use wire::ErrorCode;

use crate::app::App;
use crate::auth::Caller;
use crate::lookup::{Id, LookupError};
use crate::refusal::Refusal;

/// Why a request is not removed.
#[derive(Debug, thiserror::Error)]
enum RemoveError {
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error("this request has not ended: cancel it first")]
    Open,
    #[error(
        "a file of this request is an input of another one that has not ended: wait for that, or cancel it"
    )]
    InUse,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Removes a request that has ended, with its record, files and deliveries. What it cost stays
/// in the usage.
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    id: Id,
) -> Result<StatusCode, Refusal> {
    Ok(removed(&app, &caller, &id).await?)
}

async fn removed(app: &App, caller: &Caller, id: &Id) -> Result<StatusCode, RemoveError> {
    match app.store().remove(&caller.0.owner, &id.0).await? {
        Removal::Done => Ok(StatusCode::NO_CONTENT),
        Removal::NotFound => Err(LookupError::NotFound.into()),
        Removal::Open => Err(RemoveError::Open),
        Removal::InUse => Err(RemoveError::InUse),
    }
}

impl From<RemoveError> for Refusal {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Lookup(error) => error.into(),
            RemoveError::Store(error) => error.into(),
            RemoveError::Open | RemoveError::InUse => {
                Self::new(ErrorCode::Conflict, error.to_string())
            }
        }
    }
}
