//! What of a frame steers the painting, and the mapping of a shot's luma to the style's.

use super::Exemplar;
use super::features::Features;
use crate::frame::Yuv420Ref;
use crate::plane::{Plane, PlaneRef};
use crate::resize;

/// Most codes of the style's luma to one code of the shot's.
const STEEPEST: f32 = 3.0;

/// How often each luma code occurs in a shot.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: [u64; 256],
}

/// A mapping of luma codes that stays the same for a whole shot, so that nothing pumps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tone {
    codes: [u8; 256],
}

/// Guides of one frame: luma in the style's range at two scales, edges, directions, places.
#[derive(Debug, Clone)]
pub struct Guide {
    size: (usize, usize),
    pub(super) luma: Plane,
    pub(super) features: Features,
}

// === impl Histogram ===

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; 256] }
    }
}

impl Histogram {
    /// Counts the codes of one more plane of luma, of any resolution.
    pub fn add(&mut self, luma: PlaneRef<'_>) {
        for row in luma.rows() {
            for &code in row {
                self.counts[usize::from(code)] += 1;
            }
        }
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
    }

    pub(super) fn add_weighted(&mut self, code: u8, weight: u64) {
        self.counts[usize::from(code)] += weight;
    }

    /// Share of all codes below `code` and half of those at it, in 1/65536.
    fn ranks(&self) -> [u64; 256] {
        let total = self.counts.iter().sum::<u64>().max(1);
        let mut below = 0;
        self.counts.map(|count| {
            let rank = (2 * below + count) * 32_768 / total;
            below += count;
            rank
        })
    }
}

// === impl Tone ===

impl Tone {
    /// The code that an exemplar shows at the same rank as `shot` shows each code, mixed with the
    /// plain range of the exemplar by `share` (0 = range only, 1 = ranks only). Never falling, and
    /// nowhere steeper than 3: by rank alone the noise of a flat sky would be as wide a
    /// range of light as its share of the picture.
    pub fn of(exemplar: &Exemplar, shot: &Histogram, share: f32) -> Self {
        let style = exemplar.histogram().ranks();
        let ranks = shot.ranks();
        let at_rank = |rank: u64| style.iter().rposition(|&r| r <= rank).unwrap_or(0) as f32;
        let low = at_rank(style[0].max(655));
        let high = at_rank(64_880);
        let (first, last) = (code_at(&ranks, 655), code_at(&ranks, 64_880));
        let share = share.clamp(0.0, 1.0);
        let mut floor = 0.0f32;
        let course: [f32; 256] = std::array::from_fn(|code| {
            let along = ((code as f32 - first) / (last - first).max(1.0)).clamp(0.0, 1.0);
            let plain = low + along * (high - low);
            let ranked = matched(&style, ranks[code]);
            floor = floor.max(plain + share * (ranked - plain));
            floor
        });
        Self { codes: gentler(&course).map(|code| libm::roundf(code.clamp(0.0, 255.0)) as u8) }
    }

    /// A mapping that leaves every code as it is.
    pub fn identity() -> Self {
        Self { codes: std::array::from_fn(|code| code as u8) }
    }
}

/// The mean of the highest course that is nowhere steeper and does not rise above `course`, and
/// the lowest that does not fall below it.
fn gentler(course: &[f32; 256]) -> [f32; 256] {
    let (mut below, mut above) = (*course, *course);
    for code in 1..256 {
        below[code] = below[code].min(below[code - 1] + STEEPEST);
    }
    for code in (0..255).rev() {
        above[code] = above[code].max(above[code + 1] - STEEPEST);
    }
    std::array::from_fn(|code| f32::midpoint(below[code], above[code]))
}

/// The lowest code whose rank reaches `rank`.
fn code_at(ranks: &[u64; 256], rank: u64) -> f32 {
    ranks.iter().position(|&r| r >= rank).unwrap_or(255) as f32
}

/// The code of a style at `rank`, between codes.
fn matched(style: &[u64; 256], rank: u64) -> f32 {
    let above = style.iter().position(|&r| r >= rank).unwrap_or(255);
    let below = above.saturating_sub(1);
    let (low, high) = (style[below], style[above]);
    if high <= low {
        return above as f32;
    }
    below as f32 + (rank.saturating_sub(low)) as f32 / (high - low) as f32
}

// === impl Guide ===

impl Guide {
    /// The guides of a frame whose shot has the mapping `tone`.
    pub fn new(frame: Yuv420Ref<'_>, tone: &Tone) -> Self {
        let mut luma = resize::halve(frame.y());
        crate::rows::for_rows(&mut luma.as_mut(), |_, row| {
            for code in row {
                *code = tone.codes[usize::from(*code)];
            }
        });
        let features = Features::of(luma.as_ref());
        Self { size: frame.size(), luma, features }
    }

    /// Size of the frame in px.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }
}
