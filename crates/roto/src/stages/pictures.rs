//! A clip that starts on a picture, or ends on one.
//!
//! The picture turns into the footage, or the footage into the picture: along their motion where
//! the two show the same thing, and by a dissolve where they don't, since a morph between things
//! that don't match tears both. While it shows, the picture comes to rest or leaves its rest, so
//! that the clip never stops dead. The very first or last frame is the picture alone.

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{metrics, warp};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::envelope::ease;
use crate::fail::Failure;
use crate::footage::{blank, dissolve, morph, view, view_mut};
use crate::framing::Window;
use crate::timeline::Cue;

/// Seconds from picture to footage, and those of them in which the picture is alone.
const TURN_SECS: f64 = 1.4;
const ALONE_SECS: f64 = 0.25;

/// How much closer a picture is at the far end of its turn.
const CLOSER: f32 = 1.05;

/// Part of the difference that is left once motion is followed, up to which two pictures show the
/// same thing.
const SAME: f64 = 0.5;

/// A picture at one end of the clip.
pub(crate) struct End {
    name: String,
    picture: Frame,
    base: Window,
    screen: (usize, usize),
    /// Difference left once motion is followed, over the difference before; measured where the
    /// footage first shows.
    left: Option<f64>,
}

/// Puts the pictures to the clip's ends.
pub(crate) struct Pictures {
    first: Option<End>,
    last: Option<End>,
    frames: usize,
    rate: f64,
}

// === impl End ===

impl End {
    /// `picture` covers a screen of `screen` px.
    pub(crate) fn new(name: String, picture: Frame, screen: (usize, usize)) -> Self {
        let size = (picture.width() as usize, picture.height() as usize);
        let base = Window::largest(size, screen.0 as f32 / screen.1 as f32);
        Self { name, picture, base, screen, left: None }
    }

    /// Shows the picture in the frame, `secs` from its end of the clip.
    fn show(&mut self, secs: f64, frame: &mut Frame) -> Result<(), Failure> {
        let t = ((secs - ALONE_SECS) / (TURN_SECS - ALONE_SECS)).clamp(0.0, 1.0);
        let share = 1.0 - ease(t) as f32;
        if share <= 0.0 {
            return Ok(());
        }
        let away = (secs / TURN_SECS).clamp(0.0, 1.0);
        let window = self.base.zoomed(libm::powf(CLOSER, (away * away) as f32));
        let mut picture = blank(self.screen)?;
        window.show(view(&self.picture)?, &mut view_mut(&mut picture)?);
        if share >= 1.0 {
            *frame = picture;
            return Ok(());
        }
        let left = if let Some(left) = self.left {
            left
        } else {
            *self.left.insert(difference_left(frame, &picture)?)
        };
        let turn = if left <= SAME { morph } else { dissolve };
        *frame = turn(frame, &picture, share)?;
        Ok(())
    }

    fn parameters(&self) -> Value {
        let how = match self.left {
            Some(left) if left <= SAME => "morph",
            _ => "dissolve",
        };
        json!({ "source": self.name, "how": how, "difference_left": self.left })
    }
}

/// Part of the difference between two pictures that motion does not explain.
fn difference_left(frame: &Frame, picture: &Frame) -> Result<f64, Failure> {
    let image = |frame| Ok::<_, Failure>(FlowImage::new(view(frame)?.y(), FlowParams::default()));
    let pair = flow::pair(&image(frame)?, &image(picture)?)?;
    let mut warped = blank((frame.width() as usize, frame.height() as usize))?;
    warp::frame_by_flow(view(picture)?, &pair.forward, &mut view_mut(&mut warped)?)?;
    let before = metrics::mad(view(frame)?.y(), view(picture)?.y())?;
    let after = metrics::mad(view(frame)?.y(), view(&warped)?.y())?;
    // Two pictures that hardly differ need no motion to be the same.
    Ok(if before < 2.0 { 0.0 } else { after / before })
}

// === impl Pictures ===

impl Pictures {
    pub(crate) fn new(first: Option<End>, last: Option<End>, frames: usize, rate: f64) -> Self {
        Self { first, last, frames, rate }
    }
}

impl Stage for Pictures {
    fn name(&self) -> &'static str {
        "pictures"
    }

    fn parameters(&self) -> Value {
        json!({
            "first": self.first.as_ref().map(End::parameters),
            "last": self.last.as_ref().map(End::parameters),
            "turn_secs": TURN_SECS,
        })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        if let Some(first) = &mut self.first {
            first.show(n as f64 / self.rate, frame)?;
        }
        if let Some(last) = &mut self.last {
            let left = self.frames.saturating_sub(n + 1);
            last.show(left as f64 / self.rate, frame)?;
        }
        Ok(())
    }
}
