//! What the outside world was told, and whether that fits together.
//!
//! Clients and receivers of webhooks keep these on paper, so to speak: a host that dies finds its
//! own again. Whatever was said once is compared with what is said later, and at the end with what
//! the store holds.

use std::collections::{BTreeMap, BTreeSet};

use domain::{RequestId, State};

use crate::plan::Plan;

/// The journals of all clients: one entry for each errand.
#[derive(Debug, Default)]
pub struct Journal {
    /// By client and errand.
    pub entries: Vec<Vec<Entry>>,
}

/// What is known of one errand.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// The id that was given for it.
    pub id: Option<RequestId>,
    /// How often it was sent.
    pub sent: u32,
    /// What was said last of where it stands.
    pub stands: Option<State>,
    /// Nothing more is done about it.
    pub done: bool,
}

/// What receivers were told: the messages by id, with what each told and how often it was
/// acknowledged.
#[derive(Debug, Default)]
pub struct Postbox {
    /// By message.
    pub messages: BTreeMap<String, Message>,
    /// Webhooks whose receiver said that it is gone, at least once.
    pub gone: BTreeSet<String>,
}

/// One message, as its receiver has it.
#[derive(Debug, Clone)]
pub struct Message {
    /// The request.
    pub request: RequestId,
    /// What it told.
    pub event: State,
    /// How often it came.
    pub came: u32,
    /// When it was acknowledged last, in milliseconds of simulated time.
    pub acknowledged: Option<i64>,
}

// === impl Journal ===

impl Journal {
    /// An empty page for each errand.
    pub fn new(plan: &Plan) -> Self {
        let pages = |client: &Vec<_>| vec![Entry::default(); client.len()];
        Self { entries: plan.clients.iter().map(pages).collect() }
    }

    /// The page of an errand.
    pub fn entry(&mut self, client: usize, errand: usize) -> Option<&mut Entry> {
        self.entries.get_mut(client)?.get_mut(errand)
    }

    /// The ids that clients were given.
    pub fn acknowledged(&self) -> BTreeSet<RequestId> {
        self.entries.iter().flatten().filter_map(|entry| entry.id.clone()).collect()
    }

    /// Whether no client has anything to do any more.
    pub fn is_done(&self) -> bool {
        self.entries.iter().flatten().all(|entry| entry.done)
    }
}

// === impl Entry ===

impl Entry {
    /// The errand was given an id; what does not fit.
    pub fn accepted(&mut self, id: &RequestId) -> Option<String> {
        match &self.id {
            Some(known) if known != id => {
                Some(format!("one key was given to `{known}` and to `{id}`"))
            }
            _ => {
                self.id = Some(id.clone());
                None
            }
        }
    }

    /// The errand stands so; what does not fit.
    pub fn told(&mut self, state: State) -> Option<String> {
        let before = self.stands.replace(state);
        let id = self.id.as_ref().map_or("?", RequestId::as_str);
        let back = before.is_some_and(|b| b != State::Received) && state == State::Received;
        let changed = before.is_some_and(|before| before.is_terminal() && before != state);
        (back || changed).then(|| format!("`{id}` was told {before:?} and then {state:?}"))
    }
}

// === impl Postbox ===

impl Postbox {
    /// A message came; what does not fit.
    pub fn came(&mut self, id: &str, request: &RequestId, event: State) -> Option<String> {
        let fresh = || Message { request: request.clone(), event, came: 0, acknowledged: None };
        let message = self.messages.entry(id.to_owned()).or_insert_with(fresh);
        message.came += 1;
        let same = message.request == *request && message.event == event;
        (!same).then(|| format!("`{id}` told {:?} and then {event:?}", message.event))
    }

    /// It was acknowledged after `millis` of simulated time.
    pub fn acknowledged(&mut self, id: &str, millis: i64) {
        if let Some(message) = self.messages.get_mut(id) {
            message.acknowledged = Some(millis);
        }
    }
}
