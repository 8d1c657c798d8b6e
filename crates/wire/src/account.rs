//! Who calls, and what is left to spend.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// The balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// USD: an integer where it is whole, as clients know it.
    pub balance_usd: Value,
    /// Millionths of a USD.
    pub balance_microdollars: i64,
    /// `USD`.
    pub currency: String,
}

/// Whose key this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// The owner.
    pub id: String,
    /// The owner's name; clients print it.
    pub email: String,
    /// What kind of key: its role.
    pub token_type: String,
    /// When the key was made.
    pub token_created_at: String,
}

// === impl Balance ===

impl Balance {
    /// The balance of so many millionths of a USD.
    pub fn from_microdollars(microdollars: i64) -> Self {
        let whole = microdollars % 1_000_000 == 0;
        let balance_usd = if whole {
            Value::from(microdollars / 1_000_000)
        } else {
            Number::from_f64(microdollars as f64 / 1e6).map_or(Value::Null, Value::Number)
        };
        Self { balance_usd, balance_microdollars: microdollars, currency: "USD".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;

    #[test]
    fn a_whole_balance_is_an_integer() {
        assert_json_snapshot!(Balance::from_microdollars(5_000_000), @r#"
        {
          "balance_usd": 5,
          "balance_microdollars": 5000000,
          "currency": "USD"
        }
        "#);
        assert_json_snapshot!(Balance::from_microdollars(4_440_000).balance_usd, @"4.44");
    }

    #[test]
    fn whoami_has_the_four_fields_that_clients_read() {
        let body = WhoAmI {
            id: "own_1".to_owned(),
            email: "studio".to_owned(),
            token_type: "user".to_owned(),
            token_created_at: "2026-11-22T05:43:01.123456+00:00".to_owned(),
        };
        assert_json_snapshot!(body, @r#"
        {
          "id": "own_1",
          "email": "studio",
          "token_type": "user",
          "token_created_at": "2026-11-22T05:43:01.123456+00:00"
        }
        "#);
    }
}
