//! From a sheet to stages that are ready to run.

use std::path::Path;
use std::sync::Arc;

use domain::facts::Role;
use kernels::Rect;
use kernels::resize::{self, Filter};
use media::{AudioSpec, DecodeSpec, Decoder, EncodeSpec, Encoder, Frame, VideoProbe, probe_video};
use serde_json::{Value, json};

use super::picture::OverPicture;
use super::pipes::{Clip, Decoding};
use super::share::{BEGUN, analysed};
use super::{Line, Recorder, Run, each_frame};
use crate::analysis::{Analysis, Analyst, PROXY_SIDE, Questions};
use crate::fail::{Failure, internal};
use crate::footage::{Moment, blank, view, view_mut};
use crate::framing::{self, Onward, Played, Screen, Shown};
use crate::sheet::{Course, Framing, Light, Sheet};
use crate::timeline::{Cue, Reel, Timeline, VISIBLE_JUMP, segments};

/// Most frames a second that slow motion is made from.
const MOST_RATE: f64 = 60.0;

/// Bytes of decoded frames that may wait from the analysis to the rendering, so that the reference
/// is decoded once: 5 s at 1080p. A longer one is decoded again.
const MOST_KEPT_BYTES: usize = 384 << 20;

/// A clip that only has to be rendered.
pub(crate) struct Prepared {
    pub(crate) cues: Arc<Vec<Cue>>,
    pub(crate) line: Line,
    /// Part of the whole run that is done.
    pub(crate) done: f64,
    pub(super) clip: Clip,
    probe: VideoProbe,
    timeline: Timeline,
    pub(super) reel: Reel,
    pub(super) windows: Arc<Option<Vec<Shown>>>,
    onward: Option<Onward>,
    moves: usize,
    parallax: &'static str,
    pub(super) picture: (usize, usize),
    pub(super) analysis: Arc<Analysis>,
    /// The picture that the reference's camera moves over, in place of the reference.
    pub(super) over: Option<OverPicture>,
    sound: Option<AudioSpec>,
    /// The reel's frames at the size of `picture`, if the analysis has kept them.
    pub(super) kept: Option<Vec<Frame>>,
}

/// The analysis, and the frames that it has kept.
type Looked = (Analysis, Option<Vec<Frame>>);

// === impl Run ===

