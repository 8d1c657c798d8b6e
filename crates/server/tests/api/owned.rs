//! Keys, webhooks, removal, metrics: what an owner keeps in order, and nobody else sees.

use axum::body::Body;
use domain::RequestId;
use domain::key::SecretKey;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use server::{Access, ROUTES};

use crate::support::{Fixture, KLING, Reply, kling, with_key};

async fn call(
    server: &Fixture,
    key: &SecretKey,
    method: Method,
    path: &str,
    body: &Value,
) -> Reply {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    server.send(with_key(key, method, path).body(body).unwrap()).await
}

/// Every call with an id, on what is A's, asked by B: as if there were nothing.
#[tokio::test]
async fn every_id_of_one_owner_is_unknown_to_another() {
    let server = Fixture::new().await;
    let path = format!("{KLING}?webhook=https://hooks.example/a");
    let reply = server.post(&path, &kling()).await.json();
    let request: RequestId = reply["request_id"].as_str().unwrap().parse().unwrap();
    let lease = server.start().await;
    server.publish(&lease).await;
    let delivery = server.get("/v1/webhooks/deliveries").await.json();
    let delivery = delivery["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let key = server.get("/v1/keys").await.json()["keys"][0]["id"].as_str().unwrap().to_owned();
    let fill = |template: &str| {
        template
            .replace("{request_id}", request.as_str())
            .replace("{delivery_id}", &delivery)
            .replace("{key_id}", &key)
    };
    let stranger = server.stranger().await;
    let mut asked = 0;
    for route in ROUTES.iter().filter(|route| route.access == Access::Key) {
        let path = fill(route.path);
        if path == route.path {
            continue;
        }
        let body =
            if route.method == Method::PATCH { json!({"name": "mine"}) } else { Value::Null };
        let reply = call(&server, &stranger, route.method.clone(), &path, &body).await;
        assert_eq!(
            reply.status,
            StatusCode::NOT_FOUND,
            "{} {path}: {}",
            route.method,
            reply.text()
        );
        asked += 1;
    }
    assert!(asked >= 9, "{asked}");
    for path in ["/v1/requests", "/v1/webhooks/deliveries", "/v1/usage", "/v1/keys"] {
        let seen = call(&server, &stranger, Method::GET, path, &Value::Null).await.text();
        for id in [request.as_str(), &delivery, &key] {
            assert!(!seen.contains(id), "{path}: {seen}");
        }
    }
    assert_eq!(server.get(&format!("/v1/requests/{request}/status")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_makes_no_key_that_may_do_more_than_itself() {
    let server = Fixture::new().await;
    let make = |body: Value| async move { body };
    let limited = server
        .post(
            "/v1/keys",
            &make(json!({"name": "ci", "limits": {"max_queued": 2, "budget_usd": 1.5}})).await,
        )
        .await;
    assert_eq!(limited.status, StatusCode::CREATED);
    let secret = SecretKey::parse(limited.json()["key"].as_str().unwrap()).unwrap();
    assert_eq!(limited.json()["limits"]["budget_usd"], 1.5);
    let post = async |body: Value| call(&server, &secret, Method::POST, "/v1/keys", &body).await;
    let heir = post(json!({"name": "heir"})).await.json();
    assert_eq!(heir["limits"], limited.json()["limits"], "it inherits");
    for (body, status) in [
        (json!({"name": "x", "limits": {}}), StatusCode::FORBIDDEN),
        (json!({"name": "x", "limits": {"max_queued": 3, "budget_usd": 1}}), StatusCode::FORBIDDEN),
        (json!({"name": "x", "role": "admin"}), StatusCode::FORBIDDEN),
        (json!({"name": "x", "role": "king"}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"name": ""}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"name": "x", "limits": {"max_queue": 1}}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"name": "x", "limits": {"budget_usd": -1}}), StatusCode::UNPROCESSABLE_ENTITY),
        (
            json!({"name": "x", "limits": {"bytes_per_day": 9_007_199_254_740_992_u64}}),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (json!([]), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let reply = post(body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
    }
    let tight = json!({"name": "x", "limits": {"max_queued": 1, "budget_usd": 0.5}});
    assert_eq!(post(tight).await.status, StatusCode::CREATED);

    let id = limited.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/keys/{id}");
    let patch =
        async |key: &SecretKey, body: Value| call(&server, key, Method::PATCH, &path, &body).await;
    assert_eq!(patch(&secret, json!({"limits": {}})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(patch(&server.key, json!({"owner_limits": {}})).await.status, StatusCode::FORBIDDEN);
    let renamed = patch(&secret, json!({"name": "ci-2"})).await;
    assert_eq!((renamed.status, renamed.json()["name"].as_str()), (StatusCode::OK, Some("ci-2")));
    let root = server.admin().await;
    let capped =
        patch(&root, json!({"limits": {}, "owner_limits": {"max_running": 1}})).await.json();
    assert_eq!(capped["owner_limits"]["max_running"], 1);
    assert_eq!(capped["limits"]["max_queued"], Value::Null);

    assert_eq!(
        call(&server, &server.key, Method::DELETE, &path, &Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(patch(&secret, json!({"name": "late"})).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn webhook_secrets_are_made_once_and_rotated() {
    let server = Fixture::new().await;
    let first = server.get("/v1/webhooks/secret").await.json();
    assert!(first["secret"].as_str().unwrap().starts_with("whsec_"), "{first}");
    assert_eq!(server.get("/v1/webhooks/secret").await.json(), first);
    let rotated = server.post("/v1/webhooks/secret/rotate", &Value::Null).await.json();
    assert_ne!(rotated["secret"], first["secret"]);
    assert_eq!(rotated["previous"], json!([first["secret"]]));
    server.clock.advance_secs(24 * 3600);
    assert_eq!(server.get("/v1/webhooks/secret").await.json()["previous"], json!([]));
}

#[tokio::test]
async fn deliveries_are_shown_paged_and_replayed() {
    let server = Fixture::new().await;
    let path = format!("{KLING}?webhook=https://hooks.example/a&webhook_intermediate_status=1");
    let ids: Vec<String> = {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let reply = server.post(&path, &kling()).await.json();
            ids.push(reply["request_id"].as_str().unwrap().to_owned());
        }
        ids
    };
    let page = server.get("/v1/webhooks/deliveries?limit=2").await.json();
    assert_eq!(page["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(page["deliveries"][0]["request_id"], ids[2].as_str());
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/v1/webhooks/deliveries?limit=2&cursor={cursor}")).await.json();
    assert_eq!(rest["deliveries"][0]["request_id"], ids[0].as_str());
    assert_eq!(rest["next_cursor"], Value::Null);
    let one = server.get(&format!("/v1/webhooks/deliveries?request_id={}", ids[1])).await.json();
    assert_eq!(one["deliveries"].as_array().unwrap().len(), 1);
    let delivery = one["deliveries"][0]["id"].as_str().unwrap();
    let replayed =
        server.post(&format!("/v1/webhooks/deliveries/{delivery}/replay"), &Value::Null).await;
    assert_eq!(
        (replayed.status, replayed.json()["state"].as_str()),
        (StatusCode::ACCEPTED, Some("pending"))
    );
    let none = server.post("/v1/webhooks/deliveries/msg_x/replay", &Value::Null).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_is_removed_when_it_has_ended_and_not_before() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let path = format!("/v1/requests/{id}");
    let remove = async || call(&server, &server.key, Method::DELETE, &path, &Value::Null).await;
    let early = remove().await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    assert_json_snapshot!(early.json(), @r#"
    {
      "error_code": 409001,
      "error_message": "this request has not ended: cancel it first"
    }
    "#);
    let lease = server.start().await;
    server.publish(&lease).await;
    assert_eq!(remove().await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(remove().await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/v1/usage").await.json()["total"]["requests"], 1, "it stays charged");
}

#[tokio::test]
async fn metrics_are_for_admins_and_this_machine() {
    let server = Fixture::new().await;
    server.submit().await;
    assert_eq!(server.get("/metrics").await.status, StatusCode::FORBIDDEN);
    let root = server.admin().await;
    let reply = call(&server, &root, Method::GET, "/metrics", &Value::Null).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.header("content-type").starts_with("text/plain"));
    let model = &KLING["/v1/models/".len()..];
    for line in [
        format!("reshoot_queue_depth{{model=\"{model}\",priority=\"normal\"}} 1"),
        "reshoot_submits_total{outcome=\"accepted\"} 1".to_owned(),
    ] {
        assert!(reply.text().contains(&line), "{line} in\n{}", reply.text());
    }
}

#[tokio::test]
async fn a_key_says_in_which_minute_it_was_last_used() {
    let server = Fixture::new().await;
    let root = server.admin().await;
    server.clock.advance_secs(90);
    let list = async || call(&server, &root, Method::GET, "/v1/keys", &Value::Null).await.json();
    let used = |list: &Value| {
        let keys = list["keys"].as_array().unwrap().iter();
        keys.map(|key| (key["name"].clone(), key["last_used_at"].clone())).collect::<Vec<_>>()
    };
    let first = "2026-01-01T00:01:00.000000+00:00";
    let before = used(&list().await);
    assert!(before.contains(&(json!("root"), json!(first))), "{before:?}");
    assert!(before.contains(&(json!("studio"), Value::Null)), "{before:?}");
    // The minute of the last call counts, whatever the call was answered.
    server.get("/v1/requests/none").await;
    server.clock.advance_secs(60);
    let after = used(&list().await);
    assert!(after.contains(&(json!("studio"), json!(first))), "{after:?}");
    assert!(after.contains(&(json!("root"), json!("2026-01-01T00:02:00.000000+00:00"))));
}
