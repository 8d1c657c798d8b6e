//! The values that labels may have: closed lists, so that no caller can make a series for each
//! path, address or message.

use std::time::Duration;

use domain::Stage;
use domain::lease::Setback;

/// The value for whatever is not on a list of routes.
pub(crate) const NO_ROUTE: &str = "-";

/// The value for whatever is on no other list.
const OTHER: &str = "other";

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other word: a client may send what it likes.
    Other,
}

/// How a submit was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submit {
    /// A new request.
    Accepted,
    /// The answer to an earlier submit with the same idempotency key.
    Replayed,
    /// Not taken.
    Refused {
        /// The HTTP status that says why.
        status: u16,
    },
}

/// How work on a claim ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageEnd {
    /// Inputs kept, or a clip published.
    Done,
    /// The request failed.
    Failed,
    /// Given back, to be tried again.
    SetBack,
    /// Another claim or a cancellation came first: nothing was written.
    Fenced,
}

/// How an attempt to deliver a webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookAttempt {
    /// The receiver acknowledged it.
    Delivered {
        /// Since the change of state that it tells of, or since its replay.
        lag: Duration,
    },
    /// It did not, or was not reached.
    Failed,
    /// It wants no more (410).
    Gone,
}

/// The kinds of faults, as `docs/errors.md` lists them.
const FAULT_KINDS: [&str; 34] = [
    "missing",
    "extra_forbidden",
    "string_type",
    "bool_type",
    "int_type",
    "float_type",
    "list_type",
    "dict_type",
    "one_of",
    "string_too_short",
    "string_too_long",
    "sequence_too_short",
    "sequence_too_long",
    "greater_than_equal",
    "less_than_equal",
    "value_error",
    "url_parsing",
    "url_scheme",
    "url_too_long",
    "file_download_error",
    "file_too_large",
    "unsupported_video_format",
    "unsupported_image_format",
    "unsupported_audio_format",
    "video_load_error",
    "image_load_error",
    "video_duration_too_short",
    "video_duration_too_long",
    "feature_not_supported",
    "video_too_small",
    "video_too_large",
    "image_too_small",
    "image_too_large",
    OTHER,
];

// === impl Method ===

impl Method {
    /// The method that a request line names.
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => OTHER,
        }
    }
}

// === impl Submit ===

impl Submit {
    /// One of each word.
    pub(crate) const ALL: [Self; 15] = [
        Self::Accepted,
        Self::Replayed,
        Self::Refused { status: 400 },
        Self::Refused { status: 401 },
        Self::Refused { status: 402 },
        Self::Refused { status: 403 },
        Self::Refused { status: 404 },
        Self::Refused { status: 408 },
        Self::Refused { status: 409 },
        Self::Refused { status: 413 },
        Self::Refused { status: 415 },
        Self::Refused { status: 422 },
        Self::Refused { status: 429 },
        Self::Refused { status: 503 },
        Self::Refused { status: 500 },
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Replayed => "replayed",
            Self::Refused { status } => match status {
                400 => "refused_malformed",
                401 => "refused_key",
                402 => "refused_budget",
                403 => "refused_role",
                404 => "refused_model",
                408 => "refused_slow",
                409 => "refused_conflict",
                413 => "refused_size",
                415 => "refused_type",
                422 => "refused_fields",
                429 => "refused_limit",
                503 => "refused_unavailable",
                _ => "refused_other",
            },
        }
    }
}

// === impl StageEnd, WebhookAttempt ===

impl StageEnd {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::SetBack => "set_back",
            Self::Fenced => "fenced",
        }
    }
}

impl WebhookAttempt {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }
}

pub(crate) const STAGES: [Stage; 2] = [Stage::Intake, Stage::Run];
pub(crate) const SETBACKS: [Setback; 3] = [Setback::Fault, Setback::Lost, Setback::HandedBack];

pub(crate) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Intake => "intake",
        Stage::Run => "run",
    }
}

pub(crate) const fn why(setback: Setback) -> &'static str {
    match setback {
        Setback::Fault => "fault",
        Setback::Lost => "lost",
        Setback::HandedBack => "handed_back",
    }
}

/// A fault's kind, if it is one of those that are documented.
pub(crate) fn reason(kind: &str) -> &'static str {
    FAULT_KINDS.into_iter().find(|&known| known == kind).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Those in the first column of the table of kinds.
    fn documented_kinds() -> BTreeSet<&'static str> {
        let errors = include_str!("../../../docs/errors.md");
        let table = errors.split("\n## ").find(|part| part.starts_with("Kinds of faults")).unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
            .skip(1)
            .collect()
    }

    #[test]
    fn the_kinds_of_faults_are_those_that_are_documented() {
        let ours: BTreeSet<_> = FAULT_KINDS.into_iter().filter(|&kind| kind != OTHER).collect();
        assert_eq!(ours, documented_kinds());
        assert_eq!(reason("file_too_large"), "file_too_large");
        assert_eq!(reason("https://cdn.example.com/a.mp4"), OTHER);
    }

    #[test]
    fn methods_are_a_closed_list() {
        for name in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert_eq!(Method::of(name).as_str(), name);
        }
        assert_eq!(Method::of("BREW").as_str(), OTHER);
    }

    #[test]
    fn all_answers_to_a_submit_have_words_of_their_own() {
        let words: BTreeSet<_> = Submit::ALL.into_iter().map(Submit::as_str).collect();
        assert_eq!(words.len(), Submit::ALL.len());
        for status in 0..1000 {
            assert!(words.contains(Submit::Refused { status }.as_str()), "{status}");
        }
    }
}
