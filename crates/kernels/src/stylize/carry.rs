//! A field from one frame to the next.
//!
//! Every cell holds a sample that moves with the scene: what it shows, and where in the cell it
//! lies. A cell takes over the sample that has come nearest to its centre, and shows the exemplar
//! as far from the sample's place as the centre is. So strokes and the seams between them move by
//! fractions of a cell exactly, and nothing wears away in the rounding. Only cells that came into
//! view, or whose light has become another, are searched.

use super::cost::Target;
use super::exemplar::Level;
use super::painter::Painted;
use super::search::{self, Field};
use super::{ONE, Spot};
use crate::field::FlowField;
use crate::hash;
use crate::rows::for_items;
use crate::warp::{cell_size, moves};

/// Passes over the cells that are searched.
pub(super) const PASSES: usize = 3;

/// Confidence of the flow below which a cell counts as newly seen.
const SURE: u8 = 40;

/// Codes by which the light of a place may change from one frame to the next.
const SAME_LIGHT: u32 = 28;

/// Growth of a cell's guide cost that calls for a search: a half, and this.
const SLACK: u32 = 700;

/// Drift from which a sample no longer stands for a cell: the scene has grown, in 1/256 cell.
const FARTHEST: i16 = 180;

/// Cells on each side whose states count, and how many of those must want a search.
const AROUND: usize = 2;
const SUPPORT: u16 = 10;

/// Distances at which newly seen cells look for strokes to continue, in cells.
const REACHES: [isize; 6] = [32, 16, 8, 4, 2, 1];

/// Places tried for a newly seen cell besides those that continue its surroundings.
const STARTS: usize = 12;

/// A field on its way.
pub(super) struct Moved {
    pub(super) field: Field,
    pub(super) accepted: Vec<u16>,
    pub(super) drifts: Vec<Drift>,
    /// Cells to search.
    pub(super) active: Vec<bool>,
    /// Cells whose content is not known: newly seen, or beyond the exemplar.
    open: Vec<bool>,
}

/// Where a sample lies from the centre of its cell, in 1/256 cell.
pub(super) type Drift = [i16; 2];

/// What becomes of one cell.
#[derive(Clone, Copy)]
struct Cell {
    spot: Spot,
    drift: Drift,
    accepted: u16,
    state: State,
}

/// What is known of a cell that was carried along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Shows what it showed.
    Kept,
    /// Fits its guide worse than when it was chosen.
    Worse,
    /// Shows another thing than the place that it came from did.
    Changed,
    /// Came from beyond the frame or shows what is beyond the exemplar.
    Lost,
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
    let cell = cell_size(size, flow);
    let (grid, factor) = moves(size, flow);
    let start = Cell { spot: [0; 2], drift: [0; 2], accepted: 0, state: State::Lost };
    let mut cells = vec![start; width * height];
    for_items(&mut cells, width, |y, row| {
        let mut lines = grid.lines();
        grid.row(y, factor, &mut lines);
        let [u, v] = &lines.values;
        let j = ((y as f32 + 0.5) / cell.1) as usize;
        for (x, ((out, &u), &v)) in row.iter_mut().zip(u).zip(v).enumerate() {
            let i = ((x as f32 + 0.5) / cell.0) as usize;
            let sure = flow.confidence_at(i, j) >= SURE;
            *out = arrival(level, target, previous, (x, y), [u, v], sure);
        }
    });
    let field = Field { width, height, spots: cells.iter().map(|c| c.spot).collect() };
    let states: Vec<State> = cells.iter().map(|c| c.state).collect();
    let supported = |kinds: &[State]| supported(&states, width, kinds);
    let (active, open) = (supported(&[State::Worse, State::Changed]), supported(&[State::Changed]));
    let accepted = cells.iter().map(|c| c.accepted).collect();
    Moved { field, accepted, drifts: cells.iter().map(|c| c.drift).collect(), active, open }
}

