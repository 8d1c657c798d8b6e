//! The real binary and a collector: what it is sent, and what becomes of the server without it.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
#![allow(clippy::panic, reason = "a test may fail loudly")]

#[path = "../e2e/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "most of it is for the other tests")]
mod support;

mod away;
mod collected;
mod end_to_end;

use support::home::Home;
use support::process::Machine;
use testkit::MediaHost;

/// Where the collector takes spans.
const TAKES: &str = "/v1/traces";

/// A home whose server sends its spans to `collector`, with these further variables.
fn home(collector: &MediaHost, more: &[(&'static str, &str)]) -> Home {
    let address = collector.address().to_string();
    let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url(""))];
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    Home::with_second_model(std::slice::from_ref(&address))
        .flag("--allow-webhook-host", &address)
        .on(Machine { variables, ..Machine::default() })
}
