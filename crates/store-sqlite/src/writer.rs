//! The one thread that writes.
//!
//! Callers send a job and wait. The thread takes what has come (at most [`BATCH_MAX`] jobs),
//! applies each in a savepoint, commits once, brings the queue in memory and the counter of changes
//! in step, then answers all: the cost of a durable commit is shared by everybody who waits for
//! one. If the commit fails nobody is told that something happened, and the queue in memory was
//! never touched.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::admission::Step;
use domain::queue::FairClock;
use domain::usage::Microdollars;
use domain::{KeyId, OrderKey, OwnerId, Priority, QueueIndex, RequestId, State};
use foldhash::HashMap;
use rusqlite::Connection;
use store::ledger::{Ledger, Parties};
use store::watchers::Watchers;
use store::{RequestRow, StoreError, line};
use tokio::sync::{oneshot, watch};

use crate::fault::Fault;
use crate::polled::{Polled, Stand};

/// At most this many jobs share one commit: a bound on the wait of the first of them.
const BATCH_MAX: usize = 256;

/// What readers and the writer share.
pub(crate) struct Shared {
    index: RwLock<QueueIndex>,
    ledger: RwLock<Ledger>,
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) posted: watch::Sender<()>,
    pub(crate) watchers: Watchers,
    pub(crate) polled: Polled,
}

/// What may be done with the database and the queue while nobody changes either.
type Look = Box<dyn FnOnce(&Connection, &QueueIndex) + Send>;

/// One thing to do on the writer's thread.
pub(crate) enum Job {
    /// Inside the batch's transaction.
    Write(Box<dyn Work>),
    /// After it, when the queue in memory and the database say the same.
    Look(Look),
    /// End the thread.
    Stop,
}

/// A job of the kind that writes, with the caller who waits for it.
pub(crate) trait Work: Send {
    /// Does it; the answer is kept until the commit. Says why it failed, if it did.
    fn apply(&mut self, writer: &mut Writer) -> Result<(), String>;
    /// Tells the caller: the answer kept, or why the whole batch was lost.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

/// An operation, its answer once there is one, and who waits for it.
pub(crate) struct Pending<T, F> {
    pub(crate) operation: Option<F>,
    pub(crate) out: Option<Result<T, StoreError>>,
    pub(crate) caller: oneshot::Sender<Result<T, StoreError>>,
}

/// The write connection, and what is known beside it.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    clock: FairClock,
    /// As the transaction under way would leave it.
    ledger: Ledger,
    last_seq: i64,
    /// Numbers of the texts in table `name`.
    names: HashMap<String, i64>,
    effects: Effects,
    shared: Arc<Shared>,
}

/// What the batch did so far that the database's rollback does not undo, or that waits for its
/// commit.
#[derive(Default)]
struct Effects {
    done: Vec<Effect>,
    places: Vec<(Priority, OwnerId, i64)>,
    named: Vec<String>,
    /// Whether something changed that no effect tells of.
    touched: bool,
    /// Whether keys or limits changed.
    keys: bool,
    /// Whether a message was written or replayed.
    posted: bool,
}

/// One thing that happened to a request or an account.
enum Effect {
    /// A request is new, went to another state, or stayed in it.
    Moved(Box<Move>),
    /// A request's record was removed.
    Removed(RequestId),
    /// Bytes were taken in.
    Bytes { owner: OwnerId, key: KeyId, day: i64, bytes: u64 },
}

struct Move {
    id: RequestId,
    order: OrderKey,
    parties: Parties,
    step: Step,
}

/// How far [`Effects`] had come.
struct Mark {
    done: usize,
    places: usize,
    named: usize,
    last_seq: i64,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(index: QueueIndex, ledger: Ledger, polled: Polled) -> Self {
        Self {
            index: RwLock::new(index),
            ledger: RwLock::new(ledger),
            changes: watch::Sender::new(0),
            posted: watch::Sender::new(()),
            watchers: Watchers::default(),
            polled,
        }
    }

