//! Air in front of a scene: how far things seem, and fog over them.
//!
//! There is one picture and no depth. What is known is the dark channel (He, Sun, Tang, "Single
//! image haze removal using dark channel prior", CVPR 2009): near things have some dark colour
//! channel, the sky and what lies in haze have none. With the height in the frame it orders a
//! scene well enough for air, if it changes slowly; edges are taken from the picture itself by the
//! coefficients of a guided filter on the coarse grid (He, Sun, "Fast guided filter", 2015).

use rayon::prelude::*;

use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::grid::{CELL, Grid, Spread, box_mean};
use crate::rows::for_rows_with;

/// Part of 1 in which coefficients are kept.
const UNIT: f32 = 256.0;

/// Height in the frame, from the top, below which the ground comes nearer.
const HORIZON: f32 = 0.42;

/// Radius of the guided filter in cells.
const RADIUS: usize = 6;

/// Variance of luma codes below which the guide is flat.
const FLAT: f32 = 180.0;

/// Means of a frame's planes over cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Coarse {
    /// Luma, blue difference, red difference.
    pub planes: [Grid; 3],
}

/// An amount of something (0 to 1) over a frame, that follows the frame's edges.
#[derive(Debug, Clone, PartialEq)]
pub struct Veil {
    slope: Grid,
    base: Grid,
}

// === impl Coarse ===

impl Coarse {
    /// Of a frame.
    pub fn of(frame: Yuv420Ref<'_>) -> Self {
        let [y, u, v] = frame.planes();
        Self { planes: [Grid::of(y, CELL), Grid::of(u, CELL / 2), Grid::of(v, CELL / 2)] }
    }

    /// How far each cell seems, 0 (near) to 1 (far).
    pub fn distance(&self) -> Vec<f32> {
        let [y, u, v] = &self.planes;
        let (columns, rows) = y.size();
        let dark: Vec<f32> = (y.data().iter().zip(u.data()).zip(v.data()))
            .map(|((&y, &u), &v)| dark_channel([y, u, v].map(f32::from)))
            .collect();
        let patch = box_mean(&darkest(&dark, (columns, rows)), (columns, rows), 1);
        let mut sorted = patch.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let brightest = sorted[sorted.len() * 19 / 20].max(0.12);
        (patch.iter().enumerate())
            .map(|(k, &dark)| {
                let height = ((k / columns) as f32 + 0.5) / rows as f32;
                let ground = ((height - HORIZON) / (1.0 - HORIZON)).clamp(0.0, 1.0);
                let lie = (1.0 - ground) * (1.0 - ground);
                let pale = (dark / brightest).clamp(0.0, 1.0);
                (lie * (0.6 + 0.4 * pale) + 0.15 * pale * (1.0 - lie)).clamp(0.0, 1.0)
            })
            .collect()
    }

    /// An amount for each cell, 0 to 1, made to follow the edges of the frame.
    pub fn veil(&self, amounts: &[f32]) -> Veil {
        let guide: Vec<f32> = self.planes[0].data().iter().map(|&v| f32::from(v)).collect();
        let size = self.planes[0].size();
        let mean = |values: &[f32]| box_mean(values, size, RADIUS);
        let product =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>();
        let (mean_i, mean_p) = (mean(&guide), mean(amounts));
        let (mean_ip, mean_ii) = (mean(&product(&guide, amounts)), mean(&product(&guide, &guide)));
        let (mut slope, mut base) = (Vec::new(), Vec::new());
        for k in 0..guide.len() {
            let variance = (mean_ii[k] - mean_i[k] * mean_i[k]).max(0.0);
            let a = (mean_ip[k] - mean_i[k] * mean_p[k]) / (variance + FLAT);
            slope.push(a);
            base.push(mean_p[k] - a * mean_i[k]);
        }
        let grid = |values: Vec<f32>, unit: f32| {
            let mut grid = self.planes[0].clone();
            for (out, value) in grid.data_mut().iter_mut().zip(values) {
                *out = libm::roundf(value * unit).clamp(-32_000.0, 32_000.0) as i16;
            }
            grid
        };
        // The slope is an amount a code: it is kept finer by the number of codes.
        Veil { slope: grid(mean(&slope), UNIT * UNIT), base: grid(mean(&base), UNIT) }
    }
}

/// The least of red, green and blue of a code, 0 to 1 (BT.709, limited range).
fn dark_channel([y, u, v]: [f32; 3]) -> f32 {
    let (y, u, v) = (1.1644 * (y - 16.0), u - 128.0, v - 128.0);
    let (r, g, b) = (y + 1.7927 * v, y - 0.2132 * u - 0.5329 * v, y + 2.1124 * u);
    (r.min(g).min(b) / 255.0).clamp(0.0, 1.0)
}

/// The least value of each 3 x 3 cells.
fn darkest(values: &[f32], (w, h): (usize, usize)) -> Vec<f32> {
    let across: Vec<f32> = (0..w * h)
        .map(|k| {
            let (x, row) = (k % w, k / w * w);
            values[row + x.max(1) - 1].min(values[k]).min(values[row + (x + 1).min(w - 1)])
        })
        .collect();
    let at = |x: usize, y: usize| across[y.min(h - 1) * w + x];
    (0..w * h)
        .map(|k| at(k % w, (k / w).max(1) - 1).min(across[k]).min(at(k % w, k / w + 1)))
        .collect()
}

