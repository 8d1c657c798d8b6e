//! What may happen to a row: the rules that every store applies inside its own transaction.
//!
//! Each function takes the row by `&mut` and either changes it as a whole or leaves it untouched
//! and says why. Nothing here knows how a row is stored.

use domain::facts::Facts;
use domain::lease::{Epoch, Lease, MAX_ATTEMPTS, MAX_LOSSES, Next, Setback, Stage, Tries, is_due};
use domain::queue::OrderKey;
use domain::request::Event;
use domain::{Failure, State, Timestamp, WorkerId};

use crate::StoreError;
use crate::row::{
    Body, CancelOutcome, Held, Moment, NewRequest, Progress, PublishedBody, RequestRow,
};

/// A timeline keeps this many entries; a request that is set back again and again keeps its
/// first and its latest.
const TIMELINE_MAX: usize = 64;

/// The row of a new request at its place in the queue.
pub fn received(new: NewRequest, order: OrderKey) -> RequestRow {
    let mut row = RequestRow {
        id: new.id,
        owner: new.owner,
        key: new.key,
        model: new.model,
        order,
        state: State::Received,
        epoch: Epoch(0),
        tries: Tries::default(),
        not_before: new.created_at,
        held: None,
        created_at: new.created_at,
        finished_at: None,
        deadline: new.terms.deadline,
        price: new.terms.price,
        body: Body {
            input: new.input,
            warnings: new.warnings,
            webhook: new.terms.webhook,
            ..Body::default()
        },
    };
    note(&mut row, new.created_at, "received", "");
    row
}

/// Whether `claim` would take this row now.
pub fn claimable(row: &RequestRow, stage: Stage, now: Timestamp) -> bool {
    let waiting = match stage {
        Stage::Intake => row.state == State::Received,
        Stage::Run => row.state == State::Ready,
    };
    waiting && row.held.is_none() && is_due(row.not_before, now)
}

