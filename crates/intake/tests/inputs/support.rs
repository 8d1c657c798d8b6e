//! A request's inputs against a media host on this machine.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use artifacts::Artifacts;
use catalog::{Catalog, MediaInput, Model, Strictness};
use domain::{Fault, OwnerId, Timestamp};
use egress::{Client, Dial, Options, SystemResolver, Waiting};
use intake::{
    Intake, IntakeError, NothingOwn, Own, PoolLimits, Request, ResolveOwn, Resolving, Taken,
};
use media::{JailConfig, Toolchain};
use serde_json::{Map, Value, json};
use testkit::{ManualClock, MediaHost, Reply, SeededRng};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

const MODEL: &str = "kling/kling-video-o1/video-to-video/reference";
pub(crate) const FOLDER: &str = "inputs/req_1/1";
/// The kernel doubles it.
const RECEIVE_BUFFER_BYTES: u32 = 32 << 10;

/// An intake, its host and its disk.
pub(crate) struct World {
    pub(crate) host: MediaHost,
    pub(crate) artifacts: Artifacts,
    pub(crate) intake: Intake,
    pub(crate) cancel: CancellationToken,
    pub(crate) owner: OwnerId,
    catalog: Catalog,
    dir: tempfile::TempDir,
    /// A folder beside the store.
    pub(crate) apart: tempfile::TempDir,
}

/// This server's own URLs, by hand.
#[derive(Default)]
pub(crate) struct OwnUrls(pub(crate) Mutex<Vec<(OwnerId, String, String)>>);

impl ResolveOwn for OwnUrls {
    fn resolve<'a>(&'a self, owner: &'a OwnerId, url: &'a str) -> Resolving<'a> {
        let known = self.0.lock().unwrap().iter().find(|(_, known, _)| known == url).cloned();
        Box::pin(async move {
            Ok(match known {
                None => Own::Elsewhere,
                Some((of, _, path)) if of == *owner => Own::Kept(path),
                Some(_) => Own::Missing,
            })
        })
    }
}

/// Connects with small buffers, so that what a host has sent is about what was read.
struct SmallBuffers;

impl Dial for SmallBuffers {
    fn dial(&self, address: SocketAddr) -> Waiting<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
            socket.connect(address).await
        })
    }
}

/// ffprobe without a jail: what confines it is tested where it is built.
const UNCONFINED: &str = r#"while [ "$1" != "--" ]; do shift; done; shift; exec "$@""#;

/// Runs every ffprobe by `script`.
fn tools(script: &str) -> Toolchain {
    Toolchain::find(JailConfig {
        program: PathBuf::from("/bin/sh"),
        leading_args: ["-c", script, "sh"].map(Into::into).into(),
        required: false,
    })
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(PoolLimits::default())
    }

    pub(crate) fn with(limits: PoolLimits) -> Self {
        Self::built(limits, UNCONFINED)
    }

    /// A world whose ffprobe never answers. Its process writes its id into the file `probing` of
    /// [`World::apart`].
    pub(crate) fn that_probes_forever() -> Self {
        let apart = tempfile::tempdir().unwrap();
        let file = apart.path().join("probing").display().to_string();
        let script = format!("echo $$ > {file}.part; mv {file}.part {file}; exec sleep 600");
        Self { apart, ..Self::built(PoolLimits::default(), &script) }
    }

    fn built(limits: PoolLimits, probe: &str) -> Self {
        let host = MediaHost::http();
        let rng = Arc::new(SeededRng::new(1));
        let options = Options {
            exempt: vec![format!("127.0.0.1:{}", host.port()).parse().unwrap()],
            backoff: Duration::from_millis(1),
            ..Options::default()
        };
        let (clock, resolver) = (Arc::new(ManualClock::default()), Arc::new(SystemResolver));
        let dialer = Arc::new(SmallBuffers);
        let client = Client::with(options, clock, rng.clone(), resolver, dialer).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        Self {
            host,
            intake: Intake::new(client, artifacts.clone(), tools(probe), limits),
            artifacts,
            cancel: CancellationToken::new(),
            owner: OwnerId::new(Timestamp(0), &*rng),
            catalog: Catalog::builtin().unwrap(),
            dir,
            apart: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn model(&self) -> &Model {
        self.catalog.get(MODEL).unwrap()
    }

    /// Serves `reply` at `path` and gives its URL.
    pub(crate) fn serve(&self, path: &str, reply: Reply) -> String {
        self.host.on(path, reply);
        self.host.url(path)
    }

    /// The media of a body that has `fields` beside its prompt.
    pub(crate) fn media(&self, fields: Value) -> Vec<MediaInput> {
        let mut body = Map::from_iter([("prompt".to_owned(), json!("the next shot"))]);
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        body.extend(fields);
        let anything = |_: &str, _: &str, _: u16| true;
        let accepted =
            self.model().validate(&Value::Object(body), Strictness::Lenient, &anything).unwrap();
        accepted.inputs.media
    }

    pub(crate) async fn take(&self, inputs: &[MediaInput]) -> Result<Taken, IntakeError> {
        self.take_knowing(inputs, &NothingOwn).await
    }

    pub(crate) async fn take_knowing(
        &self,
        inputs: &[MediaInput],
        own: &dyn ResolveOwn,
    ) -> Result<Taken, IntakeError> {
        let request = Request {
            model: self.model(),
            owner: &self.owner,
            inputs,
            folder: FOLDER,
            own,
            cancel: &self.cancel,
        };
        self.intake.take(&request).await
    }

    /// The faults of a body that has `fields`, after which nothing may be left on disk.
    pub(crate) async fn faults(&self, fields: Value) -> Vec<Fault> {
        self.faults_of(&self.media(fields)).await
    }

    pub(crate) async fn faults_of(&self, inputs: &[MediaInput]) -> Vec<Fault> {
        let faults = match self.take(inputs).await {
            Err(IntakeError::Faults(faults)) => faults,
            other => panic!("{other:?}"),
        };
        self.nothing_left();
        faults
    }

    /// Fails if a file is left, or a folder of the request.
    #[track_caller]
    pub(crate) fn nothing_left(&self) {
        assert!(self.files().is_empty(), "left on disk: {:?}", self.files());
        let folder = self.dir.path().join(FOLDER);
        assert!(!folder.parent().unwrap().exists(), "an empty folder is left");
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(self.dir.path())
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// A fault in short: its kind and its message.
pub(crate) fn told(faults: &[Fault]) -> Vec<(&str, &str)> {
    faults.iter().map(|fault| (fault.kind.as_str(), fault.msg.as_str())).collect()
}
