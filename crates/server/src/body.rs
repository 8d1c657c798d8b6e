//! Reading bodies, within limits of size, time and of all of them together.
//!
//! Invariant: the bytes of all bodies in memory never exceed [`Budget`]'s total. A share is taken
//! before the bytes are read and given back when the [`Collected`] (or [`Reserved`]) is dropped.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use wire::ErrorCode;

use crate::refusal::Refusal;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is over the limit of {}", binary(*limit))]
    TooLarge { limit: u64 },
    #[error("the body did not arrive in time, send it again over a faster connection")]
    TooSlow,
    #[error("the body ended early: {0}")]
    Broken(String),
    #[error("the server is busy with other large bodies, send the request again")]
    Busy,
}

/// How many bytes may be in memory.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: Arc<Semaphore>,
    total: u32,
    wait: Duration,
}

/// A share of the budget.
#[derive(Debug)]
pub(crate) struct Reserved(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Limits of one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: u64,
    pub(crate) idle: Duration,
    pub(crate) total: Duration,
}

/// A whole body, with its share of the budget.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) bytes: Bytes,
    pub(crate) reserved: Vec<Reserved>,
}

/// A body on its way in, cut at its limits.
pub(crate) struct Inflow {
    body: BodyDataStream,
    limits: Limits,
    left: u64,
    deadline: Instant,
}

/// A body of unknown length takes this share first, and all that is allowed when it has more.
const FIRST_SHARE: u32 = 64 << 10;

fn binary(bytes: u64) -> String {
    if bytes < 1 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) }
}

// === impl Budget ===

impl Budget {
    pub(crate) fn new(total: u32, wait: Duration) -> Self {
        Self { bytes: Arc::new(Semaphore::new(total as usize)), total, wait }
    }

    /// Waits a bounded time for a share of `bytes`.
    pub(crate) async fn reserve(&self, bytes: u32) -> Result<Reserved, BodyError> {
        let share = Arc::clone(&self.bytes).acquire_many_owned(bytes.min(self.total));
        match timeout(self.wait, share).await {
            Ok(Ok(permit)) => Ok(Reserved(permit)),
            Ok(Err(_)) | Err(_) => Err(BodyError::Busy),
        }
    }
}

// === impl Inflow ===

impl Inflow {
    /// Refuses a body that says itself that it is too long; reads nothing yet.
    pub(crate) fn new(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Self, BodyError> {
        if declared(headers).is_some_and(|length| length > limits.bytes) {
            return Err(BodyError::TooLarge { limit: limits.bytes });
        }
        let deadline = Instant::now() + limits.total;
        Ok(Self { body: body.into_data_stream(), limits, left: limits.bytes, deadline })
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let until = self.deadline.min(Instant::now() + self.limits.idle);
        let next = timeout_at(until, self.body.next()).await.map_err(|_| BodyError::TooSlow)?;
        let Some(part) = next else { return Ok(None) };
        let part = part.map_err(|error| BodyError::Broken(error.to_string()))?;
        let over = BodyError::TooLarge { limit: self.limits.bytes };
        self.left = self.left.checked_sub(part.len() as u64).ok_or(over)?;
        Ok(Some(part))
    }

    /// The same as a stream, which ends after an error.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
        let parts = stream::unfold(Some(self), |inflow| async {
            let mut inflow = inflow?;
            match inflow.next().await {
                Ok(None) => None,
                Ok(Some(part)) => Some((Ok(part), Some(inflow))),
                Err(error) => Some((Err(error), None)),
            }
        });
        parts.fuse()
    }
}

/// Reads a whole body into memory.
pub(crate) async fn collect(
    budget: &Budget,
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
) -> Result<Collected, BodyError> {
    let mut inflow = Inflow::new(headers, body, limits)?;
    let most = limits.bytes as u32;
    let mut share = declared(headers).map_or(FIRST_SHARE.min(most), |length| length as u32);
    let mut reserved = vec![budget.reserve(share).await?];
    let mut bytes = BytesMut::with_capacity(share as usize);
    while let Some(part) = inflow.next().await? {
        if bytes.len() + part.len() > share as usize {
            reserved.push(budget.reserve(most - share).await?);
            share = most;
        }
        bytes.extend_from_slice(&part);
    }
    Ok(Collected { bytes: bytes.freeze(), reserved })
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge { .. } => ErrorCode::TooLarge,
            BodyError::TooSlow => ErrorCode::Timeout,
            BodyError::Broken(_) => ErrorCode::Malformed,
            BodyError::Busy => ErrorCode::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { bytes: 200_000, idle: Duration::from_mins(1), total: Duration::from_mins(1) };

    fn chunked(parts: &'static [usize]) -> Body {
        let part = |len: &usize| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; *len]));
        Body::from_stream(stream::iter(parts.iter().map(part)))
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_cut_at_the_limit() {
        let budget = Budget::new(1 << 20, Duration::ZERO);
        let whole = collect(&budget, &HeaderMap::new(), chunked(&[100_000; 2]), LIMITS).await;
        assert_eq!(whole.unwrap().bytes.len(), 200_000);
        let over =
            collect(&budget, &HeaderMap::new(), chunked(&[100_000, 100_000, 1]), LIMITS).await;
        assert!(matches!(over, Err(BodyError::TooLarge { limit: 200_000 })));
    }

    #[tokio::test]
    async fn all_bodies_together_stay_within_the_budget() {
        let budget = Budget::new(250_000, Duration::ZERO);
        let first = collect(&budget, &HeaderMap::new(), chunked(&[100_000]), LIMITS).await.unwrap();
        let small = collect(&budget, &HeaderMap::new(), chunked(&[10]), LIMITS).await;
        assert!(matches!(small, Err(BodyError::Busy)));
        drop(first);
        assert!(collect(&budget, &HeaderMap::new(), chunked(&[10]), LIMITS).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_stops_is_given_up() {
        let budget = Budget::new(1 << 20, Duration::ZERO);
        let limits = Limits { idle: Duration::from_millis(1), ..LIMITS };
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let read = collect(&budget, &HeaderMap::new(), silent, limits).await;
        assert!(matches!(read, Err(BodyError::TooSlow)));
    }
}
