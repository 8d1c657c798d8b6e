//! The dialect of the schemas: compiled for validation, normalised for tools.
//!
//! The dialect is JSON Schema with three liberties: the type `float`, formats such as
//! `image_uri`, and `items` (or a whole output schema) written as a bare map of properties. A
//! keyword that the validator does not know would be a limit that is served and not kept, so it
//! is refused at load.

use serde_json::{Map, Value, json};

/// Types of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Boolean,
    Integer,
    Float,
    Array,
    Object,
}

/// One schema, compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schema {
    pub(crate) kind: Option<Kind>,
    pub(crate) one_of: Option<Vec<Value>>,
    pub(crate) default: Option<Value>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) items: Option<Box<Schema>>,
    /// In the order of the file.
    pub(crate) properties: Vec<(String, Schema)>,
    pub(crate) required: Vec<String>,
}

/// What is wrong with a schema, and where in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaFault {
    pub(crate) pointer: String,
    pub(crate) reason: String,
}

/// Keywords that say nothing about validity.
const NOTES: [&str; 6] =
    ["title", "description", "format", "examples", "additionalProperties", "$schema"];

/// Formats of the dialect that say "a URL of …"; a list of such is said of its items.
const URI_FORMATS: [&str; 3] = ["image_uri", "video_uri", "audio_uri"];

// === impl Kind ===

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "float" | "number" => Self::Float,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }
}

// === impl Schema ===

impl Schema {
    /// Compiles the schema `raw`, which stands at `pointer` of its file.
    pub(crate) fn compile(raw: &Value, pointer: &str) -> Result<Self, SchemaFault> {
        let Some(map) = raw.as_object() else {
            return Err(fault(pointer, "has to be an object"));
        };
        if is_bare(map) {
            let properties = properties(map, pointer)?;
            return Ok(Self { kind: Some(Kind::Object), properties, ..Self::default() });
        }
        let mut schema = Self::default();
        for (keyword, value) in map {
            let here = format!("{pointer}/{keyword}");
            schema.keyword(keyword, value, &here)?;
        }
        for name in &schema.required {
            if schema.property(name).is_none() {
                let reason = format!("`{name}` is required but not among the properties");
                return Err(fault(&format!("{pointer}/required"), &reason));
            }
        }
        Ok(schema)
    }

    fn keyword(&mut self, keyword: &str, value: &Value, here: &str) -> Result<(), SchemaFault> {
        match keyword {
            "type" => {
                let kind = value.as_str().and_then(Kind::parse);
                self.kind = Some(kind.ok_or_else(|| {
                    fault(
                        here,
                        "has to be string, boolean, integer, float, number, array or object",
                    )
                })?);
            }
            "enum" => {
                let words = value.as_array().filter(|words| !words.is_empty());
                self.one_of = Some(words.ok_or_else(|| fault(here, "has to be a list"))?.clone());
            }
            "const" => self.one_of = Some(vec![value.clone()]),
            "default" => self.default = Some(value.clone()),
            "minLength" => self.min_length = Some(count(value, here)?),
            "maxLength" => self.max_length = Some(count(value, here)?),
            "minItems" => self.min_items = Some(count(value, here)?),
            "maxItems" => self.max_items = Some(count(value, here)?),
            "minimum" => self.minimum = Some(number(value, here)?),
            "maximum" => self.maximum = Some(number(value, here)?),
            "items" => self.items = Some(Box::new(Self::compile(value, here)?)),
            "properties" => {
                let map = value.as_object().ok_or_else(|| fault(here, "has to be an object"))?;
                self.properties = properties(map, here)?;
            }
            "required" => {
                let names = value.as_array().and_then(|names| {
                    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
                });
                self.required = names.ok_or_else(|| fault(here, "has to be a list of names"))?;
            }
            note if NOTES.contains(&note) => {}
            _ => return Err(fault(here, "this keyword is not supported")),
        }
        Ok(())
    }

    /// The property `name` of an object.
    pub(crate) fn property(&self, name: &str) -> Option<&Self> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, schema)| schema)
    }

    /// The schema of the field at a pointer into a body; no indexes.
    pub(crate) fn field(&self, pointer: &str) -> Option<&Self> {
        let mut here = self;
        for name in pointer.strip_prefix('/')?.split('/') {
            here = here.property(&name.replace("~1", "/").replace("~0", "~"))?;
        }
        Some(here)
    }

    /// Whether an empty string says that nothing is given: its own default says so.
    pub(crate) fn empty_is_absent(&self) -> bool {
        self.default.as_ref().and_then(Value::as_str) == Some("")
    }
}

