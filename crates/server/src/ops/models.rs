//! `GET /v1/models`

use axum::Json;
use axum::extract::State;
use catalog::Query;
use wire::{ModelList, ModelListQuery};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::params::{BadParam, Params};
use crate::refusal::Refusal;
use crate::render;

/// The models that match, page by page.
pub(crate) async fn models(
    State(app): State<App>,
    _caller: Caller,
    base: Base,
    params: Params,
) -> Result<Json<ModelList>, Refusal> {
    let asked = asked(&params)?;
    let limit = asked.limit.unwrap_or(Query::DEFAULT_LIMIT as u64);
    let offset = asked.offset.unwrap_or(0);
    let page = app.parts().catalog.list(&Query {
        search: asked.search.as_deref(),
        category: asked.category.as_deref(),
        kind: asked.kind.as_deref(),
        limit: limit as usize,
        offset: offset as usize,
    });
    let entry = |model: &&catalog::Model| render::model(model, &base, asked.include_schema);
    let models = page.models.iter().map(entry).collect();
    Ok(Json(ModelList { models, total: page.total as u64, limit, offset }))
}

fn asked(params: &Params) -> Result<ModelListQuery, BadParam> {
    let text = |name| params.text(name).map(str::to_owned);
    Ok(ModelListQuery {
        search: text("search"),
        category: text("category"),
        kind: text("kind"),
        limit: params.number("limit", 1..=Query::MAX_LIMIT as u64)?,
        offset: params.number("offset", 0..=u64::from(u32::MAX))?,
        include_schema: params.flag("include_schema")?,
    })
}
