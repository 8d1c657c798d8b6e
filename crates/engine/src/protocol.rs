//! The lines between a worker and the engine child that it runs.
//!
//! The worker writes one line, the [`Shot`], to the child's standard input and then keeps that
//! pipe open: its end means that the worker stopped or died, and the child ends itself and its
//! process group. The child writes [`Line`]s to standard output, one JSON object a line; the last
//! is [`Line::Take`] or [`Line::Error`]. A child that ends without either has crashed.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::{EngineError, Shot, Take};

/// The longest line either side accepts, in bytes.
pub const MAX_LINE_BYTES: usize = 4 << 20;

/// One line from the child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Which pass runs, and how much of the whole run is done, 0.0 to 1.0.
    Progress {
        /// The pass.
        stage: String,
        /// 0.0 to 1.0.
        fraction: f64,
    },
    /// The run is done.
    Take(Take),
    /// The run made nothing.
    Error(EngineError),
}

/// Why the other side could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The pipe broke.
    #[error("the pipe to the engine broke: {0}")]
    Pipe(#[from] std::io::Error),
    /// The line is not one of this protocol.
    #[error("the engine's line was not understood: {0}")]
    Line(#[from] serde_json::Error),
    /// There was no line.
    #[error("the pipe ended before a line came")]
    Ended,
}

/// Reads the shot, in the child.
pub fn read_shot(input: &mut impl BufRead) -> Result<Shot, ProtocolError> {
    let mut line = String::new();
    if std::io::Read::take(input, MAX_LINE_BYTES as u64).read_line(&mut line)? == 0 {
        return Err(ProtocolError::Ended);
    }
    Ok(serde_json::from_str(&line)?)
}

/// Writes one line and flushes it.
pub fn write_line(output: &mut impl Write, line: &impl Serialize) -> Result<(), ProtocolError> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    output.write_all(&text)?;
    output.flush()?;
    Ok(())
}

/// Reads one line of the child.
pub fn parse_line(line: &str) -> Result<Line, ProtocolError> {
    Ok(serde_json::from_str(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Report;

    #[test]
    fn every_kind_of_line_round_trips() {
        let take = Take { outputs: Vec::new(), poster: None, report: Report::default() };
        let lines = [
            Line::Progress { stage: "flow".into(), fraction: 0.25 },
            Line::Take(take),
            Line::Error(EngineError::Cancelled),
            Line::Error(EngineError::Deadline { limit_secs: 600 }),
        ];
        for line in lines {
            let mut bytes = Vec::new();
            write_line(&mut bytes, &line).unwrap();
            assert_eq!(parse_line(std::str::from_utf8(&bytes).unwrap()).unwrap(), line);
        }
    }

    #[test]
    fn a_closed_pipe_and_a_foreign_line_are_told_apart() {
        assert!(matches!(read_shot(&mut &b""[..]), Err(ProtocolError::Ended)));
        assert!(matches!(read_shot(&mut &b"hello\n"[..]), Err(ProtocolError::Line(_))));
    }
}
