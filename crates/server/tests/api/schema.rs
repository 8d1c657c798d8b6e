//! Values held against the schemas of `/openapi.json`: as much of JSON Schema as is used there.
//!
//! Stricter than JSON Schema in two ways. A keyword that is not known here is an error, so that
//! none goes unchecked; so is a member that an object's schema does not name, so that nothing is
//! answered which is not described. `pattern` and `format` are left to `scripts/schemathesis.sh`.

use std::collections::BTreeSet;

use serde_json::Value;

/// The document that references lead into.
#[derive(Clone, Copy)]
pub(crate) struct Schemas<'a>(pub(crate) &'a Value);

const NOTES: [&str; 7] =
    ["title", "description", "default", "examples", "format", "pattern", "$schema"];

impl<'a> Schemas<'a> {
    /// What is wrong with `value`; empty if nothing.
    pub(crate) fn faults(self, schema: &'a Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "", true, &mut faults);
        faults
    }

    /// What a reference leads to; anything else is what it is.
    pub(crate) fn resolve(self, value: &'a Value) -> &'a Value {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
        let pointer = reference.strip_prefix('#').unwrap();
        self.0.pointer(pointer).unwrap_or_else(|| panic!("`{reference}` leads nowhere"))
    }

    fn check(
        self,
        schema: &'a Value,
        value: &Value,
        at: &str,
        closed: bool,
        out: &mut Vec<String>,
    ) {
        for (keyword, wanted) in schema.as_object().unwrap() {
            let mut fault = |ok: bool| {
                if !ok {
                    out.push(format!("{at}: {value} is not of {keyword} {wanted}"));
                }
            };
            let number = || (value.as_f64(), wanted.as_f64().unwrap());
            let chars = value.as_str().map(|text| text.chars().count() as u64);
            let items = value.as_array().map(|items| items.len() as u64);
            match keyword.as_str() {
                "$ref" => self.check(self.resolve(schema), value, at, closed, out),
                "type" => fault(is_of_type(value, wanted)),
                "enum" => fault(wanted.as_array().unwrap().contains(value)),
                "const" => fault(value == wanted),
                "minimum" => fault(number().0.is_none_or(|found| found >= number().1)),
                "maximum" => fault(number().0.is_none_or(|found| found <= number().1)),
                "minLength" => fault(chars.is_none_or(|found| found >= wanted.as_u64().unwrap())),
                "maxLength" => fault(chars.is_none_or(|found| found <= wanted.as_u64().unwrap())),
                "minItems" => fault(items.is_none_or(|found| found >= wanted.as_u64().unwrap())),
                "maxItems" => fault(items.is_none_or(|found| found <= wanted.as_u64().unwrap())),
                "uniqueItems" => fault(value.as_array().is_none_or(|items| {
                    items.iter().map(Value::to_string).collect::<BTreeSet<_>>().len() == items.len()
                })),
                "required" => fault(value.as_object().is_none_or(|members| {
                    wanted
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|n| members.contains_key(n.as_str().unwrap()))
                })),
                "anyOf" => fault(self.matching(wanted, value) >= 1),
                "oneOf" => fault(self.matching(wanted, value) == 1),
                "allOf" => {
                    for part in wanted.as_array().unwrap() {
                        self.check(part, value, at, false, out);
                    }
                }
                "items" => {
                    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}/{n}"), true, out);
                    }
                }
                // Members that are not named are faults everywhere, see below.
                "additionalProperties" => self.unnamed(wanted, value, at, out),
                "properties" => {
                    for (name, schema) in wanted.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.check(schema, member, &format!("{at}/{name}"), true, out);
                        }
                    }
                }
                note => assert!(NOTES.contains(&note), "`{note}` is not checked here"),
            }
        }
        if let (true, Some(names), Some(members)) = (closed, self.names(schema), value.as_object())
        {
            for name in members.keys().filter(|name| !names.contains(name.as_str())) {
                out.push(format!("{at}: `{name}` is not described"));
            }
        }
    }

    /// Holds all members of a map against `wanted`; there are none that have a name of their own.
    fn unnamed(self, wanted: &'a Value, value: &Value, at: &str, out: &mut Vec<String>) {
        let map = value.as_object().filter(|_| wanted.is_object());
        for (name, member) in map.into_iter().flatten() {
            self.check(wanted, member, &format!("{at}/{name}"), true, out);
        }
    }

    fn matching(self, schemas: &'a Value, value: &Value) -> usize {
        let schemas = schemas.as_array().unwrap().iter();
        schemas.filter(|schema| self.faults(schema, value).is_empty()).count()
    }

    /// The members that a schema names; `None` where it leaves them open.
    fn names(self, schema: &'a Value) -> Option<BTreeSet<&'a str>> {
        let schema = self.resolve(schema);
        let own = schema.get("properties").and_then(Value::as_object);
        let parts = schema.get("allOf").and_then(Value::as_array);
        let mut names: BTreeSet<&str> =
            own.into_iter().flat_map(|o| o.keys()).map(String::as_str).collect();
        names.extend(parts.into_iter().flatten().filter_map(|part| self.names(part)).flatten());
        (!names.is_empty()).then_some(names)
    }
}

fn is_of_type(value: &Value, wanted: &Value) -> bool {
    let is = |word: &Value| match word.as_str().unwrap() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("`{other}` is no type of JSON Schema"),
    };
    match wanted {
        Value::Array(words) => words.iter().any(is),
        word => is(word),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_what_does_not_fit() {
        let document = json!({
            "name": {"type": "string", "minLength": 2},
            "named": {"type": "object", "required": ["name"], "properties": {"name": {"$ref": "#/name"}}}
        });
        let schema = json!({"allOf": [
            {"$ref": "#/named"},
            {"type": "object", "properties": {"n": {"type": ["integer", "null"], "maximum": 3}}}
        ]});
        let faults = |value| Schemas(&document).faults(&schema, &value);
        assert_eq!(faults(json!({"name": "ab", "n": null})), [""; 0]);
        assert_eq!(faults(json!({"n": 3})).len(), 1);
        assert_eq!(faults(json!({"name": "a"})), ["/name: \"a\" is not of minLength 2"]);
        assert_eq!(faults(json!({"name": "ab", "n": 4})), ["/n: 4 is not of maximum 3"]);
        assert_eq!(faults(json!({"name": "ab", "x": 4})), [": `x` is not described"]);
    }
}
