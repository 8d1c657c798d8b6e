//! What the air does to what is behind it: fog, mist, smoke, dust, and the haze of rain and snow.

use kernels::Similarity;
use kernels::grid::CELL;
use kernels::haze::Coarse;

use super::fall::{mix, shared, unit};
use crate::sheet::Air;

/// Side of the noise's tile in knots.
const KNOTS: usize = 32;

/// Share of a new frame in the distances that are remembered.
const NEW: f32 = 0.12;

/// Part of the scene's motion that fog takes.
const PARALLAX: f32 = 0.9;

/// How a kind of weather fills the air.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    /// Optical depth at the farthest, at full strength.
    pub(super) thick: f32,
    /// Part of it that lies on near things too.
    near: f32,
    /// How patchy it is, 0 to 1.
    patches: f32,
    /// Size of a patch in heights of the picture.
    size: f32,
    /// Drift in heights of the picture a second.
    drift: (f32, f32),
    /// Colour difference of the air, and how much of the scene's own is left.
    tint: ([f32; 2], f32),
    /// Lightness of the air between the middle and the brightest of the scene.
    light: f32,
}

// === impl Fill ===

impl Fill {
    /// What a kind of weather at a strength fills the air with.
    pub(super) fn of(air: Air, strength: f32) -> Option<Self> {
        let base = Self {
            thick: 0.0,
            near: 0.1,
            patches: 0.35,
            size: 0.55,
            drift: (0.02, 0.0),
            tint: ([128.0, 127.0], 0.4),
            light: 0.75,
        };
        let storm = strength > 0.8;
        Some(match air {
            Air::Fog => Self { thick: 2.9, near: 0.1, patches: 0.5, light: 0.85, ..base },
            Air::Rain => Self { thick: 1.0, patches: 0.2, light: 0.6, ..base },
            Air::Storm => Self { thick: 1.1, patches: 0.5, drift: (0.12, 0.0), light: 0.5, ..base },
            Air::Snow => Self { thick: 0.95, patches: 0.2, light: 0.85, ..base },
            Air::Dust => Self {
                thick: if storm { 3.0 } else { 1.3 },
                near: if storm { 0.22 } else { 0.08 },
                patches: 0.6,
                drift: (if storm { 0.3 } else { 0.05 }, 0.0),
                tint: ([108.0, 142.0], 0.15),
                light: 0.6,
                ..base
            },
            Air::Smoke => Self {
                thick: 2.2,
                near: 0.3,
                patches: 1.0,
                size: 0.4,
                drift: (0.025, -0.05),
                tint: ([128.0, 128.0], 0.1),
                light: 0.45,
            },
            Air::Lightning => return None,
        })
    }
}

/// Distances and light of the scene, kept from frame to frame of a shot.
pub(super) struct Sense {
    distance: Vec<f32>,
    /// The scene's motion at which `distance` was seen.
    seen: Similarity,
    shot: Option<usize>,
    /// Median and brightest luma, and the differences of the bright part.
    pub(super) light: [f32; 4],
}

// === impl Sense ===

impl Sense {
    pub(super) fn new() -> Self {
        let (seen, light) = (Similarity::IDENTITY, [0.0; 4]);
        Self { distance: Vec::new(), seen, shot: None, light }
    }

    /// Takes in a frame. What was known is carried along with the scene, and forgotten at a cut.
    pub(super) fn see(&mut self, coarse: &Coarse, shot: usize, scene: Similarity) -> &[f32] {
        let now = coarse.distance();
        let light = light(coarse);
        if self.shot.replace(shot) == Some(shot) && self.distance.len() == now.len() {
            let size = coarse.planes[0].size();
            let back = scene.inverse().then(&self.seen).resized(1.0 / CELL as f32);
            let carried = carry(&self.distance, size, &back);
            let mixed = carried.iter().zip(&now).map(|(old, new)| old + NEW * (new - old));
            self.distance = mixed.collect();
            for (old, new) in self.light.iter_mut().zip(light) {
                *old += NEW * (new - *old);
            }
        } else {
            (self.distance, self.light) = (now, light);
        }
        self.seen = scene;
        &self.distance
    }

