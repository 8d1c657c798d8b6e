//! HTTP/1.1 by hand, one request a connection: a real server library would mend the very
//! faults that the scripts ask for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::host::{Recorded, Shared};
use crate::reply::{Framing, Http, Kind, Pace};

const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_BODY_BYTES: usize = 1024 * 1024;
const WRITE_BYTES: usize = 16 * 1024;

/// Takes connections until it is aborted.
pub(crate) async fn run(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        // A client that goes away is part of many tests: nothing to report.
        connections.spawn(async move {
            match tls {
                Some(tls) => converse(tls.accept(stream).await?, &shared).await,
                None => converse(stream, &shared).await,
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse<S>(mut stream: S, shared: &Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = read_head(&mut stream).await?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or("").split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = read_body(&mut stream, &headers).await?;
    let sent = Arc::new(AtomicU64::new(0));
    let request = Recorded::new(method, target, headers, body, Arc::clone(&sent));
    let range = request.range().map(str::to_owned);
    match shared.answer(request).kind {
        Kind::Hang => std::future::pending().await,
        Kind::Raw(bytes) => stream.write_all(&bytes).await?,
        Kind::Http(http) => send(&mut stream, &http, range.as_deref(), &sent).await?,
    }
    stream.shutdown().await
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
        if head.len() > MAX_HEAD_BYTES {
            return Err(io::Error::other("the request head is too long"));
        }
    }
    Ok(String::from_utf8_lossy(&head).trim_end().to_owned())
}

async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    headers: &[(String, String)],
) -> io::Result<Bytes> {
    let announced = headers.iter().find(|(name, _)| name == "content-length");
    let length = announced.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    if length > MAX_BODY_BYTES {
        return Err(io::Error::other("the request body is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body.into())
}

async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    http: &Http,
    range: Option<&str>,
    sent: &AtomicU64,
) -> io::Result<()> {
    let (status, range_line, body) = http.select(range);
    let mut head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n");
    let mut header = |name: &str, value: &str| {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    };
    match http.framing {
        Framing::Length => header("content-length", &body.len().to_string()),
        Framing::Chunked => header("transfer-encoding", "chunked"),
        Framing::Close => {}
    }
    if http.ranges {
        header("accept-ranges", "bytes");
    }
    if let Some(line) = &range_line {
        header("content-range", line);
    }
    http.headers.iter().for_each(|(name, value)| header(name, value));
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await?;
    let (step, until) = match http.pace {
        Pace::AtOnce => (WRITE_BYTES, body.len()),
        Pace::Trickle { bytes, .. } => (bytes.max(1), body.len()),
        Pace::StallAfter(bytes) | Pace::CutAfter(bytes) => (WRITE_BYTES, bytes.min(body.len())),
    };
    for part in body.slice(..until).chunks(step) {
        if let Pace::Trickle { every, .. } = http.pace {
            tokio::time::sleep(every).await;
        }
        write_part(stream, http.framing, part).await?;
        sent.fetch_add(part.len() as u64, Ordering::SeqCst);
    }
    match http.pace {
        Pace::StallAfter(_) => std::future::pending().await,
        Pace::AtOnce | Pace::Trickle { .. } if http.framing == Framing::Chunked => {
            stream.write_all(b"0\r\n\r\n").await
        }
        Pace::CutAfter(_) | Pace::AtOnce | Pace::Trickle { .. } => Ok(()),
    }
}

async fn write_part<S: AsyncWrite + Unpin>(
    stream: &mut S,
    framing: Framing,
    part: &[u8],
) -> io::Result<()> {
    if framing == Framing::Chunked {
        stream.write_all(format!("{:x}\r\n", part.len()).as_bytes()).await?;
    }
    stream.write_all(part).await?;
    if framing == Framing::Chunked {
        stream.write_all(b"\r\n").await?;
    }
    stream.flush().await
}
