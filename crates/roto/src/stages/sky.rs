//! Another sky, and colours for the sky alone.
//!
//! The picture's sky hangs far behind the scene: it turns, pans and zooms with the camera, its foot
//! lies on the lowest visible sky, and beyond its sides it goes on mirrored. The ground takes a
//! small share of the new light. Both stages leave shots whose sky is not sure as they are.

use std::collections::BTreeMap;

use kernels::{Plane, Similarity, cubic};
use media::Frame;
use serde_json::{Value, json};

use super::{Grade, Stage};
use crate::fail::Failure;
use crate::footage::{blank, view, view_mut};
use crate::mask::{SkyMask, mix};
use crate::timeline::Cue;

/// Width of the picture over that of the screen, at least.
const WIDER: f32 = 1.12;

/// Part of the frame's height by which the picture reaches beyond the top, and beyond the foot.
const SPARE: f32 = 0.05;

/// Share of the light's change that the ground takes, and the most of it in codes and as a factor.
const LIGHT_SHARE: f32 = 0.22;
const MOST_CAST: f32 = 7.0;
const MOST_LIGHT: f32 = 0.14;

/// Part of a row that must be sky for the row to count.
const LEAST_ROW: f32 = 0.02;

/// Puts another sky into the frame.
pub(crate) struct SkyStage {
    mask: SkyMask,
    name: String,
    /// The picture with its mirror image on both sides.
    picture: Frame,
    /// Width of the picture alone, in px.
    width: f32,
    /// Part of the picture's height that is sky.
    usable: f32,
    /// For each shot: the place of the picture on its first frame, and the change of light.
    shots: BTreeMap<usize, (Similarity, [f32; 3])>,
}

/// Colours for the sky alone.
pub(crate) struct SkyGrade {
    pub(crate) mask: SkyMask,
    pub(crate) grade: Grade,
}

// === impl SkyStage ===

impl SkyStage {
    /// `picture` is the sky, of whose height the part `usable` shows no ground.
    pub(crate) fn new(
        mask: SkyMask,
        name: String,
        picture: &Frame,
        usable: f32,
    ) -> Result<Self, Failure> {
        let width = picture.width() as f32;
        Ok(Self {
            mask,
            name,
            picture: mirrored(picture)?,
            width,
            usable: usable.clamp(0.2, 1.0),
            shots: BTreeMap::new(),
        })
    }

    /// Where the picture hangs: wide enough, its foot below the lowest sky.
    fn home(&self, alpha: &Plane) -> Similarity {
        let (width, height) = (alpha.width() as f32, alpha.height() as f32);
        let is_sky = |y: &usize| {
            let row = alpha.row(*y);
            let sum: u32 = row.iter().map(|&code| u32::from(code)).sum();
            sum as f32 > LEAST_ROW * 255.0 * row.len() as f32
        };
        let foot = (0..alpha.height()).rev().find(is_sky).map_or(height, |y| y as f32 + 1.0);
        let tall = self.picture.height() as f32;
        let scale =
            (WIDER * width / self.width).max((foot + 2.0 * SPARE * height) / (tall * self.usable));
        let ty = 0.5 * tall * scale - (0.5 + SPARE) * height;
        Similarity { scale, rotation: 0.0, tx: 0.0, ty }
    }

    fn drawn(&self, place: &Similarity, frame: &Frame) -> Result<Frame, Failure> {
        let mut drawn = blank((frame.width() as usize, frame.height() as usize))?;
        let source_of = place.inverse();
        cubic::frame_by_similarity(view(&self.picture)?, &source_of, &mut view_mut(&mut drawn)?);
        Ok(drawn)
    }
}

