//! `GET /v1/models/{model_id…}`

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use catalog::{Catalog, Model};
use http::request;
use wire::{ErrorCode, ModelEntry};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::refusal::Refusal;
use crate::render;

/// The model that the path names: slash-separated, encoded or not, with or without a slash at
/// its end.
#[derive(Debug)]
pub(crate) struct ModelId(pub(crate) String);

/// There is no such model.
#[derive(Debug, thiserror::Error)]
#[error("there is no model with this id, `GET /v1/models` lists all")]
pub(crate) struct NoSuchModel;

/// One entry of the catalogue, with its schemas, roles and readme.
pub(crate) async fn model(
    State(app): State<App>,
    _caller: Caller,
    ModelId(id): ModelId,
    base: Base,
) -> Result<Json<ModelEntry>, Refusal> {
    let model = find(&app.parts().catalog, &id)?;
    Ok(Json(ModelEntry {
        roles: Some(model.roles()),
        readme: model.readme().map(str::to_owned),
        ..render::model(model, &base, true)
    }))
}

/// The model with this id.
pub(crate) fn find<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Model, NoSuchModel> {
    catalog.get(id).ok_or(NoSuchModel)
}

impl FromRequestParts<App> for ModelId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        let params =
            RawPathParams::from_request_parts(parts, app).await.map_err(|_| NoSuchModel)?;
        let id = params.iter().find(|(name, _)| *name == "model_id").map(|(_, text)| text);
        Ok(Self(id.unwrap_or("").trim_matches('/').to_owned()))
    }
}

impl From<NoSuchModel> for Refusal {
    fn from(error: NoSuchModel) -> Self {
        Self::new(ErrorCode::InvalidResourceIdentifier, error.to_string())
    }
}
