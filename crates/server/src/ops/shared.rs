//! `GET /v1/shared/{token}`; `GET`, `HEAD /v1/shared/{token}/{name}`
//!
//! No key: who has the link sees the result, until the link is taken back. The files are therefore
//! not shown at their own addresses, which count for as long as the files are kept, and nothing
//! may be shown again without asking.

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::response::{IntoResponse, Response};
use domain::{FileToken, ShareToken};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, Method, request};
use serde_json::Value;
use store::row::PublishedBody;
use store::{FileRow, RequestRow, StoreError};
use wire::{ErrorCode, SharedResult, path};

use crate::app::App;
use crate::base::Base;
use crate::ops::file::show;
use crate::refusal::Refusal;
use crate::render;

/// What the path names.
#[derive(Debug)]
pub(crate) struct Shown {
    token: ShareToken,
    /// Of the file; empty where the path names none.
    name: String,
}

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
enum SharedError {
    #[error("there is nothing at this link, or it was taken back")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A link can be taken back: what was seen through it is asked for again.
const CACHED: &str = "private, no-cache";

/// The result that a link shows.
pub(crate) async fn shared(
    State(app): State<App>,
    shown: Shown,
    base: Base,
) -> Result<Response, Refusal> {
    let (row, published) = find(&app, &shown).await?;
    let body = Json(result(&row, &published, &shown.token, &base));
    Ok(([(CACHE_CONTROL, CACHED)], body).into_response())
}

/// A file of that result, or the part of it that is asked for.
pub(crate) async fn file(
    State(app): State<App>,
    shown: Shown,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let row = find_file(&app, &shown).await?;
    show(&app, &row, &method, &headers, CACHED).await
}

async fn find(app: &App, shown: &Shown) -> Result<(RequestRow, PublishedBody), SharedError> {
    let mut row = app.store().shared(&shown.token).await?.ok_or(SharedError::NotFound)?;
    let published = row.body.published.take().ok_or(SharedError::NotFound)?;
    Ok((row, published))
}

async fn find_file(app: &App, shown: &Shown) -> Result<FileRow, SharedError> {
    let (_, published) = find(app, shown).await?;
    let mut paths = Vec::new();
    collect(&published.output, &mut paths);
    paths.extend(published.poster.as_deref());
    let path = paths.into_iter().find(|path| name(path) == shown.name);
    let token = path.and_then(token).ok_or(SharedError::NotFound)?;
    app.store().file(&token).await?.ok_or(SharedError::NotFound)
}

fn result(
    row: &RequestRow,
    published: &PublishedBody,
    token: &ShareToken,
    base: &Base,
) -> SharedResult {
    let url = |path: &str| base.url(&path::shared_file(token.as_str(), name(path)));
    SharedResult {
        model_id: row.model.clone(),
        output: render::with_urls(&published.output, &url),
        poster_url: published.poster.as_deref().map(url),
        created_at: row.created_at.to_string(),
        finished_at: row.finished_at.unwrap_or(row.created_at).to_string(),
    }
}

/// The paths in an output of any shape.
fn collect<'a>(output: &'a Value, paths: &mut Vec<&'a str>) {
    match output {
        Value::String(path) => paths.push(path),
        Value::Array(items) => items.iter().for_each(|item| collect(item, paths)),
        Value::Object(fields) => fields.values().for_each(|item| collect(item, paths)),
        _ => {}
    }
}

/// The last part of a file's path.
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The part before it.
fn token(path: &str) -> Option<FileToken> {
    path.rsplit('/').nth(1)?.parse().ok()
}

impl FromRequestParts<App> for Shown {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| SharedError::NotFound)?;
        let param = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text);
        let token = param("token").and_then(|text| text.parse().ok());
        Ok(Self {
            token: token.ok_or(SharedError::NotFound)?,
            name: param("name").unwrap_or_default().to_owned(),
        })
    }
}

impl From<SharedError> for Refusal {
    fn from(error: SharedError) -> Self {
        match error {
            SharedError::NotFound => Self::new(ErrorCode::ResourceNotFound, error.to_string()),
            SharedError::Store(error) => error.into(),
        }
    }
}
