//! The `reshoot` binary: commands, configuration, wiring.
//!
//! The only crate that names a concrete store or engine, reads the machine's clock and its
//! randomness, and prints to the terminal.

mod cli;
mod commands;
mod config;
mod exit;
mod log;
mod machine;
mod planning;
mod traces;
mod wiring;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// A call makes some hundred small allocations, and each clip's frames are large ones.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    match commands::run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // One line that says what to do; the chain of causes is joined by colons.
            let _ = writeln!(std::io::stderr(), "reshoot: {error:#}");
            exit::code_of(&error)
        }
    }
}
