//! `GET /v1/balance`, `GET /prod/v2/balance`

use axum::Json;
use domain::usage::UNLIMITED;
use wire::Balance;

use crate::auth::Caller;

/// What is left to spend. No budgets are kept: everybody has what stands for "no limit".
pub(crate) async fn balance(_caller: Caller) -> Json<Balance> {
    Json(Balance::from_microdollars(UNLIMITED.0))
}
