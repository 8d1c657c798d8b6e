//! Children: started from one long-lived thread, killed by group, their last words kept.
//!
//! The jail asks the kernel to kill it when its parent *thread* dies (`PR_SET_PDEATHSIG`), so
//! all children are started by a thread that lives as long as the process.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{CancelToken, MediaError};

/// How much of a child's stderr is kept: the end of it.
const LAST_WORDS_BYTES: usize = 16 << 10;

type Order = (Command, Sender<std::io::Result<Child>>);

/// A running child. Dropped, it is killed with its group.
pub(crate) struct Running {
    child: Child,
    group: Option<Pid>,
    cancel: CancelToken,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

/// How a child ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The end of its stderr.
    pub(crate) stderr: String,
}

fn spawner() -> &'static Sender<Order> {
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                // A caller that went away takes no answer; its child dies with the drop.
                let _ = answer.send(command.spawn());
            }
        });
        orders
    })
}

// === impl Running ===

impl Running {
    /// Starts `command` in a process group of its own, stderr captured.
    pub(crate) fn start(mut command: Command, cancel: &CancelToken) -> Result<Self, MediaError> {
        if cancel.is_cancelled() {
            return Err(MediaError::Cancelled);
        }
        let program = command.get_program().to_string_lossy().into_owned();
        command.process_group(0).stderr(Stdio::piped());
        let (answer, answered) = channel();
        let gone = || std::io::Error::other("the spawning thread is gone");
        let spawned = match spawner().send((command, answer)) {
            Ok(()) => answered.recv().unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(gone()),
        };
        let mut child = spawned.map_err(|cause| MediaError::Missing { program, cause })?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let stderr = child.stderr.take().map(|pipe| std::thread::spawn(move || last_words(pipe)));
        if let Some(group) = group {
            cancel.watch(group);
        }
        Ok(Self { child, group, cancel: cancel.clone(), stderr })
    }

    pub(crate) const fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) const fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Result<Ended, MediaError> {
        drop(self.stdin());
        let status = self.child.wait()?;
        if let Some(group) = self.group.take() {
            self.cancel.forget(group);
            // Anything that the leader left behind.
            let _ = kill_process_group(group, Signal::KILL);
        }
        if self.cancel.is_cancelled() {
            return Err(MediaError::Cancelled);
        }
        let words = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ok(Ended { status, stderr: String::from_utf8_lossy(&words).into_owned() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(group) = self.group.take() else { return };
        self.cancel.forget(group);
        let _ = kill_process_group(group, Signal::KILL);
        // Collects the zombie; it is dead already.
        let _ = self.child.wait();
    }
}

// === impl Ended ===

impl Ended {
    /// Its last line without ffmpeg's addresses and this machine's paths.
    pub(crate) fn last_line(&self) -> String {
        let line = self.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        let line = line.rsplit_once("] ").map_or(line, |(_, rest)| rest);
        let words: Vec<&str> = line.split(' ').filter(|word| !word.contains('/')).collect();
        match words.join(" ").trim().trim_end_matches(':') {
            "" => format!("it ended with {}", self.status),
            line => line.to_owned(),
        }
    }

    /// Whether it did what it was asked.
    pub(crate) fn ok(self) -> Result<Self, MediaError> {
        if self.status.success() { Ok(self) } else { Err(MediaError::Ffmpeg(self.last_line())) }
    }
}

fn last_words(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer) {
        kept.extend(buffer.iter().take(read));
        let excess = kept.len().saturating_sub(LAST_WORDS_BYTES);
        kept.drain(..excess);
    }
    kept
}
