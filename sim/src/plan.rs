//! What a seed decides before a history begins.
//!
//! Each seed leaves some kinds of trouble out (swarm testing: Groce et al., *Swarm testing*, 2012):
//! a history in which everything goes wrong at once never gets to where few things do.

use std::time::Duration;

use domain::Priority;
use domain::admission::Limits;
use domain::usage::Microdollars;

use crate::luck::Luck;

/// The whole of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed, from which all other chance follows, too.
    pub seed: u64,
    /// Server hosts on one store.
    pub servers: usize,
    /// Worker hosts.
    pub workers: usize,
    /// What each of them does at once: intakes and runs.
    pub slots: (usize, usize),
    /// The limits of each owner.
    pub owners: Vec<Limits>,
    /// What each client is to do.
    pub clients: Vec<Vec<Errand>>,
    /// Whether a server that starts takes all leases for lost, as one that owns its store does.
    pub embedded: bool,
    /// Whether workers end leases that ran out, and post messages, beside the server.
    pub shared: bool,
    /// How long there is trouble.
    pub trouble_for: Duration,
    /// What goes wrong.
    pub trouble: Trouble,
    /// How long records are kept.
    pub results_kept: Option<Duration>,
    /// Milliseconds that a run takes.
    pub run_millis: (u64, u64),
    /// Milliseconds that a message takes at most.
    pub latency_millis: u64,
}

/// How often things go wrong. By the second, in 10 000 seconds; by the call, work or post, in a
/// thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    /// By the second: the server dies.
    pub server_dies: u64,
    /// By the call that writes: the server dies while it does it.
    pub server_dies_midway: u64,
    /// By the second, for each: a worker dies.
    pub worker_dies: u64,
    /// By the second, for each: a client dies.
    pub client_dies: u64,
    /// By the second, for each: a link is cut, both ways or one.
    pub link_cut: u64,
    /// By the second, for each: a link holds what is sent back, and then lets it go.
    pub link_held: u64,
    /// By the second, for each host: it stands still and goes on later, knowing nothing of it.
    pub freeze: u64,
    /// By the second, for each host: its clock jumps.
    pub clock_jumps: u64,
    /// By the call: the answer is lost.
    pub answer_lost: u64,
    /// By the call: the store is unavailable, before or after the change.
    pub store_fails: u64,
    /// By the call: the disk is slow.
    pub disk_slow: u64,
    /// By the work: no sign of life for longer than the lease.
    pub work_hangs: u64,
    /// By the work: it fails, its engine does, or it is handed back.
    pub work_fails: u64,
    /// By the work: what ended it is said once more, later.
    pub echo: u64,
    /// By the post: the receiver fails, hangs or, if it is one of those, says that it is gone.
    pub hook_fails: u64,
}

/// One request that a client wants made.
#[derive(Debug, Clone, Default)]
pub struct Errand {
    /// Its idempotency key.
    pub key: String,
    /// Whose it is.
    pub owner: usize,
    /// Its lane.
    pub priority: Priority,
    /// When it is sent, in milliseconds of simulated time.
    pub at_millis: u64,
    /// Its webhook, and whether that hears of states on the way.
    pub hook: Option<(String, bool)>,
    /// In how many seconds it has to have ended.
    pub deadline_secs: Option<i64>,
    /// After how many milliseconds it is taken back, and whether by force.
    pub cancel: Option<(u64, bool)>,
    /// What else is done with it.
    pub deeds: Vec<Deed>,
}

/// What a client does with a request beside sending it and asking how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Sends it twice at the same time.
    Twice,
    /// Tries its key with another body.
    Reuse,
    /// Sends it again when it has ended.
    Again,
    /// Has its last message posted once more when it has ended.
    Replay,
    /// Removes its record when it has ended.
    Remove,
    /// Makes it one of which workers die, each time.
    Poison,
}

/// What each request costs.
pub const PRICE: Microdollars = Microdollars(560_000);
/// A webhook whose receiver comes back.
pub const SOUND: &str = "sound";
/// A webhook whose receiver says, at some time, that it is gone.
pub const GONE: &str = "gone";
/// A webhook whose receiver always fails.
pub const DEAD: &str = "dead";

/// Whether messages to this webhook get there in the end.
pub fn is_sound(hook: &str) -> bool {
    hook.starts_with(SOUND)
}

// === impl Plan ===

