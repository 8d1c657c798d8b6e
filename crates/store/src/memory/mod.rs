//! The reference store: everything in one locked struct.
//!
//! It has no index but the queue's: a claim walks the queue, a list walks the rows. What it
//! answers is what every other store must answer; the `conformance` feature compares them.

mod accounts;
mod calls;
mod outbox;
mod retention;
mod sharing;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::admission::{DAY_SECS, Limits, Step};
use domain::invariants::Seen;
use domain::key::{KeyHash, KeyRecord};
use domain::lease::{Lease, Stage};
use domain::queue::FairClock;
use domain::usage::Microdollars;
use domain::{
    FileToken, KeyId, OrderKey, OwnerId, QueueIndex, RequestId, ShareToken, State, Timestamp,
    WorkerId,
};
use tokio::sync::watch;

use crate::ledger::{Ledger, Parties};
use crate::outbox::Delivery;
use crate::row::{
    Claim, FileRow, Inserted, Listing, NewRequest, ONCE_SECS, Once, Page, Published, RequestRow,
    StatusRow,
};
use crate::watchers::Watchers;
use crate::{Lapsed, StoreError, line, transition};

/// A store that forgets everything when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    changes: watch::Sender<u64>,
    posted: watch::Sender<()>,
    /// The last delivery that `posted` told of.
    posted_up_to: AtomicU64,
    watchers: Watchers,
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
    /// Which requests that have not ended need a file.
    uses: HashMap<FileToken, BTreeSet<i64>>,
    /// What was charged, once for each published request.
    usage: Vec<Charge>,
    ledger: Ledger,
    limits: HashMap<String, Limits>,
    once: HashMap<(OwnerId, String, String), Used>,
    deliveries: BTreeMap<u64, Delivery>,
    last_delivery: u64,
    /// Receivers that said that they are gone.
    gone: HashSet<(OwnerId, String)>,
    /// Newest first; each with the moment after which it signs no more.
    secrets: HashMap<OwnerId, Vec<(String, Option<Timestamp>)>>,
    /// Requests that have ended and whose inputs are removed.
    without_inputs: BTreeSet<i64>,
    trash: BTreeSet<String>,
    links: HashMap<RequestId, ShareToken>,
}

/// One line of usage.
#[derive(Debug, Clone)]
struct Charge {
    request: RequestId,
    owner: OwnerId,
    key: KeyId,
    model: String,
    units: u32,
    cost: Microdollars,
    at: Timestamp,
}

/// What an idempotency key was used for.
#[derive(Debug, Clone)]
struct Used {
    body: [u8; 32],
    request: RequestId,
    at: Timestamp,
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
        Self {
            inner: Mutex::default(),
            changes: watch::Sender::new(0),
            posted: watch::Sender::new(()),
            posted_up_to: AtomicU64::new(0),
            watchers: Watchers::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, ids: &[RequestId]) {
        self.changes.send_modify(|count| *count += 1);
        let last = self.lock().last_delivery;
        if self.posted_up_to.swap(last, Ordering::Relaxed) != last {
            self.posted.send_replace(());
        }
        self.watchers.tell(ids);
    }

    /// Applies `rule` to the leased row; counts as a change if it succeeds.
    fn leased<T>(
        &self,
        lease: &Lease,
        rule: impl FnOnce(&mut RequestRow) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let out = self.lock().change(&lease.request, rule).unwrap_or(Err(StoreError::Fenced))?;
        self.changed(std::slice::from_ref(&lease.request));
        Ok(out)
    }

    /// Applies `rule`, which says whether it did something, to every row that has not ended.
    fn sweep(
        &self,
        rule: impl Fn(&mut RequestRow) -> Result<bool, StoreError>,
    ) -> Result<Vec<Lapsed>, StoreError> {
        let mut inner = self.lock();
        let open = inner.rows.values().filter(|row| !row.state.is_terminal());
        let open: Vec<RequestId> = open.map(|row| row.id.clone()).collect();
        let (mut changed, mut lapsed) = (Vec::new(), Vec::new());
        for id in open {
            let ended = inner.change(&id, |row| {
                let stage = row.held.as_ref().map(|held| held.stage);
                Ok(rule(row)?.then(|| Lapsed::of(row, stage)))
            });
            if let Some(ended) = ended.unwrap_or(Ok(None))? {
                changed.push(id);
                lapsed.push(ended);
            }
        }
        drop(inner);
        if !changed.is_empty() {
            self.changed(&changed);
        }
        Ok(lapsed)
    }
}

// === impl Inner ===

impl Inner {
    fn row(&self, id: &RequestId) -> Option<&RequestRow> {
        self.rows.get(self.seqs.get(id)?)
    }

    /// Applies `rule` to a row and draws what follows from it; `None` if there is no such row.
    fn change<T>(
        &mut self,
        id: &RequestId,
        rule: impl FnOnce(&mut RequestRow) -> Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        let row = self.rows.get_mut(self.seqs.get(id)?)?;
        let before = row.state;
        let out = rule(row);
        if out.is_ok() {
            let row = row.clone();
            self.moved(Some(before), &row);
        }
        Some(out)
    }

