//! `GET /v1/requests/{id}/events`
//!
//! Server-sent events (WHATWG HTML, section 9.2). An open stream is a task that sleeps until its
//! own request changes; where the request waits, it also looks at its place when the queue has
//! moved before it, at most every two seconds, or less often with thousands of streams. Each
//! `state` carries the number of its moment as its id, so a client that comes back with
//! `Last-Event-ID` gets what it missed, in order.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::State as Stand;
use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use store::row::Moment;
use store::{Progress, RequestRow};
use telemetry::SseStream;
use tokio::sync::watch;

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::lookup::{self, Id};
use crate::places::Place;
use crate::refusal::Refusal;
use crate::render;

/// Proxies and clients are told so often that the stream lives.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// nginx would hold events back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One open stream.
struct Follower {
    app: App,
    id: Id,
    base: Base,
    changes: watch::Receiver<()>,
    /// Where the request waits, if it does.
    place: Option<Place>,
    /// The number of the last moment that was told.
    told: u64,
    position: Option<u64>,
    progress: Option<Progress>,
    ready: VecDeque<Event>,
    ended: bool,
    _counted: SseStream,
}

/// What happens to a request, as it happens, until it has ended. 204 where all has been told: a
/// browser then does not come back.
pub(crate) async fn events(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // Whoever may not see it must not be able to watch it either.
    lookup::status(&app, &caller, &id).await?;
    let changes = app.store().watch(&id.0);
    let row = lookup::row(&app, &caller, &id).await?;
    let last = row.body.timeline.last().map_or(0, |moment| moment.n);
    // An id that this request never had is none.
    let told = last_told(&headers).filter(|told| *told <= last).unwrap_or(0);
    if row.state.is_terminal() && told >= last {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut follower = Follower {
        _counted: app.parts().metrics.sse_stream(),
        app,
        id,
        base,
        changes,
        place: None,
        told,
        position: None,
        progress: None,
        ready: VecDeque::new(),
        ended: false,
    };
    follower.note(&row).await;
    let events = Sse::new(follow(follower)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([(BUFFERING, HeaderValue::from_static("no"))], events).into_response())
}

fn last_told(headers: &HeaderMap) -> Option<u64> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.trim().parse().ok()
}

fn follow(follower: Follower) -> impl Stream<Item = Result<Event, std::convert::Infallible>> {
    stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })
}

// === impl Follower ===

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            let draining = self.app.clone();
            tokio::select! {
                changed = self.changes.changed() => {
                    changed.ok()?;
                    self.look().await?;
                }
                () = moved(self.place.as_ref()) => self.look_ahead().await,
                // The client comes back, to another server or to this one's next life.
                () = draining.draining().cancelled() => return None,
            }
        }
    }

    /// The request changed. `None` ends the stream: it was removed, or the store fails.
    async fn look(&mut self) -> Option<()> {
        let row = self.app.store().request(&self.id.0).await.ok()??;
        self.note(&row).await;
        Some(())
    }

    async fn note(&mut self, row: &RequestRow) {
        for moment in row.body.timeline.iter().filter(|moment| moment.n > self.told) {
            self.ready.push_back(state(row, moment));
            self.ready.push_back(event("log", &log(moment)));
        }
        self.told = row.body.timeline.last().map_or(self.told, |moment| moment.n);
        if row.state.is_queued() {
            self.place.get_or_insert_with(|| self.app.places().enter(row.order));
            self.look_ahead().await;
        } else {
            (self.place, self.position) = (None, None);
        }
        if row.body.progress != self.progress {
            self.progress(row.body.progress.clone());
        }
        if row.state.is_terminal() {
            self.ended = true;
            let result = render::result(row, &self.base);
            self.ready
                .push_back(event("result", &serde_json::to_value(result).unwrap_or_default()));
        }
    }

    /// The queue may have moved.
    async fn look_ahead(&mut self) {
        let Ok(Some(status)) = self.app.store().status(&self.id.0).await else { return };
        if status.position.is_some() && status.position != self.position {
            self.ready.push_back(event("position", &json!({"queue_position": status.position})));
        }
        self.position = status.position;
    }

    fn progress(&mut self, progress: Option<Progress>) {
        if let Some(now) = &progress {
            if self.progress.as_ref().is_none_or(|before| before.stage != now.stage) {
                let message = format!("stage: {}", now.stage);
                self.ready.push_back(event("log", &json!({"message": message})));
            }
            let data = json!({"stage": now.stage, "fraction": now.fraction});
            self.ready.push_back(event("progress", &data));
        }
        self.progress = progress;
    }
}

/// Returns once this place may have moved; never, if there is none.
async fn moved(place: Option<&Place>) {
    match place {
        Some(place) => place.moved().await,
        None => std::future::pending().await,
    }
}

fn event(kind: &str, data: &Value) -> Event {
    Event::default().event(kind).data(data.to_string())
}

fn state(row: &RequestRow, moment: &Moment) -> Event {
    let data = json!({
        "request_id": row.id.as_str(),
        "status": render::word(after(moment)).status().as_str(),
        "event": moment.event,
        "at": moment.at.to_string(),
    });
    event("state", &data).id(moment.n.to_string())
}

fn log(moment: &Moment) -> Value {
    let message = if moment.note.is_empty() {
        moment.event.replace('_', " ")
    } else {
        format!("{}: {}", moment.event.replace('_', " "), moment.note)
    };
    json!({"at": moment.at.to_string(), "message": message})
}

/// The state after a moment.
fn after(moment: &Moment) -> Stand {
    match moment.event.as_str() {
        "ready" | "set_back" => Stand::Ready,
        "run_started" => Stand::Running,
        "succeeded" => Stand::Succeeded,
        "failed" => Stand::Failed,
        "cancelled" => Stand::Cancelled,
        // `received` and `intake_started`
        _ => Stand::Received,
    }
}
