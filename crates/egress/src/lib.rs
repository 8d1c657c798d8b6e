//! The only door to other hosts.
//!
//! Whoever submits a request names URLs that this server then fetches, and may name one that it
//! reports to. Without care, that is a way to make the server talk to its own neighbours:
//! metadata services, databases, admin pages. So everything that leaves goes through [`Client`],
//! which holds to these rules:
//!
//! - https only, no credentials in the URL, no proxies, no cookies;
//! - public addresses only ([`address`]), checked after DNS resolution on the very address that
//!   is connected; a name that answers with public *and* other addresses is refused;
//! - a GET ([`Client::get`]) follows at most [`MAX_REDIRECTS`] redirects, each hop checked like
//!   the first; connect errors, 408, 429 and 5xx are tried [`MAX_TRIES`] times, other statuses
//!   once;
//! - a POST ([`Client::post`]) goes out once and to no other place than its URL: when to try
//!   again is its caller's affair, and a redirect would send what is told to one host to another;
//! - bytes and time are limited while a body streams;
//! - query strings are neither logged nor shown, and of a POST's URL nothing but the host:
//!   pre-signed URLs and webhook URLs carry secrets there.
//!
//! [`Exempt`] waives the rules about addresses and https for one host that the operator named.

pub mod address;
mod body;
mod client;
mod connect;
mod error;
mod exchange;
mod get;
mod post;
mod retry;
mod target;

pub use body::{Body, Response};
pub use client::{Client, Options};
pub use connect::{Dial, Resolve, SystemDialer, SystemResolver, Waiting};
pub use error::{FetchError, SetupError};
pub use get::{ByteRange, GetRequest, MAX_REDIRECTS, MAX_TRIES};
pub use post::{PostReply, PostRequest};
pub use rustls::pki_types::CertificateDer;
pub use target::{BadExempt, Exempt};
