//! Keeping the inputs of one request: from `received` to `ready`.

use std::sync::Arc;
use std::time::Duration;

use catalog::{Inputs, Model};
use domain::lease::Setback;
use domain::{Failure, Lease, OwnerId};
use intake::{IntakeError, Own, Request, ResolveOwn, Resolving, Taken};
use store::{Claim, RequestRow, Store};
use tokio_util::sync::CancellationToken;

use crate::keeper::{Gauge, Kept, keep};
use crate::{Parts, settle};

/// This server's own `/files` URLs, resolved in the store for their owner.
struct OwnFiles<'a>(&'a dyn Store);

/// Takes in the inputs of a claimed request and tells the store.
pub(crate) async fn take_in(parts: Arc<Parts>, claim: Claim, abort: CancellationToken) {
    let Claim { lease, row } = claim;
    let gauge = Gauge::default();
    let work = attempt(&parts, &lease, &row, &abort);
    let kept = keep(parts.store.as_ref(), parts.clock.as_ref(), &lease, &gauge, &abort, work).await;
    let Kept::Done(outcome) = kept else { return };
    conclude(&parts, &lease, outcome).await;
}

/// Tells the store how it ended.
async fn conclude(parts: &Parts, lease: &Lease, outcome: Result<Taken, IntakeError>) {
    let now = parts.clock.now();
    match outcome {
        Ok(Taken { facts, warnings }) => {
            let kept = parts.store.inputs_kept(lease, facts, warnings, now).await;
            if !settle("inputs kept", &lease.request, kept) {
                forget(parts, &fetched_folder(lease)).await;
            }
        }
        Err(IntakeError::Faults(faults)) => {
            let failure = Failure {
                code: "input_invalid".into(),
                class: "input".into(),
                message: IntakeError::Faults(faults.clone()).to_string(),
                detail: faults,
            };
            fail(parts, lease, failure).await;
        }
        Err(IntakeError::Infrastructure(why)) => {
            set_back(parts, lease, Setback::Fault, &why).await;
        }
        Err(IntakeError::Cancelled) => {
            set_back(parts, lease, Setback::HandedBack, "the worker was stopped").await;
        }
    }
}

async fn attempt(
    parts: &Parts,
    lease: &Lease,
    row: &RequestRow,
    abort: &CancellationToken,
) -> Result<Taken, IntakeError> {
    let (model, inputs) = readable(parts, row)?;
    let request = Request {
        model,
        owner: &row.owner,
        inputs: &inputs.media,
        folder: &fetched_folder(lease),
        own: &OwnFiles(parts.store.as_ref()),
        cancel: abort,
    };
    let limit = Duration::from_secs(u64::from(model.timeouts().intake_secs));
    let taking = parts.intake.take(&request);
    tokio::pin!(taking);
    tokio::select! {
        taken = &mut taking => taken,
        () = tokio::time::sleep(limit) => {
            abort.cancel();
            // It cleans up after itself.
            let _ = taking.await;
            let secs = limit.as_secs();
            Err(IntakeError::Infrastructure(format!("the inputs were not in after {secs} s")))
        }
    }
}

fn readable<'a>(parts: &'a Parts, row: &RequestRow) -> Result<(&'a Model, Inputs), IntakeError> {
    let gone =
        |what: &str| IntakeError::Infrastructure(format!("the model `{}` {what}", row.model));
    let model = parts.catalog.get(&row.model).ok_or_else(|| gone("is no longer served here"))?;
    let inputs = model
        .inputs(&row.body.input)
        .map_err(|_| gone("has changed since this request was sent"))?;
    Ok((model, inputs))
}

/// Ends the request and forgets what it sent: nobody will look at it again.
async fn fail(parts: &Parts, lease: &Lease, failure: Failure) {
    tracing::info!(request = %lease.request, why = failure.message, "inputs refused");
    let failed = parts.store.fail(lease, failure, parts.clock.now()).await;
    if settle("fail", &lease.request, failed) {
        forget(parts, &format!("inputs/{}", lease.request)).await;
    }
}

async fn forget(parts: &Parts, folder: &str) {
    if let Err(error) = parts.artifacts.delete_all(folder).await {
        tracing::warn!(folder, %error, "inputs are left behind");
    }
}

fn fetched_folder(lease: &Lease) -> String {
    format!("inputs/{}/{}", lease.request, lease.epoch.0)
}

