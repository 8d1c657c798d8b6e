//! `kill -9` of the server under load, again and again on one data folder. Clients insist and keep
//! journals; after the last round the server must tell what the journals tell.
//!
//! `KILL_ROUNDS` and `KILL_SEED` choose how many kills and which; `KILL_JOURNAL` names a file to
//! which a row of a Markdown table is added for each.

mod audit;
mod client;
mod load;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use testkit::{MediaHost, Reply, SeededRng};

use self::audit::{Audit, HOOK};
use self::client::{Client, Entry, Material};
use self::load::{Load, Tally};
use crate::support::media::clip;
use crate::support::rng::below;
use crate::support::{ACME, root};
use crate::support::{Home, Server};

const ROUNDS: u64 = 10;
const SEED: u64 = 20_261_203;
const CLIENTS: usize = 4;
/// What one success costs: a number whose sums a float holds exactly.
pub(crate) const PRICE_USD: f64 = 0.25;
/// The server is killed after so many things that clients saw, at most,
const EVENTS_MAX: usize = 16;
/// or after so many ends of work: without any, all would wait for the end of a pause in time;
const MADE_MAX: usize = 8;
/// in any case after so long,
const LIFE_MAX: Duration = Duration::from_secs(8);
/// and fewer milliseconds.
const DELAY_MAX_MILLIS: usize = 40;

/// The killer's side of a run.
struct Run {
    seed: u64,
    rng: SeededRng,
    host: MediaHost,
    walk: Vec<u8>,
    load: Arc<Load>,
    journal: Option<std::fs::File>,
}

// === impl Run ===

impl Run {
    /// The killer, and a server at its mercy.
    fn start(seed: u64) -> (Self, Server) {
        let host = MediaHost::http();
        let walk = clip(64, 64, 4, 1.0);
        host.on("/walk.mp4", Reply::ok(walk.clone()));
        host.on(HOOK, Reply::status(200));
        let address = host.address().to_string();
        let home = Home::new(std::slice::from_ref(&address))
            .flag("--allow-webhook-host", &address)
            .flag("--disk-reserve-mib", "0");
        let models = root().join("crates/catalog/tests/models");
        home.configure(&format!(
            "workers = 2\nmodels_dir = '{}'\n[models.\"{ACME}\"]\nprice_usd = {PRICE_USD}\n",
            models.display()
        ));
        let server = Server::start(home);
        let load = Arc::new(Load::new(server.address()));
        let journal = std::env::var_os("KILL_JOURNAL")
            .map(|path| std::fs::File::options().append(true).create(true).open(path).unwrap());
        (Self { seed, rng: SeededRng::new(seed), host, walk, load, journal }, server)
    }

    fn clients(&self, key: &str) -> Vec<std::thread::JoinHandle<Vec<Entry>>> {
        let material = Material {
            clip: self.host.url("/walk.mp4"),
            carried: format!("data:video/mp4;base64,{}", STANDARD.encode(&self.walk)),
            hook: self.host.url(HOOK),
        };
        let client = |name| Client {
            name,
            key: key.to_owned(),
            load: Arc::clone(&self.load),
            material: material.clone(),
            rng: SeededRng::new(self.seed + 1 + name as u64),
            journal: Vec::new(),
        };
        (0..CLIENTS).map(client).map(|client| std::thread::spawn(move || client.run())).collect()
    }

    /// Waits for the moment, strikes, and starts the server anew.
    fn round(&mut self, round: u64, server: Server) -> Server {
        let (before, told) = (self.load.tally(), self.told());
        let (count, most): (fn(&Tally) -> u64, _) = match below(&self.rng, 2) {
            0 => (Tally::events, EVENTS_MAX),
            _ => (Tally::made, MADE_MAX),
        };
        self.load.await_more(below(&self.rng, most) as u64 + 1, count, LIFE_MAX);
        // Not only at the moments at which clients hear of something.
        let delay = below(&self.rng, DELAY_MAX_MILLIS) as u64;
        std::thread::sleep(Duration::from_millis(delay));
        let children = server.children().len();
        let server = Server::restart(server.kill());
        let seen = self.load.tally().since(&before);
        self.note(round, &seen, self.told() - told, children);
        self.load.back(server.address());
        server
    }

    fn audit<'a>(&'a self, server: &'a Server, journal: &'a [Entry]) -> Audit<'a> {
        Audit { server, host: &self.host, journal, caller: server.caller() }
    }

    fn told(&self) -> usize {
        self.host.requests_of(HOOK).len()
    }

    fn note(&mut self, round: u64, seen: &Tally, messages: usize, children: usize) {
        let Tally { acknowledged, repeated, succeeded, failed, cancelled } = seen;
        let row = format!(
            "| {round} | {children} | {acknowledged} | {repeated} | {succeeded} | {failed} \
             | {cancelled} | {messages} |"
        );
        println!("{row}");
        if let Some(journal) = &mut self.journal {
            writeln!(journal, "{row}").unwrap();
        }
    }
}

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_were_told_is_true_after_any_kill() {
    let (rounds, seed) = (number("KILL_ROUNDS", ROUNDS), number("KILL_SEED", SEED));
    println!("KILL_SEED={seed} KILL_ROUNDS={rounds}");
    println!(
        "| round | children | acknowledged | repeated | succeeded | failed | cancelled | messages |"
    );
    let (mut run, mut server) = Run::start(seed);
    let clients = run.clients(&server.key);
    for round in 1..=rounds {
        server = run.round(round, server);
    }
    // A last kill, after which nobody works: what waits stands still.
    server.home.set("workers = 0");
    server = Server::restart(server.kill());
    run.load.back(server.address());
    run.load.end();
    let journals = clients.into_iter().map(|client| client.join().unwrap());
    let journal: Vec<Entry> = journals.flatten().collect();
    let waiting = run.audit(&server, &journal).positions();

    server.home.set("workers = 2");
    server = Server::restart(server.kill());
    let audit = run.audit(&server, &journal);
    let all = audit.settled();
    audit.requests(&all);
    audit.usage(&all);
    audit.messages(&all);
    audit.quiet();
    let count = |word| all.values().filter(|request| request["status"] == word).count();
    println!(
        "all: {} acknowledged, {} repeated, {} succeeded, {} failed, {} cancelled, {} messages, \
         {waiting} waited at the end",
        journal.len(),
        run.load.tally().repeated,
        count("succeeded"),
        count("failed"),
        count("cancelled"),
        run.told(),
    );
    assert!(count("succeeded") > 0 && run.told() > 0, "there was work");
}
