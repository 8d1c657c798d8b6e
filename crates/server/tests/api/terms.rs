//! What a submit asks for beside its body, and what it is refused for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use domain::Clock as _;
use domain::admission::Limits;
use domain::key::SecretKey;
use domain::usage::Microdollars;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use server::{Config, Room};
use store::accounts::Accounts;
use store::{Store, Subject};

use crate::support::{ACME, Fixture, KLING, PNG, Reply, Setup, data_uri, kling, with_key};

async fn submit(server: &Fixture, headers: &[(&str, &str)], body: &Value) -> Reply {
    let mut request =
        server.request(Method::POST, KLING).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["request_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_submit_repeated_ten_times_is_one_request_with_one_answer() {
    let server = Fixture::new().await;
    let key = [("idempotency-key", "6f1c")];
    let image = data_uri("image/png", PNG);
    let body = json!({"prompt": "a", "video_url": "https://h/a.mp4", "image_urls": [image]});
    let first = submit(&server, &key, &body).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    let kept = server.kept("inputs").await;
    for _ in 0..10 {
        let again = submit(&server, &key, &body).await;
        assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &first.bytes));
    }
    assert_eq!((server.store.queued(), server.kept("inputs").await), (1, kept));
    let other = submit(&server, &key, &kling()).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_json_snapshot!(other.json(), @r#"
    {
      "error_code": 422001,
      "error_message": "this `Idempotency-Key` was used for another body within the last 24 h: use a new key for a new request"
    }
    "#);
    let stranger = server.stranger().await;
    let request = with_key(&stranger, Method::POST, KLING).header("idempotency-key", "6f1c");
    let theirs = server.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert_ne!(id(&theirs), id(&first));
    server.clock.advance_secs(24 * 3600);
    let tomorrow = submit(&server, &key, &body).await;
    assert_ne!(id(&tomorrow), id(&first));
}

#[tokio::test]
async fn a_key_whose_first_submit_is_under_way_is_a_409_that_says_when_to_come_back() {
    let server = Fixture::new().await;
    // A body of which the first half has come.
    let (parts, body) =
        tokio::sync::mpsc::unbounded_channel::<Result<bytes::Bytes, std::io::Error>>();
    let text = kling().to_string();
    let (head, tail) = text.split_at(10);
    parts.send(Ok(head.to_owned().into())).unwrap();
    let stream =
        futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let slow = server.request(Method::POST, KLING).header("idempotency-key", "k");
    let mut slow = std::pin::pin!(server.send(slow.body(Body::from_stream(stream)).unwrap()));
    assert!(futures_util::poll!(&mut slow).is_pending());
    let second = submit(&server, &[("idempotency-key", "k")], &kling()).await;
    assert_eq!((second.status, second.header("retry-after")), (StatusCode::CONFLICT, "1"));
    assert_eq!(second.json()["error_code"], 409_001);
    parts.send(Ok(tail.to_owned().into())).unwrap();
    drop(parts);
    let first = slow.await;
    let third = submit(&server, &[("idempotency-key", "k")], &kling()).await;
    assert_eq!((id(&third), third.header("idempotent-replayed")), (id(&first), "true"));
}

#[tokio::test]
async fn a_refused_submit_leaves_its_key_free() {
    let server = Fixture::new().await;
    let key = [("idempotency-key", "k")];
    assert_eq!(submit(&server, &key, &json!({})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&server, &key, &kling()).await.header("idempotent-replayed"), "");
}

