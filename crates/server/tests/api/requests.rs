//! `GET /v1/requests`, `GET /v1/requests/{id}`

use axum::body::Body;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Fixture, with_key};

fn ids(body: &Value) -> Vec<String> {
    let rows = body["requests"].as_array().unwrap().iter();
    rows.map(|row| row["request_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_list_is_the_owners_newest_first_page_by_page() {
    let server = Fixture::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        server.clock.advance_secs(1);
        made.push(server.submit().await.to_string());
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/requests?limit=2".to_owned();
    loop {
        let body = server.get(&path).await.json();
        seen.extend(ids(&body));
        let Some(cursor) = body["next_cursor"].as_str() else { break };
        path = format!("/v1/requests?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
    let stranger = server.stranger().await;
    let request = with_key(&stranger, Method::GET, "/v1/requests");
    let reply = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.text(), r#"{"requests":[],"next_cursor":null}"#);
    let foreign = format!("/v1/requests?cursor={}", made[0]);
    let request = with_key(&stranger, Method::GET, &foreign);
    let reply = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_list_is_filtered_in_the_words_of_both_vocabularies() {
    let server = Fixture::new().await;
    let failed = server.submit().await;
    let lease = server.start().await;
    server.fail(&lease).await;
    let done = server.submit().await;
    let lease = server.start().await;
    server.publish(&lease).await;
    let queued = server.submit().await;
    let list = async |query: &str| ids(&server.get(&format!("/v1/requests?{query}")).await.json());
    let (failed, done, queued) = (failed.to_string(), done.to_string(), queued.to_string());
    assert_eq!(list("status=completed").await, [done.clone(), failed.clone()]);
    assert_eq!(list("status=failed").await, [failed]);
    assert_eq!(
        list("status=succeeded&model_id=kling/kling-video-o1/video-to-video/reference").await,
        [done]
    );
    assert_eq!(list("status=in_queue").await, [queued]);
    assert!(list("status=cancelled").await.is_empty());
    assert!(list("model_id=acme/still-maker/portrait").await.is_empty());
    let wrong = server.get("/v1/requests?status=done").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("status: `done`"), "{}", wrong.text());
}

#[tokio::test]
async fn the_record_of_a_queued_request_shows_what_is_planned() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    assert_json_snapshot!(server.get(&format!("/v1/requests/{id}")).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "status": "in_queue",
      "queue_position": 1,
      "created_at": "2026-01-01T00:00:00.000000+00:00",
      "input": {
        "prompt": "Based on @Video1, generate the next shot",
        "video_url": "https://media.example/a.mp4",
        "keep_audio": false,
        "image_urls": [],
        "elements": [],
        "aspect_ratio": "auto",
        "duration": "5"
      },
      "plan": {
        "prompt": "Based on @Video1, generate the next shot",
        "media": 1,
        "secs": 5
      },
      "unmet": [
        {
          "words": "rain",
          "reason": "not in this test"
        }
      ],
      "warnings": [],
      "stages": [],
      "events": [
        {
          "at": "2026-01-01T00:00:00.000000+00:00",
          "kind": "received",
          "message": ""
        }
      ],
      "priority": "normal",
      "attempts": 0,
      "expires_at": null,
      "status_url": "http://api.test/v1/requests/[request]/status",
      "result_url": "http://api.test/v1/requests/[request]/result",
      "cancel_url": "http://api.test/v1/requests/[request]/cancel"
    }
    "#);
}

#[tokio::test]
async fn the_record_of_a_finished_request_shows_what_was_made() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let lease = server.start().await;
    server.clock.advance_secs(9);
    server.publish(&lease).await;
    let mut record = server.get(&format!("/v1/requests/{id}")).await.tidy();
    let metrics = record["metrics"].take();
    assert_eq!(metrics, json!({"warp_error": 1.5}));
    let pass = json!({"name": "grade", "parameters": {"strength": 0.5}, "millis": 40});
    assert_eq!(record["passes"].take(), json!([pass]));
    record["input"].take();
    record["events"].take();
    assert_json_snapshot!(record, @r#"
    {
      "request_id": "[request]",
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "status": "succeeded",
      "created_at": "2026-01-01T00:00:00.000000+00:00",
      "finished_at": "2026-01-01T00:00:09.000000+00:00",
      "output": {
        "video": "http://api.test/files/t/clip.mp4"
      },
      "poster_url": "http://api.test/files/t/poster.jpg",
      "input": null,
      "plan": {
        "task": "next_shot"
      },
      "engine": {
        "name": "roto",
        "version": "0.1.0"
      },
      "metrics": null,
      "passes": null,
      "unmet": [],
      "warnings": [],
      "stages": [
        {
          "name": "intake",
          "started_at": "2026-01-01T00:00:00.000000+00:00",
          "finished_at": "2026-01-01T00:00:00.000000+00:00"
        },
        {
          "name": "run",
          "started_at": "2026-01-01T00:00:00.000000+00:00",
          "finished_at": "2026-01-01T00:00:09.000000+00:00"
        }
      ],
      "events": null,
      "priority": "normal",
      "attempts": 1,
      "cost": 0.56,
      "expires_at": null,
      "status_url": "http://api.test/v1/requests/[request]/status",
      "result_url": "http://api.test/v1/requests/[request]/result",
      "cancel_url": "http://api.test/v1/requests/[request]/cancel"
    }
    "#);
}
