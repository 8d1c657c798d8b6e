//! Colour statistics in Lab, and the change that carries one picture's colours to another's.
//!
//! The linear map between two Gaussians that moves least (Monge-Kantorovich; Pitie and Kokaram,
//! "The linear Monge-Kantorovitch linear colour mapping", CVMP 2007), with an optional monotone
//! curve on lightness that brings its quantiles to the target's.

use crate::color::{self, LabTable};
use crate::convert;
use crate::frame::Yuv420Ref;
use crate::image::{Rgb8, Rgba8};
use crate::linear::{Matrix, multiply, spectral, transform};

/// Bins of the lightness histogram, one for each unit of L.
const BINS: usize = 101;

/// Most colours taken from a frame.
const MOST_SAMPLES: f64 = 16_384.0;

/// Points of the lightness curve.
const CURVE: usize = 17;

/// Added to each variance (Lab units squared): a flat picture has a covariance too.
const VARIANCE_FLOOR: f64 = 1.0;

/// Limits of the map's stretch along any axis, so that noise is not blown up.
const STRETCH: (f64, f64) = (0.2, 4.0);

/// Mean, covariance and lightness histogram of colours in Lab; adds up over pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorStats {
    weight: f64,
    sum: [f64; 3],
    products: Matrix,
    histogram: Vec<f64>,
}

/// A change of colours, ready for [`crate::lut::Lut33::from_rgb`].
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    from: [f64; 3],
    to: [f64; 3],
    matrix: Matrix,
    curve: Option<[(f32, f32); CURVE]>,
}

// === impl ColorStats ===

impl ColorStats {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self { weight: 0.0, sum: [0.0; 3], products: [[0.0; 3]; 3], histogram: vec![0.0; BINS] }
    }

    /// Of a frame: up to some 16,000 colours on a regular grid.
    pub fn of_frame(frame: Yuv420Ref<'_>) -> Self {
        let table = LabTable::new();
        let mut stats = Self::new();
        let (columns, rows) = frame.u().size();
        let step = libm::ceil((columns * rows) as f64 / MOST_SAMPLES).max(1.0);
        let step = libm::ceil(libm::sqrt(step)) as usize;
        for y in (step / 2..rows).step_by(step) {
            let (above, below) = (frame.y().row(2 * y), frame.y().row(2 * y + 1));
            let (u, v) = (frame.u().row(y), frame.v().row(y));
            for x in (step / 2..columns).step_by(step) {
                let right = (2 * x + 1).min(above.len() - 1);
                let luma = [above[2 * x], above[right], below[2 * x], below[right]];
                let sum: u32 = luma.iter().map(|&v| u32::from(v)).sum();
                let rgb = convert::yuv_code([((sum + 2) >> 2) as u8, u[x], v[x]]);
                stats.add(table.lab(rgb), 1.0);
            }
        }
        stats
    }

    /// Of a still.
    pub fn of_rgb(image: &Rgb8) -> Self {
        let table = LabTable::new();
        let mut stats = Self::new();
        for &pixel in image.pixels() {
            stats.add(table.lab(pixel), 1.0);
        }
        stats
    }

    /// Of a still, weighted by its alpha.
    pub fn of_rgba(image: &Rgba8) -> Self {
        let table = LabTable::new();
        let mut stats = Self::new();
        for &[r, g, b, a] in image.pixels() {
            if a > 0 {
                stats.add(table.lab([r, g, b]), f64::from(a) / 255.0);
            }
        }
        stats
    }

    /// Adds a colour.
    pub fn add(&mut self, lab: [f32; 3], weight: f64) {
        let c = lab.map(f64::from);
        self.weight += weight;
        for i in 0..3 {
            self.sum[i] += weight * c[i];
            for j in 0..3 {
                self.products[i][j] += weight * c[i] * c[j];
            }
        }
        let bin = lab[0].clamp(0.0, 100.0) as usize;
        self.histogram[bin] += weight;
    }

    /// Adds the colours of another picture.
    pub fn merge(&mut self, other: &Self) {
        self.weight += other.weight;
        for i in 0..3 {
            self.sum[i] += other.sum[i];
            for j in 0..3 {
                self.products[i][j] += other.products[i][j];
            }
        }
        for (sum, value) in self.histogram.iter_mut().zip(&other.histogram) {
            *sum += value;
        }
    }

    /// Number of colours, counted by weight.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Mean colour in Lab; mid grey if there are none.
    pub fn mean(&self) -> [f64; 3] {
        if self.weight > 0.0 { self.sum.map(|s| s / self.weight) } else { [50.0, 0.0, 0.0] }
    }

    /// Covariance in Lab; zero if there are no colours.
    pub fn covariance(&self) -> [[f64; 3]; 3] {
        if self.weight <= 0.0 {
            return [[0.0; 3]; 3];
        }
        let mean = self.mean();
        std::array::from_fn(|i| {
            std::array::from_fn(|j| self.products[i][j] / self.weight - mean[i] * mean[j])
        })
    }

    /// Lightness (0..100) below which the part `p` (0..1) of the colours lies.
    pub fn lightness(&self, p: f64) -> f32 {
        let goal = p.clamp(0.0, 1.0) * self.weight;
        let mut below = 0.0;
        for (bin, &count) in self.histogram.iter().enumerate() {
            if count > 0.0 && below + count >= goal {
                return (bin as f64 + (goal - below) / count).min(100.0) as f32;
            }
            below += count;
        }
        100.0
    }

    fn regular(&self) -> Matrix {
        let mut covariance = self.covariance();
        for (i, row) in covariance.iter_mut().enumerate() {
            row[i] += VARIANCE_FLOOR;
        }
        covariance
    }
}

