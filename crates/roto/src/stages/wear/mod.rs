//! What film and tape do to a picture: it lies on the carrier and not in the scene, so it does not
//! follow the camera, and a cut does not change it.
//!
//! Damage lasts a frame or two, scratches some seconds; weave and flicker are slow sums of waves,
//! with a little of every frame's own.

use kernels::grid::Grid;
use kernels::particles::{self, Streak};
use kernels::tape::{self, Tape};
use kernels::{Plane, Similarity, warp};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use super::weather::{mix, unit};
use crate::envelope;
use crate::fail::Failure;
use crate::footage::{view, view_mut};
use crate::sheet::{EffectWish, Effects, Wear};
use crate::timeline::Cue;

/// Seconds that a scratch stays on its track at most.
const SCRATCH_SECS: f32 = 2.5;

/// Seconds between two chances of a glitch.
const GLITCH_EVERY: f32 = 0.8;

/// Codes that dirt is drawn towards, and those of scratches in the emulsion.
const DARK: i16 = 26;
const LIGHT: i16 = 222;

/// Wear over frames.
pub(crate) struct WearStage {
    wishes: Vec<EffectWish<Wear>>,
    cover: Plane,
    rate: f64,
    frames: usize,
    seed: u64,
}

/// Streaks of dirt and streaks of light.
#[derive(Default)]
struct Damage {
    dark: Vec<Streak>,
    light: Vec<Streak>,
}

// === impl WearStage ===

impl WearStage {
    /// For a clip of `frames` frames of `size` px, `rate` a second.
    pub(crate) fn new(
        wishes: &Effects<Wear>,
        size: (usize, usize),
        rate: f64,
        frames: usize,
        seed: u64,
    ) -> Result<Self, Failure> {
        let cover = Plane::new(size.0, size.1, 0)?;
        Ok(Self { wishes: wishes.0.clone(), cover, rate, frames, seed: mix(seed ^ 0xF11A) })
    }

    fn secs(&self, n: usize) -> f32 {
        (n as f64 / self.rate) as f32
    }

    /// A number of 0 to 1 of frame `n`.
    fn dice(&self, n: usize, salt: u64) -> f32 {
        unit(mix(self.seed ^ mix((n as u64) << 8 ^ salt)))
    }

    /// The film's way through the gate: it shifts, and its light breathes.
    fn gate(&self, n: usize, weave: f32, breath: f32, frame: &mut Frame) -> Result<(), Failure> {
        let secs = self.secs(n);
        let unit = frame.height() as f32 / 720.0;
        let wave = |a: f32, b: f32, salt: u64| {
            0.55 * libm::sinf(a * secs)
                + 0.35 * libm::sinf(b * secs + 1.3)
                + 0.5 * (self.dice(n, salt) - 0.5)
        };
        let shift = (wave(3.1, 7.7, 1) * weave * unit, 1.4 * wave(4.3, 11.0, 2) * weave * unit);
        // Magnified by as much as the gate moves, so that no edge shows.
        let room = 1.0 - 5.0 * weave * unit / frame.height() as f32;
        let before = frame.clone();
        let source_of = Similarity { scale: room, rotation: 0.0, tx: shift.0, ty: shift.1 };
        warp::frame_by_similarity(view(&before)?, &source_of, &mut view_mut(frame)?);
        self.flicker(n, breath, frame);
        Ok(())
    }

    fn flicker(&self, n: usize, breath: f32, frame: &mut Frame) {
        let secs = self.secs(n);
        let slow = 0.4 * libm::sinf(9.0 * secs) + 0.3 * libm::sinf(23.0 * secs + 0.7);
        let gain = 1.0 + breath * (slow + 1.2 * (self.dice(n, 3) - 0.5));
        let table: [u8; 256] = std::array::from_fn(|code| {
            (16.0 + gain * (code as f32 - 16.0)).clamp(0.0, 255.0) as u8
        });
        for code in frame.planes_mut().0 {
            *code = table[usize::from(*code)];
        }
    }

