//! `GET /v1/models/categories`

use axum::Json;
use axum::extract::State;
use wire::Categories;

use crate::app::App;
use crate::auth::Caller;

/// All categories of the catalogue.
pub(crate) async fn categories(State(app): State<App>, _caller: Caller) -> Json<Categories> {
    Json(Categories { categories: app.parts().catalog.categories() })
}
