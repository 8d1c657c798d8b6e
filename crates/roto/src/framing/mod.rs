//! Which part of the reference's picture fills the frame, and when.
//!
//! A re-frame to another shape, a follow, a punch-in, a pan: all of them are the path of one
//! window over the picture. The window never leaves the picture, and it stands still where
//! nothing asks it to move. Camera moves made this way have no parallax; a report says so.

mod onward;
#[cfg(test)]
mod tests;
mod tracks;
mod transfer;
mod window;

pub(crate) use onward::{Course as Played, Onward};
pub(crate) use transfer::{Canvas, Fitted, STILL, Travel};
pub(crate) use window::Window;

use crate::analysis::Analysis;
use crate::sheet::{Course, Framing, Moves};
use crate::timeline::Cue;

/// Difference of two aspects that scaling hides.
const SAME_SHAPE: f32 = 0.01;

/// The clip's side of a framing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Width and height of the clip in px.
    pub(crate) size: (usize, usize),
    /// Frames a second.
    pub(crate) rate: f64,
    /// Decides hand-held moves.
    pub(crate) seed: u64,
}

/// The windows of a frame: on its moment, and on the one that it turns into.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shown {
    /// On the moment of the cue.
    pub(crate) at: Window,
    /// On the cue's second moment, where it has one.
    pub(crate) join: Window,
}

/// Whether pictures of two sizes have one shape.
pub(crate) fn same_shape(a: (usize, usize), b: (usize, usize)) -> bool {
    let aspect = |(w, h): (usize, usize)| w as f32 / h as f32;
    (aspect(a) / aspect(b) - 1.0).abs() <= SAME_SHAPE
}

/// The size at which the reference is decoded: large enough for the closest framing, never larger
/// than it is, and the clip's own size where nothing is cut off.
pub(crate) fn working_size(
    native: (usize, usize),
    screen: (usize, usize),
    framing: &Framing,
    course: Course,
    onward: Option<&Onward>,
) -> (usize, usize) {
    let room = if onward.is_some() { onward::ROOM } else { 1.0 };
    let zoom = room * tracks::closest(framing, course);
    if same_shape(native, screen) && zoom <= 1.0 {
        return screen;
    }
    let cover = f64::max(screen.0 as f64 / native.0 as f64, screen.1 as f64 / native.1 as f64);
    let scale = (cover * f64::from(zoom)).min(1.0);
    let even = |side: usize| ((side as f64 * scale / 2.0).round() as usize * 2).max(2);
    (even(native.0), even(native.1))
}

/// The windows of each frame of the clip; `None` where the whole picture fills the frame.
pub(crate) fn windows(
    framing: &Framing,
    course: Course,
    cues: &[Cue],
    analysis: &Analysis,
    picture: (usize, usize),
    screen: Screen,
    onward: Option<&Onward>,
) -> Option<Vec<Shown>> {
    let same = same_shape(picture, screen.size);
    if same && !framing.moves_frame() && course != Course::Next && onward.is_none() {
        return None;
    }
    let aspect = if same {
        picture.0 as f32 / picture.1 as f32
    } else {
        screen.size.0 as f32 / screen.size.1 as f32
    };
    let base = Window::largest(picture, aspect);
    let tracks = tracks::Tracks { cues, analysis, picture, screen };
    let centres = tracks.centres();
    let secs = cues.len() as f64 / screen.rate;
    let windows = (0..cues.len()).map(|n| {
        let mut window = Window { centre: centres[n], ..base };
        let at = n as f64 / screen.rate;
        for one in &framing.moves {
            window = tracks.moved(window, base, one, n, at, secs);
        }
        if course == Course::Next {
            window = tracks::drifted(window, at / secs);
        }
        window.inside(picture)
    });
    let windows: Vec<Window> = windows.collect();
    Some(match onward {
        Some(onward) => onward.moved(&windows, picture),
        None => windows.into_iter().map(|at| Shown { at, join: at }).collect(),
    })
}

/// Whether the windows are going to follow the subject.
pub(crate) fn follows(native: (usize, usize), screen: (usize, usize), framing: &Framing) -> bool {
    !same_shape(native, screen) || framing.needs_subject()
}

/// Whether a move is only an imitation of what it is called.
pub(crate) fn lacks_parallax(framing: &Framing) -> bool {
    framing
        .moves
        .iter()
        .any(|one| matches!(one.kind, Moves::Zoom { .. } | Moves::Travel { .. } | Moves::NewAngle))
}
