//! One request and the head of its answer, on a connection of its own.

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, HOST, HeaderMap, HeaderValue, USER_AGENT,
};
use http::{Method, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::connect::{Connector, io_fault, unreachable};
use crate::error::FetchError;
use crate::target::Target;

/// The head of an answer, at most.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// What is sent, wherever it goes.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) method: Method,
    /// Beside those that every request has, which win over these.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer whose body has not been read. Dropping the task ends the connection.
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Incoming,
    pub(crate) connection: JoinSet<()>,
}

/// Sends `message` to `target`, once.
pub(crate) async fn exchange(
    connector: &Connector,
    target: &Target,
    message: &Message,
    agent: &HeaderValue,
) -> Result<Answer, FetchError> {
    let outgoing = compose(target, message, agent)?;
    let stream = TokioIo::new(connector.open(target).await?);
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
    let (mut sender, connection) =
        builder.handshake(stream).await.map_err(|e| head_fault(target, &e))?;
    let mut tasks = JoinSet::new();
    // What breaks a connection also breaks the answer that is awaited: reported there.
    tasks.spawn(async move { drop(connection.await) });
    let answer = sender.send_request(outgoing).await.map_err(|e| head_fault(target, &e))?;
    let (head, body) = answer.into_parts();
    Ok(Answer { head, body, connection: tasks })
}

fn compose(
    target: &Target,
    message: &Message,
    agent: &HeaderValue,
) -> Result<http::Request<Full<Bytes>>, FetchError> {
    let unsendable = || FetchError::BadUrl("it cannot be sent".to_owned());
    let path = match target.url.query() {
        Some(query) => format!("{}?{query}", target.url.path()),
        None => target.url.path().to_owned(),
    };
    let authority = match target.url.port() {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.to_string(),
    };
    let mut outgoing = http::Request::new(Full::new(message.body.clone()));
    outgoing.method_mut().clone_from(&message.method);
    *outgoing.uri_mut() = Uri::try_from(path).map_err(|_| unsendable())?;
    let mut headers = message.headers.clone();
    headers.insert(HOST, HeaderValue::try_from(authority).map_err(|_| unsendable())?);
    headers.insert(USER_AGENT, agent.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    *outgoing.headers_mut() = headers;
    Ok(outgoing)
}

/// The encoding of a body that is not sent as it is, although that was asked for.
pub(crate) fn foreign_encoding(head: &http::response::Parts) -> Option<String> {
    let text = String::from_utf8_lossy(head.headers.get(CONTENT_ENCODING)?.as_bytes());
    let plain = text.trim().is_empty() || text.trim().eq_ignore_ascii_case("identity");
    (!plain).then(|| text.chars().filter(|c| !c.is_control()).take(40).collect())
}

fn head_fault(target: &Target, e: &hyper::Error) -> FetchError {
    if e.is_parse_too_large() {
        garbled(target.name(), "the headers are too large")
    } else if e.is_parse() {
        garbled(target.name(), "the answer is not HTTP/1.1")
    } else if let Some(cause) = io_cause(e) {
        io_fault(target, cause)
    } else {
        unreachable(target, "the connection was closed before an answer")
    }
}

pub(crate) fn garbled(host: String, reason: &str) -> FetchError {
    FetchError::Garbled { host, reason: reason.to_owned() }
}

/// The I/O error beneath an HTTP error, if that is what it was.
pub(crate) fn io_cause(e: &hyper::Error) -> Option<&std::io::Error> {
    std::error::Error::source(e)?.downcast_ref::<std::io::Error>()
}
