//! What a submit asks for beside its body: headers and parameters.

use domain::{Fault, Priority};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use wire::ErrorCode;

use crate::app::App;
use crate::params::{BadParam, Params};
use crate::refusal::Refusal;

const PRIORITY: HeaderName = HeaderName::from_static("x-reshoot-priority");
const DEADLINE: HeaderName = HeaderName::from_static("x-reshoot-deadline");
const ONCE: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest deadline: a week.
const MAX_DEADLINE_SECS: i64 = 7 * 86_400;
const MAX_ONCE_CHARS: usize = 255;
const MAX_WEBHOOK_CHARS: usize = 2048;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) dry_run: bool,
    pub(super) priority: Priority,
    /// Seconds from acceptance to the end.
    pub(super) deadline_secs: Option<i64>,
    pub(super) once: Option<String>,
    pub(super) webhook: Option<Webhook>,
}

/// Where states are to be posted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) intermediate: bool,
}

/// A header or parameter that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error("the header `X-Reshoot-Priority` has to be high, normal or low, not `{0}`")]
    Priority(String),
    #[error(
        "the header `X-Reshoot-Deadline` has to be a whole number of seconds from 1 to \
         {MAX_DEADLINE_SECS}, not `{0}`"
    )]
    Deadline(String),
    #[error(
        "the header `Idempotency-Key` has to be 1 to {MAX_ONCE_CHARS} visible ASCII characters"
    )]
    Once,
    #[error("webhook: {0}")]
    Webhook(String),
    #[error(transparent)]
    Param(#[from] BadParam),
}

// === impl Asked ===

impl Asked {
    pub(super) fn read(app: &App, headers: &HeaderMap, params: &Params) -> Result<Self, AskError> {
        let intermediate = params.flag("webhook_intermediate_status")?;
        let webhook = match params.text("webhook") {
            Some(url) if url.len() > MAX_WEBHOOK_CHARS => {
                let words = format!("the URL is over the limit of {MAX_WEBHOOK_CHARS} characters");
                return Err(AskError::Webhook(words));
            }
            Some(url) => {
                app.parts().webhooks.admits(url).map_err(AskError::Webhook)?;
                Some(Webhook { url: url.to_owned(), intermediate })
            }
            None => None,
        };
        Ok(Self {
            dry_run: params.flag("dry_run")?,
            priority: headers.get(PRIORITY).map_or(Ok(Priority::default()), priority)?,
            deadline_secs: headers.get(DEADLINE).map(deadline).transpose()?,
            once: headers.get(ONCE).map(once).transpose()?,
            webhook,
        })
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).trim().chars().take(64).collect()
}

fn priority(value: &HeaderValue) -> Result<Priority, AskError> {
    match text(value).to_ascii_lowercase().as_str() {
        "high" => Ok(Priority::High),
        "normal" => Ok(Priority::Normal),
        "low" => Ok(Priority::Low),
        other => Err(AskError::Priority(other.to_owned())),
    }
}

fn deadline(value: &HeaderValue) -> Result<i64, AskError> {
    let text = text(value);
    let secs = text.parse().ok().filter(|secs| (1..=MAX_DEADLINE_SECS).contains(secs));
    secs.ok_or(AskError::Deadline(text))
}

fn once(value: &HeaderValue) -> Result<String, AskError> {
    let text = value.to_str().map_err(|_| AskError::Once)?.trim();
    let visible = text.bytes().all(|b| b.is_ascii_graphic());
    let fits = (1..=MAX_ONCE_CHARS).contains(&text.len());
    if visible && fits { Ok(text.to_owned()) } else { Err(AskError::Once) }
}

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Webhook(why) => {
                let mut fault = Fault::at("", "url_parsing", format!("webhook: {why}"));
                fault.loc = vec![Value::from("query"), Value::from("webhook")];
                Self::invalid(vec![fault])
            }
            AskError::Param(error) => error.into(),
            AskError::Priority(_) | AskError::Deadline(_) | AskError::Once => {
                Self::new(ErrorCode::Malformed, error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn reads_the_priority_header() {
        let read = |text| priority(&value(text)).map_err(|error| error.to_string());
        assert_eq!((read("High"), read(" low ")), (Ok(Priority::High), Ok(Priority::Low)));
        assert!(read("urgent").unwrap_err().contains("`urgent`"));
    }

    #[test]
    fn a_deadline_is_a_number_of_seconds_up_to_a_week() {
        let read = |text| deadline(&value(text)).ok();
        assert_eq!((read("1"), read("604800")), (Some(1), Some(604_800)));
        for bad in ["0", "604801", "-5", "1.5", "", "soon", "99999999999999999999"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_and_not_too_long() {
        let read = |text| once(&value(text)).ok();
        assert_eq!(read("6f1c-\"x\"").as_deref(), Some("6f1c-\"x\""));
        assert_eq!((read(""), read("a b")), (None, None));
        let long = HeaderValue::from_str(&"a".repeat(256)).unwrap();
        assert!(once(&long).is_err());
    }
}
