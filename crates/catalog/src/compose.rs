//! A body from its parts: for callers that have a prompt and files rather than JSON.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::model::Model;
use crate::schema::Kind;

/// The parts of a body, by role.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'a> {
    /// The prompt.
    pub prompt: &'a str,
    /// URL of the reference video.
    pub video: Option<&'a str>,
    /// URLs of images.
    pub images: &'a [String],
    /// URLs of elements' views, the frontal one first.
    pub elements: &'a [Vec<String>],
    /// Length, as the model's field takes it.
    pub length: Option<&'a str>,
    /// Ratio, as the model's field takes it.
    pub ratio: Option<&'a str>,
    /// Whether to keep the reference's sound.
    pub keep_sound: bool,
}

/// A part for which the model has no field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the model `{model}` takes no {part}")]
pub struct NoSuchPart {
    model: String,
    part: &'static str,
}

impl Model {
    /// The body that says `parts` in this model's own fields; not yet validated.
    pub fn compose(&self, parts: &Parts<'_>) -> Result<Value, NoSuchPart> {
        let fields = &self.fields;
        let missing = |part| NoSuchPart { model: self.id().to_owned(), part };
        let mut body = Value::Object(Map::new());
        set(&mut body, &fields.prompt, Value::from(parts.prompt));
        let texts = [
            (&fields.length, parts.length, "length"),
            (&fields.ratio, parts.ratio, "aspect ratio"),
        ];
        for (field, text, part) in texts {
            if let Some(text) = text {
                set(&mut body, field.as_ref().ok_or_else(|| missing(part))?, Value::from(text));
            }
        }
        if parts.keep_sound {
            let at = fields.keep_sound.as_ref().ok_or_else(|| missing("choice about sound"))?;
            set(&mut body, at, Value::from(true));
        }
        if let Some(url) = parts.video {
            let at = &fields.video.as_ref().ok_or_else(|| missing("reference video"))?.at;
            set(&mut body, at, self.one_or_list(at, &[url.to_owned()]));
        }
        if !parts.images.is_empty() {
            let at = &fields.images.as_ref().ok_or_else(|| missing("images"))?.at;
            set(&mut body, at, self.one_or_list(at, parts.images));
        }
        if !parts.elements.is_empty() {
            let field = fields.elements.as_ref().ok_or_else(|| missing("elements"))?;
            let element = |views: &Vec<String>| {
                let mut element = Value::Object(Map::new());
                if let Some((frontal, others)) = views.split_first() {
                    set(&mut element, &field.frontal, Value::from(frontal.as_str()));
                    if !others.is_empty() {
                        set(&mut element, &field.views, Value::from(others.to_vec()));
                    }
                }
                element
            };
            let elements: Vec<Value> = parts.elements.iter().map(element).collect();
            set(&mut body, &field.at, Value::from(elements));
        }
        Ok(body)
    }

    /// `urls` as the field at `pointer` takes them: a list, or the first alone.
    fn one_or_list(&self, pointer: &str, urls: &[String]) -> Value {
        let name = pointer.trim_start_matches('/');
        let field = self.schema.properties.iter().find(|(field, _)| field == name);
        match (field.and_then(|(_, schema)| schema.kind), urls) {
            (Some(Kind::String), [url]) => Value::from(url.as_str()),
            _ => Value::from(urls.to_vec()),
        }
    }
}

/// Puts `value` at `pointer`, whose parents are made where they are missing.
fn set(body: &mut Value, pointer: &str, value: Value) {
    let mut place = body;
    for name in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[name];
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, HttpsOnly, Strictness};

    #[test]
    fn a_composed_body_is_read_back_by_its_roles() {
        let catalog = Catalog::builtin().unwrap();
        let model = catalog.models().next().unwrap();
        let url = |name: &str| format!("https://example.com/{name}");
        let elements = [vec![url("front.png"), url("side.png")], vec![url("alone.png")]];
        let parts = Parts {
            prompt: "Put @Element2 beside @Element1 in the style of @Image1",
            video: Some("https://example.com/a.mp4"),
            images: &[url("style.jpg")],
            elements: &elements,
            length: Some("10"),
            ratio: Some("1:1"),
            keep_sound: true,
        };
        let body = model.compose(&parts).unwrap();
        let accepted = model.validate(&body, Strictness::Strict, &HttpsOnly).unwrap();
        assert_eq!(accepted.inputs.prompt, parts.prompt);
        assert_eq!(accepted.inputs.media.len(), 5);
        assert_eq!(accepted.inputs.length_secs, 10);
        assert!(accepted.inputs.keep_sound);
    }
}
