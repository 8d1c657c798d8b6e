//! A sparse grid over place, time and colour, on which soft evidence is evened out.
//!
//! Samples that are near each other in the picture, in time and in colour fall into one vertex;
//! neighbouring vertices pull on each other ("Bilateral Space Video Segmentation", Märki, Perazzi,
//! Wang, Sorkine-Hornung, CVPR 2016; "The Fast Bilateral Solver", Barron and Poole, ECCV 2016). So
//! evidence spreads over what looks alike and stops where the colour changes.
//!
//! Invariant: vertices are sorted by their key and every sum runs in that order, on one thread.

/// Axes of the grid: x, y, time, luma and two chromas.
pub(crate) const AXES: usize = 6;

/// Bits of a key that an axis takes, and its most cells.
const BITS: u32 = 10;
const MOST: f32 = 1021.0;

/// Steps of the solver at most, and the part of the first error at which it ends.
const STEPS: usize = 60;
const ENOUGH: f64 = 1e-4;

/// The vertices that samples fell into.
pub(crate) struct Lattice {
    keys: Vec<u64>,
    /// Pairs of neighbours, the first before the second, and how strongly they pull.
    links: Vec<(u32, u32, f32)>,
    target: Vec<f32>,
    weight: Vec<f32>,
}

/// A cell's key; cells are counted from 0, and what lies beyond is put into the outermost.
#[inline]
pub(crate) fn key(cells: [f32; AXES]) -> u64 {
    cells.iter().fold(0, |key, &cell| (key << BITS) | (cell.clamp(0.0, MOST) as u64 + 1))
}

// === impl Lattice ===

impl Lattice {
    /// From the keys of all samples with a target (0 to 1) and a weight each (0 or more).
    /// `pull[axis]` says how strongly neighbours along an axis pull, relative to a sample of
    /// weight 1 in each of them.
    pub(crate) fn new(mut samples: Vec<(u64, f32, f32)>, pull: [f32; AXES]) -> Self {
        // Equal keys keep the order in which they came: sums don't depend on the sort.
        samples.sort_by_key(|sample| sample.0);
        let mut lattice =
            Self { keys: Vec::new(), links: Vec::new(), target: Vec::new(), weight: Vec::new() };
        let mut mass: Vec<f32> = Vec::new();
        for group in samples.chunk_by(|a, b| a.0 == b.0) {
            let (mut sum, mut weight) = (0.0f64, 0.0f64);
            for &(_, target, own) in group {
                sum += f64::from(target) * f64::from(own);
                weight += f64::from(own);
            }
            lattice.keys.push(group[0].0);
            lattice.target.push(if weight > 0.0 { (sum / weight) as f32 } else { 0.0 });
            lattice.weight.push(weight as f32);
            mass.push(group.len() as f32);
        }
        lattice.link(&mass, pull);
        lattice
    }

    fn link(&mut self, mass: &[f32], pull: [f32; AXES]) {
        for (axis, pull) in pull.into_iter().enumerate() {
            let step = 1u64 << (BITS * (AXES - 1 - axis) as u32);
            // Keys grow along with the keys of their neighbours: one walk finds them all.
            let mut next = 0;
            for (at, &key) in self.keys.iter().enumerate() {
                let wanted = key + step;
                while self.keys.get(next).is_some_and(|&key| key < wanted) {
                    next += 1;
                }
                if self.keys.get(next) == Some(&wanted) {
                    let (a, b) = (mass[at], mass[next]);
                    self.links.push((at as u32, next as u32, pull * 2.0 * a * b / (a + b)));
                }
            }
        }
    }

    /// Number of vertices.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The vertex of a cell.
    #[inline]
    pub(crate) fn find(&self, key: u64) -> Option<usize> {
        self.keys.binary_search(&key).ok()
    }

    /// The values v that make sum w (v - target)^2 + sum pull (v - v')^2 least, by conjugate
    /// gradients with a diagonal preconditioner (Hestenes and Stiefel 1952). One a vertex.
    pub(crate) fn solved(&self) -> Vec<f32> {
        let mut diagonal: Vec<f64> = self.weight.iter().map(|&w| f64::from(w) + 1e-6).collect();
        for &(a, b, pull) in &self.links {
            diagonal[a as usize] += f64::from(pull);
            diagonal[b as usize] += f64::from(pull);
        }
        let mut value: Vec<f64> = self.target.iter().map(|&t| f64::from(t)).collect();
        let product = self.product(&diagonal, &value);
        let mut rest: Vec<f64> = (0..self.len())
            .map(|i| f64::from(self.weight[i]) * f64::from(self.target[i]) - product[i])
            .collect();
        let mut way: Vec<f64> = rest.iter().zip(&diagonal).map(|(r, d)| r / d).collect();
        let mut error = dot(&rest, &way);
        let enough = ENOUGH * ENOUGH * error;
        for _ in 0..STEPS {
            if error <= enough || error <= 0.0 {
                break;
            }
            let product = self.product(&diagonal, &way);
            let step = error / dot(&way, &product).max(f64::MIN_POSITIVE);
            for i in 0..value.len() {
                value[i] += step * way[i];
                rest[i] -= step * product[i];
            }
            let eased: Vec<f64> = rest.iter().zip(&diagonal).map(|(r, d)| r / d).collect();
            let left = dot(&rest, &eased);
            let turn = left / error;
            way.iter_mut().zip(&eased).for_each(|(way, eased)| *way = eased + turn * *way);
            error = left;
        }
        value.into_iter().map(|v| v.clamp(0.0, 1.0) as f32).collect()
    }

    fn product(&self, diagonal: &[f64], values: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = diagonal.iter().zip(values).map(|(d, v)| d * v).collect();
        for &(a, b, pull) in &self.links {
            let (a, b) = (a as usize, b as usize);
            out[a] -= f64::from(pull) * values[b];
            out[b] -= f64::from(pull) * values[a];
        }
        out
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[(f32, f32, f32)]) -> (Lattice, Vec<f32>) {
        let samples = values.iter().enumerate().map(|(x, &(luma, target, weight))| {
            (key([x as f32, 0.0, 0.0, luma, 0.0, 0.0]), target, weight)
        });
        let lattice = Lattice::new(samples.collect(), [1.0; AXES]);
        let solved = lattice.solved();
        (lattice, solved)
    }

    #[test]
    fn evidence_spreads_over_one_colour_and_stops_at_another() {
        let mut values = vec![(2.0, 0.0, 0.0); 12];
        values[..6].fill((9.0, 0.0, 0.0));
        values[1] = (9.0, 1.0, 4.0);
        values[10] = (2.0, 0.0, 4.0);
        let (lattice, solved) = row(&values);
        let at = |x: usize| {
            solved[lattice.find(key([x as f32, 0.0, 0.0, values[x].0, 0.0, 0.0])).unwrap()]
        };
        assert!((0..6).all(|x| at(x) > 0.95) && (6..12).all(|x| at(x) < 0.05), "{solved:?}");
        assert!(lattice.find(key([3.0, 1.0, 0.0, 9.0, 0.0, 0.0])).is_none());
    }

    #[test]
    fn between_two_pieces_of_evidence_lies_a_ramp() {
        let mut values = vec![(2.0, 0.0, 0.0); 9];
        (values[0], values[8]) = ((2.0, 1.0, 1e3), (2.0, 0.0, 1e3));
        let (_, solved) = row(&values);
        for (x, value) in solved.iter().enumerate() {
            assert!((value - (1.0 - x as f32 / 8.0)).abs() < 0.02, "{x}: {value}");
        }
    }
}
