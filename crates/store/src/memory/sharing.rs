//! Links of the reference store.

use async_trait::async_trait;
use domain::{OwnerId, RequestId, ShareToken, State};

use super::MemoryStore;
use crate::StoreError;
use crate::row::RequestRow;
use crate::sharing::{Link, Sharing};

#[async_trait]
impl Sharing for MemoryStore {
    async fn share(
        &self,
        owner: &OwnerId,
        id: &RequestId,
        fresh: &ShareToken,
    ) -> Result<Link, StoreError> {
        let mut inner = self.lock();
        let Some(row) = inner.row(id).filter(|row| row.owner == *owner) else {
            return Ok(Link::NotFound);
        };
        if row.state != State::Succeeded {
            return Ok(Link::NoResult);
        }
        let link = inner.links.entry(id.clone()).or_insert_with(|| fresh.clone());
        Ok(Link::Stands(link.clone()))
    }

    async fn unshare(&self, owner: &OwnerId, id: &RequestId) -> Result<bool, StoreError> {
        let mut inner = self.lock();
        let found = inner.row(id).is_some_and(|row| row.owner == *owner);
        if found {
            inner.links.remove(id);
        }
        Ok(found)
    }

    async fn link(&self, id: &RequestId) -> Result<Option<ShareToken>, StoreError> {
        Ok(self.lock().links.get(id).cloned())
    }

    async fn shared(&self, token: &ShareToken) -> Result<Option<RequestRow>, StoreError> {
        let inner = self.lock();
        let found = inner.links.iter().find(|(_, link)| *link == token);
        Ok(found.and_then(|(id, _)| inner.row(id)).cloned())
    }
}
