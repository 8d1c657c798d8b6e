//! The only door to ffmpeg, and the only reader of pictures: probe, decode, encode, in a jail.
//!
//! Media comes from strangers. Videos are therefore handled by child processes
//! ([`Toolchain`] starts `ffmpeg` and `ffprobe` through [`jail`]), with whitelists of protocols,
//! formats and codecs; what crosses into this process is JSON, raw yuv420p [`Frame`]s and bounded
//! stderr. [`mp4`] reads headers of a stream that is still being fetched, [`mod@sniff`] tells types by
//! magic bytes, [`still`] decodes pictures with limits.
//!
//! Everything is synchronous. What can take long takes a [`CancelToken`]: cancelling kills the
//! process group of every child that the call has started, and the call returns `Cancelled`; a
//! handle [with a timeout](CancelToken::with_timeout) ends the same way with `TimedOut`.
//!
//! Times are seconds from the first picture of a video, for its sound too.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

pub mod decode;
pub mod encode;
pub mod frame;
pub mod jail;
pub mod mp4;
pub mod probe;
pub mod sniff;
pub mod still;

mod cancel;
mod process;
mod toolchain;

pub use cancel::CancelToken;
pub use decode::{DecodeSpec, Decoder};
pub use encode::{AudioSegment, AudioSpec, EncodeSpec, Encoder};
pub use frame::Frame;
pub use probe::{AudioProbe, VideoProbe, probe_video};
pub use sniff::{FileKind, sniff};
pub use still::{ImageLimits, ImageProbe, StillImage, decode_image, probe_image};
pub use toolchain::{Check, JailConfig, Toolchain};

/// Why a video could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The bytes are no mp4 or mov file, or one without a single readable header.
    #[error("it is not a readable mp4 or mov file: {0}")]
    NotAVideo(String),
    /// The file ends before its content does.
    #[error("the file is truncated: {0}")]
    Truncated(String),
    /// There is no video stream in it.
    #[error("it has no video stream")]
    NoVideoStream,
    /// A codec that is not on the whitelist.
    #[error("its {stream} codec is `{codec}`; supported are {}", allowed.join(", "))]
    Unsupported {
        /// `video` or `audio`.
        stream: &'static str,
        /// What was found, by ffmpeg's name.
        codec: String,
        /// What is allowed.
        allowed: &'static [&'static str],
    },
    /// The call was cancelled; its children are dead.
    #[error("cancelled")]
    Cancelled,
    /// The deadline passed; the children are dead.
    #[error("it took longer than allowed")]
    TimedOut,
    /// A child was killed: by its limits, by the kernel or by somebody.
    #[error("ffmpeg was killed by signal {signal}")]
    Killed {
        /// Number of the signal: 9 often means memory, 24 CPU time, 25 size of a file.
        signal: i32,
    },
    /// The jail refused to start ffmpeg.
    #[error("ffmpeg was not started: {0}")]
    Sandbox(String),
    /// What was asked of this crate makes no sense: a fault of its caller.
    #[error("this cannot be made: {0}")]
    Invalid(String),
    /// `ffmpeg` or `ffprobe` could not be started.
    #[error("`{program}` could not be started: {cause}; install ffmpeg or put it on the PATH")]
    Missing {
        /// Which.
        program: String,
        /// Why.
        cause: std::io::Error,
    },
    /// ffmpeg failed; its last line.
    #[error("ffmpeg failed: {0}")]
    Ffmpeg(String),
    /// The pipe to ffmpeg broke, or a file could not be read or written.
    #[error("reading or writing failed: {0}")]
    Io(#[from] std::io::Error),
}
