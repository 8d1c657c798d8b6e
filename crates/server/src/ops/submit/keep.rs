//! Making a request durable: its bytes, then its row.

use artifacts::{ArtifactError, Artifacts};
use store::{Inserted, NewRequest, Store, StoreError};
use tokio::task::JoinError;

use super::prepare::{Kept, folder};
use super::refused;
use crate::app::App;
use crate::body::Reserved;
use crate::door::Ticket;
use crate::refusal::Refusal;

/// Why a request was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("keeping a request failed")]
    Panicked(#[from] JoinError),
}

/// What an insert holds until its end.
pub(super) struct Inserting {
    /// Bytes to be made durable first.
    pub(super) kept: Vec<Kept>,
    /// The share of memory that they stand in.
    pub(super) reserved: Vec<Reserved>,
    /// Keeps repetitions out.
    pub(super) ticket: Option<Ticket>,
}

/// Keeps bytes and row, or neither. Goes on to its end when the client goes away in the middle.
pub(super) async fn keep_and_insert(
    app: &App,
    new: NewRequest,
    inserting: Inserting,
) -> Result<Inserted, KeepError> {
    let own = app.clone();
    let work = async move {
        let Inserting { kept, reserved, ticket } = inserting;
        let _until_the_end = (reserved, ticket);
        let (artifacts, store) = (&own.parts().artifacts, own.store());
        let (id, folder) = (new.id.clone(), folder(&new.id));
        let carries_bytes = !kept.is_empty();
        let outcome = write(artifacts, store, new, kept).await;
        let wanted = match &outcome {
            Ok(inserted) => !inserted.replayed,
            // It may be there although nobody could say so: the next start knows.
            Err(KeepError::Store(StoreError::Unavailable(_))) => {
                !matches!(store.status(&id).await, Ok(None))
            }
            Err(_) => false,
        };
        if !wanted
            && carries_bytes
            && let Err(error) = artifacts.delete_all(&folder).await
        {
            tracing::warn!(%error, folder, "the bytes of a request that was not kept are left");
        }
        outcome
    };
    app.tasks().spawn(work).await?
}

async fn write(
    artifacts: &Artifacts,
    store: &dyn Store,
    new: NewRequest,
    kept: Vec<Kept>,
) -> Result<Inserted, KeepError> {
    for Kept { path, bytes } in kept {
        artifacts.put(&path, bytes).await?;
    }
    Ok(store.insert(new).await?)
}

impl From<KeepError> for Refusal {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Artifact(error) => error.into(),
            KeepError::Store(error) => refused(error),
            KeepError::Panicked(error) => {
                tracing::error!(%error, "keeping a request failed");
                Self::internal()
            }
        }
    }
}
