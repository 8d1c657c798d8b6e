//! The guarded POST: one message to one host, and what it said to it.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{
    CONTENT_LENGTH, EXPECT, HeaderMap, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use tokio::time::{Instant, timeout_at};

use crate::body::Body;
use crate::client::Client;
use crate::error::FetchError;
use crate::exchange::{Answer, Message, foreign_encoding};
use crate::target::Target;

/// Bytes of a reply's body that are read.
const MAX_REPLY_BYTES: usize = 4096;

/// Characters of a reply's body that are kept.
const REPLY_CHARS: usize = 200;

/// Headers that say where a message ends or what the connection becomes: no caller's business.
const FRAMING: [HeaderName; 6] = [CONTENT_LENGTH, EXPECT, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// One message.
#[derive(Debug, Clone)]
pub struct PostRequest {
    /// Where it goes.
    pub url: String,
    /// What is sent beside `Host`, `User-Agent`, `Accept`, `Accept-Encoding`, `Connection` and
    /// `Content-Length`, which are the client's own and win over these. A `Content-Type` belongs
    /// here.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
    /// When it must be answered.
    pub deadline: Instant,
}

/// What the host answered. Any status is an answer, a redirect too: it isn't followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostReply {
    /// The HTTP status.
    pub status: u16,
    /// How long the host asks to wait before the next message.
    pub retry_after: Option<Duration>,
    /// The first 200 characters of the body, without control characters, for whoever looks into
    /// a failed delivery. Empty where the body was compressed unasked. Not to be believed.
    pub body_start: String,
}

// === impl PostRequest ===

impl PostRequest {
    fn message(&self) -> Message {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if !FRAMING.contains(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        Message { method: Method::POST, headers, body: self.body.clone() }
    }
}

// === impl Client ===

impl Client {
    /// Sends a message, once, and reads what the host answers.
    ///
    /// The status counts as soon as it has come: a body that is late, cut or malformed takes
    /// nothing from it. An error therefore says that there was no answer, not that the message
    /// did not arrive.
    pub async fn post(&self, request: &PostRequest) -> Result<PostReply, FetchError> {
        let target = self.target(&request.url)?;
        let message = request.message();
        let answer = timeout_at(request.deadline, self.send(&target, &message)).await;
        let answer = answer.unwrap_or_else(|_| Err(FetchError::Timeout { host: target.name() }));
        match answer {
            Ok(answer) => Ok(self.reply(&target, answer, request.deadline).await),
            Err(fault) => {
                tracing::debug!(host = target.name(), %fault, "post failed");
                Err(fault)
            }
        }
    }

    async fn reply(&self, target: &Target, answer: Answer, deadline: Instant) -> PostReply {
        let Answer { head, body, connection } = answer;
        let body_start = match foreign_encoding(&head) {
            Some(_) => String::new(),
            None => start(Body::new(body, connection, target.name(), u64::MAX, deadline)).await,
        };
        let retry_after = self.wait_asked(&head);
        PostReply { status: head.status.as_u16(), retry_after, body_start }
    }
}

/// The start of a body, as far as it comes.
async fn start(mut body: Body) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_REPLY_BYTES
        && let Ok(Some(chunk)) = body.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MAX_REPLY_BYTES);
    let text = String::from_utf8_lossy(&bytes);
    text.chars().filter(|c| !c.is_control()).take(REPLY_CHARS).collect()
}
