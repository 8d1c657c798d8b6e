//! What can be refused while a file is still on its way.
//!
//! Headers only claim: here they can refuse a file, never accept one. Whatever is not sure yet
//! is left to [`crate::measure`], which looks at the whole file.

use catalog::{MediaInput, MediaLimits, Model, VideoLimits};
use domain::Fault;
use domain::facts::{ImageFacts, MediaFacts, VideoFacts};
use media::mp4::{self, HeaderError, HeaderFacts, HeaderWalker};
use media::sniff::SNIFF_BYTES;

use crate::error::IntakeError;
use crate::measure::{VIDEO_LOAD, kind};

/// How much of a picture has to have come for a look at its header; the first look is enough
/// for most, later ones are for large EXIF blocks.
const LOOKS_BYTES: [usize; 3] = [4 << 10, 64 << 10, 512 << 10];

/// Watches one file as it comes.
pub(crate) struct Early<'a> {
    model: &'a Model,
    input: &'a MediaInput,
    total: Option<u64>,
    head: Vec<u8>,
    stage: Stage<'a>,
}

/// What the watcher wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// What follows.
    Go,
    /// A look at the file from this offset, if that is possible: the header is behind the samples.
    Tail {
        /// Bytes from the start of the file.
        start: u64,
    },
}

enum Stage<'a> {
    /// The type is not known yet.
    Unknown,
    Video {
        walker: Box<HeaderWalker>,
        limits: &'a VideoLimits,
        jumped: bool,
    },
    Image {
        looks: &'static [usize],
    },
    /// Nothing more can be known before the end.
    Done,
}

// === impl Early ===

impl<'a> Early<'a> {
    /// A watcher at the start of a file of `total` bytes, where that is announced.
    pub(crate) fn new(model: &'a Model, input: &'a MediaInput, total: Option<u64>) -> Self {
        Self { model, input, total, head: Vec::new(), stage: Stage::Unknown }
    }

    /// Looks at the next bytes of the file.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Step, IntakeError> {
        match self.stage {
            Stage::Done => Ok(Step::Go),
            Stage::Video { .. } => self.walk(bytes),
            Stage::Image { .. } => {
                self.head.extend_from_slice(bytes);
                self.look().map(|()| Step::Go)
            }
            Stage::Unknown => {
                self.head.extend_from_slice(bytes);
                if self.head.len() < SNIFF_BYTES { Ok(Step::Go) } else { self.decide() }
            }
        }
    }

    /// The end of the file has come.
    pub(crate) fn end(mut self) -> Result<(), IntakeError> {
        if matches!(self.stage, Stage::Unknown) {
            self.decide()?;
        }
        match self.stage {
            Stage::Video { walker, .. } => match walker.finish() {
                Ok(_) => Ok(()),
                Err(error) => Err(IntakeError::fault(self.input, VIDEO_LOAD, error)),
            },
            _ => Ok(()),
        }
    }

    /// Judges what was found at the end of the file; whether more of it is wanted, and whence.
    pub(crate) fn tail(
        &self,
        walker: &mut HeaderWalker,
        bytes: &[u8],
    ) -> Result<mp4::Step, IntakeError> {
        let Stage::Video { limits, .. } = &self.stage else { return Ok(mp4::Step::Done) };
        let step = walker.push(bytes).map_err(|error| self.unreadable(&error))?;
        if let Some(facts) = walker.facts() {
            self.judge(limits, &facts)?;
        }
        Ok(step)
    }

    fn decide(&mut self) -> Result<Step, IntakeError> {
        kind(self.input, &self.head)?;
        match &*self.input.limits {
            MediaLimits::Image(_) => {
                self.stage = Stage::Image { looks: &LOOKS_BYTES };
                self.look().map(|()| Step::Go)
            }
            MediaLimits::Video(limits) => {
                self.stage = Stage::Video { walker: Box::default(), limits, jumped: false };
                let head = std::mem::take(&mut self.head);
                self.walk(&head)
            }
        }
    }

    fn walk(&mut self, bytes: &[u8]) -> Result<Step, IntakeError> {
        let Stage::Video { walker, limits, jumped } = &mut self.stage else {
            return Ok(Step::Go);
        };
        let limits = *limits;
        let step = match walker.push(bytes) {
            Ok(step) => step,
            Err(error) => return Err(self.unreadable(&error)),
        };
        let first_jump = !std::mem::replace(jumped, *jumped || step_is_jump(step));
        if let Some(facts) = walker.facts() {
            self.judge(limits, &facts)?;
        }
        match step {
            mp4::Step::Done => {
                self.stage = Stage::Done;
                Ok(Step::Go)
            }
            mp4::Step::Jump { offset } if first_jump => {
                if self.total.is_some_and(|total| offset >= total) {
                    return Err(self.unreadable(&HeaderError::NoHeader));
                }
                Ok(Step::Tail { start: offset })
            }
            _ => Ok(Step::Go),
        }
    }

    fn judge(&self, limits: &VideoLimits, claimed: &HeaderFacts) -> Result<(), IntakeError> {
        let facts = |duration_secs, fps| {
            MediaFacts::Video(VideoFacts {
                width: claimed.width,
                height: claimed.height,
                duration_secs,
                fps,
                // Four-character codes are no codec names: left to the probe.
                codec: limits.codecs.first().cloned().unwrap_or_default(),
                has_audio: claimed.audio_codec.is_some(),
                variable_rate: false,
                hdr: false,
            })
        };
        // What the header does not say, or not yet, counts as allowed.
        let known =
            claimed.duration_secs.filter(|secs| !claimed.fragmented || *secs > limits.max_secs);
        let fps = claimed.fps.filter(|_| !claimed.fragmented).unwrap_or(limits.min_fps);
        let facts = facts(known.unwrap_or(limits.min_secs), fps);
        refuse(self.model.check(self.input, &facts, self.total.unwrap_or(0)))
    }

    /// Looks at a picture's header. A picture may still turn out to lie on its side (WebP tells
    /// that at its very end), so only what is wrong both ways is refused.
    fn look(&mut self) -> Result<(), IntakeError> {
        let Stage::Image { looks } = &mut self.stage else { return Ok(()) };
        let Some((wanted, later)) = looks.split_first() else {
            self.stage = Stage::Done;
            return Ok(());
        };
        if self.head.len() < *wanted {
            return Ok(());
        }
        *looks = later;
        let Ok(probe) = media::probe_image(&self.head) else { return self.look() };
        self.stage = Stage::Done;
        let check = |width, height| {
            let format = probe.format.to_owned();
            let facts = ImageFacts { width, height, format, has_alpha: false };
            self.model.check(self.input, &MediaFacts::Image(facts), self.total.unwrap_or(0))
        };
        if check(probe.height, probe.width).is_empty() {
            return Ok(());
        }
        refuse(check(probe.width, probe.height))
    }

    fn unreadable(&self, error: &HeaderError) -> IntakeError {
        IntakeError::fault(self.input, VIDEO_LOAD, error)
    }
}

const fn step_is_jump(step: mp4::Step) -> bool {
    matches!(step, mp4::Step::Jump { .. })
}

fn refuse(faults: Vec<Fault>) -> Result<(), IntakeError> {
    if faults.is_empty() { Ok(()) } else { Err(IntakeError::Faults(faults)) }
}
