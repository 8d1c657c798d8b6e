//! One request, from its submit to its webhook, as a collector sees it.

use serde_json::json;
use testkit::{MediaHost, Reply};

use crate::collected::{Span, spans};
use crate::support::http::Call;
use crate::support::media::clip;
use crate::support::processes::until_or;
use crate::support::{ACME, Server};
use crate::{TAKES, home};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

// Of trace.proto.
const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
const CLIENT: u64 = 3;

/// A host with a clip, a receiver of webhooks and a collector.
fn host() -> MediaHost {
    let host = MediaHost::http();
    host.on("/secret-clip.mp4", Reply::ok(clip(256, 192, 24, 1.5)));
    host.on("/secret-hook", Reply::status(204));
    host.on(TAKES, Reply::ok(""));
    host
}

/// Submits as a client that is traced does; the request's id, and the call's.
fn submit(server: &Server, host: &MediaHost) -> (String, String) {
    let body =
        json!({"text": "a secret still of @Video1", "clips": [host.url("/secret-clip.mp4")]});
    let answer = server.caller().call(&Call {
        method: "POST",
        target: &format!("/v1/models/{ACME}?webhook={}", host.url("/secret-hook")),
        headers: &[("traceparent", &format!("00-{TRACE}-{PARENT}-01"))],
        body: body.to_string().as_bytes(),
    });
    let answer = answer.unwrap();
    let id = answer.expect(200)["request_id"].as_str().unwrap().to_owned();
    (id, answer.header("x-request-id").unwrap().to_owned())
}

/// The one span of this request with this name.
#[track_caller]
fn of<'a>(spans: &'a [Span], request: &str, name: &str) -> &'a Span {
    let mut found =
        spans.iter().filter(|span| span.name == name && span.of("reshoot.request_id") == request);
    let span = found.next().unwrap_or_else(|| panic!("no `{name}` of {request}: {spans:#?}"));
    assert!(found.next().is_none(), "more than one `{name}`");
    span
}

/// Neither inputs nor URLs, paths, hosts or keys.
#[track_caller]
fn holds_no_secrets(host: &MediaHost, key: &str) {
    let secrets = ["secret", key, &host.address().to_string()];
    for posted in host.requests_of(TAKES) {
        let text = String::from_utf8_lossy(&posted.body).into_owned();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_done_for_a_request_is_found_by_its_id() {
    let host = host();
    let variables = [
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        // Spans do not depend on what is logged.
        ("RESHOOT_LOG", "off"),
    ];
    let server = Server::start(home(&host, &variables));
    let (id, call) = submit(&server, &host);
    server.succeeded(&id);
    let record = format!("/v1/requests/{id}");
    server.get(&record).expect(200);
    until_or(
        || "a webhook".to_owned(),
        || (!host.requests_of("/secret-hook").is_empty()).then_some(()),
    );
    let key = server.key.clone();
    // What is left is sent at the end.
    let (_, _, status, log) = server.terminate();
    assert_eq!((status.code(), log.as_str()), (Some(0), ""));

    let spans = spans(&host);
    let route = "/v1/models/{*model_id}";
    let submitted = of(&spans, &id, &format!("POST {route}"));
    assert_eq!((submitted.trace.as_str(), submitted.parent.as_str()), (TRACE, PARENT));
    assert_eq!((submitted.kind, submitted.failed), (SERVER, false));
    assert_eq!(submitted.of("http.request.method"), "POST");
    assert_eq!(submitted.of("http.route"), route);
    assert_eq!(submitted.of("http.response.status_code"), "200");
    assert_eq!(submitted.of("reshoot.call_id"), call);

    let read = of(&spans, &id, "GET /v1/requests/{request_id}");
    assert_ne!(read.trace, TRACE, "nobody said that it belongs to that trace");

    for (stage, engine) in [("intake", ""), ("run", "roto")] {
        let span = of(&spans, &id, stage);
        assert_eq!((span.kind, span.failed), (INTERNAL, false));
        assert!(span.nanos > 0);
        assert_eq!(span.of("reshoot.model"), ACME);
        assert_eq!(span.of("reshoot.engine"), engine);
        assert_eq!(span.of("reshoot.outcome"), "done");
        assert!(span.of("reshoot.epoch").parse::<u32>().unwrap() > 0);
    }

    let told = of(&spans, &id, "webhook");
    assert_eq!((told.kind, told.failed), (CLIENT, false));
    assert_eq!(told.of("reshoot.event"), "succeeded");
    assert_eq!((told.of("reshoot.attempt"), told.of("reshoot.outcome")), ("1", "delivered"));
    assert_eq!(told.of("http.response.status_code"), "204");
    let message = &host.requests_of("/secret-hook")[0];
    assert_eq!(Some(told.of("reshoot.delivery_id")), message.header("webhook-id"));

    for span in &spans {
        assert_eq!(span.resource["service.name"], "reshoot");
        assert_eq!(span.resource["deployment.environment.name"], "test");
    }
    holds_no_secrets(&host, &key);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_marked_and_a_wrong_call_is_not() {
    let host = host();
    host.on("/secret-clip.mp4", Reply::status(404));
    host.on("/secret-hook", Reply::status(410));
    let server = Server::start(home(&host, &[("OTEL_SERVICE_NAME", "clips")]));
    let (id, _) = submit(&server, &host);
    assert_eq!(server.finished(&id)["status"], "failed");
    server.get("/v1/requests/secret/status").expect(404);
    until_or(
        || "a webhook".to_owned(),
        || (!host.requests_of("/secret-hook").is_empty()).then_some(()),
    );
    server.get("/secret?secret=1").expect(404);
    let key = server.key.clone();
    let (_, _, status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");

    holds_no_secrets(&host, &key);
    let spans = spans(&host);
    let intake = of(&spans, &id, "intake");
    assert_eq!((intake.of("reshoot.outcome"), intake.failed), ("failed", true));
    assert_eq!(intake.of("error.type"), "input_invalid");
    let told = of(&spans, &id, "webhook");
    assert_eq!((told.of("reshoot.outcome"), told.failed), ("gone", true));
    let mut wrong: Vec<&Span> =
        spans.iter().filter(|span| span.of("http.response.status_code") == "404").collect();
    wrong.sort_by_key(|span| &span.name);
    let names: Vec<_> = wrong.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET", "GET /v1/requests/{request_id}/status"]);
    assert!(wrong.iter().all(|span| span.of("reshoot.request_id").is_empty() && !span.failed));
    assert!(spans.iter().all(|span| span.resource["service.name"] == "clips"));
}
