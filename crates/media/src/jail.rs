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
use std::process::{Command, ExitCode};

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde::{Deserialize, Serialize};

/// `EX_UNAVAILABLE` of sysexits.h: a required layer is missing.
const EX_UNAVAILABLE: u8 = 69;
/// `EX_USAGE` of sysexits.h.
const EX_USAGE: u8 = 64;

/// Address space of one ffmpeg.
const MAX_ADDRESS_SPACE: u64 = 8 << 30;
/// CPU seconds of one ffmpeg.
const MAX_CPU_SECS: u64 = 1800;
/// Size of a file that it writes.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// Files open at once.
const MAX_FILES: u64 = 128;

/// What a program needs for itself, read-only.
const SYSTEM_READ: &[&str] =
    &["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf", "/proc", "/sys"];

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
            let _ = writeln!(std::io::stderr(), "jail: {error}");
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
    let in_force = put_on(&policy);
    if policy.required {
        check(&in_force)?;
    }
    let cause = Command::new(&program).args(args).exec();
    Err(JailError::Exec { program: program.to_string_lossy().into_owned(), cause })
}

fn report() -> Result<(), JailError> {
    let in_force = put_on(&Policy::default());
    let text = serde_json::to_string(&in_force).unwrap_or_default();
    writeln!(std::io::stdout(), "{text}")
        .map_err(|cause| JailError::Exec { program: "report".into(), cause })
}

fn check(report: &JailReport) -> Result<(), JailError> {
    match report {
        JailReport { rlimits: false, .. } => Err(JailError::Missing("the resource limits")),
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

fn put_on(policy: &Policy) -> JailReport {
    let rlimits = limit();
    let landlock = match confine_files(policy) {
        Ok(RulesetStatus::FullyEnforced) => "full",
        Ok(RulesetStatus::PartiallyEnforced) => "partial",
        Ok(RulesetStatus::NotEnforced) | Err(_) => "none",
    };
    JailReport { landlock: landlock.to_owned(), seccomp: confine_calls(), rlimits }
}

fn limit() -> bool {
    let limits = [
        (Resource::As, MAX_ADDRESS_SPACE),
        (Resource::Cpu, MAX_CPU_SECS),
        (Resource::Fsize, MAX_FILE_BYTES),
        (Resource::Nofile, MAX_FILES),
        (Resource::Core, 0),
    ];
    limits.into_iter().all(|(resource, most)| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_ok()
    })
}

fn confine_files(policy: &Policy) -> Result<RulesetStatus, RulesetError> {
    const LATEST: ABI = ABI::V5;
    let read = AccessFs::from_read(LATEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LATEST))?
        .create()?;
    for path in SYSTEM_READ {
        rules = allow(rules, Path::new(path), read)?;
    }
    rules = allow(rules, Path::new("/dev/null"), AccessFs::from_all(LATEST))?;
    rules = allow(rules, Path::new("/dev/urandom"), read)?;
    if let Some(path) = &policy.read {
        rules = allow(rules, path, AccessFs::ReadFile.into())?;
    }
    if let Some(path) = &policy.write {
        rules = allow(rules, path, AccessFs::from_all(LATEST) & !AccessFs::Execute)?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// Adds a rule for a path that exists; access that makes no sense for a file is left out.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: landlock::BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(fd) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(ABI::V5) };
    rules.add_rule(PathBeneath::new(fd, access))
}

/// System calls that no decoder needs: networks, other processes, mounts, kernel interfaces.
fn forbidden() -> Vec<i64> {
    vec![
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_kill,
        libc::SYS_tkill,
    ]
}

/// Installs the filter: what is forbidden fails with `EPERM`. Sets no-new-privileges as well.
fn confine_calls() -> bool {
    let Ok(arch) = std::env::consts::ARCH.try_into() else { return false };
    let rules = forbidden().into_iter().map(|call| (call, Vec::new())).collect();
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, denied, arch)
        .and_then(BpfProgram::try_from)
        .is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
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
