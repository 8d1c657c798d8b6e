//! One scripted answer of the media host.

use std::time::Duration;

use bytes::Bytes;

/// One answer. Starts as [`Reply::ok`] or another constructor; the methods bend it.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A well-formed answer, possibly sent badly.
    Http(Http),
    /// These bytes instead of an answer, then the end of the connection.
    Raw(Bytes),
    /// The request is read and nothing is ever said.
    Hang,
}

#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) ranges: bool,
    pub(crate) framing: Framing,
    pub(crate) pace: Pace,
}

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    Close,
}

/// How the body is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    AtOnce,
    Trickle { bytes: usize, every: Duration },
    StallAfter(usize),
    CutAfter(usize),
}

// === impl Reply ===

impl Reply {
    /// 200 with a body and its length.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::of(200, body.into())
    }

    /// A status with a short text.
    pub fn status(status: u16) -> Self {
        Self::of(status, Bytes::from(format!("scripted {status}\n")))
    }

    /// A redirect to `location`.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::of(status, Bytes::new()).header("location", location)
    }

    /// Reads the request and never answers.
    pub fn hang() -> Self {
        Self { kind: Kind::Hang }
    }

    /// Sends these bytes as they are and closes.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Raw(bytes.into()) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        self.http(|http| http.headers.push((name.to_owned(), value)))
    }

    /// Sets the content type.
    #[must_use]
    pub fn content_type(self, value: &str) -> Self {
        self.header("content-type", value)
    }

    /// Answers `Range` requests with 206 (or 416).
    #[must_use]
    pub fn ranges(self) -> Self {
        self.http(|http| http.ranges = true)
    }

    /// Sends the body in chunks, without a length.
    #[must_use]
    pub fn chunked(self) -> Self {
        self.http(|http| http.framing = Framing::Chunked)
    }

    /// Sends the body without a length; the end of the connection ends it.
    #[must_use]
    pub fn until_close(self) -> Self {
        self.http(|http| http.framing = Framing::Close)
    }

    /// Sends `bytes` of the body at a time, with a pause before each.
    #[must_use]
    pub fn trickle(self, bytes: usize, every: Duration) -> Self {
        self.http(|http| http.pace = Pace::Trickle { bytes, every })
    }

    /// Sends this much of the body and then nothing, keeping the connection.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        self.http(|http| http.pace = Pace::StallAfter(bytes))
    }

    /// Announces the whole body, sends this much and closes.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        self.http(|http| http.pace = Pace::CutAfter(bytes))
    }

    fn of(status: u16, body: Bytes) -> Self {
        let http = Http {
            status,
            headers: Vec::new(),
            body,
            ranges: false,
            framing: Framing::Length,
            pace: Pace::AtOnce,
        };
        Self { kind: Kind::Http(http) }
    }

    fn http(mut self, change: impl FnOnce(&mut Http)) -> Self {
        if let Kind::Http(http) = &mut self.kind {
            change(http);
        }
        self
    }
}

impl Http {
    /// The part of the body that `range` (a `Range` header) asks for, as status, range line and
    /// bytes.
    pub(crate) fn select(&self, range: Option<&str>) -> (u16, Option<String>, Bytes) {
        let whole = (self.status, None, self.body.clone());
        let (true, Some(spec)) = (self.ranges, range.and_then(|text| text.strip_prefix("bytes=")))
        else {
            return whole;
        };
        let total = self.body.len();
        let bounds = match spec.split_once('-') {
            Some(("", last)) => last.parse().ok().map(|n: usize| (total.saturating_sub(n), total)),
            Some((start, "")) => start.parse().ok().map(|start| (start, total)),
            Some((start, end)) => start
                .parse()
                .ok()
                .zip(end.parse().ok())
                .map(|(start, end): (usize, usize)| (start, (end + 1).min(total))),
            None => None,
        };
        match bounds {
            Some((start, end)) if start < end => {
                let line = format!("bytes {start}-{}/{total}", end - 1);
                (206, Some(line), self.body.slice(start..end))
            }
            Some(_) => (416, Some(format!("bytes */{total}")), Bytes::new()),
            None => whole,
        }
    }
}
