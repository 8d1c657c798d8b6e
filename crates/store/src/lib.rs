//! Where requests, keys and the names of files are kept.
//!
//! The request row is the job: there is no second record to keep in step. What may happen to a
//! row is decided by the pure functions of [`transition`], which every store calls inside its own
//! transaction; a store adds durability, order and fencing, not rules. [`memory::MemoryStore`]
//! keeps everything in one locked struct and is the reference for the `conformance` suite.

pub mod accounts;
pub mod ledger;
pub mod line;
pub mod memory;
pub mod outbox;
pub mod retention;
pub mod row;
pub mod sharing;
pub mod transition;
pub mod watchers;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "conformance")]
pub mod faulty;

use async_trait::async_trait;
use domain::admission::Refused;
use domain::facts::Facts;
use domain::key::{KeyHash, KeyRecord};
use domain::lease::{Lease, Setback, Stage};
use domain::{Failure, FileToken, KeyId, OrderKey, OwnerId, RequestId, State, Timestamp, WorkerId};
use tokio::sync::watch;

pub use accounts::{Accounts, Subject};
pub use outbox::Outbox;
pub use retention::Retention;
pub use row::{
    CancelOutcome, Claim, FileRow, Inserted, Listing, NewRequest, Page, Progress, Published,
    RequestRow, StatusRow, Terms,
};
pub use sharing::Sharing;

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller's lease no longer holds: the request was cancelled, finished, or claimed by
    /// another. Nothing was changed.
    #[error("the lease no longer holds")]
    Fenced,
    /// The id or token is taken already.
    #[error("`{0}` exists already")]
    Exists(String),
    /// The idempotency key was used for another body.
    #[error("this idempotency key was used for another body")]
    Reused,
    /// A limit is reached.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database or its disk failed; the change was not made.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// What a look for what has run out found, each in the order of insertion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expired {
    /// Requests whose lease ended.
    pub leases: Vec<Lapsed>,
    /// Requests that failed at their deadline.
    pub deadlines: Vec<Lapsed>,
}

/// A request whose lease was ended, or that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapsed {
    /// The request.
    pub id: RequestId,
    /// Its model.
    pub model: String,
    /// What it had been leased for, if it was.
    pub stage: Option<Stage>,
    /// Where it stands now.
    pub state: State,
}

// === impl Lapsed ===

impl Lapsed {
    /// What a row that was leased for `stage` came to.
    pub fn of(row: &RequestRow, stage: Option<Stage>) -> Self {
        Self { id: row.id.clone(), model: row.model.clone(), stage, state: row.state }
    }
}

