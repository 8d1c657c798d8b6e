//! Another background behind what moves, and changes for either alone.
//!
//! The picture covers the frame and goes along with the camera as the old background did, so that
//! the subject stands before it as it stood before that. It is a little out of focus, and the
//! subject takes a small share of the new light. Shots whose subject is not sure stay as they are.

use std::collections::BTreeMap;

use kernels::{Plane, Similarity, blur, cubic};
use media::Frame;
use serde_json::{Value, json};

use super::sky::{change, mirrored, relight};
use super::{Stage, Stages};
use crate::fail::Failure;
use crate::footage::{blank, view, view_mut};
use crate::mask::mix;
use crate::movers::MoverMask;
use crate::sheet::Apart;
use crate::timeline::Cue;

/// Widths of the picture over those that just cover the screen, from which the first is taken that
/// covers it all the time.
const WIDER: [f32; 6] = [1.05, 1.12, 1.2, 1.3, 1.45, 1.6];

/// Standard deviation of the blur in parts of the picture's width.
const SOFT: f32 = 0.001;

/// Puts another background behind what moves.
pub(crate) struct BackgroundStage {
    mask: MoverMask,
    name: String,
    /// The picture with its mirror image on both sides.
    picture: Frame,
    /// Size of the picture alone, in px.
    size: (f32, f32),
    /// For each shot: the place of the picture on its first frame, and the change of light.
    shots: BTreeMap<usize, (Similarity, [f32; 3])>,
}

/// Another stage, for the subject or the background alone.
pub(crate) struct ApartStage {
    pub(crate) mask: MoverMask,
    pub(crate) part: Apart,
    /// The name of its pass.
    pub(crate) name: &'static str,
    /// Of which each changes a frame in place and by itself.
    pub(crate) inner: Stages,
}

// === impl BackgroundStage ===

impl BackgroundStage {
    pub(crate) fn new(mask: MoverMask, name: String, picture: &Frame) -> Result<Self, Failure> {
        let size = (picture.width() as f32, picture.height() as f32);
        let mut soft = blank((picture.width() as usize, picture.height() as usize))?;
        let mut planes = view_mut(&mut soft)?;
        for (out, plane) in planes.planes_mut().into_iter().zip(view(picture)?.planes()) {
            let sigma = SOFT * plane.width() as f32;
            out.copy_from(blur::gaussian(plane, sigma).as_ref())?;
        }
        let picture = mirrored(&soft)?;
        Ok(Self { mask, name, picture, size, shots: BTreeMap::new() })
    }

    /// Where the picture hangs on the first frame of a shot: as small as covers all its frames, its
    /// middle in the middle of what the camera sees.
    fn home(&self, n: usize) -> Similarity {
        let scene = self.mask.scene();
        let screen = (scene.screen.0 as f32, scene.screen.1 as f32);
        let shot = scene.shot(n);
        let ways: Vec<Similarity> = (0..scene.cues.len())
            .filter(|&other| scene.shot(other) == shot)
            .map(|other| scene.carried(&Similarity::IDENTITY, other).inverse())
            .collect();
        let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
        for way in &ways {
            for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)] {
                let (x, y) = way.apply((x * screen.0, y * screen.1));
                (low, high) = ((low.0.min(x), low.1.min(y)), (high.0.max(x), high.1.max(y)));
            }
        }
        let least = (screen.0 / self.size.0).max(screen.1 / self.size.1);
        let needed = ((high.0 - low.0) / self.size.0).max((high.1 - low.1) / self.size.1);
        let wider = WIDER.into_iter().find(|wider| wider * least >= needed);
        let scale = least * wider.unwrap_or(WIDER[WIDER.len() - 1]);
        let (tx, ty) = (f32::midpoint(low.0, high.0), f32::midpoint(low.1, high.1));
        Similarity { scale, rotation: 0.0, tx, ty }
    }

    fn drawn(&self, place: &Similarity, frame: &Frame) -> Result<Frame, Failure> {
        let mut drawn = blank((frame.width() as usize, frame.height() as usize))?;
        let source_of = place.inverse();
        cubic::frame_by_similarity(view(&self.picture)?, &source_of, &mut view_mut(&mut drawn)?);
        Ok(drawn)
    }
}

impl Stage for BackgroundStage {
    fn name(&self) -> &'static str {
        "background"
    }

    fn parameters(&self) -> Value {
        let movers = &self.mask.scene().analysis.movers;
        json!({
            "source": self.name,
            "confidence": movers.sure.iter().map(|sure| sure.0).collect::<Vec<_>>(),
            "subject": movers.share,
            "cast": self.shots.values().map(|(_, light)| light).collect::<Vec<_>>(),
        })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let Some(fringe) = self.mask.fringe(n, frame)? else { return Ok(()) };
        let shot = self.mask.scene().shot(n);
        let known = self.shots.get(&shot).copied();
        let home = known.map_or_else(|| self.home(n), |known| known.0);
        let drawn = self.drawn(&self.mask.scene().carried(&home, n), frame)?;
        let light =
            known.map_or_else(|| change(frame, &drawn, &inverted(fringe.alpha())), |known| known.1);
        self.shots.insert(shot, (home, light));
        relight(frame, light);
        fringe.over(&mut view_mut(frame)?, view(&drawn)?)?;
        Ok(())
    }
}

impl Stage for ApartStage {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parameters(&self) -> Value {
        let movers = &self.mask.scene().analysis.movers;
        json!({
            "does": self.inner.iter().map(|stage| stage.parameters()).collect::<Vec<_>>(),
            "confidence": movers.sure.iter().map(|sure| sure.0).collect::<Vec<_>>(),
            "subject": movers.share,
        })
    }

    fn apply(&mut self, n: usize, cue: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let Some(fringe) = self.mask.fringe(n, frame)? else { return Ok(()) };
        let mut changed = frame.clone();
        for stage in &mut self.inner {
            stage.apply(n, cue, &mut changed)?;
        }
        match self.part {
            Apart::Subject => mix(frame, &changed, fringe.alpha()),
            Apart::Background => mix(frame, &changed, &inverted(fringe.alpha())),
        }
        Ok(())
    }
}

fn inverted(alpha: &Plane) -> Plane {
    let mut out = alpha.clone();
    out.data_mut().iter_mut().for_each(|code| *code = 255 - *code);
    out
}
