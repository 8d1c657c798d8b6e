//! Landlock: which files ffmpeg sees.
//!
//! System libraries, the program itself, one input and one output folder; nothing of `/proc`
//! (another process's environment may hold secrets), `/etc` or the data folder. Where the kernel
//! can, TCP, abstract sockets and signals to other processes are refused here as well.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::Policy;

/// The newest rights that are handled; an older kernel enforces those that it knows.
const LATEST: ABI = ABI::V6;
/// What the dynamic loader and the C library need.
const SYSTEM: &[&str] = &[
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/sys/devices/system/cpu",
    "/dev/urandom",
];

/// Confines this process to what `policy` names, and what `program` needs to start.
pub(super) fn confine(policy: &Policy, program: &Path) -> Result<RulesetStatus, RulesetError> {
    let read = AccessFs::from_read(LATEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LATEST))?
        .handle_access(AccessNet::from_all(LATEST))?
        .scope(Scope::from_all(LATEST))?
        .create()?;
    for path in SYSTEM {
        rules = allow(rules, Path::new(path), read)?;
    }
    rules = allow(rules, Path::new("/dev/null"), AccessFs::from_file(LATEST))?;
    rules = allow(rules, program, AccessFs::ReadFile | AccessFs::Execute)?;
    // A build of one's own keeps its libraries beside `bin`.
    if let Some(home) =
        program.parent().and_then(Path::parent).filter(|home| home.parent().is_some())
    {
        rules = allow(rules, &home.join("lib"), read)?;
    }
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
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(fd) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(LATEST) };
    rules.add_rule(PathBeneath::new(fd, access))
}
