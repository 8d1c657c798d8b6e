//! The sound that goes with a timeline.
//!
//! It follows the picture's own map, in straight stretches that leave it by half a frame at most.
//! Where the picture stands still, runs backwards, or is too slow or too fast to be listened to,
//! there is silence. At a jump of the picture the sound jumps too.

use media::AudioSegment;

use super::{Cue, Reel};

/// Shortest stretch worth hearing between two silences.
const SHORTEST_SECS: f64 = 0.1;

/// Speeds between which sound is still sound.
const SPEEDS: (f64, f64) = (0.25, 4.0);

/// Frames of the clip by which a stretch may leave the picture.
const LEAVE: f64 = 0.5;

/// Difference from natural speed that is not worth stretching for.
const NATURAL: f64 = 0.005;

/// Frames whose sound goes on without a jump.
struct Span {
    start: usize,
    end: usize,
}

/// The stretches that are heard, in order, without overlap.
pub(crate) fn segments(cues: &[Cue], reel: &Reel) -> Vec<AudioSegment> {
    let mut segments = Vec::new();
    for run in spans(cues, reel) {
        let long = (run.end - run.start) as f64 / reel.out_rate >= SHORTEST_SECS;
        if long {
            straighten(cues, &run, reel, &mut segments);
        }
    }
    segments
}

/// Speed of play from a frame to the next.
fn speed(cues: &[Cue], n: usize, reel: &Reel) -> Option<f64> {
    Some((cues.get(n + 1)?.main() - cues[n].main()) / reel.step())
}

/// The frames that are heard, cut at jumps.
fn spans(cues: &[Cue], reel: &Reel) -> Vec<Span> {
    // A little leeway for positions that were put on a frame.
    let audible = |n: usize| {
        let found = speed(cues, n, reel);
        found.map(|v| (SPEEDS.0 - 0.02..=SPEEDS.1 + 0.02).contains(&v))
    };
    let mut spans: Vec<Span> = Vec::new();
    let mut before = false;
    let mut jumped = true;
    for n in 0..cues.len() {
        let own = audible(n);
        // A single step that can't be heard, within sound, is a jump: its frame plays to its end.
        let jumps = own == Some(false) && before && audible(n + 1) != Some(false);
        let heard = own.unwrap_or(before) || jumps;
        if heard {
            match spans.last_mut() {
                Some(span) if span.end == n && !jumped => span.end = n + 1,
                _ => spans.push(Span { start: n, end: n + 1 }),
            }
        }
        jumped = jumps || !heard;
        before = heard && !jumps;
    }
    spans
}

/// Covers a span with as few straight stretches as stay by the picture, each beginning where the
/// one before it ends.
fn straighten(cues: &[Cue], span: &Span, reel: &Reel, out: &mut Vec<AudioSegment>) {
    let (leave, natural) = (LEAVE * reel.step(), reel.step());
    let mut start = span.start;
    let mut from = cues[start].main();
    while start < span.end {
        // The slopes that pass all frames so far closely enough.
        let (mut least, mut most) = (SPEEDS.0 * natural, SPEEDS.1 * natural);
        let mut slope = natural;
        let mut end = start + 1;
        while end < span.end {
            let ahead = (end - start) as f64;
            let way = cues[end].main() - from;
            let (low, high) = ((way - leave) / ahead, (way + leave) / ahead);
            if low > most || high < least {
                break;
            }
            (least, most) = (least.max(low), most.min(high));
            slope = (way / ahead).clamp(least, most);
            end += 1;
        }
        if (slope / natural - 1.0).abs() < NATURAL && (least..=most).contains(&natural) {
            slope = natural;
        }
        let to = from + slope * (end - start) as f64;
        out.push(AudioSegment {
            at_secs: start as f64 / reel.out_rate,
            from_secs: from / reel.rate,
            to_secs: to / reel.rate,
            speed: slope / natural,
        });
        (start, from) = (end, to);
    }
}
