//! What a scrape has to look up: plain numbers, from the store and the disk.

use domain::Priority;

/// How things stand at the moment of a scrape.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The queue, one entry for each model and priority that has requests in it.
    pub queue: Vec<QueueGroup>,
    /// What engines work on, one entry for each model.
    pub running: Vec<RunningGroup>,
    /// Webhooks that are not yet acknowledged.
    pub webhooks: Backlog,
    /// The disk of the data folder, unless it could not be asked.
    pub disk: Option<Disk>,
}

/// The queued requests of one model and priority.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueGroup {
    /// The model's id.
    pub model: String,
    /// What their senders asked for.
    pub priority: Priority,
    /// How many there are.
    pub depth: u64,
    /// How long ago the oldest was sent.
    pub oldest_age_secs: f64,
}

/// The running requests of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningGroup {
    /// The model's id.
    pub model: String,
    /// How many there are.
    pub count: u64,
}

/// Things that wait to be done.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Backlog {
    /// How many there are.
    pub pending: u64,
    /// How long the oldest has waited; 0 where there is none.
    pub oldest_age_secs: f64,
}

/// Room on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// What this process may still write.
    pub free_bytes: u64,
    /// Its size.
    pub total_bytes: u64,
}
