//! The one thread that writes.
//!
//! Callers send a job and wait. The thread takes what has come (at most [`BATCH_MAX`] jobs),
//! applies each in a savepoint, commits once, brings the queue in memory and the counter of changes
//! in step, then answers all: the cost of a durable commit is shared by everybody who waits for one. If the commit
//! fails nobody is told that something happened, and the queue in memory was never touched.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use domain::queue::FairClock;
use domain::{OrderKey, OwnerId, Priority, QueueIndex, State};
use rusqlite::Connection;
use store::{StoreError, line};
use tokio::sync::{oneshot, watch};

use crate::fault::Fault;

/// At most this many jobs share one commit: a bound on the wait of the first of them.
const BATCH_MAX: usize = 256;

/// What readers and the writer share.
pub(crate) struct Shared {
    index: RwLock<QueueIndex>,
    pub(crate) changes: watch::Sender<u64>,
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
    moves: Vec<(OrderKey, Option<State>, State)>,
    places: Vec<(Priority, OwnerId, i64)>,
    named: Vec<String>,
    /// Whether a request changed without a move.
    touched: bool,
}

/// How far [`Effects`] had come.
struct Mark {
    moves: usize,
    places: usize,
    named: usize,
    last_seq: i64,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(index: QueueIndex) -> Self {
        Self { index: RwLock::new(index), changes: watch::Sender::new(0) }
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, QueueIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
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
        let (names, effects) = (HashMap::new(), Effects::default());
        Self { conn, clock, last_seq, names, effects, shared }
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

    /// A request went from one state to another; the queue hears of it after the commit.
    pub(crate) fn moved(&mut self, key: OrderKey, before: Option<State>, after: State) {
        self.effects.moves.push((key, before, after));
    }

    /// A request changed and stayed where it was.
    pub(crate) fn touched(&mut self) {
        self.effects.touched = true;
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
        let changed = self.settle();
        if changed {
            self.shared.changes.send_modify(|count| *count += 1);
        }
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
        let Effects { moves, places, named, .. } = &self.effects;
        let (moves, places, named) = (moves.len(), places.len(), named.len());
        Mark { moves, places, named, last_seq: self.last_seq }
    }

    fn undo_to(&mut self, mark: &Mark) {
        self.effects.moves.truncate(mark.moves);
        for (priority, owner, finish) in self.effects.places.drain(mark.places..).rev() {
            self.clock.take_back(priority, &owner, finish);
        }
        for text in self.effects.named.drain(mark.named..) {
            self.names.remove(&text);
        }
        self.last_seq = mark.last_seq;
    }

    /// Brings the queue in memory in step with what was committed; whether a request changed.
    fn settle(&mut self) -> bool {
        let effects = std::mem::take(&mut self.effects);
        if !effects.moves.is_empty() {
            let mut index = self.shared.index.write().unwrap_or_else(PoisonError::into_inner);
            for (key, before, after) in &effects.moves {
                line::moved(&mut index, &mut self.clock, key, *before, *after);
            }
        }
        effects.touched || !effects.moves.is_empty()
    }
}
