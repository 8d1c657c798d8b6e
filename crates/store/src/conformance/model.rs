//! Histories: the same answers as the reference store, and the invariants, after every step.
//!
//! A history is a list of [`Deed`]s that proptest makes, and shrinks where one fails. Deeds name
//! requests, leases and deliveries by how long ago they were made, so that any history can be
//! played; old leases are tried again and again, since whoever holds one may come back late.

use std::any::Any;
use std::collections::BTreeSet;
use std::marker::PhantomData;

use domain::admission::Limits;
use domain::facts::Facts;
use domain::invariants::{Seen, audit, audit_progress};
use domain::lease::{Lease, Setback};
use domain::{OwnerId, Priority, RequestId, Stage, State, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use super::making::{Maker, START, failure};
use crate::accounts::Subject;
use crate::memory::MemoryStore;
use crate::outbox::{Attempted, Delivery, DeliveryListing};
use crate::retention::Cutoffs;
use crate::row::{Hook, Listing, NewRequest, Once, Progress};
use crate::{Store, StoreError};

/// Makes empty stores of the kind under test.
pub trait Factory: 'static {
    /// A store, and whatever must outlive it.
    fn make() -> (Box<dyn Store>, Box<dyn Any>);
}

/// Something that somebody does, after some time.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    after_millis: i64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Insert { owner: u8, lane: u8, terms: u8, key: Option<u8> },
    Again(u8),
    Claim { stage: Stage, secs: i64 },
    Extend { back: u8, secs: i64, progress: bool },
    InputsKept(u8),
    Publish(u8),
    Fail(u8),
    SetBack(u8, Setback),
    Cancel { back: u8, force: bool },
    Expire,
    Void,
    Limit { owner: u8, running: Option<u32> },
    Remove(u8),
    Share(u8),
    Unshare(u8),
    Retire { secs: i64, limit: u32 },
    Deliver { limit: u32 },
    Settle { back: u8, late: bool, how: u8 },
    Replay(u8),
    List { owner: Option<u8>, states: u8, limit: u32 },
}

/// How often each kind of deed is done; that a history begins with requests.
#[derive(Debug)]
pub(super) struct Deeds;

/// Plays a history on a store of `F` and on the reference.
#[derive(Debug)]
pub(super) struct Play<F>(PhantomData<F>);

/// Both stores, and what the history knows of its world.
pub(super) struct World {
    runtime: tokio::runtime::Runtime,
    ours: Box<dyn Store>,
    _guard: Box<dyn Any>,
    reference: MemoryStore,
    maker: Maker,
    owners: Vec<OwnerId>,
    /// As they were sent.
    sent: Vec<NewRequest>,
    acknowledged: BTreeSet<RequestId>,
    removed: BTreeSet<RequestId>,
    leases: Vec<Lease>,
    deliveries: Vec<Delivery>,
    now: Timestamp,
    before: Vec<Seen>,
}

const OWNERS: usize = 3;
const CASES: u32 = 24;
const LONGEST: usize = 120;

/// Plays random histories.
pub fn agrees_with_the_reference<F: Factory>() {
    let config = Config { failure_persistence: None, ..Config::default() };
    // Long rounds ask for more.
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config { cases: if asked { config.cases } else { CASES }, ..config };
    let mut runner = TestRunner::new(config.clone());
    let histories = Deeds::sequential_strategy(1..LONGEST);
    let played = runner.run(&histories, |(state, deeds, seen)| {
        Play::<F>::test_sequential(config.clone(), state, deeds, seen);
        Ok(())
    });
    assert!(played.is_ok(), "{}", played.err().map_or(String::new(), |error| error.to_string()));
}

fn stage() -> impl Strategy<Value = Stage> {
    prop_oneof![Just(Stage::Intake), Just(Stage::Run)]
}

fn setback() -> impl Strategy<Value = Setback> {
    prop_oneof![Just(Setback::Fault), Just(Setback::Lost), Just(Setback::HandedBack)]
}

/// Mostly the latest, sometimes any.
fn back() -> impl Strategy<Value = u8> {
    prop_oneof![4 => 0_u8..4, 1 => any::<u8>()]
}

fn requests() -> impl Strategy<Value = What> {
    let key = prop_oneof![2 => Just(None), 1 => (0_u8..3).prop_map(Some)];
    prop_oneof![
        6 => (0_u8..3, 0_u8..3, any::<u8>(), key)
            .prop_map(|(owner, lane, terms, key)| What::Insert { owner, lane, terms, key }),
        1 => back().prop_map(What::Again),
        2 => (back(), any::<bool>()).prop_map(|(back, force)| What::Cancel { back, force }),
        1 => back().prop_map(What::Remove),
        2 => back().prop_map(What::Share),
        1 => back().prop_map(What::Unshare),
        1 => (0_i64..400, 1_u32..4).prop_map(|(secs, limit)| What::Retire { secs, limit }),
        1 => (proptest::option::of(0_u8..3), any::<u8>(), 1_u32..9)
            .prop_map(|(owner, states, limit)| What::List { owner, states, limit }),
    ]
}

