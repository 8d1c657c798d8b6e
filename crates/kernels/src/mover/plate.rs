//! The background without what stands before it, as far as the shot shows it.

use super::{Colours, Take, ramp};
use crate::geometry::Similarity;

/// Codes that fall into one bin of a histogram, and bins of 256 codes.
const BIN: usize = 4;
const BINS: usize = 256 / BIN;

/// Codes around the median over which the mean is taken.
const NEAR: f32 = 8.0;

/// Frames that must show a place for its colour to be half sure.
const HALF_SEEN: f32 = 2.0;

/// How much more something may be before a place than it is at least, for the moment to count.
const ROOM: f32 = 0.2;

/// How surely something is before a place all the time from which its background is doubtful and
/// from which it is unknown.
const COVERED: (f32, f32) = (0.2, 0.5);

/// Most area of the plate, in frames: a longer way has no common picture.
const MOST_AREA: usize = 6;

/// The background's colours where the camera saw it, in a frame of reference of its own.
pub(super) struct Plate {
    size: (usize, usize),
    /// Maps cells of the first frame, from its middle, to cells of the plate, from its corner.
    shift: (f32, f32),
    colours: [Vec<f32>; 3],
    /// Mean distance of what was seen from the colour, in codes.
    rough: Vec<f32>,
    sure: Vec<f32>,
}

/// What the plate says of a place.
pub(super) struct Behind {
    /// Least and most of each channel about the place.
    pub(super) range: [(f32, f32); 3],
    /// The channels at the place itself.
    pub(super) colour: [f32; 3],
    /// How much that varies by itself, in codes.
    pub(super) rough: f32,
    /// How sure it is, 0 to 1.
    pub(super) sure: f32,
}

// === impl Plate ===

impl Plate {
    /// From frames of a shot and how surely each cell is not background, 0 to 1. `None` where the
    /// camera goes so far that no one picture shows the background.
    pub(super) fn of(take: &Take<'_>, colours: &[Colours], before: &[Vec<f32>]) -> Option<Self> {
        let grid = take.grid();
        let (size, shift) = extent(take, colours.len())?;
        let cells = size.0 * size.1;
        let mut plate = Self {
            size,
            shift,
            colours: [vec![0.0; cells], vec![0.0; cells], vec![0.0; cells]],
            rough: vec![0.0; cells],
            sure: vec![0.0; cells],
        };
        // A place shows its background when it is least before it, whatever that least is.
        let mut least = vec![1.0f32; cells];
        plate.each(take, colours.len(), grid, |at, cell, place| {
            least[place] = least[place].min(before[at][cell]);
        });
        let weight = |at: usize, cell: usize, place: usize| {
            let open = (1.0 - (before[at][cell] - least[place]) / ROOM).max(0.0);
            open * open
        };
        let mut seen = vec![0.0f32; cells];
        for channel in 0..3 {
            let mut counts = vec![0.0f32; cells * BINS];
            plate.each(take, colours.len(), grid, |at, cell, place| {
                let code = usize::from(colours[at][channel].data()[cell]);
                let weight = weight(at, cell, place);
                counts[place * BINS + code / BIN] += weight;
                if channel == 0 {
                    seen[place] += weight;
                }
            });
            let medians: Vec<f32> = counts.chunks_exact(BINS).map(median).collect();
            let mut sums = vec![(0.0f32, 0.0f32, 0.0f32); cells];
            plate.each(take, colours.len(), grid, |at, cell, place| {
                let code = f32::from(colours[at][channel].data()[cell]);
                let (weight, off) = (weight(at, cell, place), (code - medians[place]).abs());
                let sum = &mut sums[place];
                sum.2 += weight * off.min(32.0);
                if off <= NEAR {
                    (sum.0, sum.1) = (sum.0 + weight * code, sum.1 + weight);
                }
            });
            for (place, (sum, near, off)) in sums.into_iter().enumerate() {
                let found = if near > 0.0 { sum / near } else { medians[place] };
                plate.colours[channel][place] = found;
                let rough = off / seen[place].max(1e-3);
                plate.rough[place] = plate.rough[place].max(rough);
            }
        }
        for ((sure, seen), least) in plate.sure.iter_mut().zip(seen).zip(least) {
            let often = seen * seen / (seen * seen + HALF_SEEN * HALF_SEEN);
            *sure = often * (1.0 - ramp(COVERED, least));
        }
        Some(plate)
    }

