//! The reference store: everything in one locked struct.
//!
//! It has no index but the queue's: a claim walks the queue, a list walks the rows. What it
//! answers is what every other store must answer; the `conformance` feature compares them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::facts::Facts;
use domain::invariants::Seen;
use domain::key::{KeyHash, KeyRecord};
use domain::lease::{Lease, Setback, Stage};
use domain::queue::FairClock;
use domain::usage::Microdollars;
use domain::{
    Failure, FileToken, KeyId, OrderKey, OwnerId, QueueIndex, RequestId, State, Timestamp, WorkerId,
};
use tokio::sync::watch;

use crate::row::{
    CancelOutcome, Claim, FileRow, Listing, NewRequest, Page, Progress, Published, RequestRow,
    StatusRow,
};
use crate::{Store, StoreError, line, transition};

/// A store that forgets everything when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<i64, RequestRow>,
    seqs: HashMap<RequestId, i64>,
    last_seq: i64,
    index: QueueIndex,
    clock: FairClock,
    keys: Vec<(KeyRecord, KeyHash)>,
    files: HashMap<FileToken, FileRow>,
    /// What was charged, once for each published request.
    usage: HashMap<RequestId, Vec<Microdollars>>,
}

// === impl MemoryStore ===

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { inner: Mutex::default(), changes: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Applies `rule` to the leased row; counts as a change if it succeeds.
    fn leased<T>(
        &self,
        lease: &Lease,
        rule: impl FnOnce(&mut RequestRow) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let out = self.lock().change(&lease.request, rule).unwrap_or(Err(StoreError::Fenced))?;
        self.changed();
        Ok(out)
    }

    /// Applies `rule`, which says whether it did something, to every row.
    fn sweep(
        &self,
        rule: impl Fn(&mut RequestRow) -> Result<bool, StoreError>,
    ) -> Result<usize, StoreError> {
        let mut inner = self.lock();
        let held: Vec<RequestId> = inner
            .rows
            .values()
            .filter(|row| row.held.is_some())
            .map(|row| row.id.clone())
            .collect();
        let mut count = 0;
        for id in held {
            count += usize::from(inner.change(&id, &rule).unwrap_or(Ok(false))?);
        }
        drop(inner);
        if count > 0 {
            self.changed();
        }
        Ok(count)
    }
}

// === impl Inner ===

impl Inner {
    fn row(&self, id: &RequestId) -> Option<&RequestRow> {
        self.rows.get(self.seqs.get(id)?)
    }

    /// Applies `rule` to a row and moves it in the queue; `None` if there is no such row.
    fn change<T>(
        &mut self,
        id: &RequestId,
        rule: impl FnOnce(&mut RequestRow) -> Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        let row = self.rows.get_mut(self.seqs.get(id)?)?;
        let before = row.state;
        let out = rule(row);
        if out.is_ok() {
            line::moved(&mut self.index, &mut self.clock, &row.order, Some(before), row.state);
        }
        Some(out)
    }

    fn insert(&mut self, new: NewRequest) -> Result<StatusRow, StoreError> {
        if self.seqs.contains_key(&new.id) {
            return Err(StoreError::Exists(new.id.to_string()));
        }
        self.last_seq += 1;
        let seq = self.last_seq;
        let finish = self.clock.next(new.priority, &new.owner);
        let order = OrderKey { priority: new.priority, finish, seq };
        let row = transition::received(new, order);
        line::moved(&mut self.index, &mut self.clock, &order, None, row.state);
        self.seqs.insert(row.id.clone(), seq);
        let status = self.status(&row);
        self.rows.insert(seq, row);
        Ok(status)
    }

    fn status(&self, row: &RequestRow) -> StatusRow {
        let position = self.index.position(&row.order);
        StatusRow { id: row.id.clone(), owner: row.owner.clone(), state: row.state, position }
    }

