//! What is known of messages to webhooks.

use domain::{OwnerId, RequestId, Timestamp};
use store::StoreError;
use store::outbox::{Attempted, Delivery};

use super::Witness;
use crate::calls::Letter;

/// One message, as it must be.
#[derive(Debug, Clone)]
pub(super) struct Message {
    owner: OwnerId,
    request: RequestId,
    url: String,
    attempt: u32,
    /// Whether it was replayed since the latest attempt began, which no longer counts.
    reopened: bool,
    /// When the next attempt is due, or the one under way counts as lost; none, if it is settled.
    next_at: Option<Timestamp>,
    /// When that was said.
    set_at: Timestamp,
}

/// A time that was said so far in the future is of a clock that was ahead, and counts no more.
const AHEAD_MAX_SECS: i64 = 60;

impl Witness {
    /// These messages were given out at `now`, for an attempt that counts as lost at `until`.
    pub fn taken(&mut self, now: Timestamp, until: Timestamp, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let Delivery { id, owner, request, url, event, attempts, .. } = delivery;
            if self.gone.contains(&(owner.clone(), url.clone())) {
                self.wrong.push(format!("`{id}` goes to a receiver that is gone"));
            }
            let state = self.state(request);
            if event.is_terminal() && state != Some(*event) {
                self.wrong.push(format!("`{id}` tells {event:?}, and the request is {state:?}"));
            }
            let message = Message {
                owner: owner.clone(),
                request: request.clone(),
                url: url.clone(),
                attempt: *attempts,
                reopened: false,
                next_at: Some(until),
                set_at: now,
            };
            let before = self.messages.insert(id.clone(), message);
            let expected = before.as_ref().map_or(0, |message| message.attempt) + 1;
            let over = |m: &Message| {
                let ahead = m.set_at > now.plus_secs(AHEAD_MAX_SECS);
                m.next_at.is_some_and(|at| at <= now || ahead)
            };
            let due = before.as_ref().is_none_or(over);
            if !due || expected != *attempts {
                self.wrong.push(format!("`{id}` was given out for {attempts} after {before:?}"));
            }
        }
    }

    /// A message was made due at `now`, after `millis` of simulated time, whatever became of it.
    pub fn replayed(&mut self, delivery: &Delivery, now: Timestamp, millis: i64) {
        self.gone.remove(&(delivery.owner.clone(), delivery.url.clone()));
        self.replays.insert(delivery.id.clone(), millis);
        if let Some(message) = self.messages.get_mut(&delivery.id) {
            message.reopened = true;
            (message.next_at, message.set_at) = (Some(now), now);
        }
    }

    /// When a message was replayed last, in milliseconds of simulated time.
    pub fn replayed_at(&self, id: &str) -> Option<i64> {
        self.replays.get(id).copied()
    }

    /// How an attempt ended was written down, or not.
    pub fn settled(
        &mut self,
        letter: &Letter,
        outcome: &Attempted,
        answer: &Result<(), StoreError>,
        now: Timestamp,
    ) {
        let id = &letter.id;
        let Some(message) = self.messages.get_mut(id) else { return };
        let holds = message.next_at.is_some() && message.attempt == letter.attempt;
        let holds = holds && !message.reopened;
        match answer {
            Ok(()) if holds => {
                message.set_at = now;
                message.next_at = match outcome {
                    Attempted::Failed { again, .. } => *again,
                    _ => None,
                };
                if *outcome == Attempted::Gone {
                    self.receiver_gone(letter);
                }
            }
            Err(StoreError::Fenced) if !holds || self.may_be_gone(&letter.request) => {}
            answer => self.wrong.push(format!("`{id}` was settled so: {answer:?}")),
        }
    }

    fn receiver_gone(&mut self, letter: &Letter) {
        let to = (letter.owner.clone(), letter.url.clone());
        let same = |message: &&mut Message| message.owner == to.0 && message.url == to.1;
        self.messages.values_mut().filter(same).for_each(|message| message.next_at = None);
        self.gone.insert(to);
    }

    /// Whether a message of a request that was given out once is not settled.
    pub(super) fn is_untold(&self, request: &RequestId) -> bool {
        let mut own = self.messages.values().filter(|message| message.request == *request);
        own.any(|message| message.next_at.is_some())
    }
}
