//! What holds for any bytes: bodies of fuzz targets, run as property tests, too.

use crate::clock::Rng;
use crate::key::{BadKey, SecretKey};

/// Not random at all: the bytes that it was given, again and again.
struct Given<'a>(&'a [u8]);

impl Rng for Given<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        for (to, from) in bytes.iter_mut().zip(self.0.iter().chain([&0]).cycle()) {
            *to = *from;
        }
    }
}

/// The bytes as a key, and a key made of them: a text is a key as it is written or not at all,
/// and no key is still one with one digit changed.
///
/// # Panics
/// Where that does not hold.
pub fn key(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let digits = text.strip_prefix("rsk_").unwrap_or_default();
    let has_form = digits.len() == 49 && digits.bytes().all(|b| b.is_ascii_alphanumeric());
    match SecretKey::parse(&text) {
        Ok(key) => {
            assert!(has_form, "{text:?}");
            assert_eq!(key.expose(), text);
        }
        Err(BadKey::Form) => assert!(!has_form, "{text:?}"),
        Err(BadKey::Checksum) => assert!(has_form, "{text:?}"),
    }
    let made = SecretKey::new(&Given(bytes));
    assert_eq!(SecretKey::parse(made.expose()).as_ref(), Ok(&made));
    assert!(!format!("{made:?}").contains(&made.expose()[4..]));
    for place in 0..made.expose().len() {
        let mut changed = made.expose().as_bytes().to_vec();
        changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
        assert!(SecretKey::parse(&String::from_utf8_lossy(&changed)).is_err(), "{place}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            key(&bytes);
        }

        #[test]
        fn what_is_almost_a_key(
            bits in any::<[u8; 32]>(),
            changes in proptest::collection::vec((0_usize..60, any::<u8>()), 0..3),
            cut in 0_usize..60,
        ) {
            let mut bytes = SecretKey::new(&Given(&bits)).expose().as_bytes().to_vec();
            for (place, byte) in changes {
                if let Some(old) = bytes.get_mut(place) {
                    *old = byte;
                }
            }
            key(&bytes);
            bytes.truncate(cut);
            key(&bytes);
        }
    }
}
