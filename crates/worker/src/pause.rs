//! How long loops sleep that wait for the store.

use std::time::Duration;

use domain::Timestamp;

/// Longest sleep without a look at the store: a clock that jumped must not strand a request.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Pause after the store failed.
pub(crate) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// From `now` until what is next is due.
pub(crate) fn until(next: Option<Timestamp>, now: Timestamp) -> Duration {
    next.map_or(LONGEST_SLEEP, |at| {
        let millis = at.millis_since(now).max(0) as u64;
        // What is left of a millisecond must not make a loop of empty looks.
        Duration::from_millis(millis.saturating_add(1)).min(LONGEST_SLEEP)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_end_after_what_is_due_and_are_never_long() {
        let now = Timestamp(1_000_000);
        assert_eq!(until(None, now), LONGEST_SLEEP);
        assert_eq!(until(Some(now), now), Duration::from_millis(1));
        assert_eq!(until(Some(Timestamp(0)), now), Duration::from_millis(1));
        assert_eq!(until(Some(Timestamp(1_002_999)), now), Duration::from_millis(3));
        assert_eq!(until(Some(Timestamp(i64::MAX)), now), LONGEST_SLEEP);
    }
}
