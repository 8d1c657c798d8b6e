//! What a request *is*, apart from any database, network or picture.
pub mod clock;
pub mod facts;
pub mod fault;
pub mod id;
pub use clock::{Clock, Rng, Timestamp};
pub use fault::{Failure, Fault};
pub use id::{FileToken, KeyId, OwnerId, RequestId, WorkerId};
