//! What is stored, as values.

use domain::admission::{Limits, Load};
use domain::facts::Facts;
use domain::lease::{Epoch, Lease, Stage, Tries};
use domain::queue::{OrderKey, Priority};
use domain::usage::Microdollars;
use domain::{Failure, FileToken, KeyId, OwnerId, RequestId, State, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request as it is handed in.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// Its id.
    pub id: RequestId,
    /// Whose it is.
    pub owner: OwnerId,
    /// The key it came with.
    pub key: KeyId,
    /// The model's id, exactly as it was posted.
    pub model: String,
    /// The canonical input: defaults filled in, `data:` URIs as references to kept bytes.
    pub input: Value,
    /// What was accepted but is worth a word: unknown fields, sizes above the recommended.
    pub warnings: Vec<String>,
    /// Its rank among requests.
    pub priority: Priority,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// On what terms.
    pub terms: Terms,
}

/// What was agreed when a request was taken. The default asks for nothing and limits nothing.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What it costs if it succeeds.
    pub price: Microdollars,
    /// When it has to have ended.
    pub deadline: Option<Timestamp>,
    /// Where its states are posted.
    pub webhook: Option<Hook>,
    /// Files of this server that it needs: kept until it ends.
    pub uses: Vec<FileToken>,
    /// What makes a repetition of it the same request.
    pub once: Option<Once>,
    /// What its key and its owner may use.
    pub limits: BothLimits,
    /// Most requests that may wait in the whole store.
    pub max_queue: Option<u64>,
    /// How many bytes its body had.
    pub bytes: u64,
}

/// Where the states of a request are posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The receiver.
    pub url: String,
    /// Whether it hears of states on the way, too.
    #[serde(default)]
    pub intermediate: bool,
    /// What absolute URLs in the payload begin with.
    pub base: String,
}

/// An idempotency key: the same key on the same path of the same owner is the same request for
/// [`ONCE_SECS`], if the body is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The key.
    pub key: String,
    /// The path that it was sent to.
    pub path: String,
    /// SHA-256 of the body.
    pub body: [u8; 32],
}

/// How long an idempotency key is remembered.
pub const ONCE_SECS: i64 = 24 * 3600;

/// The limits of a key and of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BothLimits {
    /// Of the key.
    pub key: Limits,
    /// Of its owner.
    pub owner: Limits,
}

/// What a key and its owner have going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loads {
    /// The key.
    pub key: Load,
    /// Its owner, with all keys.
    pub owner: Load,
}

/// What became of an insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserted {
    /// The request: the first one with its idempotency key, if that is known.
    pub status: StatusRow,
    /// Whether nothing was inserted, because it had been before.
    pub replayed: bool,
}

/// One stored request, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Its id.
    pub id: RequestId,
    /// Whose it is.
    pub owner: OwnerId,
    /// The key it came with.
    pub key: KeyId,
    /// The model's id.
    pub model: String,
    /// Its place in the queue, kept for life.
    pub order: OrderKey,
    /// Where it stands.
    pub state: State,
    /// Claims and cancellations so far.
    pub epoch: Epoch,
    /// Tries so far.
    pub tries: Tries,
    /// Not to be claimed before this moment.
    pub not_before: Timestamp,
    /// Who works on it.
    pub held: Option<Held>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it reached a terminal state.
    pub finished_at: Option<Timestamp>,
    /// When it has to have ended.
    pub deadline: Option<Timestamp>,
    /// What it costs if it succeeds.
    pub price: Microdollars,
    /// Everything that no query looks for.
    pub body: Body,
}

/// A lease as stored in its request's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What is worked on.
    pub stage: Stage,
    /// By whom.
    pub worker: WorkerId,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The part of a row that no query looks for; stored as one JSON document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Body {
    /// The canonical input.
    pub input: Value,
    /// Words of caution for the sender.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What intake measured.
    #[serde(default)]
    pub facts: Option<Facts>,
    /// How far the present stage is.
    #[serde(default)]
    pub progress: Option<Progress>,
    /// What happened, oldest first.
    #[serde(default)]
    pub timeline: Vec<Moment>,
    /// Of a succeeded request: what was published.
    #[serde(default)]
    pub published: Option<PublishedBody>,
    /// Of a failed request: why.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// Where its states are posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Hook>,
}

/// One entry of a request's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Its number, from 1, in the order in which things happened to the request.
    #[serde(default)]
    pub n: u64,
    /// When.
    pub at: Timestamp,
    /// What: `received`, `intake_started`, `ready`, `run_started`, `set_back`, `succeeded`,
    /// `failed`, `cancelled`.
    pub event: String,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// `intake`, or a pass of the engine.
    pub stage: String,
    /// 0.0 to 1.0 of the whole run.
    pub fraction: f64,
}

/// A finished clip, as its worker hands it in.
#[derive(Debug, Clone)]
pub struct Published {
    /// The documents for the record.
    pub body: PublishedBody,
    /// The files, to be named in the same transaction.
    pub files: Vec<FileRow>,
    /// Seconds of video (or number of outputs) that are charged.
    pub units: u32,
    /// What is charged.
    pub cost: Microdollars,
}

/// The documents of a finished clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishedBody {
    /// Output name to `/files/…` path, or to a list of paths.
    pub output: Value,
    /// `/files/…` path of a still.
    pub poster: Option<String>,
    /// The shot plan.
    pub plan: Value,
    /// What the engine says of its run: engine, version, passes, `unmet`, times.
    pub report: Value,
    /// What was charged.
    pub cost: Microdollars,
}

/// The right to work on a request, with the request.
#[derive(Debug)]
pub struct Claim {
    /// The lease.
    pub lease: Lease,
    /// The row as claimed.
    pub row: RequestRow,
}

/// What a status poll needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// The request.
    pub id: RequestId,
    /// Whose it is.
    pub owner: OwnerId,
    /// Where it stands.
    pub state: State,
    /// 1 for the next to run; only while queued.
    pub position: Option<u64>,
}

/// What a cancellation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOutcome {
    /// Whose request it is.
    pub owner: OwnerId,
    /// Its model.
    pub model: String,
    /// The state afterwards.
    pub state: State,
    /// Whether this call changed it.
    pub changed: bool,
}

/// Which requests to list.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Whose; everybody's if `None`.
    pub owner: Option<OwnerId>,
    /// Only in these states; any if empty.
    pub states: Vec<State>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only those inserted before this sequence number.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The rows.
    pub rows: Vec<RequestRow>,
    /// `before` of the next page, if there is one.
    pub next: Option<i64>,
}

/// A named file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The unguessable part of its URL.
    pub token: FileToken,
    /// The last part of its URL.
    pub name: String,
    /// Whose it is.
    pub owner: OwnerId,
    /// The request that made it; none for an upload.
    pub request: Option<RequestId>,
    /// Where its bytes are in the artifact store.
    pub path: String,
    /// Its media type.
    pub content_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal; its ETag.
    pub sha256: String,
    /// When it was named.
    pub created_at: Timestamp,
}

// === impl StatusRow ===

impl StatusRow {
    /// Of a request whose record was removed: all that is known is that it had ended.
    pub const fn gone(id: RequestId, owner: OwnerId) -> Self {
        Self { id, owner, state: State::Cancelled, position: None }
    }
}

// === impl FileRow ===

impl FileRow {
    /// The path part of its URL.
    pub fn url_path(&self) -> String {
        format!("/files/{}/{}", self.token, self.name)
    }
}
