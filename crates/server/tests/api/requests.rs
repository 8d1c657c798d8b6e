//! `GET /v1/requests`, `GET /v1/requests/{id}`

use axum::body::Body;
use domain::{Clock as _, KeyId, Priority, RequestId};
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use store::{NewRequest, Store, Terms};
use testkit::SeededRng;

use crate::support::{ACME, Fixture, KLING, with_key};

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
      "prompt": "Based on @Video1, generate the next shot",
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
      "prompt": "Based on @Video1, generate the next shot",
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

/// Sends a prompt to a model; the id.
async fn send(server: &Fixture, model: &str, prompt: &str) -> String {
    let body = if model == KLING {
        json!({"prompt": prompt, "video_url": "https://h/a.mp4"})
    } else {
        json!({"text": prompt})
    };
    let reply = server.post(model, &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["request_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_list_is_searched_by_words_of_prompt_model_and_id() {
    let server = Fixture::new().await;
    let rain = send(&server, KLING, "Slow RAIN over a quiet Été").await;
    let snow = send(&server, KLING, "slow snow").await;
    let still = send(&server, ACME, "Rain on a window").await;
    let list = async |query: &str| ids(&server.get(&format!("/v1/requests?{query}")).await.json());
    assert_eq!(list("search=rain").await, [still.as_str(), &rain], "whatever the field's name");
    assert_eq!(list("search=SLOW+quiet").await, [rain.as_str()]);
    assert_eq!(list("search=%C3%89T%C3%89").await, [rain.as_str()]);
    assert_eq!(list("search=acme").await, [still.as_str()]);
    assert_eq!(list("search=acme+window").await, [still.as_str()], "words of different places");
    assert_eq!(list(&format!("search={}", snow.to_uppercase())).await, [snow.as_str()]);
    assert!(list("search=slow+window").await.is_empty(), "all of them");
    assert!(list("search=a.mp4").await.is_empty(), "inputs are not looked at");
    assert_eq!(list("search=+").await.len(), 3, "no word");
    let model = KLING.trim_start_matches("/v1/models/");
    assert_eq!(list(&format!("search=rain&model_id={model}")).await, [rain.as_str()]);
    assert!(list("search=rain&status=failed").await.is_empty());
    assert_eq!(list("search=rain&status=in_queue").await.len(), 2);
    let page = server.get("/v1/requests?search=slow&limit=1").await.json();
    assert_eq!(ids(&page), [snow]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest =
        server.get(&format!("/v1/requests?search=slow&limit=1&cursor={cursor}")).await.json();
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec![rain], &Value::Null));
    let stranger = server.stranger().await;
    let request = with_key(&stranger, Method::GET, "/v1/requests?search=rain");
    let reply = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(ids(&reply.json()), [""; 0]);
    let long = server.get(&format!("/v1/requests?search={}", "a".repeat(129))).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert!(long.text().contains("search: "), "{}", long.text());
}

/// Puts a request into the store, past the catalogue.
async fn add(server: &Fixture, rng: &SeededRng, model: &str, prompt: &str) -> String {
    let now = server.clock.now();
    let new = NewRequest {
        id: RequestId::new(now, rng),
        owner: server.owner.clone(),
        key: KeyId::new(now, rng),
        model: model.trim_start_matches("/v1/models/").to_owned(),
        input: json!({"prompt": prompt}),
        warnings: Vec::new(),
        priority: Priority::Normal,
        created_at: now,
        terms: Terms::default(),
    };
    server.store.insert(new).await.unwrap().status.id.to_string()
}

#[tokio::test]
async fn a_search_looks_at_a_thousand_requests_at_most_and_goes_on_from_there() {
    let server = Fixture::new().await;
    let rng = SeededRng::new(21);
    let oldest = add(&server, &rng, KLING, "rain").await;
    for _ in 0..999 {
        add(&server, &rng, KLING, "snow").await;
    }
    let whole = server.get("/v1/requests?search=rain").await.json();
    assert_eq!((ids(&whole), &whole["next_cursor"]), (vec![oldest.clone()], &Value::Null));
    add(&server, &rng, KLING, "snow").await;
    let first = server.get("/v1/requests?search=rain").await.json();
    assert_eq!(ids(&first), [""; 0], "it is the 1001st");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/v1/requests?search=rain&cursor={cursor}")).await.json();
    assert_eq!((ids(&second), &second["next_cursor"]), (vec![oldest], &Value::Null));
}

#[tokio::test]
async fn a_request_whose_model_is_gone_is_listed_without_its_prompt() {
    let server = Fixture::new().await;
    let id = add(&server, &SeededRng::new(22), "gone/model", "rain").await;
    let found = server.get("/v1/requests?search=gone").await.json();
    assert_eq!(ids(&found), [id]);
    assert!(found["requests"][0].get("prompt").is_none(), "{found}");
    assert_eq!(ids(&server.get("/v1/requests?search=rain").await.json()), [""; 0]);
}
