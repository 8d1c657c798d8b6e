//! The reference's frames, streamed, and frames between them.
//!
//! A timeline says in advance which frames each output frame needs. Frames are decoded in order
//! and kept until their last use, so that a straight timeline holds two or three at a time. A
//! reversed or looping one would hold many: beyond a budget, what is used last of all is dropped
//! and decoded again in stretches that fit, so memory does not grow with the reel.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::interpolate::{self, Settings};
use kernels::{FlowPair, ShapeError, Yuv420Mut, Yuv420Ref};
use media::Frame;

use crate::fail::{Failure, internal};
use crate::timeline::Cue;

/// Distance in frames within which motion can be followed between two frames of one shot.
const SETTINGS_PART: f32 = 6.0;

/// Most bytes of frames that are held.
const MOST_HELD_BYTES: usize = 512 << 20;

/// Fewest frames that are held, however large: those of one output frame and a little more.
const FEWEST_HELD: usize = 6;

/// Kept motions and pyramids: the pair before and after a moment, and those of a morph.
const KEPT: usize = 6;

/// Gives decoded frames, one after the other.
pub(crate) trait Source {
    /// The next frame; `None` at the end.
    fn next(&mut self) -> Result<Option<Frame>, Failure>;

    /// Makes `frame` the next one.
    fn go_to(&mut self, frame: usize) -> Result<(), Failure>;
}

impl<S: Source> Source for &mut S {
    fn next(&mut self) -> Result<Option<Frame>, Failure> {
        (**self).next()
    }

    fn go_to(&mut self, frame: usize) -> Result<(), Failure> {
        (**self).go_to(frame)
    }
}

/// The frames that a timeline needs.
pub(crate) struct Footage<S> {
    source: S,
    /// Frame to the output frames that use it, rising.
    uses: BTreeMap<usize, Vec<usize>>,
    /// Frames that each output frame uses.
    needs: Vec<Vec<usize>>,
    /// The output frame that is being made.
    now: usize,
    held: BTreeMap<usize, Frame>,
    /// The frame that the source gives next.
    next: usize,
    /// Frames of the reel, once its end has been met.
    end: Option<usize>,
    most_bytes: usize,
    pyramids: Vec<(usize, Arc<FlowImage>)>,
    motions: Vec<((usize, usize), Arc<FlowPair>)>,
    /// Whether moments that are far apart are alike enough to be morphed along their motion.
    alike: bool,
}

/// Which of a cue's moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Its own.
    Own,
    /// The one that it turns into.
    Joined,
}

/// A frame's planes.
pub(crate) fn view(frame: &Frame) -> Result<Yuv420Ref<'_>, ShapeError> {
    Yuv420Ref::packed(frame.data(), frame.width() as usize, frame.height() as usize)
}

/// A frame's planes to write to.
pub(crate) fn view_mut(frame: &mut Frame) -> Result<Yuv420Mut<'_>, ShapeError> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    Yuv420Mut::packed(frame.data_mut(), width, height)
}

/// A black frame.
pub(crate) fn blank((width, height): (usize, usize)) -> Result<Frame, Failure> {
    let (width, height) = (width as u32, height as u32);
    let mut bytes = vec![128u8; Frame::bytes(width, height)];
    bytes[..(width * height) as usize].fill(16);
    Frame::from_bytes(width, height, bytes).ok_or_else(|| internal("a frame has an odd side"))
}

/// The reel frames that a moment lies between.
fn around(at: f64) -> (usize, usize) {
    (at.floor() as usize, at.ceil() as usize)
}

// === impl Footage ===

impl<S: Source> Footage<S> {
    /// `alike` says whether joined moments are morphed along their motion; others, where it would
    /// tear, dissolve.
    pub(crate) fn new(source: S, cues: &[Cue], alike: bool) -> Self {
        let mut uses: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut needs = Vec::with_capacity(cues.len());
        for (n, cue) in cues.iter().enumerate() {
            let mut needed = Vec::new();
            for at in std::iter::once(cue.at).chain(cue.join.map(|join| join.at)) {
                let (a, b) = around(at);
                for frame in [a, b] {
                    uses.entry(frame).or_default().push(n);
                    needed.push(frame);
                }
            }
            needs.push(needed);
        }
        Self {
            source,
            uses,
            needs,
            now: 0,
            held: BTreeMap::new(),
            next: 0,
            end: None,
            most_bytes: MOST_HELD_BYTES,
            pyramids: Vec::new(),
            motions: Vec::new(),
            alike,
        }
    }

