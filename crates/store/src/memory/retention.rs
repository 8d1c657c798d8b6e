//! Removal from the reference store.

use async_trait::async_trait;
use domain::{FileToken, OwnerId, RequestId, Timestamp};

use super::{Inner, MemoryStore};
use crate::StoreError;
use crate::outbox::Standing;
use crate::retention::{Cutoffs, Removal, Retention, folder_of_upload, folders_of};
use crate::row::{ONCE_SECS, RequestRow};

impl Inner {
    fn in_use(&self, id: &RequestId) -> bool {
        let of_it = |token: &FileToken| {
            self.files.get(token).is_some_and(|file| file.request.as_ref() == Some(id))
        };
        self.uses.keys().any(of_it)
    }

    /// Removes a request that has ended and is not in use.
    fn remove_now(&mut self, id: &RequestId) {
        let Some(seq) = self.seqs.remove(id) else { return };
        self.rows.remove(&seq);
        self.without_inputs.remove(&seq);
        self.files.retain(|_, file| file.request.as_ref() != Some(id));
        self.deliveries.retain(|_, delivery| delivery.request != *id);
        self.links.remove(id);
        self.trash.extend(folders_of(id));
    }

    fn ended_before(&self, cutoff: Option<Timestamp>) -> Vec<RequestRow> {
        let ended = self.rows.values().filter(|row| {
            cutoff.is_some_and(|cutoff| row.finished_at.is_some_and(|at| at <= cutoff))
        });
        let mut ended: Vec<RequestRow> = ended.cloned().collect();
        ended.sort_by_key(|row| (row.finished_at, row.order.seq));
        ended
    }

    fn retire(&mut self, cutoffs: Cutoffs, limit: usize) -> usize {
        self.once.retain(|_, used| cutoffs.now < used.at.plus_secs(ONCE_SECS));
        let mut count = 0;
        for row in self.ended_before(cutoffs.results) {
            let told = |standing| standing != Standing::Pending;
            let untold = self.deliveries.values().any(|d| d.request == row.id && !told(d.standing));
            if count < limit && !untold && !self.in_use(&row.id) {
                self.remove_now(&row.id);
                count += 1;
            }
        }
        for row in self.ended_before(cutoffs.inputs) {
            if count < limit && self.without_inputs.insert(row.order.seq) {
                let [inputs, _] = folders_of(&row.id);
                self.trash.insert(inputs);
                count += 1;
            }
        }
        let old = self.files.values().filter(|file| {
            let made = file.request.is_none() && !self.uses.contains_key(&file.token);
            made && cutoffs.uploads.is_some_and(|cutoff| file.created_at <= cutoff)
        });
        let mut old: Vec<_> = old.map(|file| (file.created_at, file.token.clone())).collect();
        old.sort();
        for (_, token) in old.into_iter().take(limit.saturating_sub(count)) {
            if let Some(file) = self.files.remove(&token) {
                self.trash.insert(folder_of_upload(&file.path));
                count += 1;
            }
        }
        count
    }
}

#[async_trait]
impl Retention for MemoryStore {
    async fn remove(&self, owner: &OwnerId, id: &RequestId) -> Result<Removal, StoreError> {
        let mut inner = self.lock();
        let Some(row) = inner.row(id).filter(|row| row.owner == *owner) else {
            return Ok(Removal::NotFound);
        };
        if !row.state.is_terminal() {
            return Ok(Removal::Open);
        }
        if inner.in_use(id) {
            return Ok(Removal::InUse);
        }
        inner.remove_now(id);
        drop(inner);
        self.changed(std::slice::from_ref(id));
        Ok(Removal::Done)
    }

    async fn retire(&self, cutoffs: Cutoffs, limit: u32) -> Result<usize, StoreError> {
        Ok(self.lock().retire(cutoffs, limit as usize))
    }

    async fn trash(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        Ok(self.lock().trash.iter().take(limit as usize).cloned().collect())
    }

    async fn emptied(&self, folders: Vec<String>) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for folder in folders {
            inner.trash.remove(&folder);
        }
        Ok(())
    }
}
