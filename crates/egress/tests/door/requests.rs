//! What is sent, and how answers are read.

use egress::{ByteRange, FetchError, GetRequest, Options};
use testkit::Reply;

use crate::support::{World, ask, read};

#[tokio::test]
async fn requests_are_honest_and_plain() {
    let world = World::new();
    world.on("/a b.mp4", Reply::ok("")).on("/a%20b.mp4", Reply::ok("x"));
    read(world.get("https://media.test/a b.mp4?k=v&x=%2F#frag").await.unwrap()).await.unwrap();
    let request = world.host.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/a%20b.mp4"));
    assert_eq!(request.query.as_deref(), Some("k=v&x=%2F"));
    assert!(request.header("user-agent").unwrap().starts_with("reshoot/"));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("host"), Some("media.test"));
    for name in ["cookie", "authorization", "referer", "range", "proxy-authorization"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn the_operator_can_name_a_contact() {
    let contact = Some("https://clips.example.com".to_owned());
    let world = World::with(Options { contact, ..Options::default() });
    world.on("/a", Reply::ok("x"));
    read(world.get("https://media.test/a").await.unwrap()).await.unwrap();
    let agent = world.host.requests()[0].header("user-agent").unwrap().to_owned();
    assert!(agent.ends_with(" (+https://clips.example.com)"), "{agent}");
}

#[tokio::test]
async fn credentials_in_the_url_are_refused_unconnected() {
    let world = World::new();
    let fault = world.get("https://user:pw@media.test/a").await.err();
    assert_eq!(fault, Some(FetchError::Credentials));
    assert!(world.detour.dialled().is_empty());
}

#[tokio::test]
async fn texts_that_are_no_urls_are_refused() {
    let world = World::new();
    for text in ["", "a.mp4", "https://", "//media.test/a", "https://exa mple/", "javascript:0"] {
        let fault = world.get(text).await.err().unwrap();
        assert!(matches!(fault, FetchError::BadUrl(_) | FetchError::Scheme(_)), "{text}: {fault}");
    }
}

#[tokio::test]
async fn ranges_are_asked_for_and_checked() {
    let world = World::new();
    world.on("/a", Reply::ok("0123456789").ranges());
    for (range, header, expected) in [
        (ByteRange::From(7), "bytes=7-", "789"),
        (ByteRange::Between(2, 5), "bytes=2-4", "234"),
        (ByteRange::Last(4), "bytes=-4", "6789"),
    ] {
        let request = GetRequest { range: Some(range), ..ask("https://media.test/a") };
        let response = world.client.get(&request).await.unwrap();
        assert_eq!((response.status, response.total), (206, Some(10)));
        assert_eq!(read(response).await.unwrap(), expected.as_bytes());
        assert_eq!(world.host.requests().last().unwrap().range(), Some(header));
    }
    let beyond = GetRequest { range: Some(ByteRange::From(10)), ..ask("https://media.test/a") };
    assert_eq!(world.client.get(&beyond).await.err().unwrap().status(), Some(416));
}

#[tokio::test]
async fn a_host_without_ranges_answers_with_the_whole_file() {
    let world = World::new();
    world.on("/a", Reply::ok("0123456789").content_type("video/mp4"));
    let request =
        GetRequest { range: Some(ByteRange::Last(4)), max_bytes: 4, ..ask("https://media.test/a") };
    let response = world.client.get(&request).await.unwrap();
    assert_eq!((response.status, response.total, response.accepts_ranges), (200, Some(10), false));
    assert_eq!(response.content_type.as_deref(), Some("video/mp4"));
    assert!(matches!(read(response).await, Err(FetchError::TooLarge { .. })));
}

#[tokio::test]
async fn another_part_than_was_asked_for_is_refused() {
    let world = World::new();
    let part = |line| {
        Reply::raw(format!("HTTP/1.1 206 P\r\ncontent-length: 1\r\ncontent-range: {line}\r\n\r\nx"))
    };
    let request = GetRequest { range: Some(ByteRange::From(5)), ..ask("https://media.test/a") };
    for line in ["bytes 0-0/10", "bytes */10", "chunks 5-5/10", ""] {
        world.on("/a", part(line));
        let fault = world.fault(&request).await;
        assert!(matches!(fault, FetchError::Garbled { .. }), "{line}: {fault}");
    }
    world.on("/a", part("bytes 0-0/10"));
    let fault = world.fault(&ask("https://media.test/a")).await;
    assert!(matches!(fault, FetchError::Garbled { .. }), "unasked: {fault}");
}

#[tokio::test]
async fn a_certificate_for_another_name_or_authority_is_refused_at_once() {
    let world = World::new();
    world.names.set("wrong.test", &[&["1.1.1.1"]]);
    let fault = world.get("https://wrong.test/a").await.err().unwrap();
    assert!(matches!(fault, FetchError::Tls { .. }), "{fault}");
    let stranger = World::around(World::new().host, Options::default());
    let fault = stranger.get("https://media.test/a").await.err().unwrap();
    assert!(matches!(fault, FetchError::Tls { .. }), "{fault}");
    assert_eq!(stranger.detour.dialled().len(), 1);
}