    fn list(&self, listing: &Listing) -> Page {
        let limit = listing.limit as usize;
        let before = listing.before.unwrap_or(i64::MAX);
        let mut rows: Vec<RequestRow> = self
            .rows
            .range(..before)
            .rev()
            .map(|(_, row)| row)
            .filter(|row| listing.owner.as_ref().is_none_or(|owner| *owner == row.owner))
            .filter(|row| listing.states.is_empty() || listing.states.contains(&row.state))
            .filter(|row| listing.model.as_ref().is_none_or(|model| *model == row.model))
            .take(limit + 1)
            .cloned()
            .collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.order.seq);
        Page { rows, next }
    }

    fn claim(
        &mut self,
        stage: Stage,
        worker: &WorkerId,
        now: Timestamp,
        lease_secs: i64,
    ) -> Option<Claim> {
        let queued = self.index.iter().filter_map(|key| self.rows.get(&key.seq));
        let mut takeable = queued.filter(|row| transition::claimable(row, stage, now));
        let id = takeable.next().map(|row| row.id.clone())?;
        drop(takeable);
        let expires_at = now.plus_secs(lease_secs);
        let lease = self
            .change(&id, |row| Ok(transition::claim(row, stage, worker, now, expires_at)))?
            .ok()?;
        Some(Claim { lease, row: self.row(&id)?.clone() })
    }

    fn publish(
        &mut self,
        lease: &Lease,
        published: Published,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Published { body, files, cost, .. } = published;
        if let Some(taken) = taken_token(&self.files, &files) {
            // A lease that no longer holds comes before a name that is taken.
            let held = self.row(&lease.request).cloned();
            let mut row = held.ok_or(StoreError::Fenced)?;
            transition::publish(&mut row, lease, body, now)?;
            return Err(StoreError::Exists(taken.to_string()));
        }
        self.change(&lease.request, |row| transition::publish(row, lease, body, now))
            .unwrap_or(Err(StoreError::Fenced))?;
        self.files.extend(files.into_iter().map(|file| (file.token.clone(), file)));
        self.usage.entry(lease.request.clone()).or_default().push(cost);
        Ok(())
    }

    fn add_key(&mut self, key: KeyRecord, hash: KeyHash) -> Result<(), StoreError> {
        if self.keys.iter().any(|(other, taken)| other.id == key.id || *taken == hash) {
            return Err(StoreError::Exists(key.id.to_string()));
        }
        self.keys.push((key, hash));
        Ok(())
    }

    fn rotate_key(
        &mut self,
        old: &KeyId,
        new: KeyId,
        hash: KeyHash,
        at: Timestamp,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let live = |(key, _): &&(KeyRecord, KeyHash)| key.id == *old && key.revoked_at.is_none();
        let Some((key, _)) = self.keys.iter().find(live) else { return Ok(None) };
        let successor = KeyRecord { id: new, created_at: at, ..key.clone() };
        self.add_key(successor.clone(), hash)?;
        self.revoke_key(old, at);
        Ok(Some(successor))
    }

    fn revoke_key(&mut self, id: &KeyId, at: Timestamp) -> bool {
        let Some((key, _)) = self.keys.iter_mut().find(|(key, _)| key.id == *id) else {
            return false;
        };
        key.revoked_at.get_or_insert(at);
        true
    }

    fn seen(&self, row: &RequestRow, now: Timestamp) -> Seen {
        let held = row.held.iter().filter(|held| held.expires_at > now);
        Seen {
            id: row.id.clone(),
            state: row.state,
            epoch: row.epoch,
            tries: row.tries,
            order: row.state.is_queued().then_some(row.order),
            position: self.index.position(&row.order),
            leases: held.map(|held| held.stage).collect(),
            outputs: usize::from(row.body.published.is_some()),
            charges: self.usage.get(&row.id).map_or(0, Vec::len),
        }
    }
}

/// The first token among `files` that is taken already, or named twice.
fn taken_token<'a>(
    files: &HashMap<FileToken, FileRow>,
    added: &'a [FileRow],
) -> Option<&'a FileToken> {
    let twice =
        |at: usize, token: &FileToken| added.iter().take(at).any(|file| file.token == *token);
    let mut tokens = added.iter().map(|file| &file.token).enumerate();
    tokens.find(|(at, token)| files.contains_key(*token) || twice(*at, token)).map(|(_, t)| t)
}

// === impl Store for MemoryStore ===

#[async_trait]
impl Store for MemoryStore {
    async fn add_key(&self, key: KeyRecord, hash: KeyHash) -> Result<(), StoreError> {
        self.lock().add_key(key, hash)
    }

    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        let inner = self.lock();
        Ok(inner.keys.iter().find(|(_, taken)| *taken == hash).map(|(key, _)| key.clone()))
    }

    async fn keys(&self, owner: Option<&OwnerId>) -> Result<Vec<KeyRecord>, StoreError> {
        let inner = self.lock();
        let keys = inner.keys.iter().map(|(key, _)| key);
        let mut keys: Vec<KeyRecord> =
            keys.filter(|key| owner.is_none_or(|owner| *owner == key.owner)).cloned().collect();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.lock().revoke_key(id, at))
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

    async fn insert(&self, new: NewRequest) -> Result<StatusRow, StoreError> {
        let status = self.lock().insert(new)?;
        self.changed();
        Ok(status)
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

    async fn cancel(
        &self,
        id: &RequestId,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<CancelOutcome>, StoreError> {
        let outcome = self.lock().change(id, |row| Ok(transition::cancel(row, force, now)));
        let outcome = outcome.transpose()?;
        if outcome.as_ref().is_some_and(|outcome| outcome.changed) {
            self.changed();
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
        if claim.is_some() {
            self.changed();
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
        self.changed();
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

    async fn expire_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.sweep(|row| transition::expire(row, now))
    }

    async fn void_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.sweep(|row| transition::void(row, now))
    }

    async fn next_wake_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let inner = self.lock();
        let moments = inner.rows.values().filter_map(|row| match &row.held {
            Some(held) => Some(held.expires_at),
            None if row.state.is_queued() && row.not_before > row.created_at => {
                Some(row.not_before)
            }
            None => None,
        });
        Ok(moments.filter(|moment| *moment > now).min())
    }

    async fn add_file(&self, file: FileRow) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.files.contains_key(&file.token) {
            return Err(StoreError::Exists(file.token.to_string()));
        }
        inner.files.insert(file.token.clone(), file);
        Ok(())
    }

    async fn file(&self, token: &FileToken) -> Result<Option<FileRow>, StoreError> {
        Ok(self.lock().files.get(token).cloned())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn queued(&self) -> usize {
        self.lock().index.len()
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn audit(&self, now: Timestamp) -> Result<Vec<Seen>, StoreError> {
        let inner = self.lock();
        Ok(inner.rows.values().map(|row| inner.seen(row, now)).collect())
    }
}