impl Default for ColorStats {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Transfer ===

impl Transfer {
    /// The linear map from the colours of `from` to those of `to`.
    pub fn between(from: &ColorStats, to: &ColorStats) -> Self {
        let (source, target) = (from.regular(), to.regular());
        let root = spectral(&source, |v| v.max(1e-9).sqrt());
        let inverse = spectral(&source, |v| 1.0 / v.max(1e-9).sqrt());
        let middle = multiply(&multiply(&root, &target), &root);
        let middle = spectral(&middle, |v| v.max(0.0).sqrt());
        let matrix = multiply(&multiply(&inverse, &middle), &inverse);
        let matrix = spectral(&matrix, |v| v.clamp(STRETCH.0, STRETCH.1));
        Self { from: from.mean(), to: to.mean(), matrix, curve: None }
    }

    /// The linear map followed by a lightness curve that matches quantiles.
    pub fn refined(from: &ColorStats, to: &ColorStats) -> Self {
        let linear = Self::between(from, to);
        let spread = |stats: &ColorStats| stats.regular()[0][0].sqrt();
        let gain = (spread(to) / spread(from)).clamp(STRETCH.0, STRETCH.1);
        let curve = std::array::from_fn(|k| {
            let p = 0.01 + 0.98 * k as f64 / (CURVE - 1) as f64;
            let moved = linear.to[0] + gain * (f64::from(from.lightness(p)) - linear.from[0]);
            (moved as f32, to.lightness(p))
        });
        Self { curve: Some(curve), ..linear }
    }

    /// Where a Lab colour goes.
    pub fn lab(&self, lab: [f32; 3]) -> [f32; 3] {
        let centred = std::array::from_fn(|k| f64::from(lab[k]) - self.from[k]);
        let moved = transform(&self.matrix, centred);
        let mut out: [f32; 3] = std::array::from_fn(|k| (moved[k] + self.to[k]) as f32);
        if let Some(curve) = &self.curve {
            out[0] = along(curve, out[0]);
        }
        out
    }

    /// The change as a grade of RGB in 0..1, mixed with the unchanged colour: `strength` 0..1.
    pub fn grade(&self, strength: f32) -> impl Fn([f32; 3]) -> [f32; 3] + Sync + '_ {
        let strength = strength.clamp(0.0, 1.0);
        move |rgb| {
            let lab = color::rgb_to_lab(rgb);
            let moved = self.lab(lab);
            let mixed = std::array::from_fn(|k| lab[k] + strength * (moved[k] - lab[k]));
            color::lab_to_rgb(mixed).map(|c| c.clamp(0.0, 1.0))
        }
    }
}

