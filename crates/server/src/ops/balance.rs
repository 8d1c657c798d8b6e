//! `GET /v1/balance`, `GET /prod/v2/balance`

use axum::Json;
use axum::extract::State;
use domain::admission::{Limits, Load};
use domain::usage::{Microdollars, UNLIMITED};
use wire::Balance;

use crate::app::App;
use crate::auth::Caller;

/// What is left to spend: of the key's budget or of its owner's, whichever is less; without
/// both, what stands for "no limit".
pub(crate) async fn balance(State(app): State<App>, Caller(key): Caller) -> Json<Balance> {
    let loads = app.store().loads(&key.owner, &key.id);
    let left = |limits: &Limits, load: &Load| {
        limits.budget.map_or(UNLIMITED, |budget| load.left_of(budget))
    };
    let least = left(&key.limits, &loads.key).min(left(&key.owner_limits, &loads.owner));
    Json(Balance::from_microdollars(least.max(Microdollars(0)).0))
}
