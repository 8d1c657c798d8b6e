//! Whose call it is.

use axum::extract::FromRequestParts;
use domain::key::{BadKey, KeyRecord, SecretKey};
use http::header::AUTHORIZATION;
use http::request;
use store::StoreError;
use wire::ErrorCode;

use crate::app::App;
use crate::refusal::Refusal;

/// The key that came with the call: known and not revoked.
///
/// As an extractor of parts it runs before anything that takes the body.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) KeyRecord);

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("no key was sent, `Authorization: Bearer <key>` is required")]
    Missing,
    #[error("the `Authorization` header is not of the form `Bearer <key>`")]
    Form,
    #[error(transparent)]
    Bad(#[from] BadKey),
    #[error("this key is not known here")]
    Unknown,
    #[error("this key was revoked")]
    Revoked,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The text after `Bearer`. The scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(parts: &request::Parts) -> Result<&str, AuthError> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Form);
    }
    let text = value.to_str().map_err(|_| AuthError::Form)?.trim();
    let (scheme, key) = text.split_once([' ', '\t']).ok_or(AuthError::Form)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(AuthError::Form) }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        Ok(authenticate(parts, app).await?)
    }
}

async fn authenticate(parts: &request::Parts, app: &App) -> Result<Caller, AuthError> {
    let key = SecretKey::parse(bearer(parts)?)?;
    let record = app.store().key_by_hash(key.hash()).await?.ok_or(AuthError::Unknown)?;
    if record.revoked_at.is_some() {
        return Err(AuthError::Revoked);
    }
    app.uses().note(&record.id, app.parts().clock.now());
    Ok(Caller(record))
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Store(error) => error.into(),
            AuthError::Missing
            | AuthError::Form
            | AuthError::Bad(_)
            | AuthError::Unknown
            | AuthError::Revoked => Self::new(ErrorCode::UserAccountError, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<String, String> {
        let mut request = http::Request::builder();
        for value in values {
            request = request.header(AUTHORIZATION, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        bearer(&parts).map(str::to_owned).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_the_key_whatever_the_case_of_the_scheme() {
        for value in ["Bearer k", "bearer k", "BEARER   k", " Bearer\tk "] {
            assert_eq!(read(&[value]).as_deref(), Ok("k"), "{value:?}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_header() {
        assert!(read(&[]).unwrap_err().starts_with("no key"));
        for values in [&["k"][..], &["Basic k"], &["Bearer"], &["Bearer k", "Bearer k"]] {
            assert!(read(values).unwrap_err().contains("form"), "{values:?}");
        }
    }
}
