//! What is known about a request's inputs once they have been looked at.
//!
//! Intake measures, the director and the engines read. All sizes are in pixels as displayed:
//! after rotation, EXIF orientation and pixel aspect.

use serde::{Deserialize, Serialize};

/// Which input of the prompt's vocabulary a file is. Numbers count from 1, as in `@Image1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Role {
    /// `@VideoN`.
    Video {
        /// N.
        n: u32,
    },
    /// `@ImageN`.
    Image {
        /// N.
        n: u32,
    },
    /// The main view of `@ElementN`.
    ElementFrontal {
        /// N.
        n: u32,
    },
    /// A further view of `@ElementN`.
    ElementView {
        /// N.
        n: u32,
        /// Which of its views, from 1.
        view: u32,
    },
}

/// A reference video, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    /// Width in pixels, as displayed.
    pub width: u32,
    /// Height in pixels, as displayed.
    pub height: u32,
    /// Length in seconds, after edit lists.
    pub duration_secs: f64,
    /// Frames a second on average.
    pub fps: f64,
    /// Video codec, ffmpeg's name (`h264`).
    pub codec: String,
    /// Whether there is a sound stream that can be kept.
    pub has_audio: bool,
    /// Whether the frames come at uneven times.
    pub variable_rate: bool,
    /// Whether the transfer curve is PQ or HLG.
    pub hdr: bool,
}

/// A picture, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// Width in pixels, after EXIF orientation.
    pub width: u32,
    /// Height in pixels, after EXIF orientation.
    pub height: u32,
    /// `jpeg`, `png` or `webp`.
    pub format: String,
    /// Whether any pixel is not opaque.
    pub has_alpha: bool,
}

/// What one file turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MediaFacts {
    /// A video.
    Video(VideoFacts),
    /// A picture.
    Image(ImageFacts),
}

/// One input file, kept and measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputFacts {
    /// Where the body names it: `/elements/0/frontal_image_url`.
    pub pointer: String,
    /// What the prompt calls it.
    #[serde(flatten)]
    pub role: Role,
    /// Where the bytes are kept: a path in the artifact store.
    pub artifact: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
    /// What it turned out to be.
    pub media: MediaFacts,
}

/// Everything known about the inputs of one request, in the order of the body.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(pub Vec<InputFacts>);

// === impl Facts ===

impl Facts {
    /// The file that plays `role`, if any.
    pub fn find(&self, role: Role) -> Option<&InputFacts> {
        self.0.iter().find(|input| input.role == role)
    }

    /// `@VideoN`, measured.
    pub fn video(&self, n: u32) -> Option<&VideoFacts> {
        match &self.find(Role::Video { n })?.media {
            MediaFacts::Video(facts) => Some(facts),
            MediaFacts::Image(_) => None,
        }
    }

    /// All views of `@ElementN`, the frontal one first.
    pub fn element(&self, n: u32) -> impl Iterator<Item = &InputFacts> {
        self.0.iter().filter(move |input| match input.role {
            Role::ElementFrontal { n: m } | Role::ElementView { n: m, .. } => m == n,
            Role::Video { .. } | Role::Image { .. } => false,
        })
    }
}
