//! A server in a box: the memory store, a folder, a clock and randomness in the test's hands.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use artifacts::Artifacts;
use axum::Router;
use axum::body::Body;
use catalog::{Catalog, HttpsOnly, Inputs, Model, Overrides};
use domain::facts::Facts;
use domain::key::{KeyRecord, KeyRole, SecretKey};
use domain::usage::Microdollars;
use domain::{Clock, Failure, KeyId, Lease, OwnerId, RequestId, Rng, Stage, WorkerId};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use server::{
    App, Config, FileKind, Forecast, Forecasted, Parts, Probe, Room, SystemEngine, SystemHonour,
};
use store::memory::MemoryStore;
use store::{Published, Store, StoreError};
use telemetry::Metrics;
use telemetry::spans::Spans;
use tempfile::TempDir;
use testkit::{Chaos, ManualClock, SeededRng};
use tower::ServiceExt;
use wire::path;

use crate::contract;

pub(crate) const KLING: &str = "/v1/models/kling/kling-video-o1/video-to-video/reference";
pub(crate) const ACME: &str = "/v1/models/acme/still-maker/portrait";
/// The smallest file that begins as a PNG does.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n rest";

pub(crate) struct Fixture {
    pub(crate) app: App,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) artifacts: Artifacts,
    /// The trouble of its files, if they have any.
    pub(crate) chaos: Option<Chaos>,
    pub(crate) owner: OwnerId,
    pub(crate) key: SecretKey,
    router: Router,
    document: OnceLock<Value>,
    dir: TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

/// What a test may choose.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) probes: Vec<Arc<dyn Probe>>,
    pub(crate) strict: bool,
    pub(crate) room: Option<Arc<dyn Room>>,
    /// The memory store, and what the server sees of it.
    pub(crate) store: Option<(Arc<MemoryStore>, Arc<dyn Store>)>,
    pub(crate) catalog: Option<Catalog>,
    /// Lets the files fail half of their calls, by this seed.
    pub(crate) chaos: Option<u64>,
}

/// Gives every request and every file the same id.
pub(crate) struct Repeating;

/// Says what it was asked, so that a test sees what the server knows.
struct Echo;

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: Config::default(),
            rng: Arc::new(SeededRng::new(7)),
            probes: Vec::new(),
            strict: false,
            room: None,
            store: None,
            catalog: None,
            chaos: None,
        }
    }
}

impl Rng for Repeating {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

impl Forecast for Echo {
    fn forecast(&self, model: &Model, inputs: &Inputs, facts: Option<&Facts>) -> Forecasted {
        Forecasted {
            plan: json!({
                "prompt": inputs.prompt,
                "media": inputs.media.len(),
                "secs": inputs.length_secs,
            }),
            engine: model.engine().name.clone(),
            unmet: vec![json!({"words": "rain", "reason": "not in this test"})],
            provisional: facts.is_none(),
        }
    }

    fn engines(&self, catalog: &Catalog) -> Vec<SystemEngine> {
        let honours = vec![SystemHonour {
            wish: "rain".to_owned(),
            degree: "no".to_owned(),
            note: "not in this test".to_owned(),
        }];
        let models = catalog.models().map(|model| model.id().to_owned()).collect();
        vec![SystemEngine { name: "echo".to_owned(), version: "1".to_owned(), models, honours }]
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, seen) = setup.store.unwrap_or_else(|| {
            let store = Arc::new(MemoryStore::new());
            (Arc::clone(&store), store)
        });
        let clock = Arc::new(ManualClock::default());
        let mut chaos = None;
        let artifacts = Artifacts::through(dir.path(), |disk| match setup.chaos {
            Some(seed) => Arc::new(chaos.insert(Chaos::new(disk, seed)).clone()),
            None => disk,
        })
        .unwrap();
        let app = App::new(Parts {
            store: seen,
            artifacts: artifacts.clone(),
            catalog: Arc::new(setup.catalog.unwrap_or_else(|| models(setup.strict))),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            rng: setup.rng,
            forecast: Arc::new(Echo),
            sniff: Arc::new(sniff),
            urls: Arc::new(HttpsOnly),
            webhooks: Arc::new(https),
            room: setup.room,
            metrics: Metrics::new(server::paths()),
            spans: Spans::default(),
            probes: setup.probes,
            config: setup.config,
        });
        let router = server::router(app.clone());
        let (owner, key) = add_key(store.as_ref(), clock.as_ref(), 1).await;
        Self {
            app,
            store,
            clock,
            artifacts,
            chaos,
            owner,
            key,
            router,
            document: OnceLock::new(),
            dir,
        }
    }

    /// A second owner's key.
    pub(crate) async fn stranger(&self) -> SecretKey {
        add_key(self.store.as_ref(), self.clock.as_ref(), 2).await.1
    }

    /// A key of the first owner that may see everything.
    pub(crate) async fn admin(&self) -> SecretKey {
        let (now, rng) = (self.clock.now(), SeededRng::new(77));
        let (secret, id) = (SecretKey::new(&rng), KeyId::new(now, &rng));
        let owner = self.owner.clone();
        let key = KeyRecord::new(id, owner, "root".to_owned(), KeyRole::Admin, now);
        match self.store.add_key(key, secret.hash()).await {
            Ok(()) | Err(StoreError::Exists(_)) => secret,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        with_key(&self.key, method, path)
    }

    /// The reply, which is one that `/openapi.json` describes.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let reply = self.call(request).await;
        contract::check(self.document().await, &method, &path, &reply);
        reply
    }

