//! The door to other hosts, tried from the outside: a scripted https host stands behind public
//! addresses that a test's dialler leads to the loopback interface.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests stand outside of test functions"
)]

mod addresses;
mod broken;
mod limits;
mod posts;
mod redirects;
mod requests;
mod retries;
mod secrets;
mod support;
