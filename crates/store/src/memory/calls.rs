//! The calls of [`Store`]: each is one look at, or one change of, what is in memory.

use async_trait::async_trait;
use domain::facts::Facts;
use domain::invariants::Seen;
use domain::key::{KeyHash, KeyRecord};
use domain::lease::{Lease, Setback, Stage};
use domain::{Failure, FileToken, KeyId, OrderKey, OwnerId, RequestId, State, Timestamp, WorkerId};
use tokio::sync::watch;

use super::MemoryStore;
use crate::row::{
    CancelOutcome, Claim, FileRow, Inserted, Listing, NewRequest, Once, Page, Progress, Published,
    RequestRow, StatusRow,
};
use crate::{Expired, Store, StoreError, transition};

#[async_trait]
impl Store for MemoryStore {
    async fn add_key(&self, key: KeyRecord, hash: KeyHash) -> Result<(), StoreError> {
        self.lock().add_key(key, hash)
    }

    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        let inner = self.lock();
        let found = inner.keys.iter().find(|(_, taken)| *taken == hash);
        Ok(found.map(|(key, _)| inner.with_limits(key)))
    }

    async fn keys(&self, owner: Option<&OwnerId>) -> Result<Vec<KeyRecord>, StoreError> {
        let inner = self.lock();
        let keys = inner.keys.iter().map(|(key, _)| key);
        let keys = keys.filter(|key| owner.is_none_or(|owner| *owner == key.owner));
        let mut keys: Vec<KeyRecord> = keys.map(|key| inner.with_limits(key)).collect();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.lock().revoke_key(id, at))
    }

    async fn rename_key(&self, id: &KeyId, name: &str) -> Result<bool, StoreError> {
        let mut inner = self.lock();
        let found = inner.keys.iter_mut().find(|(key, _)| key.id == *id);
        Ok(found.map(|(key, _)| name.clone_into(&mut key.name)).is_some())
    }

    async fn note_uses(&self, uses: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for (id, at) in uses {
            for (key, _) in inner.keys.iter_mut().filter(|(key, _)| key.id == *id) {
                key.last_used_at = Some(*at);
            }
        }
        Ok(())
    }

    async fn rotate_key(
        &self,
        old: &KeyId,
        new: KeyId,
        hash: KeyHash,
        at: Timestamp,
    ) -> Result<Option<KeyRecord>, StoreError> {
        self.lock().rotate_key(old, new, hash, at)
    }

    async fn insert(&self, new: NewRequest) -> Result<Inserted, StoreError> {
        let inserted = self.lock().insert(new)?;
        if !inserted.replayed {
            self.changed(std::slice::from_ref(&inserted.status.id));
        }
        Ok(inserted)
    }

    async fn replayed(
        &self,
        owner: &OwnerId,
        once: &Once,
        now: Timestamp,
    ) -> Result<Option<RequestId>, StoreError> {
        self.lock().replayed(owner, once, now)
    }

    async fn status(&self, id: &RequestId) -> Result<Option<StatusRow>, StoreError> {
        let inner = self.lock();
        Ok(inner.row(id).map(|row| inner.status(row)))
    }

    async fn request(&self, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
        Ok(self.lock().row(id).cloned())
    }

    async fn list(&self, listing: Listing) -> Result<Page, StoreError> {
        Ok(self.lock().list(&listing))
    }

    async fn at_work(&self, limit: u32) -> Result<Vec<RequestRow>, StoreError> {
        let inner = self.lock();
        let held = inner.rows.values().filter(|row| row.held.is_some());
        Ok(held.take(limit as usize).cloned().collect())
    }

    async fn last_ended(&self, state: State, limit: u32) -> Result<Vec<RequestRow>, StoreError> {
        let inner = self.lock();
        let ended = |row: &&RequestRow| row.state == state && row.finished_at.is_some();
        let mut rows: Vec<_> = inner.rows.values().filter(ended).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.finished_at, row.order.seq)));
        Ok(rows.into_iter().take(limit as usize).cloned().collect())
    }

    async fn cancel(
        &self,
        id: &RequestId,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<CancelOutcome>, StoreError> {
        let outcome = self.lock().change(id, |row| Ok(transition::cancel(row, force, now)));
        let outcome = outcome.transpose()?;
        if outcome.as_ref().is_some_and(|outcome| outcome.changed) {
            self.changed(std::slice::from_ref(id));
        }
        Ok(outcome)
    }

    async fn claim(
        &self,
        stage: Stage,
        worker: &WorkerId,
        now: Timestamp,
        lease_secs: i64,
    ) -> Result<Option<Claim>, StoreError> {
        let claim = self.lock().claim(stage, worker, now, lease_secs);
        if let Some(claim) = &claim {
            self.changed(std::slice::from_ref(&claim.lease.request));
        }
        Ok(claim)
    }

    async fn extend(
        &self,
        lease: &Lease,
        until: Timestamp,
        progress: Option<Progress>,
    ) -> Result<(), StoreError> {
        self.leased(lease, |row| transition::extend(row, lease, until, progress))
    }

    async fn inputs_kept(
        &self,
        lease: &Lease,
        facts: Facts,
        warnings: Vec<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.leased(lease, |row| transition::inputs_kept(row, lease, facts, warnings, now))
    }

    async fn publish(
        &self,
        lease: &Lease,
        published: Published,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.lock().publish(lease, published, now)?;
        self.changed(std::slice::from_ref(&lease.request));
        Ok(())
    }

    async fn fail(
        &self,
        lease: &Lease,
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.leased(lease, |row| transition::fail(row, lease, failure, now))
    }

    async fn set_back(
        &self,
        lease: &Lease,
        setback: Setback,
        why: &str,
        now: Timestamp,
    ) -> Result<State, StoreError> {
        self.leased(lease, |row| transition::set_back(row, lease, setback, why, now))
    }

    async fn expire(&self, now: Timestamp) -> Result<Expired, StoreError> {
        self.sweep(|row| transition::count_anew(row, now))?;
        let deadlines = self.sweep(|row| transition::overdue(row, now))?;
        Ok(Expired { leases: self.sweep(|row| transition::expire(row, now))?, deadlines })
    }

    async fn void_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.sweep(|row| transition::void(row, now))?.len())
    }

    async fn next_wake_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let inner = self.lock();
        let open = inner.rows.values().filter(|row| !row.state.is_terminal());
        let moments = open.flat_map(|row| {
            let next = match &row.held {
                Some(held) => Some(held.expires_at),
                None if row.state.is_queued() && row.not_before > row.created_at => {
                    Some(row.not_before)
                }
                None => None,
            };
            next.into_iter().chain(row.deadline)
        });
        Ok(moments.filter(|moment| *moment > now).min())
    }

    async fn add_file(&self, file: FileRow, key: &KeyId) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.files.contains_key(&file.token) {
            return Err(StoreError::Exists(file.token.to_string()));
        }
        inner.add_bytes(&file.owner, key, file.created_at, file.bytes);
        inner.files.insert(file.token.clone(), file);
        Ok(())
    }

    async fn file(&self, token: &FileToken) -> Result<Option<FileRow>, StoreError> {
        Ok(self.lock().files.get(token).cloned())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn watch(&self, id: &RequestId) -> watch::Receiver<()> {
        self.watchers.watch(id)
    }

    fn queued(&self) -> usize {
        self.lock().index.len()
    }

    fn queue_moved(&self) -> Option<OrderKey> {
        self.lock().index.take_moved()
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn audit(&self, now: Timestamp) -> Result<Vec<Seen>, StoreError> {
        let inner = self.lock();
        Ok(inner.rows.values().map(|row| inner.seen(row, now)).collect())
    }
}
