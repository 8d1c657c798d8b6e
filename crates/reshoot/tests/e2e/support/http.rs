//! HTTP over a bare socket, for callers whose server may die in the middle of a call: what curl
//! reports as one of a dozen errors is one value here.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longest silence of a server that lives.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// Somebody with a key, at a server's address.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

/// A call; a body is JSON unless a header says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

/// The connection ended before the answer was whole, and why.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

// === impl Caller ===

impl Caller {
    /// One call over a connection of its own.
    pub(crate) fn call(&self, call: &Call<'_>) -> Result<Answer, Broken> {
        let Call { method, target, headers, body } = call;
        let Self { address, key } = self;
        let mut text = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Authorization: Bearer {key}\r\nContent-Length: {}\r\n",
            body.len()
        );
        let typed = headers.iter().any(|(name, _)| *name == "Content-Type");
        if !body.is_empty() && !typed {
            text.push_str("Content-Type: application/json\r\n");
        }
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        text.extend(headers);
        text.push_str("\r\n");
        self.exchange(&[text.as_bytes(), body].concat())
    }

    fn exchange(&self, sent: &[u8]) -> Result<Answer, Broken> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.write_all(sent)?;
        let mut got = Vec::new();
        if let Err(error) = stream.read_to_end(&mut got) {
            let hangs = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
            assert!(!hangs.contains(&error.kind()), "the server hangs");
            // A reset may follow an answer that is whole.
            return Answer::parse(&got).ok_or_else(|| error.into());
        }
        Answer::parse(&got).ok_or_else(|| Broken(format!("{} bytes of an answer", got.len())))
    }

    /// The answer to the head of a POST whose body is announced and never comes.
    pub(crate) fn announce(&self, target: &str, body_bytes: u64) -> Result<Answer, Broken> {
        let Self { address, key } = self;
        let text = format!(
            "POST {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Authorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {body_bytes}\r\n\r\n"
        );
        self.exchange(text.as_bytes())
    }

    /// A POST to a server that is expected to live.
    #[track_caller]
    pub(crate) fn post(&self, target: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.call(&Call { method: "POST", target, headers: &[], body: body.as_bytes() }).unwrap()
    }

    /// The answer of a server that is expected to live.
    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.call(&Call { method: "GET", target, headers: &[], body: &[] }).unwrap()
    }

    /// All entries of a list, page by page; `target` may have a query.
    #[track_caller]
    pub(crate) fn list(&self, target: &str, of: &str) -> Vec<Value> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let sign = if target.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{target}{sign}limit=100{cursor}")).expect(200);
            found.extend(page[of].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}

// === impl Answer ===

impl Answer {
    /// An answer that is whole, by its own account.
    fn parse(got: &[u8]) -> Option<Self> {
        let end = got.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&got[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let answer = Self { status, head, body: got[end..].to_vec() };
        let length: usize = answer.header("content-length")?.parse().ok()?;
        (answer.body.len() == length).then_some(answer)
    }

    /// A header's value in lower case; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = || String::from_utf8_lossy(&self.body).into_owned();
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", text()))
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
