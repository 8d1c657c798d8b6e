//! `/openapi.json`

use std::collections::BTreeSet;

use axum::body::Body;
use catalog::Catalog;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::{Access, Config, ROUTES};
use wire::ErrorCode;

use crate::schema::Schemas;
use crate::support::{ACME, Fixture, KLING, Setup, bare, kling};

const WRITTEN: &str = include_str!("../../src/openapi.json");

fn written() -> Value {
    serde_json::from_str(WRITTEN).unwrap()
}

async fn served(server: &Fixture) -> Value {
    let reply = server.send(bare(Method::GET, "/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    reply.json()
}

/// Method, path and description of every operation.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "parameters" {
                found.push((method.to_ascii_uppercase(), path.as_str(), operation));
            }
        }
    }
    found
}

/// All values with a member of this name, anywhere.
fn with_member<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|member| with_member(member, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| with_member(item, name, found)),
        _ => {}
    }
}

fn references(document: &Value) -> BTreeSet<&str> {
    let mut found = Vec::new();
    with_member(document, "$ref", &mut found);
    found.into_iter().map(|reference| reference.as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_call_is_described_and_nothing_else_is() {
    let document = served(&Fixture::new().await).await;
    let described: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(method, path, operation)| {
            let open = operation.get("security") == Some(&json!([]));
            (method, path, if open { "open" } else { "key" })
        })
        .collect();
    let mut there = BTreeSet::new();
    for route in ROUTES {
        let access = match route.access {
            Access::Open => "open",
            Access::Key => "key",
            Access::Page => continue,
        };
        let paths = match route.path {
            "/v1/models/{*model_id}" => vec![KLING, ACME],
            path => vec![path],
        };
        there.extend(paths.into_iter().map(|path| (route.method.to_string(), path, access)));
    }
    assert_eq!(described, there);
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_component_is_used() {
    let (written, served) = (written(), served(&Fixture::new().await).await);
    for document in [&written, &served] {
        for reference in references(document) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
    let used = references(&written);
    for group in ["parameters", "headers", "responses", "schemas"] {
        for name in written["components"][group].as_object().unwrap().keys() {
            let reference = format!("#/components/{group}/{name}");
            assert!(used.contains(reference.as_str()), "nothing uses {reference}");
        }
    }
}

#[tokio::test]
async fn every_operation_says_what_it_can_answer() {
    let server = Fixture::new().await;
    for document in [written(), served(&server).await] {
        let schemas = Schemas(&document);
        let mut ids = BTreeSet::new();
        for (method, path, operation) in operations(&document) {
            let call = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{call}: id");
            for text in [&operation["summary"], &operation["tags"][0]] {
                assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{call}");
            }
            let responses = operation["responses"].as_object().unwrap();
            let mut needed = vec!["500"];
            if operation.get("security") != Some(&json!([])) {
                needed.extend(["401", "503"]);
            }
            if operation.get("requestBody").is_some() {
                needed.extend(["400", "408", "413", "415"]);
            }
            for status in needed {
                assert!(responses.contains_key(status), "{call}: {status}");
            }
            for (status, response) in responses {
                let response = schemas.resolve(response);
                assert!(response["headers"].get("x-request-id").is_some(), "{call}: {status}");
                let is_error = !status.starts_with(['2', '3']);
                let schema = response.pointer("/content/application~1json/schema/$ref");
                let exempt = status == "416" || (path == "/readyz" && status == "503");
                let body = json!("#/components/schemas/ErrorBody");
                assert_eq!(is_error && !exempt, schema == Some(&body), "{call}: {status}");
                let waits = ["409", "429", "503"].contains(&status.as_str()) && !exempt;
                assert_eq!(
                    waits,
                    response["headers"].get("Retry-After").is_some(),
                    "{call}: {status}"
                );
            }
        }
    }
}

#[test]
fn the_error_numbers_are_those_of_the_wire() {
    let written = written();
    let known =
        written["components"]["schemas"]["ErrorBody"]["properties"]["error_code"]["enum"].clone();
    assert_eq!(known, json!(ErrorCode::ALL));
}

#[tokio::test]
async fn the_body_of_submit_is_described_in_json_schema() {
    let document = served(&Fixture::new().await).await;
    let schemas = Schemas(&document);
    let body =
        |path: &str| &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
    assert_eq!(schemas.faults(&body(KLING)["schema"], &kling()), [""; 0]);
    assert_eq!(schemas.faults(&body(KLING)["schema"], &body(KLING)["example"]), [""; 0]);
    assert!(!schemas.faults(&body(KLING)["schema"], &json!({"prompt": ""})).is_empty());
    assert!(body(ACME).get("example").is_none(), "its schema has no examples");
    let acme = &body(ACME)["schema"]["properties"];
    assert_eq!(acme["strength"]["type"], "number");
    assert_eq!(acme["cast"]["items"]["properties"]["face"]["format"], "uri");
    let elements = json!({"text": "x", "cast": [{"face": 1}]});
    assert_eq!(schemas.faults(&body(ACME)["schema"], &elements).len(), 1);
}

#[tokio::test]
async fn outputs_are_described_by_the_models() {
    let server = Fixture::new().await;
    let document = served(&server).await;
    let schemas = Schemas(&document);
    let output = &document["components"]["schemas"]["Output"];
    let titles: Vec<_> = output["anyOf"].as_array().unwrap().iter().map(|s| &s["title"]).collect();
    let ids: Vec<_> = server.app.parts().catalog.models().map(|m| json!(m.id())).collect();
    assert_eq!(titles, ids.iter().collect::<Vec<_>>());
    assert_eq!(schemas.faults(output, &json!({"video": "https://h/a.mp4"})), [""; 0]);
    assert!(!schemas.faults(output, &json!({"video": 7})).is_empty());
}

#[tokio::test]
async fn a_server_without_models_has_a_document() {
    let server =
        Fixture::with(Setup { catalog: Some(Catalog::default()), ..Setup::default() }).await;
    let document = served(&server).await;
    assert!(document["components"]["schemas"]["Output"].get("anyOf").is_none());
    assert!(
        !operations(&document)
            .iter()
            .any(|(method, path, _)| method == "POST" && path.contains("/models"))
    );
}

#[tokio::test]
async fn the_servers_url_is_that_of_the_client() {
    let server = Fixture::new().await;
    assert_eq!(served(&server).await["servers"], json!([{"url": "http://api.test"}]));
    let public_url = Some("https://clips.example/api/".parse().unwrap());
    let config = Config { public_url, ..Config::default() };
    let server = Fixture::with(Setup { config, ..Setup::default() }).await;
    assert_eq!(served(&server).await["servers"], json!([{"url": "https://clips.example/api"}]));
}
