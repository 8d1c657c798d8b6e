//! The guarded GET: follow redirects, try again, hand out the body.

use std::fmt;

use bytes::Bytes;
use domain::fault::public_text;
use http::Method;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, LOCATION, RANGE};
use tokio::time::{Instant, sleep, timeout_at};

use crate::body::{Body, Response};
use crate::client::{Client, text};
use crate::error::FetchError;
use crate::exchange::{Answer, Message, foreign_encoding, garbled};
use crate::target::Target;

/// Redirects that are followed.
pub const MAX_REDIRECTS: usize = 3;

/// Times that a transient failure is tried.
pub const MAX_TRIES: u32 = 3;

/// One file, or a part of one.
#[derive(Debug, Clone)]
pub struct GetRequest {
    /// Where it is.
    pub url: String,
    /// Which part; the whole where there is none.
    pub range: Option<ByteRange>,
    /// Bytes of the body that are taken at most.
    pub max_bytes: u64,
    /// When it must be complete: tries, redirects and body together.
    pub deadline: Instant,
}

/// A part of a file (RFC 9110, section 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this byte to the end.
    From(u64),
    /// From the first to before the second.
    Between(u64, u64),
    /// This many bytes at the end.
    Last(u64),
}

// === impl GetRequest, ByteRange ===

impl GetRequest {
    fn message(&self) -> Message {
        let range = self.range.and_then(|range| HeaderValue::try_from(range.to_string()).ok());
        let headers = range.into_iter().map(|range| (RANGE, range)).collect();
        Message { method: Method::GET, headers, body: Bytes::new() }
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(start) => write!(f, "bytes={start}-"),
            Self::Between(start, end) => write!(f, "bytes={start}-{}", end.saturating_sub(1)),
            Self::Last(count) => write!(f, "bytes=-{count}"),
        }
    }
}

// === impl Client ===

impl Client {
    /// Fetches a file up to its body, which the caller reads.
    ///
    /// Where a range was asked for, the answer may still be the whole file (status 200): its
    /// announced length is then not held against `max_bytes`, the bytes read are.
    pub async fn get(&self, request: &GetRequest) -> Result<Response, FetchError> {
        let target = self.target(&request.url)?;
        let message = request.message();
        let mut tried = 0;
        loop {
            let following = self.follow(&target, &message, request);
            let outcome = timeout_at(request.deadline, following).await;
            let fault = match outcome {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(fault)) => fault,
                Err(_) => return Err(FetchError::Timeout { host: target.name() }),
            };
            tried += 1;
            tracing::debug!(url = public_text(&request.url), tried, %fault, "fetch failed");
            if !fault.is_transient() || tried >= MAX_TRIES {
                return Err(fault);
            }
            let wait = match &fault {
                FetchError::Status { retry_after: Some(wait), .. } => *wait,
                _ => self.pause(tried),
            };
            if request.deadline.saturating_duration_since(Instant::now()) <= wait {
                return Err(fault);
            }
            sleep(wait).await;
        }
    }

    async fn follow(
        &self,
        first: &Target,
        message: &Message,
        request: &GetRequest,
    ) -> Result<Response, FetchError> {
        let mut target = first.clone();
        for hop in 0..=MAX_REDIRECTS {
            let answer = self.send(&target, message).await;
            // Where the first hop is refused the URL is to blame, later the one that led there.
            let answer = answer.map_err(|fault| match fault {
                FetchError::NotPublic { .. } if hop > 0 => {
                    FetchError::Redirect { from: first.name(), cause: Box::new(fault) }
                }
                other => other,
            })?;
            if let Some(encoding) = foreign_encoding(&answer.head) {
                return Err(FetchError::Encoded { host: target.name(), encoding });
            }
            let Some(location) = redirect(&answer.head) else {
                return self.accept(&target, answer, request);
            };
            let wrap = |cause| FetchError::Redirect { from: target.name(), cause: Box::new(cause) };
            let next = target.url.join(&location);
            let next = next.map_err(|e| wrap(FetchError::BadUrl(e.to_string())))?;
            target = self.admit(next).map_err(wrap)?;
        }
        Err(FetchError::TooManyRedirects)
    }

    fn accept(
        &self,
        target: &Target,
        answer: Answer,
        request: &GetRequest,
    ) -> Result<Response, FetchError> {
        let Answer { head, body, connection } = answer;
        let status = head.status.as_u16();
        if !matches!(status, 200 | 203 | 206) {
            let retry_after = self.wait_asked(&head);
            return Err(FetchError::Status { host: target.name(), status, retry_after });
        }
        let body = Body::new(body, connection, target.name(), request.max_bytes, request.deadline);
        let content_length = body.announced();
        let total = match status {
            206 => part(&head, request.range, target)?,
            _ => content_length,
        };
        let unasked_whole = status != 206 && request.range.is_some();
        if let Some(length) = content_length
            && length > request.max_bytes
            && !unasked_whole
        {
            let announced = Some(length);
            return Err(FetchError::TooLarge { max_bytes: request.max_bytes, announced });
        }
        Ok(Response {
            status,
            content_length,
            total,
            content_type: text(&head, &CONTENT_TYPE),
            accepts_ranges: status == 206
                || text(&head, &ACCEPT_RANGES).is_some_and(|text| text.trim() == "bytes"),
            body,
        })
    }
}

/// Where a redirect leads; nothing where the answer is none, or names no place.
fn redirect(head: &http::response::Parts) -> Option<String> {
    if !matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // Locations with bytes beyond ASCII occur; `Url::join` encodes them.
    Some(String::from_utf8_lossy(head.headers.get(LOCATION)?.as_bytes()).into_owned())
}

/// The size of the whole file according to a 206, which must be a part that was asked for.
fn part(
    head: &http::response::Parts,
    asked: Option<ByteRange>,
    target: &Target,
) -> Result<Option<u64>, FetchError> {
    let wrong = || garbled(target.name(), "it sent another part of the file than was asked for");
    let line = text(head, &CONTENT_RANGE).ok_or_else(wrong)?;
    let (range, total) =
        line.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let start: u64 =
        range.split_once('-').and_then(|(start, _)| start.parse().ok()).ok_or_else(wrong)?;
    let total: Option<u64> = total.parse().ok();
    let expected = match asked.ok_or_else(wrong)? {
        ByteRange::From(first) | ByteRange::Between(first, _) => Some(first),
        ByteRange::Last(count) => total.map(|total| total.saturating_sub(count)),
    };
    match expected {
        Some(expected) if expected != start => Err(wrong()),
        _ => Ok(total),
    }
}
