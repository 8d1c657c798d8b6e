//! Keeping the inputs of one request: from `received` to `ready`.

use std::sync::Arc;
use std::time::Duration;

use catalog::{Inputs, Model};
use domain::lease::Setback;
use domain::{Failure, Lease, OwnerId};
use intake::{IntakeError, Own, Request, ResolveOwn, Resolving, Taken};
use store::{Claim, RequestRow, Store};
use tokio_util::sync::CancellationToken;

use crate::Parts;
use crate::close::{Closing, Told};
use crate::keeper::{Gauge, Kept, keep};

/// This server's own `/files` URLs, resolved in the store for their owner.
struct OwnFiles<'a>(&'a dyn Store);

/// Takes in the inputs of a claimed request and tells the store.
pub(crate) async fn take_in(parts: Arc<Parts>, claim: Claim, abort: CancellationToken) {
    let Claim { lease, row } = claim;
    let closing = Closing::new(&parts, &lease, &row.model);
    let gauge = Gauge::default();
    let work = attempt(&parts, &lease, &row, &abort);
    let kept = keep(parts.store.as_ref(), parts.clock.as_ref(), &lease, &gauge, &abort, work).await;
    match kept {
        Kept::Done(outcome) => conclude(&parts, &lease, closing, outcome).await,
        Kept::Lost => closing.lost(),
    }
}

/// Tells the store how it ended.
async fn conclude(
    parts: &Parts,
    lease: &Lease,
    closing: Closing<'_>,
    outcome: Result<Taken, IntakeError>,
) {
    match outcome {
        Ok(taken) => {
            // A store that failed may have kept them all the same: collection will know.
            if closing.keep(taken).await == Told::Fenced {
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
            refuse(parts, lease, closing, failure).await;
        }
        Err(IntakeError::Infrastructure(why)) => {
            closing.set_back(Setback::Fault, &why).await;
        }
        Err(IntakeError::Cancelled) => {
            closing.set_back(Setback::HandedBack, "the worker was stopped").await;
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
async fn refuse(parts: &Parts, lease: &Lease, closing: Closing<'_>, failure: Failure) {
    let kinds: Vec<String> = failure.detail.iter().map(|fault| fault.kind.clone()).collect();
    if closing.fail(failure).await == Told::Taken {
        for kind in &kinds {
            parts.metrics.intake_refusal(kind);
        }
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
    use domain::{Fault, Stage};
    use testkit::Reply;

    use super::*;
    use crate::Launcher;
    use crate::tests::world::{MODEL, World};

    #[tokio::test]
    async fn inputs_that_come_in_after_the_request_was_cancelled_are_removed() {
        let world = World::new();
        world.host.on("/v.mp4", Reply::ok(World::film()));
        world.submit(world.request()).await;
        let parts = world.parts(Launcher::shell("false"));
        let Claim { lease, row } = world.claim(Stage::Intake).await;
        let closing = Closing::new(&parts, &lease, MODEL);
        let taken = attempt(&parts, &lease, &row, &CancellationToken::new()).await;
        assert_eq!(parts.artifacts.folders("inputs").await.unwrap(), [lease.request.as_str()]);
        parts.store.cancel(&lease.request, false, world.now()).await.unwrap();
        conclude(&parts, &lease, closing, taken).await;
        assert!(parts.artifacts.folders("inputs").await.unwrap().is_empty());
        let fenced = r#"{stage="intake",outcome="fenced"} 1"#;
        assert!(world.shows(&format!("reshoot_stage_duration_seconds_count{fenced}")));
    }

    #[tokio::test]
    async fn each_fault_of_refused_inputs_is_counted_by_its_kind() {
        let world = World::new();
        world.submit(world.request()).await;
        let parts = world.parts(Launcher::shell("false"));
        let Claim { lease, .. } = world.claim(Stage::Intake).await;
        let closing = Closing::new(&parts, &lease, MODEL);
        let fault = |kind: &str| Fault::at("/x", kind, "no");
        let faults = [fault("file_too_large"), fault("file_download_error")];
        conclude(&parts, &lease, closing, Err(IntakeError::Faults(faults.into()))).await;
        for kind in ["file_too_large", "file_download_error"] {
            let line = format!("reshoot_intake_refusals_total{{reason=\"{kind}\"}} 1");
            assert!(world.shows(&line), "{line}");
        }
        let ended = format!("{{model=\"{MODEL}\",state=\"failed\"}} 1");
        assert!(world.shows(&format!("reshoot_requests_finished_total{ended}")));
    }
}
