//! One engine run: a child of the same binary, killed by process group.
//!
//! Whatever happens to the child (an abort, the out-of-memory killer, a signal), it ends here
//! as a value. Its end of the shot pipe is kept open; should this process die, the pipe closes
//! and the child ends itself (see [`engine::protocol`]).
//!
//! A child that hangs is dead, too: one that shows no progress for [`Launcher::stall`] is ended,
//! long before the time limit of its run, and the request is tried again.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use engine::protocol::{Line, MAX_LINE_BYTES, parse_line};
use engine::{EngineError, Shot, Take};
use rustix::process::{Pid, Signal, kill_process_group};
use store::Progress;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How much of the child's last words is kept.
const LAST_WORDS_BYTES: usize = 4096;

/// The longest time that an engine is given between two signs of progress. An engine tells of
/// each frame that it looks at or makes: seconds even where a style is painted on a slow machine.
pub const STALL: Duration = Duration::from_mins(5);

/// How the child is started.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The program: in production this very binary.
    pub program: PathBuf,
    /// What comes before the engine's name: the hidden command.
    pub args: Vec<OsString>,
    /// A child that shows no progress for so long is ended: [`STALL`], or less in tests.
    pub stall: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub enum RunEnd {
    /// With files.
    Take(Box<Take>),
    /// With an error that the engine named.
    Error(EngineError),
    /// Without a word; this is what is known.
    Crashed(String),
    /// It showed no progress for so long.
    Stalled(Duration),
}

/// Ends the process group unless the leader has been waited for.
struct Group(Option<Pid>);

// === impl Launcher ===

impl Launcher {
    /// Runs `engine` on `shot` until it ends or stalls, `cancel` is triggered or `limit` is over.
    pub async fn run(
        &self,
        engine: &str,
        shot: &Shot,
        on_progress: impl Fn(Progress) + Send,
        cancel: &CancellationToken,
        limit: Duration,
    ) -> RunEnd {
        let mut child = match self.spawn(engine) {
            Ok(child) => child,
            Err(e) => return RunEnd::Crashed(format!("the engine could not be started: {e}")),
        };
        let mut group = Group::of(&child);
        let sign = Notify::new();
        let on_progress = |progress| {
            sign.notify_one();
            on_progress(progress);
        };
        let ended = tokio::select! {
            ended = talk(&mut child, shot, on_progress) => ended,
            () = silence(&sign, self.stall) => RunEnd::Stalled(self.stall),
            () = cancel.cancelled() => RunEnd::Error(EngineError::Cancelled),
            () = tokio::time::sleep(limit) => {
                RunEnd::Error(EngineError::Deadline { limit_secs: limit.as_secs() })
            }
        };
        group.kill();
        // The leader is dead or dying: this only collects it.
        let _ = child.wait().await;
        ended
    }

    fn spawn(&self, engine: &str) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .arg(engine)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

/// Returns once there was no sign for `limit`.
async fn silence(sign: &Notify, limit: Duration) {
    while timeout(limit, sign.notified()).await.is_ok() {}
}

async fn talk(child: &mut Child, shot: &Shot, on_progress: impl Fn(Progress)) -> RunEnd {
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return RunEnd::Crashed("the engine's pipes are missing".into());
    };
    let mut line = match serde_json::to_vec(shot) {
        Ok(line) => line,
        Err(e) => return RunEnd::Crashed(format!("the shot could not be written down: {e}")),
    };
    line.push(b'\n');
    // A child that dies before it has read all breaks the pipe; how it died says more than that.
    let _ = stdin.write_all(&line).await;
    let (ended, last_words) = tokio::join!(listen(stdout, on_progress), drain(stderr));
    match ended {
        Some(ended) => ended,
        None => RunEnd::Crashed(post_mortem(child.wait().await.ok(), &last_words)),
    }
}

/// Reads lines until the one that ends the run; `None` if the child fell silent without it.
async fn listen(stdout: impl AsyncRead + Unpin, on_progress: impl Fn(Progress)) -> Option<RunEnd> {
    let mut lines = BufReader::new(stdout);
    let mut line = String::new();
    let mut ended = None;
    loop {
        line.clear();
        let read = (&mut lines).take(MAX_LINE_BYTES as u64).read_line(&mut line).await;
        if !matches!(read, Ok(1..)) {
            return ended;
        }
        match parse_line(line.trim_end()) {
            Ok(Line::Progress { stage, fraction }) => on_progress(Progress { stage, fraction }),
            Ok(Line::Take(take)) => ended = Some(RunEnd::Take(Box::new(take))),
            Ok(Line::Error(error)) => ended = Some(RunEnd::Error(error)),
            Err(e) => tracing::warn!(error = %e, "a line of the engine was not understood"),
        }
    }
}

