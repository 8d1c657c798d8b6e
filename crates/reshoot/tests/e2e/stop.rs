//! Being told to stop: a server finishes or hands back what runs, a lone run cleans up.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use testkit::{MediaHost, Reply};

use crate::support::home::Home;
use crate::support::{ACME, Server, processes, sample_arg, sample_bytes};

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
    // All are killed; whose parent did not wait for them takes a moment to die.
    processes::until("an end of its processes", || {
        processes::of(&home.data(), pid).is_empty().then_some(())
    });

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

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let dir = tempfile::tempdir().unwrap();
        let (scratch, output) = (dir.path().join("scratch"), dir.path().join("clip.mp4"));
        std::fs::create_dir(&scratch).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_reshoot"))
            .env("TMPDIR", &scratch)
            .args(["run", "--prompt", "golden hour", "--duration", "10", "--video"])
            .arg(sample_arg("bigbuckbunny_720p25_5s.mp4"))
            .arg("-o")
            .arg(&output)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(run.stderr.take().unwrap()).lines();
        // Progress: the engine is at work.
        let first = said.next().unwrap().unwrap();
        assert!(first.contains('%'), "{first}");
        kill_process(Pid::from_child(&run), signal).unwrap();
        assert_eq!(run.wait().unwrap().code(), Some(code));
        let last = said.last().unwrap().unwrap();
        assert!(last.contains("stopped"), "{last}");
        processes::until("an end of its processes", || {
            processes::of(&scratch, run.id()).is_empty().then_some(())
        });
        let left: Vec<_> = std::fs::read_dir(&scratch).unwrap().collect();
        assert!(left.is_empty() && !output.exists(), "{left:?}");
    }
}
