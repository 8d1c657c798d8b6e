//! `kill -9` of the server with work queued, in intake and running, ten rounds on one data
//! folder: all that was acknowledged finishes, once, and nothing outlives the server.

use std::collections::BTreeSet;

use domain::Rng;
use serde_json::{Value, json};
use testkit::{MediaHost, Reply, SeededRng};

use crate::support::disk::leftovers;
use crate::support::home::Home;
use crate::support::media::{clip, is_faststart, plain_png, png_size};
use crate::support::processes::{until, until_or};
use crate::support::{ACME, KLING, Server, root, sample_bytes};

const ROUNDS: u32 = 10;
const SEED: u64 = 20_261_122;

/// When a round ends.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// As soon as the submits are acknowledged.
    Queued,
    /// While an input is half fetched.
    Intake,
    /// While an engine works.
    Running,
    /// While an engine works and ffmpeg for it.
    Decoding,
    /// While a request has just been published.
    Published,
}

const MOMENTS: [Moment; 5] =
    [Moment::Running, Moment::Intake, Moment::Queued, Moment::Published, Moment::Decoding];

/// On the command line of an engine's process.
const ENGINE: &str = " engine ";

/// A run over several lives of one server.
struct Trial {
    host: MediaHost,
    rng: SeededRng,
    acknowledged: Vec<String>,
}

// === impl Trial ===

impl Trial {
    fn new() -> Self {
        let host = MediaHost::http();
        host.on("/walk.mp4", Reply::ok(clip(256, 192, 24, 1.0)));
        host.on("/bunny.mp4", Reply::ok(sample_bytes("bigbuckbunny_720p25_5s.mp4")));
        Self { host, rng: SeededRng::new(SEED), acknowledged: Vec::new() }
    }

    fn below(&mut self, bound: u8) -> u8 {
        let mut byte = [0];
        self.rng.fill(&mut byte);
        byte[0] % bound
    }

    fn submit(&mut self, server: &Server, model: &str, body: &Value) -> String {
        let id = server.submit(model, body);
        self.acknowledged.push(id.clone());
        id
    }

    /// A short clip or a long one.
    fn any_body(&mut self) -> Value {
        let clip = ["/walk.mp4", "/bunny.mp4"][usize::from(self.below(2))];
        self.body(clip)
    }

    fn body(&self, clip: &str) -> Value {
        json!({"text": "a still of @Video1", "clips": [self.host.url(clip)]})
    }

    /// Submits, and returns at the moment to strike.
    async fn round(&mut self, server: &Server, round: u32, moment: Moment) {
        let path = format!("/stalls-{round}.png");
        let id = match moment {
            Moment::Queued | Moment::Running => self.submit(server, ACME, &self.body("/bunny.mp4")),
            Moment::Published => self.submit(server, ACME, &self.body("/walk.mp4")),
            Moment::Decoding => {
                let video = self.host.url("/bunny.mp4");
                let body = json!({"prompt": "a new shot of @Video1", "video_url": video});
                self.submit(server, KLING, &body)
            }
            Moment::Intake => {
                let look = plain_png(64, 64, "navy");
                let stalling = Reply::ok(look.clone()).stall_after(40);
                self.host.script(&path, [stalling, Reply::ok(look)]);
                let mut body = self.body("/walk.mp4");
                body["looks"] = json!([self.host.url(&path)]);
                self.submit(server, ACME, &body)
            }
        };
        for _ in 0..self.below(3) {
            let body = self.any_body();
            self.submit(server, ACME, &body);
        }
        match moment {
            Moment::Queued => {}
            Moment::Running => until_at_work(server, &[ENGINE]),
            Moment::Decoding => until_at_work(server, &[ENGINE, "ffmpeg"]),
            Moment::Published => {
                server.succeeded(&id);
            }
            Moment::Intake => self.asked_for(&path).await,
        }
    }

    /// Waits until the host has been asked for this path.
    async fn asked_for(&self, path: &str) {
        loop {
            let seen = self.host.requests().len();
            if !self.host.requests_of(path).is_empty() {
                return;
            }
            self.host.arrived(seen + 1).await;
        }
    }
}

/// Waits until processes with these words on their command lines work at the same time.
fn until_at_work(server: &Server, words: &[&str]) {
    until("the start of an engine", || {
        let children = server.children();
        let there = |word: &&str| children.iter().any(|child| child.command.contains(*word));
        words.iter().all(there).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_was_acknowledged_finishes_once() {
    let mut trial = Trial::new();
    let home = Home::new(&[trial.host.address().to_string()]);
    patient_model(&home);
    let mut server = Server::start(home);
    for round in 0..ROUNDS {
        // Each moment comes up for sure, the slowest once; after that, chance decides.
        let chance = usize::from(trial.below(4));
        let moment = MOMENTS.get(round as usize).copied().unwrap_or(MOMENTS[chance]);
        trial.round(&server, round, moment).await;
        server = Server::restart(server.kill());
    }
    audit(&server, &trial.acknowledged);
    // The last life may have left something behind, too.
    let server = Server::restart(server.kill());
    until_or(
        || format!("an end of {:?}", leftovers(&server.home)),
        || leftovers(&server.home).is_empty().then_some(()),
    );
    audit(&server, &trial.acknowledged);
}

/// The made-up model with time for an input that stalls until the kill.
fn patient_model(home: &Home) {
    let source = root().join("crates/catalog/tests/models").join(ACME);
    let models = home.config().with_file_name("models");
    let folder = models.join(ACME);
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["manifest.toml", "input.schema.json", "output.schema.json"] {
        let text = std::fs::read_to_string(source.join(name)).unwrap();
        std::fs::write(folder.join(name), text.replace("fetch_secs = 10", "fetch_secs = 60"))
            .unwrap();
    }
    home.models(&models);
}

/// Every acknowledged request is there, has succeeded and has exactly one output; and there is
/// none that nobody sent.
fn audit(server: &Server, acknowledged: &[String]) {
    for id in acknowledged {
        let result = server.succeeded(id);
        let output = result["output"].as_object().unwrap();
        let url = output.get("video").or(output.get("images").and_then(|urls| urls.get(0)));
        let made = server.call_as(None, "GET", url.unwrap().as_str().unwrap(), None);
        assert_eq!((made.status, output.len()), (200, 1), "{id}");
        if result["model_id"] == ACME {
            assert_eq!(
                (png_size(&made.body), output["images"].as_array().unwrap().len()),
                ((512, 512), 1)
            );
        } else {
            assert!(is_faststart(&made.body), "a clip is whole");
        }
        let record = server.record(id);
        let ends = record["events"].as_array().unwrap().iter().filter(|event| {
            ["succeeded", "published", "failed", "cancelled"]
                .contains(&event["kind"].as_str().unwrap())
        });
        assert_eq!(ends.count(), 1, "it ends once: {record:#}");
    }
    let kept = server.get("/v1/requests?limit=100").expect(200);
    let ids = kept["requests"].as_array().unwrap().iter();
    let ids: BTreeSet<&str> = ids.map(|request| request["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids, acknowledged.iter().map(String::as_str).collect());
    assert!(server.home.files_under("scratch").is_empty());
}
