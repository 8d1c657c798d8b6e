//! One clip from its inputs to its files.
//!
//! Decoding, rendering and encoding overlap: ffmpeg's two processes run beside this one, and
//! bounded channels of a few frames connect the threads that talk to them, so memory stays what
//! the timeline needs.

mod apart;
mod gauge;
mod line;
mod palettes;
mod picture;
mod pipes;
mod prepare;
mod record;
mod share;
mod sky;
mod stages;

pub(crate) use record::Recorder;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Clock;
use engine::{Context, Made, OutputKind, OutputSpec, Shot, Take};
use kernels::convert;
use media::still::write_image;
use media::{CancelToken, Frame, Toolchain};
use serde_json::json;

use crate::fail::Failure;
use crate::footage::{Footage, Source, view};
use crate::sheet::Sheet;
use crate::stages::{Pace, Passing};
use crate::timeline::Cue;
use gauge::Gauge;
pub(crate) use line::Line;
use line::Progress;
use pipes::{Clip, Decoding, FrameSink};
use prepare::Prepared;

/// How often a wish to stop is looked for, in milliseconds.
const WATCH_MILLIS: u64 = 20;

/// Where in the clip the poster is taken.
const POSTER_PART: f64 = 0.4;

/// Rate of a still's clip.
const STILL_RATE: u32 = 24;

/// What every step of a run needs.
pub(crate) struct Run<'a> {
    pub(crate) tools: &'a Toolchain,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) shot: &'a Shot,
    pub(crate) context: &'a dyn Context,
    pub(crate) cancel: CancelToken,
    pub(crate) made_by: String,
}

/// What is remembered of the finished frames.
struct Seen {
    poster_at: usize,
    poster: Option<Frame>,
    before: Option<Frame>,
    gauge: Gauge,
}

// === impl Run ===

