//! Frames and sound as the clip that was promised.
//!
//! H.264 High, yuv420p, tagged bt709, constant rate, faststart, exactly the asked number of
//! frames; sound as stereo AAC that lies under the picture to the frame. The same frames give the
//! same file: a fixed number of encoder threads and no metadata that depends on the run.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};

use crate::decode::widen;
use crate::frame::is_even;
use crate::process::{Ended, Running};
use crate::toolchain::{Access, Toolchain, demuxing, file_url};
use crate::{AudioProbe, CancelToken, Frame, MediaError, probe_video};

mod sound;

/// Encoder threads, fixed: x264's output depends on their number.
const THREADS: &str = "2";
/// Constant rate factor: visually close to lossless at these sizes.
const CRF: &str = "18";
/// Slowest and fastest speed of a stretch of sound.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// The clip that is wanted.
#[derive(Debug, Clone)]
pub struct EncodeSpec {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// Frames in the clip, exactly.
    pub frames: u32,
    /// The sound that goes under it. A source without sound gives a clip without a sound stream.
    pub audio: Option<AudioSpec>,
    /// What made it, kept in the file's metadata (`comment` and `encoder`):
    /// `reshoot 0.1.0, engine roto 0.1.0`.
    pub made_by: String,
}

/// Sound of a source file, mapped onto the clip.
#[derive(Debug, Clone)]
pub struct AudioSpec {
    /// The file whose first sound stream is used.
    pub source: PathBuf,
    /// What is heard, in the clip's order and without overlap. Between stretches and after the last
    /// one there is silence; what is longer than the clip is cut.
    pub segments: Vec<AudioSegment>,
}

/// One stretch of a source's sound. Times in the source count from the source's first picture, as a
/// [`crate::Decoder`]'s do; before a sound stream begins and after it ends there is silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioSegment {
    /// Where it begins in the clip, in seconds.
    pub at_secs: f64,
    /// Where it begins in the source, in seconds, at least 0.
    pub from_secs: f64,
    /// Where it ends in the source, in seconds.
    pub to_secs: f64,
    /// How fast it is played: 0.25 to 4.0, pitch kept.
    pub speed: f64,
}

/// A clip being written. Dropped before it is finished, it is removed.
pub struct Encoder {
    running: Option<Running>,
    stdin: Option<ChildStdin>,
    spec: EncodeSpec,
    pushed: u32,
    path: PathBuf,
    whole: bool,
}

// === impl Encoder ===

impl Encoder {
    /// Starts the clip at `path`, whose folder exists. The source of the sound is probed first.
    pub fn create(
        tools: &Toolchain,
        path: &Path,
        spec: EncodeSpec,
        cancel: &CancelToken,
    ) -> Result<Self, MediaError> {
        check(&spec)?;
        let source = match &spec.audio {
            None => None,
            Some(audio) => {
                let probe = probe_video(tools, &audio.source, cancel)?;
                probe.audio.map(|found| Source { audio, found, video_secs: probe.start_secs })
            }
        };
        let args = arguments(path, &spec, source.as_ref());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let access = Access {
            read: source.as_ref().map(|source| source.audio.source.as_path()),
            write: Some(folder.unwrap_or_else(|| Path::new("."))),
        };
        let mut running = tools.ffmpeg(access, &args, Stdio::piped(), Stdio::null(), cancel)?;
        let stdin = running.stdin().ok_or_else(|| std::io::Error::other("no pipe"))?;
        widen(&stdin);
        Ok(Self {
            running: Some(running),
            stdin: Some(stdin),
            spec,
            pushed: 0,
            path: path.to_owned(),
            whole: false,
        })
    }

    /// Appends a frame, which has the clip's size.
    pub fn push(&mut self, frame: &Frame) -> Result<(), MediaError> {
        let EncodeSpec { width, height, frames, .. } = self.spec;
        if (frame.width(), frame.height()) != (width, height) {
            let (w, h) = (frame.width(), frame.height());
            return Err(MediaError::Invalid(format!("a {w}x{h} frame in a {width}x{height} clip")));
        }
        if self.pushed == frames {
            return Err(MediaError::Invalid(format!("more than {frames} frames")));
        }
        let Some(stdin) = &mut self.stdin else { return Err(self.stopped(None)) };
        match stdin.write_all(frame.data()) {
            Ok(()) => {
                self.pushed += 1;
                Ok(())
            }
            Err(cause) => Err(self.stopped(Some(cause))),
        }
    }