    /// Dust and hairs of this frame, and the scratches that run through it.
    fn damage(&self, n: usize, strength: f32, narrow: bool, size: (f32, f32)) -> Damage {
        let mut damage = Damage::default();
        let unit720 = size.1 / 720.0;
        let expected = if narrow { 4.0 } else { 16.0 } * strength * strength;
        let count = (expected * 2.0 * self.dice(n, 10)) as u64;
        for k in 0..count {
            let dice = |salt: u64| self.dice(n, 100 + 16 * k + salt);
            let from = (dice(0) * size.0, dice(1) * size.1);
            let hair = dice(2) < 0.12;
            let grown = dice(3);
            let length = if hair { 18.0 + 50.0 * grown } else { 3.5 * grown * grown } * unit720;
            let angle = dice(4) * std::f32::consts::TAU;
            let radius = if hair { 1.1 } else { 1.5 + 4.2 * grown * grown } * unit720;
            let cover = 130.0 + 110.0 * dice(5);
            let side = if dice(6) < 0.7 { &mut damage.dark } else { &mut damage.light };
            bent(from, angle, length, dice(7) - 0.5, radius.max(0.8), cover, side);
        }
        if !narrow {
            self.scratches(n, strength, size, &mut damage);
        }
        damage
    }

    /// Lines along the film: they stay for seconds, wander a little, and come and go.
    fn scratches(&self, n: usize, strength: f32, size: (f32, f32), damage: &mut Damage) {
        let secs = self.secs(n);
        let tracks = 1 + (3.0 * strength) as u64;
        for track in 0..tracks {
            let offset = unit(mix(self.seed ^ track)) * SCRATCH_SECS;
            let run = ((secs + offset) / SCRATCH_SECS) as u64;
            let part = (secs + offset) / SCRATCH_SECS - run as f32;
            let dice = |salt: u64| unit(mix(self.seed ^ mix(track << 40 ^ run << 8 ^ salt)));
            if dice(0) > 0.35 + 0.5 * strength || part > 0.25 + 0.7 * dice(1) {
                continue;
            }
            // A scratch is broken: it is not there in every frame.
            if self.dice(n, 60 + track) < 0.25 {
                continue;
            }
            let wander = 2.5 * libm::sinf(2.1 * secs + 6.0 * dice(2));
            let jitter = 1.2 * (self.dice(n, 40 + track) - 0.5);
            let x = dice(3) * size.0 + (wander + jitter) * size.1 / 720.0;
            let lean = (dice(4) - 0.5) * 5.0;
            let top = if dice(5) < 0.5 { 0.0 } else { dice(6) * 0.5 * size.1 };
            let streak = Streak {
                from: (x, top - 4.0),
                to: (x + lean, size.1 + 4.0),
                radius: (0.95 * size.1 / 720.0).max(0.75),
                cover: 70.0 + 110.0 * self.dice(n, 80 + track) * strength,
            };
            if dice(7) < 0.6 { damage.light.push(streak) } else { damage.dark.push(streak) }
        }
    }

    fn lay(&mut self, damage: &Damage, frame: &mut Frame) -> Result<(), Failure> {
        let size = (frame.width() as usize, frame.height() as usize);
        for (streaks, code) in [(&damage.dark, DARK), (&damage.light, LIGHT)] {
            if !streaks.is_empty() {
                particles::draw(streaks, &mut self.cover.as_mut());
                let light = Grid::new(size, code);
                particles::lay(self.cover.as_ref(), &light, [128; 2], &mut view_mut(frame)?);
            }
        }
        Ok(())
    }

    fn one(
        &mut self,
        wear: Wear,
        strength: f32,
        n: usize,
        frame: &mut Frame,
    ) -> Result<(), Failure> {
        let size = (frame.width() as f32, frame.height() as f32);
        match wear {
            Wear::Film | Wear::Narrow => {
                let narrow = wear == Wear::Narrow;
                let (weave, breath) = if narrow { (1.3, 0.022) } else { (1.5, 0.05) };
                self.gate(n, weave * strength, breath * strength, frame)?;
                let damage = self.damage(n, strength, narrow, size);
                self.lay(&damage, frame)?;
            }
            Wear::Flicker => self.flicker(n, 0.16 * strength, frame),
            Wear::Tape => {
                let secs = self.secs(n);
                // A tracking error climbs through the picture now and then.
                let run = secs / 3.2 + unit(self.seed);
                let tracking = 1.3 - 2.2 * (run - libm::floorf(run));
                let tape = Tape { wear: strength, seed: self.seed, tracking };
                tape::play(&mut view_mut(frame)?, tape, n as u64);
            }
            Wear::ScanLines => tape::scan_lines(&mut view_mut(frame)?, strength),
            Wear::Glitch => {
                let amount = self.broken(n, strength);
                // A broken picture stands for two frames, as a stream's does.
                let key = mix(self.seed ^ mix(n as u64 / 2));
                tape::glitch(&mut view_mut(frame)?, amount, key);
            }
        }
        Ok(())
    }

