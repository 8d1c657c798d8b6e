//! Connections that read.
//!
//! A look-up by key takes microseconds, less than a hand-over to another thread would, so reads
//! run on the caller's thread; each waits for nobody but another reader of the same connection.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use rusqlite::Connection;

use crate::open::{self, OpenError};

/// A handful: more readers than cores do not read faster.
const CONNECTIONS: usize = 4;

/// The pool.
pub(crate) struct Readers {
    first: Mutex<Connection>,
    others: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

// === impl Readers ===

impl Readers {
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let first = Mutex::new(open::reader(folder)?);
        let others = (1..CONNECTIONS).map(|_| open::reader(folder).map(Mutex::new));
        Ok(Self { first, others: others.collect::<Result<_, _>>()?, turn: AtomicUsize::new(0) })
    }

    /// Runs `look` on a connection that nobody uses, or on one of them when it is free.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        for slot in std::iter::once(&self.first).chain(&self.others) {
            match slot.try_lock() {
                Ok(conn) => return look(&conn),
                Err(TryLockError::Poisoned(conn)) => return look(&conn.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let slot = turn.checked_sub(1).and_then(|at| self.others.get(at)).unwrap_or(&self.first);
        look(&slot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