fn work() -> impl Strategy<Value = What> {
    prop_oneof![
        8 => (stage(), 0_i64..60).prop_map(|(stage, secs)| What::Claim { stage, secs }),
        2 => (back(), 0_i64..60, any::<bool>())
            .prop_map(|(back, secs, progress)| What::Extend { back, secs, progress }),
        5 => back().prop_map(What::InputsKept),
        3 => back().prop_map(What::Publish),
        1 => back().prop_map(What::Fail),
        2 => (back(), setback()).prop_map(|(back, setback)| What::SetBack(back, setback)),
        2 => Just(What::Expire),
        1 => Just(What::Void),
        1 => (0_u8..3, proptest::option::of(0_u32..3))
            .prop_map(|(owner, running)| What::Limit { owner, running }),
    ]
}

fn messages() -> impl Strategy<Value = What> {
    prop_oneof![
        2 => (1_u32..4).prop_map(|limit| What::Deliver { limit }),
        3 => (back(), any::<bool>(), 0_u8..5)
            .prop_map(|(back, late, how)| What::Settle { back, late, how }),
        1 => back().prop_map(What::Replay),
    ]
}

// === impl Deeds ===

impl ReferenceStateMachine for Deeds {
    /// Deeds so far.
    type State = usize;
    type Transition = Deed;

    fn init_state() -> BoxedStrategy<usize> {
        Just(0).boxed()
    }

    fn transitions(done: &usize) -> BoxedStrategy<Deed> {
        let what = match done {
            0..3 => requests().boxed(),
            _ => prop_oneof![4 => requests(), 8 => work(), 2 => messages()].boxed(),
        };
        let deed = |(after_millis, what)| Deed { after_millis, what };
        (0_i64..4000, what).prop_map(deed).boxed()
    }

    fn apply(done: usize, _: &Deed) -> usize {
        done + 1
    }
}

// === impl Play ===

impl<F: Factory> StateMachineTest for Play<F> {
    type SystemUnderTest = World;
    type Reference = Deeds;

    fn init_test(_: &usize) -> World {
        let (ours, guard) = F::make();
        let maker = Maker::new(5);
        World {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            ours,
            _guard: guard,
            reference: MemoryStore::new(),
            owners: (0..OWNERS).map(|_| maker.owner()).collect(),
            maker,
            sent: Vec::new(),
            acknowledged: BTreeSet::new(),
            removed: BTreeSet::new(),
            leases: Vec::new(),
            deliveries: Vec::new(),
            now: START,
            before: Vec::new(),
        }
    }

    fn apply(mut world: World, _: &usize, deed: Deed) -> World {
        world.now = world.now.plus_millis(deed.after_millis);
        let (ours, theirs) = world.play(deed.what);
        assert_eq!(ours, theirs);
        world.check();
        world
    }

    fn teardown(world: World, _: usize) {
        let World { runtime, ours, reference, sent, owners, .. } = &world;
        runtime.block_on(async {
            let survey = crate::Accounts::survey(reference).await.unwrap();
            assert_eq!(ours.survey().await.unwrap(), survey);
            for NewRequest { id, .. } in sent {
                assert_eq!(ours.request(id).await.unwrap(), reference.request(id).await.unwrap());
                assert_eq!(ours.status(id).await.unwrap(), reference.status(id).await.unwrap());
                let link = crate::Sharing::link(reference, id).await.unwrap();
                assert_eq!(ours.link(id).await.unwrap(), link);
            }
            for owner in owners {
                let all = || DeliveryListing {
                    owner: owner.clone(),
                    request: None,
                    before: None,
                    limit: 1000,
                };
                let ours = ours.deliveries(all()).await.unwrap();
                let theirs = crate::Outbox::deliveries(reference, all()).await.unwrap();
                assert_eq!(ours, theirs);
            }
        });
    }
}

/// The latest but `back` of some, which may be none.
fn pick<T: Clone>(some: &[T], back: u8) -> Option<T> {
    let at = usize::from(back).checked_rem(some.len())?;
    some.iter().rev().nth(at).cloned()
}

/// An answer as text; of an `Unavailable` it shows that nobody expected one.
fn told<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> String {
    format!("{answer:?}")
}

/// The same call on both stores, and their answers as text.
macro_rules! ask {
    ($world:expr, |$store:ident| $call:expr) => {{
        let world = &*$world;
        world.runtime.block_on(async {
            let ours = {
                let $store = world.ours.as_ref();
                told(&$call.await)
            };
            let theirs = {
                let $store: &dyn Store = &world.reference;
                told(&$call.await)
            };
            (ours, theirs)
        })
    }};
}

