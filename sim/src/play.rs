//! Plays a plan from beginning to end.
//!
//! Three acts. First there is trouble. Then it ends, and whatever was sent must come to its end
//! within half an hour. Last, time is skipped from one attempt to the next until every message
//! is settled, a day at most.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use domain::State;
use store::{Accounts as _, Outbox as _, Subject};
use turmoil::{Builder, Sim};

use crate::chaos::Chaos;
use crate::plan::Plan;
use crate::time::START;
use crate::verdict;
use crate::world::World;
use crate::{client, hook, server, worker};

/// How much of time is simulated at once: all that is sent in between arrives after it.
const TICK: Duration = Duration::from_millis(100);
/// Looks at the whole store: every so many seconds.
const AUDIT_SECS: i64 = 2;
/// Within so many seconds without trouble everything that was sent has ended.
const SETTLED_SECS: i64 = 1800;
/// Within so many seconds after it is due an attempt to post is settled.
const POSTED_SECS: i64 = 120;
/// No more skips are needed for all attempts of a day, whatever of it was played.
const MOST_SKIPS: usize = 400;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What happened that must not; none, if all is well.
    pub wrong: Vec<String>,
    /// The history.
    pub text: String,
    /// Its end.
    pub tail: String,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Milliseconds that were played.
    pub played_millis: i64,
    /// Milliseconds that were skipped.
    pub skipped_millis: i64,
    /// How the request of each idempotency key ended.
    pub ends: BTreeMap<String, State>,
    /// How many runs of others were claimed while it waited for its first.
    pub waits: BTreeMap<String, usize>,
}

struct Play<'a> {
    world: Rc<World>,
    sim: Sim<'a>,
    chaos: Chaos,
}

/// So many lines are shown of a history that failed.
const TAIL: usize = 80;

/// Plays the plan of `seed`.
pub fn seed(seed: u64) -> Outcome {
    play(Plan::of(seed))
}

/// Plays `plan`.
pub fn play(plan: Plan) -> Outcome {
    let world = Rc::new(World::new(plan));
    for ((owner, _), limits) in world.owners.iter().zip(&world.plan.owners) {
        let set = verdict::now(world.store.set_limits(&Subject::Owner(owner.clone()), *limits));
        set.unwrap_or_else(|error| world.wrong(error));
    }
    let mut play = Play::set(&world);
    play.play();
    drop(play);
    Outcome {
        wrong: world.all_wrong(),
        text: world.history.text(),
        tail: world.history.tail(TAIL),
        counts: world.counts(),
        played_millis: world.time.played_millis(),
        skipped_millis: world.time.skipped_millis(),
        ends: world.witness.borrow().ends(),
        waits: world.witness.borrow().waits(),
    }
}

// === impl Play ===

impl Play<'_> {
    fn set(world: &Rc<World>) -> Self {
        let plan = &world.plan;
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(START.unix_secs() as u64);
        let mut sim = Builder::new()
            .epoch(epoch)
            .rng_seed(plan.seed)
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(plan.latency_millis))
            .tcp_capacity(4096)
            .enable_random_order()
            .build();
        let ground = Rc::clone(world);
        sim.host("hook", move || hook::run(Rc::clone(&ground)));
        for host in plan.server_names() {
            let ground = Rc::clone(world);
            sim.host(host.clone(), move || server::run(Rc::clone(&ground), host.clone()));
        }
        for host in plan.worker_names() {
            let ground = Rc::clone(world);
            sim.host(host.clone(), move || worker::run(Rc::clone(&ground), host.clone()));
        }
        for (number, host) in plan.client_names().into_iter().enumerate() {
            let ground = Rc::clone(world);
            sim.host(host.clone(), move || client::run(Rc::clone(&ground), host.clone(), number));
        }
        Self { world: Rc::clone(world), sim, chaos: Chaos::new(Rc::clone(world)) }
    }

    fn play(&mut self) {
        let world = Rc::clone(&self.world);
        self.go_on(world.plan.trouble_for.as_millis() as i64, || false);
        self.chaos.end(&mut self.sim);
        let settled = || world.journal.borrow().is_done() && world.witness.borrow().all_ended();
        self.go_on(SETTLED_SECS * 1000, settled);
        if self.is_wrong() {
            return;
        }
        if !settled() {
            let open = world.witness.borrow().open().join("\n");
            return world.wrong(format!("not everything has ended:\n{open}"));
        }
        verdict::all_ended(&world);
        self.post_all();
        if !self.is_wrong() {
            verdict::audit(&world);
            verdict::all_told(&world);
            verdict::count_ends(&world);
        }
    }

    /// Skips from one attempt to post to the next, until none is left.
    fn post_all(&mut self) {
        let world = Rc::clone(&self.world);
        let next = || verdict::now(world.store.next_delivery(world.time.truth())).ok().flatten();
        for _ in 0..MOST_SKIPS {
            let Some(at) = next() else { return };
            world.time.skip_to(at);
            // An attempt under way is due when it counts as lost.
            let over = world.time.truth().plus_secs(POSTED_SECS / 2);
            self.go_on(POSTED_SECS * 1000, || next().is_none_or(|next| next > over));
            if self.is_wrong() {
                return;
            }
        }
        world.wrong("there is always another message to post");
    }

    /// Goes on for so long, or until `enough`, or until something is wrong.
    fn go_on(&mut self, millis: i64, enough: impl Fn() -> bool) {
        let end = self.world.time.played_millis() + millis;
        while self.world.time.played_millis() < end && !enough() && !self.is_wrong() {
            if let Err(error) = self.sim.step() {
                return self.world.wrong(format!("a host failed: {error}"));
            }
            let played = self.sim.elapsed().as_millis() as i64;
            self.world.time.stepped_to(played);
            self.chaos.bury(&mut self.sim);
            if played % 1000 == 0 {
                self.chaos.second(&mut self.sim);
            }
            if played % (AUDIT_SECS * 1000) == 0 {
                verdict::audit(&self.world);
            }
        }
    }

    fn is_wrong(&self) -> bool {
        !self.world.all_wrong().is_empty()
    }
}
