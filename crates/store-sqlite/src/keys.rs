//! API keys, in the database. Another process may change them: see `stamp` for how the caches of
//! `polled` hear of it.

use domain::admission::Limits;
use domain::key::{KeyHash, KeyRecord, KeyRole};
use domain::{KeyId, OwnerId, Timestamp};
use rusqlite::{Connection, Row, params};
use store::StoreError;

use crate::codec;
use crate::fault::{Fault, is_taken};

/// With the limits of the key and of its owner, where some are set.
const COLUMNS: &str = "k.id, k.owner, k.name, k.role, k.created_at, k.revoked_at, l.doc, o.doc, \
     k.last_used_at";
const TABLES: &str = "api_key k LEFT JOIN limits l ON l.subject = k.id \
     LEFT JOIN limits o ON o.subject = k.owner";

/// Adds a key.
pub(crate) fn add(conn: &Connection, key: &KeyRecord, hash: KeyHash) -> Result<(), Fault> {
    let added = conn
        .prepare_cached(
            "INSERT INTO api_key (id, hash, owner, name, role, created_at, revoked_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            key.id.as_str(),
            hash.0,
            key.owner.as_str(),
            key.name,
            key.role.as_str(),
            key.created_at.0,
            key.revoked_at.map(|at| at.0),
        ]);
    match added {
        Err(error) if is_taken(&error) => Err(StoreError::Exists(key.id.to_string()).into()),
        other => Ok(other.map(drop)?),
    }
}

/// The key with this hash.
pub(crate) fn by_hash(conn: &Connection, hash: KeyHash) -> Result<Option<KeyRecord>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE k.hash = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([hash.0])?;
    rows.next()?.map(record).transpose()
}

/// All keys, oldest first.
pub(crate) fn all(conn: &Connection, owner: Option<&OwnerId>) -> Result<Vec<KeyRecord>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE ?1 IS NULL OR k.owner = ?1 ORDER BY k.created_at, k.id"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([owner.map(OwnerId::as_str)])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(record(row)?);
    }
    Ok(keys)
}

/// Revokes a key; `false` if there is none.
pub(crate) fn revoke(conn: &Connection, id: &KeyId, at: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE api_key SET revoked_at = ifnull(revoked_at, ?2) WHERE id = ?1";
    Ok(conn.prepare_cached(sql)?.execute(params![id.as_str(), at.0])? > 0)
}

/// Gives a key another name; `false` if there is none.
pub(crate) fn rename(conn: &Connection, id: &KeyId, name: &str) -> Result<bool, Fault> {
    let sql = "UPDATE api_key SET name = ?2 WHERE id = ?1";
    Ok(conn.prepare_cached(sql)?.execute(params![id.as_str(), name])? > 0)
}

/// Writes down when keys were used.
pub(crate) fn note_uses(conn: &Connection, uses: &[(KeyId, Timestamp)]) -> Result<(), Fault> {
    let mut statement =
        conn.prepare_cached("UPDATE api_key SET last_used_at = ?2 WHERE id = ?1")?;
    for (id, at) in uses {
        statement.execute(params![id.as_str(), at.0])?;
    }
    Ok(())
}

/// Revokes `old` and adds its successor; `None` if `old` is unknown or revoked.
pub(crate) fn rotate(
    conn: &Connection,
    old: &KeyId,
    new: KeyId,
    hash: KeyHash,
    at: Timestamp,
) -> Result<Option<KeyRecord>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE k.id = ?1 AND k.revoked_at IS NULL");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([old.as_str()])?;
    let Some(key) = rows.next()?.map(record).transpose()? else { return Ok(None) };
    let successor = KeyRecord { id: new, created_at: at, last_used_at: None, ..key };
    add(conn, &successor, hash)?;
    // The successor may use what the old key might.
    conn.prepare_cached(
        "INSERT INTO limits (subject, doc, max_running) \
         SELECT ?2, doc, max_running FROM limits WHERE subject = ?1",
    )?
    .execute([old.as_str(), successor.id.as_str()])?;
    revoke(conn, old, at)?;
    Ok(Some(successor))
}

fn record(row: &Row<'_>) -> Result<KeyRecord, Fault> {
    let role = row.get_ref(3)?.as_str().map_err(codec::damaged)?;
    Ok(KeyRecord {
        id: codec::parse(row, 0)?,
        owner: codec::parse(row, 1)?,
        name: row.get(2)?,
        role: [KeyRole::User, KeyRole::Admin]
            .into_iter()
            .find(|one| one.as_str() == role)
            .ok_or_else(|| Fault::Damaged(format!("`{role}` is no role")))?,
        created_at: Timestamp(row.get(4)?),
        revoked_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        last_used_at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
        limits: limits(row, 6)?,
        owner_limits: limits(row, 7)?,
    })
}

fn limits(row: &Row<'_>, at: usize) -> Result<Limits, Fault> {
    let doc: Option<String> = row.get(at)?;
    doc.map_or(Ok(Limits::default()), |doc| serde_json::from_str(&doc).map_err(codec::damaged))
}
