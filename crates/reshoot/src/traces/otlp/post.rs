//! The way to the collector: the same guarded door as for everything that leaves this server.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use egress::{Client, Options, PostReply, PostRequest};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use url::Url;

use crate::machine::{KernelRng, SystemClock};

/// How long the collector may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Posts to the collector and to nobody else that is not public.
///
/// It waits on the thread that it is called on, which is the export's own. Its runtime is its own,
/// too: it neither takes time from the server's, nor needs that one at the end.
pub(super) struct Post {
    client: Client,
    runtime: Option<Runtime>,
    /// Whether it was told that the collector takes no spans.
    told: AtomicBool,
}

// === impl Post ===

impl Post {
    /// A way to the host of this URL.
    pub(super) fn to(collector: &Url) -> anyhow::Result<Self> {
        let host = collector.host_str().context("the collector's URL names no host")?;
        let port = collector.port_or_known_default().context("its URL names no port")?;
        let exempt = vec![format!("{host}:{port}").parse()?];
        let options = Options { exempt, connect_limit: ANSWER_LIMIT, ..Options::default() };
        let client = Client::new(options, Arc::new(SystemClock), Arc::new(KernelRng))
            .context("the HTTP client cannot be set up")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("no runtime for the export of traces")?;
        Ok(Self { client, runtime: Some(runtime), told: AtomicBool::new(false) })
    }

    fn post(&self, request: Request<Bytes>) -> Result<PostReply, HttpError> {
        let runtime = self.runtime.as_ref().ok_or("the export of traces has ended")?;
        let (head, body) = request.into_parts();
        let headers = head.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let (url, headers) = (head.uri.to_string(), headers.collect());
        runtime.block_on(async {
            let deadline = Instant::now() + ANSWER_LIMIT;
            Ok(self.client.post(&PostRequest { url, headers, body, deadline }).await?)
        })
    }

    /// One line when the collector stops to take spans, and one when it takes them again.
    fn tell(&self, reply: &Result<PostReply, HttpError>) {
        let why = match reply {
            Ok(reply) if (200..300).contains(&reply.status) => {
                if self.told.swap(false, Ordering::Relaxed) {
                    tracing::info!("the collector takes spans again");
                }
                return;
            }
            Ok(reply) => format!("HTTP {}: `{}`", reply.status, reply.body_start),
            Err(error) => error.to_string(),
        };
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                why,
                "the collector does not take spans; they are dropped until it does"
            );
        }
    }
}

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let reply = self.post(request);
        self.tell(&reply);
        let PostReply { status, retry_after, .. } = reply?;
        let mut response = Response::builder().status(status);
        if let Some(wait) = retry_after {
            response = response.header("retry-after", wait.as_secs());
        }
        Ok(response.body(Bytes::new())?)
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        // A look for the collector's address may hang; nobody waits for it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
