//! Secrets and signatures of webhooks, and when a delivery is tried again.
//!
//! A receiver has to know that a message is ours, whole and new. We follow Standard Webhooks
//! 1.0.0 (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>),
//! for which receivers have libraries in most languages: symmetric secrets (`whsec_…`) and
//! signatures (`v1,…`) over `{id}.{unix seconds}.{body}`.
//!
//! A receiver accepts a message where one of its secrets fits one of the signatures; while a
//! secret is replaced, messages are therefore signed with the old one and the new one. It has to
//! refuse times that are far from its own, and ids that it has seen: the id of a message is the
//! same at every attempt, the time is that of the attempt.

mod schedule;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::{Rng, Timestamp};

pub use schedule::{GIVE_UP_SECS, next_attempt};

/// The header that holds the message's id, the same at every attempt.
pub const ID_HEADER: &str = "webhook-id";
/// The header that holds the moment of the attempt, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header that holds the signatures, as [`sign`] writes them.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
const MADE_BYTES: usize = 24;
const MIN_BYTES: usize = 24;
/// The block of SHA-256, which is also the most that the specification allows.
const MAX_BYTES: usize = 64;

/// What a receiver and this server share: 24 to 64 bytes. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Box<[u8]>);

/// Why a text cannot be a webhook secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWebhookSecret {
    /// No prefix, or no base64 after it.
    #[error("a webhook secret is `whsec_` and base64 with its padding")]
    Form,
    /// Too few bytes to be secret, or more than the specification allows.
    #[error("a webhook secret has {MIN_BYTES} to {MAX_BYTES} bytes, this one has {0}")]
    Length(usize),
}

// === impl WebhookSecret ===

impl WebhookSecret {
    /// A new secret of 24 random bytes.
    pub fn new(rng: &dyn Rng) -> Self {
        let mut bytes = [0_u8; MADE_BYTES];
        rng.fill(&mut bytes);
        Self(bytes.into())
    }

    /// Reads a secret; says why a text is none.
    pub fn parse(text: &str) -> Result<Self, BadWebhookSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(BadWebhookSecret::Form)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| BadWebhookSecret::Form)?;
        if !(MIN_BYTES..=MAX_BYTES).contains(&bytes.len()) {
            return Err(BadWebhookSecret::Length(bytes.len()));
        }
        Ok(Self(bytes.into()))
    }

    /// The secret itself, to be shown to its owner and stored.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, id: &str, at: Timestamp, body: &[u8]) -> Hmac<Sha256> {
        // HMAC itself pads a key of at most one block with zeros (RFC 2104, section 2).
        let mut key = Key::<Hmac<Sha256>>::default();
        key.iter_mut().zip(&self.0).for_each(|(slot, byte)| *slot = *byte);
        Hmac::<Sha256>::new(&key)
            .chain_update(id)
            .chain_update(format!(".{}.", at.unix_secs()))
            .chain_update(body)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(whsec_…)")
    }
}

