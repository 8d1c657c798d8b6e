//! What is posted to webhooks: the rules of a delivery, and where deliveries are kept.
//!
//! A delivery is written in the transaction that changes its request's state, so none is lost
//! and none tells what did not happen. It is claimed for one attempt at a time; the number of the
//! attempt is its fencing token. Whoever receives it may get it twice, never not at all while it
//! answers within the time of retries. A replay, too, fences the attempt that is under way: what that
//! one has to say is of before.

use async_trait::async_trait;
use domain::{OwnerId, RequestId, State, Timestamp};
use tokio::sync::watch;

use crate::StoreError;
use crate::row::RequestRow;

/// One message to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `msg_…`: the same for each attempt; the receiver's means to tell repetitions.
    pub id: String,
    /// Whose request it tells of.
    pub owner: OwnerId,
    /// The request.
    pub request: RequestId,
    /// Where it goes.
    pub url: String,
    /// The state that it tells of.
    pub event: State,
    /// Where it stands.
    pub standing: Standing,
    /// Attempts made, the one under way, or due by a replay, included.
    pub attempts: u32,
    /// When the next attempt is due, or the one under way counts as lost.
    pub next_at: Option<Timestamp>,
    /// When `next_at` was said.
    pub set_at: Timestamp,
    /// When the state changed.
    pub created_at: Timestamp,
    /// When its time of retries began: at its making, or at its latest replay.
    pub opened_at: Timestamp,
    /// When it was acknowledged or given up.
    pub finished_at: Option<Timestamp>,
    /// What the receiver answered last.
    pub last_status: Option<u16>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// An attempt is due or under way.
    Pending,
    /// The receiver acknowledged it.
    Delivered,
    /// The time of retries is over.
    Failed,
    /// The receiver said that it is gone for good (410).
    Disabled,
    /// It told of a state on the way, and the request has ended since.
    Superseded,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// With a 2xx.
    Delivered {
        /// The status.
        status: u16,
    },
    /// With anything else; `again` is the next attempt, if there is one.
    Failed {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// What to tell people.
        error: String,
        /// When to try again.
        again: Option<Timestamp>,
    },
    /// With a 410: neither this nor another delivery of the owner is sent there again, until one
    /// is replayed by hand.
    Gone,
    /// It was not made: the message is out of date.
    Superseded,
}

/// What is waiting to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Deliveries that are due or under way.
    pub pending: u64,
    /// When the oldest of them was made.
    pub oldest: Option<Timestamp>,
}

/// Which deliveries to list, newest first.
#[derive(Debug, Clone)]
pub struct DeliveryListing {
    /// Whose.
    pub owner: OwnerId,
    /// Only of this request.
    pub request: Option<RequestId>,
    /// Only those made before this one.
    pub before: Option<String>,
    /// At most this many.
    pub limit: u32,
}

