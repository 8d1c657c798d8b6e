//! The server's process.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use super::clock::{self, FalseClock};

/// Kills its own process and no other.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    log: std::thread::JoinHandle<String>,
}

/// What the machine gives a process, where it is not what the tests have.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// The only folder in which programs are found.
    pub(crate) programs: Option<PathBuf>,
    /// Files that may be open at a time.
    pub(crate) open_files: Option<u32>,
    /// Variables of the environment.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What its clock shows.
    pub(crate) clock: Option<FalseClock>,
}

// === impl Machine ===

impl Machine {
    pub(super) fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_reshoot");
        let mut command = match self.open_files {
            Some(most) => {
                let mut shell = Command::new("/bin/sh");
                // The process stays the same, and so does its id.
                shell.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\""), program]);
                shell
            }
            None => Command::new(program),
        };
        if let Some(folder) = &self.programs {
            command.env("PATH", folder);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(clock) = &self.clock {
            clock.show(&mut command);
        }
        command
    }
}

// === impl Process ===

impl Process {
    pub(crate) fn spawn(machine: &Machine, config: &Path, data: &Path, args: &[String]) -> Self {
        let mut child = machine
            .command()
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .args(args)
            // As a variable: every engine inherits it, which tells whose it is.
            .env("RESHOOT_DATA", data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            // What is not UTF-8 ends the log early, and nothing else.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Self { child, stdout, log }
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        (status, log.join().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        clock::clean_up(self.child.id());
    }
}
