//! `GET /openapi.json`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::base::Base;

/// What the API is, for programs.
pub(crate) async fn openapi(State(app): State<App>, base: Base) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], app.document().at(&base)).into_response()
}
