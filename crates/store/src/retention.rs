//! What is no longer kept.
//!
//! Rows go first, in one transaction that also notes which bytes are to go ([`Retention::trash`]);
//! the bytes go next, and then the note. A crash in between leaves a note, never a row without
//! bytes. A file that a request which has not ended needs is not removed, whoever made it.

use async_trait::async_trait;
use domain::{OwnerId, RequestId, Timestamp};

use crate::StoreError;

/// What goes: everything that was finished or made before these moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cutoffs {
    /// The present: idempotency keys that are too old for it go, too.
    pub now: Timestamp,
    /// Records with their outputs and inputs, by the end of the request.
    pub results: Option<Timestamp>,
    /// Inputs alone, by the end of the request.
    pub inputs: Option<Timestamp>,
    /// Uploads, by their making.
    pub uploads: Option<Timestamp>,
}

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone; its bytes are noted for removal.
    Done,
    /// The owner has no such request.
    NotFound,
    /// It has not ended.
    Open,
    /// One of its files is an input of a request that has not ended.
    InUse,
}

/// Removal of what is no longer kept.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Removes a request that has ended, with its files, deliveries and record. Usage stays.
    async fn remove(&self, owner: &OwnerId, id: &RequestId) -> Result<Removal, StoreError>;
    /// Removes up to `limit` things that are older than `cutoffs`; how many it removed.
    async fn retire(&self, cutoffs: Cutoffs, limit: u32) -> Result<usize, StoreError>;
    /// Up to `limit` folders of bytes that no row names any more.
    async fn trash(&self, limit: u32) -> Result<Vec<String>, StoreError>;
    /// The bytes of these folders are gone.
    async fn emptied(&self, folders: Vec<String>) -> Result<(), StoreError>;
}

/// The folders in which the bytes of a request are.
pub fn folders_of(id: &RequestId) -> [String; 2] {
    [format!("inputs/{id}"), format!("outputs/{id}")]
}

/// The folder in which an upload's bytes are: its path without the name.
pub fn folder_of_upload(path: &str) -> String {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder).to_owned()
}
