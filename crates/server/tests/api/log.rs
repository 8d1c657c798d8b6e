//! What a call leaves in the log.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Method;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{Fixture, bare};

/// Keeps the fields of every event of this program as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("server")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(format!("{} ", event.metadata().level()));
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0.trim_end().to_owned());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_call_is_one_line_without_path_query_or_key() {
    let (lines, server) = (Lines::default(), Fixture::new().await);
    // Asked for now, its call is not among the lines.
    server.document().await;
    let _guard = tracing::subscriber::set_default(lines.clone());
    let path = "/v1/requests/req_secret/status?token=secret";
    let request = server.request(Method::GET, path).header("x-request-id", "abc");
    server.send(request.body(Body::empty()).unwrap()).await;
    let request = bare(Method::GET, "/elsewhere/secret").header("x-request-id", "abc");
    server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        *lines.0.lock().unwrap(),
        [
            r#"INFO message=call method="GET" route="/v1/requests/{request_id}/status" status=404 ms=0 request_id="abc""#,
            r#"INFO message=call method="GET" route="-" status=404 ms=0 request_id="abc""#,
        ]
    );
}
