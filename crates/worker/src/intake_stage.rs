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
    let now = parts.clock.now();
    match outcome {
        Ok(Taken { facts, warnings }) => {
            let kept = parts.store.inputs_kept(&lease, facts, warnings, now).await;
            settle("inputs kept", &lease.request, kept);
        }
        Err(IntakeError::Faults(faults)) => {
            let failure = Failure {
                code: "input_invalid".into(),
                class: "input".into(),
                message: IntakeError::Faults(faults.clone()).to_string(),
                detail: faults,
            };
            fail(&parts, &lease, failure).await;
        }
        Err(IntakeError::Infrastructure(why)) => {
            set_back(&parts, &lease, Setback::Fault, &why).await;
        }
        Err(IntakeError::Cancelled) => {
            set_back(&parts, &lease, Setback::HandedBack, "the worker was stopped").await;
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
        folder: &format!("inputs/{}/{}", lease.request, lease.epoch.0),
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
        let folder = format!("inputs/{}", lease.request);
        if let Err(error) = parts.artifacts.delete_all(&folder).await {
            tracing::warn!(request = %lease.request, %error, "refused inputs are left behind");
        }
    }
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
