//! Every reply that is not 2xx.

use artifacts::ArtifactError;
use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::Fault;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use store::StoreError;
use wire::{ErrorBody, ErrorCode};

use crate::render;

/// A reply that is not 2xx: a number, a sentence, sometimes the fields at fault.
///
/// Each operation has an error enum of its own; this is what all of them turn into.
#[derive(Debug)]
pub(crate) struct Refusal {
    body: ErrorBody,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Advice to clients when the server cannot do something now, in seconds.
const RETRY_AFTER_SECS: u16 = 5;

// === impl Refusal ===

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl AsRef<str>) -> Self {
        let headers = match code {
            ErrorCode::UserAccountError => {
                vec![(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))]
            }
            ErrorCode::Unavailable => vec![(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS))],
            _ => Vec::new(),
        };
        Self { body: ErrorBody::new(code, message), headers }
    }

    /// A 422 that lists all faults.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let detail = faults.into_iter().map(render::detail).collect();
        Self { body: ErrorBody::validation(detail), headers: Vec::new() }
    }

    /// With a header; one that was there gives way.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(there, _)| *there != name);
        self.headers.push((name, value));
        self
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        let status = StatusCode::from_u16(self.body.error_code.http());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A 500. What happened is in the log, not in the reply.
    pub(crate) fn internal() -> Self {
        Self::new(ErrorCode::Internal, "the server failed at this call, its log says why")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body)).into_response();
        response.headers_mut().extend(self.headers.into_iter().map(|(name, v)| (Some(name), v)));
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) => {
                let message = "the server cannot reach its database now, send the request again";
                Self::new(ErrorCode::Unavailable, message)
            }
            StoreError::Fenced
            | StoreError::Exists(_)
            | StoreError::Reused
            | StoreError::Refused(_) => Self::internal(),
        }
    }
}

impl From<ArtifactError> for Refusal {
    fn from(error: ArtifactError) -> Self {
        tracing::error!(%error, "the file store failed");
        match error {
            ArtifactError::Unavailable(_) => {
                let message = "the server cannot reach its files now, send the request again";
                Self::new(ErrorCode::Unavailable, message)
            }
            ArtifactError::NotFound(_) => Self::internal(),
        }
    }
}
