//! Submit, status, result, cancel: the four calls that every client makes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Outcome, ResultWord, RunError, StatusWord};

/// The 200 of submit. Exactly these four, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// 1 to 128 of `[a-zA-Z0-9_-]`.
    pub request_id: String,
    /// Absolute. Clients follow it verbatim with their key.
    pub status_url: String,
    /// Absolute. Clients follow it verbatim with their key.
    pub result_url: String,
    /// Absolute. Clients follow it verbatim with their key.
    pub cancel_url: String,
}

/// Parameters of submit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SubmitQuery {
    /// Check and plan, keep nothing, touch no URL.
    #[serde(default)]
    pub dry_run: bool,
    /// Where to post the result.
    #[serde(default)]
    pub webhook: Option<String>,
    /// Whether to post the states on the way, too.
    #[serde(default)]
    pub webhook_intermediate_status: bool,
}

/// The 200 of `?dry_run=true`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// Always true: tells the reply from that of a submit.
    pub dry_run: bool,
    /// As it was posted.
    pub model_id: String,
    /// The body as it would be kept: defaults filled in.
    pub input: Value,
    /// What would be made of the prompt.
    pub plan: Value,
    /// The engine that would run, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Wishes that the engine would not honour, and why.
    pub unmet: Vec<Value>,
    /// Whether the media could still change `plan` and `unmet`.
    pub provisional: bool,
    /// What was accepted but will have no effect, or is not recommended.
    pub warnings: Vec<String>,
    /// USD for one success.
    pub cost: f64,
}

/// The 200 of status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    /// The request.
    pub request_id: String,
    /// The state, in the words of status.
    pub status: StatusWord,
    /// 1 for the next to run; only while queued: clients print it whenever it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u64>,
    /// Absolute.
    pub status_url: String,
    /// Absolute.
    pub result_url: String,
}

/// Parameters of status and result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ResultQuery {
    /// Add `cost`.
    #[serde(default)]
    pub include_cost: bool,
    /// Answer when the request has ended, or after so many seconds (at most 60).
    #[serde(default)]
    pub wait: Option<u32>,
}

/// The 200 of result, in every state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultReply {
    /// The request.
    pub request_id: String,
    /// The state, in the words of result.
    pub status: ResultWord,
    /// The model, as it was posted.
    pub model_id: String,
    /// Only when it succeeded: `{"video": "https://…"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Only when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// USD, where `include_cost` asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

/// Parameters of cancel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct CancelQuery {
    /// Stop running work, too.
    #[serde(default)]
    pub force: bool,
}

