//! From the bytes of a body to what is kept: parsed, validated, `data:` URIs decoded.
//!
//! Large bodies are worked on beside the threads that answer everybody else.

use bytes::Bytes;
use catalog::{Inputs, Source, UrlPolicy};
use domain::fault::public_text;
use domain::{Fault, FileToken, OwnerId, RequestId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::StoreError;
use tokio::task::{JoinError, spawn_blocking};

use crate::app::App;
use crate::base::Base;
use crate::json::{self, JsonError};
use crate::ops::model::{self, NoSuchModel};
use crate::refusal::Refusal;

/// A body that was accepted.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The body to keep. If it was prepared for an id, `data:` URIs are references to `kept`.
    pub(super) canonical: Value,
    pub(super) warnings: Vec<String>,
    pub(super) inputs: Inputs,
    /// Bytes that have to be durable before the row is.
    pub(super) kept: Vec<Kept>,
}

/// The bytes of one `data:` URI.
#[derive(Debug)]
pub(super) struct Kept {
    /// Where they go.
    pub(super) path: String,
    pub(super) bytes: Bytes,
}

/// Why a body is not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Model(#[from] NoSuchModel),
    #[error("{} fields are at fault", .0.len())]
    Invalid(Vec<Fault>),
    #[error("preparing a body failed")]
    Panicked(#[from] JoinError),
}

/// Bodies of more bytes are not parsed between the calls of others.
const INLINE_BYTES: usize = 64 << 10;

/// Plain http is for this server's own files, and where the operator allows it.
struct Policy<'a> {
    app: &'a App,
    own_files: String,
}

/// Parses, validates, and for a request that will be kept decodes what it carries itself.
pub(super) async fn prepare(
    app: &App,
    model: &str,
    base: &Base,
    bytes: Bytes,
    id: Option<&RequestId>,
) -> Result<Prepared, PrepareError> {
    let (app, model, id) = (app.clone(), model.to_owned(), id.cloned());
    let own_files = base.url("/files/");
    let large = bytes.len() > INLINE_BYTES;
    let work = move || prepare_now(&app, &model, own_files, &bytes, id.as_ref());
    if large { spawn_blocking(work).await? } else { work() }
}

/// SHA-256 of a body: what tells a repetition from another request.
pub(super) async fn fingerprint(bytes: &Bytes) -> Result<[u8; 32], PrepareError> {
    let large = bytes.len() > INLINE_BYTES;
    let bytes = bytes.clone();
    let work = move || Sha256::digest(&bytes).into();
    Ok(if large { spawn_blocking(work).await? } else { work() })
}

/// Files of this server that the inputs name and the owner may use.
pub(super) async fn uses(
    app: &App,
    owner: &OwnerId,
    inputs: &Inputs,
) -> Result<Vec<FileToken>, StoreError> {
    let mut uses = Vec::new();
    for input in &inputs.media {
        let Source::Url(url) = &input.source else { continue };
        let token = url.split_once("/files/").and_then(|(_, rest)| rest.split('/').next());
        let Some(token) = token.and_then(|text| text.parse().ok()) else { continue };
        if app.store().file(&token).await?.is_some_and(|file| file.owner == *owner) {
            uses.push(token);
        }
    }
    Ok(uses)
}

fn prepare_now(
    app: &App,
    model: &str,
    own_files: String,
    bytes: &[u8],
    id: Option<&RequestId>,
) -> Result<Prepared, PrepareError> {
    let model = model::find(&app.parts().catalog, model)?;
    let body = json::parse(bytes)?;
    let policy = Policy { app, own_files };
    let accepted = model.validate(&body, model.strictness(), &policy);
    drop(body);
    let mut accepted = accepted.map_err(PrepareError::Invalid)?;
    let kept = match id {
        Some(id) => decode(&mut accepted.canonical, &accepted.inputs, id)?,
        None => Vec::new(),
    };
    let catalog::Accepted { canonical, warnings, inputs, .. } = accepted;
    Ok(Prepared { canonical, warnings, inputs, kept })
}

/// Takes the bytes of all `data:` URIs out of the body. Their sizes were checked before.
fn decode(
    canonical: &mut Value,
    inputs: &Inputs,
    id: &RequestId,
) -> Result<Vec<Kept>, PrepareError> {
    let mut kept = Vec::new();
    for input in &inputs.media {
        let Some(text) = input.base64(canonical) else { continue };
        let bytes = catalog::decode_base64(text).map_err(|error| {
            let msg = format!("{}: {error}", domain::fault::label(&input.pointer));
            PrepareError::Invalid(vec![Fault::at(&input.pointer, "url_parsing", msg)])
        })?;
        let path = format!("{}/data/{}", folder(id), kept.len());
        catalog::keep(canonical, &input.pointer, &path);
        kept.push(Kept { path, bytes: bytes.into() });
    }
    Ok(kept)
}

/// Where the inputs of a request are kept.
pub(super) fn folder(id: &RequestId) -> String {
    format!("inputs/{id}")
}

/// The body with `data:` URIs cut before their bytes.
pub(super) fn show(mut canonical: Value, inputs: &Inputs) -> Value {
    for input in &inputs.media {
        if matches!(input.source, Source::Data { .. })
            && let Some(Value::String(text)) = canonical.pointer_mut(&input.pointer)
        {
            *text = public_text(text);
        }
    }
    canonical
}

impl UrlPolicy for Policy<'_> {
    fn allows_http(&self, url: &str, host: &str, port: u16) -> bool {
        url.starts_with(&self.own_files) || self.app.parts().urls.allows_http(url, host, port)
    }
}

impl From<PrepareError> for Refusal {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Json(error) => error.into(),
            PrepareError::Model(error) => error.into(),
            PrepareError::Invalid(faults) => Self::invalid(faults),
            PrepareError::Panicked(error) => {
                tracing::error!(%error, "preparing a body failed");
                Self::internal()
            }
        }
    }
}
