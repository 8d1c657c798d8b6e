//! A video as upright, square-pixelled bt709 frames at an even rate.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::Arc;

use crate::frame::{Pool, is_even};
use crate::process::Running;
use crate::toolchain::{Access, Toolchain, demuxing, file_url};
use crate::{CancelToken, Frame, MediaError, VideoProbe};

mod filters;

/// Size of the pipe that frames come through.
pub(crate) const PIPE_BYTES: usize = 1 << 20;
/// Decoder threads.
const THREADS: &str = "2";

/// What frames are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeSpec {
    /// Width in pixels, even. The picture is scaled to it whatever its shape.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Frames a second. Frame n shows what the source shows at `start_secs` + n / `fps`.
    pub fps: u32,
    /// Where to begin, in seconds from the first picture; rounded to a whole frame of `fps`.
    pub start_secs: f64,
    /// At most this many frames.
    pub max_frames: Option<u32>,
}

/// Frames of one video, in order. Dropped, it ends its ffmpeg.
pub struct Decoder {
    running: Option<Running>,
    stdout: ChildStdout,
    spec: DecodeSpec,
    pool: Arc<Pool>,
}

// === impl Decoder ===

impl Decoder {
    /// Starts to decode the file at `path`, which `probe` describes.
    ///
    /// Pictures come upright, with square pixels, after edit lists, in bt709 with limited range:
    /// PQ and HLG are tone-mapped to 100 nits, wide gamuts and other matrices converted, deep
    /// samples cut to 8 bits. A source at an uneven rate is sampled by its times.
    pub fn open(
        tools: &Toolchain,
        path: &Path,
        probe: &VideoProbe,
        spec: DecodeSpec,
        cancel: &CancelToken,
    ) -> Result<Self, MediaError> {
        if !is_even(spec.width, spec.height)
            || spec.fps == 0
            || spec.start_secs < 0.0
            || !spec.start_secs.is_finite()
        {
            return Err(MediaError::Invalid(format!("frames of {spec:?}")));
        }
        let mut args: Vec<OsString> = demuxing().map(Into::into).into();
        args.extend(["-threads", THREADS, "-f", "mov", "-i"].map(Into::into));
        args.push(file_url(path));
        let stream = format!("0:{}", probe.stream);
        args.extend(["-map", &stream, "-an", "-sn", "-dn", "-vf"].map(Into::into));
        args.push(filters::chain(probe, spec).into());
        if let Some(most) = spec.max_frames {
            args.extend(["-frames:v".into(), most.to_string().into()]);
        }
        args.extend(
            ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]
                .map(Into::into),
        );
        let access = Access { read: Some(path), write: None };
        let mut running = tools.ffmpeg(access, &args, Stdio::null(), Stdio::piped(), cancel)?;
        let stdout = running.stdout().ok_or_else(|| std::io::Error::other("no pipe"))?;
        widen(&stdout);
        Ok(Self { running: Some(running), stdout, spec, pool: Arc::default() })
    }

    /// The next frame; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Frame>, MediaError> {
        let DecodeSpec { width, height, .. } = self.spec;
        if self.running.is_none() {
            return Ok(None);
        }
        let mut bytes = self.pool.take(Frame::bytes(width, height));
        let filled = fill(&mut self.stdout, &mut bytes)?;
        if filled == bytes.len() {
            return Ok(Frame::pooled(width, height, bytes, Arc::downgrade(&self.pool)));
        }
        if let Some(running) = self.running.take() {
            running.wait()?.ok().map_err(named)?;
        }
        if filled == 0 { Ok(None) } else { Err(MediaError::Truncated("a frame is cut".into())) }
    }
}

/// Fills a buffer as far as the pipe goes.
fn fill(pipe: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match pipe.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// A probed file whose stream ffmpeg does not find any more has changed or lies.
fn named(error: MediaError) -> MediaError {
    match error {
        MediaError::Ffmpeg(line) if line.contains("matches no streams") => {
            MediaError::NoVideoStream
        }
        other => other,
    }
}

/// Asks for a large pipe; a small one is slower, not wrong.
pub(crate) fn widen(pipe: impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
}
