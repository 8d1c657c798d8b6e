//! The catalogue.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Parameters of the list. Which range is allowed is the caller's to check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ModelListQuery {
    /// Words to find in id, name and description.
    #[serde(default)]
    pub search: Option<String>,
    /// One category.
    #[serde(default)]
    pub category: Option<String>,
    /// `model`, `workflow` or `inference`.
    #[serde(default)]
    pub kind: Option<String>,
    /// 1 to 500; 100 if left out.
    #[serde(default)]
    pub limit: Option<u64>,
    /// How many to skip.
    #[serde(default)]
    pub offset: Option<u64>,
    /// Add `input_schema` to each entry.
    #[serde(default)]
    pub include_schema: bool,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelList {
    /// This page.
    pub models: Vec<ModelEntry>,
    /// How many there are on all pages.
    pub total: u64,
    /// As asked, or the default.
    pub limit: u64,
    /// As asked, or 0.
    pub offset: u64,
}

/// One model; on its own always with `input_schema` and `roles`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// Slash-separated.
    pub model_id: String,
    /// For people.
    pub display_name: String,
    /// For people.
    pub description: String,
    /// `model`, `workflow` or `inference`.
    pub kind: String,
    /// What it is good for.
    pub categories: Vec<String>,
    /// USD for each `price_unit`, finite, at least 0.
    pub base_price_usd: f64,
    /// `second` or `output`.
    pub price_unit: String,
    /// What the price leaves unsaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing_note: Option<String>,
    /// This entry, absolute.
    pub model_url: String,
    /// The names of all fields, in the schema's order.
    pub inputs: Vec<String>,
    /// The names of the fields that must be given.
    pub required_inputs: Vec<String>,
    /// The schema of the body of submit, in the dialect of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// The schema of `output`, in the dialect of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Which field plays which part, with its limits: what a form is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Value>,
    /// More for people, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
}

/// All categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categories {
    /// Sorted, each once.
    pub categories: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;
    use serde_json::json;

    fn entry() -> ModelEntry {
        ModelEntry {
            model_id: "a/b/c".to_owned(),
            display_name: "B".to_owned(),
            description: "Makes clips.".to_owned(),
            kind: "model".to_owned(),
            categories: vec!["video-to-video".to_owned()],
            base_price_usd: 0.112,
            price_unit: "second".to_owned(),
            pricing_note: None,
            model_url: "https://h/v1/models/a/b/c".to_owned(),
            inputs: vec!["prompt".to_owned(), "video_url".to_owned()],
            required_inputs: vec!["prompt".to_owned()],
            input_schema: None,
            output_schema: None,
            roles: None,
            readme: None,
        }
    }

    #[test]
    fn the_list_carries_entries_without_schemas() {
        let body = ModelList { models: vec![entry()], total: 1, limit: 100, offset: 0 };
        assert_json_snapshot!(body, @r#"
        {
          "models": [
            {
              "model_id": "a/b/c",
              "display_name": "B",
              "description": "Makes clips.",
              "kind": "model",
              "categories": [
                "video-to-video"
              ],
              "base_price_usd": 0.112,
              "price_unit": "second",
              "model_url": "https://h/v1/models/a/b/c",
              "inputs": [
                "prompt",
                "video_url"
              ],
              "required_inputs": [
                "prompt"
              ]
            }
          ],
          "total": 1,
          "limit": 100,
          "offset": 0
        }
        "#);
    }

    #[test]
    fn one_model_carries_its_schemas() {
        let body = ModelEntry {
            pricing_note: Some("Set by the operator.".to_owned()),
            input_schema: Some(json!({"type": "object"})),
            output_schema: Some(json!({"output": {}})),
            ..entry()
        };
        let text = serde_json::to_string(&body).unwrap();
        let tail = r#""required_inputs":["prompt"],"input_schema":{"type":"object"},"output_schema":{"output":{}}}"#;
        assert!(text.ends_with(tail), "{text}");
        assert!(text.contains(r#""pricing_note":"Set by the operator.""#));
    }

    #[test]
    fn categories_are_an_object() {
        let body = Categories { categories: vec!["video-to-video".to_owned()] };
        assert_json_snapshot!(body, @r#"
        {
          "categories": [
            "video-to-video"
          ]
        }
        "#);
    }
}
