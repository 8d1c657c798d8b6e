//! `manifest.toml` as it is written. Unknown keys are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::media::{ImageLimits, VideoLimits};
use crate::output::OutputKind;

/// One manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) model_id: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) kind: Kind,
    pub(crate) categories: Vec<String>,
    pub(crate) base_price_usd: f64,
    pub(crate) price_unit: PriceUnit,
    #[serde(default)]
    pub(crate) pricing_note: Option<String>,
    #[serde(default)]
    pub(crate) strict: bool,
    pub(crate) roles: Roles,
    #[serde(default)]
    pub(crate) rules: Rules,
    pub(crate) limits: Limits,
    pub(crate) output: Output,
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    #[serde(default)]
    pub(crate) engine: EngineDefaults,
}

/// What a catalogue entry is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    #[default]
    Model,
    Workflow,
    Inference,
}

/// What the price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceUnit {
    /// Each second of output.
    Second,
    /// Each output.
    Output,
}

/// Which field plays which part, by JSON pointer into the body.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Roles {
    pub(crate) prompt: String,
    #[serde(default)]
    pub(crate) length: Option<String>,
    #[serde(default)]
    pub(crate) ratio: Option<String>,
    #[serde(default)]
    pub(crate) keep_sound: Option<String>,
    #[serde(default)]
    pub(crate) video: Option<MediaRole>,
    #[serde(default)]
    pub(crate) images: Option<MediaRole>,
    #[serde(default)]
    pub(crate) elements: Option<ElementsRole>,
}

/// A string field, or a list of strings, that names media.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaRole {
    pub(crate) at: String,
    pub(crate) limits: String,
}

/// A list of objects, each with views of one thing. `frontal` and `views` are pointers into one
/// of them; both name image limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElementsRole {
    pub(crate) at: String,
    pub(crate) frontal: String,
    pub(crate) frontal_limits: String,
    pub(crate) views: String,
    pub(crate) view_limits: String,
}

/// What a schema cannot say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// Most elements and images together.
    #[serde(default)]
    pub(crate) max_elements_and_images: Option<usize>,
}

/// Limits by name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    #[serde(default)]
    pub(crate) video: BTreeMap<String, VideoLimits>,
    #[serde(default)]
    pub(crate) image: BTreeMap<String, ImageLimits>,
}

/// What comes out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) kind: OutputKind,
    #[serde(default)]
    pub(crate) fps: Option<u32>,
    /// The length where no field gives one.
    #[serde(default)]
    pub(crate) length_secs: Option<u32>,
    /// Which of `sizes` is used.
    pub(crate) quality: String,
    /// The ratios on offer, the first being the one for want of a reference.
    pub(crate) ratios: Vec<String>,
    /// quality -> ratio -> width and height.
    pub(crate) sizes: BTreeMap<String, BTreeMap<String, [u32; 2]>>,
}

/// How long the stages may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// All inputs of a request: fetch, probe and check, in seconds.
    pub intake_secs: u32,
    /// One engine run, in seconds.
    pub run_secs: u32,
}

/// What an engine is given unless the operator says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineDefaults {
    /// Its name; none leaves the choice to the operator's configuration.
    pub name: Option<String>,
}

// === impl Timeouts ===

impl Default for Timeouts {
    fn default() -> Self {
        Self { intake_secs: 120, run_secs: 1800 }
    }
}

// === impl Kind ===

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Workflow => "workflow",
            Self::Inference => "inference",
        }
    }
}

// === impl PriceUnit ===

impl PriceUnit {
    /// As the catalogue says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Output => "output",
        }
    }
}
