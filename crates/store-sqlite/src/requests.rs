//! Requests: what is read of them, and what a transaction does to them.

use domain::admission::DAY_SECS;
use domain::clock::CORRECTION_MAX_SECS;
use domain::facts::Facts;
use domain::invariants::Seen;
use domain::lease::{Lease, MAX_BACKOFF_SECS, Stage, Tries};
use domain::{Epoch, OrderKey, Priority, QueueIndex, RequestId, State, Timestamp, WorkerId};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use store::row::{
    CancelOutcome, Claim, Inserted, Listing, NewRequest, ONCE_SECS, Once, Page, Progress,
    Published, RequestRow, StatusRow, Terms,
};
use store::{Expired, Lapsed, StoreError, transition};

use crate::codec::{self, COLUMNS, TABLES, damaged, document, number};
use crate::fault::{Fault, is_taken};
use crate::polled::Stand;
use crate::writer::Writer;
use crate::{accounts, files, outbox};

// What is read.

/// What a status poll needs, but for the rank.
pub(crate) fn stand(conn: &Connection, id: &RequestId) -> Result<Option<Stand>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT o.text, r.state, r.priority, r.finish, r.seq \
         FROM request r JOIN name o ON o.n = r.owner WHERE r.id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (owner, state) = (codec::parse(row, 0)?, codec::state(row.get(1)?)?);
    let priority = Priority::from_rank(row.get(2)?);
    let order = OrderKey { priority, finish: row.get(3)?, seq: row.get(4)? };
    Ok(Some(Stand { owner, state, order }))
}

/// The whole record.
pub(crate) fn request(conn: &Connection, id: &RequestId) -> Result<Option<RequestRow>, Fault> {
    one(
        conn,
        &format!(
            "SELECT {COLUMNS}, b.doc FROM {TABLES} JOIN body b ON b.seq = r.seq WHERE r.id = ?1"
        ),
        &id.as_str(),
        true,
    )
}

fn one(
    conn: &Connection,
    sql: &str,
    key: &dyn ToSql,
    doc: bool,
) -> Result<Option<RequestRow>, Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(|row| codec::request(row, doc)).transpose()
}

/// The whole record, by its number.
pub(crate) fn by_seq(conn: &Connection, seq: i64) -> Result<Option<RequestRow>, Fault> {
    one(
        conn,
        &format!(
            "SELECT {COLUMNS}, b.doc FROM {TABLES} JOIN body b ON b.seq = r.seq WHERE r.seq = ?1"
        ),
        &seq,
        true,
    )
}

/// One page of a list.
pub(crate) fn list(conn: &Connection, listing: &Listing) -> Result<Page, Fault> {
    let limit = listing.limit as usize;
    let owner = listing.owner.as_ref().map(|owner| owner.as_str().to_owned());
    let (before, most) = (listing.before.unwrap_or(i64::MAX), limit as i64 + 1);
    let mut filters = vec!["r.seq < ?1".to_owned()];
    let mut values: Vec<&dyn ToSql> = vec![&before];
    let names = [("owner", &owner), ("model", &listing.model)];
    for (column, text) in names.iter().filter(|(_, text)| text.is_some()) {
        values.push(*text);
        let at = values.len();
        filters.push(format!("r.{column} = (SELECT n FROM name WHERE text = ?{at})"));
    }
    if !listing.states.is_empty() {
        let numbers = listing.states.iter().map(|state| number(*state).to_string());
        filters.push(format!("r.state IN ({})", numbers.collect::<Vec<_>>().join(", ")));
    }
    values.push(&most);
    let sql = format!(
        "SELECT {COLUMNS}, b.doc FROM {TABLES} JOIN body b ON b.seq = r.seq \
         WHERE {} ORDER BY r.seq DESC LIMIT ?{}",
        filters.join(" AND "),
        values.len()
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query(values.as_slice())?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(codec::request(row, true)?);
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.order.seq);
    Ok(Page { rows, next })
}

/// The first end of a lease or of a backoff after `now`.
pub(crate) fn next_wake(conn: &Connection, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let first = |sql: &str| -> Result<Option<i64>, Fault> {
        Ok(conn.prepare_cached(sql)?.query_row([now.0], |row| row.get(0)).optional()?.flatten())
    };
    let lease =
        first("SELECT min(lease_end) FROM request INDEXED BY request_lease WHERE lease_end > ?1")?;
    let deadline = first(
        "SELECT min(deadline) FROM request INDEXED BY request_deadline \
         WHERE deadline > ?1 AND deadline IS NOT NULL AND state < 3",
    )?;
    let wait = first(
        "SELECT not_before FROM request INDEXED BY request_not_before \
         WHERE state < 2 AND not_before > created_at AND not_before > ?1 AND stage IS NULL \
         ORDER BY not_before LIMIT 1",
    )?;
    Ok(lease.into_iter().chain(wait).chain(deadline).min().map(Timestamp))
}

