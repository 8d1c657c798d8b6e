//! Rows of the database as values of the store, and back.

use std::str::FromStr;

use domain::lease::{Stage, Tries};
use domain::usage::Microdollars;
use domain::{Epoch, OrderKey, Priority, State, Timestamp};
use rusqlite::{Row, params};
use store::row::{Body, Held, RequestRow};

use crate::fault::Fault;

/// The columns of a whole request, as [`request`] reads them.
pub(crate) const COLUMNS: &str = "r.seq, r.id, o.text, k.text, m.text, r.state, r.priority, \
     r.finish, r.epoch, r.attempts, r.losses, r.not_before, r.created_at, r.finished_at, \
     r.stage, r.worker, r.lease_end, r.deadline, r.price";

/// Where the columns come from.
pub(crate) const TABLES: &str = "request r JOIN name o ON o.n = r.owner \
     JOIN name k ON k.n = r.key JOIN name m ON m.n = r.model";

/// A request; its document is the column after [`COLUMNS`], if `doc` is set.
pub(crate) fn request(row: &Row<'_>, doc: bool) -> Result<RequestRow, Fault> {
    let priority = Priority::from_rank(row.get(6)?);
    let held = match row.get::<_, Option<i64>>(16)? {
        Some(end) => Some(Held {
            stage: stage(row.get_ref(14)?.as_str().map_err(damaged)?)?,
            worker: parse(row, 15)?,
            expires_at: Timestamp(end),
        }),
        None => None,
    };
    let body = if doc {
        serde_json::from_str(row.get_ref(19)?.as_str().map_err(damaged)?).map_err(damaged)?
    } else {
        Body::default()
    };
    Ok(RequestRow {
        id: parse(row, 1)?,
        owner: parse(row, 2)?,
        key: parse(row, 3)?,
        model: row.get(4)?,
        order: OrderKey { priority, finish: row.get(7)?, seq: row.get(0)? },
        state: state(row.get(5)?)?,
        epoch: Epoch(row.get(8)?),
        tries: Tries { attempts: row.get(9)?, losses: row.get(10)? },
        not_before: Timestamp(row.get(11)?),
        held,
        created_at: Timestamp(row.get(12)?),
        finished_at: row.get::<_, Option<i64>>(13)?.map(Timestamp),
        deadline: row.get::<_, Option<i64>>(17)?.map(Timestamp),
        price: Microdollars(row.get(18)?),
        body,
    })
}

/// The document of a request.
pub(crate) fn document(body: &Body) -> Result<String, Fault> {
    serde_json::to_string(body).map_err(damaged)
}

/// Writes what can change of a request, but for its document.
pub(crate) fn update_hot(conn: &rusqlite::Connection, row: &RequestRow) -> Result<(), Fault> {
    let held = row.held.as_ref();
    conn.prepare_cached(
        "UPDATE request SET state = ?2, epoch = ?3, attempts = ?4, losses = ?5, not_before = ?6, \
         finished_at = ?7, stage = ?8, worker = ?9, lease_end = ?10, deadline = ?11 WHERE seq = ?1",
    )?
    .execute(params![
        row.order.seq,
        number(row.state),
        row.epoch.0,
        row.tries.attempts,
        row.tries.losses,
        row.not_before.0,
        row.finished_at.map(|at| at.0),
        held.map(|held| stage_word(held.stage)),
        held.map(|held| held.worker.as_str()),
        held.map(|held| held.expires_at.0),
        row.deadline.map(|at| at.0),
    ])?;
    Ok(())
}

/// The number stored for a state: its place in a request's life.
pub(crate) fn number(state: State) -> i64 {
    match state {
        State::Received => 0,
        State::Ready => 1,
        State::Running => 2,
        State::Succeeded => 3,
        State::Failed => 4,
        State::Cancelled => 5,
    }
}

/// The state that a stored number names.
pub(crate) fn state(stored: i64) -> Result<State, Fault> {
    let found = State::ALL.into_iter().find(|state| number(*state) == stored);
    found.ok_or_else(|| Fault::Damaged(format!("`{stored}` is no state")))
}

fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Intake => "intake",
        Stage::Run => "run",
    }
}

pub(crate) fn stage(word: &str) -> Result<Stage, Fault> {
    [Stage::Intake, Stage::Run]
        .into_iter()
        .find(|stage| stage_word(*stage) == word)
        .ok_or_else(|| Fault::Damaged(format!("`{word}` is no stage")))
}

/// The id or token in column `at`.
pub(crate) fn parse<T: FromStr>(row: &Row<'_>, at: usize) -> Result<T, Fault>
where
    T::Err: std::fmt::Display,
{
    row.get_ref(at)?.as_str().map_err(damaged)?.parse().map_err(damaged)
}

pub(crate) fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_and_numbers_round_trip() {
        for one in State::ALL {
            assert_eq!(state(number(one)).unwrap(), one);
            assert_eq!(one.is_queued(), number(one) < 2, "the indexes say `state < 2`");
        }
        for one in [Stage::Intake, Stage::Run] {
            assert_eq!(stage(stage_word(one)).unwrap(), one);
        }
        assert!(state(6).is_err() && stage("walk").is_err());
    }
}
