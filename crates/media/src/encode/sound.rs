//! The filter graph from a source's sound to the clip's, counted in samples.
//!
//! The source is first laid on the clock of its pictures: delayed or cut at the front until sample
//! 0 belongs to the first picture (streams start apart, and AAC has a priming delay that the
//! demuxer's times account for), and padded behind its end. Then every stretch has its exact
//! number of samples, and the silence before it too, so that no rounding adds up.

use std::fmt::Write as _;

use super::{AudioSegment, AudioSpec, EncodeSpec};
use crate::AudioProbe;

const SAMPLE_RATE: f64 = 48_000.0;
/// Sound fades in this fast, so that a cut does not click.
const FADE_IN_SECS: f64 = 0.01;
/// Sound fades out over this long at the clip's end, and at its own end before that.
const FADE_OUT_SECS: f64 = 0.25;
/// Sound dips this long on both sides of silence and of a jump in the source.
const JOIN_SECS: f64 = 0.005;
/// Stretches that are nearer than this follow each other without a jump.
pub(super) const GAPLESS_SECS: f64 = 0.0005;

/// The graph that ends in `[sound]`.
pub(super) fn graph(
    audio: &AudioSpec,
    found: &AudioProbe,
    video_secs: f64,
    spec: &EncodeSpec,
) -> String {
    let total = samples(f64::from(spec.frames) / f64::from(spec.fps));
    let stretches = stretches(&audio.segments, total);
    let last = audio.segments.iter().map(|segment| segment.to_secs).fold(0.0, f64::max);
    let mut graph = format!(
        "[1:{}]asetpts=PTS-({video_secs:.6})/TB,aresample=48000:async=1:first_pts=0,\
         aformat=sample_fmts=fltp:channel_layouts=stereo,asetpts=N/SR/TB",
        found.stream
    );
    let own_end = found.duration_secs.map(|secs| found.start_secs + secs);
    if let Some(end) = own_end.filter(|end| *end > 0.0 && *end < last) {
        graph.push_str(&fade("out", samples(end), FADE_OUT_SECS));
    }
    let _ = write!(graph, ",apad=whole_len={},asplit={}", samples(last), stretches.len());
    let labels = |name: &str| {
        (0..stretches.len()).fold(String::new(), |text, n| format!("{text}[{name}{n}]"))
    };
    graph.push_str(&labels("in"));
    for (n, stretch) in stretches.iter().enumerate() {
        let _ = write!(graph, ";[in{n}]{}[out{n}]", stretch.filters());
    }
    let heard = stretches.iter().map(|stretch| stretch.silence + stretch.len).sum::<u64>();
    let _ = write!(
        graph,
        ";{}concat=n={}:v=0:a=1{}{},apad=whole_len={total},atrim=end_sample={total}[sound]",
        labels("out"),
        stretches.len(),
        fade("in", samples(FADE_IN_SECS), FADE_IN_SECS),
        fade("out", heard, FADE_OUT_SECS),
    );
    graph
}

/// A segment in samples.
struct Stretch {
    /// Samples of silence in the clip before it.
    silence: u64,
    from: u64,
    to: u64,
    speed: f64,
    /// Samples in the clip.
    len: u64,
    /// Whether what is before and after it in the clip is something else in the source.
    jumps: (bool, bool),
}

fn stretches(segments: &[AudioSegment], total: u64) -> Vec<Stretch> {
    let touch = |a: f64, b: f64| (a - b).abs() < GAPLESS_SECS;
    let follows =
        |before: Option<&AudioSegment>, after: Option<&AudioSegment>| match (before, after) {
            (Some(before), Some(after)) => {
                touch(before.end_secs(), after.at_secs)
                    && touch(before.to_secs, after.from_secs)
                    && before.speed == after.speed
            }
            (None, Some(after)) => touch(after.at_secs, 0.0),
            (_, None) => true,
        };
    let mut out = Vec::new();
    let mut done = 0;
    for (n, segment) in segments.iter().enumerate() {
        let AudioSegment { at_secs, from_secs, to_secs, speed } = *segment;
        let before = n.checked_sub(1).and_then(|before| segments.get(before));
        let after = segments.get(n + 1);
        let begin = match before {
            Some(before) if touch(before.end_secs(), at_secs) => done,
            _ => samples(at_secs).max(done),
        };
        let end = samples(segment.end_secs()).min(total);
        if end > begin {
            out.push(Stretch {
                silence: begin - done,
                from: samples(from_secs),
                to: samples(to_secs),
                speed,
                len: end - begin,
                jumps: (!follows(before, Some(segment)), !follows(Some(segment), after)),
            });
            done = end;
        }
    }
    out
}

fn samples(secs: f64) -> u64 {
    (secs * SAMPLE_RATE).round() as u64
}

/// A fade in or out that ends at sample `end`, with the comma before it.
fn fade(kind: &str, end: u64, secs: f64) -> String {
    let len = samples(secs).min(end).max(1);
    format!(",afade=t={kind}:ss={}:ns={len}", end.saturating_sub(len))
}

// === impl Stretch ===

impl Stretch {
    fn filters(&self) -> String {
        let Self { silence, from, to, speed, len, jumps } = self;
        let mut text = format!("atrim=start_sample={from}:end_sample={to},asetpts=N/SR/TB");
        // One `atempo` goes down to a half, and above double speed it drops samples.
        let steps = if (0.5..=2.0).contains(speed) { 1.0 } else { 2.0 };
        if *speed != 1.0 {
            let tempo = format!(",atempo={:.9}", speed.powf(1.0 / steps));
            text.push_str(&tempo.repeat(steps as usize));
        }
        let _ = write!(text, ",apad=whole_len={len},atrim=end_sample={len},asetpts=N/SR/TB");
        if jumps.0 {
            text.push_str(&fade("in", samples(JOIN_SECS), JOIN_SECS));
        }
        if jumps.1 {
            text.push_str(&fade("out", *len, JOIN_SECS));
        }
        if *silence > 0 {
            let _ = write!(text, ",adelay=delays={silence}S:all=1");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_fill_the_clip_to_the_sample() {
        let third = |n: u32| AudioSegment {
            at_secs: f64::from(n) / 3.0,
            from_secs: 0.0,
            to_secs: 1.0 / 3.0,
            speed: 1.0,
        };
        let all = stretches(&(0..9).map(third).collect::<Vec<_>>(), 144_000);
        assert_eq!(all.iter().map(|stretch| stretch.len).sum::<u64>(), 144_000);
        assert!(all.iter().all(|stretch| stretch.len == 16_000 && stretch.silence == 0));
        assert_eq!(all[0].jumps, (false, true));
        assert_eq!(all[8].jumps, (true, false));
        let slow = |n: u32| AudioSegment {
            at_secs: 2.0 * f64::from(n),
            from_secs: 1.0,
            to_secs: 2.0,
            speed: 0.5,
        };
        let all = stretches(&[slow(0), slow(1), slow(2)], 144_000);
        assert_eq!(all.len(), 2, "what is too long is cut");
    }

    #[test]
    fn silence_keeps_what_follows_in_its_place() {
        let at = |at_secs: f64| AudioSegment { at_secs, from_secs: 0.0, to_secs: 0.5, speed: 1.0 };
        let all = stretches(&[at(0.25), at(0.75), at(2.0)], 144_000);
        let silent: Vec<u64> = all.iter().map(|stretch| stretch.silence).collect();
        assert_eq!(silent, [12_000, 0, 36_000]);
        assert!(all.iter().all(|stretch| stretch.jumps.0), "each fades in");
        assert!(all[1].jumps.1, "fades before silence");
    }
}
