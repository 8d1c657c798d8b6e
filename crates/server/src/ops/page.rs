//! The pages: `GET /` and whatever the pages call an address, `GET /assets/{folder}/{path}`
//!
//! A page is one shell for all addresses and files that never change. What it may do is bound by
//! a policy: no code but the files', no call but to this server, no frame around it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;
use wire::ErrorCode;

use crate::app::{App, Config};
use crate::refusal::Refusal;

/// The shell, as this server sends it.
#[derive(Debug)]
pub(crate) struct Shell {
    html: Bytes,
    etag: HeaderValue,
    policy: HeaderValue,
}

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// A file's address changes when any file does.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The shell of a page.
pub(crate) async fn page(State(app): State<App>, headers: HeaderMap) -> Response {
    let shell = app.shell();
    let known = headers.get(IF_NONE_MATCH) == Some(&shell.etag);
    let head = [
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (ETAG, shell.etag.clone()),
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, shell.policy.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // An address may hold the token of a shared link.
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (OPENER, HeaderValue::from_static("same-origin")),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, shell.html.clone()).into_response()
}

/// A file of the pages.
pub(crate) async fn asset(
    Path((folder, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let found = pages::asset(&path).filter(|_| folder == pages::folder());
    let asset = found.ok_or_else(|| {
        Refusal::new(ErrorCode::ResourceNotFound, "this file is of another version of the pages")
    })?;
    let head = [
        (CACHE_CONTROL, HeaderValue::from_static(FOR_EVER)),
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type())),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if takes_gzip(&headers) {
        let encoding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return Ok((head, encoding, Bytes::from_static(asset.gzip)).into_response());
    }
    Ok((head, Bytes::from_static(asset.bytes)).into_response())
}

/// Whether a client names `gzip`, and does not say that it must not be used.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = |value: &HeaderValue| {
        value.to_str().is_ok_and(|text| {
            text.split(',').any(|one| {
                let (name, rest) = one.split_once(';').unwrap_or((one, ""));
                let never = rest.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
                name.trim().eq_ignore_ascii_case("gzip") && !never
            })
        })
    };
    headers.get_all(ACCEPT_ENCODING).iter().any(named)
}

// === impl Shell ===

impl Shell {
    /// The shell of a server with these settings.
    pub(crate) fn of(config: &Config) -> Self {
        let public = config.public_url.as_ref().and_then(|url| Url::parse(url.as_str()).ok());
        let base = public.as_ref().map_or("", |url| url.path().trim_end_matches('/'));
        // The files of results are at the public URL, wherever the page itself was asked for.
        let files = public.as_ref().map_or(String::new(), |url| url.origin().ascii_serialization());
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             img-src 'self' blob: data: https: {files}; media-src 'self' blob: data: https: {files}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'"
        );
        let etag = format!("\"{}\"", pages::folder());
        Self {
            html: Bytes::from(pages::shell(base)),
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"0\"")),
            policy: HeaderValue::from_str(&policy)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        let takes = |text: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate, gzip, br, zstd"));
        assert!(!takes("br") && !takes("gzip;q=0, br") && !takes("xgzip"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_public_url_gives_the_shell_its_base_and_lets_its_files_be_shown() {
        let public_url = "http://clips.example:81/api/".parse().ok();
        let shell = Shell::of(&Config { public_url, ..Config::default() });
        let html = String::from_utf8(shell.html.to_vec()).unwrap();
        assert!(html.contains("data-base=\"/api\"") && html.contains("\"/api/assets/"));
        let policy = shell.policy.to_str().unwrap();
        assert!(policy.contains("media-src 'self' blob: data: https: http://clips.example:81;"));
    }
}
