//! The installation at a glance, for its operator.

use serde::{Deserialize, Serialize};

use crate::{Check, HealthWord};

/// The reply of `/v1/system`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// The worst of the checks.
    pub status: HealthWord,
    /// Of the server.
    pub version: String,
    /// By the server's clock.
    pub now: String,
    /// When this process started.
    pub started_at: String,
    /// What `/readyz` shows, too.
    pub checks: Vec<Check>,
    /// What waits.
    pub queue: SystemQueue,
    /// What is worked on, in the order of arrival.
    pub running: Vec<SystemRunning>,
    /// Slots of this process; 0 where it makes no clips.
    pub workers: SystemWorkers,
    /// How long the stages of recent successes took; a stage that none went through is left out.
    pub stages: Vec<SystemStage>,
    /// What this installation has to make clips with.
    pub engines: Vec<SystemEngine>,
    /// The last requests that failed, of everybody, the last one first.
    pub faults: Vec<SystemFault>,
    /// Messages to webhooks.
    pub webhooks: SystemWebhooks,
    /// The disk of the data folder; null where it cannot be asked.
    pub disk: Option<SystemDisk>,
}

/// The queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemQueue {
    /// How many wait.
    pub depth: u64,
    /// How long the oldest of them has waited, in seconds; null if none waits.
    pub oldest_age_secs: Option<f64>,
    /// By model and priority; in order, those that are empty left out.
    pub groups: Vec<SystemQueueGroup>,
}

/// One part of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemQueueGroup {
    /// The model.
    pub model_id: String,
    /// `high`, `normal` or `low`.
    pub priority: String,
    /// How many wait, at least 1.
    pub depth: u64,
    /// How long the oldest of them has waited, in seconds.
    pub oldest_age_secs: f64,
}

/// One request that is worked on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemRunning {
    /// The request.
    pub request_id: String,
    /// The model.
    pub model_id: String,
    /// Who works on it.
    pub worker: String,
    /// `intake` or `run`.
    pub stage: String,
    /// The engine's pass, once it has told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    /// How much of the stage is done, 0 to 1, once that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// When this try of the stage began.
    pub since: String,
    /// Which try of the stage it is, from 1.
    pub attempt: u32,
}

/// How much this process does at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemWorkers {
    /// Clips.
    pub runs: u32,
    /// Requests whose inputs are fetched.
    pub intakes: u32,
}

/// How long one stage took, its last try each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemStage {
    /// `intake` or `run`.
    pub name: String,
    /// How many requests are counted.
    pub count: u32,
    /// Half of them took no longer, in seconds.
    pub p50_secs: f64,
    /// Nine of ten took no longer, in seconds.
    pub p90_secs: f64,
    /// None took longer, in seconds.
    pub max_secs: f64,
}

/// One engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemEngine {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The models whose clips it makes.
    pub models: Vec<String>,
    /// Which kinds of wish it honours, and how far.
    pub honours: Vec<SystemHonour>,
}

/// How far an engine goes with one kind of wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemHonour {
    /// The kind, in words that a prompt could use.
    pub wish: String,
    /// `yes`, `partly` or `no`.
    pub degree: String,
    /// What is done and what is not.
    pub note: String,
}

/// One request that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemFault {
    /// When it ended.
    pub at: String,
    /// The request.
    pub request_id: String,
    /// The model.
    pub model_id: String,
    /// The stable word of its error.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Messages that are not yet told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemWebhooks {
    /// How many.
    pub pending: u64,
    /// How long the oldest of them has waited, in seconds; null if there is none.
    pub oldest_age_secs: Option<f64>,
}

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemDisk {
    /// Bytes free.
    pub free_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}
