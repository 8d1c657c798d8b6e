//! How a run ends early.

use engine::EngineError;
use kernels::ShapeError;
use media::MediaError;
use media::still::ImageError;

/// Why a run made nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was told to stop.
    #[error("cancelled")]
    Cancelled,
    /// A video could not be read or written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A picture could not be read or written.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Two pictures don't fit: a fault of this engine.
    #[error("pictures don't fit: {0}")]
    Shape(#[from] ShapeError),
    /// A file could not be read or written.
    #[error("`{path}`: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The request's files are not what the engine needs.
    #[error("{0}")]
    Input(String),
    /// Something that should not be.
    #[error("{0}")]
    Internal(String),
}

/// A fault of this engine.
pub(crate) fn internal(message: impl Into<String>) -> Failure {
    Failure::Internal(message.into())
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        let message = failure.to_string();
        match failure {
            Failure::Cancelled | Failure::Media(MediaError::Cancelled) => Self::Cancelled,
            Failure::Input(_)
            | Failure::Image(ImageError::Format | ImageError::TooLarge { .. })
            | Failure::Media(
                MediaError::NotAVideo(_)
                | MediaError::Truncated(_)
                | MediaError::NoVideoStream
                | MediaError::Unsupported { .. },
            ) => Self::Input { message, faults: Vec::new() },
            Failure::Media(_)
            | Failure::Image(_)
            | Failure::Shape(_)
            | Failure::File { .. }
            | Failure::Internal(_) => Self::Infrastructure { message },
        }
    }
}
