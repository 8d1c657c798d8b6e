//! Inputs of all kinds, fetched from a scripted host and measured for real.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests stand outside of test functions"
)]

mod clips;
mod early;
mod hostile;
mod kept;
mod limits;
mod probing;
mod support;
mod taken;
mod unusual;
