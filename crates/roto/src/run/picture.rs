//! A clip that shows a picture as the reference's camera would have seen it.
//!
//! The picture takes the reference's place: one frame that is shown all the time, with an analysis
//! of its own, seen through windows that go along the camera's path. Every stage then treats it
//! like any other footage.

use std::sync::Arc;

use kernels::{Rgb8, Rgba8, convert, resize};
use media::Frame;
use media::still::StillImage;
use serde_json::{Value, json};

use super::Run;
use super::prepare::Prepared;
use crate::analysis::{Analysis, Analyst, PROXY_SIDE, Questions};
use crate::fail::{Failure, internal};
use crate::footage::view;
use crate::framing::{self, Canvas, Fitted, STILL, Screen, Shown, Travel, Window};
use crate::sheet::{self, Course, Sheet};
use crate::stages::{End, Pictures};
use crate::timeline::{self, Cue};

/// Longest side of a picture that is kept, in px.
const MOST_SIDE: f32 = 4096.0;

/// A picture in place of the reference.
pub(super) struct OverPicture {
    /// The picture at the size that the windows count in.
    pub(super) still: Frame,
    pub(super) parameters: Value,
}

// === impl Run ===

impl Run<'_> {
    /// Puts a picture in the reference's place. A picture that is not there is added to the
    /// sheet's unmet wishes.
    pub(super) fn over_picture(
        &self,
        prepared: &mut Prepared,
        filmed: &sheet::Shown,
        asked: Questions,
        sheet: &mut Sheet,
    ) -> Result<(), Failure> {
        let Some(image) = self.picture(filmed.role)? else {
            sheet.say(&filmed.words, "the picture is not among the inputs".to_owned(), false);
            sheet.pictures.filmed = None;
            return Ok(());
        };
        let native = (image.width as usize, image.height as usize);
        let screen = (prepared.clip.width as usize, prepared.clip.height as usize);
        let analysis = analysis_of(&image, asked)?;
        let (travel, shot, way) = travel(&prepared.analysis);
        let still = way < STILL;
        if still {
            let reason = format!(
                "the reference's camera stands still (it moves by `{:.1}` % of the frame); the picture comes slowly closer instead",
                100.0 * way
            );
            sheet.say(&filmed.words, reason, false);
        }
        let frames = prepared.reel.out_frames;
        let (travel, moments) = if still {
            (Travel::drift(frames), (0..frames).map(|n| n as f64).collect())
        } else {
            let moments = timeline::of_path(&sheet.timing, &prepared.reel, travel.last());
            (travel, moments)
        };
        let cues = vec![Cue::at(0.0); frames];
        let base = bases(sheet, &cues, &analysis, native, screen, prepared, self.shot.seed);
        let canvas = Canvas { picture: native, screen, windows: &base };
        let rate = f64::from(prepared.clip.fps);
        let fitted = travel.fitted(&moments, rate, canvas);
        let (kept, windows) = sized(&fitted, native, screen);
        let still_frame = frame_of(&image, kept)?;
        prepared.over = Some(OverPicture {
            still: still_frame,
            parameters: json!({
                "of": filmed.name(),
                "shot_frames": [shot.start, shot.end],
                "camera_stands_still": still,
                "reach_widths": fitted.reach.0,
                "reach_kept_widths": fitted.reach.1,
                "amplitude_kept": fitted.kept,
                "shake_kept": fitted.shake_kept,
                "punch_in": fitted.room,
                "picture": [kept.0, kept.1],
                "moves": sheet.framing.moves.len(),
                "parallax": "none",
            }),
        });
        prepared.cues = Arc::new(cues);
        prepared.picture = kept;
        prepared.analysis = Arc::new(analysis);
        let shown = windows.into_iter().map(|at| Shown { at, join: at }).collect();
        prepared.windows = Arc::new(Some(shown));
        Ok(())
    }
}

// === impl Run ===

impl Run<'_> {
    /// The stage that starts and ends the clip on pictures. Those that are not there are added to
    /// the sheet's unmet wishes.
    pub(super) fn ends(
        &self,
        prepared: &Prepared,
        sheet: &mut Sheet,
    ) -> Result<Option<Pictures>, Failure> {
        let screen = (prepared.clip.width as usize, prepared.clip.height as usize);
        let mut missing = Vec::new();
        let mut end = |shown: Option<&sheet::Shown>| -> Result<Option<End>, Failure> {
            let Some(shown) = shown else { return Ok(None) };
            let Some(image) = self.picture(shown.role)? else {
                let reason = format!("`{}` is not among the inputs", shown.name());
                missing.push((shown.words.clone(), reason));
                return Ok(None);
            };
            Ok(Some(End::new(shown.name(), framed(&image, screen)?, screen)))
        };
        let first = end(sheet.pictures.first.as_ref())?;
        let last = end(sheet.pictures.last.as_ref())?;
        for (words, reason) in missing {
            sheet.say(&words, reason, false);
        }
        let rate = f64::from(prepared.clip.fps);
        Ok((first.is_some() || last.is_some())
            .then(|| Pictures::new(first, last, prepared.cues.len(), rate)))
    }
}

