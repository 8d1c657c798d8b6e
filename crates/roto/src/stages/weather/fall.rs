//! Rain, snow and dust as layers of streaks at several depths.
//!
//! A layer is an endless grid of cells that hangs in the scene: which cells have a particle, and
//! where in them, is a hash. The screen is mapped into the grid by the scene's motion (more of it
//! for near layers: parallax) and by how far the layer has fallen, and the cells that it covers
//! are drawn. So a particle is the same one from frame to frame, a pan uncovers new ones, and no
//! state is kept. What falls through a shot has nothing to do with another: the shot is hashed too.

use kernels::Similarity;
use kernels::particles::Streak;

use crate::sheet::Air;

/// Side of a cell in px of a picture 720 px high.
const CELL: f32 = 72.0;

/// Part of the time between frames that the shutter is open.
const SHUTTER: f32 = 0.5;

/// Part of a particle's rank over which it fades in as the weather grows.
const FADE: f32 = 0.12;

/// Most particles in a cell.
const MOST: u32 = 40;

/// Zoom of the scene that a layer follows, either way.
const ZOOM: f32 = 2.0;

/// One depth of one kind of particle, in px of a picture 720 px high.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    /// Part of the scene's motion that it takes: 1 is the scene's own distance.
    parallax: f32,
    /// Speed in px a second, downwards.
    fall: f32,
    /// Speed to the right for each px downwards, or in px a second where nothing falls.
    wind: f32,
    /// Radius.
    radius: f32,
    /// Cover along the middle, 0 to 255.
    cover: f32,
    /// Particles in a cell at full weather.
    count: f32,
    /// Sideways swing.
    sway: f32,
}

const fn depth(
    parallax: f32,
    fall: f32,
    wind: f32,
    radius: f32,
    cover: f32,
    count: f32,
    sway: f32,
) -> Depth {
    Depth { parallax, fall, wind, radius, cover, count, sway }
}

/// Far to near. A drop of 2 mm falls at 6.5 m/s, a flake at 1 m/s (Gunn, Kinzer 1949).
const RAIN: [Depth; 5] = [
    depth(0.85, 470.0, 0.09, 0.85, 96.0, 34.0, 0.0),
    depth(0.95, 760.0, 0.1, 1.05, 112.0, 18.0, 0.0),
    depth(1.1, 1250.0, 0.11, 1.35, 116.0, 7.0, 0.0),
    depth(1.3, 2100.0, 0.12, 1.9, 96.0, 2.0, 0.0),
    depth(1.6, 3500.0, 0.13, 3.0, 62.0, 0.45, 0.0),
];

const SNOW: [Depth; 5] = [
    depth(0.85, 42.0, 0.25, 1.5, 165.0, 34.0, 5.0),
    depth(0.95, 70.0, 0.28, 2.1, 205.0, 15.0, 8.0),
    depth(1.1, 118.0, 0.3, 3.2, 215.0, 5.5, 14.0),
    depth(1.35, 200.0, 0.32, 5.4, 170.0, 1.2, 22.0),
    depth(1.7, 340.0, 0.34, 11.0, 95.0, 0.2, 30.0),
];

const DUST: [Depth; 3] = [
    depth(0.95, 3.0, 16.0, 1.4, 140.0, 6.0, 6.0),
    depth(1.2, 5.0, 26.0, 2.3, 130.0, 2.0, 10.0),
    depth(1.6, 8.0, 44.0, 5.2, 70.0, 0.4, 16.0),
];

/// Strength above which dust is driven by a storm.
const SANDSTORM: f32 = 0.8;

/// Where and when streaks are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The scene's motion since the start of the shot, on the screen.
    pub(super) scene: Similarity,
    /// The same one frame ago, or the same again at the start of the shot.
    pub(super) before: Similarity,
    /// Seconds since the start of the clip.
    pub(super) secs: f32,
    /// Seconds a frame.
    pub(super) step: f32,
    /// Decides all places; differs from shot to shot.
    pub(super) seed: u64,
    /// Width and height of the screen in px.
    pub(super) screen: (usize, usize),
}

/// The layers of a kind of weather at full amount, far to near.
pub(super) fn depths(air: Air, strength: f32) -> Vec<Depth> {
    match air {
        Air::Rain => RAIN.to_vec(),
        Air::Storm => {
            let driven = |d: &Depth| Depth { wind: d.wind + 0.26, count: d.count * 1.35, ..*d };
            RAIN.iter().map(driven).collect()
        }
        Air::Snow => SNOW.to_vec(),
        Air::Dust if strength > SANDSTORM => {
            let driven = |d: &Depth| Depth {
                fall: d.fall * 4.0,
                wind: d.wind * 26.0,
                radius: d.radius * 0.75,
                cover: d.cover * 0.8,
                count: d.count * 2.5,
                ..*d
            };
            DUST.iter().map(driven).collect()
        }
        Air::Dust => DUST.to_vec(),
        Air::Lightning | Air::Fog | Air::Smoke => Vec::new(),
    }
}