    /// What `/openapi.json` answers.
    pub(crate) async fn document(&self) -> &Value {
        if let Some(document) = self.document.get() {
            return document;
        }
        let request = bare(Method::GET, path::OPENAPI).header("x-request-id", "contract");
        let reply = self.call(request.body(Body::empty()).unwrap()).await;
        self.document.get_or_init(|| reply.json())
    }

    /// The answer as it comes.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn call(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.open(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Submits a body that is accepted; its id.
    pub(crate) async fn submit(&self) -> RequestId {
        let reply = self.post(KLING, &kling()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        reply.json()["request_id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn claim(&self, stage: Stage) -> Lease {
        let worker = WorkerId::new(self.clock.now(), &SeededRng::new(9));
        self.store.claim(stage, &worker, self.clock.now(), 60).await.unwrap().unwrap().lease
    }

    /// The only waiting request begins to run.
    pub(crate) async fn start(&self) -> Lease {
        let lease = self.claim(Stage::Intake).await;
        let now = self.clock.now();
        self.store.inputs_kept(&lease, Facts::default(), Vec::new(), now).await.unwrap();
        self.claim(Stage::Run).await
    }

    pub(crate) async fn publish(&self, lease: &Lease) {
        let body = store::row::PublishedBody {
            output: json!({"video": "/files/t/clip.mp4"}),
            poster: Some("/files/t/poster.jpg".to_owned()),
            plan: json!({"task": "next_shot"}),
            report: json!({
                "engine": "roto",
                "version": "0.1.0",
                "passes": [{"name": "grade", "parameters": {"strength": 0.5}, "millis": 40}],
                "unmet": [],
                "metrics": {"warp_error": 1.5},
            }),
            cost: Microdollars(560_000),
        };
        let published =
            Published { body, files: Vec::new(), units: 5, cost: Microdollars(560_000) };
        self.store.publish(lease, published, self.clock.now()).await.unwrap();
    }

    pub(crate) async fn fail(&self, lease: &Lease) {
        let fault = domain::Fault::at("/video_url", "video_duration_too_long", "video_url: 12 s")
            .with("max_duration", 10.05);
        let failure = Failure {
            code: "input_invalid".to_owned(),
            class: "input".to_owned(),
            message: "video_url: 12 s".to_owned(),
            detail: vec![fault],
        };
        self.store.fail(lease, failure, self.clock.now()).await.unwrap();
    }

    /// How many files are kept below `folder`.
    pub(crate) async fn kept(&self, folder: &str) -> usize {
        self.artifacts.list(folder).await.unwrap().len()
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    /// The body with ids and tokens, which are random, by their kind.
    pub(crate) fn tidy(&self) -> Value {
        let mut text = self.text();
        for (start, len, name) in [("req_", 30, "[request]"), ("own_", 30, "[owner]")] {
            while let Some(at) = text.find(start) {
                text.replace_range(at..at + len, name);
            }
        }
        while let Some(at) = text.find("/files/").map(|at| at + 7).filter(|at| {
            text.as_bytes()[*at..].iter().take_while(|b| b.is_ascii_hexdigit()).count() >= 48
        }) {
            text.replace_range(at..at + 48, "[token]");
        }
        serde_json::from_str(&text).unwrap()
    }
}

/// A call without a key.
pub(crate) fn bare(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "api.test")
}

pub(crate) fn with_key(key: &SecretKey, method: Method, path: &str) -> http::request::Builder {
    bare(method, path).header("authorization", format!("Bearer {}", key.expose()))
}

pub(crate) fn kling() -> Value {
    json!({"prompt": "Based on @Video1, generate the next shot", "video_url": "https://media.example/a.mp4"})
}

pub(crate) fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("data:{media_type};base64,{text}")
}

/// What is shipped, and a made-up model that shares no field name with it.
fn models(strict: bool) -> Catalog {
    let made_up = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/models");
    let catalog = Catalog::builtin().unwrap().with(Catalog::load(&made_up).unwrap());
    let overrides =
        Overrides { price_usd: Some(0.112), strict: Some(strict), ..Overrides::default() };
    let id = KLING.trim_start_matches("/v1/models/").to_owned();
    catalog.with_overrides(&[(id, overrides)].into()).unwrap()
}

fn https(url: &str) -> Result<(), String> {
    if url.starts_with("https://") { Ok(()) } else { Err("give an https URL".to_owned()) }
}

fn sniff(head: &[u8]) -> Option<FileKind> {
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some(FileKind::Png),
        [0xFF, 0xD8, 0xFF, ..] => Some(FileKind::Jpeg),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(FileKind::Mp4),
        _ => None,
    }
}

async fn add_key(store: &MemoryStore, clock: &ManualClock, seed: u64) -> (OwnerId, SecretKey) {
    let (now, rng) = (clock.now(), SeededRng::new(seed * 1000));
    let (owner, secret) = (OwnerId::new(now, &rng), SecretKey::new(&rng));
    let id = KeyId::new(now, &rng);
    let record = KeyRecord::new(id, owner.clone(), "studio".to_owned(), KeyRole::User, now);
    store.add_key(record, secret.hash()).await.unwrap();
    (owner, secret)
}
