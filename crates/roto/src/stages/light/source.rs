//! Where the light comes from: the brightest place that stays bright through a shot.

use kernels::Similarity;
use kernels::grid::{CELL, Grid};

use crate::analysis::Analysis;

/// Luma code from which a place may be a source.
const LEAST_CODE: i16 = 190;

/// Codes by which it stands above the middle of the picture.
const LEAST_ABOVE: i16 = 45;

/// Part of a shot's frames in which there must be one.
const MOST_FRAMES: f32 = 0.7;

/// Share of a new frame in the remembered place.
const NEW: f32 = 0.15;

/// Whether some shot of the reference has a source of light.
pub(crate) fn shines(analysis: &Analysis) -> bool {
    analysis.shots.iter().any(|shot| {
        let thumbs = analysis.thumbs.get(shot.clone()).unwrap_or_default();
        let lit = thumbs.iter().filter(|thumb| {
            let mut codes = thumb[0].data().to_vec();
            codes.sort_unstable();
            let at = |part: usize| i16::from(codes[(codes.len() - 1) * part / 100]);
            is_source(at(99), at(50))
        });
        lit.count() as f32 >= MOST_FRAMES * thumbs.len() as f32 && !thumbs.is_empty()
    })
}

fn is_source(bright: i16, middle: i16) -> bool {
    bright >= LEAST_CODE && bright >= middle + LEAST_ABOVE
}

/// A source that is followed through a shot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Source {
    shot: Option<usize>,
    seen: Similarity,
    /// Place in cells from the middle of the grid.
    at: (f32, f32),
    /// How much of a source it is, 0 to 1.
    pub(super) power: f32,
}

// === impl Source ===

impl Source {
    /// Takes in a frame's luma.
    pub(super) fn see(&mut self, luma: &Grid, shot: usize, scene: Similarity) {
        let (place, power) = brightest(luma);
        if self.shot.replace(shot) == Some(shot) {
            let step = self.seen.inverse().then(&scene).resized(1.0 / CELL as f32);
            let old = step.apply(self.at);
            let share = if self.power > 0.05 { NEW * power } else { 1.0 };
            self.at = (old.0 + share * (place.0 - old.0), old.1 + share * (place.1 - old.1));
            self.power += NEW * (power - self.power);
        } else {
            (self.at, self.power) = (place, power);
        }
        self.seen = scene;
    }

    /// The place in cells of a grid.
    pub(super) fn cell(&self, (columns, rows): (usize, usize)) -> (f32, f32) {
        (self.at.0 + columns as f32 / 2.0, self.at.1 + rows as f32 / 2.0)
    }
}

/// The middle of the brightest part, in cells from the middle, and its power.
fn brightest(luma: &Grid) -> ((f32, f32), f32) {
    let wide = luma.blurred(1, 1);
    let (columns, rows) = wide.size();
    let (bright, middle) = (wide.quantile(0.995), wide.quantile(0.5));
    let over = (bright - LEAST_CODE.max(middle + LEAST_ABOVE)) as f32;
    let floor = bright - 10;
    let (mut sum, mut weight) = ((0.0f32, 0.0f32), 0.0f32);
    for (k, &code) in wide.data().iter().enumerate() {
        let own = f32::from((code - floor).max(0));
        sum = (sum.0 + own * (k % columns) as f32, sum.1 + own * (k / columns) as f32);
        weight += own;
    }
    let weight = weight.max(1e-3);
    let place =
        (sum.0 / weight + 0.5 - columns as f32 / 2.0, sum.1 / weight + 0.5 - rows as f32 / 2.0);
    (place, (over / 25.0 + 0.3).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sun_is_found_and_followed_and_a_grey_wall_is_none() {
        let mut luma = Grid::new((320, 192), 70);
        for y in 4..8 {
            luma.data_mut()[y * 40 + 28..y * 40 + 33].fill(234);
        }
        let mut source = Source::default();
        source.see(&luma, 0, Similarity::IDENTITY);
        let (x, y) = source.cell(luma.size());
        assert!((x - 30.5).abs() < 1.0 && (y - 6.0).abs() < 1.0, "{x} {y}");
        source.see(&luma, 0, Similarity::IDENTITY);
        assert!(source.power > 0.3);
        source.see(&Grid::new((320, 192), 120), 1, Similarity::IDENTITY);
        assert_eq!(source.power, 0.0);
    }
}
