//! `/healthz`, `/readyz`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use server::{Config, Probe};

use crate::support::{Fixture, Reply, Setup, bare};

#[derive(Default)]
struct Workers {
    stuck: AtomicBool,
    asked: AtomicUsize,
}

#[async_trait]
impl Probe for Workers {
    fn name(&self) -> &'static str {
        "workers"
    }

    async fn check(&self) -> Result<(), String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.stuck.load(Ordering::SeqCst) { Err("none is alive".to_owned()) } else { Ok(()) }
    }
}

async fn ask(server: &Fixture, path: &str) -> Reply {
    server.send(bare(Method::GET, path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn health_needs_no_key_and_nothing_else() {
    let server = Fixture::new().await;
    std::fs::remove_dir_all(server.root()).unwrap();
    let reply = ask(&server, "/healthz").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["status"], "ok");
}

#[tokio::test]
async fn readiness_names_what_is_wrong_and_looks_again_after_a_second() {
    let workers = Arc::new(Workers::default());
    let probes = vec![Arc::clone(&workers) as Arc<dyn Probe>];
    let server = Fixture::with(Setup { probes, ..Setup::default() }).await;
    let reply = ask(&server, "/readyz").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "status": "ok",
      "checks": [
        {
          "name": "server",
          "status": "ok"
        },
        {
          "name": "store",
          "status": "ok"
        },
        {
          "name": "artifacts",
          "status": "ok"
        },
        {
          "name": "workers",
          "status": "ok"
        }
      ]
    }
    "#);
    workers.stuck.store(true, Ordering::SeqCst);
    server.clock.advance_millis(999);
    assert_eq!(ask(&server, "/readyz").await.status, StatusCode::OK);
    assert_eq!(workers.asked.load(Ordering::SeqCst), 1);
    server.clock.advance_millis(1);
    let reply = ask(&server, "/readyz").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["status"], "failing");
    assert_eq!(reply.json()["checks"][3]["message"], "none is alive");
}

struct Hung;

#[async_trait]
impl Probe for Hung {
    fn name(&self) -> &'static str {
        "hung"
    }

    async fn check(&self) -> Result<(), String> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_check_that_hangs_fails_by_name_and_the_others_are_told() {
    let probes = vec![Arc::new(Hung) as Arc<dyn Probe>, Arc::new(Workers::default())];
    let config = Config { check_timeout: Duration::from_millis(20), ..Config::default() };
    let server = Fixture::with(Setup { config, probes, ..Setup::default() }).await;
    let reply = ask(&server, "/readyz").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let checks = reply.json()["checks"].clone();
    assert_eq!(checks[3]["message"], "no answer within 20 ms");
    assert_eq!(checks[4]["status"], "ok");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_not_ready_and_not_named() {
    let server = Fixture::new().await;
    // A file where the probe's folder has to be: root may write anywhere else.
    std::fs::write(server.root().join("check"), b"").unwrap();
    let reply = ask(&server, "/readyz").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["checks"][2]["status"], "failing");
    assert!(!reply.text().contains(server.root().to_str().unwrap()), "{}", reply.text());
}
