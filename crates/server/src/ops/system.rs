//! `GET /v1/system`
//!
//! What an operator looks at first. The readiness is that of `/readyz`, the queue that of
//! `/metrics`; the rest is read from the records.

use axum::Json;
use axum::extract::State;
use domain::key::KeyRole;
use domain::{Stage, State as Stand};
use store::row::Moment;
use store::{RequestRow, StoreError};
use telemetry::{QueueGroup, Snapshot};
use wire::{
    ErrorCode, System, SystemDisk, SystemFault, SystemQueue, SystemQueueGroup, SystemRunning,
    SystemStage, SystemWebhooks, SystemWorkers,
};

use crate::app::App;
use crate::auth::Caller;
use crate::ops::{metrics, ready};
use crate::refusal::Refusal;

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SystemError {
    #[error("the state of the installation takes a key of role admin")]
    Role,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Most requests shown that are worked on: more than any process has slots.
const RUNNING_SHOWN: u32 = 500;
const SUCCESSES: u32 = 100;
const FAULTS: u32 = 20;

/// The installation at a glance.
pub(crate) async fn system(
    State(app): State<App>,
    Caller(key): Caller,
) -> Result<Json<System>, Refusal> {
    if key.role != KeyRole::Admin {
        return Err(SystemError::Role.into());
    }
    Ok(Json(look(&app).await?))
}

async fn look(app: &App) -> Result<System, SystemError> {
    let ready = ready::look(app).await;
    let (parts, store, now) = (app.parts(), app.store(), app.parts().clock.now());
    let Snapshot { queue, webhooks, disk, .. } =
        metrics::snapshot(store, parts.room.as_deref(), now).await?;
    let at_work = store.at_work(RUNNING_SHOWN).await?;
    let succeeded = store.last_ended(Stand::Succeeded, SUCCESSES).await?;
    let failed = store.last_ended(Stand::Failed, FAULTS).await?;
    let (runs, intakes) = (app.config().slots.runs, app.config().slots.intakes);
    Ok(System {
        status: ready.status,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: now.to_string(),
        started_at: app.started_at().to_string(),
        checks: ready.checks,
        queue: waiting(queue),
        running: at_work.iter().filter_map(running).collect(),
        workers: SystemWorkers { runs, intakes },
        stages: [Stage::Intake, Stage::Run]
            .into_iter()
            .filter_map(|stage| times(stage, &succeeded))
            .collect(),
        engines: parts.forecast.engines(&parts.catalog),
        faults: failed.iter().filter_map(fault).collect(),
        webhooks: SystemWebhooks {
            pending: webhooks.pending,
            oldest_age_secs: (webhooks.pending > 0).then_some(webhooks.oldest_age_secs),
        },
        disk: disk
            .map(|disk| SystemDisk { free_bytes: disk.free_bytes, total_bytes: disk.total_bytes }),
    })
}

fn waiting(groups: Vec<QueueGroup>) -> SystemQueue {
    let group = |group: QueueGroup| SystemQueueGroup {
        model_id: group.model,
        priority: group.priority.as_str().to_owned(),
        depth: group.depth,
        oldest_age_secs: group.oldest_age_secs,
    };
    SystemQueue {
        depth: groups.iter().map(|group| group.depth).sum(),
        oldest_age_secs: groups.iter().map(|group| group.oldest_age_secs).reduce(f64::max),
        groups: groups.into_iter().map(group).collect(),
    }
}

fn running(row: &RequestRow) -> Option<SystemRunning> {
    let held = row.held.as_ref()?;
    let (stage, begun) = words(held.stage);
    let mut tries = row.body.timeline.iter().filter(|moment| moment.event == begun);
    let progress = row.body.progress.as_ref();
    Some(SystemRunning {
        request_id: row.id.to_string(),
        model_id: row.model.clone(),
        worker: held.worker.to_string(),
        stage: stage.to_owned(),
        pass: progress.filter(|_| held.stage == Stage::Run).map(|at| at.stage.clone()),
        fraction: progress.map(|at| at.fraction),
        attempt: tries.clone().count().max(1) as u32,
        since: tries.next_back().map_or(row.created_at, |moment| moment.at).to_string(),
    })
}

/// What a stage is called, and the event that begins it.
const fn words(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Intake => ("intake", "intake_started"),
        Stage::Run => ("run", "run_started"),
    }
}

/// How long the stage took in these requests.
fn times(stage: Stage, rows: &[RequestRow]) -> Option<SystemStage> {
    let (name, begun) = words(stage);
    let mut secs: Vec<f64> =
        rows.iter().filter_map(|row| last_try(begun, &row.body.timeline)).collect();
    secs.sort_by(f64::total_cmp);
    let count = secs.len();
    // By the nearest rank, so that it is a time that was taken.
    let share = |percent: usize| secs.get((count * percent).div_ceil(100).max(1) - 1).copied();
    Some(SystemStage {
        name: name.to_owned(),
        count: count as u32,
        p50_secs: share(50)?,
        p90_secs: share(90)?,
        max_secs: share(100)?,
    })
}

/// From the last start of a stage to what came next, in seconds; a clock that was set back in
/// between makes it 0.
fn last_try(begun: &str, timeline: &[Moment]) -> Option<f64> {
    let at = timeline.iter().rposition(|moment| moment.event == begun)?;
    let (start, end) = (timeline.get(at)?, timeline.get(at + 1)?);
    Some(end.at.millis_since(start.at).max(0) as f64 / 1000.0)
}

fn fault(row: &RequestRow) -> Option<SystemFault> {
    let failure = row.body.failure.as_ref()?;
    Some(SystemFault {
        at: row.finished_at?.to_string(),
        request_id: row.id.to_string(),
        model_id: row.model.clone(),
        code: failure.code.clone(),
        message: failure.message.clone(),
    })
}

impl From<SystemError> for Refusal {
    fn from(error: SystemError) -> Self {
        match error {
            SystemError::Role => Self::new(ErrorCode::PermissionDenied, error.to_string()),
            SystemError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn moments(events: &[(i64, &str)]) -> Vec<Moment> {
        let moment = |(secs, event): &(i64, &str)| Moment {
            n: 0,
            at: Timestamp::from_secs(*secs),
            event: (*event).to_owned(),
            note: String::new(),
        };
        events.iter().map(moment).collect()
    }

    #[test]
    fn the_last_try_counts_and_time_does_not_run_backwards() {
        let twice = moments(&[
            (0, "run_started"),
            (50, "set_back"),
            (60, "run_started"),
            (67, "succeeded"),
        ]);
        assert_eq!(last_try("run_started", &twice), Some(7.0));
        assert_eq!(last_try("intake_started", &twice), None);
        let back = moments(&[(60, "run_started"), (0, "succeeded")]);
        assert_eq!(last_try("run_started", &back), Some(0.0));
        assert_eq!(last_try("run_started", &back[..1]), None);
    }
}
