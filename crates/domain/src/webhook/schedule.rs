//! When a delivery that failed is tried again.
//!
//! | attempt | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | pause before it | | 5 s | 30 s | 2 min | 10 min | 30 min | 1 h | 2 h | 3 h | 4 h | 4 h | 4 h | 4 h | |
//! | since the event | 0 | 5 s | 35 s | 3 min | 13 min | 43 min | 1.7 h | 3.7 h | 6.7 h | 10.7 h | 14.7 h | 18.7 h | 22.7 h | 24 h |
//!
//! Each pause varies by a fifth, so that receivers that were away are not met by everything at
//! once. The first pauses are for a receiver that restarts, the last ones for one whose people
//! sleep: there is an attempt at the very end of the day that we give it.

use std::time::Duration;

use crate::clock::{Rng, Timestamp};

/// How long after the event that it tells of a message is still tried: a day.
pub const GIVE_UP_SECS: i64 = 24 * 60 * 60;

/// The pauses after the first attempts; the last one repeats.
const PAUSES_SECS: [u64; 9] = [5, 30, 120, 600, 1800, 3600, 7200, 10_800, 14_400];

/// The part of a pause by which it may be shorter or longer.
const JITTER: f64 = 0.2;

/// `Retry-After` is obeyed so far.
const MAX_ASKED: Duration = Duration::from_hours(6);

/// The last attempt follows no closer on the one before.
const LAST_PAUSE_MILLIS: i64 = 10 * 60 * 1000;

/// The moment of the next attempt, or `None` where none follows.
///
/// `attempt` attempts were made, the last of which ended in a failure at `now`; the event was at
/// `created_at`. `retry_after`, which the receiver asked for, counts where it is longer than the
/// pause, up to 6 h. An attempt that would come more than [`GIVE_UP_SECS`] after the event is put
/// at their end, if at least 10 min lie between: it then comes sooner than was asked, but it is
/// the last one.
pub fn next_attempt(
    attempt: u32,
    created_at: Timestamp,
    now: Timestamp,
    retry_after: Option<Duration>,
    rng: &dyn Rng,
) -> Option<Timestamp> {
    let asked = retry_after.unwrap_or_default().min(MAX_ASKED);
    let pause = vary(pause(attempt), rng).max(asked);
    let next = now.plus_millis(pause.as_millis() as i64);
    let end = created_at.plus_secs(GIVE_UP_SECS);
    if next <= end {
        Some(next)
    } else {
        (end.millis_since(now) >= LAST_PAUSE_MILLIS).then_some(end)
    }
}

/// The pause after attempt number `attempt`, counted from 1.
fn pause(attempt: u32) -> Duration {
    let [.., longest] = PAUSES_SECS;
    let place = attempt.saturating_sub(1) as usize;
    Duration::from_secs(PAUSES_SECS.get(place).copied().unwrap_or(longest))
}

