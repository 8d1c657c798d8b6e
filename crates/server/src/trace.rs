//! Around every call: its id, its line in the log, and a net for panics.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use wire::path;

use crate::app::App;
use crate::call_span::CallSpan;
use crate::refusal::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the call, runs it, and logs one line: the route's template, never its path or query. The
/// files of the pages are told at a level that is off as shipped.
pub(crate) async fn trace(State(app): State<App>, request: Request, next: Next) -> Response {
    // Not the wall clock: that one may be set while the call runs.
    let (method, started) = (request.method().clone(), Instant::now());
    let method_word = telemetry::Method::of(method.as_str());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = sent_id(request.headers()).unwrap_or_else(|| {
        HeaderValue::try_from(app.call_id()).unwrap_or(HeaderValue::from_static("-"))
    });
    let span = CallSpan::begin(&app, method_word, route.as_ref(), &request);
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => Refusal::internal().into_response(),
    };
    let took = started.elapsed();
    let ms = took.as_millis() as u64;
    let metrics = &app.parts().metrics;
    metrics.http(
        route.as_ref().map(MatchedPath::as_str),
        method_word,
        response.status().as_u16(),
        took,
    );
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let status = response.status().as_u16();
    let request_id = id.to_str().unwrap_or("-");
    if route == path::ASSET {
        // A dozen of them make one page: nothing happens in them that somebody looks for.
        tracing::debug!(method = method.as_str(), route, status, ms, request_id, "call");
    } else {
        tracing::info!(method = method.as_str(), route, status, ms, request_id, "call");
    }
    span.end(&response, &id);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The client's own id, if it is short and plain.
fn sent_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    let sane = (1..=128).contains(&id.len()) && id.as_bytes().iter().all(plain);
    sane.then(|| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_ids_are_echoed() {
        let sent = |text: &str| {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            sent_id(&HeaderMap::from_iter([(REQUEST_ID, value)]))
        };
        assert_eq!(sent("a-1_b.C").unwrap(), "a-1_b.C");
        assert_eq!(sent(""), None);
        assert_eq!(sent("a b"), None);
        assert_eq!(sent("<script>"), None);
        assert_eq!(sent(&"a".repeat(129)), None);
    }
}
