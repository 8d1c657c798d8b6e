//! Random histories: the same answers as the reference store, and the invariants at any time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::facts::Facts;
use domain::invariants::{Seen, audit, audit_progress};
use domain::lease::{Lease, Setback};
use domain::{OwnerId, Priority, RequestId, Stage, State, Timestamp};

use super::making::{Dice, Maker, START, failure};
use crate::memory::MemoryStore;
use crate::row::{Listing, Progress};
use crate::{Store, StoreError};

/// What the history knows of its world.
struct World {
    dice: Dice,
    maker: Maker,
    owners: Vec<OwnerId>,
    ids: Vec<RequestId>,
    /// Every lease ever given: old ones are tried again.
    leases: Vec<Lease>,
    now: Timestamp,
}

/// Runs `steps` random operations against `store` and the reference; compares every answer, and
/// every hundredth step the whole.
pub async fn agrees_with_the_reference(store: &dyn Store, seed: u64, steps: usize) {
    let reference = MemoryStore::new();
    let maker = Maker::new(!seed);
    let owners = (0..4).map(|_| maker.owner()).collect();
    let dice = Dice::new(seed);
    let mut world = World { dice, maker, owners, ids: vec![], leases: vec![], now: START };
    let mut before: Vec<Seen> = Vec::new();
    for step in 0..steps {
        // Claims that tell the two apart would otherwise fail far from the cause.
        let (ours, theirs) = world.step(store, &reference).await;
        assert_eq!(ours, theirs, "seed {seed}, step {step}");
        assert_eq!(store.queued(), reference.queued(), "seed {seed}, step {step}");
        if step % 100 == 99 {
            let seen = store.audit(world.now).await.unwrap();
            let model = reference.audit(world.now).await.unwrap();
            assert_eq!(sorted(&seen), sorted(&model), "seed {seed}, step {step}");
            let acknowledged: BTreeSet<RequestId> = world.ids.iter().cloned().collect();
            let mut wrong = audit(&seen, &acknowledged);
            wrong.extend(audit_progress(&before, &seen));
            assert!(wrong.is_empty(), "seed {seed}, step {step}: {wrong:#?}");
            before = seen;
        }
    }
    for id in &world.ids {
        assert_eq!(store.request(id).await.unwrap(), reference.request(id).await.unwrap());
    }
}

