//! Where ffmpeg is, and how it is started: through the jail, with whitelists.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Serialize;

use crate::jail::{JailReport, Policy};
use crate::process::Running;
use crate::{CancelToken, MediaError};

/// Longest wait for what a program says of itself.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Protocols that ffmpeg may open.
const PROTOCOLS: &str = "file,pipe";
/// Names of the one demuxer that reads mp4 and mov.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,rawvideo";
/// Video codecs that are decoded.
pub(crate) const VIDEO_CODECS: &[&str] = &["h264", "hevc", "av1", "vp9", "mpeg4", "prores"];
/// Sound codecs that are decoded; every PCM form counts as `pcm`.
pub(crate) const AUDIO_CODECS: &[&str] = &["aac", "mp3", "alac", "pcm", "opus", "ac3"];
/// The decoders behind those names, as ffmpeg wants them.
const DECODERS: &str = "h264,hevc,libdav1d,libaom-av1,av1,vp9,libvpx-vp9,mpeg4,prores,aac,\
    mp3float,mp3,alac,opus,libopus,ac3,rawvideo,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,\
    pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_u8,pcm_s8";

/// How ffmpeg is confined.
#[derive(Debug, Clone)]
pub struct JailConfig {
    /// The program that runs [`crate::jail::main`].
    pub program: PathBuf,
    /// What comes before the jail's own arguments: the hidden command.
    pub leading_args: Vec<OsString>,
    /// Whether a missing layer is an error.
    pub required: bool,
}

/// ffmpeg and ffprobe, ready to be started.
#[derive(Debug, Clone)]
pub struct Toolchain {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    jail: JailConfig,
}

/// What [`Toolchain::check`] found.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// First line of `ffmpeg -version`.
    pub ffmpeg: Result<String, String>,
    /// First line of `ffprobe -version`.
    pub ffprobe: Result<String, String>,
    /// Encoders and filters that are needed and missing.
    pub missing: Vec<String>,
    /// The layers of the jail on this machine.
    pub jail: Result<JailReport, String>,
}

/// A file that a child may read, and the folder it may write to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Access<'a> {
    pub(crate) read: Option<&'a Path>,
    pub(crate) write: Option<&'a Path>,
}

// === impl Toolchain ===

