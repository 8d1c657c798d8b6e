//! Weather between the scene and the lens: air first, then what falls in it, then flashes.
//!
//! All of it hangs in the scene: a pan moves the fog and the rain, each depth by its own part of
//! the camera's motion. Nothing is carried across a cut, and no frame depends on how the frames
//! before it were made, but for what a shot's distances and light are remembered as.

mod air;
mod fall;

use std::sync::Arc;

use kernels::grid::Grid;
use kernels::haze::{self, Coarse};
use kernels::{Plane, Similarity, particles};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::envelope;
use crate::fail::Failure;
use crate::footage::{view, view_mut};
use crate::scene::Scene;
use crate::sheet::{Air, WeatherWish};
use crate::timeline::Cue;
use air::{Fill, Noise, Sense};
use fall::Moment;
pub(super) use fall::{mix, unit};

/// Seconds between the places where a flash of lightning may begin: two a clip's second would be
/// more than people who are sensitive to flicker can bear (WCAG 2.3.1 allows three).
const FLASH_EVERY: f32 = 1.3;

/// Weather over frames.
pub(crate) struct WeatherStage {
    wishes: Vec<WeatherWish>,
    scene: Arc<Scene>,
    sense: Sense,
    noise: Noise,
    cover: Plane,
    most_streaks: usize,
}

// === impl WeatherStage ===

impl WeatherStage {
    pub(crate) fn new(wishes: Vec<WeatherWish>, scene: Arc<Scene>) -> Result<Self, Failure> {
        let cover = Plane::new(scene.screen.0, scene.screen.1, 0)?;
        let noise = Noise::new(scene.seed);
        Ok(Self { wishes, scene, sense: Sense::new(), noise, cover, most_streaks: 0 })
    }

    fn moment(&self, n: usize, shot: usize) -> Moment {
        let scene = self.scene.carried(&Similarity::IDENTITY, n);
        let before = match n.checked_sub(1) {
            Some(before) if self.scene.shot(before) == shot => {
                self.scene.carried(&Similarity::IDENTITY, before)
            }
            _ => scene,
        };
        Moment {
            scene,
            before,
            secs: (n as f64 / self.scene.rate) as f32,
            step: (1.0 / self.scene.rate) as f32,
            seed: mix(self.scene.seed ^ mix(shot as u64 ^ 0x57)),
            screen: self.scene.screen,
        }
    }

    fn fall(
        &mut self,
        wish: &WeatherWish,
        share: f32,
        at: &Moment,
        coarse: &Coarse,
        frame: &mut Frame,
    ) -> Result<(), Failure> {
        let depths = fall::depths(wish.air, wish.strength);
        if depths.is_empty() {
            return Ok(());
        }
        let mut streaks = Vec::new();
        for (nth, depth) in depths.iter().enumerate() {
            fall::streaks(depth, nth, share * density(wish), at, &mut streaks);
        }
        self.most_streaks = self.most_streaks.max(streaks.len());
        particles::draw(&streaks, &mut self.cover.as_mut());
        let (light, tint) = self.lit(wish.air, coarse);
        particles::lay(self.cover.as_ref(), &light, tint, &mut view_mut(frame)?);
        Ok(())
    }

    /// The light that particles show, and their colour differences: that of a wide piece of the
    /// scene around them, and of its sky.
    fn lit(&self, air: Air, coarse: &Coarse) -> (Grid, [u8; 2]) {
        let around = coarse.planes[0].blurred(9, 2);
        let [middle, bright, u, v] = self.sense.light;
        // A drop gathers the sky above all; a flake is white and takes what falls on it.
        let (own, gain, least) = match air {
            Air::Snow => (0.3, 1.3, 74.0),
            Air::Dust => (0.5, 1.2, 44.0),
            _ => (0.45, 1.2, 44.0),
        };
        let sky = 0.25 * middle + 0.75 * bright;
        let light = around.map(|code| {
            let mixed = own * f32::from(code) + (1.0 - own) * sky;
            (gain * (mixed - 16.0) + 16.0).clamp(least, 235.0) as i16
        });
        let half = |code: f32| libm::roundf(128.0 + 0.4 * (code - 128.0)) as u8;
        let tint = if air == Air::Dust { [112, 138] } else { [half(u), half(v)] };
        (light, tint)
    }
}

impl Stage for WeatherStage {
    fn name(&self) -> &'static str {
        "weather"
    }

    fn parameters(&self) -> Value {
        let airs = self.wishes.iter().map(|wish| format!("{:?}", wish.air).to_lowercase());
        json!({
            "kinds": airs.collect::<Vec<_>>(),
            "most_particles": self.most_streaks,
            "distance": "dark channel and height",
        })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let shot = self.scene.shot(n);
        let at = self.moment(n, shot);
        let coarse = Coarse::of(view(frame)?);
        let distance = self.sense.see(&coarse, shot, at.scene).to_vec();
        let length = self.scene.cues.len() as f64 / self.scene.rate;
        for wish in self.wishes.clone() {
            let share = envelope::share(wish.when, f64::from(at.secs), length);
            if share <= 0.0 {
                continue;
            }
            if let Some(fill) = Fill::of(wish.air, wish.strength) {
                let thick = fill.thick * share * density(&wish);
                let size = coarse.planes[0].size();
                let amounts = self.noise.amounts(&fill, thick, &distance, size, &at.scene, at.secs);
                let air = self.sense.colour(&fill);
                haze::lay(&coarse.veil(&amounts), air, &mut view_mut(frame)?);
            }
            self.fall(&wish, share, &at, &coarse, frame)?;
            let flash = share * flash(wish.air, wish.strength, &at);
            if flash > 0.0 {
                let sky = |far: &f32| flash * (0.12 + 0.5 * far);
                let amounts: Vec<f32> = distance.iter().map(sky).collect();
                haze::lay(&coarse.veil(&amounts), [235, 138, 123], &mut view_mut(frame)?);
            }
        }
        Ok(())
    }
}

/// The part of full weather that a wish asks for: a drizzle is a fifth of a downpour.
fn density(wish: &WeatherWish) -> f32 {
    let strength = wish.strength.clamp(0.0, 1.0);
    libm::powf(strength, 1.4)
}

/// How bright lightning is at a moment, 0 to 1: two strokes, the second weaker.
fn flash(air: Air, strength: f32, at: &Moment) -> f32 {
    let chance = match air {
        Air::Lightning => 0.5 + 0.5 * strength,
        Air::Storm => 0.3 + 0.3 * strength,
        _ => return 0.0,
    };
    let stroke = |since: f32, fade: f32| {
        if since < 0.0 { 0.0 } else { libm::expf(-since / fade) }
    };
    let now = (at.secs / FLASH_EVERY) as i64;
    let glow = |slot: i64| {
        let dice = mix(at.seed ^ mix(slot as u64 ^ 0xF1A5));
        if slot < 0 || unit(dice) > chance {
            return 0.0;
        }
        let start = (slot as f32 + 0.1 + 0.4 * unit(dice << 20)) * FLASH_EVERY;
        let since = at.secs - start;
        stroke(since, 0.06).max(0.75 * stroke(since - 0.17, 0.16))
    };
    let bright = glow(now).max(glow(now - 1));
    if bright < 0.02 { 0.0 } else { bright }
}