const NOTHING: (String, String) = (String::new(), String::new());

// === impl World ===

impl World {
    fn play(&mut self, what: What) -> (String, String) {
        match what {
            What::Insert { owner, lane, terms, key } => self.insert(owner, lane, terms, key),
            What::Claim { stage, secs } => self.claim(stage, secs),
            What::Again(_)
            | What::Cancel { .. }
            | What::Remove(_)
            | What::Share(_)
            | What::Unshare(_)
            | What::Retire { .. }
            | What::List { .. } => self.own(what),
            What::Deliver { .. } | What::Settle { .. } | What::Replay(_) => self.message(what),
            other => self.work(other),
        }
    }

    fn insert(&mut self, owner: u8, lane: u8, terms: u8, key: Option<u8>) -> (String, String) {
        let owner = self.owners[usize::from(owner) % OWNERS].clone();
        let mut new = self.maker.request(&owner, Priority::from_rank(i64::from(lane)));
        new.created_at = self.now;
        new.terms.price = domain::usage::Microdollars(560_000);
        if terms & 1 == 1 {
            let (url, base) = (format!("https://h/{}", terms & 2), "https://b".to_owned());
            new.terms.webhook = Some(Hook { url, intermediate: terms & 4 == 4, base });
        }
        if terms & 0x18 == 0x18 {
            new.terms.deadline = Some(self.now.plus_secs(i64::from(terms >> 3)));
        }
        if terms & 0x60 == 0x60 {
            new.terms.max_queue = Some(3);
        }
        new.terms.once = key.map(|key| Once {
            key: key.to_string(),
            path: "/p".to_owned(),
            body: [terms >> 7; 32],
        });
        self.send(new)
    }

    fn send(&mut self, new: NewRequest) -> (String, String) {
        let answers = ask!(self, |store| store.insert(new.clone()));
        if answers.1.starts_with("Ok") && answers.1.contains(new.id.as_str()) {
            self.acknowledged.insert(new.id.clone());
        }
        self.sent.push(new);
        answers
    }

    fn claim(&mut self, stage: Stage, secs: i64) -> (String, String) {
        let (worker, now) = (self.maker.worker(), self.now);
        let ours = self.runtime.block_on(self.ours.claim(stage, &worker, now, secs));
        let theirs = self.runtime.block_on(self.reference.claim(stage, &worker, now, secs));
        if let Ok(Some(claim)) = &theirs {
            self.leases.push(claim.lease.clone());
        }
        (told(&ours), told(&theirs))
    }

    fn own(&mut self, what: What) -> (String, String) {
        let id = |back| pick(&self.sent, back).map(|new| (new.owner, new.id));
        let now = self.now;
        match what {
            What::Again(back) => match pick(&self.sent, back) {
                // Ids are random: one whose record was removed does not come again.
                Some(mut new) if !self.removed.contains(&new.id) => {
                    new.created_at = now;
                    self.send(new)
                }
                _ => NOTHING,
            },
            What::Cancel { back, force } => {
                let Some((_, id)) = id(back) else { return NOTHING };
                ask!(self, |store| store.cancel(&id, force, now))
            }
            What::Remove(back) => {
                let Some((owner, id)) = id(back) else { return NOTHING };
                ask!(self, |store| store.remove(&owner, &id))
            }
            What::Share(back) => {
                let Some((owner, id)) = id(back) else { return NOTHING };
                let fresh = self.maker.link();
                ask!(self, |store| store.share(&owner, &id, &fresh))
            }
            What::Unshare(back) => {
                let Some((owner, id)) = id(back) else { return NOTHING };
                ask!(self, |store| store.unshare(&owner, &id))
            }
            What::Retire { secs, limit } => {
                let cutoff = Some(now.plus_secs(-secs));
                let cutoffs = Cutoffs { now, results: cutoff, inputs: Some(now), uploads: cutoff };
                ask!(self, |store| store.retire(cutoffs, limit))
            }
            What::List { owner, states, limit } => {
                let owner = owner.map(|owner| self.owners[usize::from(owner) % OWNERS].clone());
                let bits = State::ALL.into_iter().enumerate();
                let states = bits.filter(|(n, _)| states >> n & 1 == 1).map(|(_, s)| s).collect();
                let listing = Listing { owner, states, model: None, before: None, limit };
                ask!(self, |store| store.list(listing.clone()))
            }
            _ => NOTHING,
        }
    }