/// Clients and workers at once, all on one store: every request ends, and is charged once.
pub async fn many_at_once(store: &dyn Store) {
    const EACH: usize = 20;
    let done = AtomicUsize::new(0);
    let client = async |seed: u64| {
        let maker = Maker::new(seed);
        let owner = maker.owner();
        for _ in 0..EACH {
            let status =
                store.insert(maker.request(&owner, Priority::Normal)).await.unwrap().status;
            assert!(store.status(&status.id).await.unwrap().is_some());
        }
    };
    let worker = async |seed: u64| {
        let maker = Maker::new(seed);
        let worker = maker.worker();
        while done.load(Ordering::SeqCst) < 4 * EACH {
            if let Some(held) = store.claim(Stage::Intake, &worker, START, 30).await.unwrap() {
                store.inputs_kept(&held.lease, Facts::default(), vec![], START).await.unwrap();
            }
            if let Some(held) = store.claim(Stage::Run, &worker, START, 30).await.unwrap() {
                let published = maker.published(&held.row.owner, &held.row.id);
                store.publish(&held.lease, published, START).await.unwrap();
                done.fetch_add(1, Ordering::SeqCst);
            }
            YieldOnce::default().await;
        }
    };
    let clients = both(both(client(51), client(52)), both(client(53), client(54)));
    both(clients, both(worker(55), both(worker(56), worker(57)))).await;
    let seen = store.audit(START).await.unwrap();
    assert_eq!(seen.len(), 4 * EACH);
    assert!(seen.iter().all(|one| one.state == State::Succeeded && one.charges == 1));
    let wrong = audit(&seen, &BTreeSet::new());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two futures side by side on one task.
async fn both(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut a_done, mut b_done) = (false, false);
    std::future::poll_fn(move |context| {
        a_done = a_done || a.as_mut().poll(context).is_ready();
        b_done = b_done || b.as_mut().poll(context).is_ready();
        if a_done && b_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Lets the others have a turn.
#[derive(Default)]
struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        if self.0 {
            return std::task::Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}

fn sorted(seen: &[Seen]) -> Vec<String> {
    let mut lines: Vec<String> = seen.iter().map(|one| format!("{one:?}")).collect();
    lines.sort();
    lines
}

/// An answer as text; of an `Unavailable` it shows that nobody expected one.
fn told<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> String {
    format!("{answer:?}")
}

/// The same call on both stores, and their answers as text.
macro_rules! ask {
    ($a:expr, $b:expr, |$store:ident| $call:expr) => {{
        let ours = {
            let $store = $a;
            told(&$call.await)
        };
        let theirs = {
            let $store: &dyn Store = $b;
            told(&$call.await)
        };
        (ours, theirs)
    }};
}

// === impl World ===

impl World {
    async fn step(&mut self, a: &dyn Store, b: &MemoryStore) -> (String, String) {
        self.now = self.now.plus_millis(self.dice.below(3000) as i64);
        let now = self.now;
        match self.dice.below(20) {
            0..4 => self.insert(a, b).await,
            4..7 => self.claim(a, b, Stage::Intake).await,
            7..10 => self.claim(a, b, Stage::Run).await,
            10..16 => self.use_lease(a, b).await,
            16 => {
                let id = self.any_id();
                let force = self.dice.below(2) == 0;
                ask!(a, b, |store| store.cancel(&id, force, now))
            }
            17 if self.dice.below(20) == 0 => ask!(a, b, |store| store.void_leases(now)),
            17 => ask!(a, b, |store| store.expire(now)),
            18 => {
                let id = self.any_id();
                let (ours, theirs) = ask!(a, b, |store| store.next_wake_after(now));
                let (mine, yours) = ask!(a, b, |store| store.status(&id));
                (ours + &mine, theirs + &yours)
            }
            _ => {
                let listing = self.listing();
                ask!(a, b, |store| store.list(listing.clone()))
            }
        }
    }

    async fn insert(&mut self, a: &dyn Store, b: &MemoryStore) -> (String, String) {
        let owner = self.any_owner();
        let mut new = self.maker.request(&owner, Priority::from_rank(self.dice.below(3) as i64));
        new.created_at = self.now;
        if self.dice.below(20) == 0 {
            new.id = self.any_id();
        }
        if !self.ids.contains(&new.id) {
            self.ids.push(new.id.clone());
        }
        ask!(a, b, |store| store.insert(new.clone()))
    }

    async fn claim(&mut self, a: &dyn Store, b: &MemoryStore, stage: Stage) -> (String, String) {
        let (worker, now) = (self.maker.worker(), self.now);
        let secs = self.dice.below(60) as i64;
        let ours = a.claim(stage, &worker, now, secs).await;
        let theirs = b.claim(stage, &worker, now, secs).await;
        if let Ok(Some(claim)) = &theirs {
            self.leases.push(claim.lease.clone());
        }
        (told(&ours), told(&theirs))
    }

    /// Does something with a lease, mostly one of the latest.
    async fn use_lease(&mut self, a: &dyn Store, b: &MemoryStore) -> (String, String) {
        let back = self.dice.below(if self.dice.below(4) == 0 { 1000 } else { 5 }) as usize;
        let Some(lease) = self.leases.iter().rev().nth(back % self.leases.len().max(1)).cloned()
        else {
            return (String::new(), String::new());
        };
        let now = self.now;
        let until = now.plus_secs(self.dice.below(60) as i64);
        match self.dice.below(12) {
            0 => ask!(a, b, |store| store.extend(&lease, until, None)),
            1 => {
                let fraction = self.dice.below(1000) as f64 / 999.0;
                let progress = Some(Progress { stage: "pass".to_owned(), fraction });
                ask!(a, b, |store| store.extend(&lease, until, progress.clone()))
            }
            2..6 => {
                let facts = Facts::default();
                ask!(a, b, |store| store.inputs_kept(&lease, facts.clone(), vec![], now))
            }
            6..8 => {
                let published = self.maker.published(&self.any_owner(), &lease.request);
                ask!(a, b, |store| store.publish(&lease, published.clone(), now))
            }
            8 => ask!(a, b, |store| store.fail(&lease, failure(), now)),
            roll => {
                let setbacks = [Setback::Fault, Setback::Lost, Setback::HandedBack];
                let setback = setbacks[(roll % 3) as usize];
                ask!(a, b, |store| store.set_back(&lease, setback, "boom", now))
            }
        }
    }

    fn listing(&self) -> Listing {
        let states = State::ALL.into_iter().filter(|_| self.dice.below(3) == 0).collect();
        let owner = (self.dice.below(2) == 0).then(|| self.any_owner());
        let before = (self.dice.below(2) == 0).then(|| self.dice.below(500) as i64);
        let limit = self.dice.below(30) as u32 + 1;
        Listing { owner, states, model: None, before, limit }
    }

    fn any_owner(&self) -> OwnerId {
        self.owners[self.dice.below(self.owners.len() as u64) as usize].clone()
    }

    fn any_id(&self) -> RequestId {
        let at = self.dice.below(self.ids.len() as u64) as usize;
        let unknown = || self.maker.request(&self.owners[0], Priority::Low).id;
        self.ids.get(at).cloned().unwrap_or_else(unknown)
    }
}