/// How many are queued.
pub(crate) fn queued(conn: &Connection) -> Result<usize, Fault> {
    let sql = "SELECT count(*) FROM request INDEXED BY request_queue WHERE state < 2";
    let count: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count as usize)
}

/// Every request as an audit sees it.
pub(crate) fn audit(
    conn: &Connection,
    index: &QueueIndex,
    now: Timestamp,
) -> Result<Vec<Seen>, Fault> {
    let mut statement = conn.prepare(
        "SELECT r.id, r.state, r.epoch, r.attempts, r.losses, r.priority, r.finish, r.seq, \
         r.stage, r.lease_end, json_extract(b.doc, '$.published') IS NOT NULL, \
         (SELECT count(*) FROM usage u WHERE u.request = r.id) \
         FROM request r JOIN body b ON b.seq = r.seq ORDER BY r.seq",
    )?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(seen(row, index, now)?);
    }
    Ok(out)
}

fn seen(row: &Row<'_>, index: &QueueIndex, now: Timestamp) -> Result<Seen, Fault> {
    let state = codec::state(row.get(1)?)?;
    let priority = Priority::from_rank(row.get(5)?);
    let key = OrderKey { priority, finish: row.get(6)?, seq: row.get(7)? };
    let held = match row.get::<_, Option<i64>>(9)? {
        Some(end) if end > now.0 => Some(codec::stage(row.get_ref(8)?.as_str().map_err(damaged)?)?),
        _ => None,
    };
    Ok(Seen {
        id: codec::parse(row, 0)?,
        state,
        epoch: Epoch(row.get(2)?),
        tries: Tries { attempts: row.get(3)?, losses: row.get(4)? },
        order: state.is_queued().then_some(key),
        position: index.position(&key),
        leases: held.into_iter().collect(),
        outputs: usize::from(row.get::<_, bool>(10)?),
        charges: row.get::<_, i64>(11)? as usize,
    })
}

// What changes.

/// Inserts a request, unless its idempotency key is known or a limit forbids it; the id that
/// counts, and whether nothing was inserted.
pub(crate) fn insert(writer: &mut Writer, new: NewRequest) -> Result<Inserted, Fault> {
    if let Some(once) = &new.terms.once
        && let Some(id) = replayed(&writer.conn, new.owner.as_str(), once, new.created_at)?
    {
        let found = stand(&writer.conn, &id)?;
        let state = found.map_or(State::Cancelled, |stand| stand.state);
        let status = StatusRow { id, owner: new.owner, state, position: None };
        return Ok(Inserted { status, replayed: true });
    }
    writer.ledger().admit(&new).map_err(StoreError::from)?;
    let row = add(writer, new)?;
    let status = StatusRow { id: row.id, owner: row.owner, state: row.state, position: None };
    Ok(Inserted { status, replayed: false })
}

/// The request that an idempotency key was used for.
pub(crate) fn replayed(
    conn: &Connection,
    owner: &str,
    once: &Once,
    now: Timestamp,
) -> Result<Option<RequestId>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT body, request FROM once \
         WHERE owner = (SELECT n FROM name WHERE text = ?1) AND path = ?2 AND key = ?3 AND at > ?4",
    )?;
    let since = now.plus_secs(-ONCE_SECS).0;
    let mut rows = statement.query(params![owner, once.path, once.key, since])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    if row.get_ref(0)?.as_blob().map_err(damaged)? != once.body {
        return Err(StoreError::Reused.into());
    }
    Ok(Some(codec::parse(row, 1)?))
}

fn add(writer: &mut Writer, new: NewRequest) -> Result<RequestRow, Fault> {
    let owner = writer.name(new.owner.as_str())?;
    let key = writer.name(new.key.as_str())?;
    let model = writer.name(&new.model)?;
    let order = writer.place(new.priority, &new.owner);
    let terms = new.terms.clone();
    let row = transition::received(new, order);
    let added = writer
        .conn
        .prepare_cached(
            "INSERT INTO request (seq, id, owner, key, model, state, priority, finish, epoch, \
             attempts, losses, not_before, created_at, deadline, price) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            order.seq,
            row.id.as_str(),
            owner,
            key,
            model,
            number(row.state),
            order.priority.rank(),
            order.finish,
            row.epoch.0,
            row.not_before.0,
            row.created_at.0,
            row.deadline.map(|at| at.0),
            row.price.0,
        ]);
    match added {
        Err(error) if is_taken(&error) => Err(StoreError::Exists(row.id.to_string()))?,
        other => other?,
    };
    writer
        .conn
        .prepare_cached("INSERT INTO body (seq, doc) VALUES (?1, ?2)")?
        .execute(params![order.seq, document(&row.body)?])?;
    note_terms(writer, &row, &terms, owner)?;
    follow(writer, None, &row)?;
    Ok(row)
}

