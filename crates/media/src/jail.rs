//! What stands between ffmpeg and this machine.
//!
//! `reshoot jail … -- ffmpeg …` puts on every layer and then executes the program in its place:
//! death with its parent, resource limits, no new privileges, Landlock (reads system libraries
//! and one input, writes one folder) and seccomp (no sockets, no tracing, no kernel interfaces).
//! A layer that the kernel lacks is left out and named by `--report`, unless `--require` is given.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use landlock::RulesetStatus;
use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, setrlimit};
use serde::{Deserialize, Serialize};

mod calls;
mod files;

/// `EX_UNAVAILABLE` of sysexits.h: a required layer is missing.
const EX_UNAVAILABLE: u8 = 69;
/// `EX_USAGE` of sysexits.h.
const EX_USAGE: u8 = 64;

/// Begins each line that the jail itself writes to stderr.
const MARK: &str = "jail: ";

/// Address space of one ffmpeg.
const MAX_ADDRESS_SPACE: u64 = 8 << 30;
/// CPU seconds of one ffmpeg.
const MAX_CPU_SECS: u64 = 1800;
/// Size of a file that it writes.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// Files open at once.
const MAX_FILES: u64 = 128;

/// Niceness of whoever makes pictures: a tenth of the weight of a process that is not nice.
const BACK: i32 = 10;

/// What one child may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) read: Option<PathBuf>,
    pub(crate) write: Option<PathBuf>,
    pub(crate) required: bool,
}

/// Which layers this machine offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JailReport {
    /// `full`, `partial` or `none`.
    pub landlock: String,
    /// Whether the system call filter is in force.
    pub seccomp: bool,
    /// Whether resource limits are in force.
    pub rlimits: bool,
    /// Whether no program can gain privileges.
    pub no_new_privs: bool,
}

/// Why the jail could not be put on, or the program not executed.
#[derive(Debug, thiserror::Error)]
enum JailError {
    #[error("`{0}` is not an option of the jail")]
    Usage(String),
    #[error("there is no program to execute")]
    NoProgram,
    #[error("the parent is gone")]
    Orphaned,
    #[error("{0} is not in force on this machine, and --require-sandbox is set")]
    Missing(&'static str),
    #[error("`{program}` could not be executed: {cause}")]
    Exec { program: String, cause: std::io::Error },
}

/// The hidden command: puts on the jail and executes what comes after `--`.
///
/// Returns only when that fails, or for `--report`, which prints a [`JailReport`].
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    match enter(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{MARK}{error}");
            ExitCode::from(match error {
                JailError::Usage(_) | JailError::NoProgram => EX_USAGE,
                _ => EX_UNAVAILABLE,
            })
        }
    }
}

fn enter(mut args: impl Iterator<Item = OsString>) -> Result<(), JailError> {
    let mut policy = Policy::default();
    let mut parent = None;
    loop {
        let Some(arg) = args.next() else { return Err(JailError::NoProgram) };
        match arg.to_str() {
            Some("--read") => policy.read = args.next().map(PathBuf::from),
            Some("--write") => policy.write = args.next().map(PathBuf::from),
            Some("--require") => policy.required = true,
            Some("--parent") => parent = args.next().and_then(|id| id.to_str()?.parse().ok()),
            Some("--report") => return report(),
            Some("--") => break,
            _ => return Err(JailError::Usage(arg.to_string_lossy().into_owned())),
        }
    }
    let program = args.next().ok_or(JailError::NoProgram)?;
    die_with(parent)?;
    stand_back();
    let in_force = put_on(&policy, Path::new(&program));
    if policy.required {
        check(&in_force)?;
    }
    let cause = Command::new(&program).args(args).exec();
    Err(JailError::Exec { program: program.to_string_lossy().into_owned(), cause })
}

/// Lets everybody else on the machine go first: pictures take all cores there are, and a server
/// that waits for them answers late.
pub fn stand_back() {
    use rustix::process::{getpriority_process, setpriority_process};
    if getpriority_process(None).is_ok_and(|nice| nice < BACK) {
        // Where that is forbidden, the work is done all the same.
        let _ = setpriority_process(None, BACK);
    }
}

fn report() -> Result<(), JailError> {
    // The report itself may go to a file.
    let policy = Policy { write: Some("/nonexistent".into()), ..Policy::default() };
    let in_force = put_on(&policy, Path::new("/nonexistent"));
    let text = serde_json::to_string(&in_force).unwrap_or_default();
    writeln!(std::io::stdout(), "{text}")
        .map_err(|cause| JailError::Exec { program: "report".into(), cause })
}

fn check(report: &JailReport) -> Result<(), JailError> {
    match report {
        JailReport { rlimits: false, .. } => Err(JailError::Missing("the resource limits")),
        JailReport { no_new_privs: false, .. } => Err(JailError::Missing("no_new_privs")),
        JailReport { seccomp: false, .. } => Err(JailError::Missing("seccomp")),
        JailReport { landlock, .. } if landlock == "none" => Err(JailError::Missing("Landlock")),
        JailReport { .. } => Ok(()),
    }
}

/// Dies with its parent; one that died before this call is noticed by its changed id.
fn die_with(parent: Option<i32>) -> Result<(), JailError> {
    // Not fatal where the kernel refuses: the parent also kills the group.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let now = getppid().map(Pid::as_raw_nonzero).map(std::num::NonZero::get);
    if parent.is_some() && parent != now { Err(JailError::Orphaned) } else { Ok(()) }
}

fn put_on(policy: &Policy, program: &Path) -> JailReport {
    let rlimits = limit(policy);
    let no_new_privs = rustix::thread::set_no_new_privs(true).is_ok();
    let landlock = match files::confine(policy, program) {
        Ok(RulesetStatus::FullyEnforced) => "full",
        Ok(RulesetStatus::PartiallyEnforced) => "partial",
        Ok(RulesetStatus::NotEnforced) | Err(_) => "none",
    };
    JailReport { landlock: landlock.to_owned(), seccomp: calls::confine(), rlimits, no_new_privs }
}

/// The line of a jail that refused to execute its program.
pub(crate) fn refusal(status: ExitStatus, stderr: &str) -> Option<String> {
    let codes = [EX_USAGE, EX_UNAVAILABLE].map(i32::from);
    let refused = status.code().is_some_and(|code| codes.contains(&code));
    let line = stderr.lines().rev().find_map(|line| line.strip_prefix(MARK));
    line.filter(|_| refused).map(str::to_owned)
}

fn limit(policy: &Policy) -> bool {
    let file_bytes = if policy.write.is_some() { MAX_FILE_BYTES } else { 0 };
    let limits = [
        (Resource::As, MAX_ADDRESS_SPACE),
        (Resource::Cpu, MAX_CPU_SECS),
        (Resource::Fsize, file_bytes),
        (Resource::Nofile, MAX_FILES),
        (Resource::Core, 0),
    ];
    limits.into_iter().all(|(resource, most)| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_ok()
    })
}

// === impl Policy ===

impl Policy {
    /// The jail's arguments for it.
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let mut args = vec!["--parent".into(), std::process::id().to_string().into()];
        let mut option = |name: &str, path: &Option<PathBuf>| {
            if let Some(path) = path {
                args.push(OsString::from(name));
                args.push(OsStr::new(path).to_owned());
            }
        };
        option("--read", &self.read);
        option("--write", &self.write);
        if self.required {
            args.push("--require".into());
        }
        args
    }
}
