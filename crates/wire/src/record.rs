//! The owner's list of requests and the whole record of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ResultWord, RunError};

/// Parameters of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RequestListQuery {
    /// One state, in the words of result.
    #[serde(default)]
    pub status: Option<ResultWord>,
    /// One model.
    #[serde(default)]
    pub model_id: Option<String>,
    /// Words that all have to be in id, model id or prompt, in any case.
    #[serde(default)]
    pub search: Option<String>,
    /// How many at most.
    #[serde(default)]
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// The list, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestList {
    /// This page.
    pub requests: Vec<Summary>,
    /// For the next page; `null` on the last.
    pub next_cursor: Option<String>,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The request.
    pub request_id: String,
    /// The model.
    pub model_id: String,
    /// The prompt, as it was sent; left out where the model is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The state, in the words of result.
    pub status: ResultWord,
    /// Only while queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u64>,
    /// When it was taken.
    pub created_at: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Only when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// A picture of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster_url: Option<String>,
    /// Only when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
}

/// Everything about one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the list shows, too.
    #[serde(flatten)]
    pub summary: Summary,
    /// The body as kept: defaults filled in, `data:` URIs as references.
    pub input: Value,
    /// What is made of the prompt, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Value>,
    /// What made the clip, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineInfo>,
    /// Numbers about the clip, once it is published; which there are is the engine's affair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<BTreeMap<String, f64>>,
    /// What the engine did, in order, once the clip is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passes: Option<Vec<Pass>>,
    /// Wishes that were not honoured, and why.
    pub unmet: Vec<Value>,
    /// What was accepted but has no effect, or is not recommended.
    pub warnings: Vec<String>,
    /// How long each stage took.
    pub stages: Vec<StageTimes>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    /// `high`, `normal` or `low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// How often an engine was started.
    pub attempts: u32,
    /// USD charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Where the result is shown to everybody who has this link, where one stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_url: Option<String>,
    /// When the record and its files are dropped; `null` where nothing is.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Absolute.
    pub status_url: String,
    /// Absolute.
    pub result_url: String,
    /// Absolute.
    pub cancel_url: String,
}

/// What made the clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// `roto`, `wan`, …
    pub name: String,
    /// Its version.
    pub version: String,
    /// The seed that repeats the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// One pass of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// `colour_transfer`, `encode`, …
    pub name: String,
    /// What it was run with, in the words of the engine.
    pub parameters: Value,
    /// Wall time in milliseconds.
    pub millis: u64,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTimes {
    /// `intake`, `run`, …
    pub name: String,
    /// When it began.
    pub started_at: String,
    /// When it ended; left out while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: String,
    /// A stable word.
    pub kind: String,
    /// For people.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;
    use serde_json::json;

    const AT: &str = "2026-11-22T05:43:01.123456+00:00";

    fn summary() -> Summary {
        Summary {
            request_id: "r1".to_owned(),
            model_id: "a/b/c".to_owned(),
            prompt: Some("go".to_owned()),
            status: ResultWord::Succeeded,
            queue_position: None,
            created_at: AT.to_owned(),
            finished_at: Some(AT.to_owned()),
            output: Some(json!({"video": "https://h/files/t/clip.mp4"})),
            poster_url: Some("https://h/files/t/poster.jpg".to_owned()),
            error: None,
        }
    }

    #[test]
    fn the_last_page_has_a_null_cursor() {
        let body = RequestList { requests: vec![summary()], next_cursor: None };
        assert_json_snapshot!(body, @r#"
        {
          "requests": [
            {
              "request_id": "r1",
              "model_id": "a/b/c",
              "prompt": "go",
              "status": "succeeded",
              "created_at": "2026-11-22T05:43:01.123456+00:00",
              "finished_at": "2026-11-22T05:43:01.123456+00:00",
              "output": {
                "video": "https://h/files/t/clip.mp4"
              },
              "poster_url": "https://h/files/t/poster.jpg"
            }
          ],
          "next_cursor": null
        }
        "#);
    }

    fn record() -> Record {
        Record {
            summary: summary(),
            input: json!({"prompt": "go"}),
            plan: Some(json!({"task": "next_shot"})),
            engine: Some(EngineInfo {
                name: "roto".to_owned(),
                version: "0.1.0".to_owned(),
                seed: Some(7),
            }),
            metrics: None,
            passes: None,
            unmet: Vec::new(),
            warnings: vec!["unknown field `seed` has no effect".to_owned()],
            stages: vec![StageTimes {
                name: "intake".to_owned(),
                started_at: AT.to_owned(),
                finished_at: None,
            }],
            events: vec![Event {
                at: AT.to_owned(),
                kind: "received".to_owned(),
                message: "taken".to_owned(),
            }],
            priority: Some("normal".to_owned()),
            attempts: 1,
            cost: Some(0.56),
            share_url: None,
            expires_at: None,
            status_url: "https://h/v1/requests/r1/status".to_owned(),
            result_url: "https://h/v1/requests/r1/result".to_owned(),
            cancel_url: "https://h/v1/requests/r1/cancel".to_owned(),
        }
    }

    #[test]
    fn a_published_clip_has_passes_and_metrics() {
        let (name, parameters) = ("grade".to_owned(), json!({"strength": 0.5}));
        let body = Record {
            metrics: Some(BTreeMap::from([("warp_error".to_owned(), 1.5)])),
            passes: Some(vec![Pass { name, parameters, millis: 40 }]),
            ..record()
        };
        let value = serde_json::to_value(&body).unwrap();
        assert_eq!(value["metrics"], json!({"warp_error": 1.5}));
        let pass = json!({"name": "grade", "parameters": {"strength": 0.5}, "millis": 40});
        assert_eq!(value["passes"], json!([pass]));
    }

    #[test]
    fn the_record_is_the_summary_and_all_the_rest() {
        let body = record();
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "model_id": "a/b/c",
          "prompt": "go",
          "status": "succeeded",
          "created_at": "2026-11-22T05:43:01.123456+00:00",
          "finished_at": "2026-11-22T05:43:01.123456+00:00",
          "output": {
            "video": "https://h/files/t/clip.mp4"
          },
          "poster_url": "https://h/files/t/poster.jpg",
          "input": {
            "prompt": "go"
          },
          "plan": {
            "task": "next_shot"
          },
          "engine": {
            "name": "roto",
            "version": "0.1.0",
            "seed": 7
          },
          "unmet": [],
          "warnings": [
            "unknown field `seed` has no effect"
          ],
          "stages": [
            {
              "name": "intake",
              "started_at": "2026-11-22T05:43:01.123456+00:00"
            }
          ],
          "events": [
            {
              "at": "2026-11-22T05:43:01.123456+00:00",
              "kind": "received",
              "message": "taken"
            }
          ],
          "priority": "normal",
          "attempts": 1,
          "cost": 0.56,
          "expires_at": null,
          "status_url": "https://h/v1/requests/r1/status",
          "result_url": "https://h/v1/requests/r1/result",
          "cancel_url": "https://h/v1/requests/r1/cancel"
        }
        "#);
        let text = serde_json::to_string(&body).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), body);
        assert!(!text.contains("error_code"));
    }
}
