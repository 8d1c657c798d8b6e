//! A store that fails at a call of the test's choice, for tests of those who use stores.
//!
//! A call can fail before it has done anything, or after: the change is durable, and whoever
//! asked for it is told that the store is unavailable. The second is what a crash between commit
//! and answer looks like from outside, and what a retry must be safe against.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::admission::Limits;
use domain::facts::Facts;
use domain::invariants::Seen;
use domain::key::{KeyHash, KeyRecord};
use domain::lease::{Lease, Setback, Stage};
use domain::{
    Failure, FileToken, KeyId, OrderKey, OwnerId, RequestId, ShareToken, State, Timestamp, WorkerId,
};
use tokio::sync::watch;

use crate::accounts::{Accounts, Subject, Survey, UsageLine, UsageQuery};
use crate::outbox::{Attempted, Backlog, Delivery, DeliveryListing, Outbox};
use crate::retention::{Cutoffs, Removal, Retention};
use crate::row::{
    CancelOutcome, Claim, FileRow, Inserted, Listing, Loads, NewRequest, Once, Page, Progress,
    Published, RequestRow, StatusRow,
};
use crate::sharing::{Link, Sharing};
use crate::{Expired, Store, StoreError};

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nothing is done.
    Before,
    /// It is done, and not told.
    After,
}

/// A store whose calls fail as planned.
pub struct Faulty {
    inner: Arc<dyn Store>,
    /// Calls until the one that fails; 0 where none is planned.
    left: AtomicU64,
    plan: Mutex<(When, Option<&'static str>)>,
}

// === impl Faulty ===

impl Faulty {
    /// A store that does not fail yet.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, left: AtomicU64::new(0), plan: Mutex::new((When::Before, None)) }
    }

    /// The `n`th call from now (from 1) fails, and no other.
    pub fn fail_at(&self, n: u64, when: When) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = (when, None);
        self.left.store(n, Ordering::SeqCst);
    }

    /// Which call failed, if the plan was carried out; there is none any more afterwards.
    pub fn struck(&self) -> Option<&'static str> {
        self.left.store(0, Ordering::SeqCst);
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).1.take()
    }

    /// The store behind it.
    pub fn inner(&self) -> &dyn Store {
        self.inner.as_ref()
    }

    /// Whether this call is the one.
    fn strikes(&self, name: &'static str) -> Option<When> {
        let count = |left: u64| left.checked_sub(1);
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count).ok()?;
        if before != 1 {
            return None;
        }
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.1 = Some(name);
        Some(plan.0)
    }
}

fn failed<T>(name: &str) -> Result<T, StoreError> {
    Err(StoreError::Unavailable(format!("`{name}` was made to fail")))
}

/// A trait whose asynchronous methods hand their call on, or fail; the rest of it is given as it
/// is, in front.
macro_rules! faulty {
    ($trait:ident { $($plain:tt)* } $($name:ident($($arg:ident: $of:ty),* $(,)?) -> $out:ty;)*) => {
        #[async_trait]
        impl $trait for Faulty {
            $($plain)*
            $(
                async fn $name(&self, $($arg: $of),*) -> Result<$out, StoreError> {
                    match self.strikes(stringify!($name)) {
                        Some(When::Before) => failed(stringify!($name)),
                        Some(When::After) => {
                            let _done = self.inner.$name($($arg),*).await;
                            failed(stringify!($name))
                        }
                        None => self.inner.$name($($arg),*).await,
                    }
                }
            )*
        }
    };
}

