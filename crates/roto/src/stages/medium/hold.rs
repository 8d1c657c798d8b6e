//! Keeps drawn marks where they are on what moves.
//!
//! Paper hangs on the camera's path, and so do hatching and lines where the scene stands still. On
//! what moves by itself, and where noise decides whether a line is drawn, a frame drawn from
//! nothing seethes. So the drawing of the frame before is carried along the motion of the footage
//! and the new one is worked into it by a part, as an animator traces the frame below (after
//! Bousseau et al. 2007, "Video watercolorization using bidirectional texture advection").
//!
//! Invariant: nothing is carried over a cut, nor to where the footage shows another thing.

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{Plane, blur, resize, warp};
use media::Frame;

use super::ops;
use crate::fail::Failure;
use crate::footage::{view, view_mut};

/// Codes by which the light of a place may differ from what the motion leads to and still count
/// as the same thing, and the codes over which that trust ends.
const SAME: i32 = 8;
const OTHER: i32 = 24;

/// Confidence of the motion (0 to 255) below which nothing is carried, and from which all is.
const UNSURE: i32 = 40;
const SURE: i32 = 120;

/// The latest drawing, with the footage below it.
#[derive(Default)]
pub(super) struct Hold {
    before: Option<Before>,
}

struct Before {
    n: usize,
    shot: usize,
    /// Luma of the footage at half size, and the same for flow.
    small: Plane,
    image: FlowImage,
    drawing: Frame,
}

// === impl Hold ===

impl Hold {
    /// Works the drawing of frame `n` into the carried one, of which the part `share` (0 to 1)
    /// stays where the motion is sure.
    pub(super) fn settle(
        &mut self,
        (n, shot): (usize, usize),
        small: Plane,
        drawing: &mut Frame,
        share: f32,
    ) -> Result<(), Failure> {
        let params = FlowParams { finest: 1, ..FlowParams::default() };
        let image = FlowImage::new(small.as_ref(), params);
        if let Some(before) = &self.before
            && before.n + 1 == n
            && before.shot == shot
        {
            let motion = flow::pair(&before.image, &image)?.backward;
            let mut carried = drawing.clone();
            warp::frame_by_flow(view(&before.drawing)?, &motion, &mut view_mut(&mut carried)?)?;
            let mut same = small.clone();
            warp::by_flow(before.small.as_ref(), &motion, &mut same.as_mut())?;
            let part = trust(&motion, &same, &small, share)?;
            let mut whole = Plane::new(drawing.width() as usize, drawing.height() as usize, 0)?;
            ops::doubled(&part, &mut whole);
            ops::keep(drawing.planes_mut(), carried.planes_mut(), &whole);
        }
        self.before = Some(Before { n, shot, small, image, drawing: drawing.clone() });
        Ok(())
    }
}

/// Luma of the footage at the size at which motion is measured.
pub(super) fn small(frame: &Frame) -> Result<Plane, Failure> {
    Ok(resize::halve(view(frame)?.y()))
}

/// Part of the carried drawing that stays at each place, at half size.
fn trust(
    motion: &kernels::FlowField,
    carried: &Plane,
    now: &Plane,
    share: f32,
) -> Result<Plane, Failure> {
    let (width, height) = now.as_ref().size();
    let scale = motion.scale();
    let gain = (255.0 * share.clamp(0.0, 1.0)) as i32;
    let part = Plane::from_fn(width, height, |x, y| {
        let sure = i32::from(motion.confidence_at(x / scale, y / scale));
        let sure = ((sure - UNSURE) * 256 / (SURE - UNSURE)).clamp(0, 256);
        let off = i32::from(carried.row(y)[x].abs_diff(now.row(y)[x]));
        let same = ((OTHER - off) * 256 / (OTHER - SAME)).clamp(0, 256);
        (gain * sure.min(same) / 256) as u8
    })?;
    Ok(blur::box_mean(part.as_ref(), 2))
}
