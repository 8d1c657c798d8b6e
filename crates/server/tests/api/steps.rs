//! Every call that an operation makes of the store fails once, before it has done anything and
//! after: the client repeats what it was told to repeat, and what is left is as if nothing had
//! happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use domain::Clock as _;
use domain::invariants::audit;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::Store;
use store::faulty::{Faulty, When};
use store::memory::MemoryStore;

use crate::support::{Fixture, KLING, PNG, Reply, Setup, data_uri};

/// A client gives up after so many tries.
const TRIES: usize = 10;

struct World {
    server: Fixture,
    faulty: Arc<Faulty>,
}

impl World {
    async fn new() -> Self {
        let memory = Arc::new(MemoryStore::new());
        let faulty = Arc::new(Faulty::new(Arc::clone(&memory) as Arc<dyn Store>));
        let wrapped = Some((memory, Arc::clone(&faulty) as Arc<dyn Store>));
        let server = Fixture::with(Setup { store: wrapped, ..Setup::default() }).await;
        Self { server, faulty }
    }

    /// Repeats a call for as long as it is told to.
    async fn insist(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Reply {
        for _ in 0..TRIES {
            let mut request = self.server.request(method.clone(), path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
            let reply = self.server.send(request.body(body).unwrap()).await;
            if reply.status != StatusCode::SERVICE_UNAVAILABLE {
                return reply;
            }
            assert_ne!(reply.header("retry-after"), "", "a 503 says when to come back");
        }
        panic!("{path} is never answered");
    }

    async fn submit(&self, key: &str) -> String {
        let image = data_uri("image/png", PNG);
        let body = json!({"prompt": "a", "video_url": "https://h/a.mp4", "image_urls": [image]});
        let path = format!("{KLING}?webhook=https://hooks.example/a");
        let headers = [("idempotency-key", key), ("content-type", "application/json")];
        let reply = self.insist(Method::POST, &path, &headers, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        reply.json()["request_id"].as_str().unwrap().to_owned()
    }

    /// What holds whatever failed: each key is one request, with its bytes and no others.
    async fn audit(&self, acknowledged: &[String]) {
        let store = self.faulty.inner();
        let seen = store.audit(self.server.clock.now()).await.unwrap();
        let ids: BTreeSet<_> = acknowledged.iter().map(|id| id.parse().unwrap()).collect();
        let wrong = audit(&seen, &ids);
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(seen.len(), ids.len(), "a request that nobody was told of");
        let folders = self.server.artifacts.folders("inputs").await.unwrap();
        let kept: BTreeSet<_> = folders.iter().map(|name| name.parse().unwrap()).collect();
        assert!(ids.is_subset(&kept), "bytes are missing: {kept:?}");
    }
}

/// Plays `scene` with each of its calls failing once, in both ways; how many there were.
async fn each_call_fails(scene: impl AsyncFn(&World) -> Vec<String>) -> Vec<&'static str> {
    let mut struck = Vec::new();
    for when in [When::Before, When::After] {
        for n in 1.. {
            let world = World::new().await;
            world.faulty.fail_at(n, when);
            let acknowledged = scene(&world).await;
            let Some(call) = world.faulty.struck() else { break };
            struck.push(call);
            world.audit(&acknowledged).await;
        }
    }
    struck
}

#[tokio::test]
async fn a_submit_survives_each_of_its_calls() {
    let struck = each_call_fails(async |world: &World| {
        vec![world.submit("a").await, world.submit("b").await, world.submit("a").await]
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    })
    .await;
    for call in ["key_by_hash", "replayed", "insert"] {
        assert!(struck.contains(&call), "{struck:?}");
    }
}

#[tokio::test]
async fn a_cancellation_survives_each_of_its_calls() {
    let struck = each_call_fails(async |world: &World| {
        let id = world.submit("a").await;
        let path = format!("/v1/requests/{id}/cancel");
        let reply = world.insist(Method::POST, &path, &[], &Value::Null).await.json();
        assert_eq!(reply["outcome"], "cancelled", "{reply}");
        let deliveries =
            world.insist(Method::GET, "/v1/webhooks/deliveries", &[], &Value::Null).await;
        let told = deliveries.json()["deliveries"].as_array().unwrap().len();
        assert_eq!(told, 1, "one message, however often it was asked: {}", deliveries.text());
        vec![id]
    })
    .await;
    assert!(struck.contains(&"cancel"), "{struck:?}");
}

#[tokio::test]
async fn a_removal_survives_each_of_its_calls() {
    let struck = each_call_fails(async |world: &World| {
        let id = world.submit("a").await;
        let cancel = format!("/v1/requests/{id}/cancel");
        world.insist(Method::POST, &cancel, &[], &Value::Null).await;
        let path = format!("/v1/requests/{id}");
        let reply = world.insist(Method::DELETE, &path, &[], &Value::Null).await;
        // Where the first removal was done and not told, the second finds nothing.
        let gone = [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND];
        assert!(gone.contains(&reply.status), "{}", reply.text());
        let trash = world.faulty.inner().trash(9).await.unwrap();
        assert!(trash.contains(&format!("inputs/{id}")), "its bytes are noted: {trash:?}");
        Vec::new()
    })
    .await;
    assert!(struck.contains(&"remove"), "{struck:?}");
}

#[tokio::test]
async fn an_upload_survives_each_of_its_calls() {
    let struck = each_call_fails(async |world: &World| {
        for _ in 0..TRIES {
            let request = world.server.request(Method::POST, "/v1/files");
            let reply = world.server.send(request.body(Body::from(PNG)).unwrap()).await;
            if reply.status == StatusCode::OK {
                let url = reply.json()["url"].as_str().unwrap().to_owned();
                let path = url.strip_prefix("http://api.test").unwrap();
                let shown = world.insist(Method::GET, path, &[], &Value::Null).await;
                assert_eq!(shown.bytes, PNG);
                return Vec::new();
            }
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        }
        panic!("the upload is never taken");
    })
    .await;
    assert!(struck.contains(&"add_file"), "{struck:?}");
}

#[tokio::test]
async fn a_link_survives_each_of_its_calls() {
    let struck = each_call_fails(async |world: &World| {
        let id = world.submit("a").await;
        // The workers' side, which is not under test.
        let lease = world.server.start().await;
        world.server.publish(&lease).await;
        let path = format!("/v1/requests/{id}/share");
        let link = world.insist(Method::POST, &path, &[], &Value::Null).await.json();
        let record = format!("/v1/requests/{id}");
        let record = world.insist(Method::GET, &record, &[], &Value::Null).await.json();
        assert_eq!(record["share_url"], link["url"], "one link, however often it was asked for");
        let shown = link["url"].as_str().unwrap().replace("/share/", "/v1/shared/");
        let shown = shown.strip_prefix("http://api.test").unwrap();
        let seen = world.insist(Method::GET, shown, &[], &Value::Null).await;
        assert_eq!(seen.status, StatusCode::OK);
        let back = world.insist(Method::DELETE, &path, &[], &Value::Null).await;
        assert_eq!(back.status, StatusCode::NO_CONTENT);
        let gone = world.insist(Method::GET, shown, &[], &Value::Null).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        vec![id]
    })
    .await;
    for call in ["share", "link", "shared", "unshare"] {
        assert!(struck.contains(&call), "{struck:?}");
    }
}
