//! How a server hears at once that another process changed keys.
//!
//! A file beside the database grows by one byte before such a change and by one after it. While
//! its length is odd a change is under way, or its process died in the middle: nothing that is
//! known of keys counts then. One that is even and has not grown means that nothing changed. The
//! file is kept open, so that to look costs one short system call. Whoever changes holds a lock
//! on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file's name in the data folder.
const STAMP: &str = "keys.stamp";

/// The file, kept open.
pub(crate) struct Stamp {
    path: PathBuf,
    /// None where it cannot be had: nothing that is known of keys counts then.
    file: Option<File>,
}

/// A change that is under way.
pub(crate) struct Changing(File);

// === impl Stamp ===

impl Stamp {
    /// The stamp of a data folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let path = folder.join(STAMP);
        let file = open(&path).ok();
        Self { path, file }
    }

    /// How long it is, unless a change is under way.
    pub(crate) fn read(&self) -> Option<u64> {
        let data = self.file.as_ref()?.metadata().ok()?;
        // Without a name it is no more the one that others write to.
        (data.len() % 2 == 0 && data.nlink() > 0).then_some(data.len())
    }

    /// Says that keys are about to change.
    pub(crate) fn begin(&self) -> Result<Changing, String> {
        let begin = || {
            let mut file = open(&self.path)?;
            file.lock()?;
            // Odd already: a process died in the middle of its change.
            if file.metadata()?.len() % 2 == 0 {
                file.write_all(b".")?;
            }
            Ok(Changing(file))
        };
        begin().map_err(|error: io::Error| {
            format!("`{}` cannot be written: {error}", self.path.display())
        })
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

// === impl Changing ===

impl Changing {
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
        let stamp = Stamp::of(folder.path());
        assert_eq!(stamp.read(), Some(0));
        let change = stamp.begin().unwrap();
        assert_eq!(stamp.read(), None);
        change.end().unwrap();
        assert_eq!(stamp.read(), Some(2));
        drop(stamp.begin().unwrap());
        assert_eq!(stamp.read(), None);
        stamp.begin().unwrap().end().unwrap();
        assert_eq!(stamp.read(), Some(4));
    }

    #[test]
    fn is_unreadable_once_it_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp::of(folder.path());
        std::fs::remove_file(folder.path().join(STAMP)).unwrap();
        Stamp::of(folder.path()).begin().unwrap().end().unwrap();
        assert_eq!(stamp.read(), None);
        assert_eq!(Stamp::of(&folder.path().join("nowhere")).read(), None);
    }
}
