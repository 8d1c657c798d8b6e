//! The embedded store: one SQLite database in the data folder.
//!
//! One thread owns the one connection that writes and commits for many callers at once
//! (`writer`); reads run on connections of their own (`readers`). The rules are those of
//! [`store::transition`]; this crate adds durability (`synchronous = FULL`), order (an index in
//! memory, rebuilt from one index scan at the start, `queue`) and one server per folder (`open`).
//!
//! # What a poll sees
//!
//! A status is read in two steps: the row (from the database, or from what `polled` knows of it),
//! then the rank of its key in memory. A change that is committed between the two moves the rank, or takes the key out: the answer
//! is then the state of a moment ago with the rank that its key has now, or would have, so a
//! queued request always has a position. Nothing that was acknowledged before the poll is
//! missing from it.

mod accounts;
mod codec;
mod fault;
mod files;
mod keys;
mod open;
mod operators;
mod outbox;
mod polled;
mod queue;
mod readers;
mod requests;
mod retention;
mod sharing;
mod sqlite;
mod stamp;
mod writer;

#[cfg(test)]
mod tests;

pub use open::{OpenError, OpenMode};
pub use sqlite::SqliteStore;
