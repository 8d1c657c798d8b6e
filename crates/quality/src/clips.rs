//! Frames of the reference and of the clip, small and side by side.

use std::ops::Range;
use std::path::Path;

use kernels::cuts::{self, Features};
use kernels::{Yuv420, Yuv420Ref};
use media::{CancelToken, DecodeSpec, Decoder, Frame, Toolchain, VideoProbe, probe_video};

use crate::QualityError;

/// Longer side in px at which pictures are compared: 360p.
const SIDE: u32 = 640;

/// Frames a second at which both are sampled.
pub(crate) const RATE: u32 = 24;

/// A reference and the clip made from it, at 24 frames a second, longer side 640 px.
pub struct Clips {
    /// Frames of the reference.
    pub source: Vec<Yuv420>,
    /// Frames of the clip.
    pub clip: Vec<Yuv420>,
    /// Shots of the reference that both show, as ranges of frames; each has two or more.
    pub shots: Vec<Range<usize>>,
}

impl Clips {
    /// Decodes both.
    pub fn read(
        tools: &Toolchain,
        source: &Path,
        clip: &Path,
        cancel: &CancelToken,
    ) -> Result<Self, QualityError> {
        let source = frames(tools, source, cancel)?;
        let clip = frames(tools, clip, cancel)?;
        Ok(Self::of(source, clip))
    }

    /// Of frames that are there already, all of one size.
    pub fn of(source: Vec<Yuv420>, clip: Vec<Yuv420>) -> Self {
        let both = source.len().min(clip.len());
        let features: Vec<_> =
            source[..both].iter().map(|frame| Features::of(frame.as_ref())).collect();
        let mut bounds: Vec<usize> = cuts::find(&features).iter().map(|cut| cut.frame).collect();
        bounds.push(both);
        let mut shots = Vec::with_capacity(bounds.len());
        let mut start = 0;
        for end in bounds {
            if end >= start + 2 {
                shots.push(start..end);
            }
            start = end;
        }
        Self { source, clip, shots }
    }
}

fn frames(
    tools: &Toolchain,
    path: &Path,
    cancel: &CancelToken,
) -> Result<Vec<Yuv420>, QualityError> {
    let probe = probe_video(tools, path, cancel)?;
    let (width, height) = small(&probe);
    let spec = DecodeSpec { width, height, fps: RATE, start_secs: 0.0, max_frames: None };
    let mut decoder = Decoder::open(tools, path, &probe, spec, cancel)?;
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read()? {
        frames.push(copied(&frame)?);
    }
    Ok(frames)
}

fn small(probe: &VideoProbe) -> (u32, u32) {
    let longer = probe.width.max(probe.height).max(1);
    let side = |side: u32| ((side * SIDE.min(longer) + longer / 2) / longer / 2 * 2).max(16);
    (side(probe.width), side(probe.height))
}

fn copied(frame: &Frame) -> Result<Yuv420, QualityError> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    Ok(Yuv420Ref::packed(frame.data(), width, height)?.to_frame())
}
