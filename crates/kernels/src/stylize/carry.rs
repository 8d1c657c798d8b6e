//! A field from one frame to the next.
//!
//! A cell takes over what the cell that it came from showed, with the fraction of a cell that the
//! motion leaves, so that slow motion adds up and strokes move with the scene exactly. Only cells
//! that came into view, or whose light has become another, are searched.

use super::cost::Target;
use super::exemplar::Level;
use super::painter::Painted;
use super::search::{self, Field};
use super::{ONE, Spot};
use crate::field::FlowField;
use crate::hash;
use crate::rows::for_items;
use crate::upsample::Upsampler;
use crate::warp::{cell_size, factors};

/// Passes over the cells that are searched.
pub(super) const PASSES: usize = 3;

/// Confidence of the flow below which a cell counts as newly seen.
const SURE: u8 = 40;

/// Codes by which the light of a place may change from one frame to the next.
const SAME_LIGHT: u32 = 28;

/// Growth of a cell's guide cost that calls for a search: a half, and this.
const SLACK: u32 = 900;

/// Distances at which newly seen cells look for strokes to continue, in cells.
const REACHES: [isize; 6] = [32, 16, 8, 4, 2, 1];

/// Places tried for a newly seen cell besides those that continue its surroundings.
const STARTS: usize = 12;

/// A field on its way.
pub(super) struct Moved {
    pub(super) field: Field,
    pub(super) accepted: Vec<u16>,
    /// Cells to search.
    pub(super) active: Vec<bool>,
    /// Cells whose content is not known: newly seen, or beyond the exemplar.
    open: Vec<bool>,
}

/// What becomes of one cell.
#[derive(Clone, Copy)]
struct Cell {
    spot: Spot,
    accepted: u16,
    active: bool,
    open: bool,
}

/// Cost of the guides of every cell, as [`Painted::accepted`] keeps it.
pub(super) fn costs(level: &Level, target: &Target<'_>, field: &Field) -> Vec<u16> {
    let mut out = vec![0u16; field.spots.len()];
    for_items(&mut out, field.width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            let cell = super::cell_of(field.spots[y * field.width + x], level.width);
            *out = target.guide_probe(x, y).cost(level, cell).min(65_535) as u16;
        }
    });
    out
}

/// Takes the field along, and marks what must be searched.
pub(super) fn moved(
    level: &Level,
    target: &Target<'_>,
    previous: &Painted,
    flow: &FlowField,
) -> Moved {
    let (width, height) = (target.width, target.height);
    let size = (width, height);
    let (factor_x, factor_y) = factors(size, flow.frame());
    let cell = cell_size(size, flow);
    let grid = Upsampler::new(flow.vectors(), flow.grid().0, width, cell);
    let start = Cell { spot: [0; 2], accepted: 0, active: true, open: true };
    let mut cells = vec![start; width * height];
    for_items(&mut cells, width, |y, row| {
        let (mut scratch, mut moves) = (Vec::new(), vec![[0; 2]; width]);
        grid.row(y, [factor_x, factor_y], &mut scratch, &mut moves);
        let j = ((y as f32 + 0.5) / cell.1) as usize;
        for (x, (out, &motion)) in row.iter_mut().zip(&moves).enumerate() {
            let i = ((x as f32 + 0.5) / cell.0) as usize;
            let sure = flow.confidence_at(i, j) >= SURE;
            *out = arrival(level, target, previous, (x, y), motion, sure);
        }
    });
    Moved {
        field: Field { width, height, spots: cells.iter().map(|c| c.spot).collect() },
        accepted: cells.iter().map(|c| c.accepted).collect(),
        active: cells.iter().map(|c| c.active).collect(),
        open: cells.iter().map(|c| c.open).collect(),
    }
}

fn arrival(
    level: &Level,
    target: &Target<'_>,
    previous: &Painted,
    (x, y): (usize, usize),
    [u, v]: [i32; 2],
    sure: bool,
) -> Cell {
    let (width, height) = (target.width as i32, target.height as i32);
    let (from_x, from_y) = (x as i32 * ONE + u, y as i32 * ONE + v);
    let (i, j) = ((from_x + ONE / 2) >> 8, (from_y + ONE / 2) >> 8);
    let inside = i >= 0 && j >= 0 && i < width && j < height;
    let from = (j.clamp(0, height - 1) * width + i.clamp(0, width - 1)) as usize;
    let [there_x, there_y] = previous.field.spots[from];
    let spot = [there_x + from_x - i * ONE, there_y + from_y - j * ONE];
    let Some(cell) = level.legal(spot) else {
        let spot = previous.field.spots[from];
        return Cell { spot, accepted: u16::MAX, active: true, open: true };
    };
    let [broad, fine] = previous.guided[from];
    let marks = target.features.marks[y * target.width + x];
    let change = u32::from(broad.abs_diff(marks[0])) + u32::from(fine.abs_diff(marks[1]));
    let open = !inside || !sure && change > SAME_LIGHT / 2 || change > 2 * SAME_LIGHT;
    let cost = target.guide_probe(x, y).cost(level, cell);
    let accepted = previous.accepted[from];
    let worse = cost > u32::from(accepted) * 3 / 2 + SLACK;
    Cell { spot, accepted, active: open || worse, open }
}

/// Gives cells whose content is not known the best by guides of what continues the strokes
/// about them and of some places of the right light.
pub(super) fn fill(level: &Level, target: &Target<'_>, moved: &mut Moved) {
    if !moved.open.contains(&true) {
        return;
    }
    let (width, height) = (moved.field.width, moved.field.height);
    let (old, open) = (&moved.field.spots, &moved.open);
    let mut next = old.clone();
    for_items(&mut next, width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            if !open[y * width + x] {
                continue;
            }
            let probe = target.guide_probe(x, y);
            let cost = |spot: Spot| level.legal(spot).map(|cell| probe.cost(level, cell));
            let word = hash::mix(((y as u64) << 32) | x as u64);
            let drawn = search::drawn(level, target, (x, y), word, STARTS);
            let mut best = (2 * probe.cost(level, drawn), level.spot(drawn));
            for reach in REACHES {
                for (dx, dy) in [(-reach, 0), (reach, 0), (0, -reach), (0, reach)] {
                    let (i, j) = (x as isize + dx, y as isize + dy);
                    let inside = i >= 0 && j >= 0 && i < width as isize && j < height as isize;
                    let at = (j * width as isize + i) as usize;
                    if !inside || open[at] {
                        continue;
                    }
                    let [a, b] = old[at];
                    let spot = [a - dx as i32 * ONE, b - dy as i32 * ONE];
                    if let Some(cost) = cost(spot)
                        && cost < best.0
                    {
                        best = (cost, spot);
                    }
                }
            }
            *out = best.1;
        }
    });
    moved.field.spots = next;
    debug_assert!(height > 0);
}

/// Notes the guide costs of what was searched.
pub(super) fn accept(level: &Level, target: &Target<'_>, moved: &mut Moved) {
    let width = moved.field.width;
    let (field, active) = (&moved.field, &moved.active);
    for_items(&mut moved.accepted, width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            if active[y * width + x] {
                let cell = super::cell_of(field.spots[y * width + x], level.width);
                *out = target.guide_probe(x, y).cost(level, cell).min(65_535) as u16;
            }
        }
    });
}