/// Adds the streaks of a layer with `amount` (0 to 1) of its particles.
pub(super) fn streaks(depth: &Depth, nth: usize, amount: f32, at: &Moment, out: &mut Vec<Streak>) {
    if amount <= 0.0 {
        return;
    }
    // Three speeds a layer, so that it doesn't fall like a curtain.
    for (part, pace) in [0.86f32, 1.0, 1.17].into_iter().enumerate() {
        let seed = mix(at.seed ^ mix((nth * 3 + part) as u64 + 1));
        Layer::new(depth, pace, at).draw(seed, amount, out);
    }
}

/// A layer at a moment, in px of the screen.
struct Layer<'a> {
    depth: &'a Depth,
    at: &'a Moment,
    unit: f32,
    velocity: (f32, f32),
    motion: Similarity,
    /// How far the scene moves under a point of the screen while the shutter is open.
    camera: (f32, f32),
}

// === impl Layer ===

impl<'a> Layer<'a> {
    fn new(depth: &'a Depth, pace: f32, at: &'a Moment) -> Self {
        let unit = at.screen.1 as f32 / 720.0;
        let across =
            if depth.sway > 0.0 && depth.wind > 1.0 { depth.wind } else { depth.wind * depth.fall };
        let velocity = (across * pace * unit, depth.fall * pace * unit);
        let motion = shared(&at.scene, depth.parallax);
        let now = at.before.inverse().then(&at.scene);
        let camera = (now.tx * depth.parallax * SHUTTER, now.ty * depth.parallax * SHUTTER);
        Self { depth, at, unit, velocity, motion, camera }
    }

    fn draw(&self, seed: u64, amount: f32, out: &mut Vec<Streak>) {
        let cell = CELL * self.unit;
        let open = self.at.step * SHUTTER;
        let tail = (self.velocity.0 * open + self.camera.0, self.velocity.1 * open + self.camera.1);
        let fallen = (self.velocity.0 * self.at.secs, self.velocity.1 * self.at.secs);
        let margin = self.depth.sway * self.unit
            + self.depth.radius * self.unit
            + tail.0.abs().max(tail.1.abs());
        let ((left, top), (right, bottom)) = self.covered(margin);
        let index = |v: f32| libm::floorf(v / cell) as i64;
        // A third of the count for each of the three speeds.
        let expected = self.depth.count / 3.0 * amount;
        let slots = (libm::ceilf(self.depth.count / 3.0) as u32).clamp(1, MOST);
        for row in index(top - fallen.1)..=index(bottom - fallen.1) {
            for column in index(left - fallen.0)..=index(right - fallen.0) {
                let key = mix(seed ^ mix(column as u64) ^ mix(row as u64).rotate_left(17));
                for slot in 0..slots {
                    let dice = mix(key ^ u64::from(slot));
                    let rank = (unit(dice) + slot as f32) / slots as f32 * self.depth.count / 3.0;
                    let there = ((expected - rank) / (FADE * self.depth.count)).clamp(0.0, 1.0);
                    if there <= 0.0 {
                        continue;
                    }
                    let place = mix(dice);
                    let base = (
                        (column as f32 + unit(place)) * cell + fallen.0,
                        (row as f32 + unit(place << 24)) * cell + fallen.1,
                    );
                    out.push(self.streak(base, mix(place), tail, there));
                }
            }
        }
    }

    fn streak(&self, base: (f32, f32), dice: u64, tail: (f32, f32), there: f32) -> Streak {
        let depth = self.depth;
        let (size, phase, lean) = (unit(dice), unit(dice << 20), unit(dice << 40));
        let swing = (self.at.secs * (0.7 + 0.9 * lean) + phase) * std::f32::consts::TAU;
        let sway = depth.sway * self.unit;
        let place = (
            base.0 + sway * libm::sinf(swing) * (0.4 + 0.6 * size),
            base.1 + 0.3 * sway * libm::cosf(0.7 * swing),
        );
        let (x, y) = self.motion.apply(place);
        let middle = (self.at.screen.0 as f32 / 2.0, self.at.screen.1 as f32 / 2.0);
        let head = (x + middle.0, y + middle.1);
        // Drops differ by a degree or two, flakes by the swing that they have.
        let askew = if depth.sway > 0.0 { 0.0 } else { 0.05 * (lean - 0.5) };
        let (length, radius) = if depth.sway > 0.0 {
            (1.0, 0.55 + 0.95 * size * size)
        } else {
            (0.7 + 0.6 * size, 0.8 + 0.4 * phase)
        };
        let to = (head.0 - (tail.0 + askew * tail.1) * length, head.1 - tail.1 * length);
        // A smaller particle covers less than a pixel: it is drawn fainter, not finer.
        let wanted = depth.radius * radius * self.unit;
        let radius = wanted.max(0.75);
        let cover = depth.cover * there * (0.55 + 0.45 * lean) * (wanted / radius).min(1.0);
        Streak { from: head, to, radius, cover }
    }

