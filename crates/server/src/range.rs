//! Conditional and range requests for a file that never changes (RFC 9110, sections 13 and 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// What to send of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// 304: the client has it.
    Nothing,
    /// 200.
    Whole,
    /// 206: these bytes.
    Part(Range<u64>),
    /// 416: none of the bytes asked for are there.
    Unsatisfiable,
}

/// One range as it is written; both ends count.
enum Spec {
    /// `a-`
    From(u64),
    /// `a-b`
    Between(u64, u64),
    /// `-n`
    Last(u64),
}

/// What the headers ask for, of a file with this `etag` (with its quotes) and size.
///
/// A list of ranges, another unit and what cannot be read are answered with the whole file, which
/// the RFC allows.
pub(crate) fn wanted(headers: &HeaderMap, etag: &str, total: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(known) = text(IF_NONE_MATCH)
        && (known.trim() == "*" || known.split(',').any(|tag| weak(tag.trim()) == etag))
    {
        return Wanted::Nothing;
    }
    // Strong comparison: a weak tag or a date names no exact bytes.
    let same = match headers.get(IF_RANGE) {
        Some(known) => known.as_bytes() == etag.as_bytes(),
        None => true,
    };
    match text(RANGE).filter(|_| same) {
        Some(range) => part(range, total),
        None => Wanted::Whole,
    }
}

fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

fn part(range: &str, total: u64) -> Wanted {
    let range = match spec(range) {
        None => return Wanted::Whole,
        Some(Spec::From(first)) => first..total,
        Some(Spec::Between(first, last)) => first..total.min(last.saturating_add(1)),
        Some(Spec::Last(suffix)) => total.saturating_sub(suffix)..total,
    };
    if range.is_empty() { Wanted::Unsatisfiable } else { Wanted::Part(range) }
}

/// One range, if that is what the header says in bytes.
fn spec(range: &str) -> Option<Spec> {
    let (unit, set) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match set.trim().split_once('-')? {
        ("", suffix) => Some(Spec::Last(number(suffix)?)),
        (first, "") => Some(Spec::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::Between(first, last))
        }
    }
}

/// A number too great for 64 bits counts as the greatest.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: &str = "\"abc\"";

    fn ask(headers: &[(http::HeaderName, &'static str)], total: u64) -> Wanted {
        let value = |text| http::HeaderValue::from_static(text);
        let headers = headers.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        wanted(&headers, ETAG, total)
    }

    #[test]
    fn cuts_ranges_at_the_end_of_the_file() {
        for (range, want) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-5", Wanted::Part(2..6)),
            ("bytes=2-", Wanted::Part(2..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("Bytes=5-99999999999999999999", Wanted::Part(5..10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("nonsense", Wanted::Whole),
        ] {
            assert_eq!(ask(&[(RANGE, range)], 10), want, "{range}");
        }
        assert_eq!(ask(&[(RANGE, "bytes=0-")], 0), Wanted::Unsatisfiable);
        assert_eq!(ask(&[(RANGE, "bytes=-1")], 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn a_client_that_has_the_file_gets_nothing() {
        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert_eq!(ask(&[(IF_NONE_MATCH, known), (RANGE, "bytes=0-1")], 10), Wanted::Nothing);
        }
        assert_eq!(ask(&[(IF_NONE_MATCH, "\"x\"")], 10), Wanted::Whole);
    }

    #[test]
    fn if_range_guards_the_range() {
        let part = |known| ask(&[(IF_RANGE, known), (RANGE, "bytes=0-1")], 10);
        assert_eq!(part("\"abc\""), Wanted::Part(0..2));
        assert_eq!(part("\"old\""), Wanted::Whole);
        assert_eq!(part("W/\"abc\""), Wanted::Whole);
        assert_eq!(part("Sun, 22 Nov 2026 05:43:01 GMT"), Wanted::Whole);
    }

    proptest::proptest! {
        #[test]
        fn no_header_reaches_beyond_the_file(header in "(bytes=)?[0-9, -]{0,24}|.{0,24}", total: u64) {
            if let Wanted::Part(range) = part(&header, total) {
                proptest::prop_assert!(range.start < range.end && range.end <= total);
            }
        }
    }
}