/// Piecewise linear, shifted beyond its ends.
fn along(curve: &[(f32, f32); CURVE], x: f32) -> f32 {
    let (first, last) = (curve[0], curve[CURVE - 1]);
    if x <= first.0 {
        return first.1 + x - first.0;
    }
    for pair in curve.windows(2) {
        if let [(x0, y0), (x1, y1)] = *pair
            && x <= x1
        {
            let part = if x1 - x0 > 1e-3 { (x - x0) / (x1 - x0) } else { 1.0 };
            return y0 + part * (y1 - y0);
        }
    }
    last.1 + x - last.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    fn cloud(seed: u64, centre: [f32; 3], spread: [f32; 3], tilt: f32) -> Vec<[f32; 3]> {
        (0..4000u64)
            .map(|i| {
                let draw = |k: u64| {
                    let words = (0..6).map(|n| hash::unit(hash::mix(seed ^ (i * 18 + k * 6 + n))));
                    words.sum::<f32>() / 6.0 - 0.5
                };
                let d = [draw(0) * spread[0], draw(1) * spread[1], draw(2) * spread[2]];
                [centre[0] + d[0], centre[1] + d[1] + tilt * d[0], centre[2] + d[2]]
            })
            .collect()
    }

    fn stats(cloud: impl IntoIterator<Item = [f32; 3]>) -> ColorStats {
        let mut stats = ColorStats::new();
        cloud.into_iter().for_each(|lab| stats.add(lab, 1.0));
        stats
    }

    #[test]
    fn transfer_moves_the_statistics_to_the_target() {
        let source = cloud(1, [40.0, 5.0, -10.0], [60.0, 30.0, 40.0], 0.2);
        let target = stats(cloud(2, [60.0, -8.0, 20.0], [40.0, 50.0, 30.0], -0.4));
        let from = stats(source.iter().copied());
        for transfer in [Transfer::between(&from, &target), Transfer::refined(&from, &target)] {
            let moved = stats(source.iter().map(|&lab| transfer.lab(lab)));
            for i in 0..3 {
                assert!((moved.mean()[i] - target.mean()[i]).abs() < 0.5);
                for j in 0..3 {
                    let (a, b) = (moved.covariance()[i][j], target.covariance()[i][j]);
                    assert!((a - b).abs() < 6.0, "{i}{j}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn the_same_statistics_change_nothing() {
        let source = cloud(3, [50.0, 0.0, 0.0], [60.0, 30.0, 40.0], 0.2);
        let from = stats(source.iter().copied());
        let transfer = Transfer::between(&from, &from);
        assert!(source.iter().all(|&lab| color::lab_distance(lab, transfer.lab(lab)) < 0.01));
        let rgb = [0.3, 0.6, 0.2];
        let out = transfer.grade(1.0)(rgb);
        assert!(out.iter().zip(rgb).all(|(a, b)| (a - b).abs() < 1e-3));
    }

    #[test]
    fn refinement_matches_quantiles_that_a_gaussian_misses() {
        let source: Vec<[f32; 3]> = (0..2000).map(|i| [20.0 + i as f32 * 0.03, 0.0, 0.0]).collect();
        let skewed = stats((0..2000).map(|i| {
            let p = i as f32 / 2000.0;
            [10.0 + 80.0 * p * p * p, 0.0, 0.0]
        }));
        let from = stats(source.iter().copied());
        let miss = |transfer: &Transfer| {
            let moved = stats(source.iter().map(|&lab| transfer.lab(lab)));
            [0.1, 0.3, 0.5, 0.7, 0.9]
                .map(|p| (moved.lightness(p) - skewed.lightness(p)).abs())
                .iter()
                .sum::<f32>()
        };
        let (plain, refined) =
            (miss(&Transfer::between(&from, &skewed)), miss(&Transfer::refined(&from, &skewed)));
        assert!(refined < 8.0 && refined < 0.4 * plain, "{plain} {refined}");
    }
}
