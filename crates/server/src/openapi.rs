//! What the API is, for programs: OpenAPI 3.1.
//!
//! `openapi.json` is written by hand; it says of every call what it takes and everything that it
//! answers. Added here is what only a running server knows: its version, where it is, and its
//! models. A template of OpenAPI has no slashes in its parameters and a model's id has, so each
//! model gets a path of its own, with its own schema of the body.

use catalog::{Catalog, Model};
use serde_json::{Map, Value, json};
use wire::path;

use crate::base::Base;

const WRITTEN: &str = include_str!("openapi.json");

/// The path of the file that stands for the path of each model.
const ANY_MODEL: &str = "/v1/models/{model_id}";

/// The document, but for where the server is.
#[derive(Debug)]
pub(crate) struct Document(String);

// === impl Document ===

impl Document {
    /// The document of a server with these models.
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let mut document = written();
        if let Some(info) = document.get_mut("info") {
            set(info, "version", json!(env!("CARGO_PKG_VERSION")));
        }
        let output = document.get_mut("components").and_then(|c| c.pointer_mut("/schemas/Output"));
        if let (Some(output), Some(schemas)) = (output, outputs(catalog)) {
            set(output, "anyOf", schemas);
        }
        if let Some(Value::Object(paths)) = document.get_mut("paths") {
            *paths = std::mem::take(paths)
                .into_iter()
                .flat_map(|(path, item)| match path.as_str() {
                    ANY_MODEL => catalog.models().map(|model| of_model(model, &item)).collect(),
                    _ => vec![(path, item)],
                })
                .collect();
        }
        Self(Value::Object(document).to_string())
    }

    /// The document as JSON, for a client that reaches the server at `base`.
    pub(crate) fn at(&self, base: &Base) -> String {
        let rest = self.0.strip_prefix('{').unwrap_or_default();
        format!("{{\"servers\":{},{rest}", json!([{"url": base.0}]))
    }
}

fn written() -> Map<String, Value> {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and tests read it")]
    serde_json::from_str(WRITTEN).expect("openapi.json is an object")
}

fn drop_parameters(of: Option<&mut Value>, unwanted: impl Fn(&Value) -> bool) {
    if let Some(Value::Array(parameters)) = of.and_then(|of| of.get_mut("parameters")) {
        parameters.retain(|parameter| !unwanted(parameter));
    }
}

/// What the file says of any model, said of this one.
fn of_model(model: &Model, any: &Value) -> (String, Value) {
    let mut item = any.clone();
    drop_parameters(Some(&mut item), |parameter| parameter.get("name") == Some(&json!("model_id")));
    let suffix = model.id().replace('/', ".");
    for method in ["get", "post"] {
        let Some(operation) = item.get_mut(method) else { continue };
        for (name, text) in [
            ("operationId", format!("{}_{suffix}", text(operation, "operationId"))),
            ("summary", format!("{}: {}", text(operation, "summary"), model.display_name())),
        ] {
            set(operation, name, json!(text));
        }
    }
    if let Some(post) = item.get_mut("post") {
        let description = format!("{}\n\n{}", model.description(), text(post, "description"));
        set(post, "description", json!(description));
    }
    let body = "/post/requestBody/content/application~1json";
    if let Some(body) = item.pointer_mut(body) {
        set(body, "schema", plain(model.json_schema()));
        if let Some(example) = model.example() {
            set(body, "example", example);
        }
    }
    (path::model(model.id()), item)
}

/// The schemas of what the models make; `None` where there is no model.
fn outputs(catalog: &Catalog) -> Option<Value> {
    let of_model = |model: &Model| {
        let whole = model.output_json_schema();
        // It may wrap the object in a member called `output`.
        let mut schema = plain(whole.pointer("/properties/output").unwrap_or(whole));
        set(&mut schema, "title", json!(model.id()));
        schema
    };
    let schemas: Vec<Value> = catalog.models().map(of_model).collect();
    // An empty list of alternatives would be no schema.
    (!schemas.is_empty()).then_some(Value::Array(schemas))
}

/// A schema as it stands within a document, which says for all of them what dialect they are in.
fn plain(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(schema) = &mut schema {
        schema.shift_remove("$schema");
    }
    schema
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn set(value: &mut Value, name: &str, to: Value) {
    if let Value::Object(map) = value {
        map.insert(name.to_owned(), to);
    }
}
