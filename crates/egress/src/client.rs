//! The client: who may be asked, and how one request goes out. What is asked is in the modules
//! beside this one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Rng};
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::connect::{Connector, Dial, Resolve, SystemDialer, SystemResolver, tls};
use crate::error::{FetchError, SetupError};
use crate::exchange::{Answer, Message, exchange};
use crate::retry;
use crate::target::{Exempt, Target};

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Hosts that need neither be public nor speak https.
    pub exempt: Vec<Exempt>,
    /// Root certificates beside the machine's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The pause after the first failed try; doubled after the second.
    pub backoff: Duration,
    /// Limit for each of: resolving a name, dialling one address, the TLS handshake.
    pub connect_limit: Duration,
    /// Who runs this server, for the User-Agent: a URL or an e-mail address.
    pub contact: Option<String>,
}

/// The guarded HTTP client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    exempt: Vec<Exempt>,
    backoff: Duration,
    agent: HeaderValue,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            exempt: Vec::new(),
            extra_roots: Vec::new(),
            backoff: Duration::from_millis(500),
            connect_limit: Duration::from_secs(8),
            contact: None,
        }
    }
}

// === impl Client ===

impl Client {
    /// A client with the machine's resolver.
    pub fn new(
        options: Options,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, SetupError> {
        Self::with(options, clock, rng, Arc::new(SystemResolver), Arc::new(SystemDialer))
    }

    /// A client with a resolver and a dialler of the caller's choice.
    pub fn with(
        options: Options,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        resolver: Arc<dyn Resolve>,
        dialer: Arc<dyn Dial>,
    ) -> Result<Self, SetupError> {
        let connector = Connector {
            resolver,
            dialer,
            tls: tls(options.extra_roots)?,
            limit: options.connect_limit,
        };
        let agent = user_agent(options.contact.as_deref());
        let (exempt, backoff) = (options.exempt, options.backoff);
        Ok(Self { inner: Arc::new(Inner { connector, exempt, backoff, agent, clock, rng }) })
    }

    /// Whether [`Self::get`] and [`Self::post`] would go as far as resolving the name in `url`:
    /// it parses, its scheme is right, it holds no credentials, and an address that stands in it
    /// is public. Touches no network; what the name resolves to is checked when it is used.
    pub fn admits(&self, url: &str) -> Result<(), FetchError> {
        self.target(url).map(|_| ())
    }

    pub(crate) fn target(&self, url: &str) -> Result<Target, FetchError> {
        let url = Url::parse(url).map_err(|e| FetchError::BadUrl(e.to_string()))?;
        self.admit(url)
    }

    pub(crate) fn admit(&self, url: Url) -> Result<Target, FetchError> {
        Target::admit(url, &self.inner.exempt)
    }

    /// Sends `message` to `target`, once.
    pub(crate) async fn send(
        &self,
        target: &Target,
        message: &Message,
    ) -> Result<Answer, FetchError> {
        exchange(&self.inner.connector, target, message, &self.inner.agent).await
    }

    /// The pause after `tried` failed tries.
    pub(crate) fn pause(&self, tried: u32) -> Duration {
        retry::pause(self.inner.backoff, tried, &*self.inner.rng)
    }

    /// How long the answer asks to wait.
    pub(crate) fn wait_asked(&self, head: &http::response::Parts) -> Option<Duration> {
        retry::retry_after(&text(head, &RETRY_AFTER)?, self.inner.clock.now())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("exempt", &self.inner.exempt).finish_non_exhaustive()
    }
}

/// `reshoot/1.2.3 (+contact)`.
fn user_agent(contact: Option<&str>) -> HeaderValue {
    const BARE: &str =
        concat!("reshoot/", env!("CARGO_PKG_VERSION"), " (self-hosted video server)");
    contact
        .and_then(|contact| {
            let text = format!("reshoot/{} (+{contact})", env!("CARGO_PKG_VERSION"));
            HeaderValue::from_str(&text).ok()
        })
        .unwrap_or_else(|| HeaderValue::from_static(BARE))
}

/// A header that is ASCII.
pub(crate) fn text(head: &http::response::Parts, name: &HeaderName) -> Option<String> {
    head.headers.get(name)?.to_str().ok().map(str::to_owned)
}
