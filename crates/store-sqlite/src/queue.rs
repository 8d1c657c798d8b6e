//! The queue in memory, from the database.

use std::collections::HashMap;

use domain::queue::FairClock;
use domain::{OrderKey, OwnerId, Priority, QueueIndex};
use rusqlite::Connection;

use crate::codec::damaged;
use crate::fault::Fault;

/// The queue and the virtual time of its lanes, as the database has them.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) index: QueueIndex,
    pub(crate) clock: FairClock,
    /// The last sequence number given.
    pub(crate) last_seq: i64,
}

/// Each owner's last virtual finish time in each lane.
type Lasts = HashMap<(Priority, i64), OrderKey>;

/// Reads both from one scan of the queue's index (and the few rows that run).
pub(crate) fn restore(conn: &Connection) -> Result<Restored, Fault> {
    let (index, mut lasts) = scan(conn)?;
    let mut clock = FairClock::default();
    let mut statement = conn.prepare(
        "SELECT priority, finish, seq, owner FROM request INDEXED BY request_running \
         WHERE state = 2",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        note(&mut lasts, key(row)?, row.get(3)?);
    }
    let mut lanes = conn.prepare("SELECT priority, reached FROM lane")?;
    let mut rows = lanes.query([])?;
    while let Some(row) = rows.next()? {
        let reached: i64 = row.get(1)?;
        clock.resume_at(Priority::from_rank(row.get(0)?), reached.saturating_add(1));
    }
    let mut owner = conn.prepare("SELECT text FROM name WHERE n = ?1")?;
    for ((_, number), last) in lasts {
        let text: String = owner.query_row([number], |row| row.get(0))?;
        clock.restore(&text.parse::<OwnerId>().map_err(damaged)?, &last);
    }
    let last_seq = conn.query_row("SELECT ifnull(max(seq), 0) FROM request", [], |r| r.get(0))?;
    Ok(Restored { index, clock, last_seq })
}

/// The queue alone.
pub(crate) fn index(conn: &Connection) -> Result<QueueIndex, Fault> {
    Ok(scan(conn)?.0)
}

/// The two queued states are two sorted runs of the index; merged as they come.
fn scan(conn: &Connection) -> Result<(QueueIndex, Lasts), Fault> {
    const SQL: [&str; 2] = [
        "SELECT priority, finish, seq, owner FROM request INDEXED BY request_queue \
         WHERE state = 0 AND state < 2 ORDER BY priority, finish, seq",
        "SELECT priority, finish, seq, owner FROM request INDEXED BY request_queue \
         WHERE state = 1 AND state < 2 ORDER BY priority, finish, seq",
    ];
    let mut lasts = Lasts::new();
    let [mut received, mut ready] = [conn.prepare(SQL[0])?, conn.prepare(SQL[1])?];
    let [mut received, mut ready] = [received.query([])?, ready.query([])?];
    let mut next = |rows: &mut rusqlite::Rows<'_>| -> Result<Option<OrderKey>, Fault> {
        let Some(row) = rows.next()? else { return Ok(None) };
        let key = key(row)?;
        note(&mut lasts, key, row.get(3)?);
        Ok(Some(key))
    };
    let mut heads = (next(&mut received)?, next(&mut ready)?);
    let mut failed = None;
    let keys = std::iter::from_fn(|| {
        let (key, rows, head) = match heads {
            (Some(a), Some(b)) if b < a => (b, &mut ready, &mut heads.1),
            (Some(a), _) => (a, &mut received, &mut heads.0),
            (None, Some(b)) => (b, &mut ready, &mut heads.1),
            (None, None) => return None,
        };
        match next(rows) {
            Ok(following) => *head = following,
            Err(fault) => {
                failed = Some(fault);
                return None;
            }
        }
        Some(key)
    });
    let index = QueueIndex::from_sorted(keys);
    failed.map_or(Ok((index, lasts)), Err)
}

fn key(row: &rusqlite::Row<'_>) -> Result<OrderKey, Fault> {
    let priority = Priority::from_rank(row.get(0)?);
    Ok(OrderKey { priority, finish: row.get(1)?, seq: row.get(2)? })
}

fn note(lasts: &mut Lasts, key: OrderKey, owner: i64) {
    let last = lasts.entry((key.priority, owner)).or_insert(key);
    *last = (*last).max(key);
}
