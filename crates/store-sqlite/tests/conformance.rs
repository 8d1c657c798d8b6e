//! The embedded store passes the suite.
#![expect(clippy::unwrap_used, reason = "a failed call is a failed test")]

use store_sqlite::{OpenMode, SqliteStore};

fn empty() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(folder.path(), OpenMode::Serve).unwrap(), folder)
}

store::conformance_suite!(empty);
