//! Who is let in, and what is said to who is not.

use axum::body::Body;
use domain::key::SecretKey;
use domain::{Clock, RequestId};
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use server::{Access, ROUTES};
use store::Store;
use testkit::SeededRng;

use crate::support::{ACME, Fixture, KLING, Reply, bare, with_key};

async fn with_header(server: &Fixture, value: &str) -> Reply {
    let request = bare(Method::GET, "/v1/models").header("authorization", value);
    server.send(request.body(Body::empty()).unwrap()).await
}

fn message(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    assert_eq!(reply.json()["error_code"], 400_004);
    reply.json()["error_message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_call_without_a_key_is_told_how_to_send_one() {
    let server = Fixture::new().await;
    let request = bare(Method::GET, "/v1/models").body(Body::empty()).unwrap();
    let reply = server.send(request).await;
    message(&reply);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 400004,
      "error_message": "UserAccountError: no key was sent, `Authorization: Bearer <key>` is required"
    }
    "#);
}

#[tokio::test]
async fn the_kind_of_fault_is_named_and_the_key_is_not_repeated() {
    let server = Fixture::new().await;
    let good = server.key.expose().to_owned();
    let last = if good.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{last}", &good[..good.len() - 1]);
    let unknown = SecretKey::new(&SeededRng::new(5)).expose().to_owned();
    for (value, want) in [
        (format!("Basic {good}"), "not of the form"),
        (good.clone(), "not of the form"),
        ("Bearer sk-123".to_owned(), "a key is `rsk_`"),
        (format!("Bearer {mistyped}"), "checksum"),
        (format!("Bearer {unknown}"), "not known"),
    ] {
        let said = message(&with_header(&server, &value).await);
        assert!(said.contains(want), "{value}: {said}");
        assert!(!said.contains(&unknown) && !said.contains(&good), "{said}");
    }
    assert_eq!(with_header(&server, &format!("bEARER {good}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_key_stops_at_the_next_call() {
    let server = Fixture::new().await;
    assert_eq!(server.get("/v1/models").await.status, StatusCode::OK);
    let id = server.store.keys(Some(&server.owner)).await.unwrap()[0].id.clone();
    assert!(server.store.revoke_key(&id, server.clock.now()).await.unwrap());
    assert!(message(&server.get("/v1/models").await).contains("revoked"));
}

/// A path of the template, with something in each parameter.
fn filled(template: &str) -> String {
    let fill = |part: &str| match part {
        "{*model_id}" => KLING["/v1/models/".len()..].to_owned(),
        part if part.starts_with('{') => "x".to_owned(),
        part => part.to_owned(),
    };
    template.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn a_call_asks_for_a_key_before_it_looks_at_anything_else_unless_it_is_open_to_all() {
    let server = Fixture::new().await;
    let mut calls: Vec<_> =
        ROUTES.iter().map(|r| (r.method.clone(), filled(r.path), r.access)).collect();
    for (method, path) in [
        (Method::GET, "/v1/models?limit=x"),
        (Method::POST, "/v1/models/no/such?dry_run=maybe"),
        (Method::GET, ACME),
        (Method::GET, "/v1/requests?limit=x"),
    ] {
        calls.push((method, path.to_owned(), Access::Key));
    }
    for (method, path, access) in calls {
        let reply = server.send(bare(method.clone(), &path).body(Body::empty()).unwrap()).await;
        let refused = reply.status == StatusCode::UNAUTHORIZED;
        // Open to who has the code of a link, and comes from this machine.
        let closed = access == Access::Key || path == "/v1/sign-in";
        assert_eq!(refused, closed, "{method} {path}: {}", reply.text());
    }
}

#[tokio::test]
async fn another_owners_request_is_answered_as_one_that_does_not_exist() {
    let server = Fixture::new().await;
    let (id, stranger) = (server.submit().await, server.stranger().await);
    let unknown = RequestId::new(server.clock.now(), &SeededRng::new(4));
    let long = "a".repeat(5000);
    for (method, rest) in [
        (Method::GET, ""),
        (Method::GET, "/status"),
        (Method::GET, "/result"),
        (Method::POST, "/cancel?force=true"),
    ] {
        for id in [id.as_str(), unknown.as_str(), "req_1", "..%2f..", "%ff", &long] {
            let path = format!("/v1/requests/{id}{rest}");
            let request = with_key(&stranger, method.clone(), &path);
            let reply = server.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(
                reply.text(),
                r#"{"error_code":404001,"error_message":"ResourceNotFound: there is no request with this id"}"#
            );
        }
    }
    let mine = server.get(&format!("/v1/requests/{id}/status")).await.json();
    assert_eq!(mine["status"], "in_queue");
}

#[tokio::test]
async fn whoami_and_balance_have_what_clients_print() {
    let server = Fixture::new().await;
    assert_json_snapshot!(server.get("/api/auth/me").await.tidy(), @r#"
    {
      "id": "[owner]",
      "email": "studio",
      "token_type": "user",
      "token_created_at": "2026-01-01T00:00:00.000000+00:00"
    }
    "#);
    let balance = server.get("/v1/balance").await;
    assert_json_snapshot!(balance.json(), @r#"
    {
      "balance_usd": 1000000,
      "balance_microdollars": 1000000000000,
      "currency": "USD"
    }
    "#);
    assert_eq!(server.get("/prod/v2/balance").await.bytes, balance.bytes);
}
