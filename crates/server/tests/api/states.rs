//! `/v1/requests/{id}/status`, `/result`, `/cancel` in every state.

use axum::body::Body;
use domain::RequestId;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::Value;

use crate::support::{Fixture, Reply};

async fn status(server: &Fixture, id: &RequestId) -> Reply {
    server.get(&format!("/v1/requests/{id}/status")).await
}

async fn result(server: &Fixture, id: &RequestId) -> Reply {
    let reply = server.get(&format!("/v1/requests/{id}/result")).await;
    assert_eq!(reply.status, StatusCode::OK);
    reply
}

async fn cancel(server: &Fixture, id: &RequestId, query: &str) -> Value {
    let request = server.request(Method::POST, &format!("/v1/requests/{id}/cancel{query}"));
    let reply = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    reply.tidy()
}

fn says(body: &Value, status: &str, outcome: &str) {
    assert_eq!((&body["status"], &body["outcome"]), (&status.into(), &outcome.into()), "{body}");
}

#[tokio::test]
async fn queued() {
    let server = Fixture::new().await;
    server.submit().await;
    let id = server.submit().await;
    assert_json_snapshot!(status(&server, &id).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "status": "in_queue",
      "queue_position": 2,
      "status_url": "http://api.test/v1/requests/[request]/status",
      "result_url": "http://api.test/v1/requests/[request]/result"
    }
    "#);
    assert_json_snapshot!(result(&server, &id).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "status": "in_queue",
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "created_at": "2026-01-01T00:00:00.000000+00:00"
    }
    "#);
}

#[tokio::test]
async fn running() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let _lease = server.start().await;
    assert_json_snapshot!(status(&server, &id).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "status": "in_progress",
      "status_url": "http://api.test/v1/requests/[request]/status",
      "result_url": "http://api.test/v1/requests/[request]/result"
    }
    "#);
    assert_eq!(result(&server, &id).await.json()["status"], "in_progress");
    assert_json_snapshot!(cancel(&server, &id, "").await, @r#"
    {
      "request_id": "[request]",
      "status": "in_progress",
      "outcome": "not_cancellable"
    }
    "#);
    says(&cancel(&server, &id, "?force=true").await, "cancelled", "cancelled");
    says(&cancel(&server, &id, "?force=true").await, "cancelled", "cancelled");
}

#[tokio::test]
async fn succeeded() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let lease = server.start().await;
    server.clock.advance_millis(61_500);
    server.publish(&lease).await;
    let body = status(&server, &id).await.json();
    assert_eq!(body["status"], "completed");
    assert_eq!(body.get("queue_position"), None);
    assert_json_snapshot!(result(&server, &id).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "status": "succeeded",
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "output": {
        "video": "http://api.test/files/t/clip.mp4"
      },
      "created_at": "2026-01-01T00:00:00.000000+00:00",
      "finished_at": "2026-01-01T00:01:01.500000+00:00"
    }
    "#);
    says(&cancel(&server, &id, "?force=true").await, "completed", "not_cancellable");
}

#[tokio::test]
async fn failed_is_completed_on_status_and_failed_on_result() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let lease = server.start().await;
    server.fail(&lease).await;
    assert_eq!(status(&server, &id).await.json()["status"], "completed");
    assert_json_snapshot!(result(&server, &id).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "status": "failed",
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "error": {
        "code": "input_invalid",
        "type": "input",
        "message": "video_url: 12 s",
        "detail": [
          {
            "loc": [
              "body",
              "video_url"
            ],
            "msg": "video_url: 12 s",
            "type": "video_duration_too_long",
            "ctx": {
              "max_duration": 10.05
            }
          }
        ]
      },
      "created_at": "2026-01-01T00:00:00.000000+00:00",
      "finished_at": "2026-01-01T00:00:00.000000+00:00"
    }
    "#);
    says(&cancel(&server, &id, "").await, "completed", "not_cancellable");
}

#[tokio::test]
async fn cancelled_stays_cancelled_as_often_as_it_is_asked() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    for _ in 0..3 {
        says(&cancel(&server, &id, "").await, "cancelled", "cancelled");
    }
    assert_eq!(status(&server, &id).await.json()["status"], "cancelled");
    assert_json_snapshot!(result(&server, &id).await.tidy(), @r#"
    {
      "request_id": "[request]",
      "status": "cancelled",
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "created_at": "2026-01-01T00:00:00.000000+00:00",
      "finished_at": "2026-01-01T00:00:00.000000+00:00"
    }
    "#);
}

#[tokio::test]
async fn include_cost_adds_a_number_in_every_state() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let path = format!("/v1/requests/{id}/result?include_cost=true");
    assert_eq!(server.get(&path).await.json()["cost"], 0.0);
    let lease = server.start().await;
    server.publish(&lease).await;
    assert_eq!(server.get(&path).await.json()["cost"], 0.56);
    assert_eq!(result(&server, &id).await.json().get("cost"), None);
}

#[tokio::test]
async fn no_reply_that_is_2xx_has_an_error_code() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let lease = server.start().await;
    server.fail(&lease).await;
    for rest in ["", "/status", "/result?include_cost=true"] {
        let reply = server.get(&format!("/v1/requests/{id}{rest}")).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(!reply.text().contains("error_code"), "{}", reply.text());
    }
}