    /// How broken frame `n` is: brief bursts with whole frames between.
    fn broken(&self, n: usize, strength: f32) -> f32 {
        let secs = self.secs(n);
        let slot = (secs / GLITCH_EVERY) as u64;
        let dice = |salt: u64| unit(mix(self.seed ^ mix(slot << 8 ^ salt)));
        let start = dice(1) * 0.5 * GLITCH_EVERY;
        let since = secs - slot as f32 * GLITCH_EVERY - start;
        let lasts = 0.08 + 0.22 * strength * dice(2);
        let on = dice(3) < 0.45 + 0.5 * strength && (0.0..lasts).contains(&since);
        if on { 0.35 + 0.65 * strength } else { 0.0 }
    }
}

/// A line of a few pieces that bends.
fn bent(
    from: (f32, f32),
    angle: f32,
    length: f32,
    bend: f32,
    radius: f32,
    cover: f32,
    out: &mut Vec<Streak>,
) {
    const PIECES: usize = 5;
    let pieces = if length > 12.0 { PIECES } else { 1 };
    let (mut at, mut angle) = (from, angle);
    for _ in 0..pieces {
        let step = length / pieces as f32;
        let to = (at.0 + step * libm::cosf(angle), at.1 + step * libm::sinf(angle));
        out.push(Streak { from: at, to, radius, cover });
        angle += bend;
        at = to;
    }
}

impl Stage for WearStage {
    fn name(&self) -> &'static str {
        "wear"
    }

    fn parameters(&self) -> Value {
        let kinds = self.wishes.iter().map(|wish| format!("{:?}", wish.kind).to_lowercase());
        json!({ "kinds": kinds.collect::<Vec<_>>() })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let length = self.frames as f64 / self.rate;
        for wish in self.wishes.clone() {
            let share = envelope::share(wish.when, n as f64 / self.rate, length);
            if share > 0.0 {
                self.one(wish.kind, share * wish.strength, n, frame)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worn(kind: Wear, strength: f32, seed: u64, n: usize) -> Frame {
        let wish = EffectWish { kind, strength, when: None, words: String::new() };
        let mut stage = WearStage::new(&Effects(vec![wish]), (320, 180), 24.0, 120, seed).unwrap();
        let mut bytes = vec![128u8; Frame::bytes(320, 180)];
        for (k, code) in bytes[..320 * 180].iter_mut().enumerate() {
            *code = 60 + (k % 320 / 3) as u8;
        }
        let mut frame = Frame::from_bytes(320, 180, bytes).unwrap();
        stage.apply(n, &Cue::at(n as f64), &mut frame).unwrap();
        frame
    }

    #[test]
    fn wear_repeats_with_its_seed_and_differs_from_frame_to_frame() {
        for kind in [Wear::Film, Wear::Narrow, Wear::Flicker, Wear::Tape] {
            assert_eq!(worn(kind, 0.7, 5, 9), worn(kind, 0.7, 5, 9), "{kind:?}");
            assert_ne!(worn(kind, 0.7, 5, 9), worn(kind, 0.7, 5, 10), "{kind:?}");
        }
    }

    #[test]
    fn damage_grows_with_the_strength() {
        let stage = WearStage::new(&Effects(Vec::new()), (320, 180), 24.0, 120, 3).unwrap();
        let specks = |strength| -> usize {
            let damage = |n| stage.damage(n, strength, false, (320.0, 180.0));
            (0..100).map(damage).map(|d| d.dark.len() + d.light.len()).sum()
        };
        assert!(specks(0.3) * 2 < specks(0.6) && specks(0.6) < specks(0.95));
    }

    #[test]
    fn glitches_are_brief() {
        let stage = WearStage::new(&Effects(Vec::new()), (320, 180), 24.0, 240, 3).unwrap();
        let broken = (0..240).filter(|&n| stage.broken(n, 0.7) > 0.0).count();
        assert!((5..110).contains(&broken), "{broken}");
    }
}
