//! What the server asks of crates that it does not know; the binary answers.

use async_trait::async_trait;
use catalog::{Catalog, Inputs, Model};
use domain::facts::Facts;
use serde_json::Value;

/// One engine as `/v1/system` shows it.
pub use wire::{SystemEngine, SystemHonour};

/// What would be made of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecasted {
    /// The shot plan.
    pub plan: Value,
    /// The engine that would run, where one is known.
    pub engine: Option<String>,
    /// Wishes that it would not honour, and why.
    pub unmet: Vec<Value>,
    /// Whether the media could still change `plan` and `unmet`.
    pub provisional: bool,
}

/// Plans a clip without making it: for dry runs, and for records of requests that have not run.
/// Knows what clips are made with.
pub trait Forecast: Send + Sync {
    /// What would be made of `inputs`; `facts` are there once intake has looked at the media.
    fn forecast(&self, model: &Model, inputs: &Inputs, facts: Option<&Facts>) -> Forecasted;
    /// The engines of this installation, with the models that each makes the clips of.
    fn engines(&self, catalog: &Catalog) -> Vec<SystemEngine>;
}

/// The types of file that are taken as uploads and shown under `/files`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `video/mp4`
    Mp4,
    /// `video/quicktime`
    Mov,
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    Webp,
}

/// Tells a file's type by its first bytes.
pub trait Sniff: Send + Sync {
    /// The type, of those that are taken. `head` is the whole file where it is shorter than
    /// [`HEAD_BYTES`], else at least that much of it.
    fn sniff(&self, head: &[u8]) -> Option<FileKind>;
}

/// So much of a file is looked at to tell its type.
pub const HEAD_BYTES: usize = 4096;

/// Says which URLs may be webhooks.
pub trait WebhookPolicy: Send + Sync {
    /// Why not, in words for whoever sent it.
    fn admits(&self, url: &str) -> Result<(), String>;
}

impl<F: Fn(&str) -> Result<(), String> + Send + Sync> WebhookPolicy for F {
    fn admits(&self, url: &str) -> Result<(), String> {
        self(url)
    }
}

/// Knows the disk of the installation. Asked at most once a second.
pub trait Room: Send + Sync {
    /// Whether more may be written.
    fn has_room(&self) -> bool;
    /// Bytes free, and in all.
    fn bytes(&self) -> Option<(u64, u64)>;
}

/// A part of the installation that `/readyz` asks about.
#[async_trait]
pub trait Probe: Send + Sync {
    /// One word: `workers`, `ffmpeg`, …
    fn name(&self) -> &'static str;
    /// What is wrong and what to do about it. Shown without a key: no path, no host, no owner.
    async fn check(&self) -> Result<(), String>;
}

// === impl FileKind ===

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mp4, Self::Mov, Self::Jpeg, Self::Png, Self::Webp];

    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// What its name ends in.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}

// === impl Sniff ===

impl<F: Fn(&[u8]) -> Option<FileKind> + Send + Sync> Sniff for F {
    fn sniff(&self, head: &[u8]) -> Option<FileKind> {
        self(head)
    }
}
