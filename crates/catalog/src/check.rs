//! Measured media against the limits of their field.

use domain::Fault;
use domain::facts::{ImageFacts, MediaFacts, VideoFacts};
use domain::fault::label;

use crate::media::{ImageLimits, MediaInput, MediaLimits, VideoLimits};
use crate::message::{mebibytes, number, ticked};
use crate::rules::too_large;

/// Lengths and ratios are compared with this much grace, for what rounding does to them.
const EPSILON: f64 = 1e-6;

// === impl MediaInput ===

impl MediaInput {
    /// More bytes than allowed; `found` where the whole size is known.
    pub fn too_large(&self, found: Option<u64>) -> Fault {
        too_large(&self.pointer, self.max_bytes, found)
    }

    /// A container or picture format that is not allowed; `found` names it for people.
    pub fn wrong_format(&self, found: &str) -> Fault {
        let (kind, noun) = self.kind();
        self.unsupported(kind, &format!("{noun} format"), found, self.limits.formats())
    }

    /// The fault of a container (`mp4`, `mov`) or picture format that is not allowed.
    pub fn check_format(&self, found: &str) -> Option<Fault> {
        let known = self.limits.formats().iter().any(|format| format == found);
        (!known).then(|| self.wrong_format(found))
    }

    /// The fault of a sound codec (ffmpeg's name) that is not allowed. Pictures have none.
    pub fn check_sound(&self, codec: &str) -> Option<Fault> {
        let MediaLimits::Video(limits) = &*self.limits else { return None };
        let fits =
            |allowed: &String| allowed == codec || (allowed == "pcm" && codec.starts_with("pcm_"));
        (!limits.sound_codecs.iter().any(fits)).then(|| {
            self.unsupported("unsupported_audio_format", "audio codec", codec, &limits.sound_codecs)
        })
    }

    /// The fault of a video that is too short or too long, in seconds: known from its header.
    pub fn check_duration(&self, secs: f64) -> Option<Fault> {
        let MediaLimits::Video(limits) = &*self.limits else { return None };
        let VideoLimits { min_secs, max_secs, .. } = *limits;
        let (kind, name, limit) = if secs < min_secs - EPSILON || secs.is_nan() {
            ("video_duration_too_short", "min_duration", min_secs)
        } else if secs > max_secs + EPSILON {
            ("video_duration_too_long", "max_duration", max_secs)
        } else {
            return None;
        };
        let given = number(secs, limit);
        let msg = format!(
            "{}: {given} s duration, {min_secs} to {max_secs} s is required",
            label(&self.pointer)
        );
        let fault = Fault::at(&self.pointer, kind, msg).with(name, limit);
        Some(fault.with("provided_duration", secs))
    }

    pub(crate) fn check(&self, facts: &MediaFacts, bytes: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        if bytes > self.max_bytes {
            faults.push(self.too_large(Some(bytes)));
        }
        match (&*self.limits, facts) {
            (MediaLimits::Video(limits), MediaFacts::Video(facts)) => {
                self.video(limits, facts, &mut faults);
            }
            (MediaLimits::Image(limits), MediaFacts::Image(facts)) => {
                self.image(limits, facts, &mut faults);
            }
            (MediaLimits::Video(_), MediaFacts::Image(facts)) => {
                faults.push(self.wrong_format(&facts.format));
            }
            (MediaLimits::Image(_), MediaFacts::Video(facts)) => {
                faults.push(self.wrong_format(&facts.codec));
            }
        }
        faults
    }

    pub(crate) fn advise(&self, bytes: u64) -> Vec<String> {
        let over = self.limits.recommended_bytes().filter(|max| bytes > *max);
        let warn = |max| {
            let place = label(&self.pointer);
            format!(
                "{place}: file of {}, at most {} is recommended",
                mebibytes(bytes),
                mebibytes(max)
            )
        };
        over.map(warn).into_iter().collect()
    }

    fn kind(&self) -> (&'static str, &'static str) {
        match *self.limits {
            MediaLimits::Video(_) => ("unsupported_video_format", "video"),
            MediaLimits::Image(_) => ("unsupported_image_format", "image"),
        }
    }

