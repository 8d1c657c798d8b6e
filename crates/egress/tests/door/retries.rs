//! What is tried again, and what is not.

use std::time::Duration;

use egress::{FetchError, MAX_TRIES};
use testkit::Reply;

use crate::support::{World, ask, hurried, read};

const URL: &str = "https://media.test/a";

#[tokio::test]
async fn transient_statuses_are_tried_three_times() {
    for status in [408, 429, 500, 502, 503, 504, 599] {
        let world = World::new();
        world.on("/a", Reply::status(status));
        assert_eq!(world.fault(&ask(URL)).await.status(), Some(status));
        assert_eq!(world.host.requests().len(), MAX_TRIES as usize, "{status}");
    }
}

#[tokio::test]
async fn other_statuses_are_final() {
    for status in [204, 304, 400, 401, 403, 404, 405, 410, 416, 418, 451] {
        let world = World::new();
        world.on("/a", Reply::status(status));
        assert_eq!(world.fault(&ask(URL)).await.status(), Some(status));
        assert_eq!(world.host.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_host_that_recovers_is_fetched() {
    let world = World::new();
    world.host.script("/a", [Reply::status(503), Reply::status(429), Reply::ok("film")]);
    assert_eq!(read(world.get(URL).await.unwrap()).await.unwrap(), b"film");
    world.host.script("/a", [Reply::raw(""), Reply::raw(""), Reply::ok("film")]);
    assert_eq!(read(world.get(URL).await.unwrap()).await.unwrap(), b"film");
}

#[tokio::test]
async fn refused_connections_are_tried_three_times() {
    let world = World::new();
    world.detour.refuse("93.184.216.34");
    let fault = world.fault(&ask(URL)).await;
    assert!(matches!(fault, FetchError::Connect { .. }), "{fault}");
    assert_eq!(world.detour.dialled().len(), MAX_TRIES as usize);
}

#[tokio::test]
async fn retry_after_is_honoured_within_the_limit() {
    let world = World::new();
    let busy = |wait: &str| Reply::status(503).header("retry-after", wait);
    world.host.script("/a", [busy("0"), busy("1"), Reply::ok("film")]);
    read(world.get(URL).await.unwrap()).await.unwrap();
    assert_eq!(world.host.requests().len(), 3);
    // An hour is more than is left: no use in waiting, and none in asking again.
    for wait in ["3600", "Thu, 01 Jan 2026 01:00:00 GMT"] {
        let before = world.host.requests().len();
        world.on("/a", busy(wait));
        match world.fault(&ask(URL)).await {
            FetchError::Status { retry_after, .. } => {
                assert_eq!(retry_after, Some(Duration::from_hours(1)));
            }
            other => panic!("{other}"),
        }
        assert_eq!(world.host.requests().len(), before + 1);
    }
}

#[tokio::test]
async fn tries_end_with_the_deadline() {
    let world = World::new();
    world.host.script("/a", [Reply::status(503), Reply::hang()]);
    let fault = world.fault(&hurried(URL, 400)).await;
    let timed_out = matches!(fault, FetchError::Timeout { .. });
    // On a busy machine the first try may take all the time there is.
    assert!(timed_out || fault.status() == Some(503), "{fault}");
    assert!(world.host.requests().len() <= 2);
}
