//! Servers as processes of their own, pinned to one core.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};

/// The server's core; the load takes the other.
const SERVER_CORE: &str = "0";
const LOAD_CORE: usize = 1;
/// In what `/proc` counts processor time, on every Linux.
const TICK_MILLIS: u64 = 10;

/// A server that ends with this value.
pub(crate) struct Served {
    child: Child,
    address: SocketAddr,
    key: String,
    data: tempfile::TempDir,
    /// From the start of the process to its first line.
    pub(crate) started_in: Duration,
}

/// The load stays on its core, where the machine has two.
pub(crate) fn pin_to_load_core() {
    let mut cores = CpuSet::new();
    cores.set(LOAD_CORE);
    // On one core the two share it: the ratios still stand.
    let _ = sched_setaffinity(None, &cores);
}

/// On the server's core.
pub(crate) fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(program).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The release build beside this bench.
pub(crate) fn reshoot() -> PathBuf {
    env!("CARGO_BIN_EXE_reshoot").into()
}

impl Served {
    pub(crate) fn bare() -> Self {
        let mut command = pinned(&std::env::current_exe().unwrap());
        command.arg("bare");
        Self::spawn(command, tempfile::tempdir().unwrap(), String::new())
    }

    /// `reshoot serve` on an empty folder, with intake held.
    pub(crate) fn start(extra: &[&str]) -> Self {
        Self::on(folder(), extra)
    }

    /// The one or the other under callgrind, which writes to `out`.
    pub(crate) fn counted(out: &Path, real: bool) -> Self {
        let mut command = pinned(Path::new("valgrind"));
        command.args(["--quiet", "--tool=callgrind"]);
        command.arg(format!("--callgrind-out-file={}/%p", out.display()));
        if real {
            let (data, key) = with_key(folder());
            command.arg(reshoot()).args(["serve", "--listen", "127.0.0.1:0", "--workers", "0"]);
            command.arg("--data").arg(data.path());
            return Self::spawn(command, data, key);
        }
        command.arg(std::env::current_exe().unwrap()).arg("bare");
        Self::spawn(command, folder(), String::new())
    }

    /// `reshoot serve` on this folder.
    pub(crate) fn on(data: tempfile::TempDir, extra: &[&str]) -> Self {
        let (data, key) = with_key(data);
        let mut command = pinned(&reshoot());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        if !extra.contains(&"--workers") {
            command.args(["--workers", "0"]);
        }
        command.args(extra);
        Self::spawn(command, data, key)
    }

    fn spawn(mut command: Command, data: tempfile::TempDir, key: String) -> Self {
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
        let started_in = began.elapsed();
        // Whatever else it says must not block it.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self { child, address, key, data, started_in }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn resident_mib(&self) -> f64 {
        self.status("VmRSS:").into_values().max().unwrap_or(0) as f64 / 1024.0
    }

    /// Processor time that it has used so far.
    pub(crate) fn cpu_millis(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // What stands before the last bracket is the program's name.
        let fields = stat.rsplit_once(") ").unwrap().1.split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
        (ticks * TICK_MILLIS) as f64
    }

    /// How often each of its threads went to sleep by itself.
    pub(crate) fn switches(&self) -> BTreeMap<String, u64> {
        self.status("voluntary_ctxt_switches:")
    }

    /// A line of each thread's status, by thread.
    fn status(&self, name: &str) -> BTreeMap<String, u64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let read = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            (task.file_name().to_string_lossy().into_owned(), number.unwrap_or(0))
        };
        tasks.map(|task| read(task.unwrap())).collect()
    }
}

fn with_key(data: tempfile::TempDir) -> (tempfile::TempDir, String) {
    let made = Command::new(reshoot())
        .args(["keys", "create", "bench", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    (data, String::from_utf8(made.stdout).unwrap().trim().to_owned())
}

/// A folder on the disk of the build, not in memory.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
