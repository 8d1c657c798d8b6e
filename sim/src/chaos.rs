//! What goes wrong around the hosts: they die, are cut off, stand still, and their clocks jump.
//!
//! Once in each simulated second every host and every link may be struck, as often as the plan
//! says; what was struck recovers by itself, and everything does when the time of trouble is over.

use std::fmt::Display;
use std::rc::Rc;

use turmoil::Sim;

use crate::luck::Luck;
use crate::world::World;

/// What is struck at present.
#[derive(Debug)]
pub struct Chaos {
    world: Rc<World>,
    luck: Luck,
    hosts: Vec<String>,
    links: Vec<Link>,
    /// Hosts that are dead, and until when.
    dead: Vec<(String, i64)>,
}

/// A link between two hosts that talk.
#[derive(Debug)]
struct Link {
    ends: (String, String),
    struck: Option<(Blow, i64)>,
}

/// What befalls a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// Nothing goes through.
    Cut,
    /// Nothing goes from the first to the second.
    CutThere,
    /// Nothing goes from the second to the first.
    CutBack,
    /// What is sent arrives when it is over, all at once.
    Held,
}

// === impl Chaos ===

impl Chaos {
    /// Around the hosts of `world`, none of which is struck.
    pub fn new(world: Rc<World>) -> Self {
        let servers = world.plan.server_names();
        let callers = [world.plan.worker_names(), world.plan.client_names()].concat();
        let to = |whom: &str, from: &String| (from.clone(), whom.to_owned());
        let mut ends: Vec<_> = servers.iter().map(|server| to("hook", server)).collect();
        for server in &servers {
            ends.extend(callers.iter().map(|caller| to(server, caller)));
        }
        if world.plan.shared {
            ends.extend(world.plan.worker_names().iter().map(|worker| to("hook", worker)));
        }
        let links = ends.into_iter().map(|ends| Link { ends, struck: None }).collect();
        let hosts = [servers, callers].concat();
        let luck = Luck::of(world.plan.seed, "chaos", 0);
        Self { world, luck, hosts, links, dead: Vec::new() }
    }

    /// What happens within a second.
    pub fn second(&mut self, sim: &mut Sim<'_>) {
        self.recover(sim);
        if self.world.is_calm() {
            return;
        }
        for n in 0..self.hosts.len() {
            let Some(host) = self.hosts.get(n).cloned() else { return };
            self.strike_host(sim, &host);
        }
        for n in 0..self.links.len() {
            self.strike_link(sim, n);
        }
    }

    /// Hosts that did what kills them die.
    pub fn bury(&mut self, sim: &mut Sim<'_>) {
        for host in self.world.doomed() {
            self.kill(sim, &host);
        }
    }

    /// Everything recovers.
    pub fn end(&mut self, sim: &mut Sim<'_>) {
        self.world.calm_down();
        self.world.time.heal();
        self.dead.iter_mut().for_each(|(_, until)| *until = 0);
        let struck = self.links.iter_mut().filter_map(|link| link.struck.as_mut());
        struck.for_each(|(_, until)| *until = 0);
        self.recover(sim);
        self.note("calm");
    }

    fn recover(&mut self, sim: &mut Sim<'_>) {
        let now = self.now();
        for link in &mut self.links {
            let Some((blow, _)) = link.struck.take_if(|(_, until)| *until <= now) else { continue };
            let (a, b) = (link.ends.0.as_str(), link.ends.1.as_str());
            match blow {
                Blow::Cut => sim.repair(a, b),
                Blow::CutThere => sim.repair_oneway(a, b),
                Blow::CutBack => sim.repair_oneway(b, a),
                Blow::Held => sim.release(a, b),
            }
            self.world.note("chaos", format!("{a} and {b} are linked again"));
        }
        let (back, dead) = std::mem::take(&mut self.dead).into_iter().partition(|d| d.1 <= now);
        self.dead = dead;
        let back: Vec<(String, i64)> = back;
        for (host, _) in back {
            self.note(format!("{host} comes back"));
            sim.bounce(host);
        }
    }

    fn strike_host(&mut self, sim: &mut Sim<'_>, host: &str) {
        let trouble = self.world.trouble();
        let dies = match host.split_once('-').map_or(host, |(kind, _)| kind) {
            "server" => trouble.server_dies,
            "worker" => trouble.worker_dies,
            _ => trouble.client_dies,
        };
        if self.strikes(dies) {
            if self.luck.chance(400) {
                self.pull_plug(sim, host);
            }
            self.kill(sim, host);
        }
        if self.strikes(trouble.freeze) {
            let millis = self.luck.within(1_000..=90_000);
            self.note(format!("{host} stands still for {millis} ms"));
            self.world.count("host stood still");
            self.world.freeze(host, millis);
        }
        if self.strikes(trouble.clock_jumps) {
            let most = if self.luck.chance(250) { 300_000 } else { 20_000 };
            let millis = self.luck.within(0..=2 * most) as i64 - most as i64;
            self.note(format!("{host}'s clock is {millis} ms ahead"));
            self.world.count("clock jumped");
            self.world.time.set_error(host, millis);
        }
    }

    fn kill(&mut self, sim: &mut Sim<'_>, host: &str) {
        if self.dead.iter().any(|(dead, _)| dead == host) {
            return;
        }
        self.note(format!("{host} dies"));
        self.world.count("host died");
        sim.crash(host);
        let until = self.now() + self.luck.within(500..=20_000) as i64;
        self.dead.push((host.to_owned(), until));
    }

    /// What a dying host would say yet, does not get through.
    fn pull_plug(&mut self, sim: &mut Sim<'_>, host: &str) {
        let until = self.now() + 1;
        for link in &mut self.links {
            let (a, b) = (link.ends.0.as_str(), link.ends.1.as_str());
            if link.struck.is_none() && (a == host || b == host) {
                sim.partition(a, b);
                link.struck = Some((Blow::Cut, until));
            }
        }
    }

    fn strike_link(&mut self, sim: &mut Sim<'_>, n: usize) {
        let trouble = self.world.trouble();
        let (cut, held) = (self.strikes(trouble.link_cut), self.strikes(trouble.link_held));
        let Some(link) = self.links.get_mut(n).filter(|link| link.struck.is_none()) else { return };
        let (a, b) = (link.ends.0.as_str(), link.ends.1.as_str());
        let blow = match self.luck.within(0..=2) {
            _ if held => Blow::Held,
            _ if !cut => return,
            0 => Blow::CutThere,
            1 => Blow::CutBack,
            _ => Blow::Cut,
        };
        match blow {
            Blow::Cut => sim.partition(a, b),
            Blow::CutThere => sim.partition_oneway(a, b),
            Blow::CutBack => sim.partition_oneway(b, a),
            Blow::Held => sim.hold(a, b),
        }
        let millis = self.luck.within(200..=90_000) as i64;
        link.struck = Some((blow, self.world.time.played_millis() + millis));
        self.world.note("chaos", format!("{a} and {b}: {blow:?} for {millis} ms"));
        self.world.count("link struck");
    }

    fn strikes(&self, in_ten_thousand: u64) -> bool {
        self.luck.within(0..=9999) < in_ten_thousand
    }

    fn now(&self) -> i64 {
        self.world.time.played_millis()
    }

    fn note(&self, event: impl Display) {
        self.world.note("chaos", event);
    }
}