faulty! {
    Store {
        fn changes(&self) -> watch::Receiver<u64> {
            self.inner.changes()
        }

        fn watch(&self, id: &RequestId) -> watch::Receiver<()> {
            self.inner.watch(id)
        }

        fn queued(&self) -> usize {
            self.inner.queued()
        }

        fn queue_moved(&self) -> Option<OrderKey> {
            self.inner.queue_moved()
        }
    }
    add_key(key: KeyRecord, hash: KeyHash) -> ();
    key_by_hash(hash: KeyHash) -> Option<KeyRecord>;
    keys(owner: Option<&OwnerId>) -> Vec<KeyRecord>;
    revoke_key(id: &KeyId, at: Timestamp) -> bool;
    rename_key(id: &KeyId, name: &str) -> bool;
    note_uses(uses: &[(KeyId, Timestamp)]) -> ();
    rotate_key(old: &KeyId, new: KeyId, hash: KeyHash, at: Timestamp) -> Option<KeyRecord>;
    insert(new: NewRequest) -> Inserted;
    replayed(owner: &OwnerId, once: &Once, now: Timestamp) -> Option<RequestId>;
    status(id: &RequestId) -> Option<StatusRow>;
    request(id: &RequestId) -> Option<RequestRow>;
    list(listing: Listing) -> Page;
    at_work(limit: u32) -> Vec<RequestRow>;
    last_ended(state: State, limit: u32) -> Vec<RequestRow>;
    cancel(id: &RequestId, force: bool, now: Timestamp) -> Option<CancelOutcome>;
    claim(stage: Stage, worker: &WorkerId, now: Timestamp, lease_secs: i64) -> Option<Claim>;
    extend(lease: &Lease, until: Timestamp, progress: Option<Progress>) -> ();
    inputs_kept(lease: &Lease, facts: Facts, warnings: Vec<String>, now: Timestamp) -> ();
    publish(lease: &Lease, published: Published, now: Timestamp) -> ();
    fail(lease: &Lease, failure: Failure, now: Timestamp) -> ();
    set_back(lease: &Lease, setback: Setback, why: &str, now: Timestamp) -> State;
    expire(now: Timestamp) -> Expired;
    void_leases(now: Timestamp) -> usize;
    next_wake_after(now: Timestamp) -> Option<Timestamp>;
    add_file(file: FileRow, key: &KeyId) -> ();
    file(token: &FileToken) -> Option<FileRow>;
    check() -> ();
    audit(now: Timestamp) -> Vec<Seen>;
}

faulty! {
    Accounts {
        fn loads(&self, owner: &OwnerId, key: &KeyId) -> Loads {
            self.inner.loads(owner, key)
        }
    }
    set_limits(subject: &Subject, limits: Limits) -> ();
    limits(subject: &Subject) -> Limits;
    usage(query: UsageQuery) -> Vec<UsageLine>;
    survey() -> Survey;
}

faulty! {
    Outbox {
        fn posted(&self) -> watch::Receiver<()> {
            self.inner.posted()
        }
    }
    take_deliveries(
        now: Timestamp, until: Timestamp, limit: u32, busy: &[OwnerId],
    ) -> Vec<Delivery>;
    settle_delivery(id: &str, attempt: u32, outcome: Attempted, now: Timestamp) -> ();
    next_delivery(now: Timestamp) -> Option<Timestamp>;
    backlog() -> Backlog;
    deliveries(listing: DeliveryListing) -> Vec<Delivery>;
    replay_delivery(owner: &OwnerId, id: &str, now: Timestamp) -> Option<Delivery>;
    secrets(owner: &OwnerId, fresh: &str, now: Timestamp) -> Vec<String>;
    rotate_secret(
        owner: &OwnerId, fresh: &str, now: Timestamp, overlap_until: Timestamp,
    ) -> ();
}

faulty! {
    Retention {}
    remove(owner: &OwnerId, id: &RequestId) -> Removal;
    retire(cutoffs: Cutoffs, limit: u32) -> usize;
    trash(limit: u32) -> Vec<String>;
    emptied(folders: Vec<String>) -> ();
}

faulty! {
    Sharing {}
    share(owner: &OwnerId, id: &RequestId, fresh: &ShareToken) -> Link;
    unshare(owner: &OwnerId, id: &RequestId) -> bool;
    link(id: &RequestId) -> Option<ShareToken>;
    shared(token: &ShareToken) -> Option<RequestRow>;
}
