//! The state machine of a request.
//!
//! ```text
//! received --intake--> ready --claim--> running --publish--> succeeded
//!     |                  |                 |------------->  failed
//!     |--faults--> failed|                 |--release--> ready
//!     '------ cancel ----'----- force -----'------------->  cancelled
//! ```
//! A terminal state never changes.

use serde::{Deserialize, Serialize};

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Stored; its inputs are not yet fetched.
    Received,
    /// Its inputs are kept and checked.
    Ready,
    /// An engine works on it.
    Running,
    /// Its output is published.
    Succeeded,
    /// It ended without output.
    Failed,
    /// Its owner took it back.
    Cancelled,
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Intake kept and checked all inputs.
    InputsKept,
    /// Intake or the engine ended it with a fault.
    Fail,
    /// A worker took it.
    Claim,
    /// A worker gave it back.
    Release,
    /// A worker published its output.
    Publish,
    /// Its owner cancelled it; `force` reaches running work too.
    Cancel {
        /// Whether running work is stopped.
        force: bool,
    },
}

// === impl State ===

impl State {
    /// All states, in the order of a request's life.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::Ready,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after `event`, or `None` where the event changes nothing.
    pub const fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Received, Event::InputsKept) | (Self::Running, Event::Release) => {
                Some(Self::Ready)
            }
            (Self::Ready, Event::Claim) => Some(Self::Running),
            (Self::Running, Event::Publish) => Some(Self::Succeeded),
            (Self::Received | Self::Ready | Self::Running, Event::Fail) => Some(Self::Failed),
            (Self::Received | Self::Ready, Event::Cancel { .. })
            | (Self::Running, Event::Cancel { force: true }) => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether it has a place in the queue.
    pub const fn is_queued(self) -> bool {
        matches!(self, Self::Received | Self::Ready)
    }

    /// The word stored for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state that a stored word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 7] = [
        Event::InputsKept,
        Event::Fail,
        Event::Claim,
        Event::Release,
        Event::Publish,
        Event::Cancel { force: false },
        Event::Cancel { force: true },
    ];

    #[test]
    fn a_terminal_state_never_changes() {
        for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
            for event in EVENTS {
                assert_eq!(state.after(event), None, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn running_work_is_cancelled_only_by_force() {
        assert_eq!(State::Running.after(Event::Cancel { force: false }), None);
        assert_eq!(State::Running.after(Event::Cancel { force: true }), Some(State::Cancelled));
    }

    #[test]
    fn words_round_trip() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.as_str()), Some(state));
        }
        assert_eq!(State::from_word("completed"), None);
    }
}
