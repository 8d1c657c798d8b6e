//! One attempt to deliver one message.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use domain::webhook::{self, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSecret};
use domain::{OwnerId, Timestamp};
use egress::{FetchError, PostReply, PostRequest};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Uri};
use store::StoreError;
use store::outbox::{Attempted, Delivery};
use telemetry::WebhookAttempt;
use telemetry::spans::{Attempting, DeliveryEnd, Span};
use tokio::time::Instant;

use super::DeliverParts;

/// How long a receiver may take to answer, from the look for its address on.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What there is to post.
enum Letter {
    Post(PostRequest),
    /// Its request is gone, or has gone on to its end.
    OutOfDate,
    /// It cannot be written.
    Unwritable(String),
}

/// Makes the attempt and writes down how it ended. If that fails, the attempt counts as lost once
/// its lease is over, and another one is made.
pub(super) async fn make(parts: &DeliverParts, delivery: &Delivery) {
    let span = parts.spans.delivery(Attempting {
        delivery: &delivery.id,
        request: &delivery.request,
        event: delivery.event,
        attempt: delivery.attempts,
    });
    let letter = match letter(parts, delivery).await {
        Ok(letter) => letter,
        Err(error) => return tracing::error!(%error, "a message could not be read"),
    };
    let outcome = match letter {
        Letter::Post(request) => judge(parts, delivery, parts.client.post(&request).await),
        Letter::OutOfDate => Attempted::Superseded,
        Letter::Unwritable(error) => failed(parts, delivery, None, error, None),
    };
    tell(parts, delivery, &outcome);
    end(span, &outcome);
    let now = parts.clock.now();
    match parts.store.settle_delivery(&delivery.id, delivery.attempts, outcome, now).await {
        Ok(()) => {}
        Err(StoreError::Fenced) => tracing::info!("another attempt was begun, or it is gone"),
        Err(error) => tracing::error!(%error, "not written down; it will be sent again"),
    }
}

/// Writes and signs the message as it stands now.
async fn letter(parts: &DeliverParts, delivery: &Delivery) -> Result<Letter, StoreError> {
    let Some(row) = parts.store.request(&delivery.request).await? else {
        return Ok(Letter::OutOfDate);
    };
    let Some(hook) = &row.body.webhook else { return Ok(Letter::OutOfDate) };
    if row.state.is_terminal() && !delivery.event.is_terminal() {
        return Ok(Letter::OutOfDate);
    }
    let now = parts.clock.now();
    let secrets = secrets(parts, &delivery.owner, now).await?;
    if secrets.is_empty() {
        let error = "this server has no secret left that it could sign with; rotate the secret";
        return Ok(Letter::Unwritable(error.into()));
    }
    let render = || parts.render.payload(&row, delivery.event, &hook.base);
    // One that broke off every time would else be tried for ever.
    let Ok(body) = catch_unwind(AssertUnwindSafe(render)).map(Bytes::from) else {
        return Ok(Letter::Unwritable("a fault of this server: see its log".into()));
    };
    let signature = webhook::sign(&secrets, &delivery.id, now, &body);
    let seconds = now.unix_secs().to_string();
    let signed =
        [(ID_HEADER, &delivery.id), (TIMESTAMP_HEADER, &seconds), (SIGNATURE_HEADER, &signature)];
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    for (name, value) in signed {
        let Ok(value) = HeaderValue::from_str(value) else {
            return Ok(Letter::Unwritable(format!("`{name}` is not text that can be sent")));
        };
        headers.push((HeaderName::from_static(name), value));
    }
    let deadline = Instant::now() + ANSWER_LIMIT;
    Ok(Letter::Post(PostRequest { url: delivery.url.clone(), headers, body, deadline }))
}

/// Those that sign for the owner now. One that does not read as a secret is left out: the others
/// still sign.
async fn secrets(
    parts: &DeliverParts,
    owner: &OwnerId,
    now: Timestamp,
) -> Result<Vec<WebhookSecret>, StoreError> {
    let fresh = WebhookSecret::new(parts.rng.as_ref()).expose();
    let texts = parts.store.secrets(owner, &fresh, now).await?;
    let secret = |text: &String| match WebhookSecret::parse(text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            tracing::error!(%owner, %error, "a webhook secret cannot be used");
            None
        }
    };
    Ok(texts.iter().filter_map(secret).collect())
}

/// What the receiver's answer, or the lack of one, means for the message.
fn judge(
    parts: &DeliverParts,
    delivery: &Delivery,
    answer: Result<PostReply, FetchError>,
) -> Attempted {
    let PostReply { status, retry_after, body_start } = match answer {
        Ok(reply) => reply,
        Err(error) => return failed(parts, delivery, None, error.to_string(), None),
    };
    let error = match status {
        200..=299 => return Attempted::Delivered { status },
        410 => return Attempted::Gone,
        300..=399 => format!(
            "the receiver answered HTTP {status}, a redirect, and redirects of webhooks are not \
             followed; give the final URL"
        ),
        _ if body_start.is_empty() => format!("the receiver answered HTTP {status}"),
        _ => format!("the receiver answered HTTP {status}: `{body_start}`"),
    };
    failed(parts, delivery, Some(status), error, retry_after)
}

fn failed(
    parts: &DeliverParts,
    delivery: &Delivery,
    status: Option<u16>,
    error: String,
    retry_after: Option<Duration>,
) -> Attempted {
    let again = webhook::next_attempt(
        delivery.attempts,
        delivery.opened_at,
        parts.clock.now(),
        retry_after,
        parts.rng.as_ref(),
    );
    Attempted::Failed { status, error, again }
}

/// Ends the span of an attempt that ended so.
fn end(span: Span, outcome: &Attempted) {
    span.attempted(match *outcome {
        Attempted::Delivered { status } => DeliveryEnd::Delivered { status },
        Attempted::Failed { status, .. } => DeliveryEnd::Failed { status },
        Attempted::Gone => DeliveryEnd::Gone,
        Attempted::Superseded => DeliveryEnd::Superseded,
    });
}

/// Counts the attempt and logs it: the host alone, for the rest of a webhook's URL is often secret,
/// and nothing that the receiver wrote.
fn tell(parts: &DeliverParts, delivery: &Delivery, outcome: &Attempted) {
    let uri = delivery.url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or("?");
    let (request, event) = (&delivery.request, delivery.event.as_str());
    match outcome {
        Attempted::Delivered { status } => {
            let millis = parts.clock.now().millis_since(delivery.opened_at).max(0) as u64;
            let lag = Duration::from_millis(millis);
            parts.metrics.webhook(WebhookAttempt::Delivered { lag });
            tracing::info!(%request, event, host, status, "delivered");
        }
        Attempted::Failed { status, error, again } => {
            parts.metrics.webhook(WebhookAttempt::Failed);
            let error = if status.is_some() { "" } else { error.as_str() };
            let again = again.map_or_else(|| "never".to_owned(), |at| at.to_string());
            tracing::warn!(%request, event, host, status, error, again, "not delivered");
        }
        Attempted::Gone => {
            parts.metrics.webhook(WebhookAttempt::Gone);
            tracing::warn!(%request, event, host, status = 410, "the receiver is gone");
        }
        Attempted::Superseded => tracing::info!(%request, event, "out of date; not sent"),
    }
}
