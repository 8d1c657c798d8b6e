//! What was wrong with a request: one shape for a 422, a failed result and `probe`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest `input` echoed back, in characters.
pub const INPUT_ECHO_CHARS: usize = 200;

/// One thing wrong with one field.
///
/// `kind` is one of the words that clients of such services already know (`missing`, `one_of`,
/// `sequence_too_long`, `video_duration_too_long`, `image_too_small`, `file_too_large`, …).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Where: `["body", "elements", 1, "frontal_image_url"]`.
    pub loc: Vec<Value>,
    /// One sentence: the field, what was found, what is allowed.
    pub msg: String,
    /// The machine-readable kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Numbers and words of the limit that was broken.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ctx: Map<String, Value>,
    /// What was sent there, cut at [`INPUT_ECHO_CHARS`]; a URL without its query.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
}

/// Why a request ended as failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word, listed in `docs/errors.md`, e.g. `input_invalid`, `engine_failed`.
    pub code: String,
    /// The class: `input`, `unsupported`, `infrastructure`, `deadline` or `internal`.
    #[serde(rename = "type")]
    pub class: String,
    /// One sentence for the person who sent the request.
    pub message: String,
    /// The fields at fault, where fields are at fault.
    #[serde(default)]
    pub detail: Vec<Fault>,
}

// === impl Fault ===

impl Fault {
    /// A fault of `kind` at `pointer` (a JSON pointer into the body, `/elements/1/…`).
    pub fn at(pointer: &str, kind: impl Into<String>, msg: impl Into<String>) -> Self {
        Self {
            loc: loc(pointer),
            msg: msg.into(),
            kind: kind.into(),
            ctx: Map::new(),
            input: Value::Null,
        }
    }

    /// Adds one entry to `ctx`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.ctx.insert(name.to_owned(), value.into());
        self
    }

    /// Adds what was sent, shortened by [`echo`].
    #[must_use]
    pub fn input(mut self, value: &Value) -> Self {
        self.input = echo(value);
        self
    }
}

/// `/elements/1/frontal_image_url` as `["body", "elements", 1, "frontal_image_url"]`.
pub fn loc(pointer: &str) -> Vec<Value> {
    let mut out = vec![Value::from("body")];
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        out.push(name.parse::<u64>().map_or_else(|_| Value::from(name.clone()), Value::from));
    }
    out
}

/// `/elements/1/frontal_image_url` as people write it: `elements[1].frontal_image_url`.
pub fn label(pointer: &str) -> String {
    let mut out = String::new();
    for part in loc(pointer).into_iter().skip(1) {
        match part {
            Value::Number(index) => {
                out.push('[');
                out.push_str(&index.to_string());
                out.push(']');
            }
            Value::String(name) if out.is_empty() => out.push_str(&name),
            Value::String(name) => {
                out.push('.');
                out.push_str(&name);
            }
            _ => {}
        }
    }
    if out.is_empty() { "body".to_owned() } else { out }
}

/// What may be shown of a value that was sent: strings cut at [`INPUT_ECHO_CHARS`] characters,
/// URLs without query and fragment (signed URLs carry secrets there), `data:` URIs without
/// their bytes, arrays and objects as cut JSON text.
pub fn echo(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => Value::from(cut(&public_text(text))),
        Value::Array(_) | Value::Object(_) => Value::from(cut(&strip(value).to_string())),
    }
}

fn strip(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(cut(&public_text(text))),
        Value::Array(items) => items.iter().take(8).map(strip).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, v)| (name.clone(), strip(v))).collect())
        }
        other => other.clone(),
    }
}

/// A URL or `data:` URI as it may be logged and shown: no query, no fragment, no user, no bytes.
pub fn public_text(text: &str) -> String {
    if text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        let head: String = text.chars().take_while(|c| *c != ',').take(80).collect();
        return format!("{head},…");
    }
    if !text.contains("://") {
        return text.to_owned();
    }
    let bare = text.split(['?', '#']).next().unwrap_or("");
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_owned() };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(INPUT_ECHO_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_places_in_both_dialects() {
        let pointer = "/elements/1/frontal_image_url";
        assert_eq!(label(pointer), "elements[1].frontal_image_url");
        assert_eq!(
            Value::from(loc(pointer)).to_string(),
            r#"["body","elements",1,"frontal_image_url"]"#
        );
        assert_eq!(label(""), "body");
    }

    #[test]
    fn never_echoes_secrets_of_a_url_nor_bytes_of_a_data_uri() {
        let signed = "https://user:pw@cdn.example.com/a.mp4?X-Amz-Signature=secret#frag";
        assert_eq!(public_text(signed), "https://cdn.example.com/a.mp4");
        let nested = serde_json::json!({"u": [signed]});
        assert!(!echo(&nested).to_string().contains("secret"));
        assert_eq!(public_text("data:image/png;base64,AAAA"), "data:image/png;base64,…");
        assert_eq!(public_text("DATA:image/png;base64,AAAA"), "DATA:image/png;base64,…");
    }

    #[test]
    fn cuts_long_input_at_two_hundred_characters() {
        let Value::String(echoed) = echo(&Value::from("ä".repeat(500))) else { unreachable!() };
        assert_eq!(echoed.chars().count(), INPUT_ECHO_CHARS + 1);
    }
}
