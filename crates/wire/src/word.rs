//! The two vocabularies for one state, and the answer of cancel.
//!
//! `status` calls a request that ended by running `completed`, whether it worked or not;
//! `result` says which. A client that polls one must not be told a word of the other.

use serde::{Deserialize, Serialize};

/// What `status` and `cancel` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    /// Waiting.
    InQueue,
    /// An engine runs.
    InProgress,
    /// Ended by running: succeeded or failed.
    Completed,
    /// Ended by its owner.
    Cancelled,
}

/// What `result`, the list and the record say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultWord {
    /// Waiting.
    InQueue,
    /// An engine runs.
    InProgress,
    /// Ended with an output.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended by its owner.
    Cancelled,
}

/// Whether a cancel had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The request is cancelled, now or since an earlier call.
    Cancelled,
    /// It runs already, or has ended by running.
    NotCancellable,
}

// === impl StatusWord ===

impl StatusWord {
    /// The word itself.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InQueue => "in_queue",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

// === impl ResultWord ===

impl ResultWord {
    /// The word itself.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InQueue => "in_queue",
            Self::InProgress => "in_progress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The same state in the words of `status`.
    pub const fn status(self) -> StatusWord {
        match self {
            Self::InQueue => StatusWord::InQueue,
            Self::InProgress => StatusWord::InProgress,
            Self::Succeeded | Self::Failed => StatusWord::Completed,
            Self::Cancelled => StatusWord::Cancelled,
        }
    }

    /// Whether the word can still change.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelt_alike_in_json_and_in_code() {
        use ResultWord as R;
        for word in [R::InQueue, R::InProgress, R::Succeeded, R::Failed, R::Cancelled] {
            assert_eq!(serde_json::to_value(word).unwrap(), word.as_str());
            assert_eq!(serde_json::to_value(word.status()).unwrap(), word.status().as_str());
        }
    }

    #[test]
    fn a_failed_run_is_completed_on_status() {
        assert_eq!(ResultWord::Failed.status(), StatusWord::Completed);
        assert_eq!(ResultWord::Succeeded.status(), StatusWord::Completed);
        assert!(ResultWord::Failed.is_terminal());
        assert!(!ResultWord::InProgress.is_terminal());
    }
}
