//! What holds for every path.

use axum::body::Body;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use server::Config;

use crate::support::{Fixture, KLING, Setup, bare};

#[tokio::test]
async fn an_unknown_path_is_a_404_in_the_shape_of_all_errors() {
    let server = Fixture::new().await;
    let reply = server.get("/v2/nothing").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 404001,
      "error_message": "ResourceNotFound: there is nothing at this path"
    }
    "#);
    let hint = server.get("/v1/models/categories/").await;
    assert_eq!(hint.status, StatusCode::NOT_FOUND);
    let hint = server.get("/v1/requests/").await;
    assert!(hint.text().contains("without the last `/`"), "{}", hint.text());
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = Fixture::new().await;
    for (method, path, allow) in [
        (Method::DELETE, KLING, "GET,HEAD,POST"),
        (Method::POST, "/v1/models/categories", "GET,HEAD"),
        (Method::GET, "/v1/files", "POST"),
        (Method::GET, "/v1/requests/x/cancel", "POST"),
        (Method::PUT, "/healthz", "GET,HEAD"),
    ] {
        let request = server.request(method.clone(), path).body(Body::empty()).unwrap();
        let reply = server.send(request).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
        assert_eq!(reply.json()["error_code"], 405_001);
    }
}

#[tokio::test]
async fn every_reply_has_a_request_id_and_a_sane_one_is_kept() {
    let server = Fixture::new().await;
    for path in ["/healthz", "/nothing", "/v1/models"] {
        assert_eq!(server.get(path).await.header("x-request-id").len(), 32, "{path}");
    }
    let sent = |id: &str| {
        let request = bare(Method::PUT, "/healthz").header("x-request-id", id);
        server.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(sent("trace-1").await.header("x-request-id"), "trace-1");
    assert_eq!(sent("a b").await.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let server = Fixture::new().await;
    let request = server.request(Method::HEAD, "/v1/models").body(Body::empty()).unwrap();
    let reply = server.send(request).await;
    assert_eq!((reply.status, reply.bytes.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn the_public_url_wins_over_the_host() {
    let public_url = Some("https://clips.example/api/".parse().unwrap());
    let config = Config { public_url, ..Config::default() };
    let server = Fixture::with(Setup { config, ..Setup::default() }).await;
    let id = server.submit().await;
    let reply = server.get(&format!("/v1/requests/{id}/status")).await.json();
    assert_eq!(reply["result_url"], format!("https://clips.example/api/v1/requests/{id}/result"));
}

#[tokio::test]
async fn a_forwarded_host_counts_only_from_a_trusted_proxy() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let request = server.request(Method::GET, &format!("/v1/requests/{id}/status"));
    let request = request.header("x-forwarded-host", "evil.example");
    let reply = server.send(request.body(Body::empty()).unwrap()).await.json();
    assert_eq!(reply["status_url"], format!("http://api.test/v1/requests/{id}/status"));
}

#[tokio::test]
async fn a_host_that_is_none_is_refused() {
    let server = Fixture::new().await;
    let mut request = server.request(Method::GET, "/v1/models").body(Body::empty()).unwrap();
    request.headers_mut().insert("host", "a b/c".parse().unwrap());
    let reply = server.send(request).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.json()["error_code"], 400_000);
}
