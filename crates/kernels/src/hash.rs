//! Numbers that look random and are a function of their place.

/// Mixes the bits of a word (the finaliser of SplitMix64, Steele et al. 2014).
#[inline]
pub(crate) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// 0 to 1 from a hashed word.
pub(crate) fn unit(word: u64) -> f32 {
    (word >> 40) as f32 / (1u64 << 24) as f32
}
