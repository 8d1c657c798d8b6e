//! A collector that hangs, is gone, or was never there.

use std::net::TcpListener;

use testkit::{MediaHost, Reply};

use crate::support::home::Home;
use crate::support::process::Machine;
use crate::support::{Server, stderr};
use crate::{TAKES, home};

const CALLS: usize = 200;

fn call(server: &Server) {
    let caller = server.caller();
    for _ in 0..CALLS {
        caller.get("/v1/requests").expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_holds_up_neither_calls_nor_the_end() {
    let collector = MediaHost::http();
    collector.on(TAKES, Reply::hang());
    let small = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let server = Server::start(home(&collector, &small));
    call(&server);
    // Had a single call waited for room, there were as many exports as make that room.
    let exports = collector.requests_of(TAKES).len();
    assert!((1..CALLS / 8).contains(&exports), "{exports} exports");
    let (_, _, status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("the last spans were not sent"), "it waited for the collector: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_is_told_of_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let variables = vec![
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://127.0.0.1:{port}/v1/traces")),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4".to_owned()),
    ];
    let home = Home::new(&[]).flag("--workers", "0");
    let server = Server::start(home.on(Machine { variables, ..Machine::default() }));
    call(&server);
    let (_, _, status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    let told = log.lines().filter(|line| line.contains("the collector does not take spans"));
    assert_eq!(told.count(), 1, "{log}");
}

#[test]
fn a_variable_that_cannot_be_followed_is_refused_by_its_name() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let share = ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
    for (others, wrong) in [
        (vec![], (collector.0, "collector:4318")),
        (vec![collector], ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")),
        (vec![collector], ("OTEL_TRACES_SAMPLER", "sometimes")),
        (vec![collector, share], ("OTEL_TRACES_SAMPLER_ARG", "10")),
    ] {
        let variables = others.into_iter().chain([wrong]);
        let variables = variables.map(|(name, value)| (name, value.to_owned())).collect();
        let home = Home::new(&[]).on(Machine { variables, ..Machine::default() });
        let refused = home.refuses_to_serve();
        let said = stderr(&refused);
        assert_eq!(refused.status.code(), Some(78), "{said}");
        assert!(said.contains(wrong.0) && said.contains(wrong.1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
