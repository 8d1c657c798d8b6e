//! Exit codes: 0 done, 1 failed, 2 wrong usage, 64–78 as in sysexits.h where one fits, 130 and 143
//! after Ctrl-C and SIGTERM.

use std::process::ExitCode;

/// The command line was at fault; clap's own code.
pub(crate) const USAGE: u8 = 2;
/// `EX_DATAERR`: the input was at fault.
pub(crate) const DATA: u8 = 65;
/// `EX_NOINPUT`: a file that was named is not there.
pub(crate) const NO_INPUT: u8 = 66;
/// `EX_UNAVAILABLE`: something this machine needs is missing.
pub(crate) const UNAVAILABLE: u8 = 69;
/// `EX_TEMPFAIL`: another process holds what this one needs.
pub(crate) const TEMP_FAIL: u8 = 75;
/// `EX_CONFIG`: the configuration was at fault.
pub(crate) const CONFIG: u8 = 78;

/// Added to the number of a signal that ended the work, as shells do.
pub(crate) const SIGNALLED: u8 = 128;

/// An error that knows its exit code.
#[derive(Debug)]
pub(crate) struct Coded {
    code: u8,
    message: String,
}

impl Coded {
    /// An error with `code`.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl std::fmt::Display for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

/// The exit code of an error: its own where it has one, else 1.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    // What was added as context is found from the top only, what was wrapped by its type only.
    error
        .downcast_ref::<Coded>()
        .or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<Coded>()))
        .map_or(ExitCode::FAILURE, |coded| ExitCode::from(coded.code))
}

/// Prints what clap has to say: help and version to stdout with 0, mistakes to stderr with 2.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed terminal cannot be told anything.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
