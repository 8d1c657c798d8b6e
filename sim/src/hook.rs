//! The host that receives messages.
//!
//! It fails, hangs and says that it is gone as the seed has it; webhooks of one kind never work,
//! those of another always do in the end. What a message tells is compared with the store on the
//! spot: a message is written with the change that it tells of, so the change is there.

use std::rc::Rc;
use std::time::Duration;

use domain::State;
use store::Store as _;
use tokio::time::sleep;

use crate::letters::Post;
use crate::luck::Luck;
use crate::network;
use crate::plan::{DEAD, GONE};
use crate::world::World;

/// How long a receiver that hangs, hangs.
const HANG: Duration = Duration::from_secs(20);

/// The receiver.
pub async fn run(world: Rc<World>) -> turmoil::Result {
    let luck = world.born("hook");
    let inside = Rc::clone(&world);
    network::serve(world, "hook", async move |post: Post| answer(&inside, &luck, &post).await).await
}

async fn answer(world: &World, luck: &Luck, post: &Post) -> Option<u16> {
    let Post { url, id, request, event } = post;
    if let Some(why) = world.postbox.borrow_mut().came(id, request, *event) {
        world.wrong(why);
    }
    if let Some(why) = untrue(world, post).await {
        world.wrong(why);
    }
    let fails = luck.chance(world.trouble().hook_fails);
    let status = match luck.within(0..=3) {
        _ if url.starts_with(DEAD) => Some(500),
        0..=1 if fails && url.starts_with(GONE) => Some(410),
        0..=1 if fails => Some(503),
        2 if fails => {
            sleep(HANG).await;
            None
        }
        _ => Some(200),
    };
    world.note("hook", format!("{id} {event:?} to {url}: {status:?}"));
    match status {
        Some(200) => world.postbox.borrow_mut().acknowledged(id, world.time.played_millis()),
        Some(410) => drop(world.postbox.borrow_mut().gone.insert(url.clone())),
        _ => world.count("receiver failed"),
    }
    status
}

/// What is not true of a message.
async fn untrue(world: &World, post: &Post) -> Option<String> {
    let Post { id, request, event, .. } = post;
    let row = match world.store.request(request).await {
        Ok(Some(row)) => row,
        // It was told before, and its record removed since.
        Ok(None) if world.witness.borrow().may_be_gone(request) => return None,
        row => return Some(format!("`{id}` tells of `{request}`, which is {row:?}")),
    };
    let number = id.rsplit_once('_').and_then(|(_, number)| number.parse::<u64>().ok());
    let moment = row.body.timeline.iter().find(|moment| Some(moment.n) == number);
    let happened = match event {
        State::Received | State::Ready => {
            moment.is_some_and(|m| ["received", "ready", "set_back"].contains(&m.event.as_str()))
        }
        State::Running => moment.is_some_and(|moment| moment.event == "run_started"),
        ended => row.state == *ended && moment.is_some_and(|m| m.event == ended.as_str()),
    };
    (!happened).then(|| format!("`{id}` tells {event:?}, and it happened otherwise: {moment:?}"))
}
