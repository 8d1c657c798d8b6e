//! Children: started from one long-lived thread, killed by group, their last words kept.
//!
//! The jail asks the kernel to kill it when its parent *thread* dies (`PR_SET_PDEATHSIG`), so
//! all children are started by a thread that lives as long as the process.
//!
//! A group is only ever signalled while its leader has not been collected, so that no signal
//! reaches a stranger who was given the same id.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::{CancelToken, MediaError, jail};

/// How much of a child's stderr is kept: the end of it.
const LAST_WORDS_BYTES: usize = 16 << 10;
/// Longest line that is told of it.
const LINE_CHARS: usize = 240;

type Order = (Command, Sender<std::io::Result<Child>>);

/// A running child. Dropped, it is killed with its group.
pub(crate) struct Running {
    child: Child,
    group: Option<Pid>,
    cancel: CancelToken,
    stderr: Option<JoinHandle<Vec<u8>>>,
    /// Dropped with this, which ends the thread that waits for the deadline.
    _watchdog: Option<Sender<()>>,
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

/// Kills `group` at the deadline, unless the returned sender is dropped before.
fn watchdog(group: Pid, cancel: &CancelToken) -> Option<Sender<()>> {
    let left = cancel.left()?;
    let (alive, ended) = channel();
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        if ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
            cancel.kill(group);
        }
    });
    Some(alive)
}

// === impl Running ===

impl Running {
    /// Starts `command` in a process group of its own, stderr captured.
    pub(crate) fn start(mut command: Command, cancel: &CancelToken) -> Result<Self, MediaError> {
        cancel.check()?;
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
        let watchdog = group.and_then(|group| watchdog(group, cancel));
        Ok(Self { child, group, cancel: cancel.clone(), stderr, _watchdog: watchdog })
    }

    pub(crate) const fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) const fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end. A child that was killed for its token gives the token's error.
    pub(crate) fn wait(mut self) -> Result<Ended, MediaError> {
        drop(self.stdin());
        let status = self.collect()?;
        let words = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let ended = Ended { status, stderr: String::from_utf8_lossy(&words).into_owned() };
        if ended.status.success() && !self.cancel.is_cancelled() {
            return Ok(ended);
        }
        self.cancel.check()?;
        if let Some(words) = jail::refusal(ended.status, &ended.stderr) {
            return Err(MediaError::Sandbox(words));
        }
        match ended.status.signal() {
            Some(signal) => Err(MediaError::Killed { signal }),
            None => Ok(ended),
        }
    }

    fn collect(&mut self) -> std::io::Result<ExitStatus> {
        if let Some(group) = self.group {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(group), options), Err(rustix::io::Errno::INTR)) {}
            self.group = None;
            // Anything that the leader left behind.
            let _ = kill_process_group(group, Signal::KILL);
            self.cancel.forget(group);
        }
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
            // Collects the zombie; it is dead already.
            let _ = self.collect();
        }
    }
}

// === impl Ended ===

impl Ended {
    /// Its last line without ffmpeg's addresses and this machine's paths.
    pub(crate) fn last_line(&self) -> String {
        let line = self.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        match clean(line) {
            line if line.is_empty() => format!("it ended with {}", self.status),
            line => line,
        }
    }

    /// Whether it did what it was asked.
    pub(crate) fn ok(self) -> Result<Self, MediaError> {
        if self.status.success() { Ok(self) } else { Err(MediaError::Ffmpeg(self.last_line())) }
    }
}

/// A line without the prefix `[demuxer @ 0x…]`, without paths and control characters.
fn clean(line: &str) -> String {
    let line = line.rsplit_once("] ").map_or(line, |(_, rest)| rest);
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.contains('/')).collect();
    let text = words.join(" ");
    let text = text.trim_end_matches([':', '.']);
    text.chars().filter(|c| !c.is_control()).take(LINE_CHARS).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_no_address_and_no_path() {
        let line = "[mov,mp4,m4a @ 0x55d0c0] file:/var/lib/secret.mp4: moov atom not found";
        assert_eq!(clean(line), "moov atom not found");
        assert_eq!(clean("file:/tmp/a b.mp4: Invalid data found"), "b.mp4: Invalid data found");
        assert!(clean(&"x".repeat(9999)).len() <= LINE_CHARS);
    }

    #[test]
    fn stderr_is_kept_from_its_end() {
        let flood = vec![b'x'; 3 * LAST_WORDS_BYTES];
        let words = last_words([flood.as_slice(), b"the end"].concat().as_slice());
        assert_eq!(words.len(), LAST_WORDS_BYTES);
        assert!(words.ends_with(b"the end"));
    }
}
