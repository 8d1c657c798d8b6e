//! What holds for any text: bodies of fuzz targets, run as property tests, too.
#![expect(clippy::unwrap_used, reason = "a promise that is not kept is what is looked for")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data::{DataUri, decode_base64, is_data};

/// A `data:` URI that is accepted decodes to as many bytes as it promised, and what it decodes to
/// is the same after another round.
///
/// # Panics
/// Where that does not hold.
pub fn data_uri(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(uri) = Some(&text).filter(|text| is_data(text)).and_then(|t| DataUri::parse(t).ok())
    else {
        return;
    };
    assert_eq!(uri.base64.end, text.len());
    let (head, payload) = (&text[..uri.base64.start], &text[uri.base64.clone()]);
    assert!(head.ends_with(',') && !head[..head.len() - 1].contains(','), "{head:?}");
    assert!(!uri.media_type.contains([';', ',']) && uri.media_type.trim() == uri.media_type);
    assert_eq!(uri.media_type, uri.media_type.to_ascii_lowercase());

    let decoded = decode_base64(payload).unwrap();
    assert_eq!(decoded.len() as u64, uri.bytes);
    assert!(!decoded.is_empty());
    let again = STANDARD.encode(&decoded);
    // The last character may have bits that stand for nothing.
    let bare = payload.trim_end_matches('=');
    assert_eq!(again[..bare.len() - 1], bare[..bare.len() - 1]);
    assert_eq!(decode_base64(&again).as_ref(), Ok(&decoded));
    let whole = format!("data:{};base64,{again}", uri.media_type);
    let read = DataUri::parse(&whole).unwrap();
    assert_eq!((read.media_type, read.bytes), (uri.media_type, uri.bytes));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            data_uri(&bytes);
            data_uri(&[b"data:".as_slice(), &bytes].concat());
        }

        #[test]
        fn what_is_almost_a_data_uri(
            head in prop_oneof![
                3 => "(?i)data:(image/png|video/mp4)(; ?name=a)?; ?base64,",
                1 => "(?i)data: ?([ -~]{0,8}|é)(; ?[a-z=]{0,4}){0,2}(;base64|;base6)?,?",
            ],
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            tail in "={0,3}|[a-z0-9+/]{0,3}=?|[-_ =é,]{0,3}",
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let encoded = STANDARD.encode(&bytes);
            let mut text = format!("{head}{}{tail}", encoded.trim_end_matches('=')).into_bytes();
            data_uri(&text);
            for (place, byte) in changes {
                let place = place.index(text.len());
                text[place] = byte;
            }
            data_uri(&text);
        }
    }
}
