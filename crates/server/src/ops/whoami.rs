//! `GET /api/auth/me`

use axum::Json;
use domain::key::KeyRole;
use wire::WhoAmI;

use crate::auth::Caller;

/// Whose key this is.
pub(crate) async fn whoami(Caller(key): Caller) -> Json<WhoAmI> {
    let token_type = match key.role {
        KeyRole::User => "user",
        KeyRole::Admin => "admin",
    };
    Json(WhoAmI {
        id: key.owner.to_string(),
        email: key.name,
        token_type: token_type.to_owned(),
        token_created_at: key.created_at.to_string(),
    })
}
