//! What a request *is*, apart from any database, network or picture.
//!
//! Everything here is a synchronous function of its arguments: ids, the state machine of a
//! request, the order of the queue, leases and their epochs, the rules for attempts, what a
//! clip costs, how webhooks are signed, the facts that are known about inputs, and the faults
//! that are reported to whoever sent them. Stores, servers and workers all speak in these nouns, and
//! [`invariants`] says in code what must hold whichever of them is asked.

pub mod admission;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

pub mod clock;
pub mod facts;
pub mod fault;
pub mod id;
pub mod invariants;
pub mod key;
pub mod lease;
pub mod queue;
pub mod request;
pub mod usage;
pub mod webhook;

pub use admission::Limits;
pub use clock::{Clock, Rng, Timestamp};
pub use fault::{Failure, Fault};
pub use id::{FileToken, KeyId, OwnerId, RequestId, ShareToken, WorkerId};
pub use lease::{Epoch, Lease, Stage};
pub use queue::{OrderKey, Priority, QueueIndex};
pub use request::State;
pub use webhook::WebhookSecret;
