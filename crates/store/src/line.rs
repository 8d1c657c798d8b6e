//! What a change of state means for the queue in memory.
//!
//! One function, called by every store after a change is durable, so that all of them leave the
//! queue, and the virtual time of its lanes, in the same condition.

use domain::queue::FairClock;
use domain::{OrderKey, QueueIndex, State};

/// Moves `key` in or out of the queue as its request went from `before` (`None`: it is new) to
/// `after`; a request that leaves the queue to run advances the virtual time of its lane.
pub fn moved(
    index: &mut QueueIndex,
    clock: &mut FairClock,
    key: &OrderKey,
    before: Option<State>,
    after: State,
) {
    let was_queued = before.is_some_and(State::is_queued);
    match (was_queued, after.is_queued()) {
        (false, true) => {
            index.insert(*key);
        }
        (true, false) => {
            index.remove(key);
        }
        (true, true) | (false, false) => {}
    }
    if was_queued && after == State::Running {
        clock.served(key);
    }
}

#[cfg(test)]
mod tests {
    use domain::Priority;

    use super::*;

    #[test]
    fn only_queued_states_have_a_place() {
        let key = OrderKey { priority: Priority::Normal, finish: 1, seq: 1 };
        for before in State::ALL {
            for after in State::ALL {
                let (mut index, mut clock) = (QueueIndex::default(), FairClock::default());
                moved(&mut index, &mut clock, &key, None, before);
                assert_eq!(index.position(&key).is_some(), before.is_queued());
                moved(&mut index, &mut clock, &key, Some(before), after);
                assert_eq!(
                    index.position(&key).is_some(),
                    after.is_queued(),
                    "{before:?} {after:?}"
                );
            }
        }
    }
}
