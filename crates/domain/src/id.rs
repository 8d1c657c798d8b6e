//! Typed ids: a prefix and 26 characters that sort by time of making.
//!
//! The body is a ULID in lower case (48 bits of milliseconds, 80 random bits, Crockford's
//! base 32). All match `[a-zA-Z0-9_-]{1,128}`, which real clients require of a request id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::{Rng, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX_LEN: usize = 4;
/// Bytes of an id, all of them ASCII: an id is copied about for every call, so it lies inline.
const LEN: usize = PREFIX_LEN + 26;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not an id of the form `{prefix}…`")]
pub struct BadId {
    prefix: &'static str,
    found: String,
}

fn make(prefix: [u8; PREFIX_LEN], now: Timestamp, rng: &dyn Rng) -> [u8; LEN] {
    let mut random = [0_u8; 10];
    rng.fill(&mut random);
    let mut bits = (now.0.max(0) / 1000) as u128 & 0xFFFF_FFFF_FFFF;
    for byte in random {
        bits = (bits << 8) | u128::from(byte);
    }
    let mut text = [0; LEN];
    let (front, body) = text.split_at_mut(PREFIX_LEN);
    front.copy_from_slice(&prefix);
    for place in body.iter_mut().rev() {
        *place = ALPHABET.get((bits & 31) as usize).copied().unwrap_or(b'0');
        bits >>= 5;
    }
    text
}

/// Whether a byte is one of [`ALPHABET`].
const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z')
}

fn parse(prefix: &'static str, text: &str) -> Result<[u8; LEN], BadId> {
    let is_body = |body: &str| body.bytes().all(is_digit);
    text.strip_prefix(prefix)
        .filter(|body| is_body(body))
        .and_then(|_| text.as_bytes().try_into().ok())
        .ok_or_else(|| BadId { prefix, found: text.chars().take(64).collect() })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; LEN]);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = match std::str::from_utf8($prefix) {
                Ok(text) => text,
                Err(_) => "",
            };

            /// A new id, made at `now`.
            pub fn new(now: Timestamp, rng: &dyn Rng) -> Self {
                Self(make(*$prefix, now, rng))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                parse(Self::PREFIX, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

id!(
    /// One request for a clip.
    RequestId, b"req_"
);
id!(
    /// Whoever requests, usage and secrets belong to; keys are an owner's credentials.
    OwnerId, b"own_"
);
id!(
    /// One API key (its public id, not the secret).
    KeyId, b"key_"
);
id!(
    /// One worker process, for as long as it lives.
    WorkerId, b"wrk_"
);

/// `bytes` in lower-case hexadecimal, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| b"0123456789abcdef".get(usize::from(value)).copied();
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.flatten().map(char::from).collect()
}

/// Digits of a token.
const TOKEN_HEX_LEN: usize = 48;

/// A type of token: 192 random bits in hexadecimal.
macro_rules! token {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// A new token.
            pub fn new(rng: &dyn Rng) -> Self {
                let mut random = [0_u8; TOKEN_HEX_LEN / 2];
                rng.fill(&mut random);
                Self(hex(&random).into())
            }

            /// The token as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if text.len() == TOKEN_HEX_LEN && hex {
                    Ok(Self(text.into()))
                } else {
                    Err(BadId { prefix: "", found: text.chars().take(64).collect() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(token: $name) -> Self {
                token.0.into()
            }
        }
    };
}

token!(
    /// The unguessable part of a `/files/{token}/{name}` URL.
    FileToken
);
token!(
    /// The unguessable part of a link that shows one result to whoever has it.
    ShareToken
);

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn sorts_by_time_and_parses_back() {
        let early = RequestId::new(Timestamp::from_secs(1_000), &Fixed(0xFF));
        let late = RequestId::new(Timestamp::from_secs(1_001), &Fixed(0));
        assert!(early < late);
        assert_eq!(late.as_str().parse(), Ok(late.clone()));
        assert_eq!(late.as_str().len(), 30);
    }

    #[test]
    fn the_digits_are_those_of_the_alphabet() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_digit(byte), ALPHABET.contains(&byte), "{byte}");
        }
    }

    #[test]
    fn refuses_other_kinds_and_lengths() {
        let id = RequestId::new(Timestamp(0), &Fixed(1));
        assert!(id.as_str().parse::<OwnerId>().is_err());
        for text in ["", "req_", "req_../../etc/passwd", "req_0000000000000000000000000u"] {
            assert!(text.parse::<RequestId>().is_err(), "{text}");
        }
        assert!(FileToken::new(&Fixed(7)).as_str().parse::<FileToken>().is_ok());
        assert!(ShareToken::new(&Fixed(7)).as_str().parse::<ShareToken>().is_ok());
        assert!("ABC".parse::<FileToken>().is_err());
    }
}
