//! Coherence and k-coherence search (Ashikhmin 2001; Tong et al. 2002).
//!
//! A cell tries what continues its neighbours' strokes, and places of the exemplar that look like
//! those. It sees its neighbours as they were before the pass. There is no search by drawn
//! offsets: see `docs/adr/0006-no-patchmatch.md`.

use super::cost::Target;
use super::exemplar::Level;
use super::kin::KIN;
use super::{ONE, Spot, cell_of};
use crate::hash;
use crate::rows::for_items;

/// Neighbours that a cell asks, at a distance of one step.
const SIDES: [(isize, isize); 4] = [(-1, 0), (1, 0), (0, -1), (0, 1)];

/// Rounds of the auction for the coarsest level.
const ROUNDS: usize = 12;

/// What a cell's price rises by in a round for each time it is wanted too often, and the most
/// that it may cost: about what 75 codes of luma do.
const RISE: f32 = 150.0;
const DEAREST: f32 = 3000.0;

/// What chance may add to a cost there.
const DRAWN: u32 = 64;

/// A field at one scale: what each cell shows.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) spots: Vec<Spot>,
}

impl Field {
    /// Cell of the atlas that each cell shows.
    pub(super) fn cells(&self, level: &Level) -> Vec<u32> {
        self.spots.iter().map(|&spot| cell_of(spot, level.width) as u32).collect()
    }

    /// Lets cells that stand alone continue the stroke that at least three of their neighbours
    /// agree on.
    pub(super) fn settle(&mut self, level: &Level) {
        const AGREED: i32 = ONE / 2;
        let (width, height) = (self.width, self.height);
        let near = |a: Spot, b: Spot| (a[0] - b[0]).abs().max((a[1] - b[1]).abs()) <= AGREED;
        let old = &self.spots;
        let mut next = old.clone();
        for_items(&mut next, width, |y, row| {
            if y == 0 || y + 1 >= height {
                return;
            }
            for (x, out) in row.iter_mut().enumerate().take(width.saturating_sub(1)).skip(1) {
                let at = y * width + x;
                let own = old[at];
                let [l, r] = [old[at - 1], old[at + 1]];
                let [u, d] = [old[at - width], old[at + width]];
                let told = [
                    [l[0] + ONE, l[1]],
                    [r[0] - ONE, r[1]],
                    [u[0], u[1] + ONE],
                    [d[0], d[1] - ONE],
                ];
                if told.iter().any(|&t| near(t, own)) {
                    continue;
                }
                let agreed = |t: &Spot| told.iter().filter(|&&o| near(*t, o)).count() >= 3;
                if let Some(&spot) = told.iter().find(|t| agreed(t))
                    && level.legal(spot).is_some()
                {
                    *out = spot;
                }
            }
        });
        self.spots = next;
    }

    /// The field of the next finer scale, without search.
    pub(super) fn refined(&self, from: &Level, to: &Level, size: (usize, usize)) -> Self {
        let (width, height) = size;
        let mut spots = vec![[0; 2]; width * height];
        for_items(&mut spots, width, |y, row| {
            let above = (y / 2).min(self.height - 1) * self.width;
            for (x, out) in row.iter_mut().enumerate() {
                let spot = self.spots[above + (x / 2).min(self.width - 1)];
                *out = from.refined(to, spot, x % 2, y % 2);
            }
        });
        Self { width, height, spots }
    }
}

/// The best by guides alone of all cells, each of which may be had only so often: what is wanted
/// too often grows dear from round to round (an auction after Bertsekas 1988; the budget of StyLit,
/// Fiser et al. 2016).
pub(super) fn start(level: &Level, target: &Target<'_>, fair: &[f32], seed: u64) -> Field {
    let (width, height) = (target.width, target.height);
    let legal: Vec<u32> =
        (0..level.owners.len() as u32).filter(|&cell| level.owners[cell as usize] != 0).collect();
    let allowed: Vec<f32> = level.each(fair);
    let mut prices = vec![0u32; level.owners.len()];
    let mut chosen = vec![0u32; width * height];
    for round in 0..ROUNDS {
        for_items(&mut chosen, width, |y, row| {
            for (x, out) in row.iter_mut().enumerate() {
                let probe = target.guide_probe(x, y);
                let word = hash::mix(seed ^ (((y as u64) << 32) | x as u64));
                let cost = |&cell: &u32| {
                    let drawn = hash::mix(word ^ u64::from(cell)) as u32 % DRAWN;
                    (probe.cost(level, cell as usize) + prices[cell as usize] + drawn, cell)
                };
                *out = legal.iter().map(cost).min().map_or(0, |(_, cell)| cell);
            }
        });
        if round + 1 == ROUNDS {
            break;
        }
        let mut counts = vec![0u32; prices.len()];
        for &cell in &chosen {
            counts[cell as usize] += 1;
        }
        for ((price, &count), &allowed) in prices.iter_mut().zip(&counts).zip(&allowed) {
            let step = RISE * (count as f32 / allowed.max(0.2) - 1.0).clamp(-1.0, 3.0);
            *price = (*price as f32 + step).clamp(0.0, DEAREST) as u32;
        }
    }
    let spots = chosen.iter().map(|&cell| level.spot(cell as usize)).collect();
    Field { width, height, spots }
}

