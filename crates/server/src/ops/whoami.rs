//! `GET /api/auth/me`

use axum::Json;
use wire::WhoAmI;

use crate::auth::Caller;

/// Whose key this is.
pub(crate) async fn whoami(Caller(key): Caller) -> Json<WhoAmI> {
    Json(WhoAmI {
        id: key.owner.to_string(),
        email: key.name,
        token_type: key.role.as_str().to_owned(),
        token_created_at: key.created_at.to_string(),
    })
}
