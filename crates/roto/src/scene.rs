//! Where things of the reference's scene are on the clip's screen.
//!
//! What stages add (elements, rain, paper) must stick to the scene and not to the glass: this is
//! the one place that follows a point of the scene through time, camera and window.

use std::sync::Arc;

use kernels::{Plane, ShapeError, Similarity, warp};

use crate::analysis::Analysis;
use crate::framing::{Shown, Window};
use crate::timeline::Cue;

/// Least sureness of a horizon.
const SURE: f32 = 0.4;

/// Height of the horizon, in parts of the screen's, beyond which no ground is seen; lenses differ,
/// and a street that just leaves the frame is none either.
const NO_GROUND: f32 = 1.15;

/// Longer side of a mask as the clip's window shows it, in px.
const MASK_SIDE: usize = 320;

/// A clip's scene.
pub(crate) struct Scene {
    pub(crate) analysis: Arc<Analysis>,
    pub(crate) cues: Arc<Vec<Cue>>,
    pub(crate) windows: Arc<Option<Vec<Shown>>>,
    /// Width and height of the decoded picture in px.
    pub(crate) picture: (usize, usize),
    /// Width and height of the clip in px.
    pub(crate) screen: (usize, usize),
    /// Frames of the clip a second.
    pub(crate) rate: f64,
    pub(crate) seed: u64,
}

// === impl Scene ===

impl Scene {
    fn windows(&self, n: usize) -> Shown {
        if let Some(windows) = self.windows.as_ref() {
            return windows[n.min(windows.len() - 1)];
        }
        let whole = Window::largest(self.picture, self.picture.0 as f32 / self.picture.1 as f32);
        Shown { at: whole, join: whole }
    }

    /// The window on the moment that shows most.
    pub(crate) fn window(&self, n: usize) -> Window {
        let windows = self.windows(n);
        if self.cues[n].main() == self.cues[n].at { windows.at } else { windows.join }
    }

    /// A mask of the analysis' copy as the window of frame `n` shows it, small.
    pub(crate) fn on_screen(&self, mask: &Plane, n: usize) -> Result<Plane, ShapeError> {
        let longer = self.screen.0.max(self.screen.1);
        let side = |side: usize| (side * MASK_SIDE.min(longer) / longer).max(2);
        let mut small = Plane::new(side(self.screen.0), side(self.screen.1), 0)?;
        let window = self.window(n);
        let factor = mask.width() as f32 / self.picture.0 as f32;
        let source_of = Similarity {
            scale: window.size.0 * factor / small.width() as f32,
            rotation: window.turn,
            tx: (window.centre.0 - self.picture.0 as f32 / 2.0) * factor,
            ty: (window.centre.1 - self.picture.1 as f32 / 2.0) * factor,
        };
        warp::by_similarity(mask.as_ref(), &source_of, &mut small.as_mut());
        Ok(small)
    }

    /// The reference's shot that frame `n` of the clip shows most.
    pub(crate) fn shot(&self, n: usize) -> usize {
        self.analysis.shot_of(self.cues[n].main().round() as usize)
    }

    /// First frame of the clip in the shot of frame `n`.
    pub(crate) fn shot_start(&self, n: usize) -> usize {
        let own = self.shot(n);
        (0..n).rev().take_while(|&before| self.shot(before) == own).last().unwrap_or(n)
    }

    /// A place on the screen at the shot's start, as the scene carries it to frame `n`.
    pub(crate) fn carried(&self, start: &Similarity, n: usize) -> Similarity {
        self.carried_by(start, n, |from, to| self.scene(from, to))
    }

