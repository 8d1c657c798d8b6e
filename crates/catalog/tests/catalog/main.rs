//! What the catalogue promises, on the model that it comes with and on a made-up one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod acme;
mod fields;
mod limits;
mod manifests;
mod properties;
mod served;
mod sources;

use std::path::PathBuf;

use catalog::{Accepted, Catalog, HttpsOnly, Model, Strictness};
use domain::Fault;
use serde_json::{Value, json};

const KLING: &str = "kling/kling-video-o1/video-to-video/reference";

fn kling() -> Model {
    Catalog::builtin().unwrap().get(KLING).unwrap().clone()
}

fn acme_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// The least that is accepted.
fn least() -> Value {
    json!({"prompt": "walk on", "video_url": "https://example.com/v.mp4"})
}

/// The least with one more field, or another value for one.
fn with(name: &str, value: Value) -> Value {
    let mut body = least();
    body[name] = value;
    body
}

fn check(model: &Model, body: &Value) -> Result<Accepted, Vec<Fault>> {
    model.validate(body, Strictness::Lenient, &HttpsOnly)
}

/// `type` and `msg` of every fault.
fn faults(model: &Model, body: &Value) -> Vec<(String, String)> {
    let found = check(model, body).err().unwrap_or_default();
    found.into_iter().map(|fault| (fault.kind, fault.msg)).collect()
}

/// The one fault of `body`; a test fails on none and on more.
fn fault(model: &Model, body: &Value) -> Fault {
    let mut found = check(model, body).expect_err("a fault");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}
