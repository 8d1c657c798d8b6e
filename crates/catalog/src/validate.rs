//! A body against its schema: every fault in one walk, and the canonical body.
//!
//! The walk goes on after a fault, so that a caller learns everything at once. What it returns
//! keeps faulty values as they were sent: the rules that look at it afterwards skip what has the
//! wrong shape, and nobody else sees it.

use std::borrow::Cow;

use domain::Fault;
use domain::fault::label;
use serde_json::{Map, Value};

use crate::message::{found, plural, ticked, word};
use crate::schema::{Kind, Schema};

/// Unknown fields listed one by one; more are counted.
const MAX_LISTED: usize = 32;

/// One walk through one body.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Whether unknown fields are faults.
    pub(crate) strict: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Vec<String>,
}

// === impl Walk ===

impl Walk {
    /// Checks `value`, which stands at `pointer`, and returns it in canonical form.
    pub(crate) fn accept(&mut self, schema: &Schema, value: &Value, pointer: &str) -> Value {
        let value = coerced(schema, value);
        if !self.has_type(schema, &value, pointer) {
            return value.into_owned();
        }
        self.one_of(schema, &value, pointer);
        match &*value {
            Value::String(text) => self.length(schema, text, pointer),
            Value::Number(number) => self.range(schema, number.as_f64(), pointer),
            Value::Array(items) => return self.array(schema, items, pointer),
            Value::Object(fields) => return self.object(schema, fields, pointer),
            Value::Null | Value::Bool(_) => {}
        }
        value.into_owned()
    }

    fn has_type(&mut self, schema: &Schema, value: &Value, pointer: &str) -> bool {
        let (fits, kind, wanted) = match schema.kind {
            None => return true,
            Some(Kind::String) => (value.is_string(), "string_type", "a string"),
            Some(Kind::Boolean) => (value.is_boolean(), "bool_type", "true or false"),
            Some(Kind::Integer) => (whole(value), "int_type", "a whole number"),
            Some(Kind::Float) => (value.is_number(), "float_type", "a number"),
            Some(Kind::Array) => (value.is_array(), "list_type", "an array"),
            Some(Kind::Object) => (value.is_object(), "dict_type", "an object"),
        };
        if fits {
            return true;
        }
        if schema.one_of.is_some() && !value.is_array() && !value.is_object() {
            // Which words are allowed says more than which type they have.
            self.one_of(schema, value, pointer);
        } else {
            let msg =
                format!("{}: {} was given, {wanted} is required", label(pointer), found(value));
            self.faults.push(Fault::at(pointer, kind, msg).input(value));
        }
        false
    }

    fn one_of(&mut self, schema: &Schema, value: &Value, pointer: &str) {
        let Some(allowed) = &schema.one_of else { return };
        if allowed.contains(value) {
            return;
        }
        let words: Vec<String> = allowed.iter().map(word).collect();
        let Value::String(given) = domain::fault::echo(&Value::from(word(value))) else { return };
        let msg = format!(
            "{}: `{given}` was given, one of {} is required",
            label(pointer),
            ticked(&words)
        );
        let fault = Fault::at(pointer, "one_of", msg).with("expected", allowed.clone());
        self.faults.push(fault.input(value));
    }

    fn length(&mut self, schema: &Schema, text: &str, pointer: &str) {
        let count = text.chars().count();
        let given = || plural(count, "character");
        if let Some(min) = schema.min_length.filter(|min| (count as u64) < *min) {
            let msg = format!("{}: {}, at least {min} is required", label(pointer), given());
            let fault = Fault::at(pointer, "string_too_short", msg).with("min_length", min);
            self.faults.push(fault.input(&Value::from(text)));
        }
        if let Some(max) = schema.max_length.filter(|max| (count as u64) > *max) {
            let msg = format!("{}: {}, at most {max} are allowed", label(pointer), given());
            let fault = Fault::at(pointer, "string_too_long", msg).with("max_length", max);
            self.faults.push(fault.input(&Value::from(text)));
        }
    }

    fn range(&mut self, schema: &Schema, number: Option<f64>, pointer: &str) {
        let Some(number) = number else { return };
        if let Some(min) = schema.minimum.filter(|min| number < *min) {
            let msg = format!("{}: {number}, at least {min} is required", label(pointer));
            let fault = Fault::at(pointer, "greater_than_equal", msg).with("ge", min);
            self.faults.push(fault.input(&Value::from(number)));
        }
        if let Some(max) = schema.maximum.filter(|max| number > *max) {
            let msg = format!("{}: {number}, at most {max} is allowed", label(pointer));
            let fault = Fault::at(pointer, "less_than_equal", msg).with("le", max);
            self.faults.push(fault.input(&Value::from(number)));
        }
    }

