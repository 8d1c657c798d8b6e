//! How intake fails: by the request's fault, by this server's, or because it was told to stop.

use artifacts::ArtifactError;
use catalog::MediaInput;
use domain::Fault;
use domain::fault::label;
use egress::FetchError;

use crate::pool::Closed;

/// Why a request's inputs were not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Inputs are at fault: the request fails, uncharged. All faults of all inputs, in the order
    /// of the body; never empty.
    #[error("{}", summary(.0))]
    Faults(Vec<Fault>),
    /// This server is at fault: worth trying again later.
    #[error("intake is not possible now: {0}")]
    Infrastructure(String),
    /// The cancellation token was triggered.
    #[error("cancelled")]
    Cancelled,
}

fn summary(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.msg.as_str()).collect::<Vec<_>>().join("; ")
}

// === impl IntakeError ===

impl IntakeError {
    /// One fault of one input: `elements[1].frontal_image_url: {text}`.
    pub(crate) fn fault(input: &MediaInput, kind: &str, text: impl std::fmt::Display) -> Self {
        Self::Faults(vec![fault(input, kind, text)])
    }

    /// What a failed fetch means for the input.
    pub(crate) fn fetch(input: &MediaInput, error: &FetchError) -> Self {
        let found = match error {
            FetchError::Exhausted(_) => return Self::Infrastructure(error.to_string()),
            FetchError::TooLarge { announced, .. } => input.too_large(*announced),
            FetchError::Timeout { host } => {
                let secs = input.fetch_secs;
                let text = format!("`{host}` did not deliver the file within {secs} s");
                fault(input, DOWNLOAD, text).with("timeout_secs", secs)
            }
            other => fault(input, DOWNLOAD, other),
        };
        Self::Faults(vec![match error.status() {
            Some(status) => found.with("status", status),
            None => found,
        }])
    }
}

/// The kind of fault that a URL has which cannot be fetched.
pub(crate) const DOWNLOAD: &str = "file_download_error";

fn fault(input: &MediaInput, kind: &str, text: impl std::fmt::Display) -> Fault {
    Fault::at(&input.pointer, kind, format!("{}: {text}", label(&input.pointer)))
}

impl From<ArtifactError> for IntakeError {
    fn from(error: ArtifactError) -> Self {
        Self::Infrastructure(error.to_string())
    }
}

impl From<Closed> for IntakeError {
    fn from(error: Closed) -> Self {
        Self::Infrastructure(error.to_string())
    }
}
