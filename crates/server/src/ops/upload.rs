//! `POST /v1/files`
//!
//! The bytes go to the file store as they come; memory holds a window of them. The type is told
//! from the first bytes, whatever the client says it is.

use artifacts::{ArtifactError, Artifacts, Writer};
use axum::Json;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Request, State};
use bytes::Bytes;
use domain::{FileToken, KeyId, Timestamp};
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use std::pin::{Pin, pin};
use store::{FileRow, StoreError};
use tokio::task::JoinError;
use wire::{ErrorCode, FileUploaded};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::body::{BodyError, Inflow, Limits};
use crate::door;
use crate::hooks::{FileKind, HEAD_BYTES};
use crate::refusal::Refusal;

/// Why an upload is not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the multipart body cannot be read: {0}")]
    Multipart(String),
    #[error("the multipart body has no part with a file")]
    NoPart,
    #[error("the file is empty")]
    Empty,
    #[error(
        "the file is none of the formats mp4, mov, jpeg, png and webp, judged by its first bytes"
    )]
    Format,
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("keeping a file failed")]
    Panicked(#[from] JoinError),
}

/// What the file store and the connection hold of an upload at one time, in bytes.
const WINDOW_BYTES: u32 = 2 << 20;
/// Beside the file, a multipart body has boundaries and headers.
const MULTIPART_SLACK_BYTES: u64 = 64 << 10;
/// Longest name of a file without its ending.
const STEM_CHARS: usize = 60;

type Parts<'a> = Pin<&'a mut (dyn Stream<Item = Result<Bytes, UploadError>> + Send)>;

/// Keeps a file; its URL is good as an input of the same owner.
pub(crate) async fn upload(
    State(app): State<App>,
    caller: Caller,
    base: Base,
    request: Request,
) -> Result<Json<FileUploaded>, Refusal> {
    door::admit(&app, &caller.0)?;
    let _window = app.budget().reserve(WINDOW_BYTES).await?;
    let multipart = is_multipart(&request);
    let inflow = inflow(&app, request, multipart)?;
    let file = if multipart {
        from_multipart(&app, &caller, inflow).await?
    } else {
        let (_, inflow) = inflow;
        let parts = pin!(inflow.into_stream().map(|part| part.map_err(UploadError::from)));
        keep(&app, &caller, parts, "").await?
    };
    Ok(Json(FileUploaded {
        url: base.url(&file.url_path()),
        expires_at: expires_at(&app, &file).map(|at| at.to_string()),
        bytes: file.bytes,
        content_type: file.content_type,
    }))
}

fn expires_at(app: &App, file: &FileRow) -> Option<Timestamp> {
    Some(file.created_at.plus_secs(app.config().keep_uploads?.as_secs() as i64))
}

fn is_multipart(request: &Request) -> bool {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|text| text.trim().to_ascii_lowercase().starts_with("multipart/form-data"))
}

fn inflow(
    app: &App,
    request: Request,
    multipart: bool,
) -> Result<(http::request::Parts, Inflow), BodyError> {
    let config = app.config();
    let slack = if multipart { MULTIPART_SLACK_BYTES } else { 0 };
    let limits = Limits {
        bytes: config.max_upload_bytes + slack,
        idle: config.body_idle,
        total: config.upload_total,
    };
    let (parts, body) = request.into_parts();
    let inflow = Inflow::new(&parts.headers, body, limits)?;
    Ok((parts, inflow))
}

/// The first part that is a file, or the only part.
async fn from_multipart(
    app: &App,
    caller: &Caller,
    (parts, inflow): (http::request::Parts, Inflow),
) -> Result<FileRow, UploadError> {
    let body = axum::body::Body::from_stream(inflow.into_stream());
    let request = Request::from_parts(parts, body);
    let mut multipart = Multipart::from_request(request, &()).await?;
    while let Some(field) = multipart.next_field().await? {
        let file = field.file_name().is_some() || field.name() == Some("file");
        if file {
            let name = field.file_name().unwrap_or("").to_owned();
            let parts = pin!(field_parts(field));
            return keep(app, caller, parts, &name).await;
        }
    }
    Err(UploadError::NoPart)
}

