//! Hosts that do not keep to HTTP.

use egress::FetchError;
use testkit::Reply;

use crate::support::{World, ask};

const URL: &str = "https://media.test/a";

async fn fault_of(reply: Reply) -> FetchError {
    let world = World::new();
    world.on("/a", reply);
    world.fault(&ask(URL)).await
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_file() {
    match fault_of(Reply::ok(vec![7; 100_000]).cut_after(60_000)).await {
        FetchError::Truncated { received, .. } => assert_eq!(received, 60_000),
        other => panic!("{other}"),
    }
    let fault = fault_of(Reply::ok(vec![7; 100_000]).chunked().cut_after(60_000)).await;
    assert!(matches!(fault, FetchError::Truncated { .. }), "{fault}");
}

#[tokio::test]
async fn chunks_that_are_none_are_garbled() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for chunk in ["zz\r\nabc", "5\r\nabcdefgh\r\n", "fffffffffffffffff\r\n", "-1\r\n"] {
        let fault = fault_of(Reply::raw(format!("{head}{chunk}"))).await;
        assert!(matches!(fault, FetchError::Garbled { .. }), "{chunk:?}: {fault:?}");
    }
}

#[tokio::test]
async fn answers_that_are_no_http_are_garbled() {
    for text in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
    ] {
        let fault = fault_of(Reply::raw(text)).await;
        assert!(matches!(fault, FetchError::Garbled { .. }), "{text:?}: {fault:?}");
    }
}

#[tokio::test]
async fn endless_headers_are_refused() {
    let many = "x: y\r\n".repeat(200);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let fault = fault_of(Reply::raw(format!("HTTP/1.1 200 OK\r\n{headers}\r\n"))).await;
        assert!(matches!(fault, FetchError::Garbled { .. }), "{fault}");
    }
}

#[tokio::test]
async fn compressed_answers_are_refused() {
    let fault = fault_of(Reply::ok("x").header("content-encoding", "gzip")).await;
    assert!(matches!(&fault, FetchError::Encoded { encoding, .. } if encoding == "gzip"));
    let world = World::new();
    world.on("/a", Reply::ok("x").header("content-encoding", "identity"));
    assert!(world.get(URL).await.is_ok());
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_a_failed_connection() {
    let fault = fault_of(Reply::raw("")).await;
    assert!(matches!(fault, FetchError::Connect { .. }), "{fault}");
}
