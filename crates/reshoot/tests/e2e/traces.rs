//! A build without traces, told where a collector is.

use testkit::{MediaHost, Reply};

use crate::support::Server;
use crate::support::home::Home;
use crate::support::process::Machine;

#[tokio::test(flavor = "multi_thread")]
async fn a_build_without_traces_says_so_once_and_sends_none() {
    let collector = MediaHost::http();
    collector.on("/v1/traces", Reply::ok(""));
    let variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url(""))];
    let machine = Machine { variables, ..Machine::default() };
    let server = Server::start(Home::new(&[]).flag("--workers", "0").on(machine));
    server.get("/v1/requests").expect(200);
    let (_, _, status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    let told: Vec<_> = log.lines().filter(|line| line.contains("--features otlp")).collect();
    assert!(matches!(told[..], [line] if line.contains("`OTEL_EXPORTER_OTLP_ENDPOINT`")), "{log}");
    assert!(collector.requests().is_empty());
}