/// A picture at the size at which it covers the screen with the room that a stage needs.
fn framed(image: &StillImage, screen: (usize, usize)) -> Result<Frame, Failure> {
    let native = (image.width as usize, image.height as usize);
    let cover = (screen.0 as f32 / native.0 as f32).max(screen.1 as f32 / native.1 as f32);
    let even = |side: usize| ((side as f32 * cover / 2.0).ceil() as usize * 2).max(2);
    frame_of(image, (even(native.0), even(native.1)))
}

/// The path through the reference's longest shot, that shot, and how far the camera goes in it.
fn travel(analysis: &Analysis) -> (Travel, std::ops::Range<usize>, f32) {
    let longest = |a: &usize, b: &usize| {
        let length = |k: usize| analysis.shots.get(k).map_or(0, std::iter::ExactSizeIterator::len);
        // The first of equals.
        length(*a).cmp(&length(*b)).then(b.cmp(a))
    };
    let shot = (0..analysis.shots.len())
        .max_by(longest)
        .and_then(|k| analysis.shots.get(k).cloned())
        .unwrap_or(0..1);
    let nothing = kernels::CameraPath { poses: Vec::new() };
    let path = analysis.path.as_ref().unwrap_or(&nothing);
    let travel = Travel::of(path, &shot, analysis.size.0);
    let way = travel.reach();
    (travel, shot, way)
}

/// Where the frame stands on the picture without the path.
fn bases(
    sheet: &Sheet,
    cues: &[Cue],
    analysis: &Analysis,
    native: (usize, usize),
    screen: (usize, usize),
    prepared: &Prepared,
    seed: u64,
) -> Vec<Window> {
    let on = Screen { size: screen, rate: f64::from(prepared.clip.fps), seed };
    let found = framing::windows(&sheet.framing, Course::Same, cues, analysis, native, on, None);
    let whole = Window::largest(native, screen.0 as f32 / screen.1 as f32);
    found.map_or_else(
        || vec![whole; cues.len()],
        |windows| windows.into_iter().map(|shown| shown.at).collect(),
    )
}

/// The size at which the closest window shows px for px, at most the picture's own, and the
/// windows at that size.
fn sized(
    fitted: &Fitted,
    native: (usize, usize),
    screen: (usize, usize),
) -> ((usize, usize), Vec<Window>) {
    let narrowest = fitted.windows.iter().map(|window| window.size.0).fold(f32::INFINITY, f32::min);
    let longest = native.0.max(native.1) as f32;
    let factor = (screen.0 as f32 / narrowest).min(1.0).min(MOST_SIDE / longest);
    let even = |side: usize| ((side as f32 * factor / 2.0).floor() as usize * 2).max(2);
    let kept = (even(native.0), even(native.1));
    let (x, y) = (kept.0 as f32 / native.0 as f32, kept.1 as f32 / native.1 as f32);
    let scaled = |window: &Window| {
        let centre = (window.centre.0 * x, window.centre.1 * y);
        Window { centre, size: (window.size.0 * x, window.size.1 * x), ..*window }.inside(kept)
    };
    (kept, fitted.windows.iter().map(scaled).collect())
}

/// A picture as a frame of the given, even size; what is transparent is grey.
pub(super) fn frame_of(image: &StillImage, size: (usize, usize)) -> Result<Frame, Failure> {
    frame_of_rgb(&over_grey(image)?, size)
}

/// A picture as a frame of the given, even size.
pub(super) fn frame_of_rgb(rgb: &Rgb8, size: (usize, usize)) -> Result<Frame, Failure> {
    let rgb = resize::rgb(rgb, size.0, size.1, resize::Filter::Bicubic)?;
    let frame = convert::rgb_to_frame(&rgb)?;
    let bytes: Vec<u8> =
        frame.planes().iter().flat_map(|plane| plane.data().iter().copied()).collect();
    Frame::from_bytes(size.0 as u32, size.1 as u32, bytes)
        .ok_or_else(|| internal("a picture has an odd side"))
}

/// A picture's colours; what is transparent is grey.
pub(super) fn over_grey(image: &StillImage) -> Result<Rgb8, Failure> {
    let rgba = Rgba8::from_bytes(&image.rgba, image.width as usize, image.height as usize)?;
    if !rgba.has_alpha() {
        return Ok(rgba.to_rgb());
    }
    let (width, height) = rgba.size();
    Ok(Rgb8::from_fn(width, height, |x, y| {
        let [r, g, b, a] = rgba.at(x as isize, y as isize);
        let mixed =
            |c: u8| ((u32::from(c) * u32::from(a) + 128 * (255 - u32::from(a)) + 127) / 255) as u8;
        [mixed(r), mixed(g), mixed(b)]
    })?)
}

/// What is known of a picture: one shot of one frame.
fn analysis_of(image: &StillImage, asked: Questions) -> Result<Analysis, Failure> {
    let longer = image.width.max(image.height).max(1);
    let side = |side: u32| (side * PROXY_SIDE.min(longer) / longer / 2 * 2).max(16) as usize;
    let copy = frame_of(image, (side(image.width), side(image.height)))?;
    let mut analyst = Analyst::new(Questions { subject: true, path: true, ..asked });
    analyst.see(view(&copy)?)?;
    Ok(analyst.finish())
}
