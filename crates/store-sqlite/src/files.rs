//! Names of files.

use domain::{FileToken, Timestamp};
use rusqlite::{Connection, params};
use store::StoreError;
use store::row::FileRow;

use crate::codec;
use crate::fault::{Fault, is_taken};

/// Names a file.
pub(crate) fn add(conn: &Connection, file: &FileRow) -> Result<(), Fault> {
    let added = conn
        .prepare_cached(
            "INSERT INTO file (token, name, owner, request, path, content_type, bytes, sha256, \
             created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            file.token.as_str(),
            file.name,
            file.owner.as_str(),
            file.request.as_ref().map(domain::RequestId::as_str),
            file.path,
            file.content_type,
            file.bytes as i64,
            file.sha256,
            file.created_at.0,
        ]);
    match added {
        Err(error) if is_taken(&error) => Err(StoreError::Exists(file.token.to_string()).into()),
        other => Ok(other.map(drop)?),
    }
}

/// The file behind a token.
pub(crate) fn find(conn: &Connection, token: &FileToken) -> Result<Option<FileRow>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT name, owner, request, path, content_type, bytes, sha256, created_at \
         FROM file WHERE token = ?1",
    )?;
    let mut rows = statement.query([token.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let request = match row.get::<_, Option<String>>(2)? {
        Some(text) => Some(text.parse().map_err(codec::damaged)?),
        None => None,
    };
    Ok(Some(FileRow {
        token: token.clone(),
        name: row.get(0)?,
        owner: codec::parse(row, 1)?,
        request,
        path: row.get(3)?,
        content_type: row.get(4)?,
        bytes: row.get::<_, i64>(5)? as u64,
        sha256: row.get(6)?,
        created_at: Timestamp(row.get(7)?),
    }))
}
