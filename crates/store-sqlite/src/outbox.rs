//! Deliveries and the secrets that sign them.

use async_trait::async_trait;
use domain::clock::CORRECTION_MAX_SECS;
use domain::{OwnerId, State, Timestamp};
use rusqlite::{Connection, Row, params, params_from_iter};
use store::outbox::{Attempted, Backlog, Delivery, DeliveryListing, Outbox, Standing};
use store::{RequestRow, StoreError};
use tokio::sync::watch;

use crate::codec;
use crate::fault::Fault;
use crate::sqlite::SqliteStore;
use crate::writer::Writer;

const COLUMNS: &str = "id, owner, request, url, event, standing, attempts, next_at, set_at, \
                       created_at, opened_at, finished_at, last_status, last_error";

/// Writes the message that a change of a request makes, if it makes one.
pub(crate) fn post(
    writer: &mut Writer,
    before: Option<State>,
    row: &RequestRow,
) -> Result<(), Fault> {
    let Some(mut delivery) = Delivery::of_change(before, row) else { return Ok(()) };
    writer.posted();
    let conn = &writer.conn;
    let gone = conn
        .prepare_cached("SELECT 1 FROM webhook_gone WHERE owner = ?1 AND url = ?2")?
        .exists([delivery.owner.as_str(), &delivery.url])?;
    if gone {
        delivery.disable(delivery.created_at);
    }
    let sql = format!(
        "INSERT INTO delivery ({COLUMNS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    );
    conn.prepare_cached(&sql)?.execute(params![
        delivery.id,
        delivery.owner.as_str(),
        delivery.request.as_str(),
        delivery.url,
        codec::number(delivery.event),
        number(delivery.standing),
        delivery.attempts,
        delivery.next_at.map(|at| at.0),
        delivery.set_at.0,
        delivery.created_at.0,
        delivery.opened_at.0,
        delivery.finished_at.map(|at| at.0),
        delivery.last_status,
        delivery.last_error,
    ])?;
    Ok(())
}

fn save(conn: &Connection, delivery: &Delivery) -> Result<(), Fault> {
    conn.prepare_cached(
        "UPDATE delivery SET standing = ?2, attempts = ?3, next_at = ?4, set_at = ?5, \
         opened_at = ?6, finished_at = ?7, last_status = ?8, last_error = ?9 WHERE id = ?1",
    )?
    .execute(params![
        delivery.id,
        number(delivery.standing),
        delivery.attempts,
        delivery.next_at.map(|at| at.0),
        delivery.set_at.0,
        delivery.opened_at.0,
        delivery.finished_at.map(|at| at.0),
        delivery.last_status,
        delivery.last_error,
    ])?;
    Ok(())
}

fn delivery(row: &Row<'_>) -> Result<Delivery, Fault> {
    let time = |at| Ok::<_, Fault>(row.get::<_, Option<i64>>(at)?.map(Timestamp));
    Ok(Delivery {
        id: row.get(0)?,
        owner: codec::parse(row, 1)?,
        request: codec::parse(row, 2)?,
        url: row.get(3)?,
        event: codec::state(row.get(4)?)?,
        standing: standing(row.get(5)?)?,
        attempts: row.get(6)?,
        next_at: time(7)?,
        set_at: Timestamp(row.get(8)?),
        created_at: Timestamp(row.get(9)?),
        opened_at: Timestamp(row.get(10)?),
        finished_at: time(11)?,
        last_status: row.get(12)?,
        last_error: row.get(13)?,
    })
}

fn find(conn: &Connection, id: &str) -> Result<Option<Delivery>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM delivery WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(delivery).transpose()
}

fn number(standing: Standing) -> i64 {
    Standing::ALL.iter().position(|one| *one == standing).map_or(-1, |at| at as i64)
}

fn standing(stored: i64) -> Result<Standing, Fault> {
    let found = usize::try_from(stored).ok().and_then(|at| Standing::ALL.get(at).copied());
    found.ok_or_else(|| Fault::Damaged(format!("`{stored}` is no standing of a delivery")))
}

/// Whether a time of an attempt was set by a clock that has been set back since.
fn any_set_after(conn: &Connection, now: Timestamp) -> Result<bool, Fault> {
    let sql = "SELECT max(set_at) FROM delivery INDEXED BY delivery_set WHERE standing = 0";
    let last: Option<i64> = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(last.is_some_and(|last| Timestamp(last).is_of_a_clock_set_back(now)))
}

fn take(
    conn: &Connection,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
    busy: &[OwnerId],
) -> Result<Vec<Delivery>, Fault> {
    let places = vec!["?"; busy.len()].join(", ");
    // As `Delivery::is_due` has it. All that is pending is looked through only where the clock was
    // set back.
    let due = if any_set_after(conn, now)? {
        format!("(next_at <= {} OR set_at > {})", now.0, now.plus_secs(CORRECTION_MAX_SECS).0)
    } else {
        format!("next_at <= {}", now.0)
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery INDEXED BY delivery_due \
         WHERE standing = 0 AND {due} AND owner NOT IN ({places}) \
         ORDER BY next_at, n LIMIT {limit}"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(busy.iter().map(OwnerId::as_str)))?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let mut delivery = delivery(row)?;
        delivery.take(now, until);
        taken.push(delivery);
    }
    taken.iter().try_for_each(|delivery| save(conn, delivery))?;
    Ok(taken)
}

