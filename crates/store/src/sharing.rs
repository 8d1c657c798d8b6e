//! Links that show one result to whoever has them, until they are taken back.
//!
//! A request has at most one link, only once it has succeeded, and none any more when its record
//! is removed.

use async_trait::async_trait;
use domain::{OwnerId, RequestId, ShareToken};

use crate::StoreError;
use crate::row::RequestRow;

/// What became of an attempt to share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// This one shows the result: it is new, or stood before.
    Stands(ShareToken),
    /// The owner has no such request.
    NotFound,
    /// The request has not succeeded.
    NoResult,
}

/// Sharing of results.
#[async_trait]
pub trait Sharing: Send + Sync {
    /// Makes `fresh` the link of a request, unless it has one.
    async fn share(
        &self,
        owner: &OwnerId,
        id: &RequestId,
        fresh: &ShareToken,
    ) -> Result<Link, StoreError>;
    /// Takes a request's link back, if it has one; `false` if the owner has no such request.
    async fn unshare(&self, owner: &OwnerId, id: &RequestId) -> Result<bool, StoreError>;
    /// The link of a request.
    async fn link(&self, id: &RequestId) -> Result<Option<ShareToken>, StoreError>;
    /// The request that a link shows.
    async fn shared(&self, token: &ShareToken) -> Result<Option<RequestRow>, StoreError>;
}