/// Deliveries and the secrets that sign them.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes up to `limit` due deliveries for one attempt each, oldest due first, none of owners
    /// in `busy`; an attempt that is not settled until `until` counts as failed.
    async fn take_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
        busy: &[OwnerId],
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Says how attempt number `attempt` ended. [`StoreError::Fenced`] if another one was begun.
    async fn settle_delivery(
        &self,
        id: &str,
        attempt: u32,
        outcome: Attempted,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Changes when a delivery was written or replayed: whoever delivers need not look at every
    /// change of a request.
    fn posted(&self) -> watch::Receiver<()>;
    /// When the first pending delivery is due: not after `now`, if one is.
    async fn next_delivery(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
    /// What is waiting.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
    /// An owner's deliveries, newest first.
    async fn deliveries(&self, listing: DeliveryListing) -> Result<Vec<Delivery>, StoreError>;
    /// Makes a delivery due now, whatever became of it, and lifts what a 410 disabled; `None` if
    /// the owner has none with this id.
    async fn replay_delivery(
        &self,
        owner: &OwnerId,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError>;
    /// The secrets that sign for an owner at `now`, newest first; `fresh` becomes the first one
    /// of an owner who has none.
    async fn secrets(
        &self,
        owner: &OwnerId,
        fresh: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError>;
    /// Makes `fresh` the secret; those before it sign along until `overlap_until`.
    async fn rotate_secret(
        &self,
        owner: &OwnerId,
        fresh: &str,
        now: Timestamp,
        overlap_until: Timestamp,
    ) -> Result<(), StoreError>;
}

// === impl Delivery ===

impl Delivery {
    /// The message that a change of `row` from `before` (`None`: it is new) makes, if any.
    pub fn of_change(before: Option<State>, row: &RequestRow) -> Option<Self> {
        let hook = row.body.webhook.as_ref()?;
        let moment = row.body.timeline.last()?;
        let told = before.map(word) == Some(word(row.state));
        if told || !(hook.intermediate || row.state.is_terminal()) {
            return None;
        }
        Some(Self {
            id: message_id(&row.id, moment.n),
            owner: row.owner.clone(),
            request: row.id.clone(),
            url: hook.url.clone(),
            event: row.state,
            standing: Standing::Pending,
            attempts: 0,
            next_at: Some(moment.at),
            set_at: moment.at,
            created_at: moment.at,
            opened_at: moment.at,
            finished_at: None,
            last_status: None,
            last_error: None,
        })
    }

    /// Whether an attempt may begin at `now`. A pause, or an attempt, that began at a moment which
    /// the clock has not reached began before it was set back, and would last as much longer: it
    /// counts no more.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let over = |at: Timestamp| at <= now || self.set_at.is_of_a_clock_set_back(now);
        self.standing == Standing::Pending && self.next_at.is_some_and(over)
    }

    /// Begins an attempt at `now` that counts as failed at `until`.
    pub fn take(&mut self, now: Timestamp, until: Timestamp) {
        if !self.is_reopened() {
            self.attempts += 1;
        }
        (self.next_at, self.set_at) = (Some(until), now);
    }

    /// Ends attempt number `attempt`.
    pub fn settle(
        &mut self,
        attempt: u32,
        outcome: Attempted,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.standing != Standing::Pending || self.attempts != attempt {
            return Err(StoreError::Fenced);
        }
        let (standing, status, error) = match outcome {
            Attempted::Delivered { status } => (Standing::Delivered, Some(status), None),
            Attempted::Failed { status, error, again: Some(at) } => {
                (self.next_at, self.set_at) = (Some(at), now);
                (self.last_status, self.last_error) = (status, Some(error));
                return Ok(());
            }
            Attempted::Failed { status, error, again: None } => {
                (Standing::Failed, status, Some(error))
            }
            Attempted::Gone => (Standing::Disabled, Some(410), Some(GONE.to_owned())),
            Attempted::Superseded => (Standing::Superseded, self.last_status, None),
        };
        (self.last_status, self.last_error) = (status, error);
        self.finish(standing, now);
        Ok(())
    }

    /// The receiver of this delivery said to another one that it is gone.
    pub fn disable(&mut self, now: Timestamp) {
        self.last_error = Some(GONE.to_owned());
        self.finish(Standing::Disabled, now);
    }

    /// Makes it due now. The attempt that it is due for has its number from here on: one that is
    /// under way, and would undo this, is fenced.
    pub fn replay(&mut self, now: Timestamp) {
        if !self.is_reopened() {
            self.attempts += 1;
        }
        self.standing = Standing::Pending;
        (self.next_at, self.set_at) = (Some(now), now);
        (self.opened_at, self.finished_at) = (now, None);
    }

    /// Whether it was replayed, and not taken since.
    fn is_reopened(&self) -> bool {
        self.attempts > 0 && self.next_at == Some(self.opened_at)
    }

    fn finish(&mut self, standing: Standing, now: Timestamp) {
        self.standing = standing;
        (self.next_at, self.finished_at) = (None, Some(now));
    }
}

const GONE: &str = "the receiver answered 410: it is gone; replay a delivery to send there again";

/// `msg_`, the request's own part of its id, and the number of the moment.
fn message_id(request: &RequestId, moment: u64) -> String {
    let own = request.as_str().strip_prefix(RequestId::PREFIX).unwrap_or(request.as_str());
    format!("msg_{own}_{moment}")
}

/// What receivers tell apart: `received` and `ready` are one state on the wire.
const fn word(state: State) -> u8 {
    match state {
        State::Received | State::Ready => 0,
        State::Running => 1,
        State::Succeeded => 2,
        State::Failed => 3,
        State::Cancelled => 4,
    }
}

// === impl Standing ===

impl Standing {
    /// All of them; the place of each is what stores keep.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Delivered, Self::Failed, Self::Disabled, Self::Superseded];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
            Self::Superseded => "superseded",
        }
    }
}
