//! Cells of an exemplar that look alike (the k nearest neighbours of Tong et al. 2002).
//!
//! Found by sorting: cells are put in the order of several codes, each of which interleaves the
//! bits of four projections of a cell's surroundings (Morton order); who stands near in one of
//! the orders is compared patch by patch. Deterministic, and n log n.

use super::cost::{Patch, patch_at, sad};
use super::exemplar::Level;
use crate::hash;
use crate::rows::for_items;
use rayon::prelude::*;

/// Neighbours kept of each cell.
pub(super) const KIN: usize = 4;

/// Orders that the cells are put in.
const ORDERS: u64 = 4;

/// Cells looked at on each side in an order.
const REACH: usize = 4;

/// Cells nearer than this on both axes show the same stroke and are no choice.
const APART: usize = 4;

/// Values that describe the surroundings of a cell.
const VALUES: usize = 8;

pub(super) fn of(level: &Level) -> Vec<[u32; KIN]> {
    let legal: Vec<u32> =
        (0..level.owners.len() as u32).filter(|&c| level.owners[c as usize] != 0).collect();
    let mut best: Vec<[(u32, u32); KIN]> = vec![[(u32::MAX, u32::MAX); KIN]; level.owners.len()];
    for order in 0..ORDERS {
        let mut keyed: Vec<(u64, u32)> =
            legal.par_iter().map(|&cell| (code(level, cell as usize, order), cell)).collect();
        keyed.par_sort_unstable();
        let mut ranks = vec![0u32; level.owners.len()];
        for (rank, &(_, cell)) in keyed.iter().enumerate() {
            ranks[cell as usize] = rank as u32;
        }
        for_items(&mut best, level.width, |y, row| {
            for (x, kept) in row.iter_mut().enumerate() {
                let cell = y * level.width + x;
                if level.owners[cell] == 0 {
                    continue;
                }
                let rank = ranks[cell] as usize;
                let near = rank.saturating_sub(REACH)..(rank + REACH + 1).min(keyed.len());
                compare(level, cell, &keyed[near], kept);
            }
        });
    }
    let chosen = |cell: usize, kept: &[(u32, u32); KIN]| {
        kept.map(|(_, found)| if found == u32::MAX { cell as u32 } else { found })
    };
    best.par_iter().enumerate().map(|(cell, kept)| chosen(cell, kept)).collect()
}

fn compare(level: &Level, cell: usize, near: &[(u64, u32)], kept: &mut [(u32, u32); KIN]) {
    let patch: Patch = patch_at(level.cells.as_flattened(), cell, level.width);
    let apart = |a: usize, b: usize| {
        let across = (a % level.width).abs_diff(b % level.width);
        let down = (a / level.width).abs_diff(b / level.width);
        across.max(down) >= APART
    };
    for &(_, other) in near {
        if !apart(cell, other as usize) {
            continue;
        }
        let distance = sad(&patch, level.cells.as_flattened(), other as usize, level.width);
        if distance >= kept[KIN - 1].0 {
            continue;
        }
        // One of several that lie together: the best of them stays.
        let same =
            kept.iter().position(|&(d, k)| d != u32::MAX && !apart(k as usize, other as usize));
        match same {
            Some(k) if kept[k].0 <= distance => continue,
            Some(k) => kept[k] = (distance, other),
            None => kept[KIN - 1] = (distance, other),
        }
        kept.sort_unstable();
    }
}

/// Morton code of four projections of a cell's surroundings.
fn code(level: &Level, cell: usize, order: u64) -> u64 {
    let values = values(level, cell);
    let mut words = [0u32; 4];
    for (k, word) in words.iter_mut().enumerate() {
        let random = hash::mix(order * 4 + k as u64);
        let mut sum = 8 * 1024;
        for (i, &value) in values.iter().enumerate() {
            let weight = ((random >> (4 * i)) & 15) as i32 - 7;
            sum += weight * value;
        }
        // Values are below 512 about zero: the sum spans about 16 bits and rarely all of them.
        *word = (sum.clamp(0, 16 * 1024 - 1)) as u32;
    }
    let mut code = 0u64;
    for bit in (0..14).rev() {
        for word in words {
            code = code << 1 | u64::from(word >> bit & 1);
        }
    }
    code
}

/// Luma in the four corners about a cell and in the middle, both colour differences, fine luma;
/// each about zero.
fn values(level: &Level, cell: usize) -> [i32; VALUES] {
    let width = level.width;
    let at = |dx: isize, dy: isize, channel: usize| {
        let cell = cell as isize + dy * width as isize + dx;
        i32::from(level.cells[cell as usize][channel]) - 128
    };
    let corner = |sx: isize, sy: isize| {
        (at(sx, sy, 0) + at(2 * sx, sy, 0) + at(sx, 2 * sy, 0) + at(2 * sx, 2 * sy, 0)) / 4
    };
    let [corners, middle] = [
        [corner(-1, -1), corner(1, -1), corner(-1, 1), corner(1, 1)],
        [at(0, 0, 0), at(0, 0, 1), at(0, 0, 2), at(0, 0, 3)],
    ];
    [corners[0], corners[1], corners[2], corners[3], middle[0], middle[1], middle[2], middle[3]]
}
