//! `reshoot run`: one clip, without a server.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context as _, anyhow};
use engine::{Context, Engine, EngineError, Shot, Take};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::RunArgs;
use crate::commands::local::Local;
use crate::commands::{print_json, unless_told};
use crate::config;
use crate::exit::{Coded, DATA};
use crate::wiring;

/// Progress on stderr: one line that is overwritten, or a line a pass where it is not a terminal.
struct Meter {
    last: Mutex<String>,
    stop: CancellationToken,
}

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let installation = config::installation(&args.place, &args.intake)?;
    let engines = wiring::engines(installation.require_sandbox)?;
    let engine = wiring::engine(&engines, &args.engine)?;
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let cancel = CancellationToken::new();
    let making = async {
        let local = Local::take(&installation, &args.inputs, scratch.path(), &cancel).await?;
        let dir = scratch.path().join("run");
        std::fs::create_dir(&dir)?;
        let mut shot =
            worker::shot::shot(local.model()?, &local.inputs, &local.facts, &dir, |input| {
                local.artifacts.local_path(&input.artifact)
            })?;
        shot.seed = args.seed.unwrap_or(shot.seed);
        let stop = cancel.clone();
        let generating = move || generate(engine.as_ref(), &shot, stop).map(|take| (shot, take));
        let (shot, take) = tokio::task::spawn_blocking(generating).await??;
        Ok((local, shot, take))
    };
    let (local, shot, take) = unless_told(&cancel, making)?;
    let made = take.outputs.first().ok_or_else(|| anyhow!("the engine made nothing"))?;
    deliver(&made.path, &args.output)?;
    print_json(&json!({
        "output": args.output,
        "engine": take.report.engine,
        "version": take.report.version,
        "seed": shot.seed,
        "plan": shot.plan,
        "passes": take.report.passes,
        "unmet": take.report.unmet,
        "metrics": take.report.metrics,
        "warnings": local.warnings,
    }))?;
    Ok(ExitCode::SUCCESS)
}

fn generate(engine: &dyn Engine, shot: &Shot, stop: CancellationToken) -> anyhow::Result<Take> {
    let meter = Meter { last: Mutex::new(String::new()), stop };
    let outcome = engine.generate(shot, &meter);
    if std::io::stderr().is_terminal() {
        let _ = writeln!(std::io::stderr());
    }
    outcome.map_err(|error| match &error {
        EngineError::Input { .. } => Coded::new(DATA, error.to_string()).into(),
        _ => anyhow!("{error}"),
    })
}

/// Moves the clip to where it was asked for; across file systems it is copied.
fn deliver(made: &Path, output: &Path) -> anyhow::Result<()> {
    if std::fs::rename(made, output).is_err() {
        std::fs::copy(made, output)
            .with_context(|| format!("the clip cannot be written to `{}`", output.display()))?;
    }
    Ok(())
}

// === impl Meter ===

impl Context for Meter {
    fn progress(&self, stage: &str, fraction: f64) {
        let Ok(mut last) = self.last.lock() else { return };
        let mut stderr = std::io::stderr();
        let percent = (fraction * 100.0).round();
        // A terminal that is gone does not stop the work.
        let _ = if stderr.is_terminal() {
            write!(stderr, "\r{percent:>3}% {stage:<24}")
        } else if *last == stage {
            Ok(())
        } else {
            writeln!(stderr, "{percent:>3}% {stage}")
        };
        last.clear();
        last.push_str(stage);
    }

    fn cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}