impl Toolchain {
    /// Finds ffmpeg and ffprobe on the PATH. What is not there fails when it is started, and is
    /// looked for again each time: it may be installed while this program runs.
    pub fn find(jail: JailConfig) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = |name| located(Path::new(name), &path);
        Self { ffmpeg: on_path("ffmpeg"), ffprobe: on_path("ffprobe"), jail }
    }

    /// Asks the programs and the kernel what they offer.
    pub fn check(&self) -> Check {
        let version = |program: &Path| {
            let text = ask(program, &["-version"]).map_err(|e| e.to_string())?;
            text.lines().next().map(str::to_owned).ok_or_else(|| "it says nothing".to_owned())
        };
        let ffmpeg = version(&self.ffmpeg);
        let missing = if ffmpeg.is_ok() { self.missing() } else { Vec::new() };
        Check { ffmpeg, ffprobe: version(&self.ffprobe), missing, jail: self.jail_report() }
    }

    fn missing(&self) -> Vec<String> {
        let list = |what: &str| ask(&self.ffmpeg, &["-hide_banner", what]).unwrap_or_default();
        let has = |list: &str, name: &str| {
            list.lines().any(|line| line.split_whitespace().nth(1) == Some(name))
        };
        let (encoders, filters, decoders) =
            (list("-encoders"), list("-filters"), list("-decoders"));
        let wanted = [
            (&encoders, "encoder", ["libx264", "aac"].as_slice()),
            (&filters, "filter", &["scale", "fps", "zscale", "tonemap", "atempo", "afade"]),
            (&decoders, "decoder", &["h264", "hevc", "vp9", "mpeg4", "prores", "aac", "libdav1d"]),
        ];
        let mut missing = Vec::new();
        for (list, kind, names) in wanted {
            missing.extend(names.iter().filter(|n| !has(list, n)).map(|n| format!("{kind} {n}")));
        }
        missing
    }

    fn jail_report(&self) -> Result<JailReport, String> {
        let report = [OsStr::new("--report")];
        let args: Vec<&OsStr> =
            self.jail.leading_args.iter().map(OsString::as_os_str).chain(report).collect();
        let answer = ask(&self.jail.program, &args).map_err(|e| match e {
            MediaError::Missing { cause, .. } => format!("the jail could not be started: {cause}"),
            other => format!("the jail does not answer: {other}"),
        })?;
        serde_json::from_str(&answer).map_err(|e| format!("the jail does not answer: {e}"))
    }

    /// ffprobe with its whitelists, stdout piped.
    pub(crate) fn probe(
        &self,
        access: Access<'_>,
        args: &[OsString],
        cancel: &CancelToken,
    ) -> Result<Running, MediaError> {
        let mut command = self.jailed(&self.ffprobe, access);
        command.args(["-hide_banner", "-v", "error"]).args(demuxing()).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Running::start(command, cancel)
    }

    /// ffmpeg; the caller puts [`demuxing`] before each input.
    pub(crate) fn ffmpeg(
        &self,
        access: Access<'_>,
        args: &[OsString],
        stdin: Stdio,
        stdout: Stdio,
        cancel: &CancelToken,
    ) -> Result<Running, MediaError> {
        let mut command = self.jailed(&self.ffmpeg, access);
        command.args(["-nostdin", "-hide_banner", "-v", "error", "-y"]).args(args);
        command.stdin(stdin).stdout(stdout);
        Running::start(command, cancel)
    }

    fn jailed(&self, program: &Path, access: Access<'_>) -> Command {
        let policy = Policy {
            read: access.read.map(Path::to_owned),
            write: access.write.map(Path::to_owned),
            required: self.jail.required,
        };
        let program = located(program, &std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(&self.jail.program);
        command.args(&self.jail.leading_args).args(policy.to_args()).arg("--").arg(program);
        // Whatever secrets this process was given stay here.
        command.env_clear().env("LC_ALL", "C");
        if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// What a program says on stdout. One that hangs is ended: whoever asks whether it works, again
/// and again, must not leave a process and a thread behind each time.
fn ask<A: AsRef<OsStr>>(program: &Path, args: &[A]) -> Result<String, MediaError> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped());
    let cancel = CancelToken::new().with_timeout(ANSWER_MAX);
    let mut running = Running::start(command, &cancel)?;
    let mut said = Vec::new();
    if let Some(mut stdout) = running.stdout() {
        stdout.read_to_end(&mut said)?;
    }
    running.wait()?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// Where a program is in the folders of `path`. The jail has to know, and has no PATH itself. A
/// name that is in none of them stays as it is, and so does what was found before.
fn located(program: &Path, path: &OsStr) -> PathBuf {
    if program.components().nth(1).is_some() {
        return program.to_owned();
    }
    let mut places = std::env::split_paths(path).map(|dir| dir.join(program));
    places.find(|place| place.is_file()).unwrap_or_else(|| program.to_owned())
}

/// Options before an input of unknown origin.
pub(crate) fn demuxing() -> [&'static str; 6] {
    ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS, "-codec_whitelist", DECODERS]
}

/// `file:` before a path, so that no name is taken for a protocol or an option.
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_says_nothing_is_given_up() {
        let said = ask(Path::new("/bin/sh"), &["-c", "echo it works"]);
        assert_eq!(said.unwrap().trim(), "it works");
        let silent = ask(Path::new("/bin/sh"), &["-c", "echo so far; sleep 600; echo so good"]);
        assert!(matches!(silent, Err(MediaError::TimedOut)), "{silent:?}");
        let missing = ask(Path::new("/nonexistent/ffmpeg"), &["-version"]);
        assert!(matches!(missing, Err(MediaError::Missing { .. })), "{missing:?}");
    }

    #[test]
    fn a_program_that_was_missing_is_found_once_it_is_there() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        let find = |program: &Path| located(program, &path);
        let missing = find(Path::new("ffprobe"));
        assert_eq!(missing, Path::new("ffprobe"));
        let there = second.path().join("ffprobe");
        std::fs::write(&there, "").unwrap();
        assert_eq!(find(&missing), there);
        // What was found stays, whatever comes before it.
        std::fs::write(first.path().join("ffprobe"), "").unwrap();
        assert_eq!((find(&there), find(&missing)), (there, first.path().join("ffprobe")));
    }
}
