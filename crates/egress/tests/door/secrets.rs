//! Query strings, passwords and inner addresses stay out of messages and logs.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use egress::PostRequest;
use testkit::Reply;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{World, ask, hurried, post};

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What every test of this process logs. Worlds call it first: a subscriber that comes while
/// another thread logs its first line may never hear that line's kind.
pub(crate) fn listen() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let start = || {
        let log = Log::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .with_ansi(false)
            .init();
        log
    };
    LOG.get_or_init(start).clone()
}

/// Every way to fail, with a secret wherever a URL can hold one.
#[tokio::test]
async fn no_failure_shows_a_secret() {
    let log = listen();
    let world = World::new();
    world.names.set("inside.test", &[&["10.11.12.13"]]);
    let replies = [
        Reply::status(403),
        Reply::status(503),
        Reply::redirect(302, "http://media.test/b?sig=SECRET"),
        Reply::redirect(302, "https://u:SECRET@media.test/b"),
        Reply::redirect(302, "https://inside.test/b?sig=SECRET"),
        Reply::redirect(302, "https://[SECRET]/?sig=SECRET"),
        Reply::redirect(302, "/a?sig=SECRET"),
        Reply::raw("SECRET\r\n\r\n"),
        Reply::raw(""),
        Reply::ok("xxxx").cut_after(2),
        Reply::ok("x").header("content-encoding", "br"),
    ];
    let mut faults = Vec::new();
    for reply in replies {
        world.on("/a", reply);
        faults.push(world.fault(&ask("https://media.test/a?X-Amz-Signature=SECRET#SECRET")).await);
    }
    world.on("/a", Reply::hang());
    faults.push(world.fault(&hurried("https://media.test/a?sig=SECRET", 100)).await);
    for url in [
        "https://u:SECRET@media.test/a",
        "http://media.test/a?SECRET",
        "https://[/?SECRET",
        "https://inside.test/?SECRET",
        "https://unknown.test/?SECRET",
        "https://x:SECRET/?SECRET",
    ] {
        faults.push(world.fault(&ask(url)).await);
    }
    // Whoever knows the URL of a webhook may post there: its path is as secret as its query.
    for path in ["/SECRET/hook", "/SECRET/cut"] {
        let request = PostRequest { body: "SECRET".into(), ..post("") };
        world.on("/SECRET/cut", Reply::raw(""));
        for host in ["media.test", "inside.test", "unknown.test"] {
            let url = format!("https://{host}{path}?token=SECRET");
            faults.extend(world.client.post(&PostRequest { url, ..request.clone() }).await.err());
        }
    }
    for fault in &faults {
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains("SECRET") && !shown.contains("10.11."), "{shown}");
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for heard in ["fetch failed", "post failed"] {
        assert!(logged.contains(heard), "the log must have been listened to");
    }
    // Other crates' trace lines (TLS, HTTP) are held to the same rule.
    for line in logged.lines() {
        assert!(!line.contains("SECRET"), "{line}");
    }
}