fn vary(pause: Duration, rng: &dyn Rng) -> Duration {
    let mut random = [0_u8; 4];
    rng.fill(&mut random);
    let share = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
    pause.mul_f64(share.mul_add(2.0 * JITTER, 1.0 - JITTER))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::Rng;

    const EVENT: Timestamp = Timestamp::from_secs(1_767_225_600);
    const END: Timestamp = EVENT.plus_secs(GIVE_UP_SECS);

    /// Draws these numbers, the last one for ever.
    struct Drawn(Mutex<Vec<u32>>);
    impl Drawn {
        fn all(number: u32) -> Self {
            Self(Mutex::new(vec![number]))
        }
    }
    impl Rng for Drawn {
        fn fill(&self, bytes: &mut [u8]) {
            let mut numbers = self.0.lock().unwrap();
            let number = if numbers.len() > 1 { numbers.pop().unwrap() } else { numbers[0] };
            bytes.copy_from_slice(&number.to_le_bytes());
        }
    }

    /// The moments of all attempts where each fails `slow_millis` after it began.
    fn day(slow_millis: i64, asked: Option<Duration>, rng: &dyn Rng) -> Vec<Timestamp> {
        let mut attempts = vec![EVENT];
        loop {
            let now = attempts[attempts.len() - 1].plus_millis(slow_millis);
            match next_attempt(attempts.len() as u32, EVENT, now, asked, rng) {
                Some(next) => attempts.push(next),
                None => return attempts,
            }
        }
    }

    fn secs_since_event(attempts: &[Timestamp]) -> Vec<i64> {
        attempts.iter().map(|moment| moment.millis_since(EVENT) / 1000).collect()
    }

    #[test]
    fn pauses_grow_as_the_table_says() {
        let middle = Drawn::all(u32::MAX / 2);
        let expected = [
            0, 5, 35, 155, 755, 2555, 6155, 13_355, 24_155, 38_555, 52_955, 67_355, 81_755, 86_400,
        ];
        let found = secs_since_event(&day(0, None, &middle));
        let close = found.iter().zip(expected).all(|(found, expected)| (expected - found) <= 1);
        assert!(found.len() == expected.len() && close, "{found:?}");
    }

    #[test]
    fn a_pause_varies_by_a_fifth() {
        let pause = |number| {
            let next = next_attempt(5, EVENT, EVENT, None, &Drawn::all(number)).unwrap();
            next.millis_since(EVENT)
        };
        assert_eq!((pause(0), pause(u32::MAX)), (1_440_000, 2_160_000));
    }

    #[test]
    fn a_receiver_is_left_alone_as_long_as_it_asks_but_not_for_ever() {
        let pause = |asked| {
            let next = next_attempt(1, EVENT, EVENT, Some(asked), &Drawn::all(0)).unwrap();
            next.millis_since(EVENT)
        };
        assert_eq!(pause(Duration::ZERO), 4000);
        assert_eq!(pause(Duration::from_secs(3)), 4000);
        assert_eq!(pause(Duration::from_hours(1)), 3_600_000);
        assert_eq!(pause(Duration::MAX), 6 * 3_600_000);
        let day = day(0, Some(Duration::MAX), &Drawn::all(0));
        assert_eq!(secs_since_event(&day), [0, 21_600, 43_200, 64_800, 86_400]);
    }

    #[test]
    fn the_last_attempt_is_at_the_end_unless_one_was_just_made() {
        let next = |now| next_attempt(12, EVENT, now, None, &Drawn::all(0));
        assert_eq!(next(END.plus_secs(-3 * 3600)), Some(END));
        assert_eq!(next(END.plus_secs(-600)), Some(END));
        assert_eq!(next(END.plus_secs(-599)), None);
        assert_eq!(next(END), None);
        assert_eq!(next(END.plus_secs(3600)), None);
    }

    proptest! {
        #[test]
        fn a_day_has_enough_attempts_and_ends(
            numbers in prop::collection::vec(any::<u32>(), 1..20), slow_millis in 0_i64..30_000,
        ) {
            let attempts = day(slow_millis, None, &Drawn(Mutex::new(numbers)));
            prop_assert!((12..=16).contains(&attempts.len()), "{:?}", secs_since_event(&attempts));
            let last = attempts[attempts.len() - 1];
            prop_assert!(last <= END && END.millis_since(last) < LAST_PAUSE_MILLIS + slow_millis);
        }

        #[test]
        fn no_attempt_is_early_or_late(
            attempt in 0_u32..40,
            since_millis in -1_000_000_i64..100_000_000,
            asked_secs in prop::option::of(0_u64..100_000),
            number in any::<u32>(),
        ) {
            let now = EVENT.plus_millis(since_millis);
            let asked = asked_secs.map(Duration::from_secs);
            if let Some(next) = next_attempt(attempt, EVENT, now, asked, &Drawn::all(number)) {
                let whole = pause(attempt).as_millis() as i64;
                let wait = next.millis_since(now);
                let asked = asked.map_or(0, |asked| asked.min(MAX_ASKED).as_millis() as i64);
                prop_assert!(next <= END);
                prop_assert!(next == END || wait >= asked.max(whole * 4 / 5));
                prop_assert!(wait <= asked.max(whole * 6 / 5));
            } else {
                prop_assert!(END.millis_since(now) < (pause(attempt) * 2).max(MAX_ASKED).as_millis() as i64);
            }
        }
    }
}
