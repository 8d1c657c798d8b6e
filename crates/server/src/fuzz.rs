//! What holds for any bytes: bodies of fuzz targets, run as property tests, too.

use http::header::RANGE;
use http::{HeaderMap, HeaderValue};

use crate::range::{Wanted, wanted};

/// The length of a file in the first eight bytes, then a `Range` header for it.
///
/// A range that is answered has bytes, lies in the file, and asked for by its own limits is
/// answered the same. What is refused names no byte of the file.
///
/// # Panics
/// Where that does not hold.
pub fn range(bytes: &[u8]) {
    let Some((total, header)) = bytes.split_first_chunk() else { return };
    let total = u64::from_be_bytes(*total);
    let Ok(header) = HeaderValue::from_bytes(header) else { return };
    let answer = ask(header.clone(), total);
    assert_ne!(answer, Wanted::Nothing, "nobody said that they have the file");
    let of_the_longest = || ask(header.clone(), u64::MAX);
    match answer {
        Wanted::Part(part) => {
            assert!(part.start < part.end && part.end <= total, "{part:?} of {total}: {header:?}");
            let same = HeaderValue::try_from(format!("bytes={}-{}", part.start, part.end - 1));
            assert_eq!(same.ok().map(|same| ask(same, total)), Some(Wanted::Part(part)));
        }
        Wanted::Unsatisfiable => match of_the_longest() {
            Wanted::Part(part) => {
                assert!(total == 0 || part.start >= total, "{part:?}: {header:?}");
            }
            other => assert_eq!(other, Wanted::Unsatisfiable, "{header:?}"),
        },
        Wanted::Whole | Wanted::Nothing => assert_eq!(of_the_longest(), Wanted::Whole),
    }
}

fn ask(header: HeaderValue, total: u64) -> Wanted {
    wanted(&HeaderMap::from_iter([(RANGE, header)]), "\"etag\"", total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers about the length of the file, about the limits of the type, and any.
    fn number(total: u64) -> impl Strategy<Value = String> {
        let near = (-2_i64..3).prop_map(move |by| total.saturating_add_signed(by).to_string());
        prop_oneof![
            near,
            any::<u64>().prop_map(|n| n.to_string()),
            "(18446744073709551[56]..|[0-9]{0,30})"
        ]
    }

    fn header(total: u64) -> impl Strategy<Value = String> {
        let unit = "(bytes|Bytes|bytes |lines)?=? ?";
        let tail = "( |,0-1|-|x|,)?";
        (unit, number(total), "-| - |--|", number(total), tail)
            .prop_map(|(unit, first, dash, last, tail)| format!("{unit}{first}{dash}{last}{tail}"))
    }

    fn case() -> impl Strategy<Value = (u64, String)> {
        let total = prop_oneof![0..3_u64, 0..2000_u64, Just(u64::MAX), any::<u64>()];
        total.prop_flat_map(|total| (Just(total), header(total)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            range(&bytes);
        }

        #[test]
        fn what_is_almost_a_range((total, header) in case()) {
            range(&[total.to_be_bytes().as_slice(), header.as_bytes()].concat());
        }
    }
}
