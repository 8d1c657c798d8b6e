//! The answer, and its bytes as they come: counted, timed, whole or an error.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::error::FetchError;
use crate::exchange::{garbled, io_cause};

/// An answer with status 200, 203 or 206.
pub struct Response {
    /// The HTTP status. 206 where a range was asked for and given; a host without ranges
    /// answers 200 with the whole file.
    pub status: u16,
    /// Bytes of this body, where the host announces them.
    pub content_length: Option<u64>,
    /// Bytes of the whole file, where they are known.
    pub total: Option<u64>,
    /// What the host calls it; not to be believed.
    pub content_type: Option<String>,
    /// Whether the host says that it answers ranges.
    pub accepts_ranges: bool,
    /// The bytes.
    pub body: Body,
}

/// The bytes of an answer. Dropped, it closes the connection.
pub struct Body {
    incoming: Incoming,
    _connection: JoinSet<()>,
    host: String,
    received: u64,
    max_bytes: u64,
    deadline: Instant,
}

// === impl Body ===

impl Body {
    pub(crate) fn new(
        incoming: Incoming,
        connection: JoinSet<()>,
        host: String,
        max_bytes: u64,
        deadline: Instant,
    ) -> Self {
        Self { incoming, _connection: connection, host, received: 0, max_bytes, deadline }
    }

    /// The next bytes, never none of them; nothing at the end of a whole body.
    ///
    /// Fails with [`FetchError::TooLarge`], [`FetchError::Timeout`], [`FetchError::Truncated`] or
    /// [`FetchError::Garbled`]. Safe to cancel.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let late = || FetchError::Timeout { host: self.host.clone() };
            if Instant::now() >= self.deadline {
                return Err(late());
            }
            let frame = timeout_at(self.deadline, self.incoming.frame()).await;
            let Some(frame) = frame.map_err(|_| late())? else { return Ok(None) };
            match frame.map_err(|e| self.fault(&e))?.into_data() {
                Ok(bytes) if !bytes.is_empty() => return self.count(bytes).map(Some),
                // Trailers say nothing about the file.
                _ => {}
            }
        }
    }

    /// Bytes given out so far.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of the whole body, where they are announced.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    fn count(&mut self, bytes: Bytes) -> Result<Bytes, FetchError> {
        self.received += bytes.len() as u64;
        if self.received > self.max_bytes {
            return Err(FetchError::TooLarge { max_bytes: self.max_bytes, announced: None });
        }
        Ok(bytes)
    }

    fn fault(&self, e: &hyper::Error) -> FetchError {
        let broken = io_cause(e).is_some_and(|cause| {
            !matches!(
                cause.kind(),
                std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData
            )
        });
        if e.is_incomplete_message() || broken {
            FetchError::Truncated { host: self.host.clone(), received: self.received }
        } else {
            garbled(self.host.clone(), "the body is malformed")
        }
    }
}
