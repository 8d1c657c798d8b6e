//! Limits, what is spent, and what was used.

use async_trait::async_trait;
use domain::admission::Limits;
use domain::usage::Microdollars;
use domain::{KeyId, OwnerId, Priority, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use store::StoreError;
use store::accounts::{Accounts, GroupBy, Subject, Survey, UsageLine, UsageQuery, Waiting};
use store::ledger::{Depth, Ledger};
use store::row::Loads;

use crate::codec::damaged;
use crate::fault::Fault;
use crate::sqlite::SqliteStore;
use crate::writer::Writer;

/// An owner and one of their keys.
type Pair<'a> = (&'a OwnerId, &'a KeyId);

/// The limits of one subject.
pub(crate) fn limits(conn: &Connection, subject: &str) -> Result<Limits, Fault> {
    let sql = "SELECT doc FROM limits WHERE subject = ?1";
    let doc: Option<String> =
        conn.prepare_cached(sql)?.query_row([subject], |row| row.get(0)).optional()?;
    doc.map_or(Ok(Limits::default()), |doc| serde_json::from_str(&doc).map_err(damaged))
}

fn set(conn: &Connection, subject: &str, limits: Limits) -> Result<(), Fault> {
    let doc = serde_json::to_string(&limits).map_err(damaged)?;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO limits (subject, doc, max_running) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![subject, doc, limits.max_running])?;
    Ok(())
}

/// A condition that leaves out requests of owners and keys that run as many as they may; empty
/// where nobody does.
pub(crate) fn full(writer: &mut Writer) -> Result<String, Fault> {
    let limited: Vec<(String, u32)> = writer
        .conn
        .prepare_cached(
            "SELECT subject, max_running FROM limits INDEXED BY limits_running \
             WHERE max_running IS NOT NULL",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let full = limited.into_iter().filter(|(of, max)| writer.ledger().load(of).running >= *max);
    let full: Vec<String> = full.map(|(subject, _)| subject).collect();
    let (mut owners, mut keys) = (Vec::new(), Vec::new());
    for subject in full {
        let number = writer.name(&subject)?.to_string();
        if subject.starts_with(OwnerId::PREFIX) { owners.push(number) } else { keys.push(number) }
    }
    let without = |column: &str, numbers: &[String]| match numbers {
        [] => String::new(),
        some => format!(" AND {column} NOT IN ({})", some.join(", ")),
    };
    Ok(without("owner", &owners) + &without("key", &keys))
}

/// Counts bytes that were taken in.
pub(crate) fn add_bytes(
    writer: &mut Writer,
    (owner, key): Pair<'_>,
    day: i64,
    bytes: u64,
) -> Result<(), Fault> {
    writer.add_bytes(owner, key, day, bytes);
    // Of those who have no limit nobody asks after a restart; they are not worth a write.
    let limited = "SELECT EXISTS (SELECT 1 FROM limits WHERE subject = ?1) \
                   OR EXISTS (SELECT 1 FROM limits WHERE subject = ?2)";
    let both = [owner.as_str(), key.as_str()];
    if !writer.conn.prepare_cached(limited)?.query_row(both, |row| row.get(0))? {
        return Ok(());
    }
    for subject in both {
        writer
            .conn
            .prepare_cached(
                "INSERT INTO account (subject, spent, day, bytes) VALUES (?1, 0, ?2, ?3) \
                 ON CONFLICT (subject) DO UPDATE SET \
                 bytes = iif(day = ?2, bytes, 0) + ?3, day = ?2",
            )?
            .execute(params![subject, day, bytes as i64])?;
    }
    Ok(())
}

/// Adds what was charged to what is spent.
pub(crate) fn charge(
    conn: &Connection,
    (owner, key): Pair<'_>,
    cost: Microdollars,
) -> Result<(), Fault> {
    for subject in [owner.as_str(), key.as_str()] {
        conn.prepare_cached(
            "INSERT INTO account (subject, spent, day, bytes) VALUES (?1, ?2, 0, 0) \
             ON CONFLICT (subject) DO UPDATE SET spent = spent + ?2",
        )?
        .execute(params![subject, cost.0])?;
    }
    Ok(())
}

/// Takes up what was spent and sent before a restart.
pub(crate) fn restore(conn: &Connection, ledger: &mut Ledger) -> Result<(), Fault> {
    let mut statement = conn.prepare("SELECT subject, spent, day, bytes FROM account")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let subject = row.get_ref(0)?.as_str().map_err(damaged)?;
        let (spent, bytes) = (Microdollars(row.get(1)?), row.get::<_, i64>(3)? as u64);
        ledger.restore_account(subject, spent, row.get(2)?, bytes);
    }
    Ok(())
}

