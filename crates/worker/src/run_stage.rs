//! One clip: from a `ready` request to a published one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use artifacts::ArtifactError;
use catalog::{Inputs, Model};
use domain::lease::Setback;
use domain::{Failure, Fault, FileToken, Lease};
use engine::{EngineError, Made, Shot, Take};
use store::row::PublishedBody;
use store::{Claim, FileRow, Published, RequestRow};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::child::RunEnd;
use crate::close::{Closing, Told};
use crate::keeper::{Gauge, Kept, keep};
use crate::{Parts, shot};

/// How one run ended, as the store is told.
enum Outcome {
    Publish(Box<Published>),
    Fail(Failure),
    SetBack(Setback, String),
}

/// Makes the clip of a claimed request and tells the store.
pub(crate) async fn make(parts: Arc<Parts>, claim: Claim, abort: CancellationToken) {
    let Claim { lease, row } = claim;
    let closing = Closing::new(&parts, &lease, &row.model);
    let gauge = Gauge::default();
    let work = attempt(&parts, &lease, &row, &gauge, &abort);
    let kept = keep(parts.store.as_ref(), parts.clock.as_ref(), &lease, &gauge, &abort, work).await;
    let dead = match kept {
        Kept::Lost => {
            closing.lost();
            true
        }
        // A store that failed may have published all the same: collection will know.
        Kept::Done(Outcome::Publish(made)) => closing.publish(*made).await == Told::Fenced,
        Kept::Done(Outcome::Fail(failure)) => {
            closing.fail(failure).await;
            true
        }
        Kept::Done(Outcome::SetBack(setback, why)) => {
            closing.set_back(setback, &why).await;
            true
        }
    };
    if dead && let Err(error) = parts.artifacts.delete_all(&output_folder(&lease)).await {
        tracing::warn!(%error, "outputs of a lost run are left behind");
    }
}

fn output_folder(lease: &Lease) -> String {
    format!("outputs/{}/{}", lease.request, lease.epoch.0)
}

async fn attempt(
    parts: &Parts,
    lease: &Lease,
    row: &RequestRow,
    gauge: &Gauge,
    abort: &CancellationToken,
) -> Outcome {
    let Some(model) = parts.catalog.get(&row.model) else {
        return gone(format!("the model `{}` is no longer served here", row.model));
    };
    let Ok(inputs) = model.inputs(&row.body.input) else {
        return gone(format!("the model `{}` has changed since this was sent", row.model));
    };
    let dir = parts.scratch.join(format!("{}-{}", lease.request, lease.epoch.0));
    if let Err(e) = tokio::fs::create_dir_all(&dir).await {
        return Outcome::SetBack(Setback::Fault, format!("no scratch folder: {e}"));
    }
    let outcome = in_folder(parts, lease, row, model, &inputs, &dir, gauge, abort).await;
    if let Err(error) = tokio::fs::remove_dir_all(&dir).await {
        tracing::warn!(%error, "a scratch folder is left behind");
    }
    outcome
}

#[expect(clippy::too_many_arguments, reason = "one call; a struct would only rename them")]
async fn in_folder(
    parts: &Parts,
    lease: &Lease,
    row: &RequestRow,
    model: &Model,
    inputs: &Inputs,
    dir: &Path,
    gauge: &Gauge,
    abort: &CancellationToken,
) -> Outcome {
    let facts = row.body.facts.clone().unwrap_or_default();
    let shot = match shot::shot(model, inputs, &facts, dir, |input| {
        parts.artifacts.local_path(&input.artifact)
    }) {
        Ok(shot) => shot,
        Err(e) => return Outcome::SetBack(Setback::Fault, e.to_string()),
    };
    let engine = parts.engine_of(model.id());
    let limit = Duration::from_secs(u64::from(model.timeouts().run_secs));
    tracing::info!(engine, "started");
    let started = Instant::now();
    let end = parts.launcher.run(engine, &shot, |p| gauge.set(p), abort, limit).await;
    parts.metrics.engine(engine, model.id(), started.elapsed());
    match end {
        RunEnd::Take(take) => keep_take(parts, lease, row, model, inputs, &shot, *take).await,
        RunEnd::Crashed(why) => Outcome::SetBack(Setback::Fault, why),
        RunEnd::Stalled(limit) => {
            let why = format!("the engine showed no progress for {} s", limit.as_secs());
            Outcome::SetBack(Setback::Fault, why)
        }
        RunEnd::Error(error) => judge(error),
    }
}

