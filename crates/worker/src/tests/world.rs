//! A server's insides, but for the server: a store, files, a scripted host and a clock that is
//! moved by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use artifacts::Artifacts;
use catalog::Catalog;
use domain::facts::Facts;
use domain::{Clock, KeyId, OwnerId, Priority, RequestId, Stage, State, Timestamp, WorkerId};
use egress::{Client, Options};
use intake::{Intake, PoolLimits};
use media::{JailConfig, Toolchain};
use serde_json::json;
use store::memory::MemoryStore;
use store::{Claim, NewRequest, RequestRow, Store, Terms};
use telemetry::spans::Spans;
use telemetry::{Metrics, Snapshot};
use testkit::{ManualClock, MediaHost, SeededRng};

use crate::{LEASE_SECS, Launcher, Parts};

pub(crate) const MODEL: &str = "kling/kling-video-o1/video-to-video/reference";

/// One of them.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) artifacts: Artifacts,
    pub(crate) host: MediaHost,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) rng: Arc<SeededRng>,
    pub(crate) metrics: Metrics,
    dir: tempfile::TempDir,
}

// === impl World ===

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            store: Arc::new(MemoryStore::new()),
            artifacts: Artifacts::local(&dir.path().join("files")).unwrap(),
            host: MediaHost::http(),
            clock: Arc::new(ManualClock::default()),
            rng: Arc::new(SeededRng::new(1)),
            metrics: Metrics::new([]),
            dir,
        }
    }

    /// A folder of this world alone.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A client that may go to the scripted host.
    pub(crate) fn client(&self) -> Client {
        let exempt = vec![self.host.address().to_string().parse().unwrap()];
        self.client_with(Options { exempt, ..Options::default() })
    }

    pub(crate) fn client_with(&self, options: Options) -> Client {
        Client::new(options, self.clock.clone(), self.rng.clone()).unwrap()
    }

    /// A worker's parts, with an ffprobe outside of a jail: that is tested where it is built.
    pub(crate) fn parts(&self, launcher: Launcher) -> Parts {
        let script = r#"while [ "$1" != "--" ]; do shift; done; shift; exec "$@""#;
        let tools = Toolchain::find(JailConfig {
            program: PathBuf::from("/bin/sh"),
            leading_args: ["-c", script, "sh"].map(Into::into).into(),
            required: false,
        });
        let artifacts = self.artifacts.clone();
        Parts {
            store: self.store.clone(),
            intake: Intake::new(self.client(), artifacts.clone(), tools, PoolLimits::default()),
            artifacts,
            catalog: Arc::new(Catalog::builtin().unwrap()),
            default_engine: "none".into(),
            launcher,
            scratch: self.dir.path().join("scratch"),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            metrics: self.metrics.clone(),
            spans: Spans::default(),
        }
    }

    /// A request of somebody new whose video is `/v.mp4` of the scripted host.
    pub(crate) fn request(&self) -> NewRequest {
        let now = self.now();
        NewRequest {
            id: RequestId::new(now, &*self.rng),
            owner: OwnerId::new(now, &*self.rng),
            key: KeyId::new(now, &*self.rng),
            model: MODEL.into(),
            input: json!({"prompt": "a new shot", "video_url": self.host.url("/v.mp4")}),
            warnings: Vec::new(),
            priority: Priority::Normal,
            created_at: now,
            terms: Terms::default(),
        }
    }

    pub(crate) async fn submit(&self, new: NewRequest) -> RequestId {
        self.store.insert(new).await.unwrap().status.id
    }

    pub(crate) async fn claim(&self, stage: Stage) -> Claim {
        let worker = WorkerId::new(self.now(), &*self.rng);
        self.store.claim(stage, &worker, self.now(), LEASE_SECS).await.unwrap().unwrap()
    }

    /// Brings the next request to where its clip can be made, without a look at its inputs.
    pub(crate) async fn pass_intake(&self) {
        let lease = self.claim(Stage::Intake).await.lease;
        let kept = self.store.inputs_kept(&lease, Facts::default(), Vec::new(), self.now());
        kept.await.unwrap();
    }

    pub(crate) async fn row(&self, id: &RequestId) -> RequestRow {
        self.store.request(id).await.unwrap().unwrap()
    }

    /// Returns once a request stands in `state`.
    pub(crate) async fn reaches(&self, id: &RequestId, state: State) {
        let mut changes = self.store.watch(id);
        while self.store.status(id).await.unwrap().unwrap().state != state {
            changes.changed().await.unwrap();
        }
    }

    /// Whether a scrape shows this line.
    pub(crate) fn shows(&self, line: &str) -> bool {
        let text = self.metrics.encode(&Snapshot::default());
        text.lines().any(|found| found == line)
    }

    /// A film that intake takes.
    pub(crate) fn film() -> Vec<u8> {
        let sample = "../../samples/bigbuckbunny_720p25_5s.mp4";
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(sample)).unwrap()
    }
}
