//! What went wrong in the database, in words that say what to do.

use rusqlite::ErrorCode;
use store::StoreError;

/// Why an operation inside a transaction did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// A rule refused it.
    #[error(transparent)]
    Refused(#[from] StoreError),
    /// SQLite refused it.
    #[error("{}", advice(.0))]
    Sql(#[from] rusqlite::Error),
    /// A stored value cannot be read.
    #[error("a stored value is damaged ({0}); restore the data folder from a backup")]
    Damaged(String),
}

// === impl Fault ===

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Sql(_) | Fault::Damaged(_) => Self::Unavailable(fault.to_string()),
        }
    }
}

/// Whether a row with this key is there already.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| {
        e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
            || e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    })
}

/// One sentence for the person who runs the server: what SQLite said, and what to do.
pub(crate) fn advice(error: &rusqlite::Error) -> String {
    let todo = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk of the data folder is full: free some space",
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied,
        ) => "the data folder cannot be written: give this user the right to write there",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process keeps the database locked: end it, or wait until it is done"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the database file is damaged: stop the server and restore the data folder from a backup"
        }
        Some(ErrorCode::CannotOpen) => {
            "the database file cannot be opened: check that the data folder exists, its rights, \
             and the limit of open files"
        }
        Some(ErrorCode::SystemIoFailure) => {
            "the disk reports errors: check it, and the kernel's log"
        }
        Some(ErrorCode::OutOfMemory) => "there is not enough memory: free some",
        _ => return error.to_string(),
    };
    format!("{todo} ({error})")
}