/// What an engine's error means for the request.
fn judge(error: EngineError) -> Outcome {
    let message = error.to_string();
    let (code, class, detail) = match error {
        EngineError::Cancelled => {
            return Outcome::SetBack(Setback::HandedBack, "the worker was stopped".into());
        }
        EngineError::Infrastructure { message } => {
            return Outcome::SetBack(Setback::Fault, message);
        }
        // An engine knows no field names: what it says of no file in particular is the body's.
        EngineError::Input { message, faults } if faults.is_empty() => {
            let fault = Fault::at("", "feature_not_supported", message);
            ("input_invalid", "input", vec![fault])
        }
        EngineError::Input { faults, .. } => ("input_invalid", "input", faults),
        EngineError::Unsupported { .. } => ("unsupported", "unsupported", Vec::new()),
        EngineError::Deadline { .. } => ("run_timeout", "deadline", Vec::new()),
    };
    Outcome::Fail(Failure { code: code.into(), class: class.into(), message, detail })
}

fn gone(message: String) -> Outcome {
    Outcome::Fail(Failure {
        code: "model_gone".into(),
        class: "unsupported".into(),
        message,
        detail: Vec::new(),
    })
}

async fn keep_take(
    parts: &Parts,
    lease: &Lease,
    row: &RequestRow,
    model: &Model,
    inputs: &Inputs,
    shot: &Shot,
    take: Take,
) -> Outcome {
    match name_files(parts, lease, row, model, &take).await {
        Ok((files, output, poster)) => {
            let cost = model.price(inputs.length_secs);
            let value = |v: Result<serde_json::Value, serde_json::Error>| v.unwrap_or_default();
            Outcome::Publish(Box::new(Published {
                body: PublishedBody {
                    output,
                    poster,
                    plan: value(serde_json::to_value(&shot.plan)),
                    report: value(serde_json::to_value(&take.report)),
                    cost,
                },
                files,
                units: inputs.length_secs,
                cost,
            }))
        }
        Err(e) => Outcome::SetBack(Setback::Fault, e.to_string()),
    }
}

type Named = (Vec<FileRow>, serde_json::Value, Option<String>);

/// Puts what was made under the epoch and gives it names; they count once they are published.
async fn name_files(
    parts: &Parts,
    lease: &Lease,
    row: &RequestRow,
    model: &Model,
    take: &Take,
) -> Result<Named, ArtifactError> {
    let mut files = Vec::new();
    let mut urls = Vec::new();
    for made in &take.outputs {
        let file = put(parts, lease, row, &made.name, made).await?;
        urls.push(file.url_path());
        files.push(file);
    }
    let mut poster = None;
    if let Some(path) = &take.poster {
        let made =
            Made { name: "poster".into(), path: path.clone(), content_type: "image/jpeg".into() };
        let file = put(parts, lease, row, "poster", &made).await?;
        poster = Some(file.url_path());
        files.push(file);
    }
    let output = urls.first().map(|url| model.output().body(url)).unwrap_or_default();
    Ok((files, output, poster))
}