/// Keeps what is agreed beside the row.
fn note_terms(
    writer: &mut Writer,
    row: &RequestRow,
    terms: &Terms,
    owner: i64,
) -> Result<(), Fault> {
    for token in &terms.uses {
        writer
            .conn
            .prepare_cached("INSERT OR IGNORE INTO file_use (token, seq) VALUES (?1, ?2)")?
            .execute(params![token.as_str(), row.order.seq])?;
    }
    if let Some(once) = &terms.once {
        let sql = "INSERT OR REPLACE INTO once (owner, path, key, body, request, at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (id, at) = (row.id.as_str(), row.created_at.0);
        let values = params![owner, once.path, once.key, once.body, id, at];
        writer.conn.prepare_cached(sql)?.execute(values)?;
    }
    let day = row.created_at.unix_secs().div_euclid(DAY_SECS);
    accounts::add_bytes(writer, (&row.owner, &row.key), day, terms.bytes)
}

fn save(writer: &mut Writer, before: State, row: &RequestRow) -> Result<(), Fault> {
    codec::update_hot(&writer.conn, row)?;
    writer
        .conn
        .prepare_cached("UPDATE body SET doc = ?2 WHERE seq = ?1")?
        .execute(params![row.order.seq, document(&row.body)?])?;
    follow(writer, Some(before), row)
}

/// What follows from a change of a row: the outbox, the files let go, what is in memory.
fn follow(writer: &mut Writer, before: Option<State>, row: &RequestRow) -> Result<(), Fault> {
    outbox::post(writer, before, row)?;
    if row.state.is_terminal() {
        let sql = "DELETE FROM file_use WHERE seq = ?1";
        writer.conn.prepare_cached(sql)?.execute([row.order.seq])?;
    }
    let published = before != Some(row.state) && row.state == State::Succeeded;
    let charged = row.body.published.as_ref().filter(|_| published);
    let cost = charged.map(|published| published.cost).unwrap_or_default();
    writer.moved(before, row, cost);
    Ok(())
}

/// Applies `rule` to the leased request; [`StoreError::Fenced`] if there is none.
pub(crate) fn leased<T>(
    writer: &mut Writer,
    lease: &Lease,
    rule: impl FnOnce(&mut RequestRow) -> Result<T, StoreError>,
) -> Result<T, Fault> {
    let mut row = request(&writer.conn, &lease.request)?.ok_or(StoreError::Fenced)?;
    let before = row.state;
    let out = rule(&mut row)?;
    save(writer, before, &row)?;
    Ok(out)
}

/// Extends a lease. A heartbeat without news leaves the document alone.
pub(crate) fn extend(
    writer: &mut Writer,
    lease: &Lease,
    until: Timestamp,
    progress: Option<Progress>,
) -> Result<(), Fault> {
    if progress.is_some() {
        return leased(writer, lease, |row| transition::extend(row, lease, until, progress));
    }
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.id = ?1");
    let row = one(&writer.conn, &sql, &lease.request.as_str(), false)?;
    let mut row = row.ok_or(StoreError::Fenced)?;
    transition::extend(&mut row, lease, until, None)?;
    codec::update_hot(&writer.conn, &row)?;
    writer.touched();
    Ok(())
}

/// `received` becomes `ready`.
pub(crate) fn inputs_kept(
    writer: &mut Writer,
    lease: &Lease,
    facts: Facts,
    warnings: Vec<String>,
    now: Timestamp,
) -> Result<(), Fault> {
    leased(writer, lease, |row| transition::inputs_kept(row, lease, facts, warnings, now))
}

/// `running` becomes `succeeded`: the record, the names of the files and the charge.
pub(crate) fn publish(
    writer: &mut Writer,
    lease: &Lease,
    published: Published,
    now: Timestamp,
) -> Result<(), Fault> {
    let Published { body, files, units, cost } = published;
    debug_assert_eq!(body.cost, cost, "the record says what is charged");
    let row = leased(writer, lease, |row| {
        transition::publish(row, lease, body, now)?;
        Ok(row.clone())
    })?;
    for file in &files {
        files::add(&writer.conn, file)?;
    }
    writer
        .conn
        .prepare_cached(
            "INSERT INTO usage (request, owner, key, model, units, cost, at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            row.id.as_str(),
            row.owner.as_str(),
            row.key.as_str(),
            row.model,
            units,
            cost.0,
            now.0
        ])?;
    accounts::charge(&writer.conn, (&row.owner, &row.key), cost)
}

