//! What an owner keeps in order: keys, limits, usage, webhooks.

use serde::{Deserialize, Serialize};

/// One key, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner_id: String,
    /// The name its maker gave it.
    pub name: String,
    /// `user` or `admin`.
    pub role: String,
    /// When it was made.
    pub created_at: String,
    /// When it stopped counting; null while it counts.
    pub revoked_at: Option<String>,
    /// The minute in which a call was last made with it; null if none was.
    pub last_used_at: Option<String>,
    /// What it may use.
    pub limits: LimitSet,
    /// What its owner may use with all keys.
    pub owner_limits: LimitSet,
    /// USD charged to it so far.
    pub spent_usd: f64,
}

/// Limits; null is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSet {
    /// Most requests that wait at a time.
    pub max_queued: Option<u32>,
    /// Most requests that run at a time.
    pub max_running: Option<u32>,
    /// Most submits a minute.
    pub submits_per_minute: Option<u32>,
    /// Most bytes of bodies and uploads a UTC day.
    pub bytes_per_day: Option<u64>,
    /// USD that may be spent in all.
    pub budget_usd: Option<f64>,
}

/// The keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyList {
    /// Oldest first.
    pub keys: Vec<KeyEntry>,
}

/// The body that makes a key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What to call it.
    pub name: String,
    /// `user` if left out.
    #[serde(default)]
    pub role: Option<String>,
    /// Those of the key that makes it, if left out.
    #[serde(default)]
    pub limits: Option<LimitSet>,
}

/// The 201 of a new key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyCreated {
    /// The key itself, shown this once.
    pub key: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub entry: KeyEntry,
}

/// The body that signs in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// What stands behind the `#` of the link.
    pub code: String,
}

/// The key of who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// A new key of role admin, shown this once.
    pub key: String,
}

/// The body that changes a key. What is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyChange {
    /// A new name.
    pub name: Option<String>,
    /// All its limits anew.
    pub limits: Option<LimitSet>,
    /// All limits of its owner anew; takes an admin key.
    pub owner_limits: Option<LimitSet>,
}

/// What was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// From this moment.
    pub from: String,
    /// Before this moment.
    pub to: String,
    /// `day`, `model` or `key`.
    pub group_by: String,
    /// One line a group, in order.
    pub usage: Vec<UsageLine>,
    /// All of them together.
    pub total: UsageSum,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageLine {
    /// The day (`2026-11-22`), the model or the key.
    pub group: String,
    /// What was used.
    #[serde(flatten)]
    pub sum: UsageSum,
}

/// What was published and charged.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct UsageSum {
    /// Published results.
    pub requests: u64,
    /// Seconds of video, or outputs.
    pub seconds: u64,
    /// USD.
    pub cost: f64,
}

/// The secrets that sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecrets {
    /// `whsec_…`: signs every message.
    pub secret: String,
    /// Rotated out, and signing along for a while.
    pub previous: Vec<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The `webhook-id` that it is sent with.
    pub id: String,
    /// What it tells of.
    pub request_id: String,
    /// The state that it tells of, in the words of result.
    pub event: String,
    /// Where it goes; without the query.
    pub url: String,
    /// `pending`, `delivered`, `failed`, `disabled` or `superseded`.
    pub state: String,
    /// Attempts made.
    pub attempts: u32,
    /// When the state changed.
    pub created_at: String,
    /// When the next attempt is due; null if there is none.
    pub next_attempt_at: Option<String>,
    /// When it was acknowledged or given up.
    pub finished_at: Option<String>,
    /// What the receiver answered last.
    pub last_status: Option<u16>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// One page of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryList {
    /// Newest first.
    pub deliveries: Vec<Delivery>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;

    #[test]
    fn a_limit_that_is_not_known_is_an_error_and_not_no_limit() {
        let read = serde_json::from_str::<KeyChange>;
        let change = read(r#"{"limits": {"max_queued": 3}}"#).unwrap();
        assert_eq!(change.limits.unwrap().max_queued, Some(3));
        assert!(read(r#"{"limits": {"max_queue": 3}}"#).is_err());
    }

    #[test]
    fn usage_is_flat() {
        let sum = UsageSum { requests: 2, seconds: 10, cost: 1.12 };
        let body = Usage {
            from: "a".to_owned(),
            to: "b".to_owned(),
            group_by: "day".to_owned(),
            usage: vec![UsageLine { group: "2026-11-22".to_owned(), sum }],
            total: sum,
        };
        assert_json_snapshot!(body, @r#"
        {
          "from": "a",
          "to": "b",
          "group_by": "day",
          "usage": [
            {
              "group": "2026-11-22",
              "requests": 2,
              "seconds": 10,
              "cost": 1.12
            }
          ],
          "total": {
            "requests": 2,
            "seconds": 10,
            "cost": 1.12
          }
        }
        "#);
    }
}