/// The value of [`SIGNATURE_HEADER`] for an attempt at `at`: one signature for each secret, with
/// a space between.
///
/// `id` is the value of [`ID_HEADER`] and must not hold a full stop (ids of this server don't):
/// the receiver could be made to read another boundary between id, time and body.
pub fn sign(secrets: &[WebhookSecret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let signature = |secret: &WebhookSecret| {
        let code = secret.mac(id, at, body).finalize().into_bytes();
        format!("{VERSION}{}", STANDARD.encode(code))
    };
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

/// Whether one of `signatures` (the value of [`SIGNATURE_HEADER`]) was made with `secret`, as a
/// receiver finds out, in constant time. Signatures of other versions are passed over.
///
/// A receiver also has to compare `at` with its clock; five minutes are usual.
pub fn verify(
    secret: &WebhookSecret,
    id: &str,
    at: Timestamp,
    body: &[u8],
    signatures: &str,
) -> bool {
    let mac = secret.mac(id, at, body);
    signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix(VERSION)?).ok())
        .any(|code| mac.clone().verify_slice(&code).is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Rng;

    struct Seeded([u8; 24]);
    impl Rng for Seeded {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0[..bytes.len()]);
        }
    }

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: Timestamp = Timestamp::from_secs(1_614_265_330);
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn secret() -> WebhookSecret {
        WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    /// The vector that the specification's libraries are tested with.
    #[test]
    fn signs_like_the_specification() {
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(&[secret()], ID, AT, BODY), expected);
        // The fraction of a second is not signed.
        assert_eq!(sign(&[secret()], ID, AT.plus_millis(999), BODY), expected);
        assert!(verify(&secret(), ID, AT, BODY, expected));
    }

    /// Computed with Python's `hmac`.
    #[test]
    fn a_secret_may_fill_a_block() {
        let long = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1\
                    Njc4OTo7PD0+Pw==";
        let long = WebhookSecret::parse(long).unwrap();
        let signed = sign(&[long], "req_1", Timestamp::from_secs(1_767_225_600), b"{}");
        assert_eq!(signed, "v1,DXG817Zx4+sV2DKBOP1CtA3vN6lptT3BPBUr/9RFWbA=");
    }

    #[test]
    fn while_a_secret_is_replaced_both_verify() {
        let next = WebhookSecret::new(&Seeded([7; 24]));
        let signatures = sign(&[secret(), next.clone()], ID, AT, BODY);
        assert_eq!(signatures.split(' ').count(), 2);
        assert!(verify(&secret(), ID, AT, BODY, &signatures));
        assert!(verify(&next, ID, AT, BODY, &signatures));
        let other = WebhookSecret::new(&Seeded([8; 24]));
        assert!(!verify(&other, ID, AT, BODY, &signatures));
    }

    #[test]
    fn what_was_changed_does_not_verify() {
        let signed = sign(&[secret()], ID, AT, BODY);
        let fits = |id, at, body, signed: &str| verify(&secret(), id, at, body, signed);
        assert!(fits(ID, AT, BODY, &format!("v1a,AAAA {signed} v2,AAAA")));
        assert!(!fits("msg_other", AT, BODY, &signed));
        assert!(!fits(ID, AT.plus_secs(1), BODY, &signed));
        assert!(!fits(ID, AT, b"{}", &signed));
        for broken in ["", "v1,", "v1,AAAA", &signed[1..], &signed[..20], &signed.replace('v', "w")]
        {
            assert!(!fits(ID, AT, BODY, broken), "{broken}");
        }
    }

    #[test]
    fn texts_that_are_no_secrets_are_refused() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![1; bytes]));
        assert!(WebhookSecret::parse(&of(24)).is_ok() && WebhookSecret::parse(&of(64)).is_ok());
        for bytes in [0, 23, 65] {
            assert_eq!(WebhookSecret::parse(&of(bytes)), Err(BadWebhookSecret::Length(bytes)));
        }
        for text in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec-MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            of(25).trim_end_matches('='),
        ] {
            assert_eq!(WebhookSecret::parse(text), Err(BadWebhookSecret::Form), "{text}");
        }
    }

    #[test]
    fn debug_hides_a_secret() {
        assert_eq!(format!("{:?}", secret()), "WebhookSecret(whsec_…)");
    }

    proptest! {
        #[test]
        fn a_secret_reads_back_what_it_shows(bytes in prop::collection::vec(any::<u8>(), 24..=64)) {
            let secret = WebhookSecret(bytes.into());
            prop_assert_eq!(WebhookSecret::parse(&secret.expose()), Ok(secret));
        }

        #[test]
        fn what_is_signed_verifies_with_its_own_secret_alone(
            mine in any::<[u8; 24]>(),
            other in any::<[u8; 24]>(),
            secs in 0_i64..1 << 40,
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assume!(mine != other);
            let (mine, other) = (WebhookSecret(mine.into()), WebhookSecret(other.into()));
            let at = Timestamp::from_secs(secs);
            let signed = sign(std::slice::from_ref(&mine), ID, at, &body);
            prop_assert!(verify(&mine, ID, at, &body, &signed));
            prop_assert!(!verify(&other, ID, at, &body, &signed));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,80}") {
            let _ = WebhookSecret::parse(&text);
            prop_assert!(!verify(&secret(), ID, AT, BODY, &text));
        }
    }
}
