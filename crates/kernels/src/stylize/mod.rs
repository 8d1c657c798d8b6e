//! Example-based stylization: a picture's own strokes, carried by a video's motion.
//!
//! After Hertzmann et al. 2001 (image analogies), Ashikhmin 2001 and Tong et al. 2002 (coherence
//! and k-coherence search), Fiser et al. 2016 (StyLit) and Jamriska et al. 2019 (Stylizing Video
//! by Example), in our own form. A *field* says for every cell of 2 x 2 px of the frame which
//! place of the exemplar it shows, to 1/256 cell; the picture is a function of the field and the
//! exemplar alone. Nothing that was painted is ever filtered again, so strokes can't blur however
//! long they are carried. Search is by cells (half resolution), painting by pixels.
//!
//! Invariant: the result is a function of the arguments; every cell is computed from the state
//! before the sweep, so the number of threads changes nothing.
//!
//! 1. [`Exemplar`]: the style pictures with everything that can be computed before a frame is
//!    seen.
//! 2. [`Tone`]: the colours of a shot, mapped once for the whole shot to those of the style.
//! 3. [`Guide`]: what of a frame steers the painting.
//! 4. [`Painter::key`] paints a frame from its guide, [`Painter::carry`] moves a painting along
//!    the flow, forward or backward in time; [`Painter::frame`] is its picture, and
//!    [`Painter::between`] the picture on the way from one run to another.

mod blend;
mod carry;
mod cost;
mod exemplar;
mod features;
mod guide;
mod kin;
mod painter;
mod search;
mod vote;

pub use exemplar::{Exemplar, Picture};
pub use guide::{Colours, Guide, Tone};
pub use painter::{Painted, Painter, Settings};

/// Steps of a place in the exemplar in one cell.
const ONE: i32 = 256;

/// Cells about a patch's centre on each side: patches are 5 x 5 cells.
const RADIUS: usize = 2;

/// Side of a patch in cells.
const SIDE: usize = 2 * RADIUS + 1;

/// A place in the exemplar's atlas, in 1/256 cell; whole cells are their centres.
type Spot = [i32; 2];

/// Index of the cell of the atlas that a place lies in.
#[inline]
fn cell_of([x, y]: Spot, width: usize) -> usize {
    let half = ONE / 2;
    ((y + half) >> 8) as usize * width + ((x + half) >> 8) as usize
}

#[cfg(test)]
mod tests;