impl Run<'_> {
    /// Looks at the inputs as far as the sheet needs it and sets the stages up. What turns out to
    /// be impossible is added to the sheet's unmet wishes.
    pub(crate) fn prepare(
        &self,
        clip: Clip,
        still: bool,
        sheet: &mut Sheet,
        recorder: &mut Recorder,
    ) -> Result<Prepared, Failure> {
        let reference = self.reference()?;
        let probe = probe_video(self.tools, reference, &self.cancel)?;
        let rate = reel_rate(sheet, &probe, clip.fps);
        let native = (probe.width as usize, probe.height as usize);
        let screen = (clip.width as usize, clip.height as usize);
        let asked = questions(sheet, &probe, clip, native, still);
        let start = self.clock.now();
        let most = analysed(sheet, &probe, rate, clip, asked);
        let course = sheet.timing.course;
        let size = framing::working_size(native, screen, &sheet.framing, course, None);
        let size = Some(size).filter(|&size| !still && fits(size, &probe, rate));
        let ((analysis, kept), done) = if asked.any() {
            let looked = self.analyse(reference, &probe, (rate, size), asked, most)?;
            let parameters = json!({ "shots": looked.0.shots.len(), "frames": looked.0.frames });
            recorder.add("analysis", parameters, self.clock.now().millis_since(start));
            (looked, most)
        } else {
            (Looked::default(), BEGUN)
        };
        let analysis = Arc::new(analysis);
        let heard = self.shot.keep_sound && !sheet.mute && probe.audio.is_some();
        let reel = Reel { heard, ..reel(&analysis, &probe, rate, clip) };
        let timeline = Timeline::build(&sheet.timing, &reel, asked.likeness.then_some(&*analysis));
        say_if_seen(&timeline, sheet);
        let onward = (asked.path && goes_on(sheet, native, screen))
            .then(|| onward(sheet, &timeline, &analysis, &reel))
            .flatten();
        let on = Screen { size: screen, rate: f64::from(clip.fps), seed: self.shot.seed };
        let (framing, ahead) = (&sheet.framing, onward.as_ref());
        let picture = framing::working_size(native, screen, framing, course, ahead);
        let windows =
            framing::windows(framing, course, &timeline.cues, &analysis, picture, on, ahead);
        let sound = self.sound(sheet, &probe, reference, &timeline, &reel);
        let mut prepared = Prepared {
            cues: Arc::new(timeline.cues.clone()),
            line: Line::default(),
            done,
            clip,
            probe,
            timeline,
            reel,
            windows: Arc::new(windows),
            moves: sheet.framing.moves.len(),
            parallax: parallax(onward.as_ref(), &sheet.framing),
            onward,
            picture,
            analysis,
            over: None,
            sound,
            kept: kept.filter(|_| size == Some(picture)),
        };
        if let Some(filmed) = sheet.pictures.filmed.clone() {
            self.over_picture(&mut prepared, &filmed, asked, sheet)?;
            prepared.kept = prepared.kept.filter(|_| size == Some(prepared.picture));
        }
        prepared.line = Line::new(self.stages(&prepared, sheet)?);
        self.context.progress("analysis", done);
        Ok(prepared)
    }

    fn reference(&self) -> Result<&Path, Failure> {
        let video = self.shot.inputs.iter().find(|input| matches!(input.role, Role::Video { .. }));
        let video = video.ok_or_else(|| {
            Failure::Input("roto needs a reference video and the request has none".to_owned())
        })?;
        Ok(&video.path)
    }

    fn analyse(
        &self,
        path: &Path,
        probe: &VideoProbe,
        (rate, keep): (u32, Option<(usize, usize)>),
        asked: Questions,
        most: f64,
    ) -> Result<Looked, Failure> {
        let longer = probe.width.max(probe.height).max(1);
        let side = |side: u32| (side * PROXY_SIDE.min(longer) / longer / 2 * 2).max(16);
        let copy = (side(probe.width), side(probe.height));
        let (width, height) = keep.map_or(copy, |(w, h)| (w as u32, h as u32));
        let spec = DecodeSpec { width, height, fps: rate, start_secs: 0.0, max_frames: None };
        let open = |_| Ok(Decoder::open(self.tools, path, probe, spec, &self.cancel)?);
        let total = (probe.duration_secs * f64::from(rate)).max(1.0);
        let mut analyst = Analyst::new(asked);
        let mut small = blank((copy.0 as usize, copy.1 as usize))?;
        let mut kept = Vec::new();
        let mut seen = 0.0;
        each_frame(Decoding { kept: None, open: Box::new(open) }, |frame| {
            if self.context.cancelled() {
                return Err(Failure::Cancelled);
            }
            if keep.is_some() {
                let whole = Rect::whole((frame.width() as usize, frame.height() as usize));
                resize::crop_frame(view(frame)?, whole, &mut view_mut(&mut small)?, Filter::Area);
                analyst.see(view(&small)?)?;
                kept.push(frame.clone());
            } else {
                analyst.see(view(frame)?)?;
            }
            seen += 1.0;
            self.context.progress("analysis", BEGUN + (most - BEGUN) * (seen / total).min(1.0));
            Ok(())
        })?;
        Ok((analyst.finish(), keep.is_some().then_some(kept)))
    }

    fn sound(
        &self,
        sheet: &mut Sheet,
        probe: &VideoProbe,
        path: &Path,
        timeline: &Timeline,
        reel: &Reel,
    ) -> Option<AudioSpec> {
        if !self.shot.keep_sound || sheet.mute {
            return None;
        }
        if probe.audio.is_none() {
            sheet.say("keep the sound", "the reference has no sound".to_owned(), false);
            return None;
        }
        let segments = segments(&timeline.cues, reel);
        if segments.is_empty() {
            let reason = "the picture stands still, runs backwards, or is slower or faster than sound can follow";
            sheet.say("keep the sound", reason.to_owned(), false);
            return None;
        }
        Some(AudioSpec { source: path.to_owned(), segments })
    }
}

// === impl Prepared ===

