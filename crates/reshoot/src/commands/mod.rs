//! One file for each command.

mod bench;
mod child;
mod doctor;
mod keys;
mod local;
mod models;
mod plan;
mod probe;
mod run;
mod serve;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::{BenchCommand, Command};
use crate::exit::{self, Coded};
use crate::{log, machine};

/// Does what the command line says.
pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Keys(command) => keys::run(command),
        Command::Models(args) => models::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(BenchCommand::Quality(args)) => bench::quality(&args),
        Command::Jail { args } => Ok(media::jail::main(args.into_iter())),
        Command::Engine { name, require_sandbox } => child::run(&name, require_sandbox),
    }
}

/// Prints one JSON document.
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print_line(&serde_json::to_string_pretty(value)?)
}

/// Prints one line.
fn print_line(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}

/// Runs `work` to its end. Ctrl-C and SIGTERM trigger `cancel`; what it has started and written is
/// then ended and removed by itself.
fn unless_told<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    runtime()?.block_on(async {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => done,
            signal = machine::told_to_stop() => {
                cancel.cancel();
                let _ = work.await;
                Err(Coded::new(exit::SIGNALLED + signal?, "stopped before the end").into())
            }
        }
    })
}

/// Calls and loops need no more; clips are made in processes of their own.
const MOST_THREADS: usize = 8;

/// A runtime for commands that fetch or wait.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // More threads than cores only get into each other's way.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_THREADS))
        .enable_all()
        .on_thread_park(log::flush_before_sleep)
        .build()
        .context("no threads for the runtime")
}
