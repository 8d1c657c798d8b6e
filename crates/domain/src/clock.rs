//! Time and randomness as parameters.
//!
//! Nothing below the binary reads a clock or a random source of its own, so tests can advance
//! time by hand and a simulation replays from one seed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
///
/// Displayed as `2026-11-22T05:43:01.123456+00:00`: RFC 3339, always six digits and a numeric
/// offset, which the strict parsers among the clients of this wire insist on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Reads the time. Implemented by the binary (the machine's clock) and by tests (by hand).
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A source of unpredictable bytes. Implemented by the binary (the kernel) and by tests (seeded).
pub trait Rng: Send + Sync {
    /// Fills `bytes` wholly.
    fn fill(&self, bytes: &mut [u8]);
}

/// A moment that was read from a clock lies at most so far ahead of what it shows later, unless it
/// was set back meanwhile: small corrections set it back by less, and delay nothing by more.
pub const CORRECTION_MAX_SECS: i64 = 60;

/// A text that is not an RFC 3339 moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as `2026-11-22T05:43:01.123456+00:00`")]
pub struct BadTimestamp(String);

// === impl Timestamp ===

impl Timestamp {
    /// The moment `secs` seconds after 1970.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Whole seconds since 1970; negative before.
    pub const fn unix_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment, `secs` seconds later (saturating).
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1_000_000)))
    }

    /// This moment, `millis` milliseconds later (saturating).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to this moment; negative where it lies before.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1000
    }

    /// Whether the clock that showed this moment was set back since, if it shows `now`.
    pub const fn is_of_a_clock_set_back(self, now: Self) -> bool {
        self.0 > now.plus_secs(CORRECTION_MAX_SECS).0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000);
        // Moments outside the years 0-9999 have no RFC 3339 text.
        let moment = moment.ok().filter(|moment| (0..=9999).contains(&moment.year()));
        let moment = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        // Digit by digit: every line of the log and every reply has at least one of these.
        let mut text = *b"0000-00-00T00:00:00.000000+00:00";
        let parts = [
            (0..4, moment.year().unsigned_abs()),
            (5..7, u32::from(u8::from(moment.month()))),
            (8..10, u32::from(moment.day())),
            (11..13, u32::from(moment.hour())),
            (14..16, u32::from(moment.minute())),
            (17..19, u32::from(moment.second())),
            (20..26, moment.microsecond()),
        ];
        for (place, mut number) in parts {
            for digit in text.get_mut(place).into_iter().flatten().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
            .map_err(|_| BadTimestamp(text.chars().take(64).collect()))?;
        Ok(Self((moment.unix_timestamp_nanos() / 1000) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_six_digits_and_a_numeric_offset() {
        assert_eq!(
            Timestamp(1_763_790_181_123_456).to_string(),
            "2025-11-22T05:43:01.123456+00:00"
        );
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000000+00:00");
    }

    #[test]
    fn a_clock_that_is_corrected_was_not_set_back() {
        let shown = Timestamp::from_secs(1000);
        for (now, set_back) in [(2000, false), (1000, false), (940, false), (939, true)] {
            assert_eq!(shown.is_of_a_clock_set_back(Timestamp::from_secs(now)), set_back, "{now}");
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        for micros in [0, 1, 999_999, 1_763_790_181_123_456, -1] {
            let moment = Timestamp(micros);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
