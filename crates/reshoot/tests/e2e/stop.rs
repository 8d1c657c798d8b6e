//! SIGTERM: what runs is finished or handed back, and nothing is lost.

use serde_json::json;
use testkit::{MediaHost, Reply};

use crate::support::server::Home;
use crate::support::{ACME, Server, sample_bytes};

fn home(host: &MediaHost) -> Home {
    host.on("/bunny.mp4", Reply::ok(sample_bytes("bigbuckbunny_720p25_5s.mp4")));
    Home::with_second_model(&[host.address().to_string()])
}

fn submit(server: &Server, host: &MediaHost) -> String {
    let body = json!({"text": "a still of @Video1", "clips": [host.url("/bunny.mp4")]});
    server.submit(ACME, &body)
}

fn submit_and_run(server: &Server, host: &MediaHost) -> String {
    let id = submit(server, host);
    server.running(&id);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_gets_no_time_is_handed_back_and_finishes_later() {
    let host = MediaHost::http();
    let server = Server::start(home(&host).flag("--drain-secs", "0"));
    let running = submit_and_run(&server, &host);
    let waiting = submit(&server, &host);
    let pid = server.pid();
    let (home, key, status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(crate::support::processes::of(&home.data(), pid).is_empty());

    let server = Server::restart((home, key));
    for id in [&running, &waiting] {
        let result = server.finished(id);
        assert_eq!(result["status"], "succeeded", "{result:#}\n{log}");
    }
    assert_eq!(server.record(&running)["attempts"], 2, "{:#}", server.record(&running));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_gets_time_finishes_before_the_end() {
    let host = MediaHost::http();
    let server = Server::start(home(&host).flag("--drain-secs", "60"));
    let running = submit_and_run(&server, &host);
    let (home, key, status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");

    let server = Server::restart((home.flag("--workers", "0"), key));
    let result = server.get(&format!("/v1/requests/{running}/result")).expect(200);
    assert_eq!(result["status"], "succeeded", "{result:#}\n{log}");
    assert_eq!(server.record(&running)["attempts"], 1);
}
