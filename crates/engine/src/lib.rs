//! What an engine is, and how one runs as a child process.
//!
//! An engine is asked twice: [`Engine::assess`] says what of a plan it will honour, from nothing
//! but the plan and what is known of the inputs; [`Engine::generate`] makes the files. A run is a
//! child of the same binary that speaks the lines of [`protocol`], so that an out-of-memory, an
//! abort or a driver fault takes one job and not the queue. `reshoot run` calls the very same
//! [`Engine::generate`].
//!
//! Nothing is faked: what an engine does not do stands in [`Assessment::unmet`] with the reason.

pub mod protocol;

use std::collections::BTreeMap;
use std::path::PathBuf;

use director::ShotPlan;
use domain::Fault;
use domain::facts::{Facts, MediaFacts, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that makes clips.
pub trait Engine: Send + Sync {
    /// Its name on the command line and in records: `roto`.
    fn name(&self) -> &'static str;

    /// Its version, as recorded with each clip.
    fn version(&self) -> &'static str;

    /// Which kinds of wish it honours, and how far: for people who look at an installation.
    /// [`Engine::assess`] decides for each plan.
    fn honours(&self) -> &'static [Honour];

    /// What it would honour of `plan`. Without facts (a dry run touches no URL) the answer about
    /// anything that needs the media is provisional.
    fn assess(&self, plan: &ShotPlan, facts: Option<&Facts>) -> Assessment;

    /// Makes the outputs that `shot` asks for, in `shot.dir`.
    fn generate(&self, shot: &Shot, context: &dyn Context) -> Result<Take, EngineError>;
}

/// One kind of wish, and how far an engine goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Honour {
    /// The kind, in words that a prompt could use.
    pub wish: &'static str,
    /// How far.
    pub degree: Degree,
    /// What is done and what is not, in one sentence.
    pub note: &'static str,
}

/// How far an engine goes with a kind of wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Degree {
    /// It is done.
    Yes,
    /// A part of it is done, or it depends on the media.
    Partly,
    /// It is left out, and said to be.
    No,
}

/// What a running engine may tell and must heed.
pub trait Context: Send + Sync {
    /// Says which pass runs and how much of the whole run is done, 0.0 to 1.0, never falling.
    fn progress(&self, stage: &str, fraction: f64);

    /// Whether to stop now; asked at least once a frame.
    fn cancelled(&self) -> bool;
}

/// Everything an engine needs to make one clip.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shot {
    /// What is wished.
    pub plan: ShotPlan,
    /// The input files.
    pub inputs: Vec<ShotInput>,
    /// Length of the clip in seconds.
    pub length_secs: u32,
    /// Whether the reference's sound goes into the clip.
    pub keep_sound: bool,
    /// What to make.
    pub outputs: Vec<OutputSpec>,
    /// Fixes every random choice.
    pub seed: u64,
    /// An existing, empty folder for outputs and scratch files.
    pub dir: PathBuf,
    /// The engine's settings from the model's manifest.
    #[serde(default)]
    pub settings: Value,
}

/// One input file on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShotInput {
    /// What the prompt calls it.
    #[serde(flatten)]
    pub role: Role,
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// What it is.
    pub media: MediaFacts,
}

/// One output that the model's schema names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// The schema's name for it: `video`.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: OutputKind,
}

/// What an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutputKind {
    /// An mp4 clip.
    Video {
        /// Width in pixels, even.
        width: u32,
        /// Height in pixels, even.
        height: u32,
        /// Frames a second.
        fps: u32,
        /// Number of frames, exactly.
        frames: u32,
    },
    /// A still, as PNG.
    Image {
        /// Width in pixels, even.
        width: u32,
        /// Height in pixels, even.
        height: u32,
    },
}

/// What an engine says of a plan before any work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Assessment {
    /// The passes it will run, in order.
    pub honoured: Vec<String>,
    /// What it will not do.
    pub unmet: Vec<Unmet>,
    /// A guess at the CPU seconds, for ordering and display.
    pub cpu_secs: f64,
}

/// A wish that stays unfulfilled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unmet {
    /// The words of the prompt that asked for it.
    pub words: String,
    /// Why not, in one sentence.
    pub reason: String,
    /// Whether the media, once looked at, may change the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Take {
    /// The files, one for each [`OutputSpec`].
    pub outputs: Vec<Made>,
    /// A JPEG still of the clip.
    pub poster: Option<PathBuf>,
    /// What was done.
    pub report: Report,
}

/// One file that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The [`OutputSpec::name`] it answers.
    pub name: String,
    /// Where it is, inside [`Shot::dir`].
    pub path: PathBuf,
    /// Its media type.
    pub content_type: String,
}

/// What an engine did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The engine's name.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Each pass, in order.
    pub passes: Vec<Pass>,
    /// What it did not do.
    pub unmet: Vec<Unmet>,
    /// Numbers about the finished clip.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
}

/// One pass of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Its name: `colour_transfer`.
    pub name: String,
    /// With which parameters.
    pub parameters: Value,
    /// Wall time in milliseconds.
    pub millis: u64,
}

/// Why a run made nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum EngineError {
    /// An input is at fault: the request fails, uncharged, without a retry.
    #[error("{message}")]
    Input {
        /// One sentence.
        message: String,
        /// The fields at fault.
        #[serde(default)]
        faults: Vec<Fault>,
    },
    /// The engine cannot do what the model asks: the request fails without a retry.
    #[error("{message}")]
    Unsupported {
        /// One sentence.
        message: String,
    },
    /// Something around the engine failed: worth another attempt.
    #[error("{message}")]
    Infrastructure {
        /// One sentence.
        message: String,
    },
    /// It was told to stop.
    #[error("cancelled")]
    Cancelled,
    /// Its time ran out.
    #[error("the time limit of `{limit_secs}` s ran out")]
    Deadline {
        /// The limit, in seconds.
        limit_secs: u64,
    },
}

// === impl Degree ===

impl Degree {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
        }
    }
}

// === impl Shot ===

impl Shot {
    /// The file that plays `role`, if any.
    pub fn input(&self, role: Role) -> Option<&ShotInput> {
        self.inputs.iter().find(|input| input.role == role)
    }
}
