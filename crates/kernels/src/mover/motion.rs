//! Where something is seen to go its own way, and where the flow carries that.

use rayon::prelude::*;

use super::{Colours, Take, ramp};
use crate::field::FlowField;
use crate::grid::box_mean;
use crate::plane::{Plane, ShapeError};
use crate::warp;

/// Distance of a vector from the camera's, in px of a frame 320 px wide, from which it may be a
/// way of its own and from which it surely is; and the same as parts of the camera's own way,
/// since what is nearer moves more without moving.
const OWN: (f32, f32) = (0.25, 0.7);
const OWN_SHARE: (f32, f32) = (0.15, 0.35);

/// Confidence of a vector, 0 to 1, from which it says something and from which it is believed.
const SURE: (f32, f32) = (0.15, 0.5);

/// By how many codes the own way must explain the picture better than the camera's does.
const BETTER: (f32, f32) = (0.5, 4.0);

/// What a way of its own counts where the picture is too plain to prove it: a short one, a long
/// one, and how long these are in px of a frame 320 px wide.
const UNPROVEN: (f32, f32) = (0.05, 0.4);
const LONG: (f32, f32) = (0.8, 2.5);

/// What an unsure vector brings along.
const UNSURE: f32 = 0.7;

/// Frames in which a thing must be seen moving, all along its way: up to the first the border of
/// something else may have passed it, from the second on it is sure.
const ENOUGH: (f32, f32) = (2.5, 5.0);

/// The same as parts of the shot, added.
const ENOUGH_SHARE: (f32, f32) = (0.05, 0.12);

/// What a step between two frames says of each cell.
struct Step {
    /// How surely it goes its own way, 0 to 1; below 0 where it surely does not.
    own: Vec<f32>,
    /// Where it comes from or goes to, in px of the copy: by the flow, or, where that was only
    /// smoothed over a border, by the camera.
    to: Vec<(f32, f32)>,
}

/// For each frame and cell how surely it belongs to something that moves by itself at some time of
/// the shot, 0 to 1: seen moving here, or carried here from where it was.
pub(super) fn evidence(take: &Take<'_>, colours: &[Colours]) -> Result<Vec<Vec<f32>>, ShapeError> {
    let count = colours.len();
    let steps = |back: bool| -> Result<Vec<Option<Step>>, ShapeError> {
        (0..count).into_par_iter().map(|at| step(take, colours, at, back)).collect()
    };
    let (ahead, behind) = (steps(false)?, steps(true)?);
    let seen: Vec<Vec<f32>> =
        (0..count).map(|at| shown(take, ahead[at].as_ref(), behind[at].as_ref())).collect();
    let frames = count as f32;
    let enough = (ENOUGH.0 + ENOUGH_SHARE.0 * frames, ENOUGH.1 + ENOUGH_SHARE.1 * frames);
    let mut sums = seen.clone();
    for backwards in [false, true] {
        let steps = if backwards { &ahead } else { &behind };
        let mut carried = vec![0.0f32; take.cells()];
        for step in 0..count {
            let at = if backwards { count - 1 - step } else { step };
            if step > 0 {
                let (Some(way), Some(field)) = (&steps[at], field(take, at, !backwards)) else {
                    continue;
                };
                carried = gathered(&carried, field, &way.to);
            }
            for ((sum, carried), &seen) in sums[at].iter_mut().zip(&mut carried).zip(&seen[at]) {
                *sum += *carried;
                *carried = (*carried + seen).clamp(0.0, enough.1);
            }
        }
    }
    sums.iter_mut().flatten().for_each(|sum| *sum = ramp(enough, *sum));
    Ok(sums)
}

fn field<'a>(take: &'a Take<'_>, at: usize, back: bool) -> Option<&'a FlowField> {
    if back { take.behind(at) } else { take.ahead(at) }
}

/// What a frame shows in its steps to the next frame and to the one before.
fn shown(take: &Take<'_>, ahead: Option<&Step>, behind: Option<&Step>) -> Vec<f32> {
    let own = |step: Option<&Step>, cell: usize| step.map(|step| step.own[cell]);
    let most = |cell| match (own(ahead, cell), own(behind, cell)) {
        (Some(a), Some(b)) => a.max(b),
        (a, b) => a.or(b).unwrap_or(0.0),
    };
    (0..take.cells()).map(most).collect()
}

