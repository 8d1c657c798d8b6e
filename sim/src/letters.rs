//! Messages to webhooks: taken from the server, posted, settled.
//!
//! The loop does what the product's does, wherever it runs: each message is posted under the lease
//! of its attempt, and how that ended is written down with the same rules for when to try again.

use std::rc::Rc;

use domain::{Clock as _, OwnerId, RequestId, State, webhook};
use serde::{Deserialize, Serialize};
use store::Outbox as _;
use store::outbox::{Attempted, Delivery, DeliveryListing};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::calls::{Answer, Call, Letter, Posted};
use crate::desk::Desk;
use crate::luck::Luck;
use crate::network;
use crate::time::HostClock;
use crate::world::World;

/// How long an attempt counts as under way.
const LEASE_SECS: i64 = 40;

/// How the server is reached.
#[derive(Debug, Clone)]
pub enum Door {
    /// On the same host.
    Inside(Rc<Desk>),
    /// Over the network.
    Outside,
}

/// Who posts.
#[derive(Debug)]
pub struct Poster {
    /// The world.
    pub world: Rc<World>,
    /// The host.
    pub host: String,
    /// Its clock.
    pub clock: HostClock,
    /// Its chance.
    pub luck: Luck,
    /// Its way to the server.
    pub door: Door,
}

/// What is posted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Post {
    /// The webhook.
    pub url: String,
    /// The message.
    pub id: String,
    /// The request that it tells of.
    pub request: RequestId,
    /// What it tells.
    pub event: State,
}

/// A delivery as it goes over the network; `state` is where its request stands, if it is there.
pub(crate) fn letter(delivery: Delivery, state: Option<State>) -> Letter {
    let overtaken = |state: State| state.is_terminal() && !delivery.event.is_terminal();
    let out_of_date = state.is_none_or(overtaken);
    let Delivery { id, owner, request, url, event, attempts, opened_at, .. } = delivery;
    Letter { id, owner, request, url, event, attempt: attempts, opened_at, out_of_date }
}

/// Has the last message of a request posted once more.
pub(crate) async fn replay(desk: &Desk, owner: OwnerId, request: RequestId) -> Answer {
    let world = &desk.world;
    let (request, before) = (Some(request), None);
    let listing = DeliveryListing { owner: owner.clone(), request, before, limit: 1 };
    let Ok(newest) = world.store.deliveries(listing).await else { return Answer::Unavailable };
    let Some(newest) = newest.first() else { return Answer::Nothing };
    let now = desk.clock.now();
    let replayed = world.store.replay_delivery(&owner, &newest.id, now).await;
    world.note(&desk.host, format!("replay {}: done={}", newest.id, replayed.is_ok()));
    let Ok(Some(delivery)) = replayed else { return Answer::Unavailable };
    world.count("message replayed");
    world.witness.borrow_mut().replayed(&delivery, now, world.time.played_millis());
    Answer::Done
}

/// The end of an attempt as the store takes it.
pub(crate) fn attempted(posted: Posted) -> Attempted {
    match posted {
        Posted::Delivered => Attempted::Delivered { status: 200 },
        Posted::Failed(status, again) => {
            Attempted::Failed { status, error: "simulated".to_owned(), again }
        }
        Posted::Gone => Attempted::Gone,
        Posted::Superseded => Attempted::Superseded,
    }
}

// === impl Poster ===

impl Poster {
    /// Posts what is due, for ever.
    pub async fn run(self: Rc<Self>) {
        let mut attempts = JoinSet::new();
        loop {
            let now = self.clock.now();
            let taken = self.ask(Call::Take { now, until: now.plus_secs(LEASE_SECS) }).await;
            if let Some(Answer::Letters(letters)) = taken {
                for letter in letters {
                    let poster = Rc::clone(&self);
                    attempts.spawn_local(async move { poster.attempt(letter).await });
                }
            }
            sleep(self.luck.millis(800..=1600)).await;
            self.world.thawed(&self.host).await;
            while let Some(end) = attempts.try_join_next() {
                self.world.reap(&self.host, end);
            }
        }
    }

    async fn attempt(&self, letter: Letter) {
        let outcome = if letter.out_of_date {
            self.world.count("message superseded");
            Posted::Superseded
        } else {
            self.post(&letter).await
        };
        let now = self.clock.now();
        // One that cannot be written down counts as lost when its lease is over.
        self.ask(Call::Settle { letter, outcome, now }).await;
    }

    async fn post(&self, letter: &Letter) -> Posted {
        let Letter { url, id, request, event, .. } = letter.clone();
        let post = Post { url, id, request, event };
        match network::ask(&self.world, &self.host, "hook", &post).await {
            Some(200) => Posted::Delivered,
            Some(410) => Posted::Gone,
            status => {
                let (opened, now) = (letter.opened_at, self.clock.now());
                let again = webhook::next_attempt(letter.attempt, opened, now, None, &self.luck);
                Posted::Failed(status, again)
            }
        }
    }

    async fn ask(&self, call: Call) -> Option<Answer> {
        match &self.door {
            Door::Inside(desk) => {
                self.world.thawed(&self.host).await;
                Some(desk.handle(call).await)
            }
            Door::Outside => network::call(&self.world, &self.host, &self.luck, &call).await,
        }
    }
}
