//! Light that spreads: glow, beams, flares and leaks as amounts and colours on a coarse grid.

use kernels::Yuv420Ref;
use kernels::grid::{CELL, Grid};
use kernels::haze::Coarse;

use super::source::Source;

/// Steps along a beam.
const STEPS: usize = 28;

/// Light to lay over a frame: an amount (0 to 256) and the codes that it goes towards.
pub(super) struct Shine {
    pub(super) amount: Grid,
    pub(super) goal: [Grid; 3],
}

/// How highlights glow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glow {
    /// Amount for a full highlight next to itself.
    pub(super) gain: f32,
    /// Widths in cells at a height of 90 cells: the tight and the wide part.
    pub(super) reach: (f32, f32),
    /// Factor on the highlight's own colour.
    pub(super) colour: f32,
    /// Colour difference that is added.
    pub(super) tint: [f32; 2],
    /// Only what is small: lamps and windows, not skies.
    pub(super) small: bool,
}

/// The code above which something is a highlight of this picture: a lamp of a night as well as a
/// window of a day.
fn floor(luma: &Grid) -> u8 {
    let (middle, bright) = (f32::from(luma.quantile(0.5)), f32::from(luma.quantile(0.99)));
    (middle + 0.55 * (bright - middle)).clamp(70.0, 195.0) as u8
}

/// What of a frame glows, by cell.
fn highlights(frame: Yuv420Ref<'_>, luma: &Grid, small: bool) -> Grid {
    let floor = floor(luma);
    let room = 255.0 / f32::from(235 - floor);
    let bright = Grid::above(frame.y(), CELL, floor).map(|v| (f32::from(v) * room) as i16);
    if small {
        let wide = bright.blurred(8, 2);
        bright.with(&wide, |own, wide| (own - wide).max(0))
    } else {
        bright
    }
}

/// The glow of a frame's highlights.
pub(super) fn glow(frame: Yuv420Ref<'_>, coarse: &Coarse, how: &Glow, strength: f32) -> Shine {
    let [luma, u, v] = &coarse.planes;
    let bright = highlights(frame, luma, how.small);
    let scale = luma.size().1 as f32 / 90.0;
    let radius = |cells: f32| libm::roundf(cells * scale).max(1.0) as usize;
    let (tight, wide) = (radius(how.reach.0), radius(how.reach.1));
    let spread = |grid: &Grid| {
        grid.blurred(tight, 2).with(&grid.blurred(wide, 2), |a, b| (3 * a + 5 * b) / 8)
    };
    let light = spread(&bright);
    let colour = |plane: &Grid, tint: f32| {
        let weighed = spread(
            &plane.with(&bright, |code, own| (i32::from(code - 128) * i32::from(own) / 8) as i16),
        );
        weighed.with(&light, |sum, own| {
            let mean = 8.0 * f32::from(sum) / f32::from(own.max(1));
            (128.0 + (how.colour * mean + tint).clamp(-90.0, 90.0)) as i16
        })
    };
    let amount = light.map(|v| (f32::from(v) * how.gain * strength).clamp(0.0, 220.0) as i16);
    let goal = [luma.map(|_| 235), colour(u, how.tint[0]), colour(v, how.tint[1])];
    Shine { amount, goal }
}

