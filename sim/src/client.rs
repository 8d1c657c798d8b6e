//! A client's host: it sends requests, asks how they are, takes some back, and writes down what
//! it was told.
//!
//! It may die, too, and then goes on with what its journal says. An answer that was lost makes it
//! send the request again with the same key, up to ten times.

use std::rc::Rc;
use std::time::Duration;

use domain::RequestId;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::calls::{Answer, Call};
use crate::journal::Entry;
use crate::luck::Luck;
use crate::network;
use crate::plan::{Deed, Errand};
use crate::world::World;

/// How often a request is sent.
const TRIES: u32 = 10;

/// One life of a client.
#[derive(Debug)]
struct Client {
    world: Rc<World>,
    host: String,
    number: usize,
    luck: Luck,
}

/// Client number `number` on `host`, from its start to its death.
pub async fn run(world: Rc<World>, host: String, number: usize) -> turmoil::Result {
    let luck = world.born(&host);
    let errands = world.plan.clients.get(number).map_or(0, Vec::len);
    let client = Rc::new(Client { world: Rc::clone(&world), host: host.clone(), number, luck });
    let mut tasks = JoinSet::new();
    for errand in 0..errands {
        tasks.spawn_local(Rc::clone(&client).errand(errand));
    }
    while let Some(end) = tasks.join_next().await {
        world.reap(&host, end);
    }
    // A host whose work is done is still there.
    std::future::pending().await
}

// === impl Client ===

impl Client {
    async fn errand(self: Rc<Self>, n: usize) {
        let plan = self.world.plan.clients.get(self.number).and_then(|all| all.get(n)).cloned();
        let Some(errand) = plan else { return };
        let Some(Entry { id, done: false, .. }) = self.entry(n, |entry| entry.clone()) else {
            return;
        };
        let wait = errand.at_millis as i64 - self.world.time.played_millis();
        sleep(Duration::from_millis(wait.max(0) as u64)).await;
        let id = match id {
            Some(id) => Some(id),
            None => self.submit(n, &errand).await,
        };
        if let Some(id) = id {
            self.follow(n, &errand, &id).await;
            self.look_back(n, &errand, &id).await;
        }
        self.world.note(&self.host, format!("{} done", errand.key));
        self.entry(n, |entry| entry.done = true);
    }

    /// Sends the request until it has an id, or no hope.
    async fn submit(&self, n: usize, errand: &Errand) -> Option<RequestId> {
        while self.entry(n, |entry| entry.sent)? < TRIES {
            self.entry(n, |entry| entry.sent += 1);
            let call = Call::Submit { client: self.number, errand: n, altered: false };
            let answers = if errand.does(Deed::Twice) {
                let (a, b) = tokio::join!(self.ask(&call), self.ask(&call));
                [a, b]
            } else {
                [self.ask(&call).await, None]
            };
            for id in answers.into_iter().flatten().filter_map(|answer| self.id_of(answer)) {
                self.world.note(&self.host, format!("{} is {id}", errand.key));
                if let Some(why) = self.entry(n, |entry| entry.accepted(&id)).flatten() {
                    self.world.wrong(why);
                }
            }
            let id = self.entry(n, |entry| entry.id.clone()).flatten();
            if id.is_some() {
                return id;
            }
            sleep(self.luck.millis(500..=8000)).await;
        }
        None
    }

    fn id_of(&self, answer: Answer) -> Option<RequestId> {
        match answer {
            Answer::Accepted(id, _) => Some(id),
            Answer::Refused(_) | Answer::Unavailable => None,
            other => {
                self.world.wrong(format!("a submit was answered {other:?}"));
                None
            }
        }
    }

    /// Asks where the request stands until it has ended; takes it back in between.
    async fn follow(&self, n: usize, errand: &Errand, id: &RequestId) {
        let now = self.world.time.played_millis();
        let mut cancel = errand.cancel.map(|(after, force)| (now + after as i64, force));
        if errand.does(Deed::Reuse) {
            self.reuse(n).await;
        }
        loop {
            sleep(self.luck.millis(300..=5000)).await;
            let due = cancel.filter(|(at, _)| *at <= self.world.time.played_millis());
            let answer = match due {
                Some((_, force)) => self.ask(&Call::Cancel(id.clone(), force)).await,
                None => self.ask(&Call::Status(id.clone())).await,
            };
            let Some(answer) = answer else { continue };
            if due.is_some() && !matches!(answer, Answer::Unavailable) {
                cancel = None;
            }
            if self.told(n, id, answer) {
                return;
            }
        }
    }

    /// What is done with a request that has ended.
    async fn look_back(&self, n: usize, errand: &Errand, id: &RequestId) {
        sleep(self.luck.millis(0..=if self.luck.chance(500) { 4000 } else { 60_000 })).await;
        let Some((owner, _)) = self.world.owners.get(errand.owner) else { return };
        if errand.does(Deed::Replay) {
            let answer = self.ask(&Call::Replay(owner.clone(), id.clone())).await;
            self.world.note(&self.host, format!("replay {id}: {answer:?}"));
        }
        if errand.does(Deed::Remove) {
            let answer = self.ask(&Call::Remove(owner.clone(), id.clone())).await;
            if !matches!(answer, None | Some(Answer::Unknown | Answer::Unavailable)) {
                self.world.wrong(format!("removing `{id}` was answered {answer:?}"));
            }
        }
        if errand.does(Deed::Again) {
            let call = Call::Submit { client: self.number, errand: n, altered: false };
            match self.ask(&call).await {
                None | Some(Answer::Unavailable) => {}
                Some(Answer::Accepted(again, state)) if again == *id && state.is_terminal() => {}
                answer => self.world.wrong(format!("`{id}`, sent again, was answered {answer:?}")),
            }
        }
    }

    /// Tries the key with another body.
    async fn reuse(&self, n: usize) {
        let call = Call::Submit { client: self.number, errand: n, altered: true };
        match self.ask(&call).await {
            None | Some(Answer::Reused | Answer::Unavailable) => {}
            other => self.world.wrong(format!("another body was answered {other:?}")),
        }
    }

    /// Writes down an answer; whether there will be no other.
    fn told(&self, n: usize, id: &RequestId, answer: Answer) -> bool {
        let state = match answer {
            Answer::Stands(state) | Answer::Cancelled(state, _) => state,
            Answer::Unavailable => return false,
            Answer::Unknown => {
                if !self.world.witness.borrow().may_be_gone(id) {
                    self.world.wrong(format!("`{id}` was acknowledged and is not known"));
                }
                return true;
            }
            other => {
                self.world.wrong(format!("a question for `{id}` was answered {other:?}"));
                return true;
            }
        };
        if let Some(why) = self.entry(n, |entry| entry.told(state)).flatten() {
            self.world.wrong(why);
        }
        self.world.note(&self.host, format!("{id} is {state:?}"));
        state.is_terminal()
    }

    fn entry<T>(&self, n: usize, use_it: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.world.journal.borrow_mut().entry(self.number, n).map(use_it)
    }

    async fn ask(&self, call: &Call) -> Option<Answer> {
        network::call(&self.world, &self.host, &self.luck, call).await
    }
}
