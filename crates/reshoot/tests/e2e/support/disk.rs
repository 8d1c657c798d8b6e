//! What is on the disk of a server, and disks that are small.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::home::{Home, names};

/// A small disk in memory; dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Tmpfs(PathBuf);

/// What takes up the room of a disk; dropped, it gives it back.
pub(crate) struct Filler(PathBuf);

// === impl Tmpfs ===

impl Tmpfs {
    /// Mounts one; says why where that is not allowed.
    pub(crate) fn mount(at: &Path, mib: u32) -> Result<Self, String> {
        let size = format!("size={mib}m");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at))?;
        Ok(Self(at.to_owned()))
    }

    /// Makes it read-only, or not; says why where that cannot be done now.
    pub(crate) fn read_only(&self, on: bool) -> Result<(), String> {
        let how = if on { "remount,ro" } else { "remount,rw" };
        run(Command::new("mount").args(["-o", how]).arg(&self.0))
    }

    /// Takes up all its room to the last byte.
    pub(crate) fn fill(&self) -> Filler {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for bytes in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0; bytes]).is_ok() {}
        }
        Filler(path)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: whoever has files open there may end after this.
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

// === impl Filler ===

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a program to its end; what it complained of.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let words = || format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(()) } else { Err(words()) }
}

/// Files that no row can name: half-written ones, and those of a request's earlier epochs.
pub(crate) fn leftovers(home: &Home) -> Vec<String> {
    let files = home.files_under("files");
    let paths = names(&files, &home.data().join("files"));
    let epoch = |path: &str| -> Option<(String, u64)> {
        let mut parts = path.splitn(4, '/');
        let of = format!("{}/{}", parts.next()?, parts.next()?);
        Some((of, parts.next()?.parse().ok()?))
    };
    let last = |of: &str| {
        paths.iter().filter_map(|path| epoch(path)).filter(|(other, _)| other == of).max()
    };
    let dead = |path: &str| epoch(path).is_some_and(|at| last(&at.0).as_ref() > Some(&at));
    paths.iter().filter(|path| path.contains('#') || dead(path)).cloned().collect()
}
