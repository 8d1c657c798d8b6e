//! Dense optical flow by inverse search, coarse to fine.
//!
//! After Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search",
//! ECCV 2016, in our own form: patches take the best of several starts from the coarser level (so
//! that no patch waits for its neighbour and rows run in parallel), the sums are mean-free,
//! densification weighs a patch by its residual and its texture, and every level is smoothed by
//! weight. The finest is refined: brightness and its gradient have to stay the same along the motion,
//! which may have borders. Where the two directions disagree the vector is filled from surer
//! neighbours.
//!
//! All sums have a fixed order: the result is the same on any number of threads.

mod confidence;
mod dense;
mod patch;
mod pyramid;
mod refine;

pub use pyramid::FlowImage;

use crate::field::{FlowField, FlowPair};
use crate::plane::{ShapeError, check_same};
use dense::Dense;

/// Settings of a flow estimate. The default is meant for 720p and 1080p video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowParams {
    /// Log2 of the finest level's reduction: 2 works at a quarter of the resolution (0 to 4).
    pub finest: u32,
    /// Grid step of the 8 x 8 px patches, in px of a level (2 to 8).
    pub stride: usize,
    /// Most steps of a patch's search on one level.
    pub iterations: usize,
    /// Whether the finest level is refined: more accurate, at about twice the cost. Without it
    /// motion spreads less into what a mover covers next.
    pub refined: bool,
}

impl Default for FlowParams {
    fn default() -> Self {
        Self { finest: 2, stride: 4, iterations: 8, refined: true }
    }
}

impl FlowParams {
    pub(crate) fn checked(self) -> Self {
        Self {
            finest: self.finest.min(4),
            stride: self.stride.clamp(2, patch::SIDE),
            iterations: self.iterations.clamp(1, 64),
            refined: self.refined,
        }
    }
}

/// Flow from `a` to `b` and back, each with confidence from the agreement of both.
///
/// Both images must come from frames of one size and from the same parameters.
pub fn pair(a: &FlowImage, b: &FlowImage) -> Result<FlowPair, ShapeError> {
    check_same(a.frame(), b.frame())?;
    check_same(a.finest_size(), b.finest_size())?;
    let (forward, backward) = rayon::join(|| search(a, b), || search(b, a));
    let (forward, backward) = rayon::join(
        || confidence::resolve(a, b, &forward, &backward),
        || confidence::resolve(b, a, &backward, &forward),
    );
    FlowPair::new(forward?, backward?)
}

/// Flow from `a` to `b` alone, at half the cost; the confidence knows the residual only.
pub fn forward(a: &FlowImage, b: &FlowImage) -> Result<FlowField, ShapeError> {
    check_same(a.frame(), b.frame())?;
    check_same(a.finest_size(), b.finest_size())?;
    confidence::one_way(a, b, &search(a, b))
}

fn search(a: &FlowImage, b: &FlowImage) -> Dense {
    let found = found(a, b);
    if a.params().refined { refine::refine(&a.levels()[0], &b.levels()[0], found) } else { found }
}

/// What the patches alone find.
fn found(a: &FlowImage, b: &FlowImage) -> Dense {
    let params = a.params();
    let mut coarser: Option<Dense> = None;
    for (from, to) in a.levels().iter().zip(b.levels()).rev() {
        let patches = patch::search(from, to, coarser.as_ref(), params);
        coarser = Some(dense::densify(from, to, &patches, params).smoothed());
    }
    coarser.unwrap_or_else(|| Dense::still(1, 1))
}

#[cfg(test)]
mod tests;
