//! The media of an accepted body: where each file comes from, what it is for, what it may be.

use std::ops::Range;
use std::sync::Arc;

use domain::facts::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Opens the reference to bytes that the server keeps: `reshoot-artifact:<path>`. It stands in
/// kept bodies where a `data:` URI was, and is refused from outside.
pub const KEPT_SCHEME: &str = "reshoot-artifact:";

/// One file that a body names.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaInput {
    /// Where: `/elements/0/frontal_image_url`.
    pub pointer: String,
    /// What for.
    pub role: Role,
    /// From where.
    pub source: Source,
    /// What it may be.
    pub limits: Arc<MediaLimits>,
    /// Longest time to fetch it, in seconds.
    pub fetch_secs: u32,
    /// Most bytes.
    pub max_bytes: u64,
}

/// Where the bytes of an input are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// At a URL, as it was sent.
    Url(String),
    /// In the body itself, as a `data:` URI.
    Data {
        /// As claimed, in lower case: `image/png`.
        media_type: String,
        /// Where the base64 text is in the string at the input's pointer, in bytes.
        base64: Range<usize>,
    },
    /// Kept by this server: a path in the artifact store.
    Kept(String),
}

/// What a file may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MediaLimits {
    /// A video.
    Video(VideoLimits),
    /// A picture.
    Image(ImageLimits),
}

/// What a video may be. Both ends of every range are allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoLimits {
    /// Containers: `mp4`, `mov`.
    pub formats: Vec<String>,
    /// Media types that a `data:` URI may claim.
    pub media_types: Vec<String>,
    /// Video codecs, ffmpeg's names.
    pub codecs: Vec<String>,
    /// Sound codecs, ffmpeg's names; `pcm` stands for all of `pcm_*`.
    pub sound_codecs: Vec<String>,
    /// Shortest, in seconds.
    pub min_secs: f64,
    /// Longest, in seconds.
    pub max_secs: f64,
    /// Shortest side, in pixels as displayed.
    pub min_side: u32,
    /// Longest side, in pixels as displayed.
    pub max_side: u32,
    /// Fewest frames a second on average, as stated to people.
    pub min_fps: f64,
    /// Most frames a second on average, as stated to people.
    pub max_fps: f64,
    /// How far below `min_fps` is let pass (23.976 is `24`).
    #[serde(default)]
    pub fps_slack_below: f64,
    /// How far above `max_fps` is let pass.
    #[serde(default)]
    pub fps_slack_above: f64,
    /// Most bytes.
    pub max_bytes: u64,
    /// More bytes than this are warned about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended_bytes: Option<u64>,
    /// Longest time to fetch it, in seconds.
    pub fetch_secs: u32,
}

/// What a picture may be. Both ends of every range are allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageLimits {
    /// `jpeg`, `png`, `webp`.
    pub formats: Vec<String>,
    /// Media types that a `data:` URI may claim.
    pub media_types: Vec<String>,
    /// Shortest side, in pixels as displayed.
    #[serde(default = "one")]
    pub min_side: u32,
    /// Longest side, in pixels as displayed.
    pub max_side: u32,
    /// Least ratio of width to height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_aspect: Option<f64>,
    /// Greatest ratio of width to height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_aspect: Option<f64>,
    /// Most bytes.
    pub max_bytes: u64,
    /// More bytes than this are warned about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended_bytes: Option<u64>,
    /// Longest time to fetch it, in seconds.
    pub fetch_secs: u32,
}

const fn one() -> u32 {
    1
}

// === impl MediaInput ===

impl MediaInput {
    /// The base64 text of a `data:` URI, out of the body that this input was read from.
    pub fn base64<'a>(&self, body: &'a Value) -> Option<&'a str> {
        let Source::Data { base64, .. } = &self.source else { return None };
        body.pointer(&self.pointer)?.as_str()?.get(base64.clone())
    }
}

// === impl MediaLimits ===

impl MediaLimits {
    /// Most bytes.
    pub const fn max_bytes(&self) -> u64 {
        match self {
            Self::Video(limits) => limits.max_bytes,
            Self::Image(limits) => limits.max_bytes,
        }
    }

    /// Longest time to fetch, in seconds.
    pub const fn fetch_secs(&self) -> u32 {
        match self {
            Self::Video(limits) => limits.fetch_secs,
            Self::Image(limits) => limits.fetch_secs,
        }
    }

    /// More bytes than this are warned about.
    pub const fn recommended_bytes(&self) -> Option<u64> {
        match self {
            Self::Video(limits) => limits.recommended_bytes,
            Self::Image(limits) => limits.recommended_bytes,
        }
    }

    /// The formats allowed, by short names.
    pub fn formats(&self) -> &[String] {
        match self {
            Self::Video(limits) => &limits.formats,
            Self::Image(limits) => &limits.formats,
        }
    }

    /// The media types that a `data:` URI may claim.
    pub fn media_types(&self) -> &[String] {
        match self {
            Self::Video(limits) => &limits.media_types,
            Self::Image(limits) => &limits.media_types,
        }
    }
}