    fn array(&mut self, schema: &Schema, items: &[Value], pointer: &str) -> Value {
        let count = items.len();
        let given = || plural(count, "item");
        if let Some(min) = schema.min_items.filter(|min| (count as u64) < *min) {
            let msg = format!("{}: {}, at least {min} is required", label(pointer), given());
            let fault = Fault::at(pointer, "sequence_too_short", msg).with("min_length", min);
            self.faults.push(fault.with("actual_length", count));
        }
        let mut looked_at = count;
        if let Some(max) = schema.max_items.filter(|max| (count as u64) > *max) {
            let msg = format!("{}: {}, at most {max} are allowed", label(pointer), given());
            let fault = Fault::at(pointer, "sequence_too_long", msg).with("max_length", max);
            self.faults.push(fault.with("actual_length", count));
            // A million items too many must not become a million faults.
            looked_at = max as usize;
        }
        let Some(item) = &schema.items else { return Value::from(items.to_vec()) };
        let accept = |(at, value): (usize, &Value)| {
            if at < looked_at {
                self.accept(item, value, &format!("{pointer}/{at}"))
            } else {
                value.clone()
            }
        };
        items.iter().enumerate().map(accept).collect()
    }

    fn object(&mut self, schema: &Schema, fields: &Map<String, Value>, pointer: &str) -> Value {
        let unknown: Vec<&String> =
            fields.keys().filter(|name| schema.property(name).is_none()).collect();
        let mut out = Map::new();
        for (name, property) in &schema.properties {
            let here = child(pointer, name);
            let required = schema.required.contains(name);
            let given = fields.get(name).filter(|value| required || !says_nothing(property, value));
            if let Some(value) = given {
                out.insert(name.clone(), self.accept(property, value, &here));
            } else if required {
                self.missing(name, &here, &unknown);
            } else if let Some(default) = property.default.clone()
                && !property.empty_is_absent()
            {
                out.insert(name.clone(), default);
            }
        }
        self.unknown(schema, fields, &unknown, pointer);
        Value::Object(out)
    }

    fn missing(&mut self, name: &str, here: &str, unknown: &[&String]) {
        let near = unknown.iter().find(|given| alike(given, name)).map(|given| shown(given));
        let hint = near
            .map(|near| format!(" (`{near}` was given, which is not a field)"))
            .unwrap_or_default();
        let msg = format!("{}: missing, this field is required{hint}", label(here));
        self.faults.push(Fault::at(here, "missing", msg));
    }

    fn unknown(
        &mut self,
        schema: &Schema,
        fields: &Map<String, Value>,
        unknown: &[&String],
        pointer: &str,
    ) {
        for name in unknown.iter().take(MAX_LISTED) {
            let here = child(pointer, &shown(name));
            let place = label(&here);
            let near = schema.properties.iter().find(|(known, _)| alike(name, known));
            let hint = near.map_or_else(String::new, |(known, _)| {
                format!("; did you mean `{}`?", label(&child(pointer, known)))
            });
            if self.strict {
                let msg = format!("{place}: this field is not known{hint}");
                let value = fields.get(*name).unwrap_or(&Value::Null);
                self.faults.push(Fault::at(&here, "extra_forbidden", msg).input(value));
            } else {
                self.warnings.push(format!("unknown field `{place}` has no effect{hint}"));
            }
        }
        let more = unknown.len().saturating_sub(MAX_LISTED);
        if more > 0 {
            let msg = format!("{} more", plural(more, "unknown field"));
            if self.strict {
                self.faults.push(Fault::at(pointer, "extra_forbidden", msg));
            } else {
                self.warnings.push(msg);
            }
        }
    }
}

/// The pointer of a member.
pub(crate) fn child(pointer: &str, name: &str) -> String {
    if name.contains(['~', '/']) {
        return format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    }
    [pointer, "/", name].concat()
}

fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Whether an optional field's value stands for its absence.
fn says_nothing(schema: &Schema, value: &Value) -> bool {
    value.is_null() || (schema.empty_is_absent() && value.as_str() == Some(""))
}

/// Whether a number is whole, however it is written.
fn whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// A number where its words are wanted: `5` for `"5"`; `5.0` for `5` where a whole number is.
fn coerced<'a>(schema: &Schema, value: &'a Value) -> Cow<'a, Value> {
    let (Value::Number(number), Some(float)) = (value, value.as_f64()) else {
        return Cow::Borrowed(value);
    };
    let small = float.fract() == 0.0 && float.abs() < 9e15;
    if schema.kind == Some(Kind::Integer) && number.is_f64() && small {
        return Cow::Owned(Value::from(float as i64));
    }
    let text = if small { (float as i64).to_string() } else { number.to_string() };
    let as_word = Value::from(text);
    let wanted = schema.kind == Some(Kind::String)
        && schema.one_of.as_ref().is_some_and(|words| words.contains(&as_word));
    if wanted { Cow::Owned(as_word) } else { Cow::Borrowed(value) }
}

/// Whether two names are likely meant to be one: equal, or one within the other, but for case
/// and punctuation.
fn alike(given: &str, known: &str) -> bool {
    let bare = |name: &str| -> String {
        let letters = name.chars().take(64).filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let (given, known) = (bare(given), bare(known));
    given.len() >= 3 && known.len() >= 3 && (given.contains(&known) || known.contains(&given))
}
