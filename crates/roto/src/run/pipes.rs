//! Threads that talk to ffmpeg, and the channels between them and the renderer.
//!
//! A source can go back: a timeline that runs backwards over more frames than may be held has
//! them decoded again, from a place of its choice.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use media::{Decoder, Encoder, Frame};

use crate::fail::Failure;
use crate::footage::Source;

/// Frames that may wait in a channel.
const WAITING: usize = 3;

/// Size, rate and length of a clip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clip {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fps: u32,
    pub(crate) frames: u32,
}

/// Starts a decoder at a frame of the reel.
pub(crate) type Open<'a> = Box<dyn Fn(usize) -> Result<Decoder, Failure> + 'a>;

/// Where the frames come from.
pub(crate) struct Decoding<'a> {
    /// Frames that are in memory already, from the first on; all that are asked for.
    pub(crate) kept: Option<Vec<Frame>>,
    pub(crate) open: Open<'a>,
}

/// The renderer's end of the decoder.
pub(crate) struct FrameSource<'a> {
    feed: Feed,
    open: Open<'a>,
}

enum Feed {
    /// Decoded ahead, on a thread.
    Ahead(Receiver<Result<Frame, Failure>>),
    /// Decoded before.
    Kept(std::vec::IntoIter<Frame>),
    /// Decoded when asked for.
    Direct(Box<Decoder>),
}

/// The renderer's end of the encoder.
pub(crate) struct FrameSink {
    frames: SyncSender<Frame>,
}

// === impl FrameSource ===

impl Source for FrameSource<'_> {
    fn next(&mut self) -> Result<Option<Frame>, Failure> {
        match &mut self.feed {
            // A closed channel is the end of the video.
            Feed::Ahead(frames) => frames.recv().ok().transpose(),
            Feed::Kept(frames) => Ok(frames.next()),
            Feed::Direct(decoder) => Ok(decoder.read()?),
        }
    }

    fn go_to(&mut self, frame: usize) -> Result<(), Failure> {
        self.feed = Feed::Direct(Box::new((self.open)(frame)?));
        Ok(())
    }
}

// === impl FrameSink ===

impl FrameSink {
    pub(crate) fn push(&self, frame: Frame) -> Result<(), Failure> {
        // The encoder's own error is reported when its thread is joined.
        self.frames.send(frame).map_err(|_| Failure::Cancelled)
    }
}

/// Runs `work` between a decoder and, where there is one, an encoder, each on a thread.
pub(crate) fn through(
    decoding: Decoding<'_>,
    encoder: Option<Encoder>,
    work: impl FnOnce(&mut FrameSource<'_>, Option<&FrameSink>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let Decoding { kept, open } = decoding;
        let feed = if let Some(frames) = kept {
            Feed::Kept(frames.into_iter())
        } else {
            let (to_work, from_decoder) = sync_channel(WAITING);
            let decoder = open(0)?;
            scope.spawn(move || decode(decoder, &to_work));
            Feed::Ahead(from_decoder)
        };
        let mut source = FrameSource { feed, open };
        let Some(encoder) = encoder else { return work(&mut source, None) };
        let (to_encoder, from_work) = sync_channel::<Frame>(WAITING);
        let (to_end, whether_whole) = sync_channel::<()>(1);
        let writer = scope.spawn(move || encode(encoder, &from_work, &whether_whole));
        let sink = FrameSink { frames: to_encoder };
        let worked = work(&mut source, Some(&sink));
        if worked.is_ok() {
            // Without this word the encoder gives up instead of finishing a part of a clip.
            let _ = to_end.send(());
        }
        drop((source, sink, to_end));
        let written =
            writer.join().unwrap_or_else(|_| Err(crate::fail::internal("the encoder panicked")));
        match (worked, written) {
            (Err(Failure::Cancelled), Err(error)) => Err(error),
            (worked, written) => worked.and(written),
        }
    })
}

fn decode(mut decoder: Decoder, frames: &SyncSender<Result<Frame, Failure>>) {
    loop {
        let next = match decoder.read() {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => return,
            Err(error) => Err(error.into()),
        };
        let failed = next.is_err();
        if frames.send(next).is_err() || failed {
            return;
        }
    }
}

fn encode(
    mut encoder: Encoder,
    frames: &Receiver<Frame>,
    whether_whole: &Receiver<()>,
) -> Result<(), Failure> {
    for frame in frames {
        encoder.push(&frame)?;
    }
    if whether_whole.recv().is_err() {
        return Ok(());
    }
    Ok(encoder.finish()?)
}