    /// The code of the air.
    pub(super) fn colour(&self, fill: &Fill) -> [u8; 3] {
        let [middle, bright, u, v] = self.light;
        // Lamps are the brightest of a night and don't light its air as the sky does a day's.
        let day = ((middle - 45.0) / 70.0).clamp(0.0, 1.0);
        let luma = middle + fill.light * (0.25 + 0.75 * day) * (bright - middle);
        let mixed = |own: f32, tint: f32| tint + fill.tint.1 * (own - tint);
        // At night a cast of the air is seen less.
        let lit = (luma / 140.0).clamp(0.25, 1.0);
        let tint = |own: f32, k: usize| 128.0 + lit * (mixed(own, fill.tint.0[k]) - 128.0);
        [luma.clamp(20.0, 228.0), tint(u, 0), tint(v, 1)].map(|code| libm::roundf(code) as u8)
    }
}

fn light(coarse: &Coarse) -> [f32; 4] {
    let [y, u, v] = &coarse.planes;
    let (middle, bright) = (y.quantile(0.5), y.quantile(0.92));
    let (mut sum, mut count) = ([0.0f32; 2], 0.0f32);
    for ((&y, &u), &v) in y.data().iter().zip(u.data()).zip(v.data()) {
        if y >= bright {
            sum = [sum[0] + f32::from(u), sum[1] + f32::from(v)];
            count += 1.0;
        }
    }
    let count = count.max(1.0);
    [f32::from(middle), f32::from(bright), sum[0] / count, sum[1] / count]
}

/// Values of a grid where `back` finds them, the border repeated.
fn carry(values: &[f32], (w, h): (usize, usize), back: &Similarity) -> Vec<f32> {
    let middle = (w as f32 / 2.0, h as f32 / 2.0);
    let at = |x: isize, y: isize| {
        let (x, y) = (x.clamp(0, w as isize - 1), y.clamp(0, h as isize - 1));
        values[y as usize * w + x as usize]
    };
    let value = |k: usize| {
        let from = ((k % w) as f32 + 0.5 - middle.0, (k / w) as f32 + 0.5 - middle.1);
        let (x, y) = back.apply(from);
        let (x, y) = (x + middle.0 - 0.5, y + middle.1 - 0.5);
        let (i, j) = (libm::floorf(x), libm::floorf(y));
        let (fx, fy) = (x - i, y - j);
        let (i, j) = (i as isize, j as isize);
        let top = at(i, j) + fx * (at(i + 1, j) - at(i, j));
        let low = at(i, j + 1) + fx * (at(i + 1, j + 1) - at(i, j + 1));
        top + fy * (low - top)
    };
    (0..w * h).map(value).collect()
}

/// Noise that hangs in the scene, drifts and changes its shape.
pub(super) struct Noise {
    knots: Vec<f32>,
}

