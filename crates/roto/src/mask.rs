//! Which part of a frame is sky.
//!
//! A mask is found in each frame of the small copy, then averaged over its neighbours in the
//! scene's own coordinates, so that it neither flickers nor swims, and at last laid on the edges of
//! the frame that it is for. A shot whose sky is not sure has none.
//!
//! Invariant: nothing below the gate is ever given out.

use std::ops::Range;
use std::sync::Arc;

use kernels::sky::{self, Sky};
use kernels::{CameraPath, Plane, ShapeError, Similarity, warp};
use media::Frame;

use crate::fail::Failure;
use crate::footage::view;
use crate::scene::Scene;

/// Least sureness of a shot's sky.
pub(crate) const GATE: f32 = 0.45;

/// Frames whose masks are averaged, from the frame itself.
const AROUND: [isize; 5] = [-4, -2, 0, 2, 4];

/// Reach of the edges that it is laid on, in px of that mask.
const RADIUS: usize = 4;

/// The skies of a reel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skies {
    /// A mask of the copy for each frame; 255 is sky.
    masks: Vec<Plane>,
    /// For each shot how sure it is, 0 to 1.
    pub(crate) sure: Vec<f32>,
    /// For each shot the part of the frame that it covers.
    pub(crate) coverage: Vec<f32>,
}

/// Gives the part of each frame of a clip that is sky.
#[derive(Clone)]
pub(crate) struct SkyMask {
    scene: Arc<Scene>,
}

// === impl Skies ===

impl Skies {
    /// From what was found frame by frame.
    pub(crate) fn of(
        found: &[Sky],
        shots: &[Range<usize>],
        path: Option<&CameraPath>,
    ) -> Result<Self, ShapeError> {
        let mut skies = Self::default();
        for shot in shots {
            let shot = shot.start.min(found.len())..shot.end.min(found.len());
            let frames = shot.len().max(1) as f32;
            let mean = |of: fn(&Sky) -> f32| {
                found.get(shot.clone()).unwrap_or(&[]).iter().map(of).sum::<f32>() / frames
            };
            let (sure, coverage) = (mean(|sky| sky.sureness), mean(|sky| sky.coverage));
            let mut change = 0.0;
            for n in shot.clone() {
                if n > shot.start {
                    let before = seen_from(found, path, n, n - 1)?;
                    change += differing(&found[n].mask.0, &before);
                }
                skies.masks.push(mean_around(found, path, &shot, n)?);
            }
            // Part of the sky that comes or goes from frame to frame.
            let restless = change / frames / coverage.max(0.01);
            skies.sure.push(sure * (1.0 - ((restless - 0.03) / 0.12).clamp(0.0, 1.0)));
            skies.coverage.push(coverage);
        }
        Ok(skies)
    }

    /// The most that any shot's sky is sure.
    pub(crate) fn surest(&self) -> f32 {
        self.sure.iter().copied().fold(0.0, f32::max)
    }
}

/// The mask of frame `other` where the scene was in frame `n`.
fn seen_from(
    found: &[Sky],
    path: Option<&CameraPath>,
    n: usize,
    other: usize,
) -> Result<Plane, ShapeError> {
    let mask = &found[other].mask.0;
    let way = path.map_or(Similarity::IDENTITY, |path| path.between(n, other));
    let mut out = Plane::new(mask.width(), mask.height(), 0)?;
    warp::by_similarity(mask.as_ref(), &way, &mut out.as_mut());
    Ok(out)
}

fn mean_around(
    found: &[Sky],
    path: Option<&CameraPath>,
    shot: &Range<usize>,
    n: usize,
) -> Result<Plane, ShapeError> {
    let others =
        AROUND.iter().filter_map(|&d| n.checked_add_signed(d)).filter(|other| shot.contains(other));
    let (mut sums, mut count) = (vec![0u32; found[n].mask.0.data().len()], 0u32);
    for other in others {
        let mask = seen_from(found, path, n, other)?;
        sums.iter_mut().zip(mask.data()).for_each(|(sum, &code)| *sum += u32::from(code));
        count += 1;
    }
    let (width, height) = found[n].mask.0.size();
    let codes = sums.iter().map(|sum| ((sum + count / 2) / count.max(1)) as u8).collect();
    Plane::from_vec(codes, width, height)
}

/// Part of the pixels on which two masks differ.
fn differing(a: &Plane, b: &Plane) -> f32 {
    let differ = a.data().iter().zip(b.data()).filter(|(a, b)| a.abs_diff(**b) > 127).count();
    differ as f32 / a.data().len().max(1) as f32
}

// === impl SkyMask ===

impl SkyMask {
    pub(crate) fn new(scene: Arc<Scene>) -> Self {
        Self { scene }
    }

    /// The scene that it is of.
    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// How much of each pixel of frame `n` is sky, 255 all of it; `None` where its shot has no sky
    /// that is sure. `frame` is the picture whose edges count.
    pub(crate) fn alpha(&self, n: usize, frame: &Frame) -> Result<Option<Plane>, Failure> {
        let scene = &*self.scene;
        let skies = &scene.analysis.skies;
        let sure = skies.sure.get(scene.shot(n)).copied().unwrap_or(0.0);
        let moment = scene.cues.get(n).map_or(0.0, |cue| cue.main().round());
        let last = skies.masks.len().saturating_sub(1);
        let Some(mask) = skies.masks.get((moment as usize).min(last)) else { return Ok(None) };
        if sure < GATE {
            return Ok(None);
        }
        let small = scene.on_screen(mask, n)?;
        Ok(Some(sky::refine(small.as_ref(), view(frame)?.y(), RADIUS)?))
    }
}

/// Two frames mixed by a mask of the size of their luma: `over` where it is 255.
pub(crate) fn mix(frame: &mut Frame, over: &Frame, alpha: &Plane) {
    let width = frame.width() as usize;
    let blend = |out: &mut u8, over: u8, alpha: u32| {
        let mixed = u32::from(*out) * (255 - alpha) + u32::from(over) * alpha;
        *out = ((mixed + 127) / 255) as u8;
    };
    let (y, u, v) = frame.planes_mut();
    for ((out, &over), &alpha) in y.iter_mut().zip(over.y()).zip(alpha.data()) {
        blend(out, over, u32::from(alpha));
    }
    let half = width / 2;
    for (at, (u, v)) in u.iter_mut().zip(v.iter_mut()).enumerate() {
        let (x, row) = (2 * (at % half), 2 * (at / half));
        let (above, below) = (alpha.row(row), alpha.row(row + 1));
        let sum: u32 = [above.get(x), above.get(x + 1), below.get(x), below.get(x + 1)]
            .into_iter()
            .flatten()
            .map(|&code| u32::from(code))
            .sum();
        let (Some(&over_u), Some(&over_v)) = (over.u().get(at), over.v().get(at)) else { continue };
        blend(u, over_u, sum / 4);
        blend(v, over_v, sum / 4);
    }
}
