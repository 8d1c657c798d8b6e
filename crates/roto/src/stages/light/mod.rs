//! Effects of light and lens, after the weather: what shines through the air does so in the lens.
//!
//! Light is added on a coarse grid and screened over the picture; it never darkens it. Sources are
//! followed with the scene and forgotten at cuts.

mod glow;
mod source;

pub(crate) use source::shines;

use std::sync::Arc;

use kernels::grid::Grid;
use kernels::haze::{self, Coarse};
use kernels::{Similarity, blur, warp};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::envelope;
use crate::fail::Failure;
use crate::footage::{view, view_mut};
use crate::scene::Scene;
use crate::sheet::{EffectWish, Effects, Light};
use crate::timeline::Cue;
use glow::{Glow, Shine};
use source::Source;

const BLOOM: Glow =
    Glow { gain: 1.1, reach: (1.0, 5.0), colour: 1.0, tint: [0.0; 2], small: false };

const WINDOWS: Glow =
    Glow { gain: 2.6, reach: (1.0, 4.0), colour: 0.5, tint: [-26.0, 22.0], small: true };

const NEON: Glow =
    Glow { gain: 1.9, reach: (1.0, 6.0), colour: 3.0, tint: [6.0, 4.0], small: true };

const BACKLIGHT: Glow =
    Glow { gain: 1.5, reach: (3.0, 12.0), colour: 0.8, tint: [-6.0, 8.0], small: false };

/// Places along the shutter's path at which a motion blur looks, beside the frame itself.
const BLUR_STEPS: usize = 6;

/// Light and lens over frames.
pub(crate) struct LightStage {
    wishes: Vec<EffectWish<Light>>,
    scene: Arc<Scene>,
    source: Source,
}

// === impl LightStage ===

impl LightStage {
    pub(crate) fn new(wishes: &Effects<Light>, scene: Arc<Scene>) -> Self {
        Self { wishes: wishes.0.clone(), scene, source: Source::default() }
    }

    fn one(
        &self,
        light: Light,
        strength: f32,
        n: usize,
        coarse: &Coarse,
        frame: &mut Frame,
    ) -> Result<(), Failure> {
        let like = &coarse.planes[0];
        let shine = match light {
            Light::Bloom => glow::glow(view(frame)?, coarse, &BLOOM, strength),
            Light::LitWindows => glow::glow(view(frame)?, coarse, &WINDOWS, strength),
            Light::Neon => {
                let ambience = neon(coarse, strength);
                haze::blend(&ambience.amount, &ambience.goal, &mut view_mut(frame)?);
                glow::glow(view(frame)?, coarse, &NEON, strength)
            }
            Light::Backlight => {
                glow::glow(view(frame)?, coarse, &BACKLIGHT, strength * self.source.power)
            }
            Light::GodRays => glow::rays(view(frame)?, coarse, &self.source, strength),
            Light::Flare => glow::flare(like, &self.source, strength),
            Light::Leak => {
                let dice = |k: u32| ((self.scene.seed >> (8 * k)) & 255) as f32 / 255.0;
                let secs = (n as f64 / self.scene.rate) as f32;
                glow::leak(like, [dice(0), dice(1), dice(2)], secs, strength)
            }
            Light::Focus => return self.focus(strength, n, like, frame),
            Light::Blur => return soften(strength * self.unit() * 9.0, frame),
            Light::Sharpen => return sharpen(strength, self.unit(), frame),
            Light::MotionBlur => return self.streak(strength, n, frame),
            Light::Fringes => return fringes(strength, frame),
        };
        haze::blend(&shine.amount, &shine.goal, &mut view_mut(frame)?);
        Ok(())
    }

    /// Px of the screen for each px of a picture 720 px high.
    fn unit(&self) -> f32 {
        self.scene.screen.1 as f32 / 720.0
    }

    /// Sharp around the subject, softer away from it.
    fn focus(
        &self,
        strength: f32,
        n: usize,
        like: &Grid,
        frame: &mut Frame,
    ) -> Result<(), Failure> {
        let (x, y) = self.subject(n);
        let mut soft = frame.clone();
        soften(strength * self.unit() * 11.0, &mut soft)?;
        let (columns, rows) = like.size();
        let mut amount = like.clone();
        for (k, out) in amount.data_mut().iter_mut().enumerate() {
            let dx = ((k % columns) as f32 + 0.5 - columns as f32 * x) / rows as f32;
            let dy = ((k / columns) as f32 + 0.5) / rows as f32 - y;
            // Wider below than above: the ground that a subject stands on is as near as it is.
            let far = libm::hypotf(dx / 0.5, dy / if dy > 0.0 { 0.62 } else { 0.5 });
            *out = (256.0 * crate::envelope::ease(f64::from(1.6 * (far - 0.62)))) as i16;
        }
        haze::mix(&amount, view(&soft)?, &mut view_mut(frame)?);
        Ok(())
    }

    /// Where the subject is on the screen, 0 to 1, averaged over a second.
    fn subject(&self, n: usize) -> (f32, f32) {
        let scene = &self.scene;
        let shot = scene.shot(n);
        let reach = (scene.rate / 2.0) as usize;
        let last = scene.cues.len().max(1) - 1;
        let (mut sum, mut count) = ((0.0, 0.0), 0.0);
        for near in n.saturating_sub(reach)..=(n + reach).min(last) {
            let at = scene.cues[near].main() as usize;
            let Some(&(x, y, _)) = scene.analysis.subjects.get(at) else { continue };
            if scene.shot(near) != shot {
                continue;
            }
            let point = (x * scene.picture.0 as f32, y * scene.picture.1 as f32);
            let seen = scene.window(near).to_screen(scene.screen).apply(point);
            sum = (
                sum.0 + seen.0 / scene.screen.0 as f32 + 0.5,
                sum.1 + seen.1 / scene.screen.1 as f32 + 0.5,
            );
            count += 1.0;
        }
        if count > 0.0 { (sum.0 / count, sum.1 / count) } else { (0.5, 0.5) }
    }

