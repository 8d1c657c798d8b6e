//! Requests as an operator asks for them: everybody's, by what is done with them.

use domain::State;
use rusqlite::{Connection, ToSql};
use store::RequestRow;

use crate::codec::{self, COLUMNS, TABLES, number};
use crate::fault::Fault;

/// Requests that are leased, in the order of insertion.
pub(crate) fn at_work(conn: &Connection, limit: u32) -> Result<Vec<RequestRow>, Fault> {
    let picked = "SELECT seq FROM request INDEXED BY request_lease WHERE lease_end IS NOT NULL \
         ORDER BY seq LIMIT ?1";
    picked_rows(conn, picked, "r.seq", &[&limit])
}

/// Requests that came to `state` last, the last one first.
pub(crate) fn last_ended(
    conn: &Connection,
    state: State,
    limit: u32,
) -> Result<Vec<RequestRow>, Fault> {
    let picked = "SELECT seq FROM request INDEXED BY request_ended \
         WHERE finished_at IS NOT NULL AND state = ?2 ORDER BY finished_at DESC, seq DESC LIMIT ?1";
    picked_rows(conn, picked, "r.finished_at DESC, r.seq DESC", &[&limit, &number(state)])
}

/// The whole records of the sequence numbers that `picked` selects.
fn picked_rows(
    conn: &Connection,
    picked: &str,
    order: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<RequestRow>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS}, b.doc FROM {TABLES} JOIN body b ON b.seq = r.seq \
         WHERE r.seq IN ({picked}) ORDER BY {order}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query(values)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(codec::request(row, true)?);
    }
    Ok(rows)
}
