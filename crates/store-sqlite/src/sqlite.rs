//! [`SqliteStore`]: every method is one look or one job.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use async_trait::async_trait;
use domain::admission::DAY_SECS;
use domain::facts::Facts;
use domain::invariants::Seen;
use domain::key::{KeyHash, KeyRecord};
use domain::lease::{Lease, Setback, Stage};
use domain::{
    Failure, FileToken, KeyId, OrderKey, OwnerId, QueueIndex, RequestId, State, Timestamp, WorkerId,
};
use rusqlite::Connection;
use store::row::{
    CancelOutcome, Claim, FileRow, Inserted, Listing, NewRequest, Once, Page, Progress, Published,
    RequestRow, StatusRow,
};
use store::{Expired, Store, StoreError, transition};
use tokio::sync::{oneshot, watch};

use crate::fault::Fault;
use crate::open::{self, OpenError, OpenMode};
use crate::polled::{Polled, Stand};
use crate::queue::{self, Restored};
use crate::readers::Readers;
use crate::stamp::Stamp;
use crate::writer::{Job, Pending, Shared, Writer};
use crate::{accounts, files, keys, operators, requests};

/// The store of one data folder.
///
/// Dropping it waits for the jobs that were handed in, then lets the folder go.
pub struct SqliteStore {
    mode: OpenMode,
    shared: Arc<Shared>,
    readers: Readers,
    pub(crate) jobs: mpsc::Sender<Job>,
    thread: Option<JoinHandle<()>>,
    /// Let go when the writer's thread is gone.
    _lock: Option<File>,
}

// === impl SqliteStore ===

impl SqliteStore {
    /// Opens the database in the folder at `path`, and makes both if they are not there.
    ///
    /// Reads the whole queue.
    pub fn open(path: &Path, mode: OpenMode) -> Result<Self, OpenError> {
        open::make_folder(path)?;
        let lock = match mode {
            OpenMode::Serve => Some(open::lock(path)?),
            OpenMode::Beside => None,
        };
        let conn = open::writer(path, mode)?;
        let readers = Readers::open(path)?;
        let Restored { index, clock, ledger, last_seq } = match mode {
            OpenMode::Serve => queue::restore(&conn).map_err(|fault| OpenError::Database {
                folder: path.to_owned(),
                reason: fault.to_string(),
            })?,
            OpenMode::Beside => Restored::default(),
        };
        let shared = Arc::new(Shared::new(index, ledger, Polled::new(Stamp::of(path))));
        let writer = Writer::new(conn, clock, last_seq, Arc::clone(&shared));
        let (jobs, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|source| OpenError::Folder { folder: path.to_owned(), source })?;
        Ok(Self { mode, shared, readers, jobs, thread: Some(thread), _lock: lock })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn read<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        Ok(self.readers.read(look)?)
    }

