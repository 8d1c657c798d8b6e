//! Headers of mp4 and mov files, read while the file is still being fetched.
//!
//! A 200 MB video that is an hour long is refused after kilobytes: [`HeaderWalker`] is fed with
//! bytes as they come, keeps only header boxes, and says what it knows as soon as it knows it.
//! If the samples lie in front of the header, it names the offset at which the header begins, so
//! that one range request is enough.
//!
//! It believes no number that it reads: memory grows with the bytes that were really pushed, and
//! stays below [`MAX_MOOV_BYTES`]; nesting is a fixed number of levels; sums saturate. What it
//! tells is what the file *claims*, good enough to refuse a file and never enough to accept one:
//! that takes [`crate::probe_video`].
//!
//! Boxes as in ISO/IEC 14496-12 and Apple's QuickTime File Format specification.

mod boxes;
mod extent;
mod fragment;
mod moov;
mod walker;

pub(crate) use extent::cut_short;
pub use walker::{HeaderWalker, Step};

/// Largest `moov` box that is read.
pub const MAX_MOOV_BYTES: u64 = 16 << 20;
/// Largest other header box (`moof`, `sidx`, `ftyp`) that is read.
pub const MAX_OTHER_BYTES: u64 = 4 << 20;

/// What a file's header claims about its first video track.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderFacts {
    /// Major brand and compatible brands, in order, as text; empty for old QuickTime files.
    pub brands: Vec<String>,
    /// Length of the video in seconds, after edit lists. `None` if the header does not say. In a
    /// fragmented file it grows while fragments come.
    pub duration_secs: Option<f64>,
    /// Length of the whole movie in seconds: that of its longest track.
    pub movie_secs: Option<f64>,
    /// Width as displayed, after pixel aspect and rotation, in square pixels.
    pub width: u32,
    /// Height as displayed.
    pub height: u32,
    /// Clockwise rotation for display, in degrees: 0, 90, 180 or 270.
    pub rotation: u32,
    /// Width over height of one pixel, as two integers.
    pub pixel_aspect: (u32, u32),
    /// Four characters that name the video codec: `avc1`, `hvc1`.
    pub video_codec: String,
    /// Four characters that name the codec of the first sound track.
    pub audio_codec: Option<String>,
    /// Frames a second on average, if the header tells.
    pub fps: Option<f64>,
    /// Whether samples are described in fragments that follow the header.
    pub fragmented: bool,
}

/// Why a header could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The bytes are not boxes.
    #[error("it is not an mp4 or mov file")]
    NotMp4,
    /// A box contradicts the format.
    #[error("its `{0}` box is malformed")]
    Malformed(String),
    /// A header box is larger than any sensible one.
    #[error("its `{kind}` box claims {claimed_bytes} bytes, at most {max_bytes} are read")]
    TooLarge {
        /// Name of the box.
        kind: String,
        /// What it claims.
        claimed_bytes: u64,
        /// What is allowed.
        max_bytes: u64,
    },
    /// There is no `moov` box.
    #[error("it has no `moov` box: the file is truncated or was never finished")]
    NoHeader,
    /// The header has no video track.
    #[error("it has no video track")]
    NoVideoTrack,
}
