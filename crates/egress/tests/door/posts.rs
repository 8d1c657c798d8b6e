//! What is posted, where to, and how the answer is read.

use std::time::Duration;

use egress::{FetchError, Options, PostReply, PostRequest};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use testkit::{MediaHost, Reply};
use tokio::time::Instant;

use crate::support::{World, post};

const URL: &str = "https://media.test/hook?team=7";

async fn reply_to(reply: Reply) -> PostReply {
    let world = World::new();
    world.on("/hook", reply);
    world.client.post(&post(URL)).await.unwrap()
}

fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

#[tokio::test]
async fn a_message_arrives_as_it_was_given() {
    let world = World::new();
    world.on("/hook", Reply::status(204));
    let headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        header("webhook-id", "msg_1"),
        header("webhook-signature", "v1,a v1,b"),
    ];
    let request = PostRequest { headers, body: r#"{"a": "ä"}"#.into(), ..post(URL) };
    assert_eq!(world.client.post(&request).await.unwrap().status, 204);
    let sent = world.host.requests().remove(0);
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/hook"));
    assert_eq!(sent.query.as_deref(), Some("team=7"));
    assert_eq!(sent.body, r#"{"a": "ä"}"#);
    for (name, value) in [
        ("host", "media.test"),
        ("content-type", "application/json"),
        ("content-length", "11"),
        ("webhook-id", "msg_1"),
        ("webhook-signature", "v1,a v1,b"),
        ("connection", "close"),
    ] {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
    assert!(sent.header("user-agent").unwrap().starts_with("reshoot/"));
}

#[tokio::test]
async fn a_caller_cannot_change_the_frame_of_a_message() {
    let world = World::new();
    world.on("/hook", Reply::status(200));
    let headers = vec![
        header("host", "inside.test"),
        header("content-length", "1"),
        header("transfer-encoding", "chunked"),
        header("connection", "upgrade"),
        header("upgrade", "h2c"),
        header("expect", "100-continue"),
    ];
    world.client.post(&PostRequest { headers, body: "four".into(), ..post(URL) }).await.unwrap();
    let sent = world.host.requests().remove(0);
    for (name, value) in [("host", "media.test"), ("content-length", "4"), ("connection", "close")]
    {
        let all: Vec<_> = sent.headers.iter().filter(|(found, _)| found == name).collect();
        assert_eq!(all, [&(name.to_owned(), value.to_owned())]);
    }
    for name in ["transfer-encoding", "upgrade", "expect"] {
        assert_eq!(sent.header(name), None, "{name}");
    }
    assert_eq!(sent.body, "four");
}

#[tokio::test]
async fn an_empty_message_has_a_length_too() {
    let world = World::new();
    world.on("/hook", Reply::status(200));
    world.client.post(&PostRequest { body: "".into(), ..post(URL) }).await.unwrap();
    assert_eq!(world.host.requests()[0].header("content-length"), Some("0"));
}

#[tokio::test]
async fn any_status_is_an_answer_and_nothing_is_sent_twice() {
    for status in [200, 202, 204, 304, 400, 401, 404, 408, 410, 429, 500, 502, 503, 599] {
        let world = World::new();
        world.on("/hook", Reply::status(status));
        assert_eq!(world.client.post(&post(URL)).await.unwrap().status, status);
        assert_eq!(world.host.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let world = World::new();
        world.on("/hook", Reply::redirect(status, "/b")).on("/b", Reply::status(200));
        assert_eq!(world.client.post(&post(URL)).await.unwrap().status, status);
        assert_eq!(world.host.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_told() {
    for (text, secs) in
        [("120", Some(120)), ("Thu, 01 Jan 2026 01:00:00 GMT", Some(3600)), ("soon", None)]
    {
        let reply = reply_to(Reply::status(429).header("retry-after", text)).await;
        assert_eq!(reply.retry_after, secs.map(Duration::from_secs), "{text}");
    }
    assert_eq!(reply_to(Reply::status(429)).await.retry_after, None);
}

#[tokio::test]
async fn the_start_of_an_answer_is_shown_without_control_characters() {
    let body = format!("no\r\n\u{1b}[31m such\0 hook: {}", "ä".repeat(300));
    let reply = reply_to(Reply::ok(body)).await;
    let expected: String =
        format!("no[31m such hook: {}", "ä".repeat(300)).chars().take(200).collect();
    assert_eq!(reply.body_start, expected);
    assert_eq!(reply_to(Reply::ok("")).await.body_start, "");
    assert_eq!(reply_to(Reply::ok(vec![b'a', 0xFF, b'b'])).await.body_start, "a\u{FFFD}b");
}

/// The socket buffers of the host and the client hold some of what was sent and not read.
#[tokio::test]
async fn little_of_a_long_answer_is_read() {
    const BODY_BYTES: usize = 64 << 20;
    for reply in [Reply::ok(vec![b'x'; BODY_BYTES]), Reply::ok(vec![b'x'; BODY_BYTES]).chunked()] {
        let world = World::new();
        world.on("/hook", reply);
        let reply = world.client.post(&post(URL)).await.unwrap();
        assert_eq!(reply.body_start, "x".repeat(200));
        assert!(world.host.sent("/hook") < BODY_BYTES as u64 / 2);
    }
    let hidden = format!("{}seen", "\n".repeat(4096));
    assert_eq!(reply_to(Reply::ok(hidden)).await.body_start, "");
}

#[tokio::test]
async fn a_status_counts_whatever_becomes_of_its_body() {
    for reply in [
        Reply::ok("received").cut_after(4),
        Reply::ok("received").chunked().cut_after(4),
        Reply::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nrece\r\nzz\r\n"),
    ] {
        let reply = reply_to(reply).await;
        assert_eq!((reply.status, reply.body_start.as_str()), (200, "rece"));
    }
    let packed = reply_to(Reply::ok("\u{1f}\u{8b}xyz").header("content-encoding", "gzip")).await;
    assert_eq!((packed.status, packed.body_start.as_str()), (200, ""));
}

#[tokio::test]
async fn a_body_that_stalls_ends_at_the_deadline_and_keeps_its_status() {
    let world = World::new();
    world.on("/hook", Reply::ok("received").stall_after(4));
    let deadline = Instant::now() + Duration::from_secs(2);
    let reply = world.client.post(&PostRequest { deadline, ..post(URL) }).await.unwrap();
    assert_eq!((reply.status, reply.body_start.as_str()), (200, "rece"));
    assert!(Instant::now() >= deadline);
}

#[tokio::test]
async fn no_answer_within_the_deadline_is_a_timeout() {
    let world = World::new();
    world.on("/hook", Reply::hang());
    let deadline = Instant::now() + Duration::from_millis(200);
    let fault = world.client.post(&PostRequest { deadline, ..post(URL) }).await.unwrap_err();
    assert_eq!(fault, FetchError::Timeout { host: "media.test".to_owned() });
}

#[tokio::test]
async fn broken_connections_are_tried_once() {
    let world = World::new();
    world.on("/hook", Reply::raw(""));
    let fault = world.client.post(&post(URL)).await.unwrap_err();
    assert!(matches!(fault, FetchError::Connect { .. }), "{fault}");
    assert_eq!(world.host.requests().len(), 1);
    world.detour.refuse("93.184.216.34");
    let fault = world.client.post(&post(URL)).await.unwrap_err();
    assert!(matches!(fault, FetchError::Connect { .. }), "{fault}");
    assert_eq!(world.detour.dialled().len(), 2);
}

#[tokio::test]
async fn what_may_not_be_fetched_may_not_be_posted_to() {
    let world = World::new();
    world.names.set("inside.test", &[&["10.0.0.7"]]);
    world.names.set("mixed.test", &[&["93.184.216.34", "127.0.0.1"]]);
    for url in [
        "http://media.test/hook",
        "ftp://media.test/hook",
        "https://user:pw@media.test/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://0x7f.1/hook",
        "https://inside.test/hook",
        "https://mixed.test/hook",
        "https://unknown.test/hook",
        "hook",
    ] {
        let fault = world.client.post(&post(url)).await.unwrap_err();
        assert!(!matches!(fault, FetchError::Connect { .. }), "{url}: {fault}");
    }
    assert!(world.detour.dialled().is_empty() && world.host.requests().is_empty());
}

#[tokio::test]
async fn an_exempt_host_may_be_private_and_speak_http() {
    let host = MediaHost::http();
    let exempt = vec![format!("127.0.0.1:{}", host.port()).parse().unwrap()];
    let world = World::around(host, Options { exempt, ..Options::default() });
    world.on("/hook", Reply::status(200));
    let url = world.host.url("/hook");
    assert_eq!(world.client.post(&post(&url)).await.unwrap().status, 200);
    assert_eq!(world.client.admits(&url), Ok(()));
    let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
    assert!(matches!(world.client.post(&post(&elsewhere)).await, Err(FetchError::Scheme(_))));
}

#[tokio::test]
async fn a_url_is_judged_before_anything_is_asked() {
    let world = World::new();
    world.names.set("inside.test", &[&["10.0.0.7"]]);
    // What a name resolves to shows only when it is used.
    for url in [URL, "https://inside.test/", "https://unknown.test/", "https://1.1.1.1:8443/"] {
        assert_eq!(world.client.admits(url), Ok(()), "{url}");
    }
    let refusal = |url| world.client.admits(url).unwrap_err();
    assert!(matches!(refusal("media.test/hook"), FetchError::BadUrl(_)));
    assert_eq!(refusal("http://media.test/"), FetchError::Scheme("http".to_owned()));
    assert_eq!(refusal("https://user@media.test/"), FetchError::Credentials);
    for url in ["https://10.0.0.7/", "https://[fd00::1]/", "https://2130706433/"] {
        assert!(matches!(refusal(url), FetchError::NotPublic { .. }), "{url}");
    }
    assert!(world.names.asked().is_empty() && world.detour.dialled().is_empty());
}