fn properties(map: &Map<String, Value>, here: &str) -> Result<Vec<(String, Schema)>, SchemaFault> {
    let compile = |(name, raw): (&String, &Value)| {
        let pointer = format!("{here}/{}", name.replace('~', "~0").replace('/', "~1"));
        Ok((name.clone(), Schema::compile(raw, &pointer)?))
    };
    map.iter().map(compile).collect()
}

fn fault(pointer: &str, reason: &str) -> SchemaFault {
    SchemaFault { pointer: pointer.to_owned(), reason: reason.to_owned() }
}

fn count(value: &Value, here: &str) -> Result<u64, SchemaFault> {
    value.as_u64().ok_or_else(|| fault(here, "has to be a whole number, at least 0"))
}

fn number(value: &Value, here: &str) -> Result<f64, SchemaFault> {
    value.as_f64().ok_or_else(|| fault(here, "has to be a number"))
}

/// Whether the object is a bare map of properties: no `type` word, nothing but objects inside,
/// and not a schema that happens to hold only sub-schemas.
fn is_bare(map: &Map<String, Value>) -> bool {
    !map.is_empty()
        && map.values().all(Value::is_object)
        && !map.contains_key("properties")
        && !map.contains_key("items")
}

/// The schema in JSON Schema 2020-12.
pub(crate) fn normalise(raw: &Value) -> Value {
    let mut out = Map::new();
    out.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    if let Value::Object(map) = normal(raw) {
        out.extend(map);
    }
    Value::Object(out)
}

fn normal(raw: &Value) -> Value {
    let Some(map) = raw.as_object() else { return raw.clone() };
    if is_bare(map) {
        return json!({"type": "object", "properties": normal_properties(map)});
    }
    let mut out = Map::new();
    for (keyword, value) in map {
        let value = match (keyword.as_str(), value) {
            ("type", Value::String(word)) if word == "float" => json!("number"),
            ("format", Value::String(word)) if URI_FORMATS.contains(&word.as_str()) => json!("uri"),
            ("format", Value::String(word)) if word.ends_with("_uris") => continue,
            ("items", items) => normal(items),
            ("properties", Value::Object(map)) => normal_properties(map),
            (_, other) => other.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    Value::Object(out)
}

fn normal_properties(map: &Map<String, Value>) -> Value {
    Value::Object(map.iter().map(|(name, raw)| (name.clone(), normal(raw))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bare_property_maps_as_objects() {
        let raw =
            json!({"type": "array", "items": {"front": {"type": "string", "format": "image_uri"}}});
        let schema = Schema::compile(&raw, "").unwrap();
        let item = schema.items.unwrap();
        assert_eq!(item.kind, Some(Kind::Object));
        assert_eq!(item.property("front").unwrap().kind, Some(Kind::String));
        assert_eq!(
            normalise(&raw)["items"],
            json!({"type": "object", "properties": {"front": {"type": "string", "format": "uri"}}})
        );
    }

    #[test]
    fn normalises_types_and_formats() {
        let raw = json!({"type": "object", "properties": {
            "strength": {"type": "float", "minimum": 0},
            "pics": {"type": "array", "format": "image_uris", "items": {"type": "string"}}
        }});
        assert_eq!(
            normalise(&raw),
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "strength": {"type": "number", "minimum": 0},
                    "pics": {"type": "array", "items": {"type": "string"}}
                }
            })
        );
    }

    #[test]
    fn refuses_what_it_would_not_keep() {
        for (raw, pointer) in [
            (
                json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}}),
                "/properties/a/pattern",
            ),
            (json!({"type": "text"}), "/type"),
            (json!({"type": ["string", "null"]}), "/type"),
            (json!({"type": "string", "minLength": -1}), "/minLength"),
            (json!({"type": "string", "enum": []}), "/enum"),
            (json!({"type": "number", "maximum": "9"}), "/maximum"),
            (json!({"type": "object", "properties": {}, "required": ["a"]}), "/required"),
            (json!({"type": "array", "items": 3}), "/items"),
        ] {
            assert_eq!(Schema::compile(&raw, "").unwrap_err().pointer, pointer, "{raw}");
        }
    }
}