    /// Hands a job in and waits until it is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Writer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, answer) = oneshot::channel();
        let pending = Pending { operation: Some(operation), out: None, caller };
        self.jobs.send(Job::Write(Box::new(pending))).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// [`Self::write`] for requests: only the server of the folder knows their order.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Writer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.mode {
            OpenMode::Serve => self.write(operation).await,
            OpenMode::Beside => Err(StoreError::Unavailable(
                "the data folder was opened beside its server: only keys and files can be changed"
                    .to_owned(),
            )),
        }
    }

    /// [`Self::write`] for keys and limits: what the server knows of them in memory counts no
    /// more, wherever this process stands.
    pub(crate) async fn write_keys<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Writer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let write = |writer: &mut Writer| {
            writer.keys_changed();
            operation(writer)
        };
        if self.mode == OpenMode::Serve {
            return self.write(write).await;
        }
        let changing = self.shared.polled.stamp().begin().map_err(StoreError::Unavailable)?;
        let out = self.write(write).await;
        changing.end().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        out
    }

    fn rank(&self, key: &OrderKey) -> Result<u64, StoreError> {
        match self.mode {
            OpenMode::Serve => Ok(self.shared.index().rank(key)),
            OpenMode::Beside => Ok(self.read(queue::index)?.rank(key)),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let _ended = self.jobs.send(Job::Stop);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("its writer has stopped: restart the server".to_owned())
}

// === impl Store for SqliteStore ===

#[async_trait]
impl Store for SqliteStore {
    async fn add_key(&self, key: KeyRecord, hash: KeyHash) -> Result<(), StoreError> {
        self.write_keys(move |writer| keys::add(&writer.conn, &key, hash)).await
    }

    async fn key_by_hash(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        let polled = &self.shared.polled;
        if let Some(key) = polled.key(&hash) {
            return Ok(Some(key));
        }
        let before = polled.before_key();
        let found = self.read(|conn| keys::by_hash(conn, hash))?;
        if let (Some(key), Some(before)) = (&found, before) {
            polled.keep_key(hash, key, before);
        }
        Ok(found)
    }

    async fn keys(&self, owner: Option<&OwnerId>) -> Result<Vec<KeyRecord>, StoreError> {
        self.read(|conn| keys::all(conn, owner))
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write_keys(move |writer| keys::revoke(&writer.conn, &id, at)).await
    }

    async fn rename_key(&self, id: &KeyId, name: &str) -> Result<bool, StoreError> {
        let (id, name) = (id.clone(), name.to_owned());
        self.write_keys(move |writer| keys::rename(&writer.conn, &id, &name)).await
    }

    async fn note_uses(&self, uses: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        // What is known of keys in memory stays: nobody is let in or kept out by it.
        self.write(move |writer| keys::note_uses(&writer.conn, &uses)).await
    }

    async fn rotate_key(
        &self,
        old: &KeyId,
        new: KeyId,
        hash: KeyHash,
        at: Timestamp,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let old = old.clone();
        self.write_keys(move |writer| keys::rotate(&writer.conn, &old, new, hash, at)).await
    }

    async fn insert(&self, new: NewRequest) -> Result<Inserted, StoreError> {
        let mut inserted = self.change(move |writer| requests::insert(writer, new)).await?;
        if let Some(status) = self.status(&inserted.status.id).await? {
            inserted.status = status;
        }
        Ok(inserted)
    }

    async fn replayed(
        &self,
        owner: &OwnerId,
        once: &Once,
        now: Timestamp,
    ) -> Result<Option<RequestId>, StoreError> {
        self.read(|conn| requests::replayed(conn, owner.as_str(), once, now))
    }

    async fn status(&self, id: &RequestId) -> Result<Option<StatusRow>, StoreError> {
        let polled = &self.shared.polled;
        let stand = if let Some(stand) = polled.stand(id) {
            stand
        } else {
            let generation = polled.generation();
            let Some(stand) = self.read(|conn| requests::stand(conn, id))? else {
                return Ok(None);
            };
            // Beside its server nobody corrects what is kept.
            if self.mode == OpenMode::Serve {
                polled.keep(id, stand.clone(), generation);
            }
            stand
        };
        let Stand { owner, state, order } = stand;
        let position = if state.is_queued() { Some(self.rank(&order)?) } else { None };
        Ok(Some(StatusRow { id: id.clone(), owner, state, position }))
    }

    async fn request(&self, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
        self.read(|conn| requests::request(conn, id))
    }

    async fn list(&self, listing: Listing) -> Result<Page, StoreError> {
        self.read(|conn| requests::list(conn, &listing))
    }

    async fn at_work(&self, limit: u32) -> Result<Vec<RequestRow>, StoreError> {
        self.read(|conn| operators::at_work(conn, limit))
    }

    async fn last_ended(&self, state: State, limit: u32) -> Result<Vec<RequestRow>, StoreError> {
        self.read(|conn| operators::last_ended(conn, state, limit))
    }

    async fn cancel(
        &self,
        id: &RequestId,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<CancelOutcome>, StoreError> {
        let id = id.clone();
        self.change(move |writer| requests::cancel(writer, &id, force, now)).await
    }

    async fn claim(
        &self,
        stage: Stage,
        worker: &WorkerId,
        now: Timestamp,
        lease_secs: i64,
    ) -> Result<Option<Claim>, StoreError> {
        let worker = worker.clone();
        self.change(move |writer| requests::claim(writer, stage, &worker, now, lease_secs)).await
    }

    async fn extend(
        &self,
        lease: &Lease,
        until: Timestamp,
        progress: Option<Progress>,
    ) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.change(move |writer| requests::extend(writer, &lease, until, progress)).await
    }

    async fn inputs_kept(
        &self,
        lease: &Lease,
        facts: Facts,
        warnings: Vec<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.change(move |writer| requests::inputs_kept(writer, &lease, facts, warnings, now)).await
    }

    async fn publish(
        &self,
        lease: &Lease,
        published: Published,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.change(move |writer| requests::publish(writer, &lease, published, now)).await
    }

    async fn fail(
        &self,
        lease: &Lease,
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.change(move |writer| {
            requests::leased(writer, &lease, |row| transition::fail(row, &lease, failure, now))
        })
        .await
    }

    async fn set_back(
        &self,
        lease: &Lease,
        setback: Setback,
        why: &str,
        now: Timestamp,
    ) -> Result<State, StoreError> {
        let (lease, why) = (lease.clone(), why.to_owned());
        self.change(move |writer| {
            requests::leased(writer, &lease, |row| {
                transition::set_back(row, &lease, setback, &why, now)
            })
        })
        .await
    }

    async fn expire(&self, now: Timestamp) -> Result<Expired, StoreError> {
        self.change(move |writer| requests::expire(writer, now)).await
    }

    async fn void_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.change(move |writer| requests::void(writer, now)).await
    }

    async fn next_wake_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| requests::next_wake(conn, now))
    }

    async fn add_file(&self, file: FileRow, key: &KeyId) -> Result<(), StoreError> {
        let key = key.clone();
        self.write(move |writer| {
            files::add(&writer.conn, &file)?;
            let day = file.created_at.unix_secs().div_euclid(DAY_SECS);
            accounts::add_bytes(writer, (&file.owner, &key), day, file.bytes)
        })
        .await
    }

    async fn file(&self, token: &FileToken) -> Result<Option<FileRow>, StoreError> {
        self.read(|conn| files::find(conn, token))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn watch(&self, id: &RequestId) -> watch::Receiver<()> {
        self.shared.watchers.watch(id)
    }

    fn queued(&self) -> usize {
        match self.mode {
            OpenMode::Serve => self.shared.index().len(),
            OpenMode::Beside => self.read(requests::queued).unwrap_or(0),
        }
    }

    fn queue_moved(&self) -> Option<OrderKey> {
        self.shared.index_mut().take_moved()
    }

    async fn check(&self) -> Result<(), StoreError> {
        let probe = "UPDATE probe SET checks = checks + 1";
        self.write(move |writer| Ok(writer.conn.prepare_cached(probe)?.execute([])?)).await?;
        let sql = "SELECT checks FROM probe";
        self.read(|conn| Ok(conn.prepare_cached(sql)?.query_row([], |_| Ok(()))?))
    }

    async fn audit(&self, now: Timestamp) -> Result<Vec<Seen>, StoreError> {
        let (caller, answer) = oneshot::channel();
        let mode = self.mode;
        let look = move |conn: &Connection, index: &QueueIndex| {
            let seen = match mode {
                OpenMode::Serve => requests::audit(conn, index, now),
                OpenMode::Beside => {
                    queue::index(conn).and_then(|index| requests::audit(conn, &index, now))
                }
            };
            // A caller who went away does not want to know.
            let _gone = caller.send(seen.map_err(StoreError::from));
        };
        self.jobs.send(Job::Look(Box::new(look))).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}