    /// A place on the screen at the shot's start, carried to frame `n` by a motion between two
    /// moments of the reel in px of the picture.
    pub(crate) fn carried_by(
        &self,
        start: &Similarity,
        n: usize,
        motion: impl Fn(f64, f64) -> Similarity,
    ) -> Similarity {
        let first = self.shot_start(n);
        let anchor = self.cues[first].main();
        let middle = (self.picture.0 as f32 / 2.0, self.picture.1 as f32 / 2.0);
        let to_middle = Similarity::translation(-middle.0, -middle.1);
        let from_screen = self.window(first).to_screen(self.screen).inverse().then(&to_middle);
        let windows = self.windows(n);
        let at = |moment: f64, window: Window| {
            let to_screen = to_middle.inverse().then(&window.to_screen(self.screen));
            start.then(&from_screen).then(&motion(anchor, moment)).then(&to_screen)
        };
        let cue = &self.cues[n];
        let main = at(cue.at, windows.at);
        match cue.join {
            None => main,
            Some(join) => between(&main, &at(join.at, windows.join), join.share),
        }
    }

    /// The moment at which places of frame `n`'s shot are given, and where a point of the screen
    /// (from its middle) lies in the analysis' copy then, from the copy's corner.
    pub(crate) fn anchor(&self, n: usize, point: (f32, f32)) -> (f64, (f32, f32)) {
        let first = self.shot_start(n);
        let place = self.window(first).to_screen(self.screen).inverse().apply(point);
        let factor = self.copy_scale();
        (self.cues[first].main(), (place.0 / factor, place.1 / factor))
    }

    /// Height of the horizon on the screen in the shot of frame `n`, in parts of its height from the
    /// top; it may lie outside. `None` where nothing upright tells it.
    pub(crate) fn horizon(&self, n: usize) -> Option<f32> {
        let uprights = self.analysis.uprights.get(self.shot(n))?;
        let in_picture = uprights.horizon * self.picture.1 as f32;
        let window = self.window(self.shot_start(n));
        let seen = window.to_screen(self.screen).apply((window.centre.0, in_picture));
        (uprights.sureness >= SURE).then(|| seen.1 / self.screen.1 as f32 + 0.5)
    }

    /// Whether the shot of frame `n` is seen from so far below that no ground is in the frame.
    pub(crate) fn lacks_ground(&self, n: usize) -> bool {
        self.horizon(n).is_some_and(|horizon| horizon > NO_GROUND)
    }

    /// Px of the picture in a px of the analysis' copy.
    pub(crate) fn copy_scale(&self) -> f32 {
        self.picture.0 as f32 / self.analysis.size.0.max(1) as f32
    }

    /// How the scene moved between two moments of the reel, in px of the picture.
    fn scene(&self, from: f64, to: f64) -> Similarity {
        let Some(path) = &self.analysis.path else { return Similarity::IDENTITY };
        let pose = |at: f64| {
            let (a, b) = (path.pose(at.floor() as usize), path.pose(at.ceil() as usize));
            between(&a, &b, at.fract() as f32)
        };
        let factor = self.copy_scale();
        pose(from).inverse().then(&pose(to)).resized(factor)
    }

    /// Where across the frame the subject is on average, 0 to 1.
    pub(crate) fn subject_on_screen(&self) -> Option<f32> {
        let last = self.analysis.subjects.len().checked_sub(1)?;
        let (mut sum, mut weight) = (0.0, 0.0);
        for (n, cue) in self.cues.iter().enumerate() {
            let (x, y, strength) = self.analysis.subjects[(cue.main() as usize).min(last)];
            let point = (x * self.picture.0 as f32, y * self.picture.1 as f32);
            let seen = self.window(n).to_screen(self.screen).apply(point);
            sum += strength * (seen.0 / self.screen.0 as f32 + 0.5);
            weight += strength;
        }
        (weight > 0.0).then(|| sum / weight)
    }
}

pub(crate) fn between(a: &Similarity, b: &Similarity, t: f32) -> Similarity {
    let mix = |a: f32, b: f32| a + t * (b - a);
    Similarity {
        scale: mix(a.scale, b.scale),
        rotation: mix(a.rotation, b.rotation),
        tx: mix(a.tx, b.tx),
        ty: mix(a.ty, b.ty),
    }
}
