//! `data:` URIs (RFC 2397), read without decoding.
//!
//! Whatever is accepted here, [`decode_base64`] decodes to the size that was foreseen, so that a
//! body that passed validation cannot fail when its bytes are stored.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The parts of a `data:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataUri {
    /// In lower case, without parameters: `image/png`.
    pub media_type: String,
    /// Where the base64 text is, in bytes.
    pub base64: Range<usize>,
    /// How many bytes it decodes to.
    pub bytes: u64,
}

/// Why a text is not a `data:` URI that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataError {
    NoComma,
    NotBase64,
    Syntax,
    Empty,
}

/// Whether the text claims to be a `data:` URI.
pub(crate) fn is_data(text: &str) -> bool {
    text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// Decodes base64 text: the standard alphabet, padded or not.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    LENIENT.decode(text)
}

// === impl DataUri ===

impl DataUri {
    /// Finds the parts; looks at every character of the base64 text, decodes none.
    pub(crate) fn parse(text: &str) -> Result<Self, DataError> {
        let comma = text.find(',').ok_or(DataError::NoComma)?;
        let head = text.get(5..comma).ok_or(DataError::NoComma)?;
        let mut parts = head.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
        if !parts.any(|part| part.eq_ignore_ascii_case("base64")) {
            return Err(DataError::NotBase64);
        }
        let payload = text.get(comma + 1..).unwrap_or("");
        let bytes = decoded_len(payload).ok_or(DataError::Syntax)?;
        if bytes == 0 {
            return Err(DataError::Empty);
        }
        Ok(Self { media_type, base64: comma + 1..text.len(), bytes })
    }
}

/// How many bytes the base64 text stands for; `None` if it is not base64 text.
fn decoded_len(text: &str) -> Option<u64> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let letters = bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let tail = bare.len() % 4;
    let padded = padding == 0 || (tail >= 2 && padding == 4 - tail);
    (letters && tail != 1 && padded).then(|| (bare.len() / 4 * 3 + tail * 3 / 4) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_type_text_and_size() {
        let text = "Data:Image/PNG;charset=x;BASE64,AAECAw==";
        let uri = DataUri::parse(text).unwrap();
        assert_eq!(uri.media_type, "image/png");
        assert_eq!(&text[uri.base64.clone()], "AAECAw==");
        assert_eq!(uri.bytes, 4);
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, want) in [
            ("data:image/png;base64", DataError::NoComma),
            ("data:image/png,hello", DataError::NotBase64),
            ("data:image/png;base64,", DataError::Empty),
            ("data:image/png;base64,A", DataError::Syntax),
            ("data:image/png;base64,AA=", DataError::Syntax),
            ("data:image/png;base64,AA-_", DataError::Syntax),
            ("data:image/png;base64,AA AA", DataError::Syntax),
            ("data:image/png;base64,====", DataError::Syntax),
        ] {
            assert_eq!(DataUri::parse(text).unwrap_err(), want, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_decodes_to_the_size_that_was_promised(text in "[A-Za-z0-9+/=_ -]{0,24}") {
            if let Some(promised) = decoded_len(&text) {
                let bytes = decode_base64(&text).unwrap();
                proptest::prop_assert_eq!(bytes.len() as u64, promised);
            }
        }

        #[test]
        fn whatever_is_encoded_is_accepted(bytes in proptest::collection::vec(0u8.., 0..64)) {
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            proptest::prop_assert_eq!(decoded_len(&text), Some(bytes.len() as u64));
            let bare = text.trim_end_matches('=');
            proptest::prop_assert_eq!(decoded_len(bare), Some(bytes.len() as u64));
        }
    }
}
