//! The HTTP API as bytes: paths, request and reply bodies, error numbers.
//!
//! Existing clients depend on every name here, so the types stand apart from what the server
//! keeps: a change of a store or of the state machine cannot change the wire by accident, and
//! each body has its JSON pinned by a test. Nothing here decides anything; times are strings
//! made by the caller (RFC 3339 with microseconds and a numeric offset), URLs are absolute.
//!
//! Two invariants that clients rely on: a reply that is not an error never has a member called
//! `error_code`, and members that do not apply are left out rather than sent as `null`
//! (but for those that the operator's contract lists).

mod account;
mod error;
mod file;
mod health;
mod model;
mod owner;
pub mod path;
mod record;
mod request;
mod share;
mod system;
mod word;

pub use account::{Balance, WhoAmI};
pub use error::{Detail, ErrorBody, ErrorCode, RunError};
pub use file::FileUploaded;
pub use health::{Check, Health, HealthWord, Ready};
pub use model::{Categories, ModelEntry, ModelList, ModelListQuery};
pub use owner::{
    Delivery, DeliveryList, KeyChange, KeyCreated, KeyEntry, KeyList, LimitSet, NewKey, SignIn,
    SignedIn, Usage, UsageLine, UsageSum, WebhookSecrets,
};
pub use record::{
    EngineInfo, Event, Pass, Record, RequestList, RequestListQuery, StageTimes, Summary,
};
pub use request::{
    CancelQuery, CancelReply, DryRun, ResultQuery, ResultReply, StatusReply, SubmitQuery, Submitted,
};
pub use share::{Shared, SharedResult};
pub use system::{
    System, SystemDisk, SystemEngine, SystemFault, SystemHonour, SystemQueue, SystemQueueGroup,
    SystemRunning, SystemStage, SystemWebhooks, SystemWorkers,
};
pub use word::{Outcome, ResultWord, StatusWord};
