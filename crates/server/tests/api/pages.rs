//! The pages: one shell, files that never change, and what they may do.

use axum::body::Body;
use http::{Method, StatusCode};
use server::{Access, ROUTES};

use crate::support::{Fixture, Reply, bare};

/// As a browser asks: no key.
async fn get(server: &Fixture, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = bare(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_address_of_the_pages_is_the_same_shell_bound_by_a_policy() {
    let server = Fixture::new().await;
    let first = get(&server, "/", &[]).await;
    assert_eq!(first.header("content-type"), "text/html; charset=utf-8");
    let policy = first.header("content-security-policy").to_owned();
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "connect-src 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    let shells = ROUTES.iter().filter(|route| route.access == Access::Page);
    let shells = shells.filter(|route| !route.path.starts_with("/assets/"));
    for route in shells {
        let path = route.path.replace("{*model_id}", "a/b").replace(['{', '}'], "");
        let reply = get(&server, &path, &[]).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, first.text()), "{path}");
        assert_eq!(reply.header("content-security-policy"), policy, "{path}");
    }
}

#[tokio::test]
async fn a_shell_that_is_known_is_not_sent_again() {
    let server = Fixture::new().await;
    let etag = get(&server, "/usage", &[]).await.header("etag").to_owned();
    let again = get(&server, "/usage", &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn files_are_kept_for_ever_at_an_address_that_changes_with_them() {
    let server = Fixture::new().await;
    let shell = get(&server, "/", &[]).await.text();
    let at = shell.find("/assets/").unwrap();
    let folder = shell[at..].split('/').nth(2).unwrap().to_owned();
    let path = format!("/assets/{folder}/js/app.js");
    let plain = get(&server, &path, &[]).await;
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(plain.text().contains("import"));
    let packed = get(&server, &path, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 2 < plain.bytes.len());
    for missing in [
        "/assets/0/js/app.js",
        &format!("/assets/{folder}/js/none.js"),
        &format!("/assets/{folder}/index.html"),
    ] {
        assert_eq!(get(&server, missing, &[]).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
}
