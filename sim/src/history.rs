//! What happened, line by line.
//!
//! The same seed gives the same lines, byte for byte, in any process; whoever looks for the cause
//! of a failure reads them.

use std::cell::RefCell;
use std::fmt::{Display, Write as _};

/// The lines so far.
#[derive(Debug, Default)]
pub struct History(RefCell<Lines>);

#[derive(Debug, Default)]
struct Lines {
    text: String,
    /// Where each line begins.
    begins: Vec<usize>,
}

// === impl History ===

impl History {
    /// Adds a line: `host` did or saw `event` after `millis` of simulated time.
    pub fn note(&self, millis: i64, host: &str, event: impl Display) {
        let mut lines = self.0.borrow_mut();
        let begin = lines.text.len();
        lines.begins.push(begin);
        let (secs, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
        // A `String` takes all that is written.
        let _ = writeln!(lines.text, "{secs:>5}.{rest:03} {host:<9} {event}");
    }

    /// All lines.
    pub fn text(&self) -> String {
        self.0.borrow().text.clone()
    }

    /// The last `count` lines.
    pub fn tail(&self, count: usize) -> String {
        let lines = self.0.borrow();
        let first = lines.begins.len().saturating_sub(count);
        let begin = lines.begins.get(first).copied().unwrap_or_default();
        lines.text.get(begin..).unwrap_or_default().to_owned()
    }
}