/// What the rest of the server asks of a store.
///
/// Every method that changes something returns after the change is durable. Times are the
/// caller's: a store has no clock.
#[async_trait]
pub trait Store: Accounts + Outbox + Retention + Sharing + Send + Sync + 'static {
    // Keys.

    /// Adds a key; [`StoreError::Exists`] if its id or hash is there.
    async fn add_key(&self, key: KeyRecord, hash: KeyHash) -> Result<(), StoreError>;
    /// The key with this hash, revoked ones included. A key created or revoked by another
    /// process is seen at the next call.
    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError>;
    /// All keys, oldest first, of one owner or of everybody.
    async fn keys(&self, owner: Option<&OwnerId>) -> Result<Vec<KeyRecord>, StoreError>;
    /// Revokes a key; `false` if there is none with this id. Repeating it changes nothing.
    async fn revoke_key(&self, id: &KeyId, at: Timestamp) -> Result<bool, StoreError>;
    /// Gives a key another name; `false` if there is none with this id.
    async fn rename_key(&self, id: &KeyId, name: &str) -> Result<bool, StoreError>;
    /// Writes down when calls were last made with keys; what is not there is passed over. A
    /// server that has the key in memory is not told.
    async fn note_uses(&self, uses: &[(KeyId, Timestamp)]) -> Result<(), StoreError>;
    /// In one step: revokes `old` and adds its successor, which takes over owner, name and role.
    /// `None` if `old` is unknown or revoked.
    async fn rotate_key(
        &self,
        old: &KeyId,
        new: KeyId,
        hash: KeyHash,
        at: Timestamp,
    ) -> Result<Option<KeyRecord>, StoreError>;

    // Requests, from their owner's side.

    /// Inserts a request as `received` and gives it its place in the queue, in one transaction
    /// with the look at its idempotency key and at the limits that it must keep to. A key that is
    /// known gives the request that it was first used for, whatever the limits say.
    async fn insert(&self, new: NewRequest) -> Result<Inserted, StoreError>;
    /// The request that an idempotency key was used for at `now`; [`StoreError::Reused`] if it
    /// was for another body.
    async fn replayed(
        &self,
        owner: &OwnerId,
        once: &row::Once,
        now: Timestamp,
    ) -> Result<Option<RequestId>, StoreError>;
    /// What a status poll needs.
    async fn status(&self, id: &RequestId) -> Result<Option<StatusRow>, StoreError>;
    /// The whole record.
    async fn request(&self, id: &RequestId) -> Result<Option<RequestRow>, StoreError>;
    /// An owner's requests, newest first.
    async fn list(&self, listing: Listing) -> Result<Page, StoreError>;
    /// The requests that somebody works on now, of everybody, in the order of insertion.
    async fn at_work(&self, limit: u32) -> Result<Vec<RequestRow>, StoreError>;
    /// The requests that came to this terminal state last, of everybody, the last one first.
    async fn last_ended(&self, state: State, limit: u32) -> Result<Vec<RequestRow>, StoreError>;
    /// Cancels queued work, and running work with `force`; `None` if the id is unknown.
    async fn cancel(
        &self,
        id: &RequestId,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<CancelOutcome>, StoreError>;

    // Requests, from the workers' side.

    /// Takes the first request in queue order that waits for `stage`: `received` ones for
    /// intake, `ready` ones for a run; those whose `not_before` lies ahead are passed over, and
    /// for a run those whose key or owner runs as many as they may.
    async fn claim(
        &self,
        stage: Stage,
        worker: &WorkerId,
        now: Timestamp,
        lease_secs: i64,
    ) -> Result<Option<Claim>, StoreError>;
    /// Extends a lease to `until` and notes progress. [`StoreError::Fenced`] tells the holder to
    /// stop.
    async fn extend(
        &self,
        lease: &Lease,
        until: Timestamp,
        progress: Option<Progress>,
    ) -> Result<(), StoreError>;
    /// Intake is done: `received` becomes `ready`.
    async fn inputs_kept(
        &self,
        lease: &Lease,
        facts: Facts,
        warnings: Vec<String>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The clip is done: `running` becomes `succeeded`, its files get names, its owner is
    /// charged, all in one transaction.
    async fn publish(
        &self,
        lease: &Lease,
        published: Published,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The request ends as `failed`, uncharged.
    async fn fail(&self, lease: &Lease, failure: Failure, now: Timestamp)
    -> Result<(), StoreError>;
    /// Gives the lease back without a result; the attempt rules decide what follows, and the
    /// new state is returned. `why` is kept in the timeline, and is the failure's message if
    /// this was the last try.
    async fn set_back(
        &self,
        lease: &Lease,
        setback: Setback,
        why: &str,
        now: Timestamp,
    ) -> Result<State, StoreError>;
    /// Treats every lease that ended before `now` as lost, and fails every request whose deadline
    /// has passed. Deadlines of a clock that was set back are counted anew from `now` on.
    async fn expire(&self, now: Timestamp) -> Result<Expired, StoreError>;
    /// Treats every lease as lost: at the start of a server that owns its store alone.
    async fn void_leases(&self, now: Timestamp) -> Result<usize, StoreError>;
    /// The earliest moment at which a waiting request's `not_before`, a lease's end or a deadline comes, if
    /// any: until then, and without a change, there is nothing to do. It may have passed: a
    /// request whose backoff is over stays in sight until somebody claims it.
    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        self.next_wake_after(Timestamp(i64::MIN)).await
    }
    /// [`Self::next_wake`] among the moments after `now`: what a loop that has just claimed all
    /// it can, and expired what had ended, sleeps until. A request that was never set back is
    /// announced by a change and not counted here.
    async fn next_wake_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    // Files.

    /// Names a file that was uploaded with `key`, and counts its bytes.
    async fn add_file(&self, file: FileRow, key: &KeyId) -> Result<(), StoreError>;
    /// The file behind a token.
    async fn file(&self, token: &FileToken) -> Result<Option<FileRow>, StoreError>;

    // The whole.

    /// A counter that rises after each durable change of a request.
    fn changes(&self) -> watch::Receiver<u64>;
    /// Changes after each durable change of this request; made before the request is read, it
    /// misses nothing.
    fn watch(&self, id: &RequestId) -> watch::Receiver<()>;
    /// How many requests are queued (`received` and `ready`).
    fn queued(&self) -> usize;
    /// The first place at which the queue has changed since this was asked last, if it has:
    /// positions before it are as they were. For the one who tells all others.
    fn queue_moved(&self) -> Option<OrderKey>;
    /// Fails if the store cannot be read and written now.
    async fn check(&self) -> Result<(), StoreError>;
    /// Every request as an audit sees it (`domain::invariants`); leases count against `now`.
    async fn audit(&self, now: Timestamp) -> Result<Vec<domain::invariants::Seen>, StoreError>;
}
