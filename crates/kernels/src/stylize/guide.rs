//! What of a frame steers the painting, and the mapping of a shot's colours to the style's.

use super::Exemplar;
use super::features::Features;
use crate::color::{self, LabTable};
use crate::convert;
use crate::frame::Yuv420Ref;
use crate::lut::Lut33;
use crate::plane::{Plane, ShapeError};
use crate::resize;
use crate::rows::{for_items, for_rows};
use crate::transport::Transport;

/// Areas along the longer side of a frame whose colours are compared.
const AREAS: usize = 160;

/// Most colours that a style or a shot is known by, and that one frame adds to a shot's.
const MOST_COLOURS: usize = 4096;
const OF_FRAME: usize = 1024;

/// Colours of a shot's or a picture's areas, in Lab: those of single windows or strokes are no
/// aim for what is painted.
#[derive(Debug, Clone, Default)]
pub struct Colours {
    samples: Vec<[f32; 3]>,
}

/// A mapping of colours that stays the same for a whole shot, so that nothing pumps. Light and
/// colour are mapped together, to the distribution that they have in the style: a night sky is
/// dark because it is a sky, and goes to the blue of a painted one and not to what is darkest.
#[derive(Debug)]
pub struct Tone {
    /// `None` leaves all as it is.
    colours: Option<Lut33>,
}

/// Guides of one frame: luma in the style's range at two scales, colours, edges, directions,
/// places.
#[derive(Debug, Clone)]
pub struct Guide {
    size: (usize, usize),
    /// Luma at half the frame's resolution, and both colour differences at a quarter of it.
    pub(super) planes: (Plane, [Plane; 2]),
    pub(super) features: Features,
}

// === impl Colours ===

impl Colours {
    /// Adds those of one more frame, of any resolution.
    pub fn add(&mut self, frame: Yuv420Ref<'_>) -> Result<(), ShapeError> {
        self.add_some(frame, OF_FRAME)
    }

    /// Adds `share` (0 to 1) of all that a style is known by.
    pub(super) fn add_share(&mut self, frame: Yuv420Ref<'_>, share: f32) -> Result<(), ShapeError> {
        let count = libm::roundf(MOST_COLOURS as f32 * share).max(1.0);
        self.add_some(frame, count as usize)
    }

    fn add_some(&mut self, frame: Yuv420Ref<'_>, count: usize) -> Result<(), ShapeError> {
        let (width, height) = frame.size();
        let longer = width.max(height).max(AREAS);
        let part = |side: usize| (side * AREAS / longer).max(1);
        let (width, height) = (part(width), part(height));
        let [y, u, v] = frame.planes().map(|plane| resize::shrink(plane, width, height));
        let (table, planes) = (LabTable::new(), [y?, u?, v?]);
        let [y, u, v] = planes.each_ref().map(Plane::data);
        let lab = |at: usize| table.lab(convert::yuv_code([y[at], u[at], v[at]]));
        self.samples.extend(evenly(y.len(), count).map(lab));
        Ok(())
    }

    /// Adds those of another one.
    pub fn merge(&mut self, other: &Self) {
        self.samples.extend_from_slice(&other.samples);
    }
}

/// At most `count` of `length` places, from all over.
fn evenly(length: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(length);
    (0..count).map(move |k| (2 * k + 1) * length / (2 * count))
}

// === impl Tone ===

impl Tone {
    /// From a shot's colours to the exemplar's.
    pub fn of(exemplar: &Exemplar, shot: &Colours) -> Self {
        let some: Vec<[f32; 3]> =
            evenly(shot.samples.len(), MOST_COLOURS).map(|k| shot.samples[k]).collect();
        let transport = Transport::between(&some, &exemplar.colours().samples);
        let carried = |rgb| {
            color::lab_to_rgb(transport.lab(color::rgb_to_lab(rgb))).map(|c| c.clamp(0.0, 1.0))
        };
        Self { colours: Some(Lut33::from_rgb(carried)) }
    }

    /// A mapping that leaves every colour as it is.
    pub fn identity() -> Self {
        Self { colours: None }
    }
}

// === impl Guide ===

impl Guide {
    /// The guides of a frame whose shot has the mapping `tone`.
    pub fn new(frame: Yuv420Ref<'_>, tone: &Tone) -> Self {
        let [luma, u, v] = frame.planes().map(resize::halve);
        let (luma, chroma) = match &tone.colours {
            Some(colours) => carried(colours, &luma, [&u, &v]),
            None => (luma, [u, v]),
        };
        let features = Features::of(luma.as_ref(), chroma.each_ref().map(Plane::as_ref));
        Self { size: frame.size(), planes: (luma, chroma), features }
    }

    /// Size of the frame in px.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }
}

/// Luma, and colour differences of about half its resolution, after a change of colours.
fn carried(colours: &Lut33, luma: &Plane, [u, v]: [&Plane; 2]) -> (Plane, [Plane; 2]) {
    let small = resize::halve(luma.as_ref());
    let (width, height) = u.as_ref().size();
    let mut out = luma.clone();
    for_rows(&mut out.as_mut(), |y, row| {
        let (u, v) = (u.row((y / 2).min(height - 1)), v.row((y / 2).min(height - 1)));
        for (x, code) in row.iter_mut().enumerate() {
            let at = (x / 2).min(width - 1);
            *code = colours.code([*code, u[at], v[at]])[0];
        }
    });
    let mut chroma = vec![[0u8; 2]; width * height];
    for_items(&mut chroma, width, |y, row| {
        let (luma, u, v) = (small.row(y.min(small.height() - 1)), u.row(y), v.row(y));
        for (x, out) in row.iter_mut().enumerate() {
            let [_, u, v] = colours.code([luma[x.min(luma.len() - 1)], u[x], v[x]]);
            *out = [u, v];
        }
    });
    let channel =
        |k: usize| Plane::of_size(chroma.iter().map(|pair| pair[k]).collect(), (width, height));
    (out, [channel(0), channel(1)])
}
