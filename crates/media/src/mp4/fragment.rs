//! Fragments: `moof` tells the samples that follow it, `sidx` announces a run of fragments.

use super::boxes::{Children, Fields, child};
use super::moov::{Movie, Track, secs};

/// Samples and ticks of the video track, told by fragments so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    samples: u64,
    ticks: u64,
    /// Seconds that segment indexes announce.
    indexed_secs: f64,
}

// === impl Told ===

impl Told {
    /// Seconds and samples: what fragments have shown, or more if an index announces more.
    pub(super) fn so_far(&self, video: &Track) -> (f64, u64) {
        let shown = secs(self.ticks, video.timescale).unwrap_or(0.0);
        // Frames are scaled along, so that the rate stays what was seen.
        if shown > 0.0 && self.indexed_secs > shown {
            let frames = (self.samples as f64 * self.indexed_secs / shown) as u64;
            return (self.indexed_secs, frames);
        }
        (shown.max(self.indexed_secs), self.samples)
    }

    /// Adds the samples of a `moof`.
    pub(super) fn moof(&mut self, moof: &[u8], movie: &Movie) {
        let Some(video) = &movie.video else { return };
        for (_, traf) in Children::of(moof).filter(|(kind, _)| kind == b"traf") {
            let Some((track, default)) = child(traf, b"tfhd").and_then(head) else { continue };
            if track != video.id {
                continue;
            }
            let default = default.unwrap_or(movie.default_sample_ticks);
            for (_, trun) in Children::of(traf).filter(|(kind, _)| kind == b"trun") {
                let (samples, ticks) = run(trun, default).unwrap_or((0, 0));
                self.samples = self.samples.saturating_add(samples);
                self.ticks = self.ticks.saturating_add(ticks);
            }
        }
    }

    /// Adds the media that a `sidx` announces; references to further indexes count there.
    pub(super) fn sidx(&mut self, sidx: &[u8], video: &Track) {
        if let Some((track, announced)) = index(sidx)
            && track == video.id
        {
            self.indexed_secs += announced;
        }
    }
}

/// Track and default sample duration of a `tfhd`.
fn head(tfhd: &[u8]) -> Option<(u32, Option<u32>)> {
    let (_, flags, mut fields) = Fields::full(tfhd)?;
    let track = fields.u32()?;
    if flags & 0x1 != 0 {
        fields.skip(8)?;
    }
    if flags & 0x2 != 0 {
        fields.skip(4)?;
    }
    let default = if flags & 0x8 != 0 { Some(fields.u32()?) } else { None };
    Some((track, default))
}

/// Samples and ticks of a `trun`.
fn run(trun: &[u8], default: u32) -> Option<(u64, u64)> {
    let (_, flags, mut fields) = Fields::full(trun)?;
    let count = fields.u32()?;
    if flags & 0x100 == 0 {
        return Some((count.into(), u64::from(count) * u64::from(default)));
    }
    fields.skip(if flags & 0x1 != 0 { 4 } else { 0 } + if flags & 0x4 != 0 { 4 } else { 0 })?;
    let others = [0x200, 0x400, 0x800].into_iter().filter(|flag| flags & flag != 0).count() * 4;
    let (mut samples, mut ticks) = (0_u64, 0_u64);
    for _ in 0..count {
        let Some(duration) = fields.u32() else { break };
        samples += 1;
        ticks = ticks.saturating_add(duration.into());
        if fields.skip(others).is_none() {
            break;
        }
    }
    Some((samples, ticks))
}

/// Track and seconds of media of a `sidx` (ISO/IEC 14496-12, 8.16.3).
fn index(sidx: &[u8]) -> Option<(u32, f64)> {
    let (version, _, mut fields) = Fields::full(sidx)?;
    let (track, timescale) = (fields.u32()?, fields.u32()?);
    fields.skip(if version == 0 { 8 } else { 16 } + 2)?;
    let mut ticks = 0_u64;
    for _ in 0..fields.u16()? {
        let Some(reference) = fields.u32() else { break };
        let Some(duration) = fields.u32() else { break };
        if reference >> 31 == 0 {
            ticks = ticks.saturating_add(duration.into());
        }
        if fields.skip(4).is_none() {
            break;
        }
    }
    Some((track, secs(ticks, timescale).unwrap_or(0.0)))
}
