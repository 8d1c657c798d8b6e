//! `GET`, `HEAD` `/files/{token}/{name}`
//!
//! No key: the token cannot be guessed. The bytes may come from anybody, so a browser is told not
//! to guess their type and to run nothing in them.

use artifacts::ArtifactError;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::response::Response;
use domain::FileToken;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS,
};
use http::response::Builder;
use http::{HeaderMap, Method, StatusCode, request};
use std::ops::Range;
use store::{FileRow, StoreError};
use wire::ErrorCode;

use crate::app::App;
use crate::hooks::FileKind;
use crate::range::{Wanted, wanted};
use crate::refusal::Refusal;

/// The file that the path names.
#[derive(Debug)]
pub(crate) struct Address {
    token: FileToken,
    name: String,
}

/// Why a file is not shown.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("there is no file at this address")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error("a header of the reply cannot be made")]
    Header(#[from] http::Error),
}

/// A file never changes: its URL may be kept for a year.
const CACHED: &str = "private, max-age=31536000, immutable";

/// The file, or the part of it that is asked for.
pub(crate) async fn file(
    State(app): State<App>,
    address: Address,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let row = find(&app, &address).await?;
    show(&app, &row, &method, &headers, CACHED).await
}

/// A file, or the part of it that is asked for; `cached` says what a browser may keep of it.
pub(crate) async fn show(
    app: &App,
    row: &FileRow,
    method: &Method,
    headers: &HeaderMap,
    cached: &'static str,
) -> Result<Response, Refusal> {
    let etag = format!("\"{}\"", row.sha256);
    let wanted = match wanted(headers, &etag, row.bytes) {
        // Ranges are for GET alone (RFC 9110, section 14.2).
        Wanted::Part(_) | Wanted::Unsatisfiable if method == Method::HEAD => Wanted::Whole,
        wanted => wanted,
    };
    let head = Response::builder().header(ETAG, etag).header(CACHE_CONTROL, cached);
    Ok(reply(app, row, head, wanted, method == Method::GET).await?)
}

async fn find(app: &App, address: &Address) -> Result<FileRow, FileError> {
    let row = app.store().file(&address.token).await?;
    row.filter(|row| row.name == address.name).ok_or(FileError::NotFound)
}

impl FromRequestParts<App> for Address {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| FileError::NotFound)?;
        let param = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text);
        let token = param("token").and_then(|text| text.parse().ok());
        Ok(Self {
            token: token.ok_or(FileError::NotFound)?,
            name: param("name").unwrap_or_default().to_owned(),
        })
    }
}

async fn reply(
    app: &App,
    row: &FileRow,
    head: Builder,
    wanted: Wanted,
    with_body: bool,
) -> Result<Response, FileError> {
    let head = head
        .header(ACCEPT_RANGES, "bytes")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(CONTENT_SECURITY_POLICY, "sandbox");
    let (head, range) = match wanted {
        Wanted::Nothing => {
            return Ok(head.status(StatusCode::NOT_MODIFIED).body(Body::empty())?);
        }
        Wanted::Unsatisfiable => {
            let whole = format!("bytes */{}", row.bytes);
            let head = head.status(StatusCode::RANGE_NOT_SATISFIABLE).header(CONTENT_RANGE, whole);
            return Ok(head.body(Body::empty())?);
        }
        Wanted::Whole => (head.status(StatusCode::OK), 0..row.bytes),
        Wanted::Part(range) => {
            let part = format!("bytes {}-{}/{}", range.start, range.end - 1, row.bytes);
            (head.status(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, part), range)
        }
    };
    let head = named(head, row).header(CONTENT_LENGTH, range.end - range.start);
    let body = if with_body { read(app, row, range).await? } else { Body::empty() };
    Ok(head.body(body)?)
}

/// Type and name. A type that should not be here is downloaded, not shown.
fn named(head: Builder, row: &FileRow) -> Builder {
    let known = FileKind::ALL.iter().any(|kind| kind.content_type() == row.content_type);
    let (content_type, how) = if known {
        (row.content_type.as_str(), "inline")
    } else {
        ("application/octet-stream", "attachment")
    };
    let disposition = format!("{how}; filename=\"{}\"", row.name);
    head.header(CONTENT_TYPE, content_type).header(CONTENT_DISPOSITION, disposition)
}

async fn read(app: &App, row: &FileRow, range: Range<u64>) -> Result<Body, FileError> {
    if range.is_empty() {
        return Ok(Body::empty());
    }
    let part = (range != (0..row.bytes)).then_some(range);
    Ok(Body::from_stream(app.parts().artifacts.get(&row.path, part).await?.body))
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotFound => Self::new(ErrorCode::ResourceNotFound, error.to_string()),
            FileError::Store(error) => error.into(),
            FileError::Artifact(error) => error.into(),
            FileError::Header(error) => {
                tracing::error!(%error, "a file's row makes no valid header");
                Self::internal()
            }
        }
    }
}