/// Draws a frame towards the colour `air` (a code of luma and both differences) by a veil.
pub fn lay(veil: &Veil, air: [u8; 3], frame: &mut Yuv420Mut<'_>) {
    let (width, _) = frame.size();
    let [luma, blue, red] = frame.planes_mut();
    // Chroma first: it reads the luma that the veil was made for.
    let guide = luma.as_ref();
    let chroma = |plane: &mut crate::plane::PlaneMut<'_>, air: u8| {
        let spreads =
            || (Spread::new(&veil.slope, CELL / 2), Spread::new(&veil.base, CELL / 2), Vec::new());
        for_rows_with(plane, spreads, |(slope, base, halved), y, row| {
            halved.clear();
            halved.extend(guide.row(2 * y).iter().step_by(2).take(width.div_ceil(2)));
            let (slope, base) = (slope.row(&veil.slope, y), base.row(&veil.base, y));
            draw_towards(row, halved, slope, base, air);
        });
    };
    rayon::join(|| chroma(blue, air[1]), || chroma(red, air[2]));
    let spreads = || (Spread::new(&veil.slope, CELL), Spread::new(&veil.base, CELL), Vec::new());
    for_rows_with(luma, spreads, |(slope, base, own), y, row| {
        own.clear();
        own.extend_from_slice(row);
        let (slope, base) = (slope.row(&veil.slope, y), base.row(&veil.base, y));
        draw_towards(row, own, slope, base, air[0]);
    });
}

fn draw_towards(row: &mut [u8], guide: &[u8], slope: &[i16], base: &[i16], air: u8) {
    let air = i32::from(air);
    let guides = guide.iter().zip(slope).zip(base);
    for (out, ((&guide, &slope), &base)) in row.iter_mut().zip(guides) {
        let amount = (i32::from(base) + ((i32::from(slope) * i32::from(guide)) >> 8)).clamp(0, 256);
        let code = i32::from(*out);
        *out = (code + (((air - code) * amount + 128) >> 8)) as u8;
    }
}

/// Draws each plane towards a goal of its own cells by the amounts (0 to 256) of its cells.
///
/// A goal of white is light screened over the picture: it never darkens, and where the amount is
/// 0 nothing changes.
pub fn blend(amount: &Grid, goal: &[Grid; 3], frame: &mut Yuv420Mut<'_>) {
    let planes = frame.planes_mut();
    planes.into_par_iter().zip(goal).enumerate().for_each(|(k, (plane, goal))| {
        let cell = if k == 0 { CELL } else { CELL / 2 };
        let spreads = || (Spread::new(amount, cell), Spread::new(goal, cell));
        for_rows_with(plane, spreads, |(amounts, goals), y, row| {
            let (amounts, goals) = (amounts.row(amount, y), goals.row(goal, y));
            for ((out, &amount), &goal) in row.iter_mut().zip(amounts).zip(goals) {
                let code = i32::from(*out);
                let step = ((i32::from(goal) - code) * i32::from(amount) + 128) >> 8;
                *out = (code + step).clamp(0, 255) as u8;
            }
        });
    });
}

/// Mixes another frame of the same size into a frame by the amounts (0 to 256) of its cells.
pub fn mix(amount: &Grid, other: Yuv420Ref<'_>, frame: &mut Yuv420Mut<'_>) {
    let planes = frame.planes_mut();
    planes.into_par_iter().zip(other.planes()).enumerate().for_each(|(k, (plane, other))| {
        let cell = if k == 0 { CELL } else { CELL / 2 };
        for_rows_with(
            plane,
            || Spread::new(amount, cell),
            |spread, y, row| {
                let amounts = spread.row(amount, y);
                for ((out, &amount), &goal) in row.iter_mut().zip(amounts).zip(other.row(y)) {
                    let code = i32::from(*out);
                    let step = ((i32::from(goal) - code) * i32::from(amount) + 128) >> 8;
                    *out = (code + step) as u8;
                }
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;
    use proptest::prelude::*;

    fn scene() -> Yuv420 {
        let mut frame = Yuv420::new(128, 96, [60, 118, 120]).unwrap();
        for y in 0..40 {
            frame.as_mut().planes_mut()[0].row_mut(y).fill(205);
        }
        for y in 0..20 {
            frame.as_mut().planes_mut()[1].row_mut(y).fill(132);
            frame.as_mut().planes_mut()[2].row_mut(y).fill(126);
        }
        frame
    }

    #[test]
    fn the_sky_seems_farther_than_the_ground() {
        let frame = scene();
        let distance = Coarse::of(frame.as_ref()).distance();
        assert!(distance[16 + 8] > distance[11 * 16 + 8] + 0.4);
    }

    #[test]
    fn fog_lies_on_what_is_far() {
        let mut frame = scene();
        let coarse = Coarse::of(frame.as_ref());
        let veil = coarse.veil(&coarse.distance());
        lay(&veil, [180, 128, 128], &mut frame.as_mut());
        let luma = frame.as_ref();
        assert!(luma.y().at(64, 90) < 90, "the ground stays: {}", luma.y().at(64, 90));
        assert!(luma.y().at(64, 5) < 195, "the sky goes grey: {}", luma.y().at(64, 5));
    }

    #[test]
    fn no_veil_changes_nothing() {
        let mut frame = scene();
        let coarse = Coarse::of(frame.as_ref());
        lay(&coarse.veil(&vec![0.0; 16 * 12]), [200, 128, 128], &mut frame.as_mut());
        assert_eq!(frame, scene());
    }

    proptest! {
        #[test]
        fn light_never_darkens_and_no_light_changes_nothing(
            code in 0u8..236, amount in 0i16..=256,
        ) {
            let mut frame = Yuv420::new(32, 16, [code, 128, 128]).unwrap();
            let grid = |value| Grid::new((32, 16), value);
            let goal = [grid(235), grid(128), grid(128)];
            blend(&grid(amount), &goal, &mut frame.as_mut());
            let out = frame.as_ref().y().at(7, 7);
            prop_assert!(out >= code && out <= 235);
            prop_assert!(amount > 0 || out == code);
        }
    }
}
