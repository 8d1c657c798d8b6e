//! The serving loop: connections, their limits, and an orderly end.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use wire::path;

use crate::app::App;
use crate::base::Peer;
use crate::ops::metrics;
use crate::router::router;
use crate::uses;

/// How often waiting requests are told their place,
const TICK: Duration = Duration::from_secs(2);
/// or so much less often for each that is told: with thousands of them, telling takes a small
/// part of one core's time, however much the queue moves.
const TICK_EACH: Duration = Duration::from_micros(500);
/// After a failure to accept that concerns the machine (no descriptors left), try again so late.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// A client that was answered before it had sent all is read on for so long.
const LINGER: Duration = Duration::from_secs(10);
/// It is given up after a pause of so long.
const LINGER_IDLE: Duration = Duration::from_secs(2);

/// What a connection is served with.
#[derive(Clone)]
struct Serving {
    router: Router,
    header_timeout: Duration,
    shutdown: CancellationToken,
    abort: CancellationToken,
}

/// Serves until `shutdown`, then finishes the calls that are open, for as long as the settings
/// give them, and what they have left to do.
pub async fn serve(listener: TcpListener, app: App, shutdown: CancellationToken) -> io::Result<()> {
    let serving = Serving {
        router: router(app.clone()),
        header_timeout: app.config().header_timeout,
        shutdown: shutdown.clone(),
        abort: CancellationToken::new(),
    };
    app.tasks().spawn(tick(app.clone()));
    app.tasks().spawn(uses::keep_writing(app.clone()));
    let room = Arc::new(Semaphore::new(app.config().max_connections));
    let connections = TaskTracker::new();
    loop {
        let (permit, stream) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let serving = serving.clone();
        connections.spawn(async move {
            let _permit = permit;
            serving.connection(stream).await;
        });
    }
    drop(listener);
    app.draining().cancel();
    connections.close();
    if timeout(app.config().drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "calls that took too long were cut off");
        serving.abort.cancel();
        connections.wait().await;
    }
    app.tasks().close();
    app.tasks().wait().await;
    uses::write_last(&app).await;
    Ok(())
}

/// Answers `/metrics` without a key, and nothing else.
pub async fn serve_metrics(
    listener: TcpListener,
    app: App,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let router = Router::new().route(path::METRICS, get(metrics::on_its_own)).with_state(app);
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

/// Tells open event streams that the queue has moved before them, at most once in [`TICK`]; sleeps
/// while nothing happens.
async fn tick(app: App) {
    let mut changes = app.store().changes();
    let moving = async {
        while changes.changed().await.is_ok() {
            let told = app.store().queue_moved().map_or(0, |from| app.places().tell(from));
            sleep(TICK.max(TICK_EACH.saturating_mul(told as u32))).await;
        }
    };
    app.draining().run_until_cancelled(moving).await;
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, TcpStream) {
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (permit, stream),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

// === impl Serving ===

impl Serving {
    async fn connection(&self, stream: TcpStream) {
        let Ok(peer) = peer(&stream) else { return };
        let router = self.router.clone();
        let with_body = Arc::new(AtomicBool::new(false));
        let last = Arc::clone(&with_body);
        let service = service_fn(move |request: Request<Incoming>| {
            last.store(!request.body().is_end_stream(), Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            Box::pin(router.clone().oneshot(request))
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), service);
        let mut stopping = false;
        let served = loop {
            tokio::select! {
                served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break served,
                () = self.shutdown.cancelled(), if !stopping => {
                    stopping = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                () = self.abort.cancelled() => return,
            }
        };
        if served.is_ok() && with_body.load(Ordering::Relaxed) {
            let lingering = linger(connection.into_parts().io.into_inner());
            tokio::select! {
                _ = timeout(LINGER, lingering) => {}
                () = self.abort.cancelled() => {}
            }
        }
    }
}

fn peer(stream: &TcpStream) -> io::Result<Peer> {
    stream.set_nodelay(true)?;
    Ok(Peer { remote: stream.peer_addr()?, local: stream.local_addr()? })
}

/// Says that nothing more comes, and reads what is still on its way. Closed at once, with bytes
/// unread, the connection would be reset, and the reset can overtake the reply.
async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut sink = vec![0; 64 << 10];
    while let Ok(Ok(1..)) = timeout(LINGER_IDLE, stream.read(&mut sink)).await {}
    Ok(())
}
