//! From the URLs of a request to kept, checked inputs and the facts about them.
//!
//! Intake is the only stage that believes nothing: URLs, sizes, types and headers all come from
//! strangers. [`Intake::take`] fetches all inputs of a request side by side through the guarded
//! door of [`egress`], keeps their bytes in [`artifacts`] (a pre-signed URL may expire later),
//! measures them with [`media`] and holds them against the limits of [`catalog`].
//!
//! What breaks a limit is refused as soon as it can be known: the type from the first bytes,
//! size and length from the headers of an mp4 or a picture while the rest is still on its way.
//!
//! Invariant: when `take` fails, whatever it fetched is gone; when it succeeds, every input of
//! the request is on disk, measured, and within its limits.

mod early;
mod error;
mod fetch;
mod measure;
mod own;
mod pool;
mod take;

pub use error::IntakeError;
pub use measure::video_facts;
pub use own::{NothingOwn, Own, ResolveOwn, Resolving};
pub use pool::PoolLimits;
pub use take::{Intake, Request, Taken};
