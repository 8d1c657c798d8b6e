//! A worker's host: it claims, works, gives signs of life, and ends what it holds.
//!
//! It may be killed, cut off or stopped for a minute at any point and knows of nothing but the
//! answers that it gets. One that was fenced lets go; one that hears nothing goes on, since it
//! cannot know, and some say late or twice what they have said before.

use std::rc::Rc;
use std::time::Duration;

use domain::{Clock as _, FileToken, Lease, Stage, WorkerId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::calls::{Answer, Call, End};
use crate::desk::LEASE_SECS;
use crate::letters::{Door, Poster};
use crate::luck::Luck;
use crate::network;
use crate::time::HostClock;
use crate::world::World;

/// How often a sign of life is given, as in the product.
const BEAT: Duration = Duration::from_secs(5);
/// How often the end of a lease is said until it is answered.
const TRIES: usize = 4;

/// One life of a worker.
#[derive(Debug)]
struct Worker {
    world: Rc<World>,
    host: String,
    id: WorkerId,
    clock: HostClock,
    luck: Luck,
}

/// The worker on `host`, from its start to its death.
pub async fn run(world: Rc<World>, host: String) -> turmoil::Result {
    let (luck, clock) = (world.born(&host), world.time.clock(&host));
    let id = WorkerId::new(clock.now(), &luck);
    world.note(&host, format!("starts as {id}"));
    let mut tasks = JoinSet::new();
    if world.plan.shared {
        let poster = Poster {
            world: Rc::clone(&world),
            host: host.clone(),
            clock: clock.clone(),
            luck: world.born(&format!("{host}/poster")),
            door: Door::Outside,
        };
        tasks.spawn_local(Rc::new(poster).run());
    }
    let (intakes, runs) = world.plan.slots;
    let shared = world.plan.shared;
    let worker = Rc::new(Worker { world: Rc::clone(&world), host: host.clone(), id, clock, luck });
    let stages = [Stage::Intake].repeat(intakes).into_iter().chain([Stage::Run].repeat(runs));
    for stage in stages {
        tasks.spawn_local(Rc::clone(&worker).slot(stage));
    }
    if shared {
        tasks.spawn_local(worker.upkeep());
    }
    while let Some(end) = tasks.join_next().await {
        world.reap(&host, end);
    }
    Ok(())
}

// === impl Worker ===

impl Worker {
    async fn slot(self: Rc<Self>, stage: Stage) {
        loop {
            match self.ask(&Call::Claim(stage, self.id.clone(), self.clock.now())).await {
                Some(Answer::Claimed(lease, poison)) => self.work(&lease, poison).await,
                _ => sleep(self.luck.millis(500..=2500)).await,
            }
        }
    }

    async fn upkeep(self: Rc<Self>) {
        loop {
            sleep(self.luck.millis(5_000..=20_000)).await;
            self.ask(&Call::Expire(self.clock.now())).await;
        }
    }

    async fn work(&self, lease: &Lease, poison: bool) {
        if poison && lease.stage == Stage::Run {
            self.world.note(&self.host, format!("dies of {}", lease.request));
            self.world.count("died of poison");
            self.world.doom(&self.host);
            std::future::pending::<()>().await;
        }
        let (shortest, longest) = match lease.stage {
            Stage::Intake => (100, 3000),
            Stage::Run => self.world.plan.run_millis,
        };
        let takes = self.luck.millis(shortest..=longest);
        if self.luck.chance(self.world.trouble().work_hangs) {
            self.world.count("work hung");
            let hang = self.luck.millis(0..=40_000) + Duration::from_secs(LEASE_SECS as u64);
            sleep(takes + hang).await;
        } else if !self.keep(lease, takes).await {
            return;
        }
        self.end(lease).await;
    }

    /// Works for so long and gives signs of life; `false` where the lease is lost.
    async fn keep(&self, lease: &Lease, takes: Duration) -> bool {
        let end = Instant::now() + takes;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            sleep(left.min(BEAT)).await;
            self.world.thawed(&self.host).await;
            if left <= BEAT {
                return true;
            }
            let until = self.clock.now().plus_secs(LEASE_SECS);
            if matches!(self.ask(&Call::Extend(lease.clone(), until)).await, Some(Answer::Fenced)) {
                self.world.count("work stopped");
                return false;
            }
        }
    }

    /// Says how the work ended, until that is answered.
    async fn end(&self, lease: &Lease) {
        let fails = self.luck.chance(self.world.trouble().work_fails);
        let end = match (self.luck.within(0..=3), lease.stage) {
            (0, _) if fails => End::Fail,
            (1, _) if fails => End::HandedBack,
            _ if fails => End::Fault,
            (_, Stage::Intake) => End::Kept,
            (_, Stage::Run) => End::Publish(FileToken::new(&self.luck)),
        };
        for _ in 0..self.luck.within(1..=TRIES as u64) {
            let answer = self.say(lease, &end).await;
            if !matches!(answer, None | Some(Answer::Unavailable)) {
                break;
            }
            sleep(self.luck.millis(500..=5000)).await;
        }
        if self.luck.chance(self.world.trouble().echo) {
            sleep(self.luck.millis(1000..=60_000)).await;
            self.world.count("echo");
            if self.luck.chance(500) {
                let until = self.clock.now().plus_secs(LEASE_SECS);
                self.ask(&Call::Extend(lease.clone(), until)).await;
            }
            self.say(lease, &end).await;
        }
    }

    async fn say(&self, lease: &Lease, end: &End) -> Option<Answer> {
        self.ask(&Call::End(lease.clone(), end.clone(), self.clock.now())).await
    }

    async fn ask(&self, call: &Call) -> Option<Answer> {
        network::call(&self.world, &self.host, &self.luck, call).await
    }
}
