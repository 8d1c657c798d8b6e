//! What the server is made of, and its settings.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use artifacts::Artifacts;
use catalog::{Catalog, UrlPolicy};
use domain::id::hex;
use domain::{Clock, OwnerId, Rng, Timestamp};
use store::Store;
use telemetry::Metrics;
use telemetry::spans::Spans;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::body::Budget;
use crate::door::Door;
use crate::hooks::{Forecast, Probe, Room, Sniff, WebhookPolicy};
use crate::openapi::Document;
use crate::ops::page::Shell;
use crate::ops::ready::LastLook;
use crate::ops::sign_in::Offered;
use crate::places::Places;
use crate::proxy::Cidr;
use crate::uses::Uses;

/// Settings. The defaults are what is shipped.
#[derive(Debug, Clone)]
pub struct Config {
    /// What absolute URLs begin with; without it, the request's Host decides.
    pub public_url: Option<PublicUrl>,
    /// Whose `Forwarded` and `X-Forwarded-*` headers count.
    pub trusted_proxies: Vec<Cidr>,
    /// Most bytes of a JSON body: 64 MiB of what clients send, and some slack.
    pub max_body_bytes: u32,
    /// Most bytes of an upload.
    pub max_upload_bytes: u64,
    /// Most bytes of all bodies that are read and worked on at one time. Parsed and decoded, a
    /// body needs up to four times its size.
    pub max_bytes_in_flight: u32,
    /// How long a body waits for its share of `max_bytes_in_flight`.
    pub body_wait: Duration,
    /// Longest pause within a body.
    pub body_idle: Duration,
    /// Longest time for a whole JSON body.
    pub body_total: Duration,
    /// Longest time for a whole upload.
    pub upload_total: Duration,
    /// Longest time for the head of a request, idle time of a kept connection included.
    pub header_timeout: Duration,
    /// Longest time for each check of readiness.
    pub check_timeout: Duration,
    /// Most open connections; more wait to be accepted.
    pub max_connections: usize,
    /// How long open calls may go on after the shutdown began.
    pub drain: Duration,
    /// Most requests that may wait; no limit where there is none.
    pub max_queue: Option<u64>,
    /// How long records and outputs are kept after the end of a request; for ever if `None`.
    pub keep_results: Option<Duration>,
    /// How long uploads are kept; for ever if `None`.
    pub keep_uploads: Option<Duration>,
    /// Whether `/metrics` answers here: to admins, and to callers on this machine.
    pub metrics: bool,
    /// How much the workers of this process do at a time.
    pub slots: Slots,
}

/// How much is done at a time; nothing where no clips are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    /// Clips.
    pub runs: u32,
    /// Requests whose inputs are fetched.
    pub intakes: u32,
}

/// An absolute http or https URL without query and fragment, to which paths are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A text that is no [`PublicUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an absolute http:// or https:// URL without query")]
pub struct BadPublicUrl(String);

/// What the server works with.
pub struct Parts {
    /// Requests, keys and names of files.
    pub store: Arc<dyn Store>,
    /// Bytes.
    pub artifacts: Artifacts,
    /// Models.
    pub catalog: Arc<Catalog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For ids and tokens.
    pub rng: Arc<dyn Rng>,
    /// Plans.
    pub forecast: Arc<dyn Forecast>,
    /// File types.
    pub sniff: Arc<dyn Sniff>,
    /// Which inputs may be plain http, this server's own files apart.
    pub urls: Arc<dyn UrlPolicy + Send + Sync>,
    /// Which webhooks may be named.
    pub webhooks: Arc<dyn WebhookPolicy>,
    /// Whether the disk has room for more; not asked where there is none.
    pub room: Option<Arc<dyn Room>>,
    /// What is counted.
    pub metrics: Metrics,
    /// Where calls leave their spans.
    pub spans: Spans,
    /// More that `/readyz` asks about.
    pub probes: Vec<Arc<dyn Probe>>,
    /// Settings.
    pub config: Config,
}

/// The state of all handlers. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    started_at: Timestamp,
    budget: Budget,
    last_look: LastLook,
    document: OnceLock<Document>,
    shell: OnceLock<Shell>,
    door: Door,
    places: Places,
    uses: Uses,
    offered: Offered,
    draining: CancellationToken,
    /// Tells the ids of this process from those of others.
    process: String,
    calls: AtomicU64,
    tasks: TaskTracker,
}

