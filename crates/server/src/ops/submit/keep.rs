//! Making a request durable: its bytes, then its row.

use artifacts::{ArtifactError, Artifacts};
use store::{NewRequest, Store, StoreError};
use tokio::task::JoinError;

use super::prepare::{Kept, folder};
use crate::app::App;
use crate::body::Reserved;
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

/// Keeps bytes and row, or neither. Goes on to its end when the client goes away in the middle;
/// `reserved` is the share of memory that `kept` stands in.
pub(super) async fn keep_and_insert(
    app: &App,
    new: NewRequest,
    kept: Vec<Kept>,
    reserved: Vec<Reserved>,
) -> Result<(), KeepError> {
    let own = app.clone();
    let work = async move {
        let _until_the_end = reserved;
        let (artifacts, store) = (&own.parts().artifacts, own.store());
        let folder = folder(&new.id);
        let carries_bytes = !kept.is_empty();
        let outcome = write(artifacts, store, new, kept).await;
        if outcome.is_err()
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
) -> Result<(), KeepError> {
    for Kept { path, bytes } in kept {
        artifacts.put(&path, bytes).await?;
    }
    store.insert(new).await?;
    Ok(())
}

impl From<KeepError> for Refusal {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Artifact(error) => error.into(),
            KeepError::Store(error) => error.into(),
            KeepError::Panicked(error) => {
                tracing::error!(%error, "keeping a request failed");
                Self::internal()
            }
        }
    }
}