    /// What follows from a change: the queue, the ledger, the outbox, the files let go.
    fn moved(&mut self, before: Option<State>, row: &RequestRow) {
        line::moved(&mut self.index, &mut self.clock, &row.order, before, row.state);
        let cost = self.usage.last().filter(|charge| charge.request == row.id).map(|c| c.cost);
        let published = before != Some(row.state) && row.state == State::Succeeded;
        let cost = cost.filter(|_| published).unwrap_or_default();
        let step = Step { before, after: row.state, price: row.price, cost };
        self.ledger.take(&Parties::of(row), &step);
        if let Some(mut delivery) = Delivery::of_change(before, row) {
            if self.gone.contains(&(delivery.owner.clone(), delivery.url.clone())) {
                delivery.disable(delivery.created_at);
            }
            self.last_delivery += 1;
            self.deliveries.insert(self.last_delivery, delivery);
        }
        if row.state.is_terminal() {
            self.uses.retain(|_, users| {
                users.remove(&row.order.seq);
                !users.is_empty()
            });
        }
    }

    fn insert(&mut self, new: NewRequest) -> Result<Inserted, StoreError> {
        if let Some(once) = &new.terms.once
            && let Some(id) = self.replayed(&new.owner, once, new.created_at)?
        {
            let gone = || StatusRow::gone(id.clone(), new.owner.clone());
            let status = self.row(&id).map_or_else(gone, |row| self.status(row));
            return Ok(Inserted { status, replayed: true });
        }
        self.ledger.admit(&new)?;
        if self.seqs.contains_key(&new.id) {
            return Err(StoreError::Exists(new.id.to_string()));
        }
        self.last_seq += 1;
        let seq = self.last_seq;
        let finish = self.clock.next(new.priority, &new.owner);
        let order = OrderKey { priority: new.priority, finish, seq };
        self.note_terms(&new, seq);
        let row = transition::received(new, order);
        self.moved(None, &row);
        self.seqs.insert(row.id.clone(), seq);
        let status = self.status(&row);
        self.rows.insert(seq, row);
        Ok(Inserted { status, replayed: false })
    }

    /// Keeps what is agreed beside the row.
    fn note_terms(&mut self, new: &NewRequest, seq: i64) {
        for token in &new.terms.uses {
            self.uses.entry(token.clone()).or_default().insert(seq);
        }
        self.add_bytes(&new.owner, &new.key, new.created_at, new.terms.bytes);
        if let Some(once) = &new.terms.once {
            let key = (new.owner.clone(), once.path.clone(), once.key.clone());
            let (request, at) = (new.id.clone(), new.created_at);
            self.once.insert(key, Used { body: once.body, request, at });
        }
    }

    fn add_bytes(&mut self, owner: &OwnerId, key: &KeyId, at: Timestamp, bytes: u64) {
        self.ledger.add_bytes(owner, key, at.unix_secs().div_euclid(DAY_SECS), bytes);
    }

    fn replayed(
        &self,
        owner: &OwnerId,
        once: &Once,
        now: Timestamp,
    ) -> Result<Option<RequestId>, StoreError> {
        let used = self.once.get(&(owner.clone(), once.path.clone(), once.key.clone()));
        match used.filter(|used| now < used.at.plus_secs(ONCE_SECS)) {
            Some(used) if used.body != once.body => Err(StoreError::Reused),
            used => Ok(used.map(|used| used.request.clone())),
        }
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
        let mut takeable = queued.filter(|row| {
            transition::claimable(row, stage, now) && (stage == Stage::Intake || self.may_run(row))
        });
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
        let Published { body, files, units, cost } = published;
        if let Some(taken) = taken_token(&self.files, &files) {
            // A lease that no longer holds comes before a name that is taken.
            let held = self.row(&lease.request).cloned();
            let mut row = held.ok_or(StoreError::Fenced)?;
            transition::publish(&mut row, lease, body, now)?;
            return Err(StoreError::Exists(taken.to_string()));
        }
        let row = self.row(&lease.request).ok_or(StoreError::Fenced)?;
        transition::publish(&mut row.clone(), lease, body.clone(), now)?;
        let (owner, key, model) = (row.owner.clone(), row.key.clone(), row.model.clone());
        let request = lease.request.clone();
        self.usage.push(Charge { request, owner, key, model, units, cost, at: now });
        self.change(&lease.request, |row| transition::publish(row, lease, body, now))
            .unwrap_or(Err(StoreError::Fenced))?;
        self.files.extend(files.into_iter().map(|file| (file.token.clone(), file)));
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
        let successor = KeyRecord { id: new, created_at: at, last_used_at: None, ..key.clone() };
        self.add_key(successor.clone(), hash)?;
        if let Some(limits) = self.limits.get(old.as_str()).copied() {
            self.limits.insert(successor.id.to_string(), limits);
        }
        self.revoke_key(old, at);
        Ok(Some(self.with_limits(&successor)))
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
            charges: self.usage.iter().filter(|charge| charge.request == row.id).count(),
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