fn settle(
    conn: &Connection,
    id: &str,
    attempt: u32,
    outcome: Attempted,
    now: Timestamp,
) -> Result<(), Fault> {
    let gone = outcome == Attempted::Gone;
    let mut settled = find(conn, id)?.ok_or(StoreError::Fenced)?;
    settled.settle(attempt, outcome, now)?;
    save(conn, &settled)?;
    if !gone {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT OR REPLACE INTO webhook_gone (owner, url, at) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![settled.owner.as_str(), settled.url, now.0])?;
    let sql =
        format!("SELECT {COLUMNS} FROM delivery WHERE standing = 0 AND owner = ?1 AND url = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([settled.owner.as_str(), &settled.url])?;
    while let Some(row) = rows.next()? {
        let mut other = delivery(row)?;
        other.disable(now);
        save(conn, &other)?;
    }
    Ok(())
}

fn replay(
    conn: &Connection,
    owner: &OwnerId,
    id: &str,
    now: Timestamp,
) -> Result<Option<Delivery>, Fault> {
    let Some(mut found) = find(conn, id)?.filter(|found| found.owner == *owner) else {
        return Ok(None);
    };
    found.replay(now);
    save(conn, &found)?;
    conn.prepare_cached("DELETE FROM webhook_gone WHERE owner = ?1 AND url = ?2")?
        .execute([owner.as_str(), &found.url])?;
    Ok(Some(found))
}

fn list(conn: &Connection, listing: &DeliveryListing) -> Result<Vec<Delivery>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE owner = ?1 AND (?2 IS NULL OR request = ?2) \
         AND (?3 IS NULL OR n < (SELECT n FROM delivery WHERE id = ?3 AND owner = ?1)) \
         ORDER BY n DESC LIMIT ?4"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let request = listing.request.as_ref().map(domain::RequestId::as_str);
    let values = params![listing.owner.as_str(), request, listing.before, listing.limit];
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(delivery(row)?);
    }
    Ok(found)
}

fn backlog(conn: &Connection) -> Result<Backlog, Fault> {
    let sql = "SELECT count(*), min(created_at) FROM delivery INDEXED BY delivery_pending \
               WHERE standing = 0";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| {
        let oldest = row.get::<_, Option<i64>>(1)?.map(Timestamp);
        Ok(Backlog { pending: row.get::<_, i64>(0)? as u64, oldest })
    })?)
}

fn secrets(
    conn: &Connection,
    owner: &OwnerId,
    fresh: &str,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let read = || -> Result<Vec<String>, Fault> {
        let sql = "SELECT text FROM webhook_secret \
                   WHERE owner = ?1 AND (until IS NULL OR until > ?2) ORDER BY n DESC";
        let mut statement = conn.prepare_cached(sql)?;
        let found = statement.query_map(params![owner.as_str(), now.0], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    };
    let found = read()?;
    if !found.is_empty() {
        return Ok(found);
    }
    conn.prepare_cached("INSERT INTO webhook_secret (owner, text) VALUES (?1, ?2)")?
        .execute([owner.as_str(), fresh])?;
    read()
}

fn rotate(
    conn: &Connection,
    owner: &OwnerId,
    fresh: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), Fault> {
    conn.prepare_cached("DELETE FROM webhook_secret WHERE owner = ?1 AND until <= ?2")?
        .execute(params![owner.as_str(), now.0])?;
    conn.prepare_cached("UPDATE webhook_secret SET until = ifnull(until, ?2) WHERE owner = ?1")?
        .execute(params![owner.as_str(), until.0])?;
    conn.prepare_cached("INSERT INTO webhook_secret (owner, text) VALUES (?1, ?2)")?
        .execute([owner.as_str(), fresh])?;
    Ok(())
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn take_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
        busy: &[OwnerId],
    ) -> Result<Vec<Delivery>, StoreError> {
        let busy = busy.to_vec();
        self.change(move |writer| take(&writer.conn, now, until, limit, &busy)).await
    }

    async fn settle_delivery(
        &self,
        id: &str,
        attempt: u32,
        outcome: Attempted,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.change(move |writer| settle(&writer.conn, &id, attempt, outcome, now)).await
    }

    fn posted(&self) -> watch::Receiver<()> {
        self.shared().posted.subscribe()
    }

    async fn next_delivery(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT min(next_at) FROM delivery INDEXED BY delivery_due WHERE standing = 0";
        self.read(|conn| {
            let first: Option<i64> = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            let due = any_set_after(conn, now)?;
            Ok(first.map(Timestamp).map(|at| if due { at.min(now) } else { at }))
        })
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.read(backlog)
    }

    async fn deliveries(&self, listing: DeliveryListing) -> Result<Vec<Delivery>, StoreError> {
        self.read(|conn| list(conn, &listing))
    }

    async fn replay_delivery(
        &self,
        owner: &OwnerId,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let (owner, id) = (owner.clone(), id.to_owned());
        self.change(move |writer| {
            writer.posted();
            replay(&writer.conn, &owner, &id, now)
        })
        .await
    }

    async fn secrets(
        &self,
        owner: &OwnerId,
        fresh: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let (owner, fresh) = (owner.clone(), fresh.to_owned());
        self.write(move |writer| secrets(&writer.conn, &owner, &fresh, now)).await
    }

    async fn rotate_secret(
        &self,
        owner: &OwnerId,
        fresh: &str,
        now: Timestamp,
        overlap_until: Timestamp,
    ) -> Result<(), StoreError> {
        let (owner, fresh) = (owner.clone(), fresh.to_owned());
        self.write(move |writer| rotate(&writer.conn, &owner, &fresh, now, overlap_until)).await
    }
}