fn usage(conn: &Connection, query: &UsageQuery) -> Result<Vec<UsageLine>, Fault> {
    let group = match query.group_by {
        GroupBy::Day => "CAST(at / 86400000000 AS TEXT)",
        GroupBy::Model => "model",
        GroupBy::Key => "key",
    };
    let sql = format!(
        "SELECT {group}, count(*), sum(units), sum(cost) FROM usage INDEXED BY usage_owner \
         WHERE owner = ?1 AND at >= ?2 AND at < ?3 \
         AND (?4 IS NULL OR model = ?4) AND (?5 IS NULL OR key = ?5) GROUP BY 1 ORDER BY 1"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let key = query.key.as_ref().map(KeyId::as_str);
    let values = params![query.owner.as_str(), query.from.0, query.to.0, query.model, key];
    let mut rows = statement.query(values)?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(UsageLine {
            group: row.get(0)?,
            clips: row.get::<_, i64>(1)? as u64,
            units: row.get::<_, i64>(2)? as u64,
            cost: Microdollars(row.get(3)?),
        });
    }
    Ok(lines)
}

fn oldest(conn: &Connection, model: &str, priority: Priority) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT created_at FROM request INDEXED BY request_oldest \
               WHERE state < 2 AND model = (SELECT n FROM name WHERE text = ?1) \
               AND priority = ?2 ORDER BY seq LIMIT 1";
    let found = conn
        .prepare_cached(sql)?
        .query_row(params![model, priority.rank()], |row| Ok(Timestamp(row.get(0)?)));
    Ok(found.optional()?)
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn set_limits(&self, subject: &Subject, limits: Limits) -> Result<(), StoreError> {
        let subject = subject.as_str().to_owned();
        self.write_keys(move |writer| {
            set(&writer.conn, &subject, limits)?;
            // Claims look again: more may run now.
            writer.touched();
            Ok(())
        })
        .await
    }

    async fn limits(&self, subject: &Subject) -> Result<Limits, StoreError> {
        self.read(|conn| limits(conn, subject.as_str()))
    }

    fn loads(&self, owner: &OwnerId, key: &KeyId) -> Loads {
        self.shared().ledger().loads(owner, key)
    }

    async fn usage(&self, query: UsageQuery) -> Result<Vec<UsageLine>, StoreError> {
        self.read(|conn| usage(conn, &query))
    }

    async fn survey(&self) -> Result<Survey, StoreError> {
        let mut depths: Vec<(String, Depth)> = self
            .shared()
            .ledger()
            .depths()
            .map(|(model, depth)| (model.to_owned(), *depth))
            .collect();
        depths.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut survey = Survey::default();
        for (model, Depth { queued, running }) in depths {
            for (rank, depth) in (0..).zip(queued).filter(|(_, depth)| *depth > 0) {
                let priority = Priority::from_rank(rank);
                let oldest = self.read(|conn| oldest(conn, &model, priority))?;
                survey.waiting.push(Waiting { model: model.clone(), priority, depth, oldest });
            }
            if running > 0 {
                survey.running.push((model, running));
            }
        }
        Ok(survey)
    }
}
