//! What a published result costs.

use serde::{Deserialize, Serialize};

/// Money, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Microdollars(pub i64);

/// The balance shown where no budget is set: 1,000,000 USD.
pub const UNLIMITED: Microdollars = Microdollars(1_000_000_000_000);

// === impl Microdollars ===

impl Microdollars {
    /// The price of `secs` seconds (or outputs) at `each` per second (or output), saturating.
    #[must_use]
    pub const fn times(each: Self, secs: u32) -> Self {
        Self(each.0.saturating_mul(secs as i64))
    }

    /// From a price in USD as a manifest gives it, rounded to a millionth.
    pub fn from_usd(usd: f64) -> Self {
        Self((usd * 1e6).round() as i64)
    }

    /// In USD.
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_exact_to_the_millionth() {
        let price = Microdollars::from_usd(0.112);
        assert_eq!(Microdollars::times(price, 5), Microdollars(560_000));
        assert_eq!(Microdollars::times(price, 5).usd(), 0.56);
        assert_eq!(Microdollars::times(Microdollars(i64::MAX), 2), Microdollars(i64::MAX));
    }
}
