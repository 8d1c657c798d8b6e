//! The query string, read leniently: unknown parameters are ignored, an empty one counts as left
//! out, of several the last counts. What is given and cannot be read is named.

use axum::extract::FromRequestParts;
use http::request;
use std::convert::Infallible;
use std::ops::RangeInclusive;
use wire::ErrorCode;

use crate::refusal::Refusal;

/// The parameters of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

/// A parameter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: `{found}` was given, {wanted} is required")]
pub(crate) struct BadParam {
    pub(crate) name: &'static str,
    pub(crate) found: String,
    pub(crate) wanted: String,
}

// === impl Params ===

impl Params {
    fn of(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rfind(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A yes or no; `?force` alone is a yes.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, BadParam> {
        match self.0.iter().rfind(|(given, _)| given == name) {
            None => Ok(false),
            Some((_, value)) => match value.to_ascii_lowercase().as_str() {
                "" | "true" | "1" | "yes" => Ok(true),
                "false" | "0" | "no" => Ok(false),
                _ => Err(BadParam::new(name, value, "true or false")),
            },
        }
    }

    /// A whole number within `range`.
    pub(crate) fn number(
        &self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, BadParam> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let (least, most) = (range.start(), range.end());
                let wanted = format!("a whole number from {least} to {most}");
                Err(BadParam::new(name, text, wanted))
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query().unwrap_or("")))
    }
}

// === impl BadParam ===

impl BadParam {
    pub(crate) fn new(name: &'static str, found: &str, wanted: impl Into<String>) -> Self {
        Self { name, found: found.chars().take(64).collect(), wanted: wanted.into() }
    }
}

impl From<BadParam> for Refusal {
    fn from(error: BadParam) -> Self {
        Self::new(ErrorCode::Malformed, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_flags_as_people_write_them() {
        for (query, want) in [
            ("", false),
            ("force", true),
            ("force=true", true),
            ("force=1", true),
            ("force=True", true),
            ("force=false", false),
            ("force=true&force=0", false),
            ("other=x", false),
        ] {
            assert_eq!(Params::of(query).flag("force"), Ok(want), "{query}");
        }
        let error = Params::of("force=maybe").flag("force").unwrap_err();
        assert_eq!(error.to_string(), "force: `maybe` was given, true or false is required");
    }

    #[test]
    fn names_numbers_that_are_out_of_range() {
        let read = |query: &str| Params::of(query).number("limit", 1..=500);
        assert_eq!(read("limit=500"), Ok(Some(500)));
        assert_eq!(read("limit="), Ok(None));
        assert_eq!(
            read("limit=501").unwrap_err().to_string(),
            "limit: `501` was given, a whole number from 1 to 500 is required"
        );
        assert!(read("limit=-1").is_err());
    }
}