/// The 202 of cancel, in every state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// The request.
    pub request_id: String,
    /// Its state now.
    pub status: StatusWord,
    /// Whether the cancel had its effect.
    pub outcome: Outcome,
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;
    use serde_json::json;

    #[test]
    fn submit_answers_four_keys_in_the_documented_order() {
        let body = Submitted {
            request_id: "r1".to_owned(),
            status_url: "https://h/v1/requests/r1/status".to_owned(),
            result_url: "https://h/v1/requests/r1/result".to_owned(),
            cancel_url: "https://h/v1/requests/r1/cancel".to_owned(),
        };
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "status_url": "https://h/v1/requests/r1/status",
          "result_url": "https://h/v1/requests/r1/result",
          "cancel_url": "https://h/v1/requests/r1/cancel"
        }
        "#);
    }

    #[test]
    fn status_has_a_position_only_while_queued() {
        let mut body = StatusReply {
            request_id: "r1".to_owned(),
            status: StatusWord::InQueue,
            queue_position: Some(3),
            status_url: "https://h/v1/requests/r1/status".to_owned(),
            result_url: "https://h/v1/requests/r1/result".to_owned(),
        };
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "status": "in_queue",
          "queue_position": 3,
          "status_url": "https://h/v1/requests/r1/status",
          "result_url": "https://h/v1/requests/r1/result"
        }
        "#);
        body.status = StatusWord::InProgress;
        body.queue_position = None;
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "status": "in_progress",
          "status_url": "https://h/v1/requests/r1/status",
          "result_url": "https://h/v1/requests/r1/result"
        }
        "#);
    }

    fn result(status: ResultWord) -> ResultReply {
        ResultReply {
            request_id: "r1".to_owned(),
            status,
            model_id: "a/b/c".to_owned(),
            output: None,
            error: None,
            created_at: Some("2026-11-22T05:43:01.123456+00:00".to_owned()),
            finished_at: None,
            cost: None,
        }
    }

    #[test]
    fn a_success_has_an_output_and_on_demand_a_cost() {
        let body = ResultReply {
            output: Some(json!({"video": "https://h/files/t/clip.mp4"})),
            finished_at: Some("2026-11-22T05:44:01.000000+00:00".to_owned()),
            cost: Some(0.56),
            ..result(ResultWord::Succeeded)
        };
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "status": "succeeded",
          "model_id": "a/b/c",
          "output": {
            "video": "https://h/files/t/clip.mp4"
          },
          "created_at": "2026-11-22T05:43:01.123456+00:00",
          "finished_at": "2026-11-22T05:44:01.000000+00:00",
          "cost": 0.56
        }
        "#);
    }

    #[test]
    fn a_failure_keeps_everything_inside_error() {
        let body = ResultReply {
            error: Some(RunError {
                code: "input_invalid".to_owned(),
                kind: "input".to_owned(),
                message: "video_url: 12.00 s duration".to_owned(),
                detail: Vec::new(),
            }),
            ..result(ResultWord::Failed)
        };
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "status": "failed",
          "model_id": "a/b/c",
          "error": {
            "code": "input_invalid",
            "type": "input",
            "message": "video_url: 12.00 s duration",
            "detail": []
          },
          "created_at": "2026-11-22T05:43:01.123456+00:00"
        }
        "#);
    }

    #[test]
    fn a_result_that_is_not_there_yet_has_neither() {
        assert_json_snapshot!(result(ResultWord::InQueue), @r#"
        {
          "request_id": "r1",
          "status": "in_queue",
          "model_id": "a/b/c",
          "created_at": "2026-11-22T05:43:01.123456+00:00"
        }
        "#);
    }

    #[test]
    fn cancel_answers_state_and_outcome() {
        let body = CancelReply {
            request_id: "r1".to_owned(),
            status: StatusWord::InProgress,
            outcome: Outcome::NotCancellable,
        };
        assert_json_snapshot!(body, @r#"
        {
          "request_id": "r1",
          "status": "in_progress",
          "outcome": "not_cancellable"
        }
        "#);
    }

    #[test]
    fn a_dry_run_says_that_it_is_one() {
        let body = DryRun {
            dry_run: true,
            model_id: "a/b/c".to_owned(),
            input: json!({"prompt": "go"}),
            plan: json!({"task": "next_shot"}),
            engine: Some("roto".to_owned()),
            unmet: vec![json!({"wish": "element 1"})],
            provisional: true,
            warnings: vec!["unknown field `seed` has no effect".to_owned()],
            cost: 0.0,
        };
        assert_json_snapshot!(body, @r#"
        {
          "dry_run": true,
          "model_id": "a/b/c",
          "input": {
            "prompt": "go"
          },
          "plan": {
            "task": "next_shot"
          },
          "engine": "roto",
          "unmet": [
            {
              "wish": "element 1"
            }
          ],
          "provisional": true,
          "warnings": [
            "unknown field `seed` has no effect"
          ],
          "cost": 0.0
        }
        "#);
    }

    #[test]
    fn parameters_may_be_left_out() {
        let none = json!({});
        assert_eq!(
            serde_json::from_value::<SubmitQuery>(none.clone()).unwrap(),
            SubmitQuery::default()
        );
        assert_eq!(
            serde_json::from_value::<ResultQuery>(none.clone()).unwrap(),
            ResultQuery::default()
        );
        assert_eq!(serde_json::from_value::<CancelQuery>(none).unwrap(), CancelQuery::default());
    }
}
