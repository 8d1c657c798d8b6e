//! Holds a shot still for the marks that are drawn on it.
//!
//! Noise decides whether a line is drawn and where a tone tips over, so a frame drawn from nothing
//! seethes; and marks that hang on the camera's path stand still on what walks. So two things are
//! carried along the motion of the footage: the footage itself, into which each new frame is worked
//! by a part, and the place of its material on the sheet of marks. What was drawn is *not* carried:
//! it would wear away.
//!
//! Invariant: nothing is carried over a cut, nor to where the footage shows another thing.

use kernels::drift::{Drift, Places};
use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{FlowField, Plane, Similarity, blur, resize, warp};
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

/// Shorter side in px from which a quarter of the size shows motion well enough for marks alone.
const LARGE: u32 = 360;

/// What a shot showed last.
pub(super) struct Hold {
    before: Option<Before>,
    /// Whether the drawing is kept from growing soft. Ink on paper is better without: a sharp
    /// edge between black and white that is a little off its place is a large error.
    crisp: bool,
}

struct Before {
    n: usize,
    shot: usize,
    place: Similarity,
    /// Luma of the footage at half size or less, and the same for flow.
    small: Plane,
    image: FlowImage,
    steady: Option<Frame>,
    drift: Drift,
    drawing: Option<Frame>,
}

/// How a frame hangs together with the one before.
pub(super) struct Held {
    /// Where its material has drifted to.
    pub(super) drift: Drift,
    carried: Option<Carried>,
}

struct Carried {
    motion: FlowField,
    /// How much of what is carried may stay, 0 to 255, at whole size.
    trust: Plane,
    drawing: Option<Frame>,
}

// === impl Hold ===

impl Hold {
    pub(super) fn new(crisp: bool) -> Self {
        Self { before: None, crisp }
    }

    /// Steadies frame `n`, of which the part `share` (0 to 1) comes from before where the motion is
    /// sure; with 0 only its drift is found. `place` is the frame's place on the sheet.
    pub(super) fn settle(
        &mut self,
        (n, shot): (usize, usize),
        place: Similarity,
        frame: &mut Frame,
        share: f32,
    ) -> Result<Held, Failure> {
        let mut small = resize::halve(view(frame)?.y());
        if share == 0.0 && frame.width().min(frame.height()) >= LARGE {
            // Marks alone slip unseen by what a frame that is laid over another would blur by.
            small = resize::halve(small.as_ref());
        }
        let image =
            FlowImage::new(small.as_ref(), FlowParams { finest: 1, ..FlowParams::default() });
        let size = (frame.width() as usize, frame.height() as usize);
        let mut held = Held { drift: Drift::still(size), carried: None };
        if let Some(before) = self.before.take()
            && before.n + 1 == n
            && before.shot == shot
        {
            let motion = flow::pair(&before.image, &image)?.backward;
            let mut trust = Plane::new(size.0, size.1, 0)?;
            if share > 0.0 {
                let mut same = small.clone();
                warp::by_flow(before.small.as_ref(), &motion, &mut same.as_mut())?;
                ops::doubled(&trusted(&motion, &same, &small)?, &mut trust);
            }
            let places = Places { before: before.place, now: place };
            held.drift = before.drift.carried(&motion, places, size);
            let carried = Carried { motion, trust, drawing: before.drawing };
            if let Some(steady) = &before.steady {
                carried.mix(steady, frame, share, true)?;
            }
            held.carried = Some(carried);
        }
        let (steady, drift) = ((share > 0.0).then(|| frame.clone()), held.drift.clone());
        self.before = Some(Before { n, shot, place, small, image, steady, drift, drawing: None });
        Ok(held)
    }

    /// Works a drawing into that of the frame before, of which the part `share` (0 to 1) stays.
    pub(super) fn trace(
        &mut self,
        held: &Held,
        frame: &mut Frame,
        share: f32,
    ) -> Result<(), Failure> {
        if let Some(carried) = &held.carried
            && let Some(drawing) = &carried.drawing
        {
            carried.mix(drawing, frame, share, self.crisp)?;
        }
        if let Some(before) = &mut self.before {
            before.drawing = Some(frame.clone());
        }
        Ok(())
    }
}

// === impl Carried ===

impl Carried {
    fn mix(
        &self,
        before: &Frame,
        frame: &mut Frame,
        share: f32,
        crisp: bool,
    ) -> Result<(), Failure> {
        let mut moved = frame.clone();
        let (before, mut planes) = (view(before)?, view_mut(&mut moved)?);
        for (k, (from, to)) in before.planes().into_iter().zip(planes.planes_mut()).enumerate() {
            if k == 0 && crisp {
                warp::by_flow_sharply(from, &self.motion, to)?;
            } else {
                warp::by_flow(from, &self.motion, to)?;
            }
        }
        ops::keep(frame.planes_mut(), moved.planes_mut(), &self.trust, share);
        Ok(())
    }
}

/// How much of what is carried may stay at each place, at half size.
fn trusted(motion: &FlowField, carried: &Plane, now: &Plane) -> Result<Plane, Failure> {
    let (width, height) = now.as_ref().size();
    let scale = motion.scale();
    let part = Plane::from_fn(width, height, |x, y| {
        let sure = i32::from(motion.confidence_at(x / scale, y / scale));
        let sure = ((sure - UNSURE) * 256 / (SURE - UNSURE)).clamp(0, 256);
        let off = i32::from(carried.row(y)[x].abs_diff(now.row(y)[x]));
        let same = ((OTHER - off) * 256 / (OTHER - SAME)).clamp(0, 256);
        (255 * sure.min(same) / 256) as u8
    })?;
    Ok(blur::box_mean(part.as_ref(), 2))
}
