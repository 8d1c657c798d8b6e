//! Looks into `/proc`: which processes belong to one server.

use std::path::Path;
use std::time::{Duration, Instant};

/// Bound of everything that is waited for here.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(5);

/// A living process of a server, other than the server itself.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: u32,
    pub(crate) command: String,
}

/// Processes that carry the server's data folder in their environment (engines inherit it) or on
/// their command line (ffmpeg, whose environment is emptied). Dead ones that nobody has collected
/// yet have neither.
pub(crate) fn of(data: &Path, server: u32) -> Vec<Child> {
    let data = data.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end, and another user's is none of ours.
        let read = |name| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        if pid != server && (command.contains(data) || environment.contains(data)) {
            found.push(Child { pid, command });
        }
    }
    found
}

/// Polls until `done` says so; what a client or an operator would do.
#[track_caller]
pub(crate) fn until<T>(what: &str, done: impl FnMut() -> Option<T>) -> T {
    until_or(|| what.to_owned(), done)
}

/// The same; `what` is asked for when patience is over.
#[track_caller]
pub(crate) fn until_or<T>(what: impl Fn() -> String, mut done: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "in {PATIENCE:?} there was not {}", what());
        std::thread::sleep(PAUSE);
    }
}

#[allow(clippy::disallowed_methods, reason = "patience with another process has no other clock")]
fn now() -> Instant {
    Instant::now()
}
