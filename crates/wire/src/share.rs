//! A link, and what it shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The 200 of sharing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// Absolute; for people: nobody needs a key for it.
    pub url: String,
}

/// What whoever has a link sees: the result, and nothing of who made it or from what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedResult {
    /// The model.
    pub model_id: String,
    /// As in the result; its URLs count for as long as the link does.
    pub output: Value,
    /// A picture of the output; its URL counts for as long as the link does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster_url: Option<String>,
    /// When the request was taken.
    pub created_at: String,
    /// When it ended.
    pub finished_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;
    use serde_json::json;

    #[test]
    fn a_link_shows_the_result_and_nothing_else() {
        let body = SharedResult {
            model_id: "a/b/c".to_owned(),
            output: json!({"video": "https://h/v1/shared/t/clip.mp4"}),
            poster_url: None,
            created_at: "2026-11-22T05:43:01.123456+00:00".to_owned(),
            finished_at: "2026-11-22T05:44:01.000000+00:00".to_owned(),
        };
        assert_json_snapshot!(body, @r#"
        {
          "model_id": "a/b/c",
          "output": {
            "video": "https://h/v1/shared/t/clip.mp4"
          },
          "created_at": "2026-11-22T05:43:01.123456+00:00",
          "finished_at": "2026-11-22T05:44:01.000000+00:00"
        }
        "#);
    }
}
