//! The guarded GET: admit, connect, follow redirects, try again, hand out the body.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::fault::public_text;
use domain::{Clock, Rng};
use http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::body::{Body, Response};
use crate::connect::{Connector, Dial, Resolve, SystemDialer, SystemResolver, tls};
use crate::error::{FetchError, SetupError};
use crate::exchange::{Answer, exchange, garbled};
use crate::retry;
use crate::target::{Exempt, Target};

/// Redirects that are followed.
pub const MAX_REDIRECTS: usize = 3;

/// Times that a transient failure is tried.
pub const MAX_TRIES: u32 = 3;

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

/// One file, or a part of one.
#[derive(Debug, Clone)]
pub struct GetRequest {
    /// Where it is.
    pub url: String,
    /// Which part; the whole where there is none.
    pub range: Option<ByteRange>,
    /// Bytes of the body that are taken at most.
    pub max_bytes: u64,
    /// When it must be complete: tries, redirects and body together.
    pub deadline: Instant,
}

/// A part of a file (RFC 9110, section 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this byte to the end.
    From(u64),
    /// From the first to before the second.
    Between(u64, u64),
    /// This many bytes at the end.
    Last(u64),
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

// === impl Options, ByteRange ===

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

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(start) => write!(f, "bytes={start}-"),
            Self::Between(start, end) => write!(f, "bytes={start}-{}", end.saturating_sub(1)),
            Self::Last(count) => write!(f, "bytes=-{count}"),
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

    /// Fetches a file up to its body, which the caller reads.
    ///
    /// Where a range was asked for, the answer may still be the whole file (status 200): its
    /// announced length is then not held against `max_bytes`, the bytes read are.
    pub async fn get(&self, request: &GetRequest) -> Result<Response, FetchError> {
        let url = Url::parse(&request.url).map_err(|e| FetchError::BadUrl(e.to_string()))?;
        let target = Target::admit(url, &self.inner.exempt)?;
        let mut tried = 0;
        loop {
            let outcome = timeout_at(request.deadline, self.follow(&target, request)).await;
            let fault = match outcome {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(fault)) => fault,
                Err(_) => return Err(FetchError::Timeout { host: target.name() }),
            };
            tried += 1;
            tracing::debug!(url = public_text(&request.url), tried, %fault, "fetch failed");
            if !fault.is_transient() || tried >= MAX_TRIES {
                return Err(fault);
            }
            let wait = match &fault {
                FetchError::Status { retry_after: Some(wait), .. } => *wait,
                _ => retry::pause(self.inner.backoff, tried, &*self.inner.rng),
            };
            if request.deadline.saturating_duration_since(Instant::now()) <= wait {
                return Err(fault);
            }
            sleep(wait).await;
        }
    }

    async fn follow(&self, first: &Target, request: &GetRequest) -> Result<Response, FetchError> {
        let inner = &*self.inner;
        let mut target = first.clone();
        for hop in 0..=MAX_REDIRECTS {
            let answer = exchange(&inner.connector, &target, request, &inner.agent).await;
            // Where the first hop is refused the URL is to blame, later the one that led there.
            let answer = answer.map_err(|fault| match fault {
                FetchError::NotPublic { .. } if hop > 0 => {
                    FetchError::Redirect { from: first.name(), cause: Box::new(fault) }
                }
                other => other,
            })?;
            let Some(location) = redirect(&answer.head) else {
                return self.accept(&target, answer, request);
            };
            let wrap = |cause| FetchError::Redirect { from: target.name(), cause: Box::new(cause) };
            let next = target.url.join(&location);
            let next = next.map_err(|e| wrap(FetchError::BadUrl(e.to_string())))?;
            target = Target::admit(next, &inner.exempt).map_err(wrap)?;
        }
        Err(FetchError::TooManyRedirects)
    }

    fn accept(
        &self,
        target: &Target,
        answer: Answer,
        request: &GetRequest,
    ) -> Result<Response, FetchError> {
        let Answer { head, body, connection } = answer;
        let status = head.status.as_u16();
        if !matches!(status, 200 | 203 | 206) {
            let retry_after = text(&head, &RETRY_AFTER)
                .and_then(|text| retry::retry_after(&text, self.inner.clock.now()));
            return Err(FetchError::Status { host: target.name(), status, retry_after });
        }
        let body = Body::new(body, connection, target.name(), request.max_bytes, request.deadline);
        let content_length = body.announced();
        let total = match status {
            206 => part(&head, request.range, target)?,
            _ => content_length,
        };
        let unasked_whole = status != 206 && request.range.is_some();
        if let Some(length) = content_length
            && length > request.max_bytes
            && !unasked_whole
        {
            let announced = Some(length);
            return Err(FetchError::TooLarge { max_bytes: request.max_bytes, announced });
        }
        Ok(Response {
            status,
            content_length,
            total,
            content_type: text(&head, &CONTENT_TYPE),
            accepts_ranges: status == 206
                || text(&head, &ACCEPT_RANGES).is_some_and(|text| text.trim() == "bytes"),
            body,
        })
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
        concat!("reshoot/", env!("CARGO_PKG_VERSION"), " (+input of a self-hosted video server)");
    contact
        .and_then(|contact| {
            let text = format!("reshoot/{} (+{contact})", env!("CARGO_PKG_VERSION"));
            HeaderValue::from_str(&text).ok()
        })
        .unwrap_or_else(|| HeaderValue::from_static(BARE))
}

fn text(head: &http::response::Parts, name: &HeaderName) -> Option<String> {
    head.headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Where a redirect leads; nothing where the answer is none, or names no place.
fn redirect(head: &http::response::Parts) -> Option<String> {
    if !matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // Locations with bytes beyond ASCII occur; `Url::join` encodes them.
    Some(String::from_utf8_lossy(head.headers.get(LOCATION)?.as_bytes()).into_owned())
}

/// The size of the whole file according to a 206, which must be a part that was asked for.
fn part(
    head: &http::response::Parts,
    asked: Option<ByteRange>,
    target: &Target,
) -> Result<Option<u64>, FetchError> {
    let wrong = || garbled(target.name(), "it sent another part of the file than was asked for");
    let line = text(head, &CONTENT_RANGE).ok_or_else(wrong)?;
    let (range, total) =
        line.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let start: u64 =
        range.split_once('-').and_then(|(start, _)| start.parse().ok()).ok_or_else(wrong)?;
    let total: Option<u64> = total.parse().ok();
    let expected = match asked.ok_or_else(wrong)? {
        ByteRange::From(first) | ByteRange::Between(first, _) => Some(first),
        ByteRange::Last(count) => total.map(|total| total.saturating_sub(count)),
    };
    match expected {
        Some(expected) if expected != start => Err(wrong()),
        _ => Ok(total),
    }
}