impl Run<'_> {
    /// Makes every output. Children are killed as soon as the context says stop.
    pub(crate) fn all(&self, sheet: Sheet) -> Result<(Take, Recorder), Failure> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    if self.context.cancelled() {
                        self.cancel.cancel();
                        break;
                    }
                    std::thread::park_timeout(Duration::from_millis(WATCH_MILLIS));
                }
            });
            let made = self.outputs(sheet);
            done.store(true, Ordering::SeqCst);
            watcher.thread().unpark();
            // A failure after the wish to stop is that wish's doing.
            if self.cancel.is_cancelled() || self.context.cancelled() {
                return Err(Failure::Cancelled);
            }
            if made.is_err() {
                self.cancel.cancel();
            }
            made
        })
    }

    fn outputs(&self, mut sheet: Sheet) -> Result<(Take, Recorder), Failure> {
        let mut recorder = Recorder::new();
        let mut outputs = Vec::with_capacity(self.shot.outputs.len());
        let mut poster = None;
        for (index, spec) in self.shot.outputs.iter().enumerate() {
            let (path, still) = self.output(spec, index, &mut sheet, &mut recorder)?;
            let content_type = match spec.kind {
                OutputKind::Video { .. } => "video/mp4",
                OutputKind::Image { .. } => "image/png",
            };
            if poster.is_none() {
                poster = Some(self.poster(&still)?);
            }
            outputs.push(Made { name: spec.name.clone(), path, content_type: content_type.into() });
        }
        let report = engine::Report { unmet: sheet.unmet, ..engine::Report::default() };
        Ok((Take { outputs, poster, report }, recorder))
    }

    /// Makes one output; its file and the frame that stands for it.
    fn output(
        &self,
        spec: &OutputSpec,
        index: usize,
        sheet: &mut Sheet,
        recorder: &mut Recorder,
    ) -> Result<(PathBuf, Frame), Failure> {
        let name: String =
            spec.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        match spec.kind {
            OutputKind::Video { width, height, fps, frames } => {
                let path = self.shot.dir.join(format!("{index}-{name}.mp4"));
                let clip = Clip { width, height, fps, frames };
                let prepared = self.prepare(clip, false, sheet, recorder)?;
                let still = self.video(prepared, &path, recorder)?;
                Ok((path, still))
            }
            OutputKind::Image { width, height } => {
                let path = self.shot.dir.join(format!("{index}-{name}.png"));
                let frames = self.shot.length_secs.max(1) * STILL_RATE;
                let clip = Clip { width, height, fps: STILL_RATE, frames };
                let prepared = self.prepare(clip, true, sheet, recorder)?;
                let frame = self.still(prepared, recorder)?;
                write_still(&path, &frame)?;
                Ok((path, frame))
            }
        }
    }

    fn poster(&self, still: &Frame) -> Result<PathBuf, Failure> {
        let path = self.shot.dir.join("poster.jpg");
        write_still(&path, still)?;
        Ok(path)
    }

    /// Renders all frames of a clip into a file.
    fn video(
        &self,
        mut prepared: Prepared,
        path: &Path,
        recorder: &mut Recorder,
    ) -> Result<Frame, Failure> {
        let cues = Arc::clone(&prepared.cues);
        let mut line = std::mem::take(&mut prepared.line);
        let mut seen = Seen::of(cues.len());
        let started = self.clock.now();
        let encoder = prepared.encoder(path, self)?;
        let pace = Progress::new(self.context, prepared.done, cues.len(), line.effort());
        let kept = prepared.kept.take();
        pipes::through(prepared.decoding(self, kept)?, Some(encoder), |source, sink| {
            let mut footage = Footage::new(source, &cues, prepared.alike());
            for (n, &cue) in cues.iter().enumerate() {
                let frame = self.render(n, &cue, &mut footage, &prepared, recorder)?;
                let shot = prepared.analysis.shot_of(cue.main().round() as usize);
                seen.gauge.shown(n, shot, &frame)?;
                let mut give = |passing| seen.see(passing, sink, recorder);
                line.push(Passing { n, cue, frame }, self.clock, &pace, &mut give)?;
                pace.work(1.0)?;
            }
            line.end(self.clock, &pace, &mut |passing| seen.see(passing, sink, recorder))
        })?;
        Self::note(&prepared, &line, recorder);
        recorder.add("encode", prepared.sound_parameters(), self.clock.now().millis_since(started));
        recorder.metric("frames", cues.len() as f64);
        for (name, value) in seen.gauge.metrics() {
            recorder.metric(name, value);
        }
        seen.poster.ok_or_else(|| crate::fail::internal("a clip of no frames was asked for"))
    }

    /// Renders the frame that stands for the clip.
    fn still(&self, mut prepared: Prepared, recorder: &mut Recorder) -> Result<Frame, Failure> {
        let n = prepared.representative();
        let mut line = std::mem::take(&mut prepared.line);
        let cue = prepared.cues[n];
        let mut made = None;
        pipes::through(prepared.decoding(self, None)?, None, |source, _| {
            let mut footage = Footage::new(source, &[cue], prepared.alike());
            // The footage knows this cue as its first.
            let framed = |frame, moment| prepared.framed(frame, n, moment);
            let frame = footage.show(0, &cue, framed)?;
            made = Some(line.alone(Passing { n, cue, frame }, self.clock)?.frame);
            Ok(())
        })?;
        Self::note(&prepared, &line, recorder);
        self.context.progress("render", 0.98);
        made.ok_or_else(|| crate::fail::internal("no frame was made"))
    }

    /// The picture of a frame before any stage.
    fn render<S: Source>(
        &self,
        n: usize,
        cue: &Cue,
        footage: &mut Footage<S>,
        prepared: &Prepared,
        recorder: &mut Recorder,
    ) -> Result<Frame, Failure> {
        if self.context.cancelled() {
            return Err(Failure::Cancelled);
        }
        let start = self.clock.now();
        let mut framing = 0;
        let frame = footage.show(n, cue, |picture, moment| {
            let start = self.clock.now();
            let frame = prepared.framed(picture, n, moment)?;
            framing += self.clock.now().0 - start.0;
            Ok(frame)
        })?;
        recorder.spend(prepared.framing_name(), framing);
        recorder.spend("time", self.clock.now().0 - start.0 - framing);
        Ok(frame)
    }

    fn note(prepared: &Prepared, line: &Line, recorder: &mut Recorder) {
        if let Some(parameters) = prepared.time_parameters() {
            recorder.add_spent("time", parameters);
        }
        if let Some(parameters) = prepared.framing_parameters() {
            recorder.add_spent(prepared.framing_name(), parameters);
        }
        line.note(recorder);
        if line.is_empty()
            && prepared.time_parameters().is_none()
            && prepared.framing_parameters().is_none()
        {
            recorder.add_spent("pass_through", json!({}));
        }
    }
}

// === impl Seen ===

impl Seen {
    fn of(frames: usize) -> Self {
        let poster_at = (frames as f64 * POSTER_PART) as usize;
        Self { poster_at, poster: None, before: None, gauge: Gauge::default() }
    }

    fn see(
        &mut self,
        Passing { n, frame, .. }: Passing,
        sink: Option<&FrameSink>,
        recorder: &mut Recorder,
    ) -> Result<(), Failure> {
        if let Some(before) = self.before.replace(frame.clone()) {
            recorder.step(&before, &frame)?;
        }
        self.gauge.made(n, &frame)?;
        if n == self.poster_at {
            self.poster = Some(frame.clone());
        }
        sink.map_or(Ok(()), |sink| sink.push(frame))
    }
}

fn write_still(path: &Path, frame: &Frame) -> Result<(), Failure> {
    let rgb = convert::frame_to_rgb(view(frame)?)?;
    Ok(write_image(path, frame.width(), frame.height(), rgb.as_bytes())?)
}

/// Reads every frame of a decoding.
pub(crate) fn each_frame(
    decoding: Decoding<'_>,
    mut see: impl FnMut(&Frame) -> Result<(), Failure>,
) -> Result<(), Failure> {
    pipes::through(decoding, None, |source, _| {
        while let Some(frame) = source.next()? {
            see(&frame)?;
        }
        Ok(())
    })
}
