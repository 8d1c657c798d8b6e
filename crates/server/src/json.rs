//! Bodies that are JSON.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::Value;
use wire::ErrorCode;

use crate::refusal::Refusal;

/// Why a body cannot be read as JSON.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonError {
    #[error(
        "the content type `{0}` is not read here, send JSON with `Content-Type: application/json`"
    )]
    ContentType(String),
    #[error("the content encoding `{0}` is not read here, send the body as it is")]
    Encoding(String),
    #[error("the body is empty, a JSON object is required")]
    Empty,
    #[error("the body is not valid JSON: {0}")]
    Syntax(#[from] serde_json::Error),
}

/// Lets pass what says that it is JSON, and what does not say anything.
pub(crate) fn check_headers(headers: &HeaderMap) -> Result<(), JsonError> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(encoding) = text(CONTENT_ENCODING)
        && !encoding.trim().eq_ignore_ascii_case("identity")
    {
        return Err(JsonError::Encoding(encoding.chars().take(64).collect()));
    }
    let Some(content_type) = text(CONTENT_TYPE) else { return Ok(()) };
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "text/json" => Ok(()),
        other if other.ends_with("+json") => Ok(()),
        other => Err(JsonError::ContentType(other.chars().take(64).collect())),
    }
}

/// Reads one JSON value. Nesting deeper than 128 is an error, of repeated members the last counts.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(JsonError::Empty);
    }
    Ok(serde_json::from_slice(bytes)?)
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        let code = match error {
            JsonError::ContentType(_) | JsonError::Encoding(_) => ErrorCode::UnsupportedMediaType,
            JsonError::Empty | JsonError::Syntax(_) => ErrorCode::Malformed,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: http::HeaderName, value: &'static str) -> Option<String> {
        let value = http::HeaderValue::from_static(value);
        check_headers(&HeaderMap::from_iter([(name, value)])).err().map(|error| error.to_string())
    }

    #[test]
    fn takes_json_in_all_its_names() {
        for value in
            ["application/json", "Application/JSON; charset=utf-8", "application/vnd.a+json"]
        {
            assert_eq!(check(CONTENT_TYPE, value), None, "{value}");
        }
        assert!(check_headers(&HeaderMap::new()).is_ok());
        assert_eq!(check(CONTENT_ENCODING, "identity"), None);
    }

    #[test]
    fn names_what_to_send_instead() {
        let form = check(CONTENT_TYPE, "application/x-www-form-urlencoded").unwrap();
        assert!(
            form.contains("`application/x-www-form-urlencoded`")
                && form.contains("application/json")
        );
        assert!(check(CONTENT_TYPE, "text/plain").is_some());
        assert!(check(CONTENT_ENCODING, "gzip").unwrap().contains("`gzip`"));
    }

    #[test]
    fn says_where_the_syntax_breaks() {
        let error = parse(b"{\"a\": 1,\n  \"b\" 2}").unwrap_err().to_string();
        assert_eq!(error, "the body is not valid JSON: expected `:` at line 2 column 7");
        assert!(matches!(parse(b" \n"), Err(JsonError::Empty)));
        assert!(matches!(parse(&b"[".repeat(1_000_000)), Err(JsonError::Syntax(_))));
        assert!(parse(b"\xEF\xBB\xBF{}").is_ok());
    }
}