const MIB: u32 = 1 << 20;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            trusted_proxies: Vec::new(),
            max_body_bytes: 65 * MIB,
            max_upload_bytes: 200 * u64::from(MIB),
            max_bytes_in_flight: 260 * MIB,
            body_wait: Duration::from_secs(5),
            body_idle: Duration::from_secs(20),
            body_total: Duration::from_mins(2),
            upload_total: Duration::from_mins(15),
            header_timeout: Duration::from_mins(1),
            check_timeout: Duration::from_secs(3),
            max_connections: 4096,
            drain: Duration::from_secs(10),
            max_queue: None,
            keep_results: None,
            keep_uploads: None,
            metrics: true,
            slots: Slots::default(),
        }
    }
}

// === impl PublicUrl ===

impl PublicUrl {
    /// The URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = BadPublicUrl;

    fn from_str(text: &str) -> Result<Self, BadPublicUrl> {
        let bad = || BadPublicUrl(text.chars().take(200).collect());
        let url = Url::parse(text).map_err(|_| bad())?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain || !anonymous {
            return Err(bad());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

// === impl App ===

impl App {
    /// The state of a server made of `parts`.
    pub fn new(parts: Parts) -> Self {
        let mut process = [0; 8];
        parts.rng.fill(&mut process);
        let budget = Budget::new(parts.config.max_bytes_in_flight, parts.config.body_wait);
        let started_at = parts.clock.now();
        Self(Arc::new(Inner {
            parts,
            started_at,
            budget,
            last_look: LastLook::default(),
            document: OnceLock::new(),
            shell: OnceLock::new(),
            door: Door::default(),
            places: Places::default(),
            uses: Uses::default(),
            offered: Offered::default(),
            draining: CancellationToken::new(),
            process: hex(&process),
            calls: AtomicU64::new(0),
            tasks: TaskTracker::new(),
        }))
    }

    /// What it was made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// Settings.
    pub fn config(&self) -> &Config {
        &self.0.parts.config
    }

    /// When it was made.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.0.parts.store.as_ref()
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    pub(crate) fn last_look(&self) -> &LastLook {
        &self.0.last_look
    }

    /// What `/openapi.json` answers, but for the base of the URLs.
    pub(crate) fn document(&self) -> &Document {
        self.0.document.get_or_init(|| Document::of(&self.0.parts.catalog))
    }

    /// What every page begins as.
    pub(crate) fn shell(&self) -> &Shell {
        self.0.shell.get_or_init(|| Shell::of(&self.0.parts.config))
    }

    /// Work that goes on although its client has gone; a shutdown waits for it.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Sixteen random digits of this process and a number: ids of calls are to be told apart, not
    /// to be secret.
    pub(crate) fn call_id(&self) -> String {
        let number = self.0.calls.fetch_add(1, Ordering::Relaxed);
        [self.0.process.as_str(), &hex(&number.to_be_bytes())].concat()
    }

    pub(crate) fn door(&self) -> &Door {
        &self.0.door
    }

    /// Who is told when the queue has moved.
    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }

    /// A code that buys an admin key of `owner` from `POST /v1/sign-in`: once, within an hour, for
    /// whoever calls from this machine. `None` where a proxy is trusted: it would make everybody
    /// a neighbour.
    pub fn offer_sign_in(&self, owner: OwnerId) -> Option<String> {
        let Parts { clock, rng, config, .. } = self.parts();
        let alone = config.trusted_proxies.is_empty();
        alone.then(|| self.offered().offer(owner, clock.now(), rng.as_ref()))
    }

    pub(crate) fn offered(&self) -> &Offered {
        &self.0.offered
    }

    /// When keys were last used.
    pub(crate) fn uses(&self) -> &Uses {
        &self.0.uses
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Resolves when the server stops: whoever waits for something answers now.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.0.draining
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_loses_its_last_slash_and_keeps_its_path() {
        let read = |text: &str| text.parse::<PublicUrl>().map(|url| url.as_str().to_owned());
        assert_eq!(read("https://clips.example/").as_deref(), Ok("https://clips.example"));
        assert_eq!(read("http://h:81/api/").as_deref(), Ok("http://h:81/api"));
        for bad in ["clips.example", "ftp://h", "https://h/?a=1", "https://u:p@h/", "https://h/#a"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
