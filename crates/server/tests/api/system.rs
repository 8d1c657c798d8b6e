//! `/v1/system`: what an operator looks at first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use domain::Stage;
use domain::facts::Facts;
use domain::lease::Setback;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use server::{Config, Probe, Room, Slots};
use store::{Progress, Store as _};

use crate::support::{Fixture, KLING, Reply, Setup, bare, kling, with_key};

struct Disk;

impl Room for Disk {
    fn has_room(&self) -> bool {
        true
    }

    fn bytes(&self) -> Option<(u64, u64)> {
        Some((30, 100))
    }
}

#[derive(Default)]
struct Asked(AtomicUsize);

#[async_trait]
impl Probe for Asked {
    fn name(&self) -> &'static str {
        "workers"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err("none is alive".to_owned())
    }
}

async fn ask(server: &Fixture) -> Reply {
    let key = server.admin().await;
    server.send(with_key(&key, Method::GET, "/v1/system").body(Body::empty()).unwrap()).await
}

async fn shown(server: &Fixture) -> Value {
    let reply = ask(server).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn it_takes_a_key_of_role_admin() {
    let server = Fixture::new().await;
    let refused = server.get("/v1/system").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_json_snapshot!(refused.json(), @r#"
    {
      "error_code": 403001,
      "error_message": "PermissionDeniedError: the state of the installation takes a key of role admin"
    }
    "#);
}

#[tokio::test]
async fn a_server_at_rest_says_so() {
    let config = Config { slots: Slots { runs: 1, intakes: 8 }, ..Config::default() };
    let setup = Setup { config, room: Some(Arc::new(Disk)), ..Setup::default() };
    let server = Fixture::with(setup).await;
    server.clock.advance_secs(60);
    let mut system = shown(&server).await;
    system["version"] = json!("[version]");
    let engines = system.as_object_mut().unwrap().shift_remove("engines").unwrap();
    assert_eq!(
        (&engines[0]["name"], &engines[0]["honours"][0]["degree"]),
        (&json!("echo"), &json!("no"))
    );
    assert_eq!(engines[0]["models"][1], KLING["/v1/models/".len()..]);
    assert_json_snapshot!(system, @r#"
    {
      "status": "ok",
      "version": "[version]",
      "now": "2026-01-01T00:01:00.000000+00:00",
      "started_at": "2026-01-01T00:00:00.000000+00:00",
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
          "name": "disk",
          "status": "ok"
        }
      ],
      "queue": {
        "depth": 0,
        "oldest_age_secs": null,
        "groups": []
      },
      "running": [],
      "workers": {
        "runs": 1,
        "intakes": 8
      },
      "stages": [],
      "faults": [],
      "webhooks": {
        "pending": 0,
        "oldest_age_secs": null
      },
      "disk": {
        "free_bytes": 30,
        "total_bytes": 100
      }
    }
    "#);
}

#[tokio::test]
async fn the_checks_are_those_of_readiness_and_asked_no_oftener() {
    let probe = Arc::new(Asked::default());
    let probes = vec![Arc::clone(&probe) as Arc<dyn Probe>];
    let server = Fixture::with(Setup { probes, ..Setup::default() }).await;
    let ready = server.send(bare(Method::GET, "/readyz").body(Body::empty()).unwrap()).await;
    let system = shown(&server).await;
    assert_eq!(system["status"], "failing");
    assert_eq!(system["checks"], ready.json()["checks"]);
    assert_eq!(probe.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_waits_and_what_is_worked_on_is_shown_whoever_owns_it() {
    let server = Fixture::new().await;
    let stranger = server.stranger().await;
    let webhook = format!("{KLING}?webhook=https://hooks.example/a&webhook_intermediate_status=1");
    let mut ids = Vec::new();
    for key in [&server.key, &stranger, &server.key] {
        let request = with_key(key, Method::POST, &webhook);
        let reply = server.send(request.body(Body::from(kling().to_string())).unwrap()).await;
        ids.push(reply.json()["request_id"].clone());
        server.clock.advance_secs(10);
    }
    let system = shown(&server).await;
    let model = &KLING["/v1/models/".len()..];
    assert_eq!(
        system["queue"],
        json!({"depth": 3, "oldest_age_secs": 30.0, "groups": [
            {"model_id": model, "priority": "normal", "depth": 3, "oldest_age_secs": 30.0}
        ]})
    );
    assert_eq!((&system["running"], &system["disk"]), (&json!([]), &Value::Null));
    assert_eq!(system["webhooks"], json!({"pending": 3, "oldest_age_secs": 30.0}));

    // One is fetched, one runs for the second time.
    let now = || domain::Clock::now(server.clock.as_ref());
    let first = server.claim(Stage::Intake).await;
    server.store.inputs_kept(&first, Facts::default(), Vec::new(), now()).await.unwrap();
    let run = server.claim(Stage::Run).await;
    server.store.set_back(&run, Setback::Fault, "it broke", now()).await.unwrap();
    server.clock.advance_secs(60);
    let run = server.claim(Stage::Run).await;
    let progress = Progress { stage: "grade".to_owned(), fraction: 0.25 };
    server.store.extend(&run, now().plus_secs(60), Some(progress)).await.unwrap();
    let intake = server.claim(Stage::Intake).await;
    let since = now().to_string();
    let system = shown(&server).await;
    assert_eq!(
        system["running"],
        json!([
            {
                "request_id": ids[0], "model_id": model, "worker": run.worker, "stage": "run",
                "pass": "grade", "fraction": 0.25, "since": since, "attempt": 2
            },
            {
                "request_id": ids[1], "model_id": model, "worker": intake.worker,
                "stage": "intake", "since": since, "attempt": 1
            },
        ])
    );
    assert_eq!(system["queue"]["depth"], 2);
}

#[tokio::test]
async fn times_of_stages_are_those_of_successes() {
    let server = Fixture::new().await;
    for secs in 1..=10 {
        server.submit().await;
        let intake = server.claim(Stage::Intake).await;
        server.clock.advance_millis(500);
        let now = domain::Clock::now(server.clock.as_ref());
        server.store.inputs_kept(&intake, Facts::default(), Vec::new(), now).await.unwrap();
        let run = server.claim(Stage::Run).await;
        server.clock.advance_secs(secs);
        if secs == 10 { server.fail(&run).await } else { server.publish(&run).await }
    }
    assert_eq!(
        shown(&server).await["stages"],
        json!([
            {"name": "intake", "count": 9, "p50_secs": 0.5, "p90_secs": 0.5, "max_secs": 0.5},
            {"name": "run", "count": 9, "p50_secs": 5.0, "p90_secs": 9.0, "max_secs": 9.0},
        ])
    );
}

#[tokio::test]
async fn the_last_twenty_faults_are_shown_the_last_one_first() {
    let server = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..22 {
        ids.push(server.submit().await);
        let lease = server.claim(Stage::Intake).await;
        server.clock.advance_secs(1);
        server.fail(&lease).await;
    }
    let faults = shown(&server).await["faults"].as_array().unwrap().clone();
    let shown: Vec<_> = faults.iter().map(|fault| fault["request_id"].clone()).collect();
    let last: Vec<_> = ids.iter().rev().take(20).map(|id| json!(id)).collect();
    assert_eq!(shown, last);
    assert_eq!(
        faults[0],
        json!({
            "at": domain::Clock::now(server.clock.as_ref()).to_string(),
            "request_id": ids[21],
            "model_id": &KLING["/v1/models/".len()..],
            "code": "input_invalid",
            "message": "video_url: 12 s",
        })
    );
}