    /// The picture that output frame `n` shows, each of its moments framed before they join.
    /// Output frames must be asked for in order.
    pub(crate) fn show(
        &mut self,
        n: usize,
        cue: &Cue,
        mut framed: impl FnMut(Frame, Moment) -> Result<Frame, Failure>,
    ) -> Result<Frame, Failure> {
        self.now = n;
        let main = framed(self.moment(cue.at)?, Moment::Own)?;
        let shown = match cue.join {
            None => main,
            Some(join) if join.share <= 0.002 => main,
            Some(join) => {
                let other = framed(self.moment(join.at)?, Moment::Joined)?;
                if self.alike {
                    morph(&main, &other, join.share)?
                } else {
                    dissolve(&main, &other, join.share)?
                }
            }
        };
        // The newest frame stays: it may turn out to be the reel's last.
        let newest = self.next.saturating_sub(1);
        let mut held = std::mem::take(&mut self.held);
        held.retain(|frame, _| *frame == newest || self.next_use(*frame, n + 1).is_some());
        self.held = held;
        Ok(shown)
    }

    /// Frames held at the moment.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Decodes up to `frame`, from further back if it has been dropped; past the end the last frame
    /// stands in.
    fn frame(&mut self, frame: usize) -> Result<(usize, Frame), Failure> {
        let last = self.end.map(|end| end.saturating_sub(1));
        let mut index = frame.min(last.unwrap_or(usize::MAX));
        if index < self.next && !self.held.contains_key(&index) {
            let first = self.first_of_stretch(index);
            self.source.go_to(first)?;
            self.next = first;
        }
        while self.next <= index {
            let Some(decoded) = self.source.next()? else {
                self.end = Some(self.next);
                index = self.next.saturating_sub(1);
                break;
            };
            self.hold(decoded);
        }
        let found = self.held.get(&index).or_else(|| self.held.values().next_back());
        let found = found.ok_or_else(|| internal("the reference gave no frames"))?;
        Ok((index, found.clone()))
    }

    /// Keeps the source's next frame, and drops what is not needed or, beyond the budget, needed
    /// last.
    fn hold(&mut self, decoded: Frame) {
        let newest = self.next;
        let stale = newest.checked_sub(1).filter(|&old| self.next_use(old, self.now).is_none());
        if let Some(old) = stale {
            self.held.remove(&old);
        }
        self.next += 1;
        let most = self.most_held(&decoded);
        self.held.insert(newest, decoded);
        while self.held.len() > most {
            let dropped = self
                .held
                .keys()
                .copied()
                .filter(|&frame| frame != newest)
                .max_by_key(|&frame| self.next_use(frame, self.now).unwrap_or(usize::MAX));
            let Some(dropped) = dropped else { break };
            self.held.remove(&dropped);
        }
    }

    /// Where to decode from, so that what `wanted` is followed by in the clip is at hand too: the
    /// first of the frames that are used next, as far back as the budget goes.
    fn first_of_stretch(&self, wanted: usize) -> usize {
        let most = self.held.values().next().map_or(FEWEST_HELD, |frame| self.most_held(frame));
        let earliest = wanted.saturating_sub(most / 2);
        let soon = self.needs.iter().skip(self.now).take(most / 2).flatten().copied();
        soon.filter(|frame| (earliest..wanted).contains(frame)).min().unwrap_or(wanted)
    }

    fn most_held(&self, frame: &Frame) -> usize {
        (self.most_bytes / frame.data().len().max(1)).max(FEWEST_HELD)
    }

    /// The first output frame from `from` on that uses a frame.
    fn next_use(&self, frame: usize, from: usize) -> Option<usize> {
        let uses = self.uses.get(&frame)?;
        uses.get(uses.partition_point(|&n| n < from)).copied()
    }

    fn moment(&mut self, at: f64) -> Result<Frame, Failure> {
        let (a, b) = around(at);
        let (first, one) = self.frame(a)?;
        if a == b {
            return Ok(one);
        }
        let (second, two) = self.frame(b)?;
        if first == second {
            return Ok(one);
        }
        let motion = self.motion((first, &one), (second, &two))?;
        between(&one, &two, &motion, (at - a as f64) as f32)
    }

    fn motion(
        &mut self,
        (a, one): (usize, &Frame),
        (b, two): (usize, &Frame),
    ) -> Result<Arc<FlowPair>, Failure> {
        if let Some((_, motion)) = self.motions.iter().find(|(key, _)| *key == (a, b)) {
            return Ok(Arc::clone(motion));
        }
        let first = self.pyramid(a, one)?;
        let second = self.pyramid(b, two)?;
        let motion = Arc::new(flow::pair(&first, &second)?);
        if self.motions.len() >= KEPT {
            self.motions.remove(0);
        }
        self.motions.push(((a, b), Arc::clone(&motion)));
        Ok(motion)
    }

    fn pyramid(&mut self, index: usize, frame: &Frame) -> Result<Arc<FlowImage>, Failure> {
        if let Some((_, pyramid)) = self.pyramids.iter().find(|(key, _)| *key == index) {
            return Ok(Arc::clone(pyramid));
        }
        let pyramid = Arc::new(FlowImage::new(view(frame)?.y(), FlowParams::default()));
        if self.pyramids.len() >= KEPT {
            self.pyramids.remove(0);
        }
        self.pyramids.push((index, Arc::clone(&pyramid)));
        Ok(pyramid)
    }
}

