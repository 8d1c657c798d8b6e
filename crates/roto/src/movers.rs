//! Which part of a frame moves by itself, before its background.
//!
//! Found once, in the small copy, shot by shot; laid on the edges of the frame that it is for. A
//! shot in which it is not sure has none.
//!
//! Invariant: nothing below the gate is ever given out.

use std::ops::Range;
use std::sync::Arc;

use kernels::fringe::Fringe;
use kernels::mover::{self, Doubt, Take};
use kernels::{CameraPath, FlowPair, Plane, ShapeError, Yuv420};
use media::Frame;

use crate::fail::Failure;
use crate::footage::view;
use crate::scene::Scene;

/// Least sureness of a shot's mover.
pub(crate) const GATE: f32 = 0.5;

/// What moves by itself in a reel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Movers {
    /// A matte of the copy for each frame; 255 is the mover.
    mattes: Vec<Plane>,
    /// For each shot how sure it is, 0 to 1, and what is to blame most where it is not.
    pub(crate) sure: Vec<(f32, Doubt)>,
    /// For each shot the part of the frame that it covers.
    pub(crate) share: Vec<f32>,
}

/// Gives the part of each frame of a clip that moves by itself.
#[derive(Clone)]
pub(crate) struct MoverMask {
    scene: Arc<Scene>,
}

// === impl Movers ===

impl Movers {
    /// From the copies of all frames and the motion between them; nothing where there is none.
    pub(crate) fn of(
        copies: &[Yuv420],
        flows: &[FlowPair],
        path: Option<&CameraPath>,
        shots: &[Range<usize>],
    ) -> Result<Self, ShapeError> {
        let mut movers = Self::default();
        let Some(path) = path.filter(|_| !copies.is_empty()) else { return Ok(movers) };
        for shot in shots {
            let take = Take::new(copies, flows, path, shot.clone())?;
            let found = mover::find(&take)?;
            let sure = found.figures.sureness();
            movers.share.push(found.figures.share);
            movers.mattes.extend(found.mattes);
            // A shot too short to tell has no mattes of its own.
            let end = shot.end.min(copies.len());
            if let Some(copy) = copies.first() {
                let (width, height) = copy.size();
                movers.mattes.resize(end, Plane::new(width, height, 0)?);
            }
            movers.sure.push(sure);
        }
        Ok(movers)
    }

    /// The most that any shot's is sure, and what is to blame in the surest.
    pub(crate) fn surest(&self) -> (f32, Doubt) {
        let surest = self.sure.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0));
        surest.unwrap_or((0.0, Doubt::Nothing))
    }
}

/// What makes a mover doubtful, in words.
pub(crate) fn said(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Nothing => "nothing in it moves by itself",
        Doubt::Everything => "nearly all of the frame moves, and no background is left",
        Doubt::Unproven => "too little of what stands out moves or uncovers what is behind it",
        Doubt::Unclear => "what moves is too much like what is behind it",
        Doubt::Restless => "its outline changes from frame to frame",
        Doubt::Borderless => "its outline lies on no edge of the picture",
    }
}

// === impl MoverMask ===

impl MoverMask {
    pub(crate) fn new(scene: Arc<Scene>) -> Self {
        Self { scene }
    }

    /// The scene that it is of.
    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The mover's border on `frame`, which is frame `n` of the clip; `None` where its shot has
    /// none that is sure.
    pub(crate) fn fringe(&self, n: usize, frame: &Frame) -> Result<Option<Fringe>, Failure> {
        let scene = &*self.scene;
        let movers = &scene.analysis.movers;
        let sure = movers.sure.get(scene.shot(n)).map_or(0.0, |sure| sure.0);
        let moment = scene.cues.get(n).map_or(0.0, |cue| cue.main().round()) as usize;
        let Some(matte) = movers.mattes.get(moment.min(movers.mattes.len().saturating_sub(1)))
        else {
            return Ok(None);
        };
        if sure < GATE {
            return Ok(None);
        }
        let small = scene.on_screen(matte, n)?;
        Ok(Some(Fringe::of(view(frame)?, small.as_ref())?))
    }
}
