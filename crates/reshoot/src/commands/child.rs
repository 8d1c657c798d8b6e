//! The hidden command `engine`: one run, as a child of a worker.

use std::io::BufReader;
use std::process::ExitCode;
use std::sync::Mutex;

use engine::protocol::{Line, read_shot, write_line};
use engine::{Context, EngineError};

use crate::wiring;

/// Tells the worker about progress.
struct Speaker(Mutex<std::io::Stdout>);

pub(crate) fn run(name: &str, require_sandbox: bool) -> anyhow::Result<ExitCode> {
    media::jail::stand_back();
    let mut input = BufReader::new(std::io::stdin());
    let shot = read_shot(&mut input)?;
    std::thread::spawn(move || die_with_worker(input));
    let speaker = Speaker(Mutex::new(std::io::stdout()));
    let engines = wiring::engines(require_sandbox)?;
    let outcome = match engines.get(name) {
        Some(engine) => engine.generate(&shot, &speaker),
        None => {
            Err(EngineError::Unsupported { message: format!("this build has no engine `{name}`") })
        }
    };
    speaker.say(&match outcome {
        Ok(take) => Line::Take(take),
        Err(error) => Line::Error(error),
    });
    Ok(ExitCode::SUCCESS)
}

/// Waits for the end of the worker's pipe, then ends this process and its group.
fn die_with_worker(mut input: impl std::io::Read) {
    let _ = std::io::copy(&mut input, &mut std::io::sink());
    // ffmpeg's jails ask the kernel to die with this process.
    let _ = rustix::process::kill_process_group(
        rustix::process::getpgrp(),
        rustix::process::Signal::KILL,
    );
}

// === impl Speaker ===

impl Speaker {
    fn say(&self, line: &Line) {
        if let Ok(mut stdout) = self.0.lock() {
            // A worker that does not listen any more has closed the other pipe as well.
            let _ = write_line(&mut *stdout, line);
        }
    }
}

impl Context for Speaker {
    fn progress(&self, stage: &str, fraction: f64) {
        self.say(&Line::Progress { stage: stage.to_owned(), fraction });
    }

    fn cancelled(&self) -> bool {
        // A worker cancels by killing the group.
        false
    }
}
