//! Every call that a request's life makes of the store fails once, before it has done anything
//! and after: the request still ends as it should, once, with its files, its charge and its
//! message, and nothing is left that nobody names.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::invariants::audit;
use domain::{OwnerId, RequestId, Timestamp};
use store::faulty::{Faulty, When};
use store::outbox::DeliveryListing;
use store::retention::Cutoffs;
use store::row::Hook;
use store::{Accounts as _, Outbox as _, RequestRow, Retention as _};
use telemetry::spans::Spans;
use testkit::{Reply, SeededRng};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::run_stage::tests::MAKES;
use crate::{DeliverParts, Deliverer, LEASE_SECS, Launcher, Leftovers, Upkeep, UpkeepParts};
use crate::{Policy, intake_stage, run_stage};

use super::*;

/// A life takes no more rounds than this, whatever fails in it.
const ROUNDS: usize = 12;

pub(super) struct Life {
    pub(super) world: World,
    faulty: Arc<Faulty>,
    pub(super) id: RequestId,
    owner: OwnerId,
}

impl Life {
    async fn new() -> Self {
        Self::of(World::new()).await
    }

    pub(super) async fn of(world: World) -> Self {
        world.host.on("/v.mp4", Reply::ok(World::film()));
        world.host.on("/hook", Reply::status(204));
        let faulty = Arc::new(Faulty::new(world.store.clone()));
        let mut new = world.request();
        let base = "https://reshoot.example".to_owned();
        new.terms.webhook = Some(Hook { url: world.host.url("/hook"), intermediate: false, base });
        let (id, owner) = (new.id.clone(), new.owner.clone());
        world.submit(new).await;
        Self { world, faulty, id, owner }
    }

    fn parts(&self) -> Arc<Parts> {
        let parts = self.world.parts(Launcher::shell(MAKES));
        Arc::new(Parts { store: self.faulty.clone(), ..parts })
    }

    async fn state(&self) -> State {
        self.world.row(&self.id).await.state
    }

    /// What a worker and the upkeep do, until the request has ended.
    pub(super) async fn work(&self) {
        let parts = self.parts();
        let worker = WorkerId::new(self.world.now(), &SeededRng::new(3));
        for _ in 0..ROUNDS {
            if self.state().await.is_terminal() {
                return;
            }
            for stage in [Stage::Intake, Stage::Run] {
                let now = self.world.now();
                let claim = self.faulty.claim(stage, &worker, now, LEASE_SECS).await;
                let Ok(Some(claim)) = claim else { continue };
                let (parts, abort) = (Arc::clone(&parts), CancellationToken::new());
                match stage {
                    Stage::Intake => intake_stage::take_in(parts, claim, abort).await,
                    Stage::Run => run_stage::make(parts, claim, abort).await,
                }
            }
            // What was not written is found out when its lease ends.
            self.world.clock.advance_secs(LEASE_SECS + 1);
            let _tried_again = self.faulty.expire(self.world.now()).await;
            self.world.clock.advance_secs(60);
        }
        panic!("it is {:?} after {ROUNDS} rounds", self.state().await);
    }

