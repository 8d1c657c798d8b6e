//! When to try again: doubling pauses with jitter, or what `Retry-After` says.

use std::time::Duration;

use domain::{Rng, Timestamp};

/// The pause before try number `tried` + 1, where `tried` tries failed: `base` doubled for each
/// try after the first, of which a random part between a half and the whole is waited.
pub(crate) fn pause(base: Duration, tried: u32, rng: &dyn Rng) -> Duration {
    let mut random = [0_u8; 2];
    rng.fill(&mut random);
    let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    let whole = base.saturating_mul(1 << tried.saturating_sub(1).min(16));
    whole.mul_f64(share.mul_add(0.5, 0.5))
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date such as
/// `Fri, 31 Dec 1999 23:59:59 GMT`. A date in the past is no wait; anything else says nothing.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(secs) = text.parse::<u64>() {
        return Some(Duration::from_secs(secs));
    }
    let millis = http_date(text)?.millis_since(now);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

/// An IMF-fixdate (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let (clock, "GMT") = (words.next()?, words.next()?) else { return None };
    let month = MONTHS.iter().position(|&name| name == month)? + 1;
    format!("{year}-{month:02}-{day}T{clock}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::SeededRng;

    #[test]
    fn pauses_double_and_vary_by_half() {
        let rng = SeededRng::new(1);
        let base = Duration::from_millis(400);
        for (tried, whole) in [(1, 400), (2, 800), (3, 1600)] {
            let drawn: Vec<_> = (0..50).map(|_| pause(base, tried, &rng)).collect();
            let bounds = Duration::from_millis(whole / 2)..=Duration::from_millis(whole);
            assert!(drawn.iter().all(|pause| bounds.contains(pause)), "{drawn:?}");
            assert!(drawn.iter().any(|pause| *pause != drawn[0]));
        }
    }

    #[test]
    fn reads_seconds_and_dates() {
        let now: Timestamp = "1999-12-31T23:59:00Z".parse().unwrap();
        let secs = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(secs("7"), Some(7));
        assert_eq!(secs(" 0 "), Some(0));
        assert_eq!(secs("Fri, 31 Dec 1999 23:59:59 GMT"), Some(59));
        assert_eq!(secs("Fri, 31 Dec 1999 23:58:00 GMT"), Some(0));
        for text in ["", "-1", "soon", "Fri, 31 Foo 1999 23:59:59 GMT", "Fri, 31 Dec 1999"] {
            assert_eq!(secs(text), None, "{text}");
        }
    }
}
