//! A deliverer on the reference store, and a host whose answers are scripted.

mod attempts;
mod taking;

use std::collections::BTreeMap;

use domain::webhook::{GIVE_UP_SECS, WebhookSecret, verify};
use domain::{RequestId, Stage, Timestamp};
use egress::Options;
use store::outbox::{DeliveryListing, Outbox as _, Standing};
use store::row::Hook;
use telemetry::spans::Spans;
use testkit::{MediaHost, Recorded, Reply, SeededRng, TestCa};
use tokio::time::{Instant, timeout};

use super::*;
use crate::tests::Log;
use crate::tests::world::World;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running deliverer: ends when it is dropped.
struct Running {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Running {
    fn new(parts: DeliverParts) -> Self {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(Deliverer::new(parts).run(stop.clone()));
        Self { tasks, stop }
    }

    fn of(world: &World) -> Self {
        Self::new(parts(world))
    }

    async fn stop(mut self) {
        self.stop.cancel();
        timeout(PATIENCE, self.tasks.join_next()).await.unwrap();
    }

    async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

fn parts(world: &World) -> DeliverParts {
    DeliverParts {
        store: world.store.clone(),
        client: world.client(),
        render: Arc::new(|row: &RequestRow, event: State, base: &str| {
            format!("{base} {} {}", row.id, event.as_str()).into_bytes()
        }),
        clock: world.clock.clone(),
        rng: world.rng.clone(),
        metrics: world.metrics.clone(),
        spans: Spans::default(),
    }
}

/// A request of `owner` (or somebody new) that was cancelled, and whose webhook is `url`.
async fn ended(world: &World, owner: Option<&OwnerId>, url: &str) -> (OwnerId, RequestId) {
    let (owner, id) = submitted(world, owner, url, false).await;
    world.store.cancel(&id, false, world.now()).await.unwrap();
    (owner, id)
}

async fn submitted(
    world: &World,
    owner: Option<&OwnerId>,
    url: &str,
    intermediate: bool,
) -> (OwnerId, RequestId) {
    let mut new = world.request();
    new.owner = owner.unwrap_or(&new.owner).clone();
    let base = "https://reshoot.example".to_owned();
    new.terms.webhook = Some(Hook { url: url.into(), intermediate, base });
    (new.owner.clone(), world.submit(new).await)
}

/// The owner's messages, oldest first.
async fn messages(world: &World, owner: &OwnerId) -> Vec<Delivery> {
    let owner = owner.clone();
    let listing = DeliveryListing { owner, request: None, before: None, limit: 100 };
    let mut found = world.store.deliveries(listing).await.unwrap();
    found.reverse();
    found
}

/// The owner's first message, once `what` holds of it.
async fn once(world: &World, owner: &OwnerId, what: impl Fn(&Delivery) -> bool) -> Delivery {
    let found = async {
        loop {
            let message = messages(world, owner).await.swap_remove(0);
            if what(&message) {
                return message;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, found).await.unwrap()
}

const fn is_over(message: &Delivery) -> bool {
    !matches!(message.standing, Standing::Pending)
}

const fn has_failed(message: &Delivery) -> bool {
    message.last_error.is_some()
}

async fn arrived(host: &MediaHost, count: usize) {
    timeout(PATIENCE, host.arrived(count)).await.unwrap();
}

fn fits(request: &Recorded, secret: &str) -> bool {
    let header = |name| request.header(name).unwrap();
    let at = Timestamp::from_secs(header("webhook-timestamp").parse().unwrap());
    let secret = WebhookSecret::parse(secret).unwrap();
    verify(&secret, header("webhook-id"), at, &request.body, header("webhook-signature"))
}

fn counted(world: &World, outcome: &str, count: u32) -> bool {
    world.shows(&format!("reshoot_webhook_attempts_total{{outcome=\"{outcome}\"}} {count}"))
}
