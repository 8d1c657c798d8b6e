//! A clock that a test sets: libfaketime between the server and the system's own.
//!
//! The server and its engines see it; ffmpeg, whose environment is emptied, sees the true time.
//! Time that passes (the monotonic clock) and the times of files stay what they are, as where an
//! operator or NTP sets the clock.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

/// A clock that is wrong by as much as a test says. Copies show the same.
#[derive(Debug, Clone)]
pub(crate) struct FalseClock {
    library: PathBuf,
    dir: Arc<TempDir>,
}

// === impl FalseClock ===

impl FalseClock {
    /// One that is right as yet; why there can be none, if there can be none.
    pub(crate) fn new() -> Result<Self, String> {
        let library = library().ok_or("there is no libfaketime")?;
        let clock = Self { library, dir: Arc::new(tempfile::tempdir().unwrap()) };
        clock.set(0);
        Ok(clock)
    }

    /// Sets it to so many seconds after true time, at once.
    pub(crate) fn set(&self, secs: i64) {
        let (file, fresh) = (self.file(), self.dir.path().join("fresh"));
        std::fs::write(&fresh, format!("{secs:+}s\n")).unwrap();
        // Renamed, so that whoever reads it finds one time or the other.
        std::fs::rename(fresh, file).unwrap();
    }

    /// Has a process and its children see it.
    pub(crate) fn show(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("offset")
    }
}

/// Where Debian's package puts it, in the folder of the machine's kind.
fn library() -> Option<PathBuf> {
    let kinds = std::fs::read_dir("/usr/lib").ok()?.flatten();
    let mut places = kinds.map(|kind| kind.path().join("faketime/libfaketime.so.1"));
    places.find(|place| place.is_file())
}

/// Removes what libfaketime shares among a process and its children, which a process that is
/// killed leaves behind.
pub(crate) fn clean_up(pid: u32) {
    for name in [format!("faketime_shm_{pid}"), format!("sem.faketime_sem_{pid}")] {
        let _ = std::fs::remove_file(Path::new("/dev/shm").join(name));
    }
}
