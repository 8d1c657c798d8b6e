//! Chance that a seed decides.
//!
//! Everybody in a history draws from a source of their own, made of the seed, their name and the
//! number of their life: what one of them does more or less leaves the draws of the others alone.

use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};

/// A seeded source of chance.
#[derive(Debug)]
pub struct Luck(Mutex<SmallRng>);

// === impl Luck ===

impl Luck {
    /// That of `whose` life number `life` in the history of `seed`.
    pub fn of(seed: u64, whose: &str, life: u64) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        let words = seed.to_le_bytes().into_iter().chain(whose.bytes()).chain(life.to_le_bytes());
        let mixed = words.fold(0xCBF2_9CE4_8422_2325, mix);
        Self(Mutex::new(SmallRng::seed_from_u64(mixed)))
    }

    /// `true` in so many of a thousand draws.
    pub fn chance(&self, per_mille: u64) -> bool {
        self.within(0..=999) < per_mille
    }

    /// A number of the range.
    pub fn within(&self, range: RangeInclusive<u64>) -> u64 {
        self.lock().random_range(range)
    }

    /// So many milliseconds.
    pub fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// One of `some`, if there is one.
    pub fn pick<'a, T>(&self, some: &'a [T]) -> Option<&'a T> {
        let last = some.len().checked_sub(1)?;
        some.get(self.within(0..=last as u64) as usize)
    }

    fn lock(&self) -> MutexGuard<'_, SmallRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl domain::Rng for Luck {
    fn fill(&self, bytes: &mut [u8]) {
        self.lock().fill_bytes(bytes);
    }
}