fn field_parts(field: Field<'_>) -> impl Stream<Item = Result<Bytes, UploadError>> + Send + '_ {
    field.map(|part| part.map_err(UploadError::from))
}

async fn keep(
    app: &App,
    caller: &Caller,
    mut parts: Parts<'_>,
    claimed: &str,
) -> Result<FileRow, UploadError> {
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES
        && let Some(part) = parts.next().await
    {
        head.extend_from_slice(&part?);
    }
    if head.is_empty() {
        return Err(UploadError::Empty);
    }
    let kind = app.parts().sniff.sniff(&head).ok_or(UploadError::Format)?;
    let token = FileToken::new(app.parts().rng.as_ref());
    let name = name(claimed, kind);
    let path = format!("uploads/{token}/{name}");
    let all = pin!(stream::iter([Ok(Bytes::from(head))]).chain(parts));
    let writer = write(&app.parts().artifacts, &path, all, app.config().max_upload_bytes).await?;
    let row = FileRow {
        token,
        name,
        owner: caller.0.owner.clone(),
        request: None,
        path,
        content_type: kind.content_type().to_owned(),
        bytes: writer.bytes(),
        sha256: String::new(),
        created_at: app.parts().clock.now(),
    };
    // Once the bytes have a path they get a row, whether the client waits for it or not.
    let (own, key) = (app.clone(), caller.0.id.clone());
    app.tasks().spawn(async move { finish(&own, writer, row, &key).await }).await?
}

async fn write(
    artifacts: &Artifacts,
    path: &str,
    mut parts: Parts<'_>,
    max_bytes: u64,
) -> Result<Writer, UploadError> {
    let mut writer = artifacts.writer(path).await?;
    while let Some(part) = parts.next().await {
        writer.write(&part?).await?;
        if writer.bytes() > max_bytes {
            return Err(BodyError::TooLarge { limit: max_bytes }.into());
        }
    }
    Ok(writer)
}

/// Makes the bytes durable and gives them their row; bytes that get none are removed.
async fn finish(
    app: &App,
    writer: Writer,
    row: FileRow,
    key: &KeyId,
) -> Result<FileRow, UploadError> {
    let row = FileRow { sha256: writer.finish().await?.sha256, ..row };
    match app.store().add_file(row.clone(), key).await {
        Ok(()) => Ok(row),
        Err(error) => {
            // It may be named although nobody could say so: the next start knows.
            let unknown = matches!(error, StoreError::Unavailable(_));
            if !unknown || matches!(app.store().file(&row.token).await, Ok(None)) {
                app.parts().artifacts.delete(&row.path).await?;
            }
            Err(error.into())
        }
    }
}

/// A name that is safe in a URL, a header and a path, with the ending of what the file is.
fn name(claimed: &str, kind: FileKind) -> String {
    let last = claimed.rsplit(['/', '\\']).next().unwrap_or("");
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let stem: String = stem.chars().take(STEM_CHARS).map(plain).collect();
    let stem = stem.trim_matches('_');
    let stem = if stem.is_empty() { "upload" } else { stem };
    format!("{stem}.{}", kind.extension())
}

/// A fault of the body comes back from the multipart reader in a chain of wrappers.
fn multipart_error(error: &(dyn std::error::Error + 'static)) -> UploadError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref() {
            Some(BodyError::TooLarge { limit }) => {
                return BodyError::TooLarge { limit: *limit }.into();
            }
            Some(BodyError::TooSlow) => return BodyError::TooSlow.into(),
            _ => cause = error.source(),
        }
    }
    UploadError::Multipart(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

impl From<MultipartError> for UploadError {
    fn from(error: MultipartError) -> Self {
        multipart_error(&error)
    }
}

impl From<MultipartRejection> for UploadError {
    fn from(error: MultipartRejection) -> Self {
        Self::Multipart(error.body_text())
    }
}

impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Body(error) => error.into(),
            UploadError::Multipart(_) | UploadError::NoPart | UploadError::Empty => {
                Self::new(ErrorCode::Malformed, error.to_string())
            }
            UploadError::Format => Self::new(ErrorCode::UnsupportedMediaType, error.to_string()),
            UploadError::Artifact(error) => error.into(),
            UploadError::Store(error) => error.into(),
            UploadError::Panicked(error) => {
                tracing::error!(%error, "keeping a file failed");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_end_in_what_the_file_is() {
        for (claimed, want) in [
            ("", "upload.png"),
            ("cat.jpeg", "cat.png"),
            ("C:\\clips\\my cat.mp4", "my_cat.png"),
            ("../../etc/passwd", "passwd.png"),
            ("a\"\r\nb.png", "a___b.png"),
            ("☂.png", "upload.png"),
        ] {
            assert_eq!(name(claimed, FileKind::Png), want, "{claimed:?}");
        }
        assert_eq!(name(&"x".repeat(500), FileKind::Mp4).len(), STEM_CHARS + 4);
    }
}