    /// Delivers until the message is acknowledged.
    async fn deliver(&self) {
        let deliverer = Deliverer::new(DeliverParts {
            store: self.faulty.clone(),
            client: self.world.client(),
            render: Arc::new(|row: &RequestRow, event: State, _: &str| {
                format!("{} {}", row.id, event.as_str()).into_bytes()
            }),
            clock: self.world.clock.clone(),
            rng: self.world.rng.clone(),
            metrics: self.world.metrics.clone(),
            spans: Spans::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(deliverer.run(CancellationToken::new()));
        let told = async {
            while self.world.store.backlog().await.unwrap().pending > 0 {
                // An attempt that could not be settled counts as lost after its lease.
                self.world.clock.advance_secs(60);
                // A replay wakes those who sleep by the clock that did not run.
                let now = self.world.now();
                let (owner, limit) = (self.owner.clone(), 9);
                let all = DeliveryListing { owner, request: None, before: None, limit };
                for one in self.world.store.deliveries(all).await.unwrap() {
                    if one.next_at.is_some_and(|at| at <= now) {
                        self.world.store.replay_delivery(&self.owner, &one.id, now).await.unwrap();
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), told).await.unwrap();
        let body = format!("{} succeeded", self.id);
        let seen = self.world.host.requests_of("/hook");
        assert!(!seen.is_empty() && seen.iter().all(|one| one.body == body.as_bytes()));
    }

    /// What holds whatever failed.
    pub(super) async fn audit(&self, call: &str) {
        let seen = self.world.store.audit(self.world.now()).await.unwrap();
        let wrong = audit(&seen, &BTreeSet::from([self.id.clone()]));
        assert!(wrong.is_empty(), "{call}: {wrong:#?}");
        assert_eq!(self.state().await, State::Succeeded, "{call}");
        let leftovers = Leftovers::list(&self.world.artifacts).await.unwrap();
        leftovers.collect(self.world.store.as_ref(), &self.world.artifacts).await.unwrap();
        let outputs = self.world.artifacts.list("outputs").await.unwrap();
        assert_eq!(outputs.len(), 1, "{call}: {outputs:?}");
    }

    /// The request is removed, and its bytes with it.
    async fn collect(&self) {
        let mut tasks = JoinSet::new();
        tasks.spawn(
            Upkeep::new(UpkeepParts {
                store: self.faulty.clone(),
                artifacts: self.world.artifacts.clone(),
                clock: self.world.clock.clone(),
                policy: Policy { results: Some(Duration::ZERO), ..Policy::default() },
                metrics: self.world.metrics.clone(),
            })
            .run(CancellationToken::new()),
        );
        let gone = async {
            loop {
                let bytes = self.world.artifacts.list("outputs").await.unwrap().len();
                let noted = self.world.store.trash(9).await.unwrap();
                if bytes == 0 && noted.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(2), gone).await.unwrap();
        assert_eq!(self.world.store.request(&self.id).await.unwrap(), None);
        let left = Cutoffs { now: Timestamp(i64::MAX), ..Cutoffs::default() };
        assert_eq!(self.world.store.retire(left, 9).await.unwrap(), 0);
        let loads = self.world.store.loads(&self.owner, &self.world.request().key);
        assert_eq!(loads.owner.reserved.0, 0);
    }
}

/// Plays a scene on one life after another with each of its calls failing once, in both ways.
async fn each_call_fails(
    before: impl AsyncFn(&Life),
    scene: impl AsyncFn(&Life),
    after: impl AsyncFn(&Life, &str),
) -> Vec<&'static str> {
    let mut struck = Vec::new();
    for when in [When::Before, When::After] {
        for n in 1.. {
            let life = Life::new().await;
            before(&life).await;
            life.faulty.fail_at(n, when);
            scene(&life).await;
            let Some(call) = life.faulty.struck() else { break };
            struck.push(call);
            after(&life, call).await;
        }
    }
    struck
}

#[tokio::test]
async fn a_clip_survives_each_call_of_its_making() {
    let scene = async |life: &Life| life.work().await;
    let after = async |life: &Life, call: &str| life.audit(call).await;
    let struck = each_call_fails(async |_: &Life| {}, scene, after).await;
    for call in ["claim", "inputs_kept", "publish"] {
        assert!(struck.contains(&call), "{struck:?}");
    }
}

#[tokio::test]
async fn a_message_survives_each_call_of_its_delivery() {
    let before = async |life: &Life| life.work().await;
    let scene = async |life: &Life| life.deliver().await;
    let after = async |life: &Life, call: &str| life.audit(call).await;
    let struck = each_call_fails(before, scene, after).await;
    for call in ["take_deliveries", "request", "secrets", "settle_delivery"] {
        assert!(struck.contains(&call), "{struck:?}");
    }
}

#[tokio::test]
async fn a_collection_survives_each_of_its_calls() {
    let before = async |life: &Life| {
        life.work().await;
        life.deliver().await;
    };
    let scene = async |life: &Life| life.collect().await;
    let struck = each_call_fails(before, scene, async |_: &Life, _: &str| {}).await;
    for call in ["expire", "retire", "trash", "emptied"] {
        assert!(struck.contains(&call), "{struck:?}");
    }
}