    /// Ends the clip. Fails if the number of frames is not the one that was promised.
    pub fn finish(mut self) -> Result<(), MediaError> {
        let (pushed, promised) = (self.pushed, self.spec.frames);
        if pushed != promised {
            return Err(MediaError::Invalid(format!("{pushed} frames of {promised} were pushed")));
        }
        drop(self.stdin.take());
        match self.running.take() {
            None => return Err(self.stopped(None)),
            Some(running) => running.wait()?.ok()?,
        };
        self.whole = true;
        Ok(())
    }

    /// Why ffmpeg does not read any more.
    fn stopped(&mut self, cause: Option<std::io::Error>) -> MediaError {
        drop(self.stdin.take());
        let ended = self.running.take().map(|running| running.wait().and_then(Ended::ok));
        match (ended, cause) {
            (Some(Err(error)), _) => error,
            (_, Some(cause)) => cause.into(),
            _ => MediaError::Ffmpeg(format!("the encoder stopped at frame {}", self.pushed)),
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if !self.whole {
            drop((self.stdin.take(), self.running.take()));
            // It may never have been created.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

// === impl AudioSegment ===

impl AudioSegment {
    /// Where it ends in the clip, in seconds.
    pub fn end_secs(&self) -> f64 {
        self.at_secs + (self.to_secs - self.from_secs) / self.speed
    }
}

/// Where the sound comes from.
struct Source<'a> {
    audio: &'a AudioSpec,
    found: AudioProbe,
    /// Time of the first picture on the file's clock.
    video_secs: f64,
}

fn check(spec: &EncodeSpec) -> Result<(), MediaError> {
    let EncodeSpec { width, height, fps, frames, .. } = *spec;
    if !is_even(width, height) || fps == 0 || frames == 0 {
        return Err(MediaError::Invalid(format!("{frames} frames of {width}x{height}, {fps} fps")));
    }
    let segments = spec.audio.iter().flat_map(|audio| &audio.segments);
    let mut end_secs = 0.0;
    for segment in segments {
        let AudioSegment { at_secs, from_secs, to_secs, speed } = *segment;
        let sane = from_secs >= 0.0 && to_secs > from_secs && to_secs.is_finite();
        let follows = at_secs.is_finite() && at_secs >= end_secs - sound::GAPLESS_SECS;
        if !sane || !follows || !SPEEDS.contains(&speed) {
            let text =
                format!("sound from {from_secs} s to {to_secs} s at {at_secs} s, speed {speed}");
            return Err(MediaError::Invalid(text));
        }
        end_secs = segment.end_secs();
    }
    if spec.audio.as_ref().is_some_and(|audio| audio.segments.is_empty()) {
        return Err(MediaError::Invalid("sound without a stretch of it".into()));
    }
    Ok(())
}

fn arguments(path: &Path, spec: &EncodeSpec, source: Option<&Source<'_>>) -> Vec<OsString> {
    let size = format!("{}x{}", spec.width, spec.height);
    let rate = spec.fps.to_string();
    let mut args: Vec<OsString> = vec!["-copyts".into()];
    let mut add = |words: &[&str]| args.extend(words.iter().map(Into::into));
    add(&["-f", "rawvideo", "-pix_fmt", "yuv420p", "-color_range", "tv"]);
    add(&["-s", &size, "-r", &rate, "-i", "pipe:0"]);
    if let Some(source) = source {
        add(&demuxing());
        add(&["-threads", "1", "-f", "mov", "-i"]);
        args.push(file_url(&source.audio.source));
        let graph = sound::graph(source.audio, &source.found, source.video_secs, spec);
        args.extend(["-filter_complex".into(), graph.into()]);
    }
    let mut add = |words: &[&str]| args.extend(words.iter().map(Into::into));
    add(&["-map", "0:v:0", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high"]);
    add(&["-crf", CRF, "-threads", THREADS, "-pix_fmt", "yuv420p", "-bf", "2", "-g", "48"]);
    add(&["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709"]);
    add(&["-color_trc", "bt709", "-fps_mode", "passthrough"]);
    if source.is_some() {
        add(&["-map", "[sound]", "-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-ac", "2"]);
    }
    add(&["-map_metadata", "-1", "-map_chapters", "-1"]);
    add(&["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]);
    add(&["-metadata", &format!("comment={}", spec.made_by)]);
    add(&["-metadata", &format!("encoding_tool={}", spec.made_by)]);
    add(&["-movflags", "+faststart", "-f", "mp4"]);
    args.push(file_url(path));
    args
}
