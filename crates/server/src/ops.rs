//! One file per operation: its arguments, what can go wrong, its handler.

pub(crate) mod balance;
pub(crate) mod cancel;
pub(crate) mod categories;
pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod metrics;
pub(crate) mod model;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod ready;
pub(crate) mod record;
pub(crate) mod remove;
pub(crate) mod requests;
pub(crate) mod result;
pub(crate) mod sign_in;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod system;
pub(crate) mod upload;
pub(crate) mod usage;
pub(crate) mod webhooks;
pub(crate) mod whoami;
