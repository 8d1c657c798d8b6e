//! One clip from its inputs to its files.
//!
//! Decoding, rendering and encoding overlap: ffmpeg's two processes run beside this one, and
//! bounded channels of a few frames connect the threads that talk to them, so memory stays what
//! the timeline needs.

mod pipes;
mod prepare;
mod record;
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
use crate::timeline::Cue;
use pipes::{Clip, Decoding};
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
        let poster_at = (cues.len() as f64 * POSTER_PART) as usize;
        let mut poster = None;
        let mut before: Option<Frame> = None;
        let started = self.clock.now();
        let encoder = prepared.encoder(path, self)?;
        pipes::through(prepared.decoder(self)?, Some(encoder), |source, sink| {
            let mut footage = Footage::new(source, &cues, prepared.alike());
            for (n, cue) in cues.iter().enumerate() {
                let frame = self.render(n, cue, &mut footage, &mut prepared, recorder)?;
                if let Some(before) = before.replace(frame.clone()) {
                    recorder.step(&before, &frame)?;
                }
                if n == poster_at {
                    poster = Some(frame.clone());
                }
                if let Some(sink) = sink {
                    sink.push(frame)?;
                }
                let part = (n + 1) as f64 / cues.len() as f64;
                self.context.progress("render", prepared.done + (0.98 - prepared.done) * part);
            }
            Ok(())
        })?;
        Self::note(&prepared, recorder);
        recorder.add("encode", prepared.sound_parameters(), self.clock.now().millis_since(started));
        recorder.metric("frames", cues.len() as f64);
        poster.ok_or_else(|| crate::fail::internal("a clip of no frames was asked for"))
    }

    /// Renders the frame that stands for the clip.
    fn still(&self, mut prepared: Prepared, recorder: &mut Recorder) -> Result<Frame, Failure> {
        let n = prepared.representative();
        let cue = prepared.cues[n];
        let mut made = None;
        pipes::through(prepared.decoder(self)?, None, |source, _| {
            let mut footage = Footage::new(source, &[cue], prepared.alike());
            // The footage knows this cue as its first.
            let framed = |frame, moment| prepared.framed(frame, n, moment);
            let frame = footage.show(0, &cue, framed)?;
            made = Some(self.dress(frame, n, &cue, &mut prepared, recorder)?);
            Ok(())
        })?;
        Self::note(&prepared, recorder);
        self.context.progress("render", 0.98);
        made.ok_or_else(|| crate::fail::internal("no frame was made"))
    }

    fn render<S: Source>(
        &self,
        n: usize,
        cue: &Cue,
        footage: &mut Footage<S>,
        prepared: &mut Prepared,
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
        recorder.spend("framing", framing);
        recorder.spend("time", self.clock.now().0 - start.0 - framing);
        self.dress(frame, n, cue, prepared, recorder)
    }

    /// The stages over a frame.
    fn dress(
        &self,
        mut frame: Frame,
        n: usize,
        cue: &Cue,
        prepared: &mut Prepared,
        recorder: &mut Recorder,
    ) -> Result<Frame, Failure> {
        let mut last = self.clock.now();
        for stage in &mut prepared.stages {
            stage.apply(n, cue, &mut frame)?;
            let now = self.clock.now();
            recorder.spend(stage.name(), now.0 - last.0);
            last = now;
        }
        Ok(frame)
    }

    fn note(prepared: &Prepared, recorder: &mut Recorder) {
        if let Some(parameters) = prepared.time_parameters() {
            recorder.add_spent("time", parameters);
        }
        if let Some(parameters) = prepared.framing_parameters() {
            recorder.add_spent("framing", parameters);
        }
        for stage in &prepared.stages {
            recorder.add_spent(stage.name(), stage.parameters());
        }
        if prepared.stages.is_empty() && prepared.time_parameters().is_none() {
            recorder.add_spent("pass_through", json!({}));
        }
    }
}

fn write_still(path: &Path, frame: &Frame) -> Result<(), Failure> {
    let rgb = convert::frame_to_rgb(view(frame)?)?;
    Ok(write_image(path, frame.width(), frame.height(), rgb.as_bytes())?)
}

/// Reads every frame of a decoding.
pub(crate) fn each_frame(
    decoding: Decoding,
    mut see: impl FnMut(&Frame) -> Result<(), Failure>,
) -> Result<(), Failure> {
    pipes::through(decoding, None, |source, _| {
        while let Some(frame) = source.next()? {
            see(&frame)?;
        }
        Ok(())
    })
}
