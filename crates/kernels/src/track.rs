//! The ground's motion about a point.
//!
//! What stands on the ground must go with the ground under it, which a camera that moves through
//! the scene carries otherwise than the picture as a whole: an affine motion is fitted to the flow
//! around the foot by least squares with Cauchy weights about what is expected there, so that what
//! crosses the place does not carry the foot off.

use crate::field::FlowField;
use crate::geometry::Similarity;

/// Distance in px from the expected motion at which a vector counts half: the first rounds are
/// forgiving, the last ones are not. At a frame width of 320.
const TOLERANCES: [f64; 6] = [1.2, 0.8, 0.5, 0.35, 0.25, 0.25];

/// Weight of what is expected against all vectors together.
const EXPECTED: f64 = 0.06;

/// Least number of vectors.
const LEAST_VECTORS: usize = 12;

/// One step of the ground at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroundStep {
    /// Where the point goes from where it was expected, in px.
    pub shift: (f32, f32),
    /// Growth across the frame beyond the expected one: a thing that stands there grows so too.
    pub growth: f32,
    /// Part of the vectors that agree, 0 to 1.
    pub support: f32,
}

/// How the ground about `at` (px from the frame's corner) moves beyond `expected`, a motion with its
/// origin at the frame's centre. `reach` is the half width and half height of the ground looked at.
/// None where there are too few vectors.
pub fn ground_step(
    field: &FlowField,
    at: (f32, f32),
    reach: (f32, f32),
    expected: &Similarity,
) -> Option<GroundStep> {
    let vectors = gather(field, at, reach, expected);
    if vectors.len() < LEAST_VECTORS {
        return None;
    }
    let unit = field.frame().0 as f64 / 320.0;
    let mut fit = [[0.0f64; 3]; 2];
    let mut support = 0.0;
    for tolerance in TOLERANCES {
        let mut sums = [[0.0f64; 3]; 3];
        let mut sides = [[0.0f64; 3]; 2];
        let (mut agree, mut all) = (0.0, 0.0);
        for v in &vectors {
            let row = [1.0, v.at[0], v.at[1]];
            let gap = |axis: usize| {
                v.by[axis] - fit[axis].iter().zip(row).map(|(f, r)| f * r).sum::<f64>()
            };
            let square = gap(0).powi(2) + gap(1).powi(2);
            let ratio = square / (tolerance * unit).powi(2);
            let weight = v.weight / ((1.0 + ratio) * (1.0 + ratio));
            agree += if ratio < 1.0 { v.weight } else { 0.0 };
            all += v.weight;
            for j in 0..3 {
                (0..3).for_each(|k| sums[j][k] += weight * row[j] * row[k]);
                (0..2).for_each(|axis| sides[axis][j] += weight * row[j] * v.by[axis]);
            }
        }
        // What is expected counts as a few vectors, until most agree: something that covers all of the
        // place is far from it and must not win for want of others.
        sums[0][0] += if agree < 0.5 * all { EXPECTED * all } else { 0.0 };
        // A little stiffness keeps the slopes at nothing where the vectors don't tell them.
        let stiff = 0.002 * sums[0][0];
        (sums[1][1], sums[2][2]) = (sums[1][1] + stiff, sums[2][2] + stiff);
        fit = [solve(&sums, &sides[0])?, solve(&sums, &sides[1])?];
        support = agree / f64::max(all, 1e-9);
    }
    Some(GroundStep {
        shift: (fit[0][0] as f32, fit[1][0] as f32),
        growth: 1.0 + (fit[0][1] / f64::from(reach.0)) as f32,
        support: support as f32,
    })
}

/// A vector beyond what was expected; places in units of the reach.
struct Beyond {
    at: [f64; 2],
    by: [f64; 2],
    weight: f64,
}

fn gather(
    field: &FlowField,
    at: (f32, f32),
    reach: (f32, f32),
    expected: &Similarity,
) -> Vec<Beyond> {
    let (columns, rows) = field.grid();
    let scale = field.scale() as f32;
    let middle = (field.frame().0 as f32 / 2.0, field.frame().1 as f32 / 2.0);
    let cells = |low: f32, high: f32, last: usize| {
        let low = (low / scale - 0.5).max(0.0) as usize;
        low..((high / scale - 0.5).max(-1.0) + 1.0).min(last as f32) as usize
    };
    let mut out = Vec::new();
    for j in cells(at.1 - reach.1, at.1 + reach.1, rows) {
        for i in cells(at.0 - reach.0, at.0 + reach.0, columns) {
            let (x, y) = field.point(i, j);
            let (dx, dy) = ((x - at.0) / reach.0, (y - at.1) / reach.1);
            let inside = 1.0 - dx * dx - dy * dy;
            if inside <= 0.0 {
                continue;
            }
            let from = (x - middle.0, y - middle.1);
            let to = expected.apply(from);
            let (u, v) = field.vector(i, j);
            let by = [u - to.0 + from.0, v - to.1 + from.1].map(f64::from);
            let weight = f64::from(inside) * f64::from(field.confidence_at(i, j)) / 255.0;
            out.push(Beyond { at: [dx, dy].map(f64::from), by, weight });
        }
    }
    out
}

/// Three equations by Cramer's rule.
fn solve(m: &[[f64; 3]; 3], v: &[f64; 3]) -> Option<[f64; 3]> {
    let det = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = det(m);
    if whole.abs() < 1e-9 {
        return None;
    }
    Some(std::array::from_fn(|column| {
        let mut with = *m;
        (0..3).for_each(|row| with[row][column] = v[row]);
        det(&with) / whole
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_affine_ground_is_found_beside_a_crossing_thing(
            tu in -2.0f32..2.0, tv in -1.0f32..1.0, grow in -0.02f32..0.02, shear in -0.02f32..0.02,
        ) {
            let at = (200.0, 130.0);
            let field = FlowField::from_fn((320, 180), 2, |x, y| {
                if (150.0..175.0).contains(&x) {
                    return (6.0, 0.0);
                }
                (tu + grow * (x - at.0) + shear * (y - at.1), tv + grow * (y - at.1))
            }).unwrap();
            let expected = Similarity::translation(tu + 0.3, tv - 0.2);
            let step = ground_step(&field, at, (48.0, 20.0), &expected).unwrap();
            prop_assert!((step.shift.0 + 0.3).abs() < 0.05, "{step:?}");
            prop_assert!((step.shift.1 - 0.2).abs() < 0.05, "{step:?}");
            prop_assert!((step.growth - 1.0 - grow).abs() < 0.004, "{step:?}");
        }
    }

    #[test]
    fn what_covers_all_of_the_place_does_not_win() {
        let field = FlowField::from_fn((320, 180), 2, |_, _| (4.0, 0.5)).unwrap();
        let step =
            ground_step(&field, (160.0, 120.0), (35.0, 16.0), &Similarity::IDENTITY).unwrap();
        assert!(step.support < 0.1 && step.shift.0.abs() < 1.0, "{step:?}");
    }

    #[test]
    fn beyond_the_frame_nothing_is_known() {
        let field = FlowField::still((320, 180), 2).unwrap();
        let step = ground_step(&field, (900.0, 90.0), (30.0, 10.0), &Similarity::IDENTITY);
        assert_eq!(step, None);
    }
}
