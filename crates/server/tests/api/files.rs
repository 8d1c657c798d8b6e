//! `POST /v1/files`, `/files/{token}/{name}`

use std::sync::Arc;

use axum::body::Body;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use server::Config;

use crate::support::{Fixture, PNG, Repeating, Reply, Setup, bare};

async fn upload(server: &Fixture, content_type: &str, body: impl Into<Body>) -> Reply {
    let request = server.request(Method::POST, "/v1/files").header("content-type", content_type);
    server.send(request.body(body.into()).unwrap()).await
}

fn multipart(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, bytes) in parts {
        body.extend(
            format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

/// Uploads [`PNG`]; the path of its URL.
async fn uploaded(server: &Fixture) -> String {
    let reply = upload(server, "image/png", PNG).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let url = reply.json()["url"].as_str().unwrap().to_owned();
    url.strip_prefix("http://api.test").unwrap().to_owned()
}

async fn fetch(server: &Fixture, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = bare(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_upload_is_answered_with_its_url_and_what_it_is() {
    let server = Fixture::new().await;
    let reply = upload(&server, "application/octet-stream", PNG).await;
    assert_json_snapshot!(reply.tidy(), @r#"
    {
      "url": "http://api.test/files/[token]/upload.png",
      "bytes": 13,
      "content_type": "image/png",
      "expires_at": null
    }
    "#);
}

#[tokio::test]
async fn a_multipart_upload_takes_the_part_that_is_a_file() {
    let server = Fixture::new().await;
    let body = multipart(&[("name=\"note\"", b"hi"), ("name=\"f\"; filename=\"my cat.mp4\"", PNG)]);
    let reply = upload(&server, "multipart/form-data; boundary=XX", body).await;
    assert_json_snapshot!(reply.tidy(), @r#"
    {
      "url": "http://api.test/files/[token]/my_cat.png",
      "bytes": 13,
      "content_type": "image/png",
      "expires_at": null
    }
    "#);
    let none =
        upload(&server, "multipart/form-data; boundary=XX", multipart(&[("name=\"note\"", b"hi")]))
            .await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    let torn = upload(&server, "multipart/form-data; boundary=XX", &b"--XX\r\nContent-"[..]).await;
    assert_eq!(torn.status, StatusCode::BAD_REQUEST);
    let blind = upload(&server, "multipart/form-data", PNG).await;
    assert_eq!(blind.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_no_picture_and_no_video_is_refused_whatever_it_says() {
    let server = Fixture::new().await;
    let reply = upload(&server, "image/png", "<html><script>").await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(reply.json()["error_code"], 415_001);
    assert_eq!(upload(&server, "image/png", "").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.kept("uploads").await, 0);
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused_and_leaves_nothing() {
    let config = Config { max_upload_bytes: 100_000, ..Config::default() };
    let server = Fixture::with(Setup { config, ..Setup::default() }).await;
    let file = |len: usize| [PNG, &vec![0; len - PNG.len()]].concat();
    assert_eq!(upload(&server, "image/png", file(100_000)).await.status, StatusCode::OK);
    let over = upload(&server, "image/png", file(100_001)).await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(over.json()["error_code"], 413_001);
    let form = "multipart/form-data; boundary=XX";
    let name = "name=\"f\"; filename=\"a.png\"";
    let over = upload(&server, form, multipart(&[(name, &file(100_001))])).await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);
    let over = upload(&server, form, multipart(&[(name, &file(300_000))])).await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", over.text());
    assert_eq!(server.kept("uploads").await, 1);
}

#[tokio::test]
async fn bytes_of_a_file_that_got_no_name_are_removed() {
    let server = Fixture::with(Setup { rng: Arc::new(Repeating), ..Setup::default() }).await;
    uploaded(&server).await;
    let form = multipart(&[("name=\"f\"; filename=\"second.png\"", PNG)]);
    let reply = upload(&server, "multipart/form-data; boundary=XX", form).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(server.kept("uploads").await, 1);
}

#[tokio::test]
async fn a_file_is_shown_without_a_key_and_can_do_nothing_in_a_browser() {
    let server = Fixture::new().await;
    let path = uploaded(&server).await;
    let reply = fetch(&server, Method::GET, &path, &[]).await;
    assert_eq!((reply.status, reply.bytes.as_slice()), (StatusCode::OK, PNG));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "13"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
        ("content-disposition", "inline; filename=\"upload.png\""),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, max-age=31536000, immutable"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert_eq!(reply.header("etag").len(), 66);
    let head = fetch(&server, Method::HEAD, &path, &[("range", "bytes=0-1")]).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), "13");
    let other = path.replace("upload.png", "other.png");
    assert_eq!(fetch(&server, Method::GET, &other, &[]).await.status, StatusCode::NOT_FOUND);
    for path in ["/files/x/y", "/files/%ff/%fe", &format!("/files/{}/%00", "0".repeat(48))] {
        let reply = fetch(&server, Method::GET, path, &[]).await;
        assert_eq!(reply.json()["error_code"], 404_001, "{path}");
    }
}

#[tokio::test]
async fn parts_of_a_file_are_sent_as_asked() {
    let server = Fixture::new().await;
    let path = uploaded(&server).await;
    for (range, part, content_range) in [
        ("bytes=1-3", &PNG[1..4], "bytes 1-3/13"),
        ("bytes=9-", &PNG[9..], "bytes 9-12/13"),
        ("bytes=-4", &PNG[9..], "bytes 9-12/13"),
    ] {
        let reply = fetch(&server, Method::GET, &path, &[("range", range)]).await;
        assert_eq!((reply.status, reply.bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, part));
        assert_eq!(reply.header("content-range"), content_range);
        assert_eq!(reply.header("content-length"), part.len().to_string());
    }
    let many = fetch(&server, Method::GET, &path, &[("range", "bytes=0-1,4-5")]).await;
    assert_eq!((many.status, many.bytes.len()), (StatusCode::OK, 13));
    let beyond = fetch(&server, Method::GET, &path, &[("range", "bytes=13-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */13");
}

#[tokio::test]
async fn a_client_that_has_the_file_is_told_so() {
    let server = Fixture::new().await;
    let path = uploaded(&server).await;
    let etag = fetch(&server, Method::GET, &path, &[]).await.header("etag").to_owned();
    let reply = fetch(&server, Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(reply.header("etag"), etag);
    let range = [("range", "bytes=0-1"), ("if-range", "\"another\"")];
    let reply = fetch(&server, Method::GET, &path, &range).await;
    assert_eq!((reply.status, reply.bytes.len()), (StatusCode::OK, 13));
    let range = [("range", "bytes=0-1"), ("if-range", etag.as_str())];
    let reply = fetch(&server, Method::GET, &path, &range).await;
    assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT);
}