async fn set_back(parts: &Parts, lease: &Lease, setback: Setback, why: &str) {
    tracing::warn!(request = %lease.request, ?setback, why, "intake set back");
    let outcome = parts.store.set_back(lease, setback, why, parts.clock.now()).await;
    settle("set back", &lease.request, outcome.map(|_| ()));
}

// === impl OwnFiles ===

impl ResolveOwn for OwnFiles<'_> {
    fn resolve<'a>(&'a self, owner: &'a OwnerId, url: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let token = url.split_once("/files/").and_then(|(_, rest)| rest.split('/').next());
            let Some(token) = token.and_then(|text| text.parse().ok()) else {
                return Ok(Own::Elsewhere);
            };
            match self.0.file(&token).await {
                // A token of another server, or of a file that has expired here.
                Ok(None) => Ok(Own::Elsewhere),
                Ok(Some(file)) if file.owner == *owner => Ok(Own::Kept(file.path)),
                Ok(Some(_)) => Ok(Own::Missing),
                Err(error) => Err(error.to_string()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use artifacts::Artifacts;
    use catalog::Catalog;
    use domain::{KeyId, Priority, RequestId, Stage, Timestamp, WorkerId};
    use egress::{Client, Options};
    use intake::{Intake, PoolLimits};
    use media::{JailConfig, Toolchain};
    use serde_json::json;
    use store::memory::MemoryStore;
    use store::{NewRequest, Terms};
    use testkit::{ManualClock, MediaHost, Reply, SeededRng};

    use super::*;
    use crate::{LEASE_SECS, Launcher};

    const MODEL: &str = "kling/kling-video-o1/video-to-video/reference";
    const NOW: Timestamp = Timestamp(0);

    /// A worker's parts in `dir`, without an engine, and with an ffprobe outside of a jail: that
    /// is tested where it is built.
    fn parts(dir: &Path, host: &MediaHost, rng: Arc<SeededRng>) -> Parts {
        let script = r#"while [ "$1" != "--" ]; do shift; done; shift; exec "$@""#;
        let tools = Toolchain::find(JailConfig {
            program: PathBuf::from("/bin/sh"),
            leading_args: ["-c", script, "sh"].map(Into::into).into(),
            required: false,
        });
        let exempt = vec![host.address().to_string().parse().unwrap()];
        let options = Options { exempt, ..Options::default() };
        let clock = Arc::new(ManualClock::at(NOW));
        let client = Client::new(options, clock.clone(), rng.clone()).unwrap();
        let artifacts = Artifacts::local(&dir.join("files")).unwrap();
        Parts {
            store: Arc::new(MemoryStore::new()),
            intake: Intake::new(client, artifacts.clone(), tools, PoolLimits::default()),
            artifacts,
            catalog: Arc::new(Catalog::builtin().unwrap()),
            default_engine: "none".into(),
            launcher: Launcher::shell("false"),
            scratch: dir.join("scratch"),
            clock,
            rng,
        }
    }

    #[tokio::test]
    async fn inputs_that_come_in_after_the_request_was_cancelled_are_removed() {
        let (dir, host) = (tempfile::tempdir().unwrap(), MediaHost::http());
        let sample = "../../samples/bigbuckbunny_720p25_5s.mp4";
        let film = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(sample)).unwrap();
        host.on("/v.mp4", Reply::ok(film));
        let rng = Arc::new(SeededRng::new(1));
        let parts = parts(dir.path(), &host, rng.clone());
        let new = NewRequest {
            id: RequestId::new(NOW, &*rng),
            owner: OwnerId::new(NOW, &*rng),
            key: KeyId::new(NOW, &*rng),
            model: MODEL.into(),
            input: json!({"prompt": "a new shot", "video_url": host.url("/v.mp4")}),
            warnings: Vec::new(),
            priority: Priority::Normal,
            created_at: NOW,
            terms: Terms::default(),
        };
        parts.store.insert(new).await.unwrap();
        let worker = WorkerId::new(NOW, &*rng);
        let claim = parts.store.claim(Stage::Intake, &worker, NOW, LEASE_SECS).await;
        let Claim { lease, row } = claim.unwrap().unwrap();
        let taken = attempt(&parts, &lease, &row, &CancellationToken::new()).await;
        assert_eq!(parts.artifacts.folders("inputs").await.unwrap(), [lease.request.as_str()]);
        parts.store.cancel(&lease.request, false, NOW).await.unwrap();
        conclude(&parts, &lease, taken).await;
        assert!(parts.artifacts.folders("inputs").await.unwrap().is_empty());
    }
}
