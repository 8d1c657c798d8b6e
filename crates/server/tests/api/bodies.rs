//! Bodies that cannot be read: each fault has its own clear error.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use server::Config;

use crate::support::{Fixture, KLING, Reply, Setup, kling};

async fn send(server: &Fixture, content_type: Option<&str>, body: impl Into<Body>) -> Reply {
    let mut request = server.request(Method::POST, KLING);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    server.send(request.body(body.into()).unwrap()).await
}

async fn with(config: Config) -> Fixture {
    Fixture::with(Setup { config, ..Setup::default() }).await
}

/// A body without a length.
fn chunked(parts: Vec<Vec<u8>>) -> Body {
    let parts = parts.into_iter().map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
    Body::from_stream(stream::iter(parts))
}

#[tokio::test]
async fn malformed_json_is_told_where() {
    let server = Fixture::new().await;
    let reply =
        send(&server, Some("application/json"), "{\"prompt\": \"x\",\n \"video_url\" 1}").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 400000,
      "error_message": "the body is not valid JSON: expected `:` at line 2 column 14"
    }
    "#);
    let empty = send(&server, Some("application/json"), "").await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    assert!(empty.text().contains("the body is empty"), "{}", empty.text());
    let deep = send(&server, None, "[".repeat(100_000)).await;
    assert_eq!(deep.status, StatusCode::BAD_REQUEST);
    assert!(deep.text().contains("recursion limit"), "{}", deep.text());
}

#[tokio::test]
async fn json_by_another_name_or_by_none_is_taken() {
    let server = Fixture::new().await;
    for content_type in
        [None, Some("application/json; charset=utf-8"), Some("application/problem+json")]
    {
        let reply = send(&server, content_type, kling().to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{content_type:?}");
    }
}

#[tokio::test]
async fn another_content_type_is_told_what_to_send() {
    let server = Fixture::new().await;
    let form = "application/x-www-form-urlencoded";
    let reply = send(&server, Some(form), kling().to_string()).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 415001,
      "error_message": "the content type `application/x-www-form-urlencoded` is not read here, send JSON with `Content-Type: application/json`"
    }
    "#);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
    let server = with(Config { max_body_bytes: 70_000, ..Config::default() }).await;
    let padded = |len: usize| {
        let mut body = kling().to_string().into_bytes();
        body.resize(len, b' ');
        body
    };
    let halves = |body: Vec<u8>| chunked(body.chunks(40_000).map(<[u8]>::to_vec).collect());
    assert_eq!(send(&server, None, padded(70_000)).await.status, StatusCode::OK);
    assert_eq!(send(&server, None, halves(padded(70_000))).await.status, StatusCode::OK);
    for body in [Body::from(padded(70_001)), halves(padded(70_001))] {
        let reply = send(&server, None, body).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(reply.json()["error_code"], 413_001);
    }
}

#[tokio::test]
async fn as_shipped_64_mib_are_taken_and_66_are_not() {
    let server = Fixture::new().await;
    let mut body = kling().to_string().into_bytes();
    body.resize(64 << 20, b' ');
    assert_eq!(send(&server, None, body.clone()).await.status, StatusCode::OK);
    body.resize(66 << 20, b' ');
    let reply = send(&server, None, body).await;
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 413001,
      "error_message": "the body is over the limit of 65 MiB"
    }
    "#);
}

#[tokio::test]
async fn a_body_that_stops_is_given_up() {
    let server = with(Config { body_idle: Duration::from_millis(5), ..Config::default() }).await;
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
    let body = Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()));
    let reply = send(&server, None, body).await;
    assert_eq!(reply.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(reply.json()["error_code"], 408_001);
}

#[tokio::test]
async fn when_the_memory_for_bodies_is_used_up_others_are_asked_to_come_back() {
    let config = Config {
        max_bytes_in_flight: 1000,
        body_wait: Duration::from_millis(5),
        ..Config::default()
    };
    let server = with(config).await;
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let rest = async move {
        receiver.await.ok();
        Ok::<_, std::io::Error>(Bytes::from(kling().to_string()))
    };
    let slow = send(&server, None, Body::from_stream(stream::once(rest)));
    let refused = async {
        // The slow one has taken all there is: it was polled first.
        let reply = send(&server, None, kling().to_string()).await;
        sender.send(()).unwrap();
        reply
    };
    let (slow, refused) = tokio::join!(biased; slow, refused);
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["error_code"], 503_001);
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(slow.status, StatusCode::OK);
    assert_eq!(send(&server, None, kling().to_string()).await.status, StatusCode::OK);
}
