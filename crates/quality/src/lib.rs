//! How good a clip is, in numbers that need no weights and no taste.
//!
//! A clip is measured against the reference that it was made from, shot by shot and relative to
//! what the reference itself does: footage that flickers may flicker on. The gates say which
//! figures are good enough; a picture of every case is put beside them, because no figure sees
//! what an eye sees.
//!
//! | module | what |
//! |---|---|
//! | `cases` | what is rendered |
//! | `clips` | frames of the reference and of the clip, side by side |
//! | `motion`, `look` | one metric each, with its source |
//! | `technical` | what a player needs of the file |
//! | `score` | metrics to gates |
//! | `sheet`, `table`, `plot` | what is written |
//!
//! Invariant: a figure is a function of the two files (and the style picture) alone.

mod cases;
mod clips;
mod look;
mod motion;
mod plot;
mod score;
mod sheet;
mod table;
mod technical;

pub use cases::{CASES, Case, Kind};
pub use clips::Clips;
pub use plot::plot;
pub use score::{Gate, Scores, ShotScores, scores};
pub use sheet::sheet;
pub use table::{Row, markdown};
pub use technical::{Asked, technical};

use kernels::ShapeError;
use media::MediaError;
use media::still::ImageError;

/// Why a clip could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    /// A video could not be read.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A picture could not be read or written.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Two pictures don't fit.
    #[error("pictures don't fit: {0}")]
    Shape(#[from] ShapeError),
    /// A file could not be read.
    #[error("`{path}`: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}