/// Reads everything and keeps the end of it.
async fn drain(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        kept.extend(buffer.iter().take(read));
        let excess = kept.len().saturating_sub(LAST_WORDS_BYTES);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

fn post_mortem(status: Option<ExitStatus>, last_words: &str) -> String {
    let how = status.map_or_else(|| "in an unknown way".to_owned(), |status| status.to_string());
    match last_words.lines().last() {
        Some(words) if !words.is_empty() => format!("the engine crashed ({how}): {words}"),
        _ => format!("the engine crashed ({how})"),
    }
}

#[cfg(test)]
impl Launcher {
    /// A stand-in for an engine: a shell script that speaks the protocol.
    pub(crate) fn shell(text: &str) -> Self {
        Self { program: "/bin/sh".into(), args: vec!["-c".into(), text.into()], stall: STALL }
    }
}

// === impl Group ===

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    fn kill(&mut self) {
        if let Some(pid) = self.0.take() {
            // No such group means that all of it has ended.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::advance;

    use super::*;

    fn script(text: &str) -> Launcher {
        Launcher { stall: MINUTE, ..Launcher::shell(text) }
    }

    fn shot() -> Shot {
        Shot {
            plan: director::plan(&director::Brief::default(), None),
            inputs: Vec::new(),
            length_secs: 5,
            keep_sound: false,
            outputs: Vec::new(),
            seed: 1,
            dir: "/nowhere".into(),
            settings: serde_json::Value::Null,
        }
    }

    async fn run(text: &str, cancel: &CancellationToken, limit: Duration) -> (RunEnd, Vec<f64>) {
        let seen = Mutex::new(Vec::new());
        let end = script(text)
            .run("x", &shot(), |p| seen.lock().unwrap().push(p.fraction), cancel, limit)
            .await;
        (end, seen.into_inner().unwrap())
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn progress_and_the_final_line_arrive() {
        let text = r#"read shot
            echo '{"progress":{"stage":"grade","fraction":0.5}}'
            echo '{"error":{"class":"unsupported","message":"no"}}'"#;
        let (end, seen) = run(text, &CancellationToken::new(), MINUTE).await;
        assert!(matches!(end, RunEnd::Error(EngineError::Unsupported { .. })), "{end:?}");
        assert_eq!(seen, [0.5]);
    }

    #[tokio::test]
    async fn a_crash_is_told_with_its_signal_and_last_words() {
        let text = "echo 'free(): invalid pointer' >&2; kill -ABRT $$";
        let (end, _) = run(text, &CancellationToken::new(), MINUTE).await;
        let RunEnd::Crashed(why) = end else { panic!("{end:?}") };
        assert!(why.contains("signal: 6") && why.contains("invalid pointer"), "{why}");
    }

    #[tokio::test]
    async fn cancelling_ends_the_child_and_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let pids = dir.path().join("pids");
        let text = format!(
            "sleep 600 & echo $! > {0}.part; mv {0}.part {0}; \
             echo '{{\"progress\":{{\"stage\":\"a\",\"fraction\":0}}}}'; wait",
            pids.display()
        );
        let cancel = CancellationToken::new();
        let end = script(&text).run("x", &shot(), |_| cancel.cancel(), &cancel, MINUTE).await;
        assert!(matches!(end, RunEnd::Error(EngineError::Cancelled)), "{end:?}");
        let pid: i32 = std::fs::read_to_string(&pids).unwrap().trim().parse().unwrap();
        // The grandchild is a zombie of pid 1 at most: it runs no more.
        while std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
        {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_time_limit_ends_a_child_that_hangs() {
        let (end, _) = run("sleep 600", &CancellationToken::new(), Duration::from_millis(50)).await;
        assert!(matches!(end, RunEnd::Error(EngineError::Deadline { .. })), "{end:?}");
    }

    #[tokio::test]
    async fn a_child_that_shows_no_progress_is_ended() {
        let stall = Duration::from_millis(50);
        let launcher = Launcher { stall, ..script("read shot; sleep 600") };
        let cancel = CancellationToken::new();
        let end = launcher.run("x", &shot(), |_| {}, &cancel, MINUTE).await;
        assert!(matches!(end, RunEnd::Stalled(limit) if limit == stall), "{end:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn progress_puts_the_end_off() {
        // Paused time runs by itself while nothing but a child is waited for, unless a thread works.
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let working = tokio::task::spawn_blocking(move || wait.recv());
        let (dir, seen) = (tempfile::tempdir().unwrap(), Notify::new());
        let text = format!(
            "read -r shot; for n in 1 2 3; do \
             echo '{{\"progress\":{{\"stage\":\"a\",\"fraction\":0}}}}'; \
             while [ ! -e {}/$n ]; do sleep 0.01; done; done; \
             echo '{{\"error\":{{\"class\":\"unsupported\",\"message\":\"no\"}}}}'",
            dir.path().display()
        );
        let (launcher, shot, cancel) = (script(&text), shot(), CancellationToken::new());
        let running = launcher.run("x", &shot, |_| seen.notify_one(), &cancel, 10 * MINUTE);
        let time = async {
            for n in 1..=3 {
                seen.notified().await;
                advance(Duration::from_secs(59)).await;
                std::fs::write(dir.path().join(n.to_string()), "").unwrap();
            }
            std::future::pending().await
        };
        let end = tokio::select! {
            end = running => end,
            end = time => end,
        };
        assert!(matches!(end, RunEnd::Error(EngineError::Unsupported { .. })), "{end:?}");
        drop(done);
        working.await.unwrap().unwrap_err();
    }
}
