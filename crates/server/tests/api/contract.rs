//! Every reply of every test, held against `/openapi.json`.

use http::Method;
use serde_json::Value;

use crate::schema::Schemas;
use crate::support::Reply;

/// Fails if the call is one that the document describes, and the reply is not.
pub(crate) fn check(document: &Value, method: &Method, path: &str, reply: &Reply) {
    let Some((item, template)) = find(document, path) else { return };
    // As the router does it: HEAD is a GET without the body.
    let head = method == Method::HEAD;
    let method = if head { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
    let Some(operation) = item.get(&method) else { return };
    let schemas = Schemas(document);
    let status = reply.status.as_u16().to_string();
    let call = format!("{method} {template}: {status} {}", reply.text());
    let described = operation["responses"].get(&status);
    let described = schemas.resolve(described.unwrap_or_else(|| panic!("not described: {call}")));
    for (name, header) in described["headers"].as_object().unwrap() {
        if schemas.resolve(header)["required"] == true {
            assert!(reply.headers.contains_key(name), "no header {name}: {call}");
        }
    }
    if head {
        return;
    }
    let content_type = reply.header("content-type").split(';').next().unwrap();
    match described.get("content") {
        None => assert!(reply.bytes.is_empty(), "a body: {call}"),
        Some(content) => {
            let media = content.get(content_type);
            let media = media.unwrap_or_else(|| panic!("`{content_type}` of {call}"));
            if content_type == "application/json" {
                let faults = schemas.faults(&media["schema"], &reply.json());
                assert!(faults.is_empty(), "{faults:#?} in {call}");
            }
        }
    }
}

/// The described path that `path` is one of; one without parameters wins.
fn find<'a>(document: &'a Value, path: &str) -> Option<(&'a Value, &'a str)> {
    let fits = |template: &str| {
        let same = |(given, wanted): (&str, &str)| given == wanted || wanted.starts_with('{');
        path.split('/').count() == template.split('/').count()
            && path.split('/').zip(template.split('/')).all(same)
    };
    let paths = document["paths"].as_object().unwrap();
    let exact = paths.get_key_value(path);
    let found = exact.or_else(|| paths.iter().find(|(template, _)| fits(template)));
    found.map(|(template, item)| (item, template.as_str()))
}