/// Cancels what may be cancelled.
pub(crate) fn cancel(
    writer: &mut Writer,
    id: &RequestId,
    force: bool,
    now: Timestamp,
) -> Result<Option<CancelOutcome>, Fault> {
    let Some(mut row) = request(&writer.conn, id)? else { return Ok(None) };
    let before = row.state;
    let outcome = transition::cancel(&mut row, force, now);
    if outcome.changed {
        save(writer, before, &row)?;
    }
    Ok(Some(outcome))
}

/// Takes the first request in queue order that waits for `stage`.
pub(crate) fn claim(
    writer: &mut Writer,
    stage: Stage,
    worker: &WorkerId,
    now: Timestamp,
    lease_secs: i64,
) -> Result<Option<Claim>, Fault> {
    let state = match stage {
        Stage::Intake => State::Received,
        Stage::Run => State::Ready,
    };
    let full = match stage {
        Stage::Intake => String::new(),
        Stage::Run => accounts::full(writer)?,
    };
    // The number is part of the text: only so does SQLite see that the index answers.
    let sql = format!(
        "SELECT seq FROM request INDEXED BY request_queue \
         WHERE state = {} AND state < 2 AND stage IS NULL \
         AND (not_before <= ?1 OR not_before > ?2){full} \
         ORDER BY priority, finish, seq LIMIT 1",
        number(state)
    );
    // As `domain::lease::is_due` has it.
    let times = [now.0, now.plus_secs(MAX_BACKOFF_SECS).0];
    let first: Option<i64> =
        writer.conn.prepare_cached(&sql)?.query_row(times, |row| row.get(0)).optional()?;
    let Some(seq) = first else { return Ok(None) };
    let row = by_seq(&writer.conn, seq)?;
    let mut row = row.ok_or_else(|| Fault::Damaged(format!("request {seq} has no document")))?;
    let before = row.state;
    let lease = transition::claim(&mut row, stage, worker, now, now.plus_secs(lease_secs));
    save(writer, before, &row)?;
    if stage == Stage::Run {
        // A restart resumes the lane's virtual time here.
        writer
            .conn
            .prepare_cached("UPDATE lane SET reached = max(reached, ?2) WHERE priority = ?1")?
            .execute([row.order.priority.rank(), row.order.finish - 1])?;
    }
    Ok(Some(Claim { lease, row }))
}

/// Leases that ended and deadlines that passed.
pub(crate) fn expire(writer: &mut Writer, now: Timestamp) -> Result<Expired, Fault> {
    let ahead = "SELECT seq FROM request INDEXED BY request_ahead \
                 WHERE created_at > ?1 AND deadline > created_at AND state < 3 ORDER BY seq";
    let late = now.plus_secs(CORRECTION_MAX_SECS);
    sweep(writer, ahead, late, |row| transition::count_anew(row, now))?;
    let overdue = "SELECT seq FROM request INDEXED BY request_deadline \
                   WHERE deadline <= ?1 AND deadline IS NOT NULL AND state < 3 ORDER BY seq";
    let deadlines = sweep(writer, overdue, now, |row| transition::overdue(row, now))?;
    let leases = sweep(writer, HELD, now, |row| transition::expire(row, now))?;
    Ok(Expired { leases, deadlines })
}

/// Every lease there is.
pub(crate) fn void(writer: &mut Writer, now: Timestamp) -> Result<usize, Fault> {
    let voided = sweep(writer, HELD, Timestamp(i64::MAX), |row| transition::void(row, now))?;
    Ok(voided.len())
}

const HELD: &str =
    "SELECT seq FROM request INDEXED BY request_lease WHERE lease_end <= ?1 ORDER BY seq";

/// Applies `rule`, which says whether it did something, to every request that `sql` finds.
fn sweep(
    writer: &mut Writer,
    sql: &str,
    until: Timestamp,
    rule: impl Fn(&mut RequestRow) -> Result<bool, StoreError>,
) -> Result<Vec<Lapsed>, Fault> {
    let found: Vec<i64> = writer
        .conn
        .prepare_cached(sql)?
        .query_map([until.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut lapsed = Vec::new();
    for seq in found {
        let Some(mut row) = by_seq(&writer.conn, seq)? else { continue };
        let (before, stage) = (row.state, row.held.as_ref().map(|held| held.stage));
        if rule(&mut row)? {
            save(writer, before, &row)?;
            lapsed.push(Lapsed::of(&row, stage));
        }
    }
    Ok(lapsed)
}
