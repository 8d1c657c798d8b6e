//! Which path leads to which operation.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use wire::{ErrorCode, path};

use crate::app::App;
use crate::ops::{
    balance, cancel, categories, file, health, model, models, ready, record, requests, result,
    status, submit, upload, whoami,
};
use crate::refusal::Refusal;
use crate::trace::trace;

/// All calls. The paths are those that clients build URLs from: `wire::path`.
pub fn router(app: App) -> Router {
    Router::new()
        .route(path::MODELS, get(models::models))
        .route(path::CATEGORIES, get(categories::categories))
        .route(path::MODEL, get(model::model).post(submit::submit))
        .route(path::REQUESTS, get(requests::requests))
        .route(path::REQUEST, get(record::record))
        .route(path::STATUS, get(status::status))
        .route(path::RESULT, get(result::result))
        .route(path::CANCEL, post(cancel::cancel))
        .route(path::FILES, post(upload::upload))
        .route(path::FILE, get(file::file))
        .route(path::BALANCE, get(balance::balance))
        .route(path::BALANCE_V2, get(balance::balance))
        .route(path::WHOAMI, get(whoami::whoami))
        .route(path::HEALTHZ, get(health::health))
        .route(path::READYZ, get(ready::ready))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_such_path)
        // The limits of `body` hold instead; this one is for extractors that are not used.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), trace))
        .with_state(app)
}

async fn no_such_path(request: Request) -> Refusal {
    let path = request.uri().path();
    let message = match path.strip_suffix('/') {
        Some(bare) if !bare.is_empty() => {
            "there is nothing at this path, try it without the last `/`"
        }
        _ => "there is nothing at this path",
    };
    Refusal::new(ErrorCode::ResourceNotFound, message)
}

/// The reply's `Allow` header is added by the router.
async fn wrong_method(request: Request) -> Refusal {
    let message = format!("the method {} is not for this path, see `Allow`", request.method());
    Refusal::new(ErrorCode::MethodNotAllowed, message)
}
