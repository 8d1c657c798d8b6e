//! Opening a data folder: its lock, its connections, its version.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::fault::advice;

/// The database's name in the data folder.
pub(crate) const DATABASE: &str = "reshoot.db";
/// Held by the one server of a data folder for as long as it lives.
const LOCK: &str = "serve.lock";

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared on each connection.
const STATEMENTS: usize = 64;

/// The numbered steps from an empty file to the present form; a step is never edited once it
/// was released.
const MIGRATIONS: [&str; 5] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_queue.sql"),
    include_str!("../migrations/0003_clock.sql"),
    include_str!("../migrations/0004_share.sql"),
    include_str!("../migrations/0005_operators.sql"),
];

/// What the store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// As the one server of this folder: everything.
    Serve,
    /// Beside a server that may be running: keys and reading only. Positions are read from the
    /// database at each call, which is slow with a long queue.
    Beside,
}

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server has it.
    #[error(
        "another server (process {process}) uses the data folder `{}`: stop it, or give this one another folder",
        folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The process that wrote the lock file; `unknown` if it cannot be read.
        process: String,
    },
    /// It was written by a later version.
    #[error(
        "the database in `{}` has version {found}, this program knows {known}: use the newer program, or another folder",
        folder.display()
    )]
    Newer {
        /// The data folder.
        folder: PathBuf,
        /// The database's version.
        found: usize,
        /// The latest version that this program knows.
        known: usize,
    },
    /// It was written by an earlier version, and the server that did so is running.
    #[error(
        "the database in `{}` has version {found}, this program needs {known}, and an older server is using it: stop that first",
        folder.display()
    )]
    OlderInUse {
        /// The data folder.
        folder: PathBuf,
        /// The database's version.
        found: usize,
        /// The version that this program needs.
        known: usize,
    },
    /// The folder or a file in it cannot be made, read or written.
    #[error("the data folder `{}` cannot be used: {source}", folder.display())]
    Folder {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database cannot be read or written.
    #[error("the database in `{}` cannot be used: {reason}", folder.display())]
    Database {
        /// The data folder.
        folder: PathBuf,
        /// What to do.
        reason: String,
    },
}

/// Takes the folder's lock; it is let go when the file is dropped or the process dies.
pub(crate) fn lock(folder: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Folder { folder: folder.to_owned(), source };
    let path = folder.join(LOCK);
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = options.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(source)) => return Err(failed(source)),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let known = file.read_to_string(&mut text).is_ok() && !text.trim().is_empty();
            let process = if known { text.trim().to_owned() } else { "unknown".to_owned() };
            return Err(OpenError::InUse { folder: folder.to_owned(), process });
        }
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

/// Makes the folder if it is not there.
pub(crate) fn make_folder(folder: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(folder)
        .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })
}

/// The one connection that writes, brought to the present version.
pub(crate) fn writer(folder: &Path, mode: OpenMode) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| failed(folder, &error);
    let mut connection = Connection::open(folder.join(DATABASE)).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A number that this program does not know must be found before anything is written.
    version(folder, &connection)?;
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                   PRAGMA foreign_keys = ON; PRAGMA cache_size = -8000; \
                   PRAGMA journal_size_limit = 67108864;";
    connection.execute_batch(pragmas).map_err(failed)?;
    migrate(folder, &mut connection, mode)?;
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn reader(folder: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(folder.join(DATABASE), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    };
    open().map_err(|error| failed(folder, &error))
}

/// The database's version: the number of migrations it has seen.
fn version(folder: &Path, connection: &Connection) -> Result<usize, OpenError> {
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| failed(folder, &error))?;
    let (found, known) = (usize::try_from(found).unwrap_or(usize::MAX), MIGRATIONS.len());
    if found > known {
        return Err(OpenError::Newer { folder: folder.to_owned(), found, known });
    }
    Ok(found)
}

/// Runs the migrations that the database has not seen, all in one transaction.
///
/// Beside a server only a file that is new is touched: changing an older one under a running
/// server of its age would break that.
fn migrate(folder: &Path, connection: &mut Connection, mode: OpenMode) -> Result<(), OpenError> {
    let known = MIGRATIONS.len();
    let found = version(folder, connection)?;
    if found == known {
        return Ok(());
    }
    let _alone = match mode {
        OpenMode::Beside if found > 0 => Some(lock(folder).map_err(|error| match error {
            OpenError::InUse { folder, .. } => OpenError::OlderInUse { folder, found, known },
            other => other,
        })?),
        OpenMode::Beside | OpenMode::Serve => None,
    };
    let failed = |error: rusqlite::Error| failed(folder, &error);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been first.
    let found = version(folder, &transaction)?;
    for sql in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(sql).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", known as i64).map_err(failed)?;
    transaction.commit().map_err(failed)
}

pub(crate) fn failed(folder: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::Database { folder: folder.to_owned(), reason: advice(error) }
}
