//! Which path leads to which operation.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post};
use http::Method;
use wire::{ErrorCode, path};

use crate::app::App;
use crate::ops::{
    balance, cancel, categories, events, file, health, keys, metrics, model, models, openapi, page,
    ready, record, remove, requests, result, share, shared, sign_in, status, submit, system,
    upload, usage, webhooks, whoami,
};
use crate::refusal::Refusal;
use crate::trace::trace;

/// One call: what leads to it, and who may make it.
#[derive(Debug, Clone)]
pub struct Route {
    /// `HEAD` is answered wherever `GET` is.
    pub method: Method,
    /// Its template, of [`wire::path`].
    pub path: &'static str,
    /// Who may make it.
    pub access: Access,
    to: fn() -> MethodRouter<App>,
}

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Everybody, without a key.
    Open,
    /// Whoever has a key, and sees what is its owner's.
    Key,
    /// Everybody: a page or a file of the pages, no part of the API.
    Page,
}

/// Every call. The router is made of this table and of nothing else, so that whatever holds for
/// all calls (who is let in, what is documented) can be checked for each of them.
pub const ROUTES: &[Route] = &[
    keyed(Method::GET, path::MODELS, || get(models::models)),
    keyed(Method::GET, path::CATEGORIES, || get(categories::categories)),
    keyed(Method::GET, path::MODEL, || get(model::model)),
    keyed(Method::POST, path::MODEL, || post(submit::submit)),
    keyed(Method::GET, path::REQUESTS, || get(requests::requests)),
    keyed(Method::GET, path::REQUEST, || get(record::record)),
    keyed(Method::DELETE, path::REQUEST, || delete(remove::remove)),
    keyed(Method::GET, path::EVENTS, || get(events::events)),
    keyed(Method::GET, path::STATUS, || get(status::status)),
    keyed(Method::GET, path::RESULT, || get(result::result)),
    keyed(Method::POST, path::CANCEL, || post(cancel::cancel)),
    keyed(Method::POST, path::SHARE, || post(share::share)),
    keyed(Method::DELETE, path::SHARE, || delete(share::unshare)),
    open(Method::GET, path::SHARED, || get(shared::shared)),
    open(Method::GET, path::SHARED_FILE, || get(shared::file)),
    keyed(Method::POST, path::FILES, || post(upload::upload)),
    open(Method::GET, path::FILE, || get(file::file)),
    keyed(Method::GET, path::USAGE, || get(usage::usage)),
    open(Method::POST, path::SIGN_IN, || post(sign_in::sign_in)),
    keyed(Method::GET, path::KEYS, || get(keys::list)),
    keyed(Method::POST, path::KEYS, || post(keys::create)),
    keyed(Method::PATCH, path::KEY, || patch(keys::change)),
    keyed(Method::DELETE, path::KEY, || delete(keys::revoke)),
    keyed(Method::GET, path::WEBHOOK_SECRET, || get(webhooks::secret)),
    keyed(Method::POST, path::WEBHOOK_ROTATE, || post(webhooks::rotate)),
    keyed(Method::GET, path::DELIVERIES, || get(webhooks::deliveries)),
    keyed(Method::POST, path::REPLAY, || post(webhooks::replay)),
    keyed(Method::GET, path::BALANCE, || get(balance::balance)),
    keyed(Method::GET, path::BALANCE_V2, || get(balance::balance)),
    keyed(Method::GET, path::WHOAMI, || get(whoami::whoami)),
    open(Method::GET, path::HEALTHZ, || get(health::health)),
    open(Method::GET, path::READYZ, || get(ready::ready)),
    keyed(Method::GET, path::SYSTEM, || get(system::system)),
    keyed(Method::GET, path::METRICS, || get(metrics::metrics)),
    open(Method::GET, path::OPENAPI, || get(openapi::openapi)),
    page("/", shell),
    page("/models/{*model_id}", shell),
    page("/generations", shell),
    page("/generations/{request_id}", shell),
    page("/usage", shell),
    page("/keys", shell),
    page("/system", shell),
    page("/docs", shell),
    page("/docs/{guide}", shell),
    page(path::SHARE_PAGE, shell),
    page("/sign-in", shell),
    page(path::ASSET, || get(page::asset)),
];

/// Which page it is, the page itself finds out.
fn shell() -> MethodRouter<App> {
    get(page::page)
}

const fn page(path: &'static str, to: fn() -> MethodRouter<App>) -> Route {
    Route { method: Method::GET, path, access: Access::Page, to }
}

const fn open(method: Method, path: &'static str, to: fn() -> MethodRouter<App>) -> Route {
    Route { method, path, access: Access::Open, to }
}

const fn keyed(method: Method, path: &'static str, to: fn() -> MethodRouter<App>) -> Route {
    Route { method, path, access: Access::Key, to }
}

/// The templates of all paths, each once.
pub fn paths() -> BTreeSet<&'static str> {
    ROUTES.iter().map(|route| route.path).collect()
}

/// Answers all calls of [`ROUTES`].
pub fn router(app: App) -> Router {
    let add = |router: Router<App>, route: &Route| router.route(route.path, (route.to)());
    ROUTES
        .iter()
        .fold(Router::new(), add)
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_such_path)
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
