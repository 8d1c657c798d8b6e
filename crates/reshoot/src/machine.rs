//! The machine's own clock, randomness, limits and signals: the only place that reads them.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Clock, Rng, Timestamp};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::Room;
use tokio::signal::unix::{SignalKind, signal};

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

/// The kernel's random source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KernelRng;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(since.as_micros() as i64)
    }
}

impl Rng for KernelRng {
    #[expect(clippy::expect_used, reason = "without randomness there are no keys: better to stop")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the kernel gives random bytes");
    }
}

/// The disk that the data folder is on.
#[derive(Debug, Clone)]
pub(crate) struct DataDisk {
    /// The data folder.
    pub folder: PathBuf,
    /// Bytes that have to stay free.
    pub reserve_bytes: u64,
}

impl Room for DataDisk {
    /// A disk that cannot be asked is found out by the first write to it.
    fn has_room(&self) -> bool {
        self.bytes().is_none_or(|(free, _)| free >= self.reserve_bytes)
    }

    fn bytes(&self) -> Option<(u64, u64)> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        Some((free, disk.f_blocks.saturating_mul(disk.f_frsize)))
    }
}

/// Files that this process asks to have open at most; more is of no use to it.
const OPEN_FILES_WANTED: u64 = 65_536;
/// Connections that a server has open at most: ten thousand event streams, and room for calls.
const CONNECTIONS_MAX: u64 = 16_384;

/// Lets this process, and those that it starts, open as many files as it wants and the system
/// allows, and says how many that are.
pub(crate) fn open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(OPEN_FILES_WANTED).min(OPEN_FILES_WANTED);
    if limit.current.is_some_and(|current| current < wanted) {
        // What it has already will do, too.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(OPEN_FILES_WANTED)
}

/// How many connections may be open where so many files may be: strangers who connect and say
/// nothing must not take the other half, without which accepted work fails.
pub(crate) fn most_connections(open_files: u64) -> usize {
    (open_files / 2).clamp(1, CONNECTIONS_MAX) as usize
}

/// Waits for Ctrl-C or SIGTERM; gives the signal's number.
pub(crate) async fn told_to_stop() -> std::io::Result<u8> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_half_of_the_descriptors_to_work() {
        let most = [0, 160, 1024, 1 << 30].map(most_connections);
        assert_eq!(most, [1, 80, 512, CONNECTIONS_MAX as usize]);
    }
}
