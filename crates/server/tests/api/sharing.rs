//! `/v1/requests/{id}/share`, `/v1/shared/{token}`, `/v1/shared/{token}/{name}`

use axum::body::Body;
use domain::usage::Microdollars;
use domain::{Clock as _, FileToken, Lease, RequestId};
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use store::row::PublishedBody;
use store::{FileRow, Published, Store};
use testkit::SeededRng;

use crate::support::{Fixture, PNG, Reply, bare, with_key};

const HOST: &str = "http://api.test";

async fn call(server: &Fixture, method: Method, path: &str) -> Reply {
    server.send(server.request(method, path).body(Body::empty()).unwrap()).await
}

/// A call without a key.
async fn open(server: &Fixture, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = bare(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn look(server: &Fixture, path: &str) -> Reply {
    open(server, Method::GET, path, &[]).await
}

/// A file of a request, whose bytes are there.
async fn put(server: &Fixture, lease: &Lease, name: &str, seed: u64) -> FileRow {
    let path = format!("outputs/{}/{name}", lease.request);
    let source = server.root().join(name);
    std::fs::write(&source, PNG).unwrap();
    let info = server.artifacts.put_file(&path, &source).await.unwrap();
    FileRow {
        token: FileToken::new(&SeededRng::new(seed)),
        name: name.to_owned(),
        owner: server.owner.clone(),
        request: Some(lease.request.clone()),
        path: info.path,
        content_type: "image/png".to_owned(),
        bytes: info.bytes,
        sha256: info.sha256,
        created_at: server.clock.now(),
    }
}

/// A request with a clip, a poster, and a file that its result does not name.
async fn finished(server: &Fixture) -> RequestId {
    let id = server.submit().await;
    let lease = server.start().await;
    let files = [
        put(server, &lease, "clip.png", 1).await,
        put(server, &lease, "poster.png", 2).await,
        put(server, &lease, "mask.png", 3).await,
    ];
    let cost = Microdollars(560_000);
    let body = PublishedBody {
        output: json!({"video": files[0].url_path()}),
        poster: Some(files[1].url_path()),
        plan: json!({}),
        report: json!({}),
        cost,
    };
    let published = Published { body, files: files.into(), units: 5, cost };
    server.clock.advance_secs(9);
    server.store.publish(&lease, published, server.clock.now()).await.unwrap();
    id
}

/// The path of what the link of a request shows.
async fn share(server: &Fixture, id: &RequestId) -> String {
    let reply = call(server, Method::POST, &format!("/v1/requests/{id}/share")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let url = reply.json()["url"].as_str().unwrap().to_owned();
    let token = url.strip_prefix(&format!("{HOST}/share/")).unwrap();
    assert_eq!(token.len(), 48, "{url}");
    format!("/v1/shared/{token}")
}

fn is_gone(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{}", reply.text());
    assert_eq!(
        reply.text(),
        r#"{"error_code":404001,"error_message":"ResourceNotFound: there is nothing at this link, or it was taken back"}"#
    );
}

#[tokio::test]
async fn a_link_shows_the_result_to_everybody_and_nothing_else() {
    let server = Fixture::new().await;
    let id = finished(&server).await;
    let record = format!("/v1/requests/{id}");
    assert!(call(&server, Method::GET, &record).await.json().get("share_url").is_none());
    let shown = share(&server, &id).await;
    assert_eq!(share(&server, &id).await, shown, "the same link while it stands");
    let token = shown.strip_prefix("/v1/shared/").unwrap();
    let record = call(&server, Method::GET, &record).await.json();
    assert_eq!(record["share_url"], format!("{HOST}/share/{token}"));

    let reply = look(&server, &shown).await;
    assert_eq!(reply.header("cache-control"), "private, no-cache");
    let body: Value = serde_json::from_str(&reply.text().replace(token, "[token]")).unwrap();
    assert_json_snapshot!(body, @r#"
    {
      "model_id": "kling/kling-video-o1/video-to-video/reference",
      "output": {
        "video": "http://api.test/v1/shared/[token]/clip.png"
      },
      "poster_url": "http://api.test/v1/shared/[token]/poster.png",
      "created_at": "2026-01-01T00:00:00.000000+00:00",
      "finished_at": "2026-01-01T00:00:09.000000+00:00"
    }
    "#);
}

#[tokio::test]
async fn the_files_of_a_link_are_streamed_as_files_are() {
    let server = Fixture::new().await;
    let shown = share(&server, &finished(&server).await).await;
    let clip = format!("{shown}/clip.png");
    let reply = look(&server, &clip).await;
    assert_eq!((reply.status, reply.bytes.as_slice()), (StatusCode::OK, PNG));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "13"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
        ("content-disposition", "inline; filename=\"clip.png\""),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    let etag = reply.header("etag").to_owned();
    let known = open(&server, Method::GET, &clip, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status, known.header("etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
    let part = open(&server, Method::GET, &clip, &[("range", "bytes=1-3")]).await;
    assert_eq!((part.status, part.bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, &PNG[1..4]));
    let beyond = open(&server, Method::GET, &clip, &[("range", "bytes=13-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let head = open(&server, Method::HEAD, &clip, &[]).await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, "13"));
    assert_eq!(look(&server, &format!("{shown}/poster.png")).await.status, StatusCode::OK);
    is_gone(&look(&server, &format!("{shown}/mask.png")).await);
    is_gone(&look(&server, &format!("{shown}/other.png")).await);
    let other = share(&server, &finished_again(&server).await).await;
    assert_ne!(other, shown, "each result has a link of its own");
}

/// A second request, whose files have other tokens.
async fn finished_again(server: &Fixture) -> RequestId {
    let id = server.submit().await;
    let lease = server.start().await;
    server.publish(&lease).await;
    id
}

#[tokio::test]
async fn taking_a_link_back_ends_all_that_was_seen_through_it() {
    let server = Fixture::new().await;
    let id = finished(&server).await;
    let path = format!("/v1/requests/{id}/share");
    let early = call(&server, Method::DELETE, &path).await;
    assert_eq!(early.status, StatusCode::NO_CONTENT, "there was none");
    let shown = share(&server, &id).await;
    let clip = format!("{shown}/clip.png");
    let etag = look(&server, &clip).await.header("etag").to_owned();
    assert_eq!(call(&server, Method::DELETE, &path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(call(&server, Method::DELETE, &path).await.status, StatusCode::NO_CONTENT);
    is_gone(&look(&server, &shown).await);
    is_gone(&look(&server, &clip).await);
    is_gone(&open(&server, Method::GET, &clip, &[("if-none-match", &etag)]).await);
    let record = call(&server, Method::GET, &format!("/v1/requests/{id}")).await.json();
    assert!(record.get("share_url").is_none(), "{record}");
    let anew = share(&server, &id).await;
    assert_ne!(anew, shown, "a link that was taken back does not come back");
    is_gone(&look(&server, &shown).await);

    let removed = call(&server, Method::DELETE, &format!("/v1/requests/{id}")).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    is_gone(&look(&server, &anew).await);
    is_gone(&look(&server, &format!("{anew}/clip.png")).await);
}

#[tokio::test]
async fn only_what_succeeded_is_shared_and_only_by_its_owner() {
    let server = Fixture::new().await;
    let id = server.submit().await;
    let path = format!("/v1/requests/{id}/share");
    let early = call(&server, Method::POST, &path).await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    assert_json_snapshot!(early.json(), @r#"
    {
      "error_code": 409001,
      "error_message": "this request has no result to share: only one that succeeded has"
    }
    "#);
    let lease = server.start().await;
    assert_eq!(call(&server, Method::POST, &path).await.status, StatusCode::CONFLICT);
    server.fail(&lease).await;
    assert_eq!(call(&server, Method::POST, &path).await.status, StatusCode::CONFLICT);

    let mine = finished(&server).await;
    let shown = share(&server, &mine).await;
    let stranger = server.stranger().await;
    for method in [Method::POST, Method::DELETE] {
        for id in [mine.as_str(), "req_1", "%ff"] {
            let path = format!("/v1/requests/{id}/share");
            let request = with_key(&stranger, method.clone(), &path);
            let reply = server.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
    assert_eq!(look(&server, &shown).await.status, StatusCode::OK, "it stands");
    for token in ["x", "%ff", &"0".repeat(48), &"0".repeat(5000)] {
        is_gone(&look(&server, &format!("/v1/shared/{token}")).await);
        is_gone(&look(&server, &format!("/v1/shared/{token}/clip.png")).await);
    }
}