// === impl Noise ===

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        let knot = |k: usize| unit(mix(seed ^ mix(k as u64)));
        Self { knots: (0..KNOTS * KNOTS).map(knot).collect() }
    }

    /// 0 to 1 at a point, in knots; it repeats after a tile.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (i, j) = (libm::floorf(x), libm::floorf(y));
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fx, fy) = (ease(x - i), ease(y - j));
        let (i, j) = (i as isize, j as isize);
        let knot = |i: isize, j: isize| {
            let n = KNOTS as isize;
            self.knots[(j.rem_euclid(n) * n + i.rem_euclid(n)) as usize]
        };
        let top = knot(i, j) + fx * (knot(i + 1, j) - knot(i, j));
        let low = knot(i, j + 1) + fx * (knot(i + 1, j + 1) - knot(i, j + 1));
        top + fy * (low - top)
    }

    /// Three octaves; each drifts at its own pace, so that the shape changes.
    fn cloud(&self, x: f32, y: f32, drift: (f32, f32)) -> f32 {
        let octave = |scale: f32, pace: f32, offset: f32| {
            self.at(
                (x - drift.0 * pace) * scale + offset,
                (y - drift.1 * pace) * scale + 1.7 * offset,
            )
        };
        0.55 * octave(1.0, 0.7, 0.0) + 0.3 * octave(2.1, 1.0, 7.3) + 0.15 * octave(4.3, 1.5, 13.1)
    }

    /// How much air (0 to 1) lies before each cell of the screen.
    pub(super) fn amounts(
        &self,
        fill: &Fill,
        thick: f32,
        distance: &[f32],
        (columns, rows): (usize, usize),
        scene: &Similarity,
        secs: f32,
    ) -> Vec<f32> {
        let cell = CELL as f32;
        let back = shared(scene, PARALLAX).inverse();
        let unit = rows as f32 * cell * fill.size;
        let drift = (fill.drift.0 * secs / fill.size, fill.drift.1 * secs / fill.size);
        let amount = |(k, &far): (usize, &f32)| {
            let x = ((k % columns) as f32 + 0.5 - columns as f32 / 2.0) * cell;
            let y = ((k / columns) as f32 + 0.5 - rows as f32 / 2.0) * cell;
            let (x, y) = back.apply((x, y));
            let cloud = self.cloud(x / unit + 9.0, 1.6 * y / unit + 5.0, drift);
            // The mean of the noise is a half: patches add and take alike.
            let patch = (1.0 + fill.patches * 3.2 * (cloud - 0.5)).max(0.0);
            let depth = fill.near + (1.0 - fill.near) * far;
            1.0 - libm::expf(-thick * depth * patch)
        };
        distance.iter().enumerate().map(amount).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernels::Yuv420;

    fn meadow(n: usize) -> Yuv420 {
        let mut frame = Yuv420::new(160, 96, [70, 110, 118]).unwrap();
        for y in 0..40 {
            frame.as_mut().planes_mut()[0].row_mut(y).fill(200);
        }
        // A little noise, as footage has.
        for y in 0..96 {
            for (x, code) in frame.as_mut().planes_mut()[0].row_mut(y).iter_mut().enumerate() {
                *code += (mix((n * 96 + y) as u64 * 160 + x as u64) % 5) as u8;
            }
        }
        frame
    }

    #[test]
    fn fog_over_a_still_camera_does_not_flicker() {
        let (mut sense, noise) = (Sense::new(), Noise::new(5));
        let fill = Fill::of(Air::Fog, 0.7).unwrap();
        let mut before: Option<f32> = None;
        for n in 0..24 {
            let mut frame = meadow(n);
            let coarse = Coarse::of(frame.as_ref());
            let distance = sense.see(&coarse, 0, Similarity::IDENTITY).to_vec();
            let size = coarse.planes[0].size();
            let secs = n as f32 / 24.0;
            let amounts = noise.amounts(&fill, 2.0, &distance, size, &Similarity::IDENTITY, secs);
            let veil = coarse.veil(&amounts);
            kernels::haze::lay(&veil, sense.colour(&fill), &mut frame.as_mut());
            let luma = frame.planes()[0].data();
            let mean = luma.iter().map(|&v| f32::from(v)).sum::<f32>() / luma.len() as f32;
            if let Some(before) = before.replace(mean) {
                assert!((mean - before).abs() < 0.4, "{n}: {before} {mean}");
            }
        }
    }

    #[test]
    fn fog_is_carried_by_the_scene() {
        let noise = Noise::new(5);
        let fill = Fill::of(Air::Fog, 0.7).unwrap();
        let far = vec![1.0; 40 * 24];
        let at = |scene: &Similarity| noise.amounts(&fill, 1.5, &far, (40, 24), scene, 1.0);
        let still = at(&Similarity::IDENTITY);
        // 0.9 of this motion is four cells.
        let moved = at(&Similarity::translation(4.0 * CELL as f32 / PARALLAX, 0.0));
        for y in 0..24 {
            for x in 4..40 {
                let (a, b) = (moved[y * 40 + x], still[y * 40 + x - 4]);
                assert!((a - b).abs() < 0.01, "{x} {y}: {a} {b}");
            }
        }
    }

    #[test]
    fn nothing_is_remembered_across_a_cut() {
        let mut sense = Sense::new();
        sense.see(&Coarse::of(meadow(0).as_ref()), 0, Similarity::IDENTITY);
        let night = Coarse::of(Yuv420::new(160, 96, [30, 128, 128]).unwrap().as_ref());
        let seen = sense.see(&night, 1, Similarity::IDENTITY).to_vec();
        assert_eq!(seen, Sense::new().see(&night, 1, Similarity::IDENTITY));
        assert_eq!(sense.light[0], 30.0);
    }
}