    /// Calls `see(frame, cell, place)` for every cell of every frame that lies on the plate.
    fn each(
        &self,
        take: &Take<'_>,
        frames: usize,
        grid: (usize, usize),
        mut see: impl FnMut(usize, usize, usize),
    ) {
        for at in 0..frames {
            let home = take.home(at);
            for cell in 0..grid.0 * grid.1 {
                let (x, y) = self.place(&home, (cell % grid.0, cell / grid.0), grid);
                if let Some(place) = self.index(x, y) {
                    see(at, cell, place);
                }
            }
        }
    }

    /// Where a cell of a frame lies on the plate, in its cells from its corner.
    fn place(&self, home: &Similarity, (i, j): (usize, usize), grid: (usize, usize)) -> (f32, f32) {
        let (x, y) = home.apply(middle((i, j), grid));
        (x + self.shift.0, y + self.shift.1)
    }

    fn index(&self, x: f32, y: f32) -> Option<usize> {
        let inside = x >= 0.0 && y >= 0.0 && x < self.size.0 as f32 && y < self.size.1 as f32;
        inside.then(|| y as usize * self.size.0 + x as usize)
    }

    /// What lies behind a cell of a frame; `home` takes it to the first frame. A camera that
    /// moves is registered to a cell only.
    pub(super) fn behind(
        &self,
        home: &Similarity,
        cell: (usize, usize),
        grid: (usize, usize),
        reach: isize,
    ) -> Option<Behind> {
        let (x, y) = self.place(home, cell, grid);
        let at = self.index(x, y)?;
        let mut range: [(f32, f32); 3] =
            std::array::from_fn(|c| (self.colours[c][at], self.colours[c][at]));
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let Some(near) = self.index(x + dx as f32, y + dy as f32) else { continue };
                if self.sure[near] < 0.2 {
                    continue;
                }
                for (range, colours) in range.iter_mut().zip(&self.colours) {
                    *range = (range.0.min(colours[near]), range.1.max(colours[near]));
                }
            }
        }
        let colour = std::array::from_fn(|c| self.colours[c][at]);
        Some(Behind { range, colour, rough: self.rough[at], sure: self.sure[at] })
    }
}

/// The middle of a cell, from the middle of the grid.
pub(super) fn middle((i, j): (usize, usize), grid: (usize, usize)) -> (f32, f32) {
    (i as f32 + 0.5 - grid.0 as f32 / 2.0, j as f32 + 0.5 - grid.1 as f32 / 2.0)
}

/// Size of the plate, and where the middle of the first frame lies on it.
fn extent(take: &Take<'_>, frames: usize) -> Option<((usize, usize), (f32, f32))> {
    let grid = take.grid();
    let (mut low, mut high) = ((0.0f32, 0.0f32), (0.0f32, 0.0f32));
    for at in 0..frames {
        let home = take.home(at);
        for corner in [(0, 0), (grid.0 - 1, 0), (0, grid.1 - 1), (grid.0 - 1, grid.1 - 1)] {
            let (x, y) = home.apply(middle(corner, grid));
            low = (low.0.min(x - 1.0), low.1.min(y - 1.0));
            high = (high.0.max(x + 1.0), high.1.max(y + 1.0));
        }
    }
    let wide = (high.0 - low.0) * (high.1 - low.1);
    if wide > (MOST_AREA * grid.0 * grid.1) as f32 {
        return None;
    }
    let side = |low: f32, high: f32| libm::ceilf(high - low) as usize + 1;
    Some(((side(low.0, high.0), side(low.1, high.1)), (-low.0, -low.1)))
}

/// The code that half of the weight lies below.
fn median(counts: &[f32]) -> f32 {
    let half = counts.iter().sum::<f32>() / 2.0;
    let mut passed = 0.0;
    for (bin, &count) in counts.iter().enumerate() {
        if count > 0.0 && passed + count >= half {
            let part = (half - passed) / count;
            return (bin as f32 + part) * BIN as f32;
        }
        passed += count;
    }
    0.0
}
