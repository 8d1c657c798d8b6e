//! What the hosts of one history share outside of the simulated network.
//!
//! The store stands for the database file: it is here, and not on the server's host, because it
//! outlives a crash of the server. All else belongs to whoever looks on: the plan, the history, the
//! witness and the journals. Hosts write into these and act on nothing that they read there but the
//! plan, their own journal and their own mishaps.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use domain::{KeyId, OwnerId};
use store::memory::MemoryStore;
use tokio::task::JoinError;
use tokio::time::sleep;

use crate::history::History;
use crate::journal::{Journal, Postbox};
use crate::luck::Luck;
use crate::plan::{Plan, Trouble};
use crate::time::{START, Time};
use crate::witness::Witness;

/// One simulated world.
#[derive(Debug)]
pub struct World {
    /// What the seed decided.
    pub plan: Plan,
    /// True time and clocks.
    pub time: Arc<Time>,
    /// What happened.
    pub history: History,
    /// The durable database.
    pub store: Arc<MemoryStore>,
    /// The owners and their keys.
    pub owners: Vec<(OwnerId, KeyId)>,
    /// What must follow from what the store answered.
    pub witness: RefCell<Witness>,
    /// What clients were told.
    pub journal: RefCell<Journal>,
    /// What receivers of webhooks were told.
    pub postbox: RefCell<Postbox>,
    mishaps: RefCell<Mishaps>,
}

/// What befalls hosts.
#[derive(Debug, Default)]
struct Mishaps {
    calm: bool,
    /// Until when a host stands still, in milliseconds of simulated time.
    frozen: BTreeMap<String, i64>,
    /// Hosts that do what kills them.
    doomed: BTreeSet<String>,
    /// How often each host was started.
    lives: BTreeMap<String, u64>,
    wrong: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

/// How often somebody who stands still looks whether that is over.
const THAW_PERIOD: Duration = Duration::from_millis(200);

// === impl World ===

impl World {
    /// The world of `plan` before anything happened.
    pub fn new(plan: Plan) -> Self {
        let luck = Luck::of(plan.seed, "world", 0);
        let owner = || (OwnerId::new(START, &luck), KeyId::new(START, &luck));
        let owners: Vec<_> = plan.owners.iter().map(|_| owner()).collect();
        let limits = owners.iter().map(|(id, _)| id.clone()).zip(plan.owners.clone()).collect();
        Self {
            time: Arc::default(),
            history: History::default(),
            store: Arc::default(),
            owners,
            witness: RefCell::new(Witness::new(limits, plan.results_kept.is_some())),
            journal: RefCell::new(Journal::new(&plan)),
            postbox: RefCell::default(),
            mishaps: RefCell::default(),
            plan,
        }
    }

    /// Adds a line to the history.
    pub fn note(&self, host: &str, event: impl Display) {
        self.history.note(self.time.played_millis(), host, event);
    }

    /// Something happened that must not.
    pub fn wrong(&self, what: impl Into<String>) {
        let what = what.into();
        self.note("WRONG", &what);
        self.mishaps.borrow_mut().wrong.push(what);
    }

    /// What happened that must not, by the witness's account, too.
    pub fn all_wrong(&self) -> Vec<String> {
        let seen = std::mem::take(&mut self.witness.borrow_mut().wrong);
        for what in seen {
            self.wrong(what);
        }
        self.mishaps.borrow().wrong.clone()
    }

    /// Counts something that histories are to contain.
    pub fn count(&self, what: &'static str) {
        *self.mishaps.borrow_mut().counts.entry(what).or_default() += 1;
    }

    /// How often what was counted.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.mishaps.borrow().counts.clone()
    }

    /// What goes wrong now.
    pub fn trouble(&self) -> Trouble {
        if self.mishaps.borrow().calm { Trouble::default() } else { self.plan.trouble }
    }

    /// From now on nothing goes wrong.
    pub fn calm_down(&self) {
        let mut mishaps = self.mishaps.borrow_mut();
        mishaps.calm = true;
        mishaps.frozen.clear();
    }

    /// Whether the time of trouble is over.
    pub fn is_calm(&self) -> bool {
        self.mishaps.borrow().calm
    }

    /// The chance of a host that starts once more.
    pub fn born(&self, host: &str) -> Luck {
        let mut mishaps = self.mishaps.borrow_mut();
        let life = mishaps.lives.entry(host.to_owned()).or_default();
        *life += 1;
        Luck::of(self.plan.seed, host, *life)
    }

    /// Lets `host` stand still for so long.
    pub fn freeze(&self, host: &str, millis: u64) {
        let until = self.time.played_millis() + millis as i64;
        self.mishaps.borrow_mut().frozen.insert(host.to_owned(), until);
    }

    /// Returns when `host` does not stand still: whatever acts on a host comes by here first.
    pub async fn thawed(&self, host: &str) {
        while self.is_frozen(host) {
            sleep(THAW_PERIOD).await;
        }
    }

    /// `host` does what kills it.
    pub fn doom(&self, host: &str) {
        self.mishaps.borrow_mut().doomed.insert(host.to_owned());
    }

    /// Hosts that did what kills them.
    pub fn doomed(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.mishaps.borrow_mut().doomed)
    }

    /// A task of `host` ended: by a panic it must not.
    pub fn reap<T>(&self, host: &str, end: Result<T, JoinError>) {
        if let Err(error) = end
            && error.is_panic()
        {
            self.wrong(format!("a task of {host} panicked: {error}"));
        }
    }

    fn is_frozen(&self, host: &str) -> bool {
        let now = self.time.played_millis();
        self.mishaps.borrow().frozen.get(host).is_some_and(|until| now < *until)
    }
}
