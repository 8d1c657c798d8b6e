//! API keys: `rsk_`, 43 base-62 digits of 256 random bits, 6 base-62 digits of their CRC-32.
//!
//! The checksum lets a client, a server or a secret scanner tell a mistyped key from a wrong
//! one without a look-up. Only the SHA-256 of a key is stored: 256 random bits need no slow hash.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::admission::Limits;
use crate::clock::{Rng, Timestamp};
use crate::id::{KeyId, OwnerId};

const PREFIX: &str = "rsk_";
const BODY_LEN: usize = 43;
const CHECK_LEN: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key as its holder has it. Shown once, never stored; its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

/// SHA-256 of a [`SecretKey`]'s text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 32]);

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// Its owner's requests.
    User,
    /// Everybody's, and the system's.
    Admin,
}

/// One key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Public id.
    pub id: KeyId,
    /// Whom it speaks for.
    pub owner: OwnerId,
    /// The name its maker gave it.
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped counting, if it did.
    pub revoked_at: Option<Timestamp>,
    /// The minute in which a call was last made with it, as far as that is written down. Only
    /// lists have it up to date.
    pub last_used_at: Option<Timestamp>,
    /// What it may use; set apart from the record.
    pub limits: Limits,
    /// What its owner may use with all keys; set apart from the record.
    pub owner_limits: Limits,
}

/// Why a text cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Not the form of a key of this server.
    #[error("a key is `rsk_` and 49 letters and digits")]
    Form,
    /// The form is right, the checksum is not: a character was lost or changed.
    #[error("the key's checksum does not match: it was mistyped or cut")]
    Checksum,
}

// === impl SecretKey ===

impl SecretKey {
    /// A new key.
    pub fn new(rng: &dyn Rng) -> Self {
        let mut bits = [0_u8; 32];
        rng.fill(&mut bits);
        let body = base62::<BODY_LEN>(&bits);
        let check = checksum(&body);
        Self(format!("{PREFIX}{body}{check}"))
    }

    /// Reads a key; says why a text is none.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let digits = text.strip_prefix(PREFIX).ok_or(BadKey::Form)?;
        if digits.len() != BODY_LEN + CHECK_LEN
            || !digits.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return Err(BadKey::Form);
        }
        let (body, check) = digits.split_at(BODY_LEN);
        if checksum(body) != check {
            return Err(BadKey::Checksum);
        }
        Ok(Self(text.to_owned()))
    }

    /// What is stored of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The key itself, to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(rsk_…)")
    }
}

// === impl KeyRole ===

impl KeyRole {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

// === impl KeyRecord ===

impl KeyRecord {
    /// A valid key without limits.
    pub fn new(id: KeyId, owner: OwnerId, name: String, role: KeyRole, now: Timestamp) -> Self {
        let (limits, owner_limits) = (Limits::default(), Limits::default());
        Self {
            id,
            owner,
            name,
            role,
            created_at: now,
            revoked_at: None,
            last_used_at: None,
            limits,
            owner_limits,
        }
    }
}

fn checksum(body: &str) -> String {
    base62::<CHECK_LEN>(&crc32fast::hash(body.as_bytes()).to_be_bytes())
}

/// `bytes` as one big-endian number in `N` base-62 digits.
fn base62<const N: usize>(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut out = [b'0'; N];
    for slot in out.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = (rest << 8) | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *slot = DIGITS.get(rest as usize).copied().unwrap_or(b'0');
    }
    out.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DIGITS, SecretKey};
    use crate::clock::Rng;

    struct Seeded([u8; 32]);
    impl Rng for Seeded {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0[..bytes.len()]);
        }
    }

    proptest! {
        #[test]
        fn a_made_key_parses_and_one_changed_digit_does_not(
            bits in any::<[u8; 32]>(), place in 4_usize..53, digit in 0_usize..62,
        ) {
            let key = SecretKey::new(&Seeded(bits));
            prop_assert_eq!(SecretKey::parse(key.expose()), Ok(key.clone()));
            let mut text = key.expose().as_bytes().to_vec();
            prop_assume!(text[place] != DIGITS[digit]);
            text[place] = DIGITS[digit];
            prop_assert!(SecretKey::parse(std::str::from_utf8(&text).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_answered(text in ".{0,80}") {
            let _ = SecretKey::parse(&text);
        }
    }

    #[test]
    fn different_bits_give_different_keys_and_debug_hides_them() {
        let (a, b) = (SecretKey::new(&Seeded([0xFF; 32])), SecretKey::new(&Seeded([0xFE; 32])));
        assert_ne!(a, b);
        assert_eq!(a.expose().len(), 53);
        assert_eq!(format!("{a:?}"), "SecretKey(rsk_…)");
    }
}
