//! The link that signs in once.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::{Config, Peer};
use store::Store as _;
use store::faulty::{Faulty, When};
use store::memory::MemoryStore;

use crate::support::{Fixture, Reply, Setup, bare};

const HERE: &str = "127.0.0.1:50000";

async fn post(server: &Fixture, from: Option<&str>, body: String) -> Reply {
    let request = bare(Method::POST, "/v1/sign-in").header("content-type", "application/json");
    let mut request = request.body(Body::from(body)).unwrap();
    if let Some(from) = from {
        let (remote, local) = (from.parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        request.extensions_mut().insert(Peer { remote, local });
    }
    server.send(request).await
}

async fn sign_in(server: &Fixture, from: &str, code: &str) -> Reply {
    post(server, Some(from), json!({"code": code}).to_string()).await
}

fn refused(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", reply.text());
    let message = reply.json()["error_message"].as_str().unwrap().to_owned();
    assert!(message.contains("paste a key") && message.contains("reshoot keys create"));
    message
}

fn offer(server: &Fixture) -> String {
    server.app.offer_sign_in(server.owner.clone()).unwrap()
}

#[tokio::test]
async fn a_code_buys_an_admin_key_of_the_owner_and_buys_it_once() {
    let server = Fixture::new().await;
    let code = offer(&server);
    assert!(refused(&sign_in(&server, HERE, &code[1..]).await).contains("not known"));
    let reply = sign_in(&server, HERE, &code).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let key = reply.json()["key"].as_str().unwrap().to_owned();
    let request = bare(Method::GET, "/v1/keys").header("authorization", format!("Bearer {key}"));
    let keys = server.send(request.body(Body::empty()).unwrap()).await.json();
    let made = keys["keys"].as_array().unwrap().iter().find(|key| key["name"] == "pages").unwrap();
    assert_eq!((&made["role"], &made["owner_id"]), (&json!("admin"), &json!(server.owner)));
    assert!(refused(&sign_in(&server, HERE, &code).await).contains("no link is open"));
    assert_eq!(server.store.keys(None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_code_is_good_for_an_hour_and_no_longer_than_the_next_one() {
    let server = Fixture::new().await;
    let code = offer(&server);
    server.clock.advance_secs(3600);
    refused(&sign_in(&server, HERE, &code).await);
    let (old, new) = (offer(&server), offer(&server));
    server.clock.advance_secs(3599);
    refused(&sign_in(&server, HERE, &old).await);
    assert_eq!(sign_in(&server, HERE, &new).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_comes_from_elsewhere_is_refused_whatever_the_code() {
    let server = Fixture::new().await;
    let code = offer(&server);
    for from in ["192.0.2.7:443", "[2001:db8::1]:443", "[::ffff:192.0.2.7]:443"] {
        assert!(from.parse::<SocketAddr>().is_ok());
        assert!(refused(&sign_in(&server, from, &code).await).contains("own machine"), "{from}");
    }
    let unknown = post(&server, None, json!({"code": code}).to_string()).await;
    refused(&unknown);
    assert_eq!(sign_in(&server, "[::ffff:127.0.0.1]:443", &code).await.status, StatusCode::OK);

    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let config = Config { trusted_proxies, ..Config::default() };
    let server = Fixture::with(Setup { config, ..Setup::default() }).await;
    assert_eq!(server.app.offer_sign_in(server.owner.clone()), None);
    assert!(refused(&sign_in(&server, HERE, &code).await).contains("no proxy"));
}

#[tokio::test]
async fn bodies_that_are_none_are_told_apart_and_use_nothing_up() {
    let server = Fixture::new().await;
    let code = offer(&server);
    let long = json!({"code": "a".repeat(5000)}).to_string();
    for (body, status) in [
        (String::new(), StatusCode::BAD_REQUEST),
        ("{".to_owned(), StatusCode::BAD_REQUEST),
        (json!({}).to_string(), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"code": 7}).to_string(), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"code": code, "role": "admin"}).to_string(), StatusCode::UNPROCESSABLE_ENTITY),
        (long, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let reply = post(&server, Some(HERE), body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
    }
    let long = post(&server, Some(HERE), " ".repeat(5000)).await;
    assert!(long.text().contains("4 KiB"), "{}", long.text());
    assert_eq!(sign_in(&server, HERE, &code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_store_that_fails_leaves_the_code_good() {
    let memory = Arc::new(MemoryStore::new());
    let faulty = Arc::new(Faulty::new(memory.clone()));
    let store = Some((memory, faulty.clone() as Arc<dyn store::Store>));
    let server = Fixture::with(Setup { store, ..Setup::default() }).await;
    let code = offer(&server);
    faulty.fail_at(1, When::Before);
    let failed = sign_in(&server, HERE, &code).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    let again: Value = sign_in(&server, HERE, &code).await.json();
    assert!(again["key"].as_str().unwrap().starts_with("rsk_"));
}