#[tokio::test]
async fn headers_that_cannot_be_read_are_named() {
    let server = Fixture::new().await;
    for (name, value) in [
        ("idempotency-key", ""),
        ("idempotency-key", "a b"),
        ("x-reshoot-deadline", "0"),
        ("x-reshoot-deadline", "1.5"),
        ("x-reshoot-priority", "urgent"),
    ] {
        let reply = submit(&server, &[(name, value)], &kling()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{name}: {value}");
        assert!(reply.text().to_ascii_lowercase().contains(name), "{}", reply.text());
    }
    let bad = server.post(&format!("{KLING}?webhook=http://h/x"), &kling()).await;
    assert_json_snapshot!(bad.json(), @r#"
    {
      "error_code": 422001,
      "error_message": "webhook: give an https URL",
      "detail": [
        {
          "loc": [
            "query",
            "webhook"
          ],
          "msg": "webhook: give an https URL",
          "type": "url_parsing"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_deadline_and_a_webhook_are_kept_with_the_request() {
    let server = Fixture::new().await;
    let path = format!(
        "{KLING}?webhook=https%3A%2F%2Fhooks.example%2Fa%3Ft%3D1&webhook_intermediate_status=true"
    );
    let request = server.request(Method::POST, &path).header("x-reshoot-deadline", "90");
    let reply = server.send(request.body(Body::from(kling().to_string())).unwrap()).await;
    let row = server.store.request(&id(&reply).parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(row.deadline, Some(row.created_at.plus_secs(90)));
    assert_eq!(row.price, Microdollars(560_000));
    let hook = row.body.webhook.clone().unwrap();
    assert_eq!((hook.url.as_str(), hook.intermediate), ("https://hooks.example/a?t=1", true));
    assert_eq!(hook.base, "http://api.test");
    server.clock.advance_secs(90);
    server.store.expire(server.clock.now()).await.unwrap();
    let result = server.get(&format!("/v1/requests/{}/result", row.id)).await.json();
    assert_eq!(result["error"]["code"], "deadline_exceeded", "{result}");
    let deliveries = server.get("/v1/webhooks/deliveries").await.json();
    let told: Vec<&Value> =
        deliveries["deliveries"].as_array().unwrap().iter().map(|one| &one["event"]).collect();
    assert_eq!(told, ["failed", "in_queue"]);
    assert_eq!(deliveries["deliveries"][0]["url"], "https://hooks.example/a");
}

#[tokio::test]
async fn limits_refuse_with_a_number_and_a_time_and_repetitions_pass() {
    let server = Fixture::new().await;
    let limit = async |limits| {
        let subject = Subject::Owner(server.owner.clone());
        server.store.set_limits(&subject, limits).await.unwrap();
    };
    let key = [("idempotency-key", "k")];
    let first = submit(&server, &key, &kling()).await;
    limit(Limits { max_queued: Some(1), ..Limits::default() }).await;
    let refused = submit(&server, &[], &kling()).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "15")
    );
    assert_json_snapshot!(refused.json(), @r#"
    {
      "error_code": 429001,
      "error_message": "the owner of this key has 1 requests waiting, its limit: send this one when some have run"
    }
    "#);
    assert_eq!(id(&submit(&server, &key, &kling()).await), id(&first));

    limit(Limits { submits_per_minute: Some(1), ..Limits::default() }).await;
    id(&submit(&server, &[], &kling()).await);
    let refused = submit(&server, &[], &kling()).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "61")
    );
    server.clock.advance_secs(60);
    id(&submit(&server, &[], &kling()).await);

    limit(Limits { bytes_per_day: Some(1), ..Limits::default() }).await;
    let upload = server.request(Method::POST, "/v1/files").body(Body::from(PNG)).unwrap();
    let upload = server.send(upload).await;
    assert_eq!(upload.status, StatusCode::TOO_MANY_REQUESTS, "{}", upload.text());
    limit(Limits { budget: Some(Microdollars(2_000_000)), ..Limits::default() }).await;
    let refused = submit(&server, &[], &kling()).await;
    assert_eq!(refused.status, StatusCode::PAYMENT_REQUIRED, "{}", refused.text());
    assert_eq!(refused.json()["error_code"], 400_002);
    assert_eq!(server.get("/v1/balance").await.json()["balance_usd"], 2);
    for _ in 0..100 {
        let poll = server.get(&format!("/v1/requests/{}/status", id(&first))).await;
        assert_eq!(poll.status, StatusCode::OK, "polls are never throttled");
    }
}

#[tokio::test]
async fn what_was_published_is_charged_to_the_budget_and_shown_as_usage() {
    let server = Fixture::new().await;
    let budget = Limits { budget: Some(Microdollars(600_000)), ..Limits::default() };
    server.store.set_limits(&Subject::Owner(server.owner.clone()), budget).await.unwrap();
    server.submit().await;
    let reserved = submit(&server, &[], &kling()).await;
    assert_eq!(reserved.status, StatusCode::PAYMENT_REQUIRED);
    assert!(reserved.text().contains("0.560 are reserved"), "{}", reserved.text());
    let lease = server.start().await;
    server.publish(&lease).await;
    assert_json_snapshot!(server.get("/v1/balance").await.json(), @r#"
    {
      "balance_usd": 0.04,
      "balance_microdollars": 40000,
      "currency": "USD"
    }
    "#);
    let by_model = server.get("/v1/usage?group_by=model").await.json();
    assert_eq!(by_model["usage"][0]["group"], KLING["/v1/models/".len()..]);
    assert_eq!(by_model["total"], json!({"requests": 1, "seconds": 5, "cost": 0.56}));
    let none = server.get("/v1/usage?from=2001-01-01&to=2001-01-02").await.json();
    assert_eq!((none["usage"].clone(), none["total"]["requests"].clone()), (json!([]), json!(0)));
    let bad = server.get("/v1/usage?from=monday").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn usage_is_shown_for_one_model_or_key() {
    let server = Fixture::new().await;
    let id = async |key: &SecretKey| {
        let key = server.store.key_by_hash(key.hash()).await.unwrap().unwrap();
        key.id.to_string()
    };
    server.submit().await;
    let lease = server.start().await;
    server.publish(&lease).await;
    server.clock.advance_secs(86_400);
    let still = server.post(ACME, &json!({"text": "go"})).await;
    assert_eq!(still.status, StatusCode::OK, "{}", still.text());
    let lease = server.start().await;
    server.publish(&lease).await;

    let days = async |filter: &str| {
        let reply = server.get(&format!("/v1/usage?group_by=day&{filter}")).await.json();
        let lines = reply["usage"].as_array().unwrap().iter();
        let days: Vec<Value> = lines.map(|line| line["group"].clone()).collect();
        assert_eq!(reply["total"]["requests"], days.len(), "the total is of what is shown");
        days
    };
    let (first, second) = ("2026-01-01", "2026-01-02");
    let model = |path: &str| format!("model_id={}", &path["/v1/models/".len()..]);
    assert_eq!(days("").await, [first, second]);
    assert_eq!(days(&model(KLING)).await, [first]);
    assert_eq!(days(&model(ACME)).await, [second]);
    assert_eq!(days("model_id=no/such").await, [""; 0]);
    let mine = id(&server.key).await;
    assert_eq!(days(&format!("key_id={mine}")).await, [first, second]);
    assert_eq!(days(&format!("key_id={mine}&{}", model(ACME))).await, [second]);
    let theirs = id(&server.stranger().await).await;
    assert_eq!(days(&format!("key_id={theirs}")).await, [""; 0]);
    let bad = server.get("/v1/usage?key_id=laptop").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(bad.text().contains("key_id: `laptop`"), "{}", bad.text());
}

struct Disk(AtomicBool);

impl Room for Disk {
    fn has_room(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> Option<(u64, u64)> {
        Some((1, 2))
    }
}

#[tokio::test]
async fn a_full_disk_and_a_full_queue_are_a_503_before_the_body() {
    let disk = Arc::new(Disk(AtomicBool::new(false)));
    let config = Config { max_queue: Some(1), ..Config::default() };
    let room = Some(Arc::clone(&disk) as Arc<dyn Room>);
    let server = Fixture::with(Setup { config, room, ..Setup::default() }).await;
    let full = submit(&server, &[], &kling()).await;
    assert_eq!((full.status, full.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "60"));
    assert!(full.text().contains("disk"), "{}", full.text());
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready.text().contains(r#"{"name":"disk","status":"failing""#), "{}", ready.text());
    disk.0.store(true, Ordering::Relaxed);
    server.clock.advance_secs(1);
    id(&submit(&server, &[], &kling()).await);
    // The body is never asked for: this one would not end.
    let request = server.request(Method::POST, KLING);
    let never =
        Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let full = server.send(request.body(never).unwrap()).await;
    assert_eq!((full.status, full.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "15"));
    assert!(full.text().contains("queue is full"), "{}", full.text());
}