/// Cells in one of the states about which enough others are too, and all that are lost. A single
/// cell that fits worse is noise of the footage: searching it would make the painting boil.
fn supported(states: &[State], width: usize, kinds: &[State]) -> Vec<bool> {
    let height = states.len() / width;
    let mut sums = vec![0u16; states.len()];
    let counts = |state: State| u16::from(state == State::Lost || kinds.contains(&state));
    for_items(&mut sums, width, |y, row| {
        let line = &states[y * width..][..width];
        let reach = |x: usize| x.saturating_sub(AROUND)..(x + AROUND + 1).min(width);
        for (x, out) in row.iter_mut().enumerate() {
            *out = line[reach(x)].iter().map(|&s| counts(s)).sum();
        }
    });
    let mut out = vec![false; states.len()];
    for_items(&mut out, width, |y, row| {
        let rows = y.saturating_sub(AROUND)..(y + AROUND + 1).min(height);
        for (x, out) in row.iter_mut().enumerate() {
            let state = states[y * width + x];
            let support: u16 = rows.clone().map(|j| sums[j * width + x]).sum();
            *out = state == State::Lost || support >= SUPPORT;
        }
    });
    out
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
    let inside = from_x >= -ONE / 2
        && from_y >= -ONE / 2
        && from_x < width * ONE - ONE / 2
        && from_y < height * ONE - ONE / 2;
    let (from, drift) = nearest(previous, (width, height), [from_x, from_y]);
    let (i, j) = (from as i32 % width, from as i32 / width);
    let [there_x, there_y] = previous.field.spots[from];
    let spot = [there_x + from_x - i * ONE, there_y + from_y - j * ONE];
    let Some(cell) = level.legal(spot) else {
        let spot = previous.field.spots[from];
        return Cell { spot, drift: [0; 2], accepted: u16::MAX, state: State::Lost };
    };
    let [broad, fine] = previous.guided[from];
    let marks = target.features.marks[y * target.width + x];
    let change = u32::from(broad.abs_diff(marks[0])) + u32::from(fine.abs_diff(marks[1]));
    let accepted = previous.accepted[from];
    let far = drift.iter().any(|d| d.abs() > FARTHEST);
    let worse = || target.guide_probe(x, y).cost(level, cell) > u32::from(accepted) * 3 / 2 + SLACK;
    let state = if !inside {
        State::Lost
    } else if change > if sure { 2 * SAME_LIGHT } else { SAME_LIGHT / 2 } {
        State::Changed
    } else if far || worse() {
        State::Worse
    } else {
        State::Kept
    };
    Cell { spot, drift, accepted, state }
}

/// The cell of the previous frame whose sample lies nearest to a point, and where from it.
fn nearest(previous: &Painted, (width, height): (i32, i32), [x, y]: Spot) -> (usize, Drift) {
    let mut best = (i32::MAX, 0, [0; 2]);
    let (left, top) = (x >> 8, y >> 8);
    for j in [top, top + 1] {
        let j = j.clamp(0, height - 1);
        for i in [left, left + 1] {
            let i = i.clamp(0, width - 1);
            let at = (j * width + i) as usize;
            let [u, v] = previous.drifts[at];
            let (dx, dy) = (i * ONE + i32::from(u) - x, j * ONE + i32::from(v) - y);
            let (dx, dy) = (dx.clamp(-512, 512), dy.clamp(-512, 512));
            let distance = dx * dx + dy * dy;
            if distance < best.0 {
                best = (distance, at, [dx as i16, dy as i16]);
            }
        }
    }
    (best.1, best.2)
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
}

/// Notes the guide costs of what was searched.
pub(super) fn accept(level: &Level, target: &Target<'_>, moved: &mut Moved) {
    let width = moved.field.width;
    let (field, active) = (&moved.field, &moved.active);
    for (drift, &active) in moved.drifts.iter_mut().zip(active) {
        if active {
            *drift = [0; 2];
        }
    }
    for_items(&mut moved.accepted, width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            if active[y * width + x] {
                let cell = super::cell_of(field.spots[y * width + x], level.width);
                *out = target.guide_probe(x, y).cost(level, cell).min(65_535) as u16;
            }
        }
    });
}