    /// The box of the layer that the screen and a margin show.
    fn covered(&self, margin: f32) -> ((f32, f32), (f32, f32)) {
        let back = self.motion.inverse();
        let half = (self.at.screen.0 as f32 / 2.0 + margin, self.at.screen.1 as f32 / 2.0 + margin);
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)]
            .map(|(x, y): (f32, f32)| back.apply((x * half.0, y * half.1)));
        corners.iter().fold(
            ((f32::INFINITY, f32::INFINITY), (f32::NEG_INFINITY, f32::NEG_INFINITY)),
            |(low, high), &(x, y)| ((low.0.min(x), low.1.min(y)), (high.0.max(x), high.1.max(y))),
        )
    }
}

/// The part of the scene's motion that a layer takes.
pub(super) fn shared(scene: &Similarity, parallax: f32) -> Similarity {
    let part = scene.fraction(parallax);
    Similarity { scale: part.scale.clamp(1.0 / ZOOM, ZOOM), ..part }
}

/// Mixes the bits of a word (the finaliser of SplitMix64, Steele et al. 2014).
pub(in crate::stages) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// 0 to 1 from a hashed word.
pub(in crate::stages) fn unit(word: u64) -> f32 {
    (word >> 40) as f32 / (1u64 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(scene: Similarity, secs: f32, seed: u64) -> Moment {
        Moment { scene, before: scene, secs, step: 1.0 / 24.0, seed, screen: (640, 360) }
    }

    fn all(air: Air, amount: f32, at: &Moment) -> Vec<Streak> {
        let mut out = Vec::new();
        for (nth, depth) in depths(air, 0.7).iter().enumerate() {
            streaks(depth, nth, amount, at, &mut out);
        }
        out
    }

    #[test]
    fn density_follows_the_amount() {
        let at = moment(Similarity::IDENTITY, 1.0, 3);
        for air in [Air::Rain, Air::Snow, Air::Dust, Air::Storm] {
            let [none, some, more, full] = [0.0, 0.3, 0.6, 1.0].map(|a| all(air, a, &at).len());
            assert!(none == 0 && some < more && more < full, "{air:?} {some} {more} {full}");
            let ratio = full as f32 / some as f32;
            assert!((2.0..5.0).contains(&ratio), "{air:?} {ratio}");
        }
    }

    #[test]
    fn layers_move_with_the_scene_by_their_parallax() {
        let depth = SNOW[3];
        let seen = |shift: f32| {
            let mut out = Vec::new();
            let at = moment(Similarity::translation(shift, 0.0), 2.0, 9);
            streaks(&depth, 3, 1.0, &at, &mut out);
            out
        };
        let (still, panned) = (seen(0.0), seen(20.0));
        let inside: Vec<_> = still.iter().filter(|s| (100.0..500.0).contains(&s.from.0)).collect();
        assert!(inside.len() > 20);
        for streak in inside {
            let goal = streak.from.0 + 20.0 * depth.parallax;
            let found = panned.iter().any(|other| {
                (other.from.0 - goal).abs() < 0.1 && (other.from.1 - streak.from.1).abs() < 0.1
            });
            assert!(found, "{streak:?}");
        }
    }

    #[test]
    fn a_flake_is_the_same_one_a_frame_later_and_another_in_another_shot() {
        let near = |a: &Streak, b: &Streak| {
            (a.from.0 - b.from.0).abs() < 8.0 && (0.0..12.0).contains(&(b.from.1 - a.from.1))
        };
        let now = all(Air::Snow, 0.5, &moment(Similarity::IDENTITY, 2.0, 4));
        let next = all(Air::Snow, 0.5, &moment(Similarity::IDENTITY, 2.0 + 1.0 / 24.0, 4));
        let inside =
            |s: &&Streak| (20.0..600.0).contains(&s.from.0) && (20.0..300.0).contains(&s.from.1);
        let kept = |others: &[Streak]| {
            now.iter()
                .filter(inside)
                .filter(|s| others.iter().any(|other| near(s, other) && s.radius == other.radius))
                .count()
        };
        let seen = now.iter().filter(inside).count();
        assert_eq!(kept(&next), seen);
        let cut = all(Air::Snow, 0.5, &moment(Similarity::IDENTITY, 2.0, 5));
        let large = |s: &&Streak| s.radius > 1.6;
        let common = now.iter().filter(large).filter(|s| cut.contains(s)).count();
        assert_eq!(common, 0);
    }
}
