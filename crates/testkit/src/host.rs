//! A web server on a free loopback port that answers by script and remembers what it was asked.
#![expect(clippy::expect_used, reason = "a test whose setup fails has to end")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::reply::Reply;
use crate::serve;
use crate::tls::TestCa;

/// Small, so that [`Recorded::sent`] stays close to what the client took.
const SEND_BUFFER_BYTES: u32 = 16 * 1024;

/// A running media host; it ends when it is dropped. Made within a tokio runtime.
pub struct MediaHost {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// One request that arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// `GET` or `POST`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without `?`.
    pub query: Option<String>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As many bytes as `content-length` announced; none without it.
    pub body: Bytes,
    sent: Arc<AtomicU64>,
}

#[derive(Default)]
pub(crate) struct Shared {
    scripts: Mutex<HashMap<String, Vec<Reply>>>,
    requests: Mutex<Vec<Recorded>>,
    arrived: Notify,
}

// === impl MediaHost ===

impl MediaHost {
    /// A host that speaks http.
    pub fn http() -> Self {
        Self::start("http", None)
    }

    /// A host that speaks https with a certificate of `ca` for `names`.
    pub fn https(ca: &TestCa, names: &[&str]) -> Self {
        Self::start("https", Some(ca.acceptor(names)))
    }

    /// A host that takes connections and never says a word, not even of TLS.
    ///
    /// # Panics
    /// Where no loopback port is to be had.
    pub fn mute() -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("a bound address");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.push(stream);
            }
        });
        Self { address, scheme: "https", shared: Arc::default(), _tasks: tasks }
    }

    fn start(scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve::run(listener, tls, Arc::clone(&shared)));
        Self { address, scheme, shared, _tasks: tasks }
    }

    /// Answers `path` with `reply` from now on.
    pub fn on(&self, path: &str, reply: Reply) {
        self.script(path, [reply]);
    }

    /// Answers `path` with one reply after the other; the last one repeats.
    pub fn script(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        lock(&self.shared.scripts).insert(path.to_owned(), replies);
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// `path` on this host, by address.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Everything that was asked so far, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.requests).clone()
    }

    /// What was asked of `path`, in order.
    pub fn requests_of(&self, path: &str) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| request.path == path).collect()
    }

    /// Bytes of bodies sent for `path`, over all requests.
    pub fn sent(&self, path: &str) -> u64 {
        self.requests_of(path).iter().map(Recorded::sent).sum()
    }

    /// Returns once `count` requests have arrived.
    pub async fn arrived(&self, count: usize) {
        loop {
            let notified = self.shared.arrived.notified();
            if lock(&self.shared.requests).len() >= count {
                return;
            }
            notified.await;
        }
    }
}

fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(SEND_BUFFER_BYTES).expect("a buffer size");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    socket.listen(256).expect("a listener")
}

// === impl Recorded ===

impl Recorded {
    pub(crate) fn new(
        method: &str,
        target: &str,
        headers: Vec<(String, String)>,
        body: Bytes,
        sent: Arc<AtomicU64>,
    ) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self { method: method.to_owned(), path: path.to_owned(), query, headers, body, sent }
    }

    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The `Range` header.
    pub fn range(&self) -> Option<&str> {
        self.header("range")
    }

    /// Bytes of the body handed to the socket so far: what the client read, and at most what
    /// socket buffers hold besides.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

// === impl Shared ===

impl Shared {
    /// Remembers a request and says what comes next for its path.
    pub(crate) fn answer(&self, request: Recorded) -> Reply {
        let reply = match lock(&self.scripts).get_mut(&request.path) {
            Some(replies) if replies.len() > 1 => replies.pop(),
            Some(replies) => replies.last().cloned(),
            None => None,
        };
        lock(&self.requests).push(request);
        self.arrived.notify_waiters();
        reply.unwrap_or_else(|| Reply::status(404))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
