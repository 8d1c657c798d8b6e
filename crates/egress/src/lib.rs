//! The only door to other hosts.
//!
//! Whoever submits a request names URLs that this server then fetches. Without care, that is a
//! way to make the server talk to its own neighbours: metadata services, databases, admin
//! pages. So everything that leaves goes through [`Client`], which holds to these rules:
//!
//! - https only, no credentials in the URL, no proxies, no cookies, GET only;
//! - public addresses only ([`address`]), checked after DNS resolution on the very address that
//!   is connected; a name that answers with public *and* other addresses is refused;
//! - every hop of at most [`MAX_REDIRECTS`] redirects is checked like the first;
//! - connect errors, 408, 429 and 5xx are tried [`MAX_TRIES`] times, other statuses once;
//! - bytes and time are limited while the body streams;
//! - query strings are neither logged nor shown: pre-signed URLs carry secrets there.
//!
//! [`Exempt`] waives the rules about addresses and https for one host that the operator named.

pub mod address;
mod body;
mod client;
mod connect;
mod error;
mod exchange;
mod retry;
mod target;

pub use body::{Body, Response};
pub use client::{ByteRange, Client, GetRequest, MAX_REDIRECTS, MAX_TRIES, Options};
pub use connect::{Dial, Resolve, SystemDialer, SystemResolver, Waiting};
pub use error::{FetchError, SetupError};
pub use rustls::pki_types::CertificateDer;
pub use target::{BadExempt, Exempt};
