//! The change of colours that gives one set of them the distribution of another.
//!
//! Iterative distribution transfer (Pitie, Kokaram and Dahyot 2007): in turned axes, one turn
//! after the other, the quantiles of each axis are brought to those of the target. What it learns
//! from samples holds for every colour. Unlike a mean and a covariance ([`crate::transfer`]) it
//! follows a skewed distribution; where slopes are cut a small far cluster of the target pulls at
//! all colours near it.

use crate::hash;

/// Turns of the axes.
const TURNS: u64 = 8;

/// Quantiles of each curve.
const POINTS: usize = 25;

/// Steepest that the curves of the first turn and of the others may be, so that the noise of a flat
/// area stays noise: all of them together stretch it by no more than their product.
const STEEPEST: [f32; 2] = [3.0, 1.25];

/// A change of colours in Lab.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transport {
    turns: Vec<([[f32; 3]; 3], [Curve; 3])>,
}

/// Where the quantiles along one axis go.
#[derive(Debug, Clone, PartialEq)]
struct Curve {
    from: [f32; POINTS],
    to: [f32; POINTS],
}

// === impl Transport ===

impl Transport {
    /// From the distribution of some colours in Lab to that of others; none changes nothing.
    pub(crate) fn between(from: &[[f32; 3]], to: &[[f32; 3]]) -> Self {
        let mut turns = Vec::new();
        if from.is_empty() || to.is_empty() {
            return Self { turns };
        }
        let mut moved = from.to_vec();
        for turn in 0..TURNS {
            let axes = axes(turn);
            let curves =
                axes.map(|axis| Curve::between(&moved, to, axis, STEEPEST[usize::from(turn > 0)]));
            for colour in &mut moved {
                *colour = turned(&axes, &curves, *colour);
            }
            turns.push((axes, curves));
        }
        Self { turns }
    }

    /// Where a Lab colour goes.
    pub(crate) fn lab(&self, colour: [f32; 3]) -> [f32; 3] {
        self.turns.iter().fold(colour, |colour, (axes, curves)| turned(axes, curves, colour))
    }
}

fn turned(axes: &[[f32; 3]; 3], curves: &[Curve; 3], colour: [f32; 3]) -> [f32; 3] {
    let mut out = colour;
    for (axis, curve) in axes.iter().zip(curves) {
        let along = dot(*axis, colour);
        let change = curve.at(along) - along;
        for (out, axis) in out.iter_mut().zip(axis) {
            *out += change * axis;
        }
    }
    out
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Three directions at right angles; the first turn's are Lab's own.
fn axes(turn: u64) -> [[f32; 3]; 3] {
    if turn == 0 {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let drawn = |k: u64| {
        std::array::from_fn(|i| hash::unit(hash::mix(hash::mix(turn) ^ (3 * k + i as u64))) - 0.5)
    };
    let unit = |v: [f32; 3]| {
        let length = libm::sqrtf(dot(v, v)).max(1e-6);
        v.map(|c| c / length)
    };
    let first = unit(drawn(1));
    let second: [f32; 3] = drawn(2);
    let along = dot(first, second);
    let second = unit(std::array::from_fn(|i| second[i] - along * first[i]));
    let [a, b] = [first, second];
    [a, b, [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]]
}

// === impl Curve ===

impl Curve {
    fn between(from: &[[f32; 3]], to: &[[f32; 3]], axis: [f32; 3], steepest: f32) -> Self {
        let [from, to] = [from, to].map(|colours| quantiles(colours, axis));
        let (mut below, mut above) = (to, to);
        for k in 1..POINTS {
            below[k] = below[k].min(below[k - 1] + steepest * (from[k] - from[k - 1]));
        }
        for k in (1..POINTS).rev() {
            above[k - 1] = above[k - 1].max(above[k] - steepest * (from[k] - from[k - 1]));
        }
        Self { from, to: std::array::from_fn(|k| f32::midpoint(below[k], above[k])) }
    }

    /// Piecewise linear, shifted beyond its ends.
    fn at(&self, x: f32) -> f32 {
        let k = self.from.partition_point(|&from| from < x).clamp(1, POINTS - 1);
        let (a, b) = (self.from[k - 1], self.from[k]);
        let along = if b > a { (x - a) / (b - a) } else { 0.0 };
        if (0.0..=1.0).contains(&along) {
            return self.to[k - 1] + along * (self.to[k] - self.to[k - 1]);
        }
        if along < 0.0 { self.to[k - 1] + x - a } else { self.to[k] + x - b }
    }
}

fn quantiles(colours: &[[f32; 3]], axis: [f32; 3]) -> [f32; POINTS] {
    let mut values: Vec<f32> = colours.iter().map(|&colour| dot(colour, axis)).collect();
    values.sort_unstable_by(f32::total_cmp);
    let last = values.len() - 1;
    std::array::from_fn(|k| values[((k as f32 + 0.5) / POINTS as f32 * last as f32) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(count: u64, of: impl Fn([f32; 3]) -> [f32; 3]) -> Vec<[f32; 3]> {
        let drawn = |k| std::array::from_fn(|i| hash::unit(hash::mix(3 * k + i as u64)));
        (0..count).map(|k| of(drawn(k))).collect()
    }

    #[test]
    fn colours_get_the_others_distribution() {
        let night = cloud(2000, |[a, b, c]| [30.0 * a * a, 8.0 * b, -20.0 * c * a]);
        let painting = cloud(2000, |[a, b, c]| [60.0 * a, 20.0 * b - 10.0, 10.0 - 50.0 * c * a]);
        let transport = Transport::between(&night, &painting);
        let moved: Vec<[f32; 3]> = night.iter().map(|&colour| transport.lab(colour)).collect();
        let gap = |colours: &[[f32; 3]]| -> f32 {
            (20..40)
                .flat_map(axes)
                .map(|axis| {
                    let (a, b) = (quantiles(colours, axis), quantiles(&painting, axis));
                    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>()
                })
                .sum()
        };
        assert!(gap(&moved) < 0.7 * gap(&night), "{} {}", gap(&moved), gap(&night));
    }

    #[test]
    fn noise_of_a_flat_area_stays_noise() {
        let flat = cloud(500, |[a, ..]| [20.0 + a, 3.0, -9.0]);
        let wide = cloud(500, |[a, b, c]| [100.0 * a, 80.0 * b - 40.0, 80.0 * c - 40.0]);
        let transport = Transport::between(&flat, &wide);
        let [a, b] = [20.2, 20.4].map(|l| transport.lab([l, 3.0, -9.0]));
        assert!((0..3).all(|k| (a[k] - b[k]).abs() < 3.0), "{a:?} {b:?}");
    }

    #[test]
    fn of_nothing_nothing_is_changed() {
        let transport = Transport::between(&[], &[[1.0; 3]]);
        assert_eq!(transport.lab([4.0, 5.0, 6.0]), [4.0, 5.0, 6.0]);
    }
}