/// Beams from a source: its bright surroundings, smeared away from it (Mitchell, "Volumetric light
/// scattering as a post-process", GPU Gems 3, 2007).
pub(super) fn rays(frame: Yuv420Ref<'_>, coarse: &Coarse, source: &Source, strength: f32) -> Shine {
    let [luma, u, v] = &coarse.planes;
    let bright = highlights(frame, luma, false).blurred(1, 1);
    let (columns, rows) = luma.size();
    let (sx, sy) = source.cell((columns, rows));
    let mut amount = luma.map(|_| 0);
    let reach = 0.8 * columns as f32;
    for (k, out) in amount.data_mut().iter_mut().enumerate() {
        let (x, y) = ((k % columns) as f32 + 0.5, (k / columns) as f32 + 0.5);
        let (dx, dy) = (sx - x, sy - y);
        let (mut sum, mut weight, mut fade) = (0.0f32, 0.0f32, 1.0f32);
        for step in 0..STEPS {
            let t = step as f32 / STEPS as f32;
            let at = bright.at((x + t * dx) as isize, (y + t * dy) as isize);
            sum += fade * f32::from(at);
            weight += fade;
            fade *= 0.955;
        }
        let far = libm::hypotf(dx, dy) / reach;
        let near = 1.0 / (1.0 + 2.2 * far * far);
        let value = sum / weight * near * source.power * strength * 1.7;
        *out = value.clamp(0.0, 205.0) as i16;
    }
    let (near_u, near_v) = (colour_at(u, sx, sy), colour_at(v, sx, sy));
    let goal = [
        luma.map(|_| 235),
        luma.map(|_| (120.0 + 0.5 * (near_u - 128.0)) as i16),
        luma.map(|_| (136.0 + 0.5 * (near_v - 128.0)) as i16),
    ];
    Shine { amount: amount.blurred(1, 1), goal }
}

fn colour_at(plane: &Grid, x: f32, y: f32) -> f32 {
    f32::from(plane.blurred(2, 1).at(x as isize, y as isize))
}

/// Light of one colour, summed up on a grid.
struct Lights {
    columns: usize,
    amount: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

// === impl Lights ===

impl Lights {
    fn new((columns, rows): (usize, usize)) -> Self {
        let none = vec![0.0; columns * rows];
        Self { columns, amount: none.clone(), u: none.clone(), v: none }
    }

    fn add(&mut self, tint: [f32; 2], value: impl Fn(f32, f32) -> f32) {
        for k in 0..self.amount.len() {
            let own = value((k % self.columns) as f32 + 0.5, (k / self.columns) as f32 + 0.5);
            self.amount[k] += own;
            self.u[k] += own * tint[0];
            self.v[k] += own * tint[1];
        }
    }

