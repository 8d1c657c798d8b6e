//! Removal of what is no longer kept.

use async_trait::async_trait;
use domain::{OwnerId, RequestId, Timestamp};
use rusqlite::{Connection, params};
use store::StoreError;
use store::retention::{Cutoffs, Removal, Retention, folder_of_upload, folders_of};
use store::row::ONCE_SECS;

use crate::codec;
use crate::fault::Fault;
use crate::requests;
use crate::sqlite::SqliteStore;
use crate::writer::Writer;

/// Whether a request that has not ended needs a file of request `?1`.
const IN_USE: &str =
    "SELECT 1 FROM file f JOIN file_use u ON u.token = f.token WHERE f.request = ?1";

fn remove(writer: &mut Writer, owner: &OwnerId, id: &RequestId) -> Result<Removal, Fault> {
    let found = requests::stand(&writer.conn, id)?;
    let Some(stand) = found.filter(|stand| stand.owner == *owner) else {
        return Ok(Removal::NotFound);
    };
    if !stand.state.is_terminal() {
        return Ok(Removal::Open);
    }
    if writer.conn.prepare_cached(IN_USE)?.exists([id.as_str()])? {
        return Ok(Removal::InUse);
    }
    remove_now(writer, id)?;
    Ok(Removal::Done)
}

/// The record and all that hangs on it; what was charged stays.
fn remove_now(writer: &mut Writer, id: &RequestId) -> Result<(), Fault> {
    for sql in [
        "DELETE FROM body WHERE seq = (SELECT seq FROM request WHERE id = ?1)",
        "DELETE FROM request WHERE id = ?1",
        "DELETE FROM file WHERE request = ?1",
        "DELETE FROM delivery WHERE request = ?1",
    ] {
        writer.conn.prepare_cached(sql)?.execute([id.as_str()])?;
    }
    for folder in folders_of(id) {
        discard(&writer.conn, &folder)?;
    }
    writer.removed(id);
    Ok(())
}

fn discard(conn: &Connection, folder: &str) -> Result<(), Fault> {
    conn.prepare_cached("INSERT OR IGNORE INTO trash (folder) VALUES (?1)")?.execute([folder])?;
    Ok(())
}

fn retire(writer: &mut Writer, cutoffs: Cutoffs, limit: u32) -> Result<usize, Fault> {
    let once = cutoffs.now.plus_secs(-ONCE_SECS).0;
    writer.conn.prepare_cached("DELETE FROM once WHERE at <= ?1")?.execute([once])?;
    let mut count = 0;
    for id in results(&writer.conn, cutoffs.results, limit)? {
        remove_now(writer, &id)?;
        count += 1;
    }
    let left = limit.saturating_sub(count as u32);
    for (seq, id) in inputs(&writer.conn, cutoffs.inputs, left)? {
        let sql = "UPDATE request SET inputs_kept = 0 WHERE seq = ?1";
        writer.conn.prepare_cached(sql)?.execute([seq])?;
        let [folder, _] = folders_of(&id);
        discard(&writer.conn, &folder)?;
        count += 1;
    }
    let left = limit.saturating_sub(count as u32);
    for (token, path) in uploads(&writer.conn, cutoffs.uploads, left)? {
        writer.conn.prepare_cached("DELETE FROM file WHERE token = ?1")?.execute([token])?;
        discard(&writer.conn, &folder_of_upload(&path))?;
        count += 1;
    }
    Ok(count)
}

/// Requests that ended before the cutoff, whose files nobody needs and whose messages are told.
fn results(
    conn: &Connection,
    cutoff: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<RequestId>, Fault> {
    let Some(cutoff) = cutoff else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(
        "SELECT r.id FROM request r INDEXED BY request_finished \
         WHERE r.finished_at IS NOT NULL AND r.finished_at <= ?1 \
         AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.request = r.id AND d.standing = 0) \
         AND NOT EXISTS (SELECT 1 FROM file f JOIN file_use u ON u.token = f.token \
                         WHERE f.request = r.id) \
         ORDER BY r.finished_at, r.seq LIMIT ?2",
    )?;
    let mut rows = statement.query(params![cutoff.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(codec::parse(row, 0)?);
    }
    Ok(found)
}

fn inputs(
    conn: &Connection,
    cutoff: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<(i64, RequestId)>, Fault> {
    let Some(cutoff) = cutoff else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(
        "SELECT seq, id FROM request INDEXED BY request_inputs \
         WHERE finished_at IS NOT NULL AND inputs_kept = 1 AND finished_at <= ?1 \
         ORDER BY finished_at, seq LIMIT ?2",
    )?;
    let mut rows = statement.query(params![cutoff.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, codec::parse(row, 1)?));
    }
    Ok(found)
}

fn uploads(
    conn: &Connection,
    cutoff: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<(String, String)>, Fault> {
    let Some(cutoff) = cutoff else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(
        "SELECT token, path FROM file INDEXED BY file_upload \
         WHERE request IS NULL AND created_at <= ?1 \
         AND NOT EXISTS (SELECT 1 FROM file_use u WHERE u.token = file.token) \
         ORDER BY created_at, token LIMIT ?2",
    )?;
    let found = statement.query_map(params![cutoff.0, limit], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found?.collect::<Result<_, _>>()?)
}

#[async_trait]
impl Retention for SqliteStore {
    async fn remove(&self, owner: &OwnerId, id: &RequestId) -> Result<Removal, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.change(move |writer| remove(writer, &owner, &id)).await
    }

    async fn retire(&self, cutoffs: Cutoffs, limit: u32) -> Result<usize, StoreError> {
        self.change(move |writer| retire(writer, cutoffs, limit)).await
    }

    async fn trash(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT folder FROM trash LIMIT ?1")?;
            let found = statement.query_map([limit], |row| row.get(0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    async fn emptied(&self, folders: Vec<String>) -> Result<(), StoreError> {
        self.change(move |writer| {
            for folder in &folders {
                let sql = "DELETE FROM trash WHERE folder = ?1";
                writer.conn.prepare_cached(sql)?.execute([folder])?;
            }
            Ok(())
        })
        .await
    }
}