impl Plan {
    /// That of `seed`.
    pub fn of(seed: u64) -> Self {
        let luck = Luck::of(seed, "plan", 0);
        let trouble_for = Duration::from_secs(luck.within(120..=600));
        let owners = owners(&luck);
        let clients = (0..luck.within(2..=3))
            .map(|client| errands(&luck, client, owners.len(), trouble_for))
            .collect();
        let embedded = luck.chance(400);
        Self {
            seed,
            servers: if embedded { 1 } else { luck.within(1..=2) as usize },
            workers: luck.within(2..=4) as usize,
            slots: (luck.within(1..=2) as usize, luck.within(1..=2) as usize),
            owners,
            clients,
            embedded,
            shared: !embedded && luck.chance(700),
            trouble_for,
            trouble: Trouble::of(&luck),
            results_kept: luck.chance(300).then(|| Duration::from_secs(luck.within(600..=1200))),
            run_millis: (500, luck.within(5_000..=40_000)),
            latency_millis: luck.within(20..=1500),
        }
    }

    /// A history without trouble, to be filled in.
    pub fn quiet(seed: u64) -> Self {
        Self {
            seed,
            servers: 1,
            workers: 2,
            slots: (1, 1),
            owners: vec![Limits::default(); 2],
            clients: Vec::new(),
            embedded: false,
            shared: false,
            trouble_for: Duration::ZERO,
            trouble: Trouble::default(),
            results_kept: None,
            run_millis: (1000, 4000),
            latency_millis: 50,
        }
    }

    /// The names of the server hosts.
    pub fn server_names(&self) -> Vec<String> {
        (0..self.servers).map(|n| format!("server-{n}")).collect()
    }

    /// The names of the worker hosts.
    pub fn worker_names(&self) -> Vec<String> {
        (0..self.workers).map(|n| format!("worker-{n}")).collect()
    }

    /// The names of the client hosts.
    pub fn client_names(&self) -> Vec<String> {
        (0..self.clients.len()).map(|n| format!("client-{n}")).collect()
    }
}

fn owners(luck: &Luck) -> Vec<Limits> {
    let limits = |luck: &Luck| Limits {
        max_queued: luck.chance(200).then(|| luck.within(2..=6) as u32),
        max_running: luck.chance(250).then(|| luck.within(1..=2) as u32),
        budget: luck.chance(120).then(|| Microdollars(PRICE.0 * luck.within(4..=12) as i64)),
        ..Limits::default()
    };
    (0..luck.within(2..=3)).map(|_| limits(luck)).collect()
}

fn errands(luck: &Luck, client: u64, owners: usize, within: Duration) -> Vec<Errand> {
    let one = |n| Errand {
        key: format!("c{client}-{n}"),
        owner: luck.within(0..=owners as u64 - 1) as usize,
        priority: Priority::from_rank(luck.within(0..=2) as i64),
        at_millis: luck.within(0..=within.as_millis() as u64),
        hook: luck.chance(600).then(|| (hook(luck), luck.chance(400))),
        deadline_secs: luck.chance(150).then(|| luck.within(10..=240) as i64),
        cancel: luck.chance(250).then(|| (luck.within(0..=60_000), luck.chance(600))),
        deeds: Deed::ALL
            .into_iter()
            .filter(|(_, often)| luck.chance(*often))
            .map(|d| d.0)
            .collect(),
    };
    (0..luck.within(6..=20)).map(one).collect()
}

fn hook(luck: &Luck) -> String {
    let kind = match luck.within(0..=19) {
        0 => DEAD,
        1..=5 => GONE,
        _ => SOUND,
    };
    format!("{kind}-{}", luck.within(0..=2))
}

// === impl Errand ===

impl Errand {
    /// Whether `deed` is done with it.
    pub fn does(&self, deed: Deed) -> bool {
        self.deeds.contains(&deed)
    }
}

// === impl Deed ===

impl Deed {
    /// All of them, and in how many of a thousand errands each is done.
    const ALL: [(Self, u64); 6] = [
        (Self::Twice, 200),
        (Self::Reuse, 100),
        (Self::Again, 150),
        (Self::Replay, 200),
        (Self::Remove, 80),
        (Self::Poison, 15),
    ];
}

// === impl Trouble ===

impl Trouble {
    fn of(luck: &Luck) -> Self {
        let some = |most: u64| if luck.chance(550) { luck.within(most / 8..=most) } else { 0 };
        Self {
            server_dies: some(150),
            server_dies_midway: some(200),
            worker_dies: some(150),
            client_dies: some(100),
            link_cut: some(150),
            link_held: some(100),
            freeze: some(80),
            clock_jumps: some(80),
            answer_lost: some(80),
            store_fails: some(80),
            disk_slow: some(50),
            work_hangs: some(150),
            work_fails: some(400),
            echo: some(400),
            hook_fails: some(700),
        }
    }
}