    fn shine(&self, like: &Grid, most: f32) -> Shine {
        let grid = |value: &dyn Fn(usize) -> f32| {
            let mut grid = like.clone();
            for (k, out) in grid.data_mut().iter_mut().enumerate() {
                *out = libm::roundf(value(k)) as i16;
            }
            grid
        };
        let tint = |sums: &[f32], k: usize| 128.0 + sums[k] / self.amount[k].max(1e-3);
        Shine {
            amount: grid(&|k| (256.0 * self.amount[k]).clamp(0.0, most)),
            goal: [
                like.map(|_| 235),
                grid(&|k| tint(&self.u, k).clamp(20.0, 236.0)),
                grid(&|k| tint(&self.v, k).clamp(20.0, 236.0)),
            ],
        }
    }
}

/// A lens's flare: the source's halo, an anamorphic streak, and ghosts through the middle.
pub(super) fn flare(like: &Grid, source: &Source, strength: f32) -> Shine {
    let size = like.size();
    let (sx, sy) = source.cell(size);
    let (mx, my) = (size.0 as f32 / 2.0, size.1 as f32 / 2.0);
    let unit = size.1 as f32 / 90.0;
    let power = source.power * strength;
    let mut lights = Lights::new(size);
    lights.add([-12.0, 14.0], |x, y| {
        let far = libm::hypotf(x - sx, y - sy) / (13.0 * unit);
        0.85 * power / (1.0 + far * far * far)
    });
    lights.add([34.0, -22.0], |x, y| {
        let (dx, dy) = ((x - sx) / (55.0 * unit), (y - sy) / (1.1 * unit));
        0.5 * power * libm::expf(-dy * dy) / (1.0 + dx * dx)
    });
    let ghosts = [
        (0.45, 3.2, 0.10, [20.0, -24.0]),
        (1.35, 5.5, 0.09, [-34.0, 10.0]),
        (1.7, 2.4, 0.14, [-20.0, 30.0]),
        (2.1, 9.0, 0.06, [30.0, -30.0]),
    ];
    for (along, radius, bright, tint) in ghosts {
        let (gx, gy) = (sx + along * (mx - sx), sy + along * (my - sy));
        lights.add(tint, |x, y| {
            let far = libm::hypotf(x - gx, y - gy) / (radius * unit);
            let rim = if far < 1.0 { 0.55 + 0.45 * far * far } else { 0.0 };
            bright * power * rim.max(libm::expf(-4.0 * (far - 1.0).max(0.0)) * 0.5)
        });
    }
    lights.shine(like, 235.0)
}

/// Stray light on the film: two patches at the edges that wander and swell.
pub(super) fn leak(like: &Grid, seed: [f32; 3], secs: f32, strength: f32) -> Shine {
    let size = like.size();
    let (w, h) = (size.0 as f32, size.1 as f32);
    let mut lights = Lights::new(size);
    let wave = |pace: f32, phase: f32| 0.5 + 0.5 * libm::sinf(pace * secs + 6.3 * phase);
    let patches = [
        (if seed[0] < 0.5 { 0.0 } else { w }, 0.9, seed[1], [-46.0, 52.0]),
        (if seed[0] < 0.5 { w } else { 0.0 }, 0.45, seed[2], [-62.0, 24.0]),
    ];
    for (x0, bright, phase, tint) in patches {
        let y0 = h * (0.15 + 0.7 * wave(0.35, phase));
        let swell = bright * strength * (0.25 + 0.75 * wave(1.3, phase) * wave(0.57, phase + 0.3));
        lights.add(tint, |x, y| {
            let dx = (x - x0) / (0.3 * w);
            let dy = (y - y0) / (0.75 * h);
            swell * libm::expf(-(dx * dx + dy * dy))
        });
    }
    lights.shine(like, 225.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernels::{Similarity, Yuv420, haze};

    const BLOOM: Glow =
        Glow { gain: 1.0, reach: (2.0, 8.0), colour: 1.0, tint: [0.0; 2], small: false };

    fn lamp() -> Yuv420 {
        let mut frame = Yuv420::new(320, 192, [30, 128, 128]).unwrap();
        for y in 90..102 {
            frame.as_mut().planes_mut()[0].row_mut(y)[150..162].fill(230);
        }
        frame
    }

    #[test]
    fn a_lamp_glows_and_nothing_darkens() {
        let before = lamp();
        let coarse = Coarse::of(before.as_ref());
        let shine = glow(before.as_ref(), &coarse, &BLOOM, 1.0);
        let mut after = before.clone();
        haze::blend(&shine.amount, &shine.goal, &mut after.as_mut());
        let pairs = before.planes()[0].data().iter().zip(after.planes()[0].data());
        assert!(pairs.clone().all(|(b, a)| a >= b));
        assert!(after.as_ref().y().at(156, 112) > 33);
        assert_eq!(after.as_ref().y().at(8, 8), 30);
    }

    #[test]
    fn black_stays_black() {
        let black = Yuv420::new(320, 192, [16, 128, 128]).unwrap();
        let coarse = Coarse::of(black.as_ref());
        for small in [false, true] {
            let how = Glow { small, ..BLOOM };
            let shine = glow(black.as_ref(), &coarse, &how, 1.0);
            assert!(shine.amount.data().iter().all(|&v| v == 0));
        }
    }

    #[test]
    fn beams_fade_away_from_their_source_and_need_one() {
        let frame = lamp();
        let coarse = Coarse::of(frame.as_ref());
        let mut source = Source::default();
        source.see(&coarse.planes[0], 0, Similarity::IDENTITY);
        source.power = 1.0;
        let shine = rays(frame.as_ref(), &coarse, &source, 1.0);
        assert!(shine.amount.at(19, 12) > shine.amount.at(19, 2));
        source.power = 0.0;
        let none = rays(frame.as_ref(), &coarse, &source, 1.0);
        assert!(none.amount.data().iter().all(|&v| v == 0));
    }
}