    fn unsupported(&self, kind: &str, noun: &str, found: &str, allowed: &[String]) -> Fault {
        let shown: String = found.chars().take(64).collect();
        let place = label(&self.pointer);
        let msg = format!("{place}: {noun} `{shown}`, one of {} is required", ticked(allowed));
        Fault::at(&self.pointer, kind, msg).with("supported_formats", allowed.to_vec())
    }

    fn video(&self, limits: &VideoLimits, facts: &VideoFacts, faults: &mut Vec<Fault>) {
        faults.extend(self.check_duration(facts.duration_secs));
        let (width, height) = (facts.width, facts.height);
        if width.min(height) < limits.min_side {
            faults.push(self.too_small("video_too_small", width, height, limits.min_side));
        }
        if width.max(height) > limits.max_side {
            faults.push(self.too_big("video_too_large", width, height, limits.max_side));
        }
        let least = limits.min_fps - limits.fps_slack_below - EPSILON;
        let most = limits.max_fps + limits.fps_slack_above + EPSILON;
        let (min, max) = (limits.min_fps, limits.max_fps);
        if facts.fps < least || facts.fps.is_nan() {
            faults.push(self.range("greater_than_equal", "ge", min, facts.fps, ("fps", min, max)));
        } else if facts.fps > most {
            faults.push(self.range("less_than_equal", "le", max, facts.fps, ("fps", min, max)));
        }
        if !limits.codecs.contains(&facts.codec) {
            let kind = "unsupported_video_format";
            faults.push(self.unsupported(kind, "video codec", &facts.codec, &limits.codecs));
        }
    }

    fn image(&self, limits: &ImageLimits, facts: &ImageFacts, faults: &mut Vec<Fault>) {
        faults.extend(self.check_format(&facts.format));
        let (width, height) = (facts.width, facts.height);
        if width.min(height) < limits.min_side {
            faults.push(self.too_small("image_too_small", width, height, limits.min_side));
        }
        if width.max(height) > limits.max_side {
            faults.push(self.too_big("image_too_large", width, height, limits.max_side));
        }
        let aspect = f64::from(width) / f64::from(height.max(1));
        let min = limits.min_aspect.unwrap_or(0.0);
        let max = limits.max_aspect.unwrap_or(f64::INFINITY);
        let bounds = ("aspect ratio", min, max);
        if aspect < min - EPSILON {
            faults.push(self.range("greater_than_equal", "ge", min, aspect, bounds));
        } else if aspect > max + EPSILON {
            faults.push(self.range("less_than_equal", "le", max, aspect, bounds));
        }
    }

    fn too_small(&self, kind: &str, width: u32, height: u32, min: u32) -> Fault {
        let place = label(&self.pointer);
        let msg = format!("{place}: {width}x{height} px, at least {min}x{min} px is required");
        let fault = Fault::at(&self.pointer, kind, msg).with("min_width", min);
        fault.with("min_height", min).with("width", width).with("height", height)
    }

    fn too_big(&self, kind: &str, width: u32, height: u32, max: u32) -> Fault {
        let place = label(&self.pointer);
        let msg = format!("{place}: {width}x{height} px, at most {max}x{max} px is allowed");
        let fault = Fault::at(&self.pointer, kind, msg).with("max_width", max);
        fault.with("max_height", max).with("width", width).with("height", height)
    }

    fn range(
        &self,
        kind: &str,
        bound: &str,
        limit: f64,
        found: f64,
        (what, min, max): (&str, f64, f64),
    ) -> Fault {
        let place = label(&self.pointer);
        let given = number(found, limit);
        let allowed =
            if max.is_finite() { format!("{min} to {max}") } else { format!("at least {min}") };
        let msg = match what {
            "fps" => format!("{place}: {given} fps, {allowed} fps is required"),
            _ => format!("{place}: {what} {given} (width to height), {allowed} is required"),
        };
        let fault = Fault::at(&self.pointer, kind, msg).with(bound, limit);
        fault.with("property", what.replace(' ', "_")).with("provided", found)
    }
}