/// Takes a row that is [`claimable`].
pub fn claim(
    row: &mut RequestRow,
    stage: Stage,
    worker: &WorkerId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Lease {
    debug_assert!(claimable(row, stage, now));
    row.epoch = Epoch(row.epoch.0 + 1);
    row.held = Some(Held { stage, worker: worker.clone(), expires_at });
    row.body.progress = None;
    let event = match stage {
        Stage::Intake => "intake_started",
        Stage::Run => {
            row.state = State::Running;
            "run_started"
        }
    };
    note(row, now, event, "");
    let (request, epoch, worker) = (row.id.clone(), row.epoch, worker.clone());
    Lease { request, stage, epoch, worker, expires_at }
}

/// Extends the lease and notes progress.
pub fn extend(
    row: &mut RequestRow,
    lease: &Lease,
    until: Timestamp,
    progress: Option<Progress>,
) -> Result<(), StoreError> {
    fence(row, lease)?;
    if let Some(held) = &mut row.held {
        held.expires_at = until;
    }
    if progress.is_some() {
        row.body.progress = progress;
    }
    Ok(())
}

/// `received` becomes `ready`.
pub fn inputs_kept(
    row: &mut RequestRow,
    lease: &Lease,
    facts: Facts,
    warnings: Vec<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    fence(row, lease)?;
    step(row, Event::InputsKept)?;
    row.held = None;
    row.body.facts = Some(facts);
    row.body.warnings.extend(warnings);
    row.body.progress = None;
    note(row, now, "ready", "");
    Ok(())
}

/// `running` becomes `succeeded`.
pub fn publish(
    row: &mut RequestRow,
    lease: &Lease,
    published: PublishedBody,
    now: Timestamp,
) -> Result<(), StoreError> {
    fence(row, lease)?;
    step(row, Event::Publish)?;
    row.body.published = Some(published);
    finish(row, now, "succeeded", "");
    Ok(())
}

/// The request ends as `failed`.
pub fn fail(
    row: &mut RequestRow,
    lease: &Lease,
    failure: Failure,
    now: Timestamp,
) -> Result<(), StoreError> {
    fence(row, lease)?;
    give_up(row, failure, now)
}

/// Gives the lease back; the attempt rules decide what follows.
pub fn set_back(
    row: &mut RequestRow,
    lease: &Lease,
    setback: Setback,
    why: &str,
    now: Timestamp,
) -> Result<State, StoreError> {
    fence(row, lease)?;
    retry(row, setback, why, now)?;
    Ok(row.state)
}

/// Treats the row's lease, if it has one that ended before `now`, as lost. Whether it had.
pub fn expire(row: &mut RequestRow, now: Timestamp) -> Result<bool, StoreError> {
    match &row.held {
        Some(held) if held.expires_at <= now => {
            retry(row, Setback::Lost, "the worker's lease ran out", now)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Treats the row's lease, if it has one, as lost with the server that gave it. Whether it had.
pub fn void(row: &mut RequestRow, now: Timestamp) -> Result<bool, StoreError> {
    if row.held.is_none() {
        return Ok(false);
    }
    retry(row, Setback::Lost, "the server stopped in the middle of it", now)?;
    Ok(true)
}

/// Counts the row's deadline anew from `now` if the clock that it was taken by was set back since:
/// the deadline has gone as far away. Whether it was.
pub fn count_anew(row: &mut RequestRow, now: Timestamp) -> Result<bool, StoreError> {
    let Some(deadline) = row.deadline else { return Ok(false) };
    let ahead = row.created_at.is_of_a_clock_set_back(now);
    // One that was counted anew lies before the row's beginning.
    if row.state.is_terminal() || !ahead || deadline <= row.created_at {
        return Ok(false);
    }
    row.deadline = Some(now.plus_millis(deadline.millis_since(row.created_at)));
    Ok(true)
}

/// Ends the row as failed if its deadline has passed, whoever works on it. Whether it had.
pub fn overdue(row: &mut RequestRow, now: Timestamp) -> Result<bool, StoreError> {
    if row.state.is_terminal() || row.deadline.is_none_or(|deadline| deadline > now) {
        return Ok(false);
    }
    let doing = match row.state {
        State::Running => "it was running",
        _ => "it was waiting",
    };
    let failure = Failure {
        code: "deadline_exceeded".into(),
        class: "deadline".into(),
        message: format!("its deadline passed while {doing}"),
        detail: Vec::new(),
    };
    row.epoch = Epoch(row.epoch.0 + 1);
    give_up(row, failure, now)?;
    Ok(true)
}

/// Cancels the row if it is queued, or if it runs and `force` is given.
pub fn cancel(row: &mut RequestRow, force: bool, now: Timestamp) -> CancelOutcome {
    let changed = match row.state.after(Event::Cancel { force }) {
        Some(state) => {
            row.state = state;
            row.epoch = Epoch(row.epoch.0 + 1);
            finish(row, now, "cancelled", "");
            true
        }
        None => false,
    };
    let (owner, model) = (row.owner.clone(), row.model.clone());
    CancelOutcome { owner, model, state: row.state, changed }
}

fn fence(row: &RequestRow, lease: &Lease) -> Result<(), StoreError> {
    let held = row.held.as_ref().is_some_and(|held| held.stage == lease.stage);
    if held && row.epoch == lease.epoch { Ok(()) } else { Err(StoreError::Fenced) }
}

fn step(row: &mut RequestRow, event: Event) -> Result<(), StoreError> {
    row.state = row.state.after(event).ok_or(StoreError::Fenced)?;
    Ok(())
}

fn retry(
    row: &mut RequestRow,
    setback: Setback,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    match row.tries.after(setback, now) {
        Next::GiveUp { tries } => {
            row.tries = tries;
            give_up(row, exhausted(setback, why), now)
        }
        Next::Retry { tries, not_before } => {
            if row.state == State::Running {
                step(row, Event::Release)?;
            }
            row.tries = tries;
            row.not_before = not_before;
            row.held = None;
            row.body.progress = None;
            note(row, now, "set_back", why);
            Ok(())
        }
    }
}

fn exhausted(setback: Setback, why: &str) -> Failure {
    let (code, message) = match setback {
        Setback::Fault => ("attempts_exhausted", format!("{why} (tried {MAX_ATTEMPTS} times)")),
        Setback::Lost | Setback::HandedBack => (
            "worker_lost",
            format!("its worker died {MAX_LOSSES} times while it held this request: {why}"),
        ),
    };
    Failure { code: code.into(), class: "infrastructure".into(), message, detail: Vec::new() }
}

fn give_up(row: &mut RequestRow, failure: Failure, now: Timestamp) -> Result<(), StoreError> {
    step(row, Event::Fail)?;
    let message = failure.message.clone();
    row.body.failure = Some(failure);
    finish(row, now, "failed", &message);
    Ok(())
}

fn finish(row: &mut RequestRow, now: Timestamp, event: &str, why: &str) {
    row.held = None;
    row.body.progress = None;
    row.finished_at = Some(now);
    note(row, now, event, why);
}

fn note(row: &mut RequestRow, at: Timestamp, event: &str, note: &str) {
    let timeline = &mut row.body.timeline;
    if timeline.len() >= TIMELINE_MAX {
        timeline.remove(TIMELINE_MAX / 2);
    }
    let n = timeline.last().map_or(0, |last| last.n) + 1;
    timeline.push(Moment { n, at, event: event.to_owned(), note: note.to_owned() });
}
