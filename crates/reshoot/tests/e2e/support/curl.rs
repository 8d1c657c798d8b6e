//! HTTP by `curl`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Longest that one call may take, in seconds: a server that hangs fails the test.
const MAX_SECS: &str = "90";

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Runs curl with these arguments and `body` on its standard input.
pub(crate) fn curl(args: &[&str], body: &[u8]) -> Reply {
    let mut child = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", MAX_SECS])
        .args(["--write-out", "\n%{http_code}"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Where no body is asked for, curl may end before it has read one.
    let _ = child.stdin.take().unwrap().write_all(body);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {args:?}: {text}");
    Reply::parse(output.stdout)
}

// === impl Reply ===

impl Reply {
    /// curl's output: the body, a line feed, the status.
    pub(crate) fn parse(mut output: Vec<u8>) -> Self {
        let cut = output.iter().rposition(|byte| *byte == b'\n').unwrap();
        let status = std::str::from_utf8(&output[cut + 1..]).unwrap().parse().unwrap();
        output.truncate(cut);
        Self { status, body: output }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of a reply with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }
}
