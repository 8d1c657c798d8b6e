//! API keys. Always read from the database: another process may have changed them.

use domain::key::{KeyHash, KeyRecord, KeyRole};
use domain::{KeyId, OwnerId, Timestamp};
use rusqlite::{Connection, Row, params};
use store::StoreError;

use crate::codec;
use crate::fault::{Fault, is_taken};

const COLUMNS: &str = "id, owner, name, role, created_at, revoked_at";

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
            role_word(key.role),
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
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE hash = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([hash.0])?;
    rows.next()?.map(record).transpose()
}

/// All keys, oldest first.
pub(crate) fn all(conn: &Connection, owner: Option<&OwnerId>) -> Result<Vec<KeyRecord>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_key WHERE ?1 IS NULL OR owner = ?1 ORDER BY created_at, id"
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

/// Revokes `old` and adds its successor; `None` if `old` is unknown or revoked.
pub(crate) fn rotate(
    conn: &Connection,
    old: &KeyId,
    new: KeyId,
    hash: KeyHash,
    at: Timestamp,
) -> Result<Option<KeyRecord>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE id = ?1 AND revoked_at IS NULL");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([old.as_str()])?;
    let Some(key) = rows.next()?.map(record).transpose()? else { return Ok(None) };
    let successor = KeyRecord { id: new, created_at: at, ..key };
    add(conn, &successor, hash)?;
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
            .find(|one| role_word(*one) == role)
            .ok_or_else(|| Fault::Damaged(format!("`{role}` is no role")))?,
        created_at: Timestamp(row.get(4)?),
        revoked_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
    })
}

fn role_word(role: KeyRole) -> &'static str {
    match role {
        KeyRole::User => "user",
        KeyRole::Admin => "admin",
    }
}
