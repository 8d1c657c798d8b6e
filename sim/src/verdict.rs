//! What must be true at the end of a history.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use domain::{OwnerId, RequestId, State, Timestamp};
use store::accounts::{GroupBy, UsageQuery};
use store::outbox::{Delivery, DeliveryListing, Standing};
use store::{Accounts as _, Outbox as _, Store as _, StoreError};

use crate::journal::Entry;
use crate::plan::{DEAD, Errand, PRICE, is_sound};
use crate::world::World;

/// The answer of a store that never waits.
pub fn now<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match pin!(asked).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.map_err(|error| error.to_string()),
        Poll::Pending => Err("the store in memory waits for something".to_owned()),
    }
}

/// Looks at the whole store in the middle of things.
pub fn audit(world: &World) {
    let acknowledged = world.journal.borrow().acknowledged();
    match now(world.store.audit(world.time.truth())) {
        Ok(seen) => world.witness.borrow_mut().audit(seen, &acknowledged),
        Err(error) => world.wrong(error),
    }
    let present = world.time.truth();
    let wake = now(world.store.next_wake_after(present));
    let survey = now(world.store.survey()).unwrap_or_default();
    let waiting: u64 = survey.waiting.iter().map(|waiting| waiting.depth).sum();
    let running: u64 = survey.running.iter().map(|(_, running)| running).sum();
    let found = (wake, world.store.queued(), waiting as usize, running as usize);
    let witness = world.witness.borrow();
    let (queued, runs) = (witness.waiting(), witness.running());
    let expected = (Ok(witness.next_wake(present)), queued, queued, runs);
    drop(witness);
    if found != expected {
        world.wrong(format!("next wake, waiting and running: {found:?}, not {expected:?}"));
    }
    for ((id, key), limits) in world.owners.iter().zip(&world.plan.owners) {
        let load = world.store.loads(id, key).owner;
        let most = limits.budget.map_or(i64::MAX, |budget| budget.0);
        if load.spent.0 + load.reserved.0 > most {
            world.wrong(format!("`{id}` owes more than its budget: {load:?}"));
        }
    }
}

/// All requests have ended: what clients know, what was charged, what is held.
pub fn all_ended(world: &World) {
    let witness = world.witness.borrow();
    for (entry, errand) in entries(world) {
        let id = witness.request_of(&errand.key);
        if entry.id.is_some() && entry.id.as_ref() != id {
            world.wrong(format!("{} was told {:?}, the store has {id:?}", errand.key, entry.id));
        }
        let stands = entry.stands.filter(|state| state.is_terminal());
        let state = id.and_then(|id| witness.state(id));
        if stands.is_some() && stands != state {
            world.wrong(format!("{} was told {stands:?} and is {state:?}", errand.key));
        }
    }
    for (id, key) in &world.owners {
        let load = world.store.loads(id, key).owner;
        let clips = witness.count(id, State::Succeeded);
        let cost = PRICE.0 * clips as i64;
        let all = UsageQuery {
            owner: id.clone(),
            from: Timestamp(i64::MIN),
            to: Timestamp(i64::MAX),
            model: None,
            key: None,
            group_by: GroupBy::Model,
        };
        let lines = now(world.store.usage(all)).unwrap_or_default();
        let charged: (u64, i64) =
            lines.iter().fold((0, 0), |sum, line| (sum.0 + line.clips, sum.1 + line.cost.0));
        if charged != (clips as u64, cost) || load.spent.0 != cost {
            world.wrong(format!("`{id}` was charged {charged:?} and {load:?} for {clips} clips"));
        }
        if (load.queued, load.running, load.reserved.0) != (0, 0, 0) {
            world.wrong(format!("`{id}` has {load:?}, and all has ended"));
        }
    }
    let held = witness.requests().filter_map(|(id, _)| held(world, id));
    held.for_each(|what| world.wrong(what));
}

fn held(world: &World, id: &RequestId) -> Option<String> {
    let row = now(world.store.request(id)).ok()??;
    row.held.map(|held| format!("`{id}` has ended and is held: {held:?}"))
}

/// All messages have been settled: what receivers know.
pub fn all_told(world: &World) {
    let witness = world.witness.borrow();
    for (id, hook, state) in witness.hooked() {
        if !state.is_terminal() {
            continue;
        }
        let told: Vec<Delivery> = deliveries(world, id);
        let of_end: Vec<&Delivery> = told.iter().filter(|d| d.event == state).collect();
        let posted = world.postbox.borrow();
        let of_it = posted.messages.iter().find(|(_, m)| m.request == *id && m.event == state);
        let heard = of_it.is_some_and(|(message, posted)| {
            posted.acknowledged.is_some() && posted.acknowledged >= witness.replayed_at(message)
        });
        let standing = of_end.first().map(|delivery| delivery.standing);
        let fits = match standing {
            Some(Standing::Delivered) => heard,
            Some(Standing::Disabled) => posted.gone.contains(hook),
            Some(Standing::Failed) => hook.starts_with(DEAD),
            Some(Standing::Pending | Standing::Superseded) => false,
            // Its record is removed, and its messages with it.
            None if witness.was_removed(id) => true,
            None => witness.may_be_gone(id) && (heard || !is_sound(hook)),
        };
        if !fits || of_end.len() > 1 {
            world.wrong(format!("`{id}` is {state:?}; {hook} heard: {heard}; {told:#?}"));
        }
    }
}

fn deliveries(world: &World, id: &RequestId) -> Vec<Delivery> {
    let of = |owner: &OwnerId| DeliveryListing {
        owner: owner.clone(),
        request: Some(id.clone()),
        before: None,
        limit: 1000,
    };
    let all = world.owners.iter().filter_map(|(o, _)| now(world.store.deliveries(of(o))).ok());
    all.flatten().collect()
}

fn entries(world: &World) -> Vec<(Entry, Errand)> {
    let journal = world.journal.borrow();
    let entries = journal.entries.iter().flatten().cloned();
    entries.zip(world.plan.clients.iter().flatten().cloned()).collect()
}

/// Counts how requests ended.
pub fn count_ends(world: &World) {
    let witness = world.witness.borrow();
    for (id, state) in witness.requests() {
        world.count(match state {
            State::Succeeded => "succeeded",
            State::Failed if witness.was_lost(id) => "worker lost",
            State::Failed => "failed",
            _ => "ended otherwise",
        });
    }
}