async fn put(
    parts: &Parts,
    lease: &Lease,
    row: &RequestRow,
    name: &str,
    made: &Made,
) -> Result<FileRow, ArtifactError> {
    let extension = made.path.extension().and_then(|end| end.to_str()).unwrap_or("bin");
    let name = format!("{name}.{extension}");
    let path = format!("{}/{name}", output_folder(lease));
    let info = parts.artifacts.put_file(&path, &made.path).await?;
    Ok(FileRow {
        token: FileToken::new(parts.rng.as_ref()),
        name,
        owner: row.owner.clone(),
        request: Some(row.id.clone()),
        path: info.path,
        content_type: made.content_type.clone(),
        bytes: info.bytes,
        sha256: info.sha256,
        created_at: parts.clock.now(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::lease::MAX_ATTEMPTS;
    use domain::{Stage, State};
    use store::Store as _;

    use super::*;
    use crate::Launcher;
    use crate::tests::world::{MODEL, World};

    /// An engine that reads its shot and makes a clip of one letter.
    pub(crate) const MAKES: &str = r#"read -r shot
        dir=$(printf %s "$shot" | sed 's/.*"dir":"\([^"]*\)".*/\1/')
        printf x > "$dir/v.mp4"
        out='{"name":"video","path":"'$dir'/v.mp4","content_type":"video/mp4"}'
        report='{"engine":"none","version":"1","passes":[],"unmet":[]}'
        echo '{"take":{"outputs":['$out'],"poster":null,"report":'$report'}}'"#;

    /// Tells that it has begun, and hangs.
    const HANGS: &str = r#"echo '{"progress":{"stage":"render","fraction":0.1}}'; sleep 600"#;

    async fn made(world: &World, launcher: Launcher) {
        let claim = world.claim(Stage::Run).await;
        make_of(world, claim, launcher).await;
    }

    async fn make_of(world: &World, claim: Claim, launcher: Launcher) {
        make(Arc::new(world.parts(launcher)), claim, CancellationToken::new()).await;
    }

    #[tokio::test]
    async fn a_clip_is_published_and_counted() {
        let world = World::new();
        let id = world.submit(world.request()).await;
        world.pass_intake().await;
        made(&world, Launcher::shell(MAKES)).await;
        assert_eq!(world.row(&id).await.state, State::Succeeded);
        assert_eq!(world.artifacts.list("outputs").await.unwrap().len(), 1);
        let ended = format!("{{model=\"{MODEL}\",state=\"succeeded\"}} 1");
        assert!(world.shows(&format!("reshoot_requests_finished_total{ended}")));
        let done = r#"{stage="run",outcome="done"} 1"#;
        assert!(world.shows(&format!("reshoot_stage_duration_seconds_count{done}")));
        let text = world.metrics.encode(&telemetry::Snapshot::default());
        let engine = format!("reshoot_engine_seconds_total{{engine=\"none\",model=\"{MODEL}\"}}");
        assert!(text.contains(&engine), "{text}");
    }

    #[tokio::test]
    async fn a_run_that_hangs_is_tried_again_and_then_fails() {
        let world = World::new();
        let id = world.submit(world.request()).await;
        world.pass_intake().await;
        let stall = Duration::from_millis(20);
        for _ in 0..MAX_ATTEMPTS {
            world.clock.advance_secs(10);
            made(&world, Launcher { stall, ..Launcher::shell(HANGS) }).await;
        }
        let failure = world.row(&id).await.body.failure.unwrap();
        assert_eq!(failure.code, "attempts_exhausted");
        assert!(failure.message.contains("no progress for 0 s"), "{}", failure.message);
        assert!(world.shows(r#"reshoot_retries_total{stage="run",why="fault"} 2"#));
        let ended = format!("{{model=\"{MODEL}\",state=\"failed\"}} 1");
        assert!(world.shows(&format!("reshoot_requests_finished_total{ended}")));
        let failed = r#"{stage="run",outcome="failed"} 1"#;
        assert!(world.shows(&format!("reshoot_stage_duration_seconds_count{failed}")));
    }

    #[tokio::test]
    async fn a_forced_cancellation_ends_the_child() {
        let world = World::new();
        let id = world.submit(world.request()).await;
        world.pass_intake().await;
        let claim = world.claim(Stage::Run).await;
        let begun = world.path().join("begun");
        let script = format!("touch {}; {HANGS}", begun.display());
        let cancel = async {
            while !begun.exists() {
                tokio::task::yield_now().await;
            }
            world.store.cancel(&id, true, world.now()).await.unwrap()
        };
        // Without the cancellation this takes ten minutes.
        let making = make_of(&world, claim, Launcher::shell(&script));
        let (outcome, ()) = tokio::join!(cancel, making);
        assert!(outcome.unwrap().changed);
        assert!(world.artifacts.list("outputs").await.unwrap().is_empty());
        let fenced = r#"{stage="run",outcome="fenced"} 1"#;
        assert!(world.shows(&format!("reshoot_stage_duration_seconds_count{fenced}")));
    }
}
