//! The HTTP API: one file per operation, and what they share.
//!
//! A handler parses, asks whose key it is, calls the store, and maps the answer onto the types of
//! `wire`; it decides nothing that another crate decides. Three rules hold for all of them:
//!
//! - the key is checked before a byte of the body is read;
//! - a reply that is not 2xx is an `ErrorBody`, and only such a reply has an `error_code`;
//! - a request, file or path of another owner is answered as one that does not exist.
//!
//! What other crates know and this one needs (the plan of a prompt, the type of a file, the state
//! of the workers) comes in through the traits of [`hooks`], implemented by the binary.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

pub mod app;
pub mod hooks;
pub mod proxy;
pub mod serve;

mod auth;
mod base;
mod body;
mod call_span;
mod door;
mod json;
mod lookup;
mod openapi;
mod ops;
mod params;
mod places;
mod range;
mod refusal;
mod render;
mod router;
mod trace;
mod uses;

pub use app::{App, BadPublicUrl, Config, Parts, PublicUrl, Slots};
pub use base::Peer;
pub use hooks::{
    FileKind, Forecast, Forecasted, Probe, Room, Sniff, SystemEngine, SystemHonour, WebhookPolicy,
};
pub use proxy::{BadCidr, Cidr};
pub use render::webhook_payload;
pub use router::{Access, ROUTES, Route, paths, router};
pub use serve::{serve, serve_metrics};