/// The best by guides of `count` cells, evenly spaced from a drawn one on in the bucket of a cell.
pub(super) fn drawn(
    level: &Level,
    target: &Target<'_>,
    (x, y): (usize, usize),
    word: u64,
    count: usize,
) -> usize {
    let bucket = level.like(target.features.marks[y * target.width + x]);
    let probe = target.guide_probe(x, y);
    let count = count.min(bucket.len()).max(1);
    let first = (word % bucket.len().max(1) as u64) as usize;
    let pick = |k: usize| bucket[(first + k * bucket.len() / count) % bucket.len()] as usize;
    (0..count).map(pick).min_by_key(|&cell| (probe.cost(level, cell), cell)).unwrap_or(0)
}

/// Extra cost of blocks that are used more than evenly: `weight` for each time too often.
pub(super) fn penalty(level: &Level, cells: &[u32], fair: &[f32], weight: f32) -> Vec<u32> {
    const FREE: f32 = 1.5;
    const MOST: f32 = 6.0;
    let mut counts = vec![0u32; level.blocks().1];
    for &cell in cells {
        counts[level.block(cell as usize)] += 1;
    }
    let excess = |count: u32, fair: f32| (count as f32 / fair.max(1.0) - FREE).clamp(0.0, MOST);
    counts.iter().zip(fair).map(|(&n, &fair)| (weight * excess(n, fair)) as u32).collect()
}

/// What a pass looks at.
pub(super) struct Pass<'a> {
    pub(super) level: &'a Level,
    pub(super) penalty: &'a [u32],
    /// Distance of the neighbours asked, in cells.
    pub(super) step: usize,
    /// Which of the look-alikes is tried.
    pub(super) turn: usize,
    /// A change must cost less than this part of what is there, in 1/16.
    pub(super) gain: u32,
}

/// One pass over the cells that `active` names; returns how many changed.
pub(super) fn pass(
    run: &Pass<'_>,
    target: &Target<'_>,
    field: &mut Field,
    active: Option<&[bool]>,
) -> usize {
    let width = field.width;
    let mut next = field.spots.clone();
    let old: &Field = field;
    for_items(&mut next, width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            if active.is_none_or(|active| active[y * width + x]) {
                *out = improved(run, target, old, x, y);
            }
        }
    });
    let changed = next.iter().zip(&old.spots).filter(|(a, b)| a != b).count();
    field.spots = next;
    changed
}

fn improved(run: &Pass<'_>, target: &Target<'_>, field: &Field, x: usize, y: usize) -> Spot {
    let level = run.level;
    let own = field.spots[y * field.width + x];
    let own_cell = cell_of(own, level.width);
    let probe = target.probe(x, y);
    let cost = probe.cost(level, run.penalty, own_cell, u32::MAX);
    let mut best = ((cost * run.gain) >> 4, own);
    let mut consider = |spot: Spot| {
        if let Some(cell) = level.legal(spot)
            && cell != own_cell
        {
            let cost = probe.cost(level, run.penalty, cell, best.0);
            if cost < best.0 {
                best = (cost, spot);
            }
        }
    };
    let step = run.step as isize;
    for (k, (dx, dy)) in SIDES.into_iter().enumerate() {
        let (i, j) = (x as isize + dx * step, y as isize + dy * step);
        if i < 0 || j < 0 || i >= field.width as isize || j >= field.height as isize {
            continue;
        }
        let there = field.spots[j as usize * field.width + i as usize];
        let back = [(dx * step) as i32 * ONE, (dy * step) as i32 * ONE];
        let continued = [there[0] - back[0], there[1] - back[1]];
        consider(continued);
        let like = level.kin[cell_of(there, level.width)][(run.turn + k) % KIN];
        let like = level.spot(like as usize);
        consider([like[0] - back[0], like[1] - back[1]]);
    }
    let like = level.kin[own_cell][run.turn % KIN];
    consider(level.spot(like as usize));
    best.1
}
