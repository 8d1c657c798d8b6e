//! `POST /v1/models/{model_id…}`

use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use domain::Priority;
use futures_util::FutureExt;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use store::Store;

use crate::support::{ACME, Fixture, KLING, PNG, Repeating, Reply, Setup, data_uri, kling};

#[tokio::test]
async fn a_submit_is_answered_with_four_keys() {
    let server = Fixture::new().await;
    let reply = server.post(KLING, &kling()).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_json_snapshot!(reply.tidy(), @r#"
    {
      "request_id": "[request]",
      "status_url": "http://api.test/v1/requests/[request]/status",
      "result_url": "http://api.test/v1/requests/[request]/result",
      "cancel_url": "http://api.test/v1/requests/[request]/cancel"
    }
    "#);
    let id = reply.json()["request_id"].as_str().unwrap().parse().unwrap();
    let row = server.store.request(&id).await.unwrap().unwrap();
    assert_eq!((row.owner, row.model.as_str()), (server.owner, &KLING["/v1/models/".len()..]));
    assert_eq!(row.order.priority, Priority::Normal);
}

#[tokio::test]
async fn all_faults_come_at_once_and_nothing_is_kept() {
    let server = Fixture::new().await;
    let body =
        json!({"prompt": 7, "duration": "6", "video_url": "http://media.example/a.mp4?sig=secret"});
    let reply = server.post(KLING, &body).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said = reply.json();
    assert_eq!(said["error_code"], 422_001);
    let locs: Vec<&Value> =
        said["detail"].as_array().unwrap().iter().map(|d| &d["loc"][1]).collect();
    assert_eq!(locs.len(), 3, "{said}");
    for field in ["prompt", "duration", "video_url"] {
        assert!(locs.iter().any(|loc| *loc == field), "{said}");
    }
    assert!(said["error_message"].as_str().unwrap().contains("2 more"), "{said}");
    assert!(!reply.text().contains("secret"), "{said}");
    assert_eq!(server.store.queued(), 0);
}

#[tokio::test]
async fn a_422_has_the_shape_that_clients_know() {
    let server = Fixture::new().await;
    let reply = server.post(KLING, &json!({"video_url": "https://media.example/a.mp4"})).await;
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 422001,
      "error_message": "prompt: missing, this field is required",
      "detail": [
        {
          "loc": [
            "body",
            "prompt"
          ],
          "msg": "prompt: missing, this field is required",
          "type": "missing"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn what_is_not_an_object_is_a_422() {
    let server = Fixture::new().await;
    for body in [json!([1]), json!("text"), json!(null)] {
        let reply = server.post(KLING, &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(reply.json()["detail"][0]["type"], "dict_type");
        assert_eq!(reply.json()["detail"][0]["loc"], json!(["body"]));
    }
}

#[tokio::test]
async fn unknown_fields_are_warned_about_or_refused_as_the_operator_wants() {
    let mut body = kling();
    body["negative_prompt"] = json!("rain");
    let server = Fixture::new().await;
    let id = server.post(KLING, &body).await.json()["request_id"].as_str().unwrap().to_owned();
    let record = server.get(&format!("/v1/requests/{id}")).await.json();
    assert!(record["warnings"][0].as_str().unwrap().contains("`negative_prompt`"), "{record}");
    let strict = Fixture::with(Setup { strict: true, ..Setup::default() }).await;
    let reply = strict.post(KLING, &body).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(reply.json()["detail"][0]["type"], "extra_forbidden");
}

#[tokio::test]
async fn data_uris_are_kept_as_bytes_and_named_in_the_record() {
    let server = Fixture::new().await;
    let mut body = kling();
    body["image_urls"] = json!([data_uri("image/png", PNG), "https://media.example/b.png"]);
    body["elements"] = json!([{"frontal_image_url": data_uri("image/png", b"second")}]);
    let reply = server.post(KLING, &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let id = reply.json()["request_id"].as_str().unwrap().to_owned();
    let input = server.get(&format!("/v1/requests/{id}")).await.json()["input"].clone();
    let (first, second) = (format!("inputs/{id}/data/0"), format!("inputs/{id}/data/1"));
    assert_eq!(
        input["image_urls"],
        json!([format!("reshoot-artifact:{first}"), "https://media.example/b.png"])
    );
    assert_eq!(input["elements"][0]["frontal_image_url"], format!("reshoot-artifact:{second}"));
    let on_disk = |path: &str| std::fs::read(server.root().join(path)).unwrap();
    assert_eq!(on_disk(&first), PNG);
    assert_eq!(on_disk(&second), b"second");
}

#[tokio::test]
async fn a_large_data_uri_goes_the_same_way() {
    let server = Fixture::new().await;
    let mut body = kling();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    body["video_url"] = json!(data_uri("video/mp4", &bytes));
    let reply = server.post(KLING, &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let id = reply.json()["request_id"].as_str().unwrap().to_owned();
    assert_eq!(std::fs::read(server.root().join(format!("inputs/{id}/data/0"))).unwrap(), bytes);
}

#[tokio::test]
async fn a_data_uri_over_its_fields_limit_is_refused_with_the_field() {
    let server = Fixture::new().await;
    let body = json!({"text": "A picture", "looks": [data_uri("image/png", &[0; 1001])]});
    let reply = server.post(ACME, &body).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = reply.json()["detail"][0].clone();
    assert_eq!(detail["type"], "file_too_large");
    assert_eq!(detail["loc"], json!(["body", "looks", 0]));
    assert_eq!(server.kept("inputs").await, 0);
}

#[tokio::test]
async fn a_reference_to_kept_bytes_is_refused_from_outside() {
    let server = Fixture::new().await;
    let mut body = kling();
    body["video_url"] = json!("reshoot-artifact:inputs/req_1/0");
    assert_eq!(server.post(KLING, &body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn plain_http_is_taken_for_this_servers_own_files_alone() {
    let server = Fixture::new().await;
    let mut body = kling();
    body["video_url"] = json!("http://api.test/files/abc/clip.mp4");
    assert_eq!(server.post(KLING, &body).await.status, StatusCode::OK);
    body["video_url"] = json!("http://api.test/other/clip.mp4");
    assert_eq!(server.post(KLING, &body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn bytes_of_a_request_that_was_not_inserted_are_removed() {
    let server = Fixture::with(Setup { rng: Arc::new(Repeating), ..Setup::default() }).await;
    server.submit().await;
    let mut body = kling();
    body["video_url"] = json!(data_uri("video/mp4", b"bytes"));
    let reply = server.post(KLING, &body).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.json()["error_code"], 500_001);
    assert_eq!(server.kept("inputs").await, 0);
}

#[tokio::test]
async fn a_client_that_goes_away_after_its_body_was_read_leaves_a_whole_request() {
    let server = Fixture::new().await;
    let mut body = kling();
    body["video_url"] = json!(data_uri("video/mp4", b"bytes"));
    let mut changes = server.store.changes();
    {
        let mut call = pin!(server.post(KLING, &body));
        assert!(call.as_mut().now_or_never().is_none());
    }
    changes.changed().await.unwrap();
    assert_eq!(server.store.queued(), 1);
    assert_eq!(server.kept("inputs").await, 1);
}

async fn with_priority(server: &Fixture, priority: &str) -> Reply {
    let request = server.request(Method::POST, KLING).header("x-reshoot-priority", priority);
    server.send(request.body(Body::from(kling().to_string())).unwrap()).await
}

#[tokio::test]
async fn a_high_priority_is_next_to_run() {
    let server = Fixture::new().await;
    let first = server.submit().await;
    let reply = with_priority(&server, "high").await;
    let id = reply.json()["request_id"].as_str().unwrap().to_owned();
    let status = server.get(&format!("/v1/requests/{id}/status")).await.json();
    assert_eq!(status["queue_position"], 1);
    let status = server.get(&format!("/v1/requests/{first}/status")).await.json();
    assert_eq!(status["queue_position"], 2);
    let wrong = with_priority(&server, "urgent").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("X-Reshoot-Priority"), "{}", wrong.text());
}

#[tokio::test]
async fn a_dry_run_tells_and_keeps_nothing() {
    let server = Fixture::new().await;
    let mut body = kling();
    body["duration"] = json!(10);
    body["image_urls"] = json!([data_uri("image/png", PNG)]);
    body["seedling"] = json!(1);
    let reply = server.post(&format!("{KLING}?dry_run=true"), &body).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "dry_run": true,
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "input": {
        "prompt": "Based on @Video1, generate the next shot",
        "video_url": "https://media.example/a.mp4",
        "keep_audio": false,
        "image_urls": [
          "data:image/png;base64,…"
        ],
        "elements": [],
        "aspect_ratio": "auto",
        "duration": "10"
      },
      "plan": {
        "prompt": "Based on @Video1, generate the next shot",
        "media": 2,
        "secs": 10
      },
      "unmet": [
        {
          "words": "rain",
          "reason": "not in this test"
        }
      ],
      "provisional": true,
      "warnings": [
        "unknown field `seedling` has no effect"
      ],
      "cost": 1.12
    }
    "#);
    assert_eq!(server.store.queued(), 0);
    assert_eq!(server.kept("inputs").await, 0);
    let wrong = server.post(&format!("{KLING}?dry_run=true"), &json!({})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = server.post(&format!("{KLING}?dry_run=perhaps"), &kling()).await;
    assert!(wrong.text().contains("dry_run: `perhaps`"), "{}", wrong.text());
}

#[tokio::test]
async fn a_second_model_needs_no_line_of_code() {
    let server = Fixture::new().await;
    let body = json!({
        "text": "A portrait like @Image1 of @Element1",
        "clips": ["https://media.example/a.mp4"],
        "looks": [data_uri("image/png", PNG)],
        "cast": [{"sides": [data_uri("image/jpeg", b"view")]}],
    });
    let reply = server.post(ACME, &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let id = reply.json()["request_id"].as_str().unwrap().to_owned();
    let record = server.get(&format!("/v1/requests/{id}")).await.json();
    assert_eq!(record["model_id"], "acme/still-maker/portrait");
    assert_eq!(record["input"]["looks"][0], format!("reshoot-artifact:inputs/{id}/data/0"));
    assert_eq!(
        record["input"]["cast"][0]["sides"][0],
        format!("reshoot-artifact:inputs/{id}/data/1")
    );
    assert_eq!(record["plan"]["media"], 3);
    assert_eq!(server.kept(&format!("inputs/{id}")).await, 2);
    let listed = server.get("/v1/requests?model_id=acme/still-maker/portrait").await.json();
    assert_eq!(listed["requests"][0]["request_id"], id.as_str());
    let wrong = server.post(ACME, &json!({"clips": ["x"]})).await.json();
    assert_eq!(wrong["detail"].as_array().unwrap().len(), 2, "{wrong}");
}
