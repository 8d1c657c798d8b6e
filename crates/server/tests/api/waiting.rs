//! `?wait=`, and server-sent events.

use axum::body::Body;
use futures_util::StreamExt;
use http::{Method, StatusCode};
use insta::assert_snapshot;
use serde_json::Value;
use store::Store;

use crate::support::{Fixture, with_key};

/// The events of a stream, each as its kind, id and data.
struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Events {
    async fn open(server: &Fixture, path: &str, last: Option<&str>) -> Self {
        let mut request = server.request(Method::GET, path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = server.open(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some(at) = self.text.find("\n\n") {
                let event: String = self.text.drain(..at + 2).collect();
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or("").trim().to_owned()
                };
                let data = serde_json::from_str(&field("data:")).unwrap();
                return Some((field("event:"), field("id:"), data));
            }
            let part = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&part).unwrap());
        }
    }

    /// Kinds and ids up to and with an event of this kind.
    async fn until(&mut self, kind: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some((found, id, data)) = self.next().await {
            let word = data["status"].as_str().or(data["stage"].as_str()).unwrap_or("");
            seen.push(format!("{found} {id} {word}").trim().replace("  ", " "));
            if found == kind {
                return seen;
            }
        }
        panic!("the stream ended: {seen:?}");
    }
}

#[tokio::test]
async fn events_tell_a_life_in_order_and_end_with_it() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let path = format!("/v1/requests/{id}/events");
    let mut events = Events::open(&server, &path, None).await;
    assert_eq!(events.until("position").await, ["state 1 in_queue", "log", "position"]);
    let lease = server.start().await;
    let progress = store::Progress { stage: "grade".to_owned(), fraction: 0.5 };
    server.store.extend(&lease, lease.expires_at, Some(progress)).await.unwrap();
    let seen = events.until("progress").await;
    assert_eq!(seen.last().unwrap(), "progress grade");
    let states: Vec<&String> = seen.iter().filter(|event| event.starts_with("state")).collect();
    assert_eq!(states, ["state 2 in_queue", "state 3 in_queue", "state 4 in_progress"]);
    server.publish(&lease).await;
    assert_eq!(events.until("result").await, ["state 5 completed", "log", "result succeeded"]);
    assert!(events.next().await.is_none(), "the stream ends with the request");
}

#[tokio::test]
async fn a_stream_is_taken_up_where_it_was_left() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let path = format!("/v1/requests/{id}/events");
    let lease = server.start().await;
    let mut events = Events::open(&server, &path, Some("3")).await;
    assert_eq!(events.until("log").await, ["state 4 in_progress", "log"]);
    server.publish(&lease).await;
    let mut again = Events::open(&server, &path, Some("4")).await;
    assert_eq!(again.until("result").await, ["state 5 completed", "log", "result succeeded"]);
    let request = server.request(Method::GET, &path).header("last-event-id", "5");
    let done = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "a browser does not come back");
    // An id that never was is no id.
    let mut odd = Events::open(&server, &path, Some("99")).await;
    assert_eq!(odd.next().await.unwrap().1, "1");
}

#[tokio::test]
async fn a_stream_is_opened_by_its_owner_alone() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let stranger = server.stranger().await;
    let request = with_key(&stranger, Method::GET, &format!("/v1/requests/{id}/events"));
    let reply = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn wait_answers_when_the_request_has_ended() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let path = format!("/v1/requests/{id}/status?wait=60");
    let result = format!("/v1/requests/{id}/result?wait=60");
    let (mut status, mut result) =
        (std::pin::pin!(server.get(&path)), std::pin::pin!(server.get(&result)));
    assert!(futures_util::poll!(&mut status).is_pending());
    assert!(futures_util::poll!(&mut result).is_pending());
    let lease = server.start().await;
    assert!(futures_util::poll!(&mut status).is_pending(), "it runs, it has not ended");
    server.publish(&lease).await;
    assert_eq!(status.await.json()["status"], "completed");
    assert_eq!(result.await.json()["status"], "succeeded");
}

#[tokio::test(start_paused = true)]
async fn wait_gives_up_in_time_and_says_where_it_stands() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let began = tokio::time::Instant::now();
    let reply = server.get(&format!("/v1/requests/{id}/status?wait=7")).await.json();
    assert_eq!((reply["status"].as_str(), began.elapsed().as_secs()), (Some("in_queue"), 7));
    let bad = server.get(&format!("/v1/requests/{id}/status?wait=61")).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert_snapshot!(bad.json()["error_message"].as_str().unwrap(), @"wait: `61` was given, a whole number from 0 to 60 is required");
}
