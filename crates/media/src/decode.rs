//! A video as upright, square-pixelled bt709 frames at an even rate.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{ChildStdout, Stdio};

use crate::process::Running;
use crate::toolchain::{Access, Toolchain, demuxing, file_url};
use crate::{CancelToken, Frame, MediaError, VideoProbe};

/// Size of the pipe that frames come through.
pub(crate) const PIPE_BYTES: usize = 1 << 20;
/// Scaling that gives the same bytes on every machine.
const SCALING: &str = "flags=bicubic+accurate_rnd+bitexact+full_chroma_int+full_chroma_inp";

/// What frames are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeSpec {
    /// Width in pixels, even. The picture is scaled to it whatever its shape.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Frames a second. Frame n shows what the source shows at n / `fps` seconds.
    pub fps: u32,
    /// Where to begin, in seconds.
    pub start_secs: f64,
    /// At most this many frames.
    pub max_frames: Option<u32>,
}

/// Frames of one video, in order.
pub struct Decoder {
    running: Option<Running>,
    stdout: ChildStdout,
    spec: DecodeSpec,
}

// === impl Decoder ===

impl Decoder {
    /// Starts to decode the file at `path`, which `probe` describes.
    pub fn open(
        tools: &Toolchain,
        path: &Path,
        probe: &VideoProbe,
        spec: DecodeSpec,
        cancel: &CancelToken,
    ) -> Result<Self, MediaError> {
        let mut args: Vec<OsString> = Vec::new();
        if spec.start_secs > 0.0 {
            args.extend(["-ss".into(), format!("{:.6}", spec.start_secs).into()]);
        }
        args.extend(demuxing().map(Into::into));
        args.extend(["-threads".into(), "2".into(), "-f".into(), "mov".into(), "-i".into()]);
        args.push(file_url(path));
        args.extend(["-map", "0:v:0", "-an", "-sn", "-dn", "-vf"].map(Into::into));
        args.push(filters(probe, spec).into());
        if let Some(most) = spec.max_frames {
            args.extend(["-frames:v".into(), most.to_string().into()]);
        }
        args.extend(["-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"].map(Into::into));
        let access = Access { read: Some(path), write: None };
        let mut running = tools.ffmpeg(access, &args, Stdio::null(), Stdio::piped(), cancel)?;
        let stdout = running.stdout().ok_or_else(|| std::io::Error::other("no pipe"))?;
        widen(&stdout);
        Ok(Self { running: Some(running), stdout, spec })
    }

    /// The next frame; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Frame>, MediaError> {
        let DecodeSpec { width, height, .. } = self.spec;
        let mut bytes = vec![0; Frame::bytes(width, height)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.stdout.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        if filled == bytes.len() {
            return Ok(Frame::from_bytes(width, height, bytes));
        }
        if let Some(running) = self.running.take() {
            running.wait()?.ok()?;
        }
        if filled == 0 { Ok(None) } else { Err(MediaError::Truncated("a frame is cut".into())) }
    }
}

/// Asks for a large pipe; a small one is slower, not wrong.
pub(crate) fn widen(pipe: impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
}

/// ffmpeg turns the picture upright by itself; what follows fixes rate, curve, size and matrix.
fn filters(probe: &VideoProbe, spec: DecodeSpec) -> String {
    let mut chain = vec![format!("fps={}:start_time=0:round=near", spec.fps)];
    let mut matrix = match probe.matrix.as_deref() {
        // Untagged files of this size are bt709 by convention.
        None => "bt709",
        Some(_) => "auto",
    };
    if probe.hdr {
        // To linear light, tone-mapped to what a bt709 display shows (100 nits as white).
        chain.push(
            "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,\
             tonemap=tonemap=hable:desat=0,zscale=transfer=bt709:matrix=bt709:range=tv,\
             format=yuv420p"
                .to_owned(),
        );
        matrix = "bt709";
    }
    let DecodeSpec { width, height, .. } = spec;
    chain.push(format!(
        "scale={width}:{height}:{SCALING}:in_color_matrix={matrix}:out_color_matrix=bt709:\
         out_range=tv"
    ));
    chain.push("setsar=1,format=yuv420p".to_owned());
    chain.join(",")
}
