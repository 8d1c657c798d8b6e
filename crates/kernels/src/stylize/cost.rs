//! What it costs to show a cell of the exemplar in a cell of the frame.

use super::exemplar::Level;
use super::features::{Features, Mark};
use super::{RADIUS, SIDE};
use crate::rows::for_items;

/// Bytes of a patch's row: four channels of five cells.
const ROW: usize = 4 * SIDE;

/// A patch about a cell: luma, blue difference, red difference and fine luma of each cell.
pub(super) type Patch = [[u8; ROW]; SIDE];

/// Factors of the guides, in 1/16 of a code of one cell; a patch has 25 cells of four channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    pub(super) broad: u32,
    pub(super) fine: u32,
    pub(super) edge: u32,
    pub(super) turn: u32,
    pub(super) hue: u32,
    pub(super) across: u32,
    pub(super) down: u32,
}

/// The frame at one scale while it is painted.
pub(super) struct Target<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) features: &'a Features,
    /// What is painted (luma, blue difference, red difference) and the fine luma that is wanted,
    /// within a rim of repeated cells.
    canvas: Vec<[u8; 4]>,
    pub(super) weights: Weights,
}

/// All that a comparison needs of one cell of the frame.
pub(super) struct Probe {
    patch: Patch,
    pub(super) guide: GuideProbe,
}

/// The part of a [`Probe`] without neighbours.
pub(super) struct GuideProbe {
    marks: Mark,
    fine_weight: u32,
    turn_weight: u32,
    weights: Weights,
}

/// The patch about `at`, an index of a cell with two cells on all sides.
#[inline]
pub(super) fn patch_at(cells: &[u8], at: usize, width: usize) -> Patch {
    let mut patch = [[0; ROW]; SIDE];
    let start = 4 * (at - RADIUS * width - RADIUS);
    for (k, row) in patch.iter_mut().enumerate() {
        row.copy_from_slice(&cells[start + 4 * k * width..][..ROW]);
    }
    patch
}

/// Sum of absolute differences of a patch and the one about `at`.
#[inline]
pub(super) fn sad(patch: &Patch, cells: &[u8], at: usize, width: usize) -> u32 {
    let start = 4 * (at - RADIUS * width - RADIUS);
    let window = &cells[start..][..4 * width * (SIDE - 1) + ROW];
    let mut sum = 0;
    for (k, row) in patch.iter().enumerate() {
        let mut other = [0u8; ROW];
        other.copy_from_slice(&window[4 * k * width..][..ROW]);
        let mut near = 0;
        for i in 0..16 {
            near += u32::from(row[i].abs_diff(other[i]));
        }
        for i in 16..ROW {
            sum += u32::from(row[i].abs_diff(other[i]));
        }
        sum += near;
    }
    sum
}

impl<'a> Target<'a> {
    /// A frame of which nothing is painted yet.
    pub(super) fn new(features: &'a Features, weights: Weights) -> Self {
        let (width, height) = features.fine.as_ref().size();
        let canvas = vec![[0; 4]; (width + 2 * RADIUS) * (height + 2 * RADIUS)];
        Self { width, height, features, canvas, weights }
    }

    /// Paints every cell with what its field shows.
    pub(super) fn paint(&mut self, level: &Level, cells: &[u32]) {
        let (width, height) = (self.width, self.height);
        let fine = self.features.fine.as_ref();
        for_items(&mut self.canvas, width + 2 * RADIUS, |j, row| {
            let y = j.saturating_sub(RADIUS).min(height - 1);
            let (cells, fine) = (&cells[y * width..][..width], fine.row(y));
            let shown = |x: usize| {
                let [luma, u, v, _] = level.cells[cells[x] as usize];
                [luma, u, v, fine[x]]
            };
            let (first, last) = (shown(0), shown(width - 1));
            row[..RADIUS].fill(first);
            row[width + RADIUS..].fill(last);
            for (x, out) in row[RADIUS..width + RADIUS].iter_mut().enumerate() {
                *out = shown(x);
            }
        });
    }

    pub(super) fn probe(&self, x: usize, y: usize) -> Probe {
        let stride = self.width + 2 * RADIUS;
        let at = (y + RADIUS) * stride + x + RADIUS;
        Probe {
            patch: patch_at(self.canvas.as_flattened(), at, stride),
            guide: self.guide_probe(x, y),
        }
    }

    #[inline]
    pub(super) fn guide_probe(&self, x: usize, y: usize) -> GuideProbe {
        let at = y * self.width + x;
        let [grip, edge] = self.features.grips[at].map(u32::from);
        let weights = self.weights;
        GuideProbe {
            marks: self.features.marks[at],
            fine_weight: weights.fine + ((weights.edge * edge) >> 8),
            turn_weight: (weights.turn * grip) >> 8,
            weights,
        }
    }
}

impl GuideProbe {
    /// What the guides alone say of a cell of the exemplar.
    #[inline]
    pub(super) fn cost(&self, level: &Level, cell: usize) -> u32 {
        let other = &level.marks[cell];
        let away = |k: usize| u32::from(self.marks[k].abs_diff(other[k]));
        (self.weights.broad * away(0)
            + self.fine_weight * away(1)
            + self.turn_weight * (away(2) + away(3))
            + self.weights.hue * (away(4) + away(5))
            + self.weights.across * away(6)
            + self.weights.down * away(7))
            >> 4
    }
}

impl Probe {
    /// Guides and patch; anything from `limit` on may be returned as soon as it is reached.
    #[inline]
    pub(super) fn cost(&self, level: &Level, penalty: &[u32], cell: usize, limit: u32) -> u32 {
        let guided = self.guide.cost(level, cell) + penalty[level.block(cell)];
        if guided >= limit {
            return guided;
        }
        guided + sad(&self.patch, level.cells.as_flattened(), cell, level.width)
    }
}
