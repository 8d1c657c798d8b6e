//! A server's folders and settings, which outlive it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::disk::Tmpfs;
use super::process::Machine;
use super::{reshoot, root, stderr, stdout};

/// Where a server keeps its data, over several lives.
pub(crate) struct Home {
    /// Goes before the folder that it is mounted in.
    disk: Option<Tmpfs>,
    dir: TempDir,
    pub(super) args: Vec<String>,
    pub(super) machine: Machine,
}

// === impl Home ===

impl Home {
    /// An empty one. `hosts` are exempt from the rules for outgoing calls.
    pub(crate) fn new(hosts: &[String]) -> Self {
        let dir = tempfile::Builder::new().prefix("reshoot-e2e-").tempdir().unwrap();
        let mut args = Vec::new();
        for host in hosts {
            args.extend(["--allow-input-host".to_owned(), host.clone()]);
        }
        let home = Self { disk: None, dir, args, machine: Machine::default() };
        home.configure("");
        home
    }

    /// One whose catalogue has the made-up model of the catalogue's tests, too.
    pub(crate) fn with_second_model(hosts: &[String]) -> Self {
        let home = Self::new(hosts);
        let models = root().join("crates/catalog/tests/models");
        home.models(&models);
        home
    }

    /// Adds a folder of models to the catalogue.
    pub(crate) fn models(&self, dir: &Path) {
        self.configure(&format!("models_dir = '{}'\n", dir.display()));
    }

    /// Replaces `reshoot.toml`.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.config(), text).unwrap();
    }

    /// Adds a line to `reshoot.toml`, or replaces the one for the same key.
    pub(crate) fn set(&self, line: &str) {
        let key = line.split('=').next().unwrap();
        let text = std::fs::read_to_string(self.config()).unwrap();
        let others = text.lines().filter(|other| !other.starts_with(key));
        let lines: Vec<&str> = std::iter::once(line).chain(others).collect();
        self.configure(&lines.join("\n"));
    }

    /// Adds a flag.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.args.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Gives the data folder a small disk of its own; why that is not allowed, if it is not.
    pub(crate) fn on_small_disk(mut self, mib: u32) -> Result<Self, String> {
        std::fs::create_dir_all(self.data()).unwrap();
        self.disk = Some(Tmpfs::mount(&self.data(), mib)?);
        Ok(self)
    }

    /// The disk of [`Self::on_small_disk`].
    pub(crate) fn disk(&self) -> &Tmpfs {
        self.disk.as_ref().unwrap()
    }

    /// Runs on such a machine.
    pub(crate) fn on(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// `reshoot serve` where it is expected to end at once.
    pub(crate) fn refuses_to_serve(&self) -> std::process::Output {
        let (config, data) = (self.config(), self.data());
        let place = ["--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
        let mut command = self.machine.command();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(place).output().unwrap()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("reshoot.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// All regular files below a folder of the data folder.
    pub(crate) fn files_under(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.data().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// Makes a key with the command line, beside a server that may be running.
    pub(crate) fn create_key(&self, name: &str) -> String {
        self.keys(&["create", name])
    }

    /// `reshoot keys …`; what it prints.
    pub(crate) fn keys(&self, args: &[&str]) -> String {
        let data = self.data();
        let place = ["--data", data.to_str().unwrap()];
        let output = reshoot(&[&["keys"], args, &place].concat());
        assert!(output.status.success(), "keys {args:?}: {}", stderr(&output));
        stdout(&output)
    }
}

/// Files by their names below a folder, for messages.
pub(crate) fn names(files: &[PathBuf], below: &Path) -> Vec<String> {
    files
        .iter()
        .map(|file| file.strip_prefix(below).unwrap_or(file).display().to_string())
        .collect()
}
