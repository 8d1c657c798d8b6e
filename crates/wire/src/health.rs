//! Health, without a key: nothing here names a path, a host or an owner.

use serde::{Deserialize, Serialize};

/// The reply of `/healthz`: the process lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always [`HealthWord::Ok`]: a process that is not does not answer.
    pub status: HealthWord,
    /// Of the server.
    pub version: String,
}

/// The reply of `/readyz`: 200 when every check is well, else 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The worst of the checks.
    pub status: HealthWord,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `store`, `artifacts`, `workers`, …
    pub name: String,
    /// How it is.
    pub status: HealthWord,
    /// What to do about it, where something has to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How something is, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthWord {
    /// Well.
    Ok,
    /// On its way out: finishes what runs, takes nothing new.
    Draining,
    /// Not well.
    Failing,
}

// === impl Ready ===

impl Ready {
    /// The verdict on `checks`.
    pub fn of(checks: Vec<Check>) -> Self {
        let worst = checks.iter().map(|check| check.status).max();
        Self { status: worst.unwrap_or(HealthWord::Ok), checks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;

    #[test]
    fn health_is_two_words() {
        let body = Health { status: HealthWord::Ok, version: "0.1.0".to_owned() };
        assert_json_snapshot!(body, @r#"
        {
          "status": "ok",
          "version": "0.1.0"
        }
        "#);
    }

    #[test]
    fn readiness_is_as_good_as_its_worst_check() {
        let check = |name: &str, status| Check { name: name.to_owned(), status, message: None };
        let mut failing = check("store", HealthWord::Failing);
        failing.message = Some("cannot write".to_owned());
        let body = Ready::of(vec![check("workers", HealthWord::Ok), failing]);
        assert_json_snapshot!(body, @r#"
        {
          "status": "failing",
          "checks": [
            {
              "name": "workers",
              "status": "ok"
            },
            {
              "name": "store",
              "status": "failing",
              "message": "cannot write"
            }
          ]
        }
        "#);
        assert_eq!(Ready::of(Vec::new()).status, HealthWord::Ok);
    }
}
