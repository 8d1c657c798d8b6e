//! Limits, what is spent, and what was used.

use async_trait::async_trait;
use domain::admission::Limits;
use domain::usage::Microdollars;
use domain::{KeyId, OwnerId, Priority, Timestamp};

use crate::StoreError;
use crate::row::Loads;

/// Whom limits are set for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One key.
    Key(KeyId),
    /// An owner.
    Owner(OwnerId),
}

/// Which usage is asked about.
#[derive(Debug, Clone)]
pub struct UsageQuery {
    /// Whose.
    pub owner: OwnerId,
    /// From this moment.
    pub from: Timestamp,
    /// Before this moment.
    pub to: Timestamp,
    /// Only of this model.
    pub model: Option<String>,
    /// Only of this key.
    pub key: Option<KeyId>,
    /// By what it is added up.
    pub group_by: GroupBy,
}

/// By what usage is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The UTC day of publication.
    Day,
    /// The model.
    Model,
    /// The key.
    Key,
}

/// One group of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLine {
    /// Days since 1970, the model's id or the key's id.
    pub group: String,
    /// Published clips.
    pub clips: u64,
    /// Seconds of video (or outputs).
    pub units: u64,
    /// What was charged.
    pub cost: Microdollars,
}

/// How deep and how old one part of the queue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The model.
    pub model: String,
    /// The lane.
    pub priority: Priority,
    /// How many wait.
    pub depth: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<Timestamp>,
}

/// What a look at the whole queue shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// By model and lane, those that are empty left out; in order.
    pub waiting: Vec<Waiting>,
    /// How many run, by model, in order.
    pub running: Vec<(String, u64)>,
}

/// Limits and sums.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Sets the limits of a key or an owner, whether there is one or not.
    async fn set_limits(&self, subject: &Subject, limits: Limits) -> Result<(), StoreError>;
    /// The limits of a key or an owner.
    async fn limits(&self, subject: &Subject) -> Result<Limits, StoreError>;
    /// What a key and its owner have going on; from memory.
    fn loads(&self, owner: &OwnerId, key: &KeyId) -> Loads;
    /// What was used, in order of the groups.
    async fn usage(&self, query: UsageQuery) -> Result<Vec<UsageLine>, StoreError>;
    /// The queue by model and lane.
    async fn survey(&self) -> Result<Survey, StoreError>;
}

// === impl Subject ===

impl Subject {
    /// The id as text: prefixes tell keys from owners.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Owner(id) => id.as_str(),
        }
    }
}