impl Prepared {
    /// Decodes as far as the timeline goes.
    pub(crate) fn decoding<'a>(
        &self,
        run: &'a Run<'_>,
        kept: Option<Vec<Frame>>,
    ) -> Result<Decoding<'a>, Failure> {
        let furthest = self
            .cues
            .iter()
            .flat_map(|cue| [cue.at, cue.join.map_or(0.0, |join| join.at)])
            .fold(0.0, f64::max);
        let (width, height) = (self.picture.0 as u32, self.picture.1 as u32);
        let (rate, frames) = (self.reel.rate, furthest.ceil() as usize + 1);
        let (path, probe) = (run.reference()?, self.probe.clone());
        let open = move |first: usize| {
            let spec = DecodeSpec {
                width,
                height,
                fps: rate as u32,
                start_secs: first as f64 / rate,
                max_frames: Some((frames - first.min(frames - 1)) as u32),
            };
            Ok(Decoder::open(run.tools, path, &probe, spec, &run.cancel)?)
        };
        Ok(Decoding { kept, open: Box::new(open) })
    }

    /// Starts the clip's file.
    pub(crate) fn encoder(&self, path: &Path, run: &Run<'_>) -> Result<Encoder, Failure> {
        let Clip { width, height, fps, frames } = self.clip;
        let spec = EncodeSpec {
            width,
            height,
            fps,
            frames,
            audio: self.sound.clone(),
            made_by: run.made_by.clone(),
        };
        Ok(Encoder::create(run.tools, path, spec, &run.cancel)?)
    }

    /// The picture of one of frame `n`'s moments as the clip frames it.
    pub(crate) fn framed(
        &self,
        picture: Frame,
        n: usize,
        moment: Moment,
    ) -> Result<Frame, Failure> {
        let screen = (self.clip.width as usize, self.clip.height as usize);
        let Some(windows) = self.windows.as_ref() else { return Ok(picture) };
        let shown = windows.get(n).ok_or_else(|| internal("a frame has no window"))?;
        let window = if moment == Moment::Own { shown.at } else { shown.join };
        if self.over.is_none() && self.picture == screen && window.is_whole(screen) {
            return Ok(picture);
        }
        let mut framed = blank(screen)?;
        let picture = self.over.as_ref().map_or(&picture, |over| &over.still);
        window.show(view(picture)?, &mut view_mut(&mut framed)?);
        Ok(framed)
    }

    /// The sharpest frame of the clip, away from its ends.
    pub(crate) fn representative(&self) -> usize {
        let frames = self.cues.len();
        let sharpness = |n: usize| {
            let frame = self.cues[n].main().round() as usize;
            self.analysis.sharpness.get(frame).copied().unwrap_or(0.0)
        };
        (frames / 5..(frames * 4).div_ceil(5).max(frames / 5 + 1))
            .filter(|&n| n < frames)
            .max_by(|&a, &b| sharpness(a).total_cmp(&sharpness(b)))
            .unwrap_or(0)
    }

    /// Whether joined moments are alike enough to be morphed.
    pub(crate) fn alike(&self) -> bool {
        self.timeline.jump.is_none_or(|(_, _, cost)| cost <= VISIBLE_JUMP)
    }

    pub(crate) fn time_parameters(&self) -> Option<Value> {
        if self.over.is_some() {
            return None;
        }
        let straight = self.timeline.is_whole()
            && self.cues.iter().enumerate().all(|(n, cue)| cue.at == n as f64);
        (!straight).then(|| {
            json!({
                "reel_rate": self.reel.rate,
                "slowed_to": self.timeline.slowed_to,
                "goes_on": self.timeline.jump.map(|(exit, entry, cost)| json!({
                    "from_secs": exit as f64 / self.reel.rate,
                    "at_secs": entry as f64 / self.reel.rate,
                    "cost": cost,
                })),
            })
        })
    }

    /// The pass that chooses the windows.
    pub(crate) fn framing_name(&self) -> &'static str {
        if self.over.is_some() { "camera_transfer" } else { "framing" }
    }

    pub(crate) fn framing_parameters(&self) -> Option<Value> {
        if let Some(over) = &self.over {
            return Some(over.parameters.clone());
        }
        let windows = self.windows.as_ref().as_ref()?;
        let sides = windows.iter().flat_map(|shown| [shown.at.size.0, shown.join.size.0]);
        let narrowest = sides.fold(f32::INFINITY, f32::min);
        Some(json!({
            "moves": self.moves,
            "parallax": self.parallax,
            "picture": [self.picture.0, self.picture.1],
            "narrowest_px": narrowest,
            "goes_on": self.onward.as_ref().map(|onward| {
                // The scene moves against the camera.
                let [growth, x, y] = onward.speed;
                json!({ "pan_widths_a_second": [-x, -y], "growth_a_second": growth })
            }),
        }))
    }

    pub(crate) fn sound_parameters(&self) -> Value {
        let Clip { width, height, fps, frames } = self.clip;
        let stretches = self.sound.as_ref().map_or(0, |sound| sound.segments.len());
        json!({ "width": width, "height": height, "fps": fps, "frames": frames, "sound": stretches })
    }
}

