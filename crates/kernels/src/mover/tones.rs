//! Which colours the mover has, and which the background about it.

use super::{Colours, Take};
use crate::plane::Plane;

/// Bins of luma and of each chroma.
const LUMA_BINS: usize = 16;
const CHROMA_BINS: usize = 32;

/// Margin about the mover's places in which the background's colours count, in parts of the grid.
const MARGIN: f32 = 0.06;

/// Cells that a colour must be seen in to say something.
const LEAST: f32 = 12.0;

/// How much each colour is the mover's, and where that counts.
pub(super) struct Tones {
    /// From -1, the background's alone, to 1, the mover's alone.
    lean: Vec<f32>,
    /// Columns and rows about the mover, in any frame: first and last.
    about: [(usize, usize); 2],
}

// === impl Tones ===

impl Tones {
    /// From how surely each cell is the mover, 0 to 1.
    pub(super) fn of(take: &Take<'_>, colours: &[Colours], values: &[Vec<f32>]) -> Self {
        let about = extent(take, values);
        let mut tones = Self { lean: Vec::new(), about };
        let bins = LUMA_BINS * CHROMA_BINS * CHROMA_BINS;
        let (mut inside, mut outside) = (vec![0.0f32; bins], vec![0.0f32; bins]);
        for (colours, values) in colours.iter().zip(values) {
            for (cell, &value) in values.iter().enumerate().filter(|at| tones.counts(take, at.0)) {
                let bin = bin(colours, cell);
                // What is neither has no colour of its own.
                inside[bin] += (2.0 * value - 1.0).max(0.0);
                outside[bin] += (1.0 - 2.0 * value).max(0.0);
            }
        }
        let (all_in, all_out): (f32, f32) = (inside.iter().sum(), outside.iter().sum());
        let balance = if all_out > 0.0 { (all_in / all_out).clamp(0.05, 1.0) } else { 1.0 };
        tones.lean = inside
            .iter()
            .zip(&outside)
            .map(|(&inside, &outside)| {
                let outside = balance * outside;
                (inside - outside) / (inside + outside + LEAST)
            })
            .collect();
        tones
    }

    /// What a cell's colour says, -1 to 1.
    pub(super) fn lean(&self, take: &Take<'_>, colours: &Colours, cell: usize) -> f32 {
        if self.counts(take, cell) { self.lean[bin(colours, cell)] } else { 0.0 }
    }

    fn counts(&self, take: &Take<'_>, cell: usize) -> bool {
        let (x, y) = (cell % take.grid().0, cell / take.grid().0);
        (self.about[0].0..=self.about[0].1).contains(&x)
            && (self.about[1].0..=self.about[1].1).contains(&y)
    }
}

fn extent(take: &Take<'_>, values: &[Vec<f32>]) -> [(usize, usize); 2] {
    let grid = take.grid();
    let (mut columns, mut rows) = (vec![0usize; grid.0], vec![0usize; grid.1]);
    for values in values {
        for cell in (0..values.len()).filter(|&cell| values[cell] > 0.7) {
            columns[cell % grid.0] += 1;
            rows[cell / grid.0] += 1;
        }
    }
    [columns, rows].map(|counts| {
        let margin = (MARGIN * grid.0 as f32) as usize;
        // A crumb far away doesn't count.
        let least = counts.iter().sum::<usize>() / (50 * counts.len()).max(1);
        let first = counts.iter().position(|&count| count > least).unwrap_or(0);
        let last = counts.iter().rposition(|&count| count > least).unwrap_or(0);
        (first.saturating_sub(margin), (last + margin).min(counts.len() - 1))
    })
}

fn bin(colours: &Colours, cell: usize) -> usize {
    let code = |plane: &Plane| usize::from(plane.data()[cell]);
    let [y, u, v] = [code(&colours[0]), code(&colours[1]), code(&colours[2])];
    let chroma = |code: usize| code * CHROMA_BINS / 256;
    (y * LUMA_BINS / 256 * CHROMA_BINS + chroma(u)) * CHROMA_BINS + chroma(v)
}