impl Stage for SkyStage {
    fn name(&self) -> &'static str {
        "sky"
    }

    fn parameters(&self) -> Value {
        let skies = &self.mask.scene().analysis.skies;
        json!({
            "source": self.name,
            "confidence": skies.sure,
            "coverage": skies.coverage,
            "cast": self.shots.values().map(|(_, light)| light).collect::<Vec<_>>(),
        })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let Some(alpha) = self.mask.alpha(n, frame)? else { return Ok(()) };
        let shot = self.mask.scene().shot(n);
        let (home, light) = if let Some(known) = self.shots.get(&shot) {
            *known
        } else {
            let home = self.home(&alpha);
            let drawn = self.drawn(&self.mask.scene().carried(&home, n), frame)?;
            let light = change(frame, &drawn, &alpha);
            *self.shots.entry(shot).or_insert((home, light))
        };
        let drawn = self.drawn(&self.mask.scene().carried(&home, n), frame)?;
        relight(frame, light);
        mix(frame, &drawn, &alpha);
        Ok(())
    }
}

impl Stage for SkyGrade {
    fn name(&self) -> &'static str {
        "sky_grade"
    }

    fn parameters(&self) -> Value {
        let skies = &self.mask.scene().analysis.skies;
        json!({
            "grade": self.grade.parameters(),
            "confidence": skies.sure,
            "coverage": skies.coverage,
        })
    }

    fn apply(&mut self, n: usize, cue: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let Some(alpha) = self.mask.alpha(n, frame)? else { return Ok(()) };
        let mut graded = frame.clone();
        self.grade.apply(n, cue, &mut graded)?;
        mix(frame, &graded, &alpha);
        Ok(())
    }
}

/// A frame with its mirror image on both sides.
pub(super) fn mirrored(frame: &Frame) -> Result<Frame, Failure> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut wide = blank((3 * width, height))?;
    let (wide_y, wide_u, wide_v) = wide.planes_mut();
    let planes = [
        (frame.y(), wide_y, width),
        (frame.u(), wide_u, width / 2),
        (frame.v(), wide_v, width / 2),
    ];
    for (plane, out, width) in planes {
        for (row, out) in plane.chunks_exact(width).zip(out.chunks_exact_mut(3 * width)) {
            let back = row.iter().rev();
            let codes = back.clone().chain(row).chain(back);
            out.iter_mut().zip(codes).for_each(|(out, &code)| *out = code);
        }
    }
    Ok(wide)
}

/// What the scene takes of the change of light where `alpha` is replaced: a factor of luma, and codes of chroma.
pub(super) fn change(before: &Frame, after: &Frame, alpha: &Plane) -> [f32; 3] {
    let half = before.width() as usize / 2;
    let mean = |frame: &Frame| {
        let (mut sums, mut weight) = ([0.0f32; 3], 0.0f32);
        for (at, (&u, &v)) in frame.u().iter().zip(frame.v()).enumerate() {
            let (x, y) = (2 * (at % half), 2 * (at / half));
            let share = alpha.row(y).get(x).map_or(0.0, |&code| f32::from(code));
            let luma = frame.y().get(y * 2 * half + x).map_or(16.0, |&code| f32::from(code));
            let codes = [luma, f32::from(u), f32::from(v)];
            (0..3).for_each(|k| sums[k] += share * codes[k]);
            weight += share;
        }
        sums.map(|sum| sum / weight.max(1.0))
    };
    let (old, new) = (mean(before), mean(after));
    let cast = |k: usize| (LIGHT_SHARE * (new[k] - old[k])).clamp(-MOST_CAST, MOST_CAST);
    let light = LIGHT_SHARE * (new[0] - old[0]) / 120.0;
    [1.0 + light.clamp(-MOST_LIGHT, MOST_LIGHT), cast(1), cast(2)]
}

pub(super) fn relight(frame: &mut Frame, [light, u_cast, v_cast]: [f32; 3]) {
    let table = |change: &dyn Fn(f32) -> f32| -> [u8; 256] {
        std::array::from_fn(|code| (change(code as f32) + 0.5).clamp(1.0, 254.0) as u8)
    };
    let luma = table(&|code| 16.0 + light * (code - 16.0));
    let (cast_u, cast_v) = (table(&|code| code + u_cast), table(&|code| code + v_cast));
    let (y, u, v) = frame.planes_mut();
    for (plane, table) in [(y, &luma), (u, &cast_u), (v, &cast_v)] {
        for code in plane {
            *code = table[usize::from(*code)];
        }
    }
}
