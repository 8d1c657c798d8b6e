//! How a server hears at once that another process changed keys.
//!
//! A file beside the database grows by one byte before such a change and by one after it. While
//! its length is odd a change is under way, or its process died in the middle: nothing that is
//! known of keys counts then. One that is even and has not grown means that nothing changed. To
//! read it costs one system call. Whoever changes holds a lock on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The file's name in the data folder.
pub(crate) const STAMP: &str = "keys.stamp";

/// A change that is under way.
pub(crate) struct Changing(File);

/// The stamp, unless a change is under way.
pub(crate) fn read(path: &Path) -> Option<u64> {
    let length = match std::fs::metadata(path) {
        Ok(data) => data.len(),
        // Nobody but the server has changed keys yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(_) => return None,
    };
    (length % 2 == 0).then_some(length)
}

// === impl Changing ===

impl Changing {
    /// Says that keys are about to change.
    pub(crate) fn begin(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.lock()?;
        // Odd already: a process died in the middle of its change.
        if file.metadata()?.len() % 2 == 0 {
            file.write_all(b".")?;
        }
        Ok(Self(file))
    }

    /// Says that they have changed.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.0.write_all(b".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_unreadable_during_a_change_and_after_one_that_died() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(STAMP);
        assert_eq!(read(&path), Some(0));
        let change = Changing::begin(&path).unwrap();
        assert_eq!(read(&path), None);
        change.end().unwrap();
        assert_eq!(read(&path), Some(2));
        drop(Changing::begin(&path).unwrap());
        assert_eq!(read(&path), None);
        Changing::begin(&path).unwrap().end().unwrap();
        assert_eq!(read(&path), Some(4));
    }
}