fn step(
    take: &Take<'_>,
    colours: &[Colours],
    at: usize,
    back: bool,
) -> Result<Option<Step>, ShapeError> {
    let other = if back { at.wrapping_sub(1) } else { at + 1 };
    let (Some(field), Some(there)) = (field(take, at, back), colours.get(other)) else {
        return Ok(None);
    };
    let (here, camera) = (&colours[at], take.way(at, other));
    let (columns, rows) = field.grid();
    let (width, height) = (field.frame().0 as f32, field.frame().1 as f32);
    let by_camera = gaps(here, there, |plane, out| {
        let small = camera.resized(columns as f32 / width);
        warp::by_similarity(plane.as_ref(), &small, &mut out.as_mut());
        Ok(())
    })?;
    let by_flow =
        gaps(here, there, |plane, out| warp::by_flow(plane.as_ref(), field, &mut out.as_mut()))?;
    let mut step = Step { own: Vec::new(), to: Vec::new() };
    for cell in 0..columns * rows {
        let (i, j) = (cell % columns, cell / columns);
        let ((x, y), (u, v)) = (field.point(i, j), field.vector(i, j));
        let (x, y) = (x - width / 2.0, y - height / 2.0);
        let way = camera.apply((x, y));
        let sure = ramp(SURE, f32::from(field.confidence_at(i, j)) / 255.0);
        let far = libm::hypotf(way.0 - x, way.1 - y);
        let apart = libm::hypotf(x + u - way.0, y + v - way.1);
        let (own, still) = own_way(apart, far, by_camera[cell] - by_flow[cell], width / 320.0);
        step.own.push(if still { own } else { own * sure });
        let to = if still { way } else { (x + u, y + v) };
        step.to.push((to.0 + width / 2.0, to.1 + height / 2.0));
    }
    Ok(Some(step))
}

/// How surely a cell goes its own way that is `apart` px from the camera's, which is `far` px long,
/// and explains the picture better than that by `gain` codes; and whether it surely does not.
fn own_way(apart: f32, far: f32, gain: f32, unit: f32) -> (f32, bool) {
    let (least, most) = (OWN.0 * unit + OWN_SHARE.0 * far, OWN.1 * unit + OWN_SHARE.1 * far);
    let other = ramp((least, most), apart);
    // A vector that explains less than the camera does was only smoothed over a border.
    if gain < -BETTER.0 {
        return (-other * ramp(BETTER, -gain), true);
    }
    let long = ramp((LONG.0 * unit, LONG.1 * unit), apart - far);
    let plain = UNPROVEN.0 + long * (UNPROVEN.1 - UNPROVEN.0);
    (other * (plain + (1.0 - plain) * ramp(BETTER, gain)), false)
}

/// Mean difference around each cell between a picture and another brought to it.
fn gaps(
    here: &Colours,
    there: &Colours,
    bring: impl Fn(&Plane, &mut Plane) -> Result<(), ShapeError>,
) -> Result<Vec<f32>, ShapeError> {
    let size = here[0].size();
    let mut sums = vec![0.0f32; size.0 * size.1];
    for (here, there) in here.iter().zip(there) {
        let mut brought = Plane::new(size.0, size.1, 0)?;
        bring(there, &mut brought)?;
        for ((sum, &a), &b) in sums.iter_mut().zip(here.data()).zip(brought.data()) {
            *sum += f32::from(a.abs_diff(b));
        }
    }
    Ok(box_mean(&sums, size, 1))
}

/// Values brought from where each cell comes from; unsure vectors bring less.
fn gathered(values: &[f32], field: &FlowField, to: &[(f32, f32)]) -> Vec<f32> {
    to.iter()
        .zip(field.confidence())
        .map(|(&(x, y), &confidence)| {
            let sum: f32 = field.corners(x, y).iter().map(|&(at, part)| part * values[at]).sum();
            let sure = ramp(SURE, f32::from(confidence) / 255.0);
            sum * (UNSURE + (1.0 - UNSURE) * sure)
        })
        .collect()
}
