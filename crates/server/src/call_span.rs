//! The span of a call, where spans are recorded.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use domain::RequestId;
use http::{HeaderName, HeaderValue};
use telemetry::Method;
use telemetry::spans::Span;

use crate::app::App;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The part of a route's template that stands for a request's id.
const ID_PART: &str = "{request_id}";

/// Left with the answer by a call that made a request: the request's id.
#[derive(Debug, Clone)]
pub(crate) struct Subject(pub(crate) String);

/// A call under way.
#[derive(Debug)]
pub(crate) struct CallSpan {
    span: Span,
    /// The request that the path names.
    request: Option<RequestId>,
}

// === impl CallSpan ===

impl CallSpan {
    /// Begins the span, as a part of what `traceparent` names.
    pub(crate) fn begin(
        app: &App,
        method: Method,
        route: Option<&MatchedPath>,
        request: &Request,
    ) -> Self {
        let route = route.map(MatchedPath::as_str);
        let parent = || request.headers().get(TRACEPARENT)?.to_str().ok();
        let span = app.parts().spans.call(method, route, parent);
        // The path is looked at for those alone who want to see it.
        let named = span.is_recorded().then(|| named(route?, request.uri().path()));
        Self { span, request: named.flatten() }
    }

    /// Ends it with the head of the answer; `call` is the call's own id.
    pub(crate) fn end(self, response: &Response, call: &HeaderValue) {
        if !self.span.is_recorded() {
            return;
        }
        let made = response.extensions().get::<Subject>().map(|subject| subject.0.as_str());
        let request = made.or(self.request.as_ref().map(RequestId::as_str));
        let call = call.to_str().unwrap_or("-");
        self.span.answered(response.status().as_u16(), call, request);
    }
}

/// The request's id in a path of this route, if it is one.
fn named(route: &str, path: &str) -> Option<RequestId> {
    let at = route.split('/').position(|part| part == ID_PART)?;
    path.split('/').nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_as_an_id_is_taken_from_a_path() {
        let id = RequestId::new(domain::Timestamp(0), &testkit::SeededRng::new(1));
        let path = wire::path::status(id.as_str());
        assert_eq!(named(wire::path::STATUS, &path), Some(id.clone()));
        assert_eq!(named(wire::path::STATUS, &wire::path::status("secret")), None);
        assert_eq!(named(wire::path::FILE, &path), None);
    }
}
