//! Limits of bytes and time, both sides.

use std::time::Duration;

use egress::{FetchError, GetRequest, Options};
use testkit::{MediaHost, Reply};

use crate::support::{World, ask, hurried, read};

const URL: &str = "https://media.test/a";

fn at_most(max_bytes: u64) -> GetRequest {
    GetRequest { max_bytes, ..ask(URL) }
}

#[tokio::test]
async fn a_file_of_just_the_limit_is_taken() {
    let world = World::new();
    for reply in [Reply::ok(vec![7; 50_000]), Reply::ok(vec![7; 50_000]).chunked()] {
        world.on("/a", reply);
        let response = world.client.get(&at_most(50_000)).await.unwrap();
        assert_eq!(read(response).await.unwrap().len(), 50_000);
    }
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_before_the_body() {
    let world = World::new();
    world.on("/a", Reply::ok(vec![7; 8 << 20]));
    let fault = world.client.get(&at_most((8 << 20) - 1)).await.err();
    let announced = Some(8 << 20);
    assert_eq!(fault, Some(FetchError::TooLarge { max_bytes: (8 << 20) - 1, announced }));
    // What the kernel's buffers take on their own, and no more.
    assert!(world.host.sent("/a") < 2 << 20, "{}", world.host.sent("/a"));
}

#[tokio::test]
async fn an_unannounced_length_over_the_limit_ends_at_the_limit() {
    let world = World::new();
    for reply in [Reply::ok(vec![7; 50_001]).chunked(), Reply::ok(vec![7; 50_001]).until_close()] {
        world.on("/a", reply);
        let mut response = world.client.get(&at_most(50_000)).await.unwrap();
        let mut got = 0;
        let fault = loop {
            match response.body.chunk().await {
                Ok(bytes) => got += bytes.expect("more than the limit").len(),
                Err(fault) => break fault,
            }
        };
        assert!(got <= 50_000);
        assert_eq!(fault, FetchError::TooLarge { max_bytes: 50_000, announced: None });
    }
}

#[tokio::test]
async fn a_body_that_trickles_ends_at_the_deadline() {
    let world = World::new();
    world.on("/a", Reply::ok(vec![7; 1 << 20]).trickle(1, Duration::from_millis(20)));
    let fault = world.fault(&hurried(URL, 500)).await;
    assert!(matches!(fault, FetchError::Timeout { .. }), "{fault}");
}

#[tokio::test]
async fn hosts_that_hang_end_at_the_deadline() {
    let world = World::new();
    for reply in [Reply::hang(), Reply::ok(vec![7; 9000]).stall_after(100)] {
        world.on("/a", reply);
        let fault = world.fault(&hurried(URL, 500)).await;
        assert_eq!(fault, FetchError::Timeout { host: "media.test".to_owned() });
    }
}

#[tokio::test]
async fn a_tls_handshake_that_hangs_is_given_up() {
    let connect_limit = Duration::from_millis(50);
    let world = World::around(MediaHost::mute(), Options { connect_limit, ..Options::default() });
    let fault = world.fault(&ask(URL)).await;
    assert!(matches!(&fault, FetchError::Connect { reason, .. } if reason.contains("TLS")));
    let world = World::around(MediaHost::mute(), Options::default());
    let fault = world.fault(&hurried(URL, 200)).await;
    assert!(matches!(fault, FetchError::Timeout { .. }), "{fault}");
}

#[tokio::test]
async fn a_deadline_in_the_past_fetches_nothing() {
    let world = World::new();
    world.on("/a", Reply::ok("x"));
    assert!(matches!(world.fault(&hurried(URL, 0)).await, FetchError::Timeout { .. }));
}
