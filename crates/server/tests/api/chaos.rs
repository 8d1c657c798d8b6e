//! Files that are slow, and fail half of their calls: what was acknowledged is there, whole.

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;
use store::Store as _;

use crate::support::{Fixture, KLING, PNG, Reply, Setup, bare, data_uri};

/// A client gives up after so many tries.
const TRIES: usize = 60;

async fn insist(server: &Fixture, path: &str, key: &str, body: &[u8]) -> Reply {
    for _ in 0..TRIES {
        let request = server.request(Method::POST, path).header("idempotency-key", key);
        let reply = server.send(request.body(Body::from(body.to_vec())).unwrap()).await;
        if reply.status != StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            return reply;
        }
        assert_ne!(reply.header("retry-after"), "", "a 503 says when to come back");
    }
    panic!("{path} is never answered");
}

#[tokio::test]
async fn what_is_acknowledged_is_there_whole() {
    let server = Fixture::with(Setup { chaos: Some(5), ..Setup::default() }).await;
    let picture = |n: usize| [PNG, n.to_string().as_bytes()].concat();
    let (mut requests, mut uploads) = (Vec::new(), Vec::new());
    for n in 0..30 {
        let image = data_uri("image/png", &picture(n));
        let body = json!({"prompt": "a", "video_url": "https://h/a.mp4", "image_urls": [image]});
        let reply = insist(&server, KLING, &n.to_string(), body.to_string().as_bytes()).await;
        requests.push(reply.json()["request_id"].as_str().unwrap().to_owned());
        let reply = insist(&server, "/v1/files", "", &picture(100 + n)).await;
        uploads.push(reply.json()["url"].as_str().unwrap().to_owned());
    }
    let chaos = server.chaos.as_ref().unwrap();
    assert!(chaos.failed() > 30, "{} calls failed", chaos.failed());
    chaos.calm_down();
    for (n, id) in requests.iter().enumerate() {
        let kept =
            std::fs::read(server.artifacts.local_path(&format!("inputs/{id}/data/0")).unwrap());
        assert_eq!(kept.unwrap(), picture(n), "{id}");
    }
    for (n, url) in uploads.iter().enumerate() {
        let path = url.split_once("/files/").map(|(_, rest)| format!("/files/{rest}")).unwrap();
        let reply = server.send(bare(Method::GET, &path).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.bytes), (StatusCode::OK, picture(100 + n)));
    }
    let all = server.store.audit(domain::Clock::now(server.clock.as_ref())).await.unwrap();
    assert_eq!(all.len(), requests.len(), "each key is one request");
}