/// One picture turning into another: along their motion where it can be followed, a dissolve
/// elsewhere.
pub(crate) fn morph(one: &Frame, two: &Frame, share: f32) -> Result<Frame, Failure> {
    let image = |frame| Ok::<_, Failure>(FlowImage::new(view(frame)?.y(), FlowParams::default()));
    let motion = flow::pair(&image(one)?, &image(two)?)?;
    between(one, two, &motion, share)
}

pub(crate) fn dissolve(one: &Frame, two: &Frame, share: f32) -> Result<Frame, Failure> {
    let mut made = blank((one.width() as usize, one.height() as usize))?;
    interpolate::blend(view(one)?, view(two)?, share, &mut view_mut(&mut made)?)?;
    Ok(made)
}

fn between(one: &Frame, two: &Frame, motion: &FlowPair, t: f32) -> Result<Frame, Failure> {
    let size = (one.width() as usize, one.height() as usize);
    let settings = Settings { longest_px: size.0 as f32 / SETTINGS_PART };
    let mut made = blank(size)?;
    interpolate::frame(view(one)?, view(two)?, motion, t, settings, &mut view_mut(&mut made)?)?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Join;

    struct Counted {
        next: u8,
        end: u8,
        decoded: usize,
    }

    fn flat(code: u8) -> Frame {
        let mut bytes = vec![128u8; Frame::bytes(32, 32)];
        bytes[..1024].fill(code);
        Frame::from_bytes(32, 32, bytes).unwrap()
    }

    impl Source for Counted {
        fn next(&mut self) -> Result<Option<Frame>, Failure> {
            if self.next == self.end {
                return Ok(None);
            }
            self.next += 1;
            self.decoded += 1;
            Ok(Some(flat(19 + self.next)))
        }

        fn go_to(&mut self, frame: usize) -> Result<(), Failure> {
            self.next = frame as u8;
            Ok(())
        }
    }

    fn shown(cues: &[Cue], end: u8) -> (Vec<u8>, usize) {
        let mut footage = Footage::new(Counted { next: 0, end, decoded: 0 }, cues, true);
        let mut most = 0;
        let codes = cues.iter().enumerate().map(|(n, cue)| {
            let frame = footage.show(n, cue, |frame, _| Ok(frame)).unwrap();
            most = most.max(footage.held());
            frame.y()[500]
        });
        let codes = codes.collect();
        (codes, most)
    }

    #[test]
    fn frames_are_dropped_after_their_last_use() {
        let cues: Vec<Cue> = (0..60).map(|n| Cue::at(f64::from(n))).collect();
        let (codes, held) = shown(&cues, 60);
        assert!(codes.iter().enumerate().all(|(n, &code)| usize::from(code) == 20 + n));
        assert!(held <= 2, "{held}");
    }

    #[test]
    fn skipped_frames_are_not_held() {
        let cues: Vec<Cue> = (0..20).map(|n| Cue::at(f64::from(n * 3))).collect();
        let (codes, held) = shown(&cues, 60);
        assert!(codes.iter().enumerate().all(|(n, &code)| usize::from(code) == 20 + 3 * n));
        assert!(held <= 2, "{held}");
    }

    #[test]
    fn time_can_run_backwards_and_beyond_the_end() {
        let cues: Vec<Cue> = (0..30).rev().map(|n| Cue::at(f64::from(n))).collect();
        let (codes, _) = shown(&cues, 30);
        assert_eq!((codes[0], codes[29]), (49, 20));
        let cues: Vec<Cue> = (0..30).map(|n| Cue::at(f64::from(n))).collect();
        assert_eq!(shown(&cues, 25).0[29], 44);
    }

    #[test]
    fn a_long_way_back_is_decoded_again_and_not_held() {
        let there = (0..120).map(|n| Cue::at(f64::from(n)));
        let back = (0..120).rev().map(|n| Cue::at(f64::from(n)));
        let cues: Vec<Cue> = there.chain(back).collect();
        let source = Counted { next: 0, end: 120, decoded: 0 };
        let mut footage = Footage::new(source, &cues, true);
        footage.most_bytes = 20 * Frame::bytes(32, 32);
        for (n, cue) in cues.iter().enumerate() {
            let frame = footage.show(n, cue, |frame, _| Ok(frame)).unwrap();
            assert_eq!(f64::from(frame.y()[500]), 20.0 + cue.at);
            assert!(footage.held() <= 20, "{n}: {}", footage.held());
        }
        assert!(footage.source.decoded <= 3 * 120, "{}", footage.source.decoded);
    }

    #[test]
    fn a_moment_between_frames_lies_between_them() {
        let cues = [Cue::at(10.5), Cue { at: 10.0, join: Some(Join { at: 20.0, share: 0.5 }) }];
        let (codes, _) = shown(&cues, 30);
        assert!((30..=31).contains(&codes[0]) && codes[1] == 35, "{codes:?}");
    }
}
