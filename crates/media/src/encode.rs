//! Frames and sound as the clip that was promised.
//!
//! H.264 High, yuv420p, tagged bt709, constant rate, faststart, exactly the asked number of
//! frames; sound as stereo AAC that lies under the picture to the frame. The same frames give the
//! same file: a fixed number of encoder threads and no metadata that depends on the run.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};

use crate::decode::widen;
use crate::process::Running;
use crate::toolchain::{Access, Toolchain, demuxing, file_url};
use crate::{CancelToken, Frame, MediaError};

/// Encoder threads, fixed: x264's output depends on their number.
const THREADS: &str = "2";
/// Constant rate factor: visually close to lossless at these sizes.
const CRF: &str = "18";
const SAMPLE_RATE: u32 = 48_000;
/// Sound fades in this fast, so that a cut does not click.
const FADE_IN_SECS: f64 = 0.01;
/// Sound fades out over this long at the clip's end.
const FADE_OUT_SECS: f64 = 0.25;

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
    /// The sound that goes under it.
    pub audio: Option<AudioSpec>,
    /// What made it, kept in the file's metadata: `reshoot 0.1.0, engine roto 0.1.0`.
    pub made_by: String,
}

/// Sound of a source file, mapped onto the clip.
#[derive(Debug, Clone)]
pub struct AudioSpec {
    /// The file whose first sound stream is used.
    pub source: PathBuf,
    /// What is heard, one stretch after the other. What is missing at the end is silence.
    pub segments: Vec<AudioSegment>,
}

/// One stretch of a source's sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioSegment {
    /// Where it begins in the source, in seconds.
    pub from_secs: f64,
    /// Where it ends in the source, in seconds.
    pub to_secs: f64,
    /// How fast it is played: 0.5 to 2.0, pitch kept.
    pub speed: f64,
}

/// A clip being written.
pub struct Encoder {
    running: Running,
    stdin: ChildStdin,
    spec: EncodeSpec,
    pushed: u32,
}

// === impl Encoder ===

impl Encoder {
    /// Starts the clip at `path`, whose folder exists.
    pub fn create(
        tools: &Toolchain,
        path: &Path,
        spec: EncodeSpec,
        cancel: &CancelToken,
    ) -> Result<Self, MediaError> {
        let args = arguments(path, &spec);
        let access = Access {
            read: spec.audio.as_ref().map(|audio| audio.source.as_path()),
            write: path.parent(),
        };
        let mut running = tools.ffmpeg(access, &args, Stdio::piped(), Stdio::null(), cancel)?;
        let stdin = running.stdin().ok_or_else(|| std::io::Error::other("no pipe"))?;
        widen(&stdin);
        Ok(Self { running, stdin, spec, pushed: 0 })
    }

    /// Appends a frame, which has the clip's size.
    pub fn push(&mut self, frame: &Frame) -> Result<(), MediaError> {
        debug_assert_eq!((frame.width(), frame.height()), (self.spec.width, self.spec.height));
        self.pushed += 1;
        match self.stdin.write_all(frame.data()) {
            Ok(()) => Ok(()),
            Err(e) => Err(MediaError::Ffmpeg(format!(
                "the encoder stopped at frame {}: {e}",
                self.pushed
            ))),
        }
    }

    /// Ends the clip. Fails if the number of frames is not the one that was promised.
    pub fn finish(self) -> Result<(), MediaError> {
        let Self { running, stdin, spec, pushed } = self;
        drop(stdin);
        running.wait()?.ok()?;
        if pushed == spec.frames {
            return Ok(());
        }
        Err(MediaError::Ffmpeg(format!("{pushed} frames were pushed, {} promised", spec.frames)))
    }
}

fn arguments(path: &Path, spec: &EncodeSpec) -> Vec<OsString> {
    let size = format!("{}x{}", spec.width, spec.height);
    let rate = spec.fps.to_string();
    let frames = spec.frames.to_string();
    let mut args: Vec<OsString> =
        ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-color_range", "tv", "-s", &size, "-r", &rate]
            .map(Into::into)
            .into();
    args.extend(["-i", "pipe:0"].map(Into::into));
    if let Some(audio) = &spec.audio {
        args.extend(demuxing().map(Into::into));
        args.extend(["-f", "mov", "-i"].map(Into::into));
        args.push(file_url(&audio.source));
        let secs = f64::from(spec.frames) / f64::from(spec.fps);
        args.extend(["-filter_complex".into(), sound(audio, secs).into()]);
        args.extend(["-map", "0:v:0", "-map", "[sound]"].map(Into::into));
        args.extend(["-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-ac", "2"].map(Into::into));
    }
    args.extend(
        ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-crf", CRF, "-threads"]
            .map(Into::into),
    );
    args.extend(
        [THREADS, "-pix_fmt", "yuv420p", "-r", &rate, "-frames:v", &frames].map(Into::into),
    );
    args.extend(
        ["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc"]
            .map(Into::into),
    );
    args.extend(["bt709", "-bf", "2", "-g", "48", "-map_metadata", "-1"].map(Into::into));
    args.extend(
        ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"].map(Into::into),
    );
    args.extend(["-metadata".into(), format!("comment={}", spec.made_by).into()]);
    args.extend(["-movflags", "+faststart", "-f", "mp4"].map(Into::into));
    args.push(file_url(path));
    args
}

/// The filter graph from the source's sound to `[sound]`, exactly `secs` long.
///
/// Times count from the start of the file's earliest stream, as the picture's do; a sound stream
/// that starts later is filled with silence first.
fn sound(audio: &AudioSpec, secs: f64) -> String {
    let count = audio.segments.len();
    let mut graph = format!(
        "[1:a:0]aresample={SAMPLE_RATE}:async=1:first_pts=0,\
         aformat=sample_fmts=fltp:channel_layouts=stereo,asplit={count}"
    );
    for n in 0..count {
        let _ = write!(graph, "[in{n}]");
    }
    let mut heard = 0.0;
    for (n, segment) in audio.segments.iter().enumerate() {
        let AudioSegment { from_secs, to_secs, speed } = segment;
        heard += (to_secs - from_secs) / speed;
        let _ = write!(
            graph,
            ";[in{n}]atrim=start={from_secs:.6}:end={to_secs:.6},asetpts=PTS-STARTPTS,\
             atempo={speed:.6}[out{n}]"
        );
    }
    graph.push(';');
    for n in 0..count {
        let _ = write!(graph, "[out{n}]");
    }
    let end = heard.min(secs);
    let fade = FADE_OUT_SECS.min(end / 2.0);
    let _ = write!(
        graph,
        "concat=n={count}:v=0:a=1,afade=t=in:d={FADE_IN_SECS},\
         afade=t=out:st={:.6}:d={fade:.6},apad=whole_dur={secs:.6},atrim=end={secs:.6}[sound]",
        end - fade
    );
    graph
}
