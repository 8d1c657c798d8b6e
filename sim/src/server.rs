//! The server's host: it answers calls, ends what ran out, removes what is old, posts messages.
//!
//! It may die between any two ticks. What it holds in memory is gone then; the store is not.

use std::rc::Rc;
use std::time::Duration;

use domain::Clock as _;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::calls::Call;
use crate::desk::Desk;
use crate::letters::{Door, Poster};
use crate::network;
use crate::world::World;

/// How often it is looked for what ran out.
const UPKEEP: Duration = Duration::from_secs(1);
/// Every so many of these, for what is old.
const RETIRE_EVERY: u64 = 20;

/// The server on `host`, from its start to its death.
pub async fn run(world: Rc<World>, host: String) -> turmoil::Result {
    let (luck, clock) = (world.born(&host), world.time.clock(&host));
    let desk = Desk { world: Rc::clone(&world), host: host.clone(), clock: clock.clone(), luck };
    let desk = Rc::new(desk);
    world.note(&host, "starts");
    if world.plan.embedded {
        desk.void().await;
    }
    let poster = Rc::new(Poster {
        world: Rc::clone(&world),
        host: host.clone(),
        clock,
        luck: world.born(&format!("{host}/poster")),
        door: Door::Inside(Rc::clone(&desk)),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn_local(poster.run());
    tasks.spawn_local(upkeep(Rc::clone(&desk)));
    let listening =
        network::serve(Rc::clone(&world), &host, async move |call: Call| desk.take(call).await);
    tokio::select! {
        biased;
        Some(end) = tasks.join_next() => {
            world.reap(&host, end);
            Ok(())
        }
        ended = listening => ended,
    }
}

async fn upkeep(desk: Rc<Desk>) {
    for round in 0_u64.. {
        desk.world.thawed(&desk.host).await;
        desk.expire(desk.clock.now()).await;
        if round.is_multiple_of(RETIRE_EVERY) {
            desk.retire().await;
        }
        sleep(UPKEEP).await;
    }
}