    /// The mean of the picture along the way that the scene goes while the shutter is open.
    fn streak(&self, strength: f32, n: usize, frame: &mut Frame) -> Result<(), Failure> {
        let other = if n > 0 && self.scene.shot(n - 1) == self.scene.shot(n) {
            n - 1
        } else if n + 1 < self.scene.cues.len() && self.scene.shot(n + 1) == self.scene.shot(n) {
            n + 1
        } else {
            return Ok(());
        };
        let carried = |n: usize| self.scene.carried(&Similarity::IDENTITY, n);
        let step = carried(other).inverse().then(&carried(n));
        let own = frame.clone();
        let mut moved = frame.clone();
        let full = Grid::new(self.scene.screen, 0);
        for k in 1..=BLUR_STEPS {
            let part = (k as f32 / BLUR_STEPS as f32 - 0.5) * 2.0 * strength;
            warp::frame_by_similarity(
                view(&own)?,
                &step.fraction(part),
                &mut view_mut(&mut moved)?,
            );
            let share = full.map(|_| (256 / (k + 1)) as i16);
            haze::mix(&share, view(&moved)?, &mut view_mut(frame)?);
        }
        Ok(())
    }
}

impl Stage for LightStage {
    fn name(&self) -> &'static str {
        "light"
    }

    fn parameters(&self) -> Value {
        let kinds = self.wishes.iter().map(|wish| format!("{:?}", wish.kind).to_lowercase());
        json!({ "kinds": kinds.collect::<Vec<_>>() })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let coarse = Coarse::of(view(frame)?);
        if self.wishes.iter().any(|wish| wish.kind.has_source()) {
            let scene = self.scene.carried(&Similarity::IDENTITY, n);
            self.source.see(&coarse.planes[0], self.scene.shot(n), scene);
        }
        let length = self.scene.cues.len() as f64 / self.scene.rate;
        for wish in &self.wishes {
            let share = envelope::share(wish.when, n as f64 / self.scene.rate, length);
            if share > 0.0 {
                self.one(wish.kind, share * wish.strength, n, &coarse, frame)?;
            }
        }
        Ok(())
    }
}

/// The light of signs on what is dark: magenta from one side, cyan from the other, by the way the
/// picture's relief faces.
fn neon(coarse: &Coarse, strength: f32) -> Shine {
    let luma = &coarse.planes[0];
    let (columns, _) = luma.size();
    let soft = luma.blurred(1, 2);
    let amount = soft.map(|code| {
        let dark = ((150.0 - f32::from(code)) / 110.0).clamp(0.0, 1.0);
        (190.0 * strength * dark) as i16
    });
    let mut goal = [soft.clone(), soft.clone(), soft.clone()];
    for k in 0..soft.data().len() {
        let (x, y) = ((k % columns) as isize, (k / columns) as isize);
        let relief = f32::from(soft.at(x + 2, y) - soft.at(x - 2, y)) / 24.0;
        let across = (x as f32 + 0.5) / columns as f32 - 0.5;
        let side = (1.4 * across + relief).clamp(-1.0, 1.0) * 0.5 + 0.5;
        let [y, u, v] = &mut goal;
        y.data_mut()[k] = (soft.data()[k] + 10).min(235);
        u.data_mut()[k] = (160.0 - 6.0 * side) as i16;
        v.data_mut()[k] = (164.0 - 72.0 * side) as i16;
    }
    Shine { amount, goal }
}

/// A Gaussian of `sigma` px.
fn soften(sigma: f32, frame: &mut Frame) -> Result<(), Failure> {
    let soft: Vec<_> = (view(frame)?.planes().into_iter().zip([sigma, sigma / 2.0, sigma / 2.0]))
        .map(|(plane, sigma)| blur::gaussian(plane, sigma))
        .collect();
    for (plane, soft) in view_mut(frame)?.planes_mut().into_iter().zip(&soft) {
        plane.copy_from(soft.as_ref())?;
    }
    Ok(())
}

/// Unsharp mask of luma; a difference below two codes is noise and stays.
fn sharpen(strength: f32, unit: f32, frame: &mut Frame) -> Result<(), Failure> {
    let soft = blur::gaussian(view(frame)?.y(), (1.4 * unit).max(0.7));
    let gain = (strength * 1.1 * 256.0) as i32;
    for (code, &soft) in frame.planes_mut().0.iter_mut().zip(soft.data()) {
        let detail = i32::from(*code) - i32::from(soft);
        let kept = detail.signum() * (detail.abs() - 2).max(0);
        // Halos are held to what an eye takes for sharpness.
        let change = ((kept * gain) >> 8).clamp(-28, 28);
        *code = (i32::from(*code) + change).clamp(16, 235) as u8;
    }
    Ok(())
}

/// Colours that are magnified a little differently.
fn fringes(strength: f32, frame: &mut Frame) -> Result<(), Failure> {
    let before = frame.clone();
    let planes = view(&before)?.planes();
    let wide = 0.008 * strength;
    for (k, plane) in view_mut(frame)?.planes_mut().into_iter().enumerate().skip(1) {
        let scale = if k == 1 { 1.0 + wide } else { 1.0 - wide };
        let source_of = Similarity { scale, ..Similarity::IDENTITY };
        warp::by_similarity(planes[k], &source_of, plane);
    }
    Ok(())
}
