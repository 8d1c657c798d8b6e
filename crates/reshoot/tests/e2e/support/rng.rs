//! Numbers by chance.

use domain::Rng;
use testkit::SeededRng;

/// A number below `bound`.
pub(crate) fn below(rng: &SeededRng, bound: usize) -> usize {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    (u64::from_le_bytes(bytes) % bound as u64) as usize
}