/// Whether a reel's frames of a size may be kept in memory. An edit list or a wrong duration can
/// make it longer than it says, but not by much: intake has measured it.
fn fits(size: (usize, usize), probe: &VideoProbe, rate: u32) -> bool {
    let frames = (probe.duration_secs * f64::from(rate)).ceil() as usize + 1;
    frames.saturating_mul(Frame::bytes(size.0 as u32, size.1 as u32)) <= MOST_KEPT_BYTES
}

/// Frames a second of the reel: the clip's own, or more where slow motion can use them.
fn reel_rate(sheet: &Sheet, probe: &VideoProbe, fps: u32) -> u32 {
    if sheet.timing.slows() && probe.fps > f64::from(fps) * 1.4 {
        probe.fps.min(MOST_RATE).round() as u32
    } else {
        fps
    }
}

fn reel(analysis: &Analysis, probe: &VideoProbe, rate: u32, clip: Clip) -> Reel {
    let guessed = (probe.duration_secs * f64::from(rate)).round().max(1.0) as usize;
    let frames = if analysis.frames > 0 { analysis.frames } else { guessed };
    let shots = if analysis.shots.is_empty() {
        std::iter::once(0..frames).collect()
    } else {
        analysis.shots.clone()
    };
    Reel {
        frames,
        rate: f64::from(rate),
        out_frames: clip.frames as usize,
        out_rate: f64::from(clip.fps),
        shots,
        heard: false,
    }
}

/// Whether the camera may go on in what is added to the reference: not where the prompt moves the
/// frame or the frame follows the subject, which has a path of its own.
fn goes_on(sheet: &Sheet, native: (usize, usize), screen: (usize, usize)) -> bool {
    !sheet.framing.moves_frame() && !framing::follows(native, screen, &sheet.framing)
}

/// Says that the clip goes on by a jump that is seen.
fn say_if_seen(timeline: &Timeline, sheet: &mut Sheet) {
    let seen = timeline.jump.filter(|jump| jump.2 > VISIBLE_JUMP);
    let Some((_, _, cost)) = seen.filter(|_| !sheet.over_picture()) else { return };
    let reason = format!(
        "no earlier moment of the reference is like its end (`{cost:.1}` times a frame's change), so the transition shows"
    );
    sheet.say("the clip goes on beyond the reference", reason, false);
}

fn parallax(onward: Option<&Onward>, framing: &Framing) -> &'static str {
    let none = onward.is_some() || framing::lacks_parallax(framing);
    if none { "none" } else { "the reference's" }
}

/// How the camera goes on.
fn onward(sheet: &Sheet, timeline: &Timeline, analysis: &Analysis, reel: &Reel) -> Option<Onward> {
    if !timeline.goes_on {
        return None;
    }
    let played = Played {
        cues: &timeline.cues,
        reel_rate: reel.rate,
        rate: reel.out_rate,
        lags: sheet.timing.changes.is_empty(),
    };
    Onward::of(&played, analysis)
}

/// What the sheet's passes need to know of the reference.
fn questions(
    sheet: &Sheet,
    probe: &VideoProbe,
    clip: Clip,
    native: (usize, usize),
    still: bool,
) -> Questions {
    let screen = (clip.width as usize, clip.height as usize);
    let clip_secs = f64::from(clip.frames) / f64::from(clip.fps);
    let short = probe.duration_secs + 0.5 / f64::from(clip.fps) < clip_secs;
    let retimed = short || sheet.timing.changes_time();
    let subject = framing::follows(native, screen, &sheet.framing)
        || !sheet.layers.is_empty()
        || sheet.light.any(&[Light::Focus]);
    let goes_on = (short || sheet.timing.extend || sheet.timing.course == Course::Next)
        && goes_on(sheet, native, screen);
    let sky = !sheet.sky.is_empty();
    let movers = !sheet.apart.is_empty();
    let path = sheet.framing.needs_path()
        || !sheet.layers.is_empty()
        || !sheet.weather.is_empty()
        || !sheet.media.is_empty()
        || sheet.light.any(&[Light::GodRays, Light::Flare, Light::Backlight, Light::MotionBlur])
        || goes_on
        || sheet.timing.course == Course::Previous
        || sheet.over_picture()
        || sky
        || movers;
    let colours = !sheet.looks.is_empty() || sky || movers;
    let strokes = !sheet.styles.is_empty();
    Questions {
        cuts: retimed || subject || path || colours || strokes || !sheet.light.is_empty(),
        colours,
        likeness: retimed || sheet.light.0.iter().any(|wish| wish.kind.has_source()),
        subject,
        path,
        sharpness: still || strokes,
        tones: strokes,
        sky,
        flows: !sheet.layers.is_empty(),
        movers,
    }
}
