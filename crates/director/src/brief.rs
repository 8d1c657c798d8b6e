//! What the director is told of a request.

use serde::{Deserialize, Serialize};

/// What the director needs of a request, whatever its model calls the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brief {
    /// The prompt, as sent.
    pub prompt: String,
    /// Length of the clip that is asked for, in seconds.
    pub length_secs: u32,
    /// Shape of the clip that is asked for.
    pub aspect: Aspect,
    /// Whether the reference's sound is asked for.
    pub keep_sound: bool,
    /// How many reference videos the request has.
    pub videos: u32,
    /// How many images the request has.
    pub images: u32,
    /// How many elements the request has.
    pub elements: u32,
}

/// The shape of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Aspect {
    /// As the reference has it.
    #[default]
    Auto,
    /// Width to height, in lowest terms as given: 16 to 9.
    Ratio {
        /// Units of width, at least 1.
        width: u32,
        /// Units of height, at least 1.
        height: u32,
    },
}

// === impl Brief ===

impl Default for Brief {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            length_secs: 5,
            aspect: Aspect::Auto,
            keep_sound: false,
            videos: 1,
            images: 0,
            elements: 0,
        }
    }
}

// === impl Aspect ===

impl Aspect {
    /// Width divided by height; `None` for [`Aspect::Auto`].
    pub fn ratio(self) -> Option<f64> {
        match self {
            Self::Auto => None,
            Self::Ratio { width, height } => Some(f64::from(width) / f64::from(height.max(1))),
        }
    }
}