    fn work(&mut self, what: What) -> (String, String) {
        let now = self.now;
        let lease = |back| pick(&self.leases, back);
        match what {
            What::Expire => ask!(self, |store| store.expire(now)),
            What::Void => ask!(self, |store| store.void_leases(now)),
            What::Limit { owner, running } => {
                let subject = Subject::Owner(self.owners[usize::from(owner) % OWNERS].clone());
                let limits = Limits { max_running: running, ..Limits::default() };
                ask!(self, |store| store.set_limits(&subject, limits))
            }
            What::Extend { back, secs, progress } => {
                let Some(lease) = lease(back) else { return NOTHING };
                let until = now.plus_secs(secs);
                let progress =
                    progress.then(|| Progress { stage: "pass".to_owned(), fraction: 0.5 });
                ask!(self, |store| store.extend(&lease, until, progress.clone()))
            }
            What::InputsKept(back) => {
                let Some(lease) = lease(back) else { return NOTHING };
                let facts = Facts::default();
                ask!(self, |store| store.inputs_kept(&lease, facts.clone(), vec![], now))
            }
            What::Publish(back) => {
                let Some(lease) = lease(back) else { return NOTHING };
                let published = self.maker.published(&self.owners[0], &lease.request);
                ask!(self, |store| store.publish(&lease, published.clone(), now))
            }
            What::Fail(back) => {
                let Some(lease) = lease(back) else { return NOTHING };
                ask!(self, |store| store.fail(&lease, failure(), now))
            }
            What::SetBack(back, setback) => {
                let Some(lease) = lease(back) else { return NOTHING };
                ask!(self, |store| store.set_back(&lease, setback, "boom", now))
            }
            _ => NOTHING,
        }
    }

    fn message(&mut self, what: What) -> (String, String) {
        let now = self.now;
        match what {
            What::Deliver { limit } => {
                let until = now.plus_secs(5);
                let ours = self.ours.take_deliveries(now, until, limit, &[]);
                let ours = self.runtime.block_on(ours);
                let theirs =
                    crate::Outbox::take_deliveries(&self.reference, now, until, limit, &[]);
                let theirs = self.runtime.block_on(theirs);
                self.deliveries.extend(theirs.iter().flatten().cloned());
                (told(&ours), told(&theirs))
            }
            What::Settle { back, late, how } => {
                let Some(delivery) = pick(&self.deliveries, back) else { return NOTHING };
                let attempt = delivery.attempts - u32::from(late);
                let again = (how == 1).then(|| now.plus_secs(3));
                let outcome = match how {
                    0 => Attempted::Delivered { status: 200 },
                    1 | 2 => Attempted::Failed { status: None, error: "x".to_owned(), again },
                    3 => Attempted::Gone,
                    _ => Attempted::Superseded,
                };
                ask!(self, |store| store.settle_delivery(
                    &delivery.id,
                    attempt,
                    outcome.clone(),
                    now
                ))
            }
            What::Replay(back) => {
                let Some(delivery) = pick(&self.deliveries, back) else { return NOTHING };
                ask!(self, |store| store.replay_delivery(&delivery.owner, &delivery.id, now))
            }
            _ => NOTHING,
        }
    }

    /// Both say the same of the whole, and the invariants hold.
    fn check(&mut self) {
        let now = self.now;
        let ours = self.runtime.block_on(self.ours.audit(now)).unwrap();
        let theirs = self.runtime.block_on(self.reference.audit(now)).unwrap();
        assert_eq!(sorted(&ours), sorted(&theirs));
        let there: BTreeSet<&RequestId> = ours.iter().map(|seen| &seen.id).collect();
        let gone = self.before.iter().filter(|seen| !there.contains(&seen.id));
        let gone: Vec<Seen> = gone.cloned().collect();
        assert!(gone.iter().all(|seen| seen.state.is_terminal()), "removed: {gone:#?}");
        self.removed.extend(gone.into_iter().map(|seen| seen.id));
        let expected = self.acknowledged.difference(&self.removed).cloned().collect();
        let mut wrong = audit(&ours, &expected);
        wrong.extend(audit_progress(&self.before, &ours));
        assert!(wrong.is_empty(), "{wrong:#?}");
        for owner in &self.owners {
            let key = self.sent.first().map(|new| new.key.clone());
            let Some(key) = key else { continue };
            let loads = crate::Accounts::loads(&self.reference, owner, &key);
            assert_eq!(self.ours.loads(owner, &key), loads);
        }
        let wakes = ask!(self, |store| store.next_wake_after(now));
        assert_eq!(wakes.0, wakes.1);
        assert_eq!(self.ours.queued(), self.reference.queued());
        self.before = ours;
    }
}

fn sorted(seen: &[Seen]) -> Vec<String> {
    let mut lines: Vec<String> = seen.iter().map(|one| format!("{one:?}")).collect();
    lines.sort();
    lines
}