    pub(crate) fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, QueueIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, QueueIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Pending ===

impl<T, F> Work for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Writer) -> Result<T, Fault> + Send,
{
    fn apply(&mut self, writer: &mut Writer) -> Result<(), String> {
        let Some(operation) = self.operation.take() else { return Ok(()) };
        let out = operation(writer).map_err(StoreError::from);
        let failed = out.as_ref().err().map(ToString::to_string);
        self.out = Some(out);
        failed.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let lost = lost.map(|reason| Err(StoreError::Unavailable(reason.to_owned())));
        if let Some(out) = lost.or(self.out) {
            // A caller who went away does not want to know.
            let _gone = self.caller.send(out);
        }
    }
}

// === impl Writer ===

impl Writer {
    pub(crate) fn new(
        conn: Connection,
        clock: FairClock,
        last_seq: i64,
        shared: Arc<Shared>,
    ) -> Self {
        let (names, effects) = (HashMap::default(), Effects::default());
        let ledger = shared.ledger().clone();
        Self { conn, clock, ledger, last_seq, names, effects, shared }
    }

    /// Works until it is told to stop, or nobody is left who could.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let (mut works, mut looks) = (Vec::new(), Vec::new());
            let mut stop = false;
            let mut next = jobs.recv().map_err(|_| TryRecvError::Disconnected);
            loop {
                match next {
                    Ok(Job::Write(work)) => works.push(work),
                    Ok(Job::Look(look)) => looks.push(look),
                    Ok(Job::Stop) | Err(TryRecvError::Disconnected) => stop = true,
                    Err(TryRecvError::Empty) => break,
                }
                if stop || works.len() >= BATCH_MAX {
                    break;
                }
                next = jobs.try_recv();
            }
            self.batch(works);
            for look in looks {
                look(&self.conn, &self.shared.index());
            }
            if stop {
                return;
            }
        }
    }

    /// A place for a new request.
    pub(crate) fn place(&mut self, priority: Priority, owner: &OwnerId) -> OrderKey {
        self.last_seq += 1;
        let finish = self.clock.next(priority, owner);
        self.effects.places.push((priority, owner.clone(), finish));
        OrderKey { priority, finish, seq: self.last_seq }
    }

    /// A request is new, went from one state to another, or changed in it; what is in memory
    /// hears of it after the commit.
    pub(crate) fn moved(&mut self, before: Option<State>, row: &RequestRow, cost: Microdollars) {
        let step = Step { before, after: row.state, price: row.price, cost };
        let parties = Parties::of(row);
        self.ledger.take(&parties, &step);
        let (id, order) = (row.id.clone(), row.order);
        self.effects.done.push(Effect::Moved(Box::new(Move { id, order, parties, step })));
    }

    /// A request's record is gone.
    pub(crate) fn removed(&mut self, id: &RequestId) {
        self.effects.done.push(Effect::Removed(id.clone()));
    }

    /// Bytes were taken in on `day`.
    pub(crate) fn add_bytes(&mut self, owner: &OwnerId, key: &KeyId, day: i64, bytes: u64) {
        self.ledger.add_bytes(owner, key, day, bytes);
        let (owner, key) = (owner.clone(), key.clone());
        self.effects.done.push(Effect::Bytes { owner, key, day, bytes });
    }

    /// What everybody has going on, as the transaction under way would leave it.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Something changed that those who wait for changes should look at.
    pub(crate) fn touched(&mut self) {
        self.effects.touched = true;
    }

    /// A message was written or replayed.
    pub(crate) fn posted(&mut self) {
        self.effects.posted = true;
    }

    /// Keys or limits changed.
    pub(crate) fn keys_changed(&mut self) {
        self.effects.keys = true;
    }

    /// The number of `text` in table `name`, which gets it if it has not.
    pub(crate) fn name(&mut self, text: &str) -> Result<i64, Fault> {
        if let Some(number) = self.names.get(text) {
            return Ok(*number);
        }
        self.conn
            .prepare_cached("INSERT INTO name (text) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([text])?;
        let number = self
            .conn
            .prepare_cached("SELECT n FROM name WHERE text = ?1")?
            .query_row([text], |row| row.get(0))?;
        self.names.insert(text.to_owned(), number);
        self.effects.named.push(text.to_owned());
        Ok(number)
    }

    fn batch(&mut self, mut works: Vec<Box<dyn Work>>) {
        if works.is_empty() {
            return;
        }
        let start = self.mark();
        let lost = self.transact(&mut works).err();
        if let Some(reason) = &lost {
            tracing::error!(jobs = works.len(), reason, "a commit failed");
            self.undo_to(&start);
            self.effects.touched = false;
        }
        self.settle();
        for work in works {
            work.answer(lost.as_deref());
        }
    }

    /// All of `works` in one transaction; why it was lost, if it was.
    fn transact(&mut self, works: &mut [Box<dyn Work>]) -> Result<(), String> {
        self.sql("BEGIN IMMEDIATE")?;
        let out = works.iter_mut().try_for_each(|work| self.step(work.as_mut()));
        let out = out.and_then(|()| self.sql("COMMIT"));
        if out.is_err() && !self.conn.is_autocommit() {
            self.sql("ROLLBACK")?;
        }
        out
    }

    /// One job in its savepoint. Fails only if that took the whole transaction with it.
    fn step(&mut self, work: &mut dyn Work) -> Result<(), String> {
        let mark = self.mark();
        self.sql("SAVEPOINT step")?;
        if let Err(reason) = work.apply(self) {
            // SQLite ends the transaction by itself after some faults of the disk.
            if self.conn.is_autocommit() {
                return Err(reason);
            }
            self.sql("ROLLBACK TO step")?;
            self.undo_to(&mark);
        }
        self.sql("RELEASE step")
    }

    fn sql(&self, text: &str) -> Result<(), String> {
        let run = || self.conn.prepare_cached(text)?.execute([]);
        run().map(drop).map_err(|error| Fault::Sql(error).to_string())
    }

    fn mark(&self) -> Mark {
        let Effects { done, places, named, .. } = &self.effects;
        let (done, places, named) = (done.len(), places.len(), named.len());
        Mark { done, places, named, last_seq: self.last_seq }
    }

    fn undo_to(&mut self, mark: &Mark) {
        for effect in self.effects.done.drain(mark.done..).rev() {
            match effect {
                Effect::Moved(moved) => self.ledger.undo(&moved.parties, &moved.step),
                Effect::Bytes { owner, key, day, bytes } => {
                    self.ledger.undo_bytes(&owner, &key, day, bytes);
                }
                Effect::Removed(_) => {}
            }
        }
        for (priority, owner, finish) in self.effects.places.drain(mark.places..).rev() {
            self.clock.take_back(priority, &owner, finish);
        }
        for text in self.effects.named.drain(mark.named..) {
            self.names.remove(&text);
        }
        self.last_seq = mark.last_seq;
    }

    /// Brings what is in memory in step with what was committed, and tells those who wait.
    fn settle(&mut self) {
        let effects = std::mem::take(&mut self.effects);
        let shared = Arc::clone(&self.shared);
        if effects.posted {
            shared.posted.send_replace(());
        }
        if effects.keys {
            shared.polled.settled();
            shared.polled.forget_keys();
        }
        if effects.done.is_empty() {
            if effects.touched {
                shared.changes.send_modify(|count| *count += 1);
            }
            return;
        }
        {
            let mut index = shared.index_mut();
            for effect in &effects.done {
                if let Effect::Moved(moved) = effect {
                    let Move { order, step, .. } = &**moved;
                    line::moved(&mut index, &mut self.clock, order, step.before, step.after);
                }
            }
        }
        // After the queue: who sees a request queued finds it there.
        shared.polled.settled();
        let mut ledger = shared.ledger.write().unwrap_or_else(PoisonError::into_inner);
        for effect in &effects.done {
            match effect {
                Effect::Moved(moved) => {
                    let Move { id, order, parties, step } = &**moved;
                    ledger.take(parties, step);
                    let (owner, order) = (parties.owner.clone(), *order);
                    shared.polled.moved(id, Stand { owner, state: step.after, order });
                }
                Effect::Removed(id) => shared.polled.removed(id),
                Effect::Bytes { owner, key, day, bytes } => {
                    ledger.add_bytes(owner, key, *day, *bytes);
                }
            }
        }
        drop(ledger);
        if effects.touched || effects.done.iter().any(|effect| effect.request().is_some()) {
            shared.changes.send_modify(|count| *count += 1);
        }
        shared.watchers.tell(effects.done.iter().filter_map(Effect::request));
    }
}

// === impl Effect ===

impl Effect {
    fn request(&self) -> Option<&RequestId> {
        match self {
            Self::Moved(moved) => Some(&moved.id),
            Self::Removed(id) => Some(id),
            Self::Bytes { .. } => None,
        }
    }
}
