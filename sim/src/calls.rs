//! What is said over the simulated network: one line of JSON for a call, one for its answer.
//!
//! Workers name their own times, as processes that share a store do; for clients the server's
//! clock counts, as it does on the real wire.

use domain::lease::{Epoch, Lease, Setback, Stage};
use domain::{FileToken, OwnerId, RequestId, State, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};

/// A call to the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Call {
    /// A client wants a request made: errand number `errand` of client number `client`.
    Submit {
        /// Whose errand.
        client: usize,
        /// Which.
        errand: usize,
        /// Whether the body is another one than it should be.
        altered: bool,
    },
    /// Where a request stands.
    Status(RequestId),
    /// Takes a request back.
    Cancel(RequestId, bool),
    /// Has the last message of a request posted once more.
    Replay(OwnerId, RequestId),
    /// Removes the record of a request.
    Remove(OwnerId, RequestId),
    /// A worker asks for work.
    Claim(Stage, WorkerId, Timestamp),
    /// A worker gives a sign of life; the lease is to hold until then.
    Extend(#[serde(with = "LeaseForm")] Lease, Timestamp),
    /// A worker ends its lease.
    End(#[serde(with = "LeaseForm")] Lease, End, Timestamp),
    /// Ends what ran out.
    Expire(Timestamp),
    /// Asks for messages to be posted.
    Take {
        /// The present.
        now: Timestamp,
        /// When the attempts count as lost.
        until: Timestamp,
    },
    /// Says how an attempt to post ended.
    Settle {
        /// The message.
        letter: Letter,
        /// How it ended.
        outcome: Posted,
        /// The present.
        now: Timestamp,
    },
}

/// How a worker ends its lease.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum End {
    /// The inputs are kept.
    Kept,
    /// The clip is made; its file's token.
    Publish(FileToken),
    /// It cannot be made.
    Fail,
    /// The engine failed.
    Fault,
    /// The worker stops.
    HandedBack,
}

/// How an attempt to post ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Posted {
    /// With a 200.
    Delivered,
    /// With something else, or nothing; when to try again.
    Failed(Option<u16>, Option<Timestamp>),
    /// With a 410.
    Gone,
    /// It was out of date.
    Superseded,
}

/// The server's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    /// The request is taken, or was before.
    Accepted(RequestId, State),
    /// A limit is reached.
    Refused(String),
    /// The key was used for another body.
    Reused,
    /// Where it stands.
    Stands(State),
    /// There is no such request.
    Unknown,
    /// Where it stands after a cancellation, and whether that changed it.
    Cancelled(State, bool),
    /// Work; whether it kills who does it.
    Claimed(#[serde(with = "LeaseForm")] Lease, bool),
    /// There is none.
    Nothing,
    /// Done.
    Done,
    /// The lease, or the attempt, no longer holds.
    Fenced,
    /// The store failed.
    Unavailable,
    /// What is to be posted.
    Letters(Vec<Letter>),
}

/// A message to a webhook, for one attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// Whose request it tells of.
    pub owner: OwnerId,
    /// The request.
    pub request: RequestId,
    /// Where it goes.
    pub url: String,
    /// What it tells.
    pub event: State,
    /// Which attempt this is.
    pub attempt: u32,
    /// When its time of retries began.
    pub opened_at: Timestamp,
    /// Whether the request has ended since.
    pub out_of_date: bool,
}

/// [`Lease`] on the wire.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Lease")]
struct LeaseForm {
    request: RequestId,
    stage: Stage,
    epoch: Epoch,
    worker: WorkerId,
    expires_at: Timestamp,
}

// === impl Call ===

impl Call {
    /// Whether something is lost if it is done by half.
    pub const fn writes(&self) -> bool {
        matches!(
            self,
            Self::Submit { .. }
                | Self::Cancel(..)
                | Self::Replay(..)
                | Self::End(..)
                | Self::Settle { .. }
        )
    }
}

// === impl End ===

impl End {
    /// As the attempt rules call it, if it is no end of the request.
    pub const fn setback(&self) -> Option<Setback> {
        match self {
            Self::Fault => Some(Setback::Fault),
            Self::HandedBack => Some(Setback::HandedBack),
            Self::Kept | Self::Publish(_) | Self::Fail => None,
        }
    }
}
