//! Links that show a result.

use async_trait::async_trait;
use domain::{OwnerId, RequestId, ShareToken, State};
use rusqlite::{Connection, OptionalExtension, params};
use store::sharing::{Link, Sharing};
use store::{RequestRow, StoreError};

use crate::codec;
use crate::fault::Fault;
use crate::requests;
use crate::sqlite::SqliteStore;

fn share(
    conn: &Connection,
    owner: &OwnerId,
    id: &RequestId,
    fresh: &ShareToken,
) -> Result<Link, Fault> {
    let found = requests::stand(conn, id)?;
    let Some(stand) = found.filter(|stand| stand.owner == *owner) else {
        return Ok(Link::NotFound);
    };
    if stand.state != State::Succeeded {
        return Ok(Link::NoResult);
    }
    if let Some(link) = link(conn, id)? {
        return Ok(Link::Stands(link));
    }
    let sql = "INSERT INTO share (seq, token) VALUES (?1, ?2)";
    conn.prepare_cached(sql)?.execute(params![stand.order.seq, fresh.as_str()])?;
    Ok(Link::Stands(fresh.clone()))
}

fn unshare(conn: &Connection, owner: &OwnerId, id: &RequestId) -> Result<bool, Fault> {
    let found = requests::stand(conn, id)?;
    let Some(stand) = found.filter(|stand| stand.owner == *owner) else { return Ok(false) };
    conn.prepare_cached("DELETE FROM share WHERE seq = ?1")?.execute([stand.order.seq])?;
    Ok(true)
}

fn link(conn: &Connection, id: &RequestId) -> Result<Option<ShareToken>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT s.token FROM request r JOIN share s ON s.seq = r.seq WHERE r.id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(|row| codec::parse(row, 0)).transpose()
}

fn shared(conn: &Connection, token: &ShareToken) -> Result<Option<RequestRow>, Fault> {
    let sql = "SELECT seq FROM share WHERE token = ?1";
    let seq = conn.prepare_cached(sql)?.query_row([token.as_str()], |row| row.get(0)).optional()?;
    seq.map_or(Ok(None), |seq| requests::by_seq(conn, seq))
}

#[async_trait]
impl Sharing for SqliteStore {
    async fn share(
        &self,
        owner: &OwnerId,
        id: &RequestId,
        fresh: &ShareToken,
    ) -> Result<Link, StoreError> {
        let (owner, id, fresh) = (owner.clone(), id.clone(), fresh.clone());
        self.write(move |writer| share(&writer.conn, &owner, &id, &fresh)).await
    }

    async fn unshare(&self, owner: &OwnerId, id: &RequestId) -> Result<bool, StoreError> {
        let (owner, id) = (owner.clone(), id.clone());
        self.write(move |writer| unshare(&writer.conn, &owner, &id)).await
    }

    async fn link(&self, id: &RequestId) -> Result<Option<ShareToken>, StoreError> {
        self.read(|conn| link(conn, id))
    }

    async fn shared(&self, token: &ShareToken) -> Result<Option<RequestRow>, StoreError> {
        self.read(|conn| shared(conn, token))
    }
}
