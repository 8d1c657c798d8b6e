//! From a checked target to an open connection.
//!
//! The address that is checked is the address that is connected: a name is resolved once a hop,
//! the answers are checked, and only these are dialled. Resolving and dialling are traits, so
//! that tests can answer like a hostile name server without touching a network.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Host;

use crate::error::{FetchError, SetupError};
use crate::target::Target;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 6;

/// A boxed future.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Turns names into addresses.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, best first. An empty answer counts as a name without address.
    fn resolve<'a>(&'a self, name: &'a str) -> Waiting<'a, io::Result<Vec<IpAddr>>>;
}

/// Opens TCP connections.
pub trait Dial: Send + Sync {
    /// A connection to exactly `address`.
    fn dial(&self, address: SocketAddr) -> Waiting<'_, io::Result<TcpStream>>;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

/// The machine's own TCP.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDialer;

/// What a connection is, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct Connector {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) dialer: Arc<dyn Dial>,
    pub(crate) tls: TlsConnector,
    pub(crate) limit: Duration,
}

// === impl SystemResolver, SystemDialer ===

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Waiting<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
        })
    }
}

impl Dial for SystemDialer {
    fn dial(&self, address: SocketAddr) -> Waiting<'_, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(address))
    }
}

// === impl Connector ===

impl Connector {
    /// A connection to `target`, with TLS where its URL says so.
    pub(crate) async fn open(&self, target: &Target) -> Result<Box<dyn Stream>, FetchError> {
        let stream = self.dial(target).await?;
        if !target.tls {
            return Ok(Box::new(stream));
        }
        let name = server_name(target)?;
        match timeout(self.limit, self.tls.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(e)) => Err(tls_fault(target, &e)),
            Err(_) => Err(unreachable(target, "the TLS handshake took too long")),
        }
    }

    async fn dial(&self, target: &Target) -> Result<TcpStream, FetchError> {
        let mut last = unreachable(target, "no address answered");
        for address in self.addresses(target).await?.into_iter().take(MAX_ADDRESSES) {
            let address = SocketAddr::new(address, target.port);
            last = match timeout(self.limit, self.dialer.dial(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(e)) => io_fault(target, &e),
                Err(_) => unreachable(target, "connecting took too long"),
            };
        }
        Err(last)
    }

    /// The addresses that may be dialled. One answer that is not public condemns them all: it
    /// comes from an attack or from a name that means different things in different networks.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, FetchError> {
        let found = match &target.host {
            Host::Domain(name) => {
                let unresolved = || FetchError::Unresolved { host: target.name() };
                let answer = timeout(self.limit, self.resolver.resolve(name)).await;
                let found = answer.map_err(|_| unresolved())?.map_err(|e| match exhausted(&e) {
                    Some(fault) => fault,
                    None => unresolved(),
                })?;
                if found.is_empty() {
                    return Err(unresolved());
                }
                found
            }
            Host::Ipv4(address) => vec![IpAddr::from(*address)],
            Host::Ipv6(address) => vec![IpAddr::from(*address)],
        };
        let found: Vec<IpAddr> = found.into_iter().map(crate::address::canonical).collect();
        found.iter().try_for_each(|address| target.check(*address))?;
        Ok(found)
    }
}

/// The client's side of TLS: the machine's roots (the bundled Mozilla roots where it has none)
/// and `extra`; HTTP/1.1 alone.
pub(crate) fn tls(extra: Vec<CertificateDer<'static>>) -> Result<TlsConnector, SetupError> {
    // The same for all clients of a process: to read some hundred files takes longer than the rest
    // of an empty server's start.
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    let mut roots = ROOTS.get_or_init(trusted).clone();
    for root in extra {
        roots.add(root)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The machine's roots, or those that are built in.
fn trusted() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(native.certs);
    if added == 0 {
        tracing::debug!(faults = native.errors.len(), "no usable native root certificates");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn server_name(target: &Target) -> Result<ServerName<'static>, FetchError> {
    match (&target.host, target.address()) {
        (_, Some(address)) => Ok(ServerName::from(address)),
        (host, None) => ServerName::try_from(host.to_string())
            .map_err(|_| FetchError::BadUrl(format!("`{host}` is not a host name"))),
    }
}

fn tls_fault(target: &Target, e: &io::Error) -> FetchError {
    match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(cause) => FetchError::Tls { host: target.name(), reason: cause.to_string() },
        None => io_fault(target, e),
    }
}

pub(crate) fn unreachable(target: &Target, reason: &str) -> FetchError {
    FetchError::Connect { host: target.name(), reason: reason.to_owned() }
}

/// What an I/O error means for the fetch; the words are ours, so that none carries an address.
pub(crate) fn io_fault(target: &Target, e: &io::Error) -> FetchError {
    if let Some(fault) = exhausted(e) {
        return fault;
    }
    let reason = match e.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => "the connection was closed",
        io::ErrorKind::TimedOut => "the connection timed out",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no route to the host"
        }
        _ => "the connection failed",
    };
    unreachable(target, reason)
}

/// ENFILE, EMFILE, ENOMEM and ENOBUFS: the machine's fault, not the host's.
fn exhausted(e: &io::Error) -> Option<FetchError> {
    matches!(e.raw_os_error(), Some(12 | 23 | 24 | 105))
        .then(|| FetchError::Exhausted(e.to_string()))
}
