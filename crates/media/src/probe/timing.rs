//! Rate and length of a video, from the times of its packets.

use super::MAX_PACKETS;
use super::answer::{Answer, Packet, Stream, fraction, secs};

/// Frame times are uneven if two gaps differ by more than this part of the middle one …
const UNEVEN_PART: f64 = 0.2;
/// … and by more ticks than rounding to the file's clock explains.
const UNEVEN_TICKS: i64 = 2;

/// When the pictures are shown.
pub(super) struct Timing {
    pub(super) start_secs: f64,
    pub(super) duration_secs: f64,
    pub(super) frames: u64,
    pub(super) fps_ratio: (u64, u64),
    pub(super) uneven: bool,
}

/// Measures the pictures that a player shows; `None` if there are none.
pub(super) fn measure(answer: &Answer, video: &Stream) -> Option<Timing> {
    if answer.packets.len() >= MAX_PACKETS {
        return claimed(answer, video);
    }
    let (num, den) = fraction(video.time_base.as_ref()).filter(|(num, _)| *num > 0)?;
    let of_video: Vec<&Packet> =
        answer.packets.iter().filter(|packet| packet.stream_index == video.index).collect();
    let mut shown: Vec<(i64, i64)> = of_video
        .iter()
        // Discarded by the edit list, decoded only for the sake of others.
        .filter(|packet| !packet.flags.contains('D'))
        .filter_map(|packet| {
            Some((packet.pts.or(packet.dts)?, packet.duration.unwrap_or(0).max(0)))
        })
        .collect();
    shown.sort_unstable();
    let (&(first, _), &(last, last_ticks)) = (shown.first()?, shown.last()?);
    let gaps = gaps(&shown);
    let middle = gaps.get(gaps.len() / 2).copied();
    let last_ticks = if last_ticks > 0 { last_ticks } else { middle.unwrap_or(0) };
    let ticks = last.saturating_sub(first).saturating_add(last_ticks);
    let frames = shown.len() as u64;
    let tick_secs = num as f64 / den as f64;
    let span = u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)?;
    Some(Timing {
        start_secs: first as f64 * tick_secs,
        duration_secs: ticks as f64 * tick_secs,
        frames,
        fps_ratio: lowest(u128::from(frames) * u128::from(den), u128::from(span) * u128::from(num)),
        uneven: uneven(&gaps),
    })
}

/// What the header claims, for a file that is too long to be measured.
fn claimed(answer: &Answer, video: &Stream) -> Option<Timing> {
    let duration_secs = secs(video.duration.as_ref())
        .or_else(|| secs(answer.format.duration.as_ref()))
        .filter(|secs| *secs > 0.0)?;
    let fps_ratio = fraction(video.avg_frame_rate.as_ref()).filter(|(over, _)| *over > 0)?;
    let by_rate = duration_secs * fps_ratio.0 as f64 / fps_ratio.1 as f64;
    let frames = video.nb_frames.as_deref().and_then(|n| n.parse().ok());
    Some(Timing {
        start_secs: secs(video.start_time.as_ref()).unwrap_or(0.0),
        duration_secs,
        frames: frames.unwrap_or(by_rate as u64),
        fps_ratio,
        uneven: false,
    })
}

/// Ticks from each picture to the next, sorted.
fn gaps(shown: &[(i64, i64)]) -> Vec<i64> {
    let mut gaps: Vec<i64> = shown
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)?.0.saturating_sub(pair.first()?.0)))
        .collect();
    gaps.sort_unstable();
    gaps
}

fn uneven(sorted: &[i64]) -> bool {
    let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else { return false };
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let spread = most.saturating_sub(least);
    spread > UNEVEN_TICKS && spread as f64 > UNEVEN_PART * middle as f64
}

/// A fraction in lowest terms; halved until it fits.
fn lowest(over: u128, under: u128) -> (u64, u64) {
    let (mut a, mut b) = (over, under);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let (mut over, mut under) = (over / a.max(1), under / a.max(1));
    while over > u128::from(u64::MAX) || under > u128::from(u64::MAX) {
        (over, under) = (over >> 1, under >> 1);
    }
    (over as u64, (under as u64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_to_the_clock_is_not_an_uneven_rate() {
        // 29.97 fps on a clock of 600 ticks a second.
        assert!(!uneven(&[20, 20, 20, 20, 21]));
        assert!(uneven(&[500, 500, 500, 1000]));
        assert!(!uneven(&[]));
    }

    #[test]
    fn fractions_are_in_lowest_terms() {
        assert_eq!(lowest(150 * 90_000, 450_000), (30, 1));
        assert_eq!(lowest(30_000, 1001), (30_000, 1001));
        assert_eq!(lowest(0, 0), (0, 1));
    }
}
