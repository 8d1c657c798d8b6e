//! Pictures put into the scene.
//!
//! A layer is placed on the screen once in each shot and from there on it sticks to the scene: what
//! stands goes with the ground under its foot, what is in the air with the camera's path, and both
//! with the window over the picture. It stands in the footage's light, on a soft shadow, behind
//! what moves in front of it, and gets the footage's grain. It is drawn before the colours change,
//! so that a grade treats it like everything else.

mod front;
mod ground;
mod identity;
mod light;
mod place;
mod travel;
mod views;

pub(crate) use views::View;

use std::collections::BTreeMap;
use std::sync::Arc;

use kernels::composite::{self, Layer, Shadow};
use kernels::grain::{self, Grain};
use kernels::{Rgba8, Similarity};
use media::Frame;
use serde_json::{Value, json};

use super::Stage;
use crate::fail::Failure;
use crate::footage::{view, view_mut};
use crate::scene::Scene;
use crate::sheet::LayerWish;
use crate::timeline::Cue;
use front::Front;
use ground::Ground;
use identity::Identity;
use light::Lit;
use place::{Home, Taken};
use travel::Travel;

/// Grain below this is not matched, in luma codes.
const LEAST_GRAIN: f32 = 0.8;

/// Every how many frames a layer's identity is measured.
const IDENTITY_EVERY: usize = 6;

/// Half width and half height of the ground around a foot, in parts of the copy's width.
const REACH: (f32, f32) = (0.11, 0.05);

/// Draws all layers of a clip.
pub(crate) struct Elements {
    scene: Arc<Scene>,
    layers: Vec<Placed>,
}

struct Placed {
    wish: LayerWish,
    image: Rgba8,
    plain: Layer,
    /// Which view is shown, and why.
    view: Value,
    home: Home,
    shots: BTreeMap<usize, InShot>,
    identity: Identity,
    covered: usize,
}

/// What is known of a layer in one shot.
struct InShot {
    lit: Lit,
    ground: Ground,
    front: Option<Front>,
}

// === impl Elements ===

impl Elements {
    /// Places the layers, whose views are cut out already, the frontal ones first.
    pub(crate) fn new(
        layers: Vec<(LayerWish, Vec<View>)>,
        scene: Arc<Scene>,
    ) -> Result<Self, Failure> {
        let mut order: Vec<usize> = (0..layers.len()).collect();
        // What stands relative to another layer is placed after it.
        order.sort_by_key(|&index| layers[index].0.landmark.is_some());
        let mut waiting: Vec<Option<(LayerWish, Vec<View>)>> =
            layers.into_iter().map(Some).collect();
        let mut taken: BTreeMap<domain::facts::Role, Taken> = BTreeMap::new();
        let mut placed = Vec::with_capacity(waiting.len());
        for index in order {
            let Some((wish, views)) = waiting.get_mut(index).and_then(Option::take) else {
                continue;
            };
            let landmark =
                wish.landmark.and_then(|(role, side)| taken.get(&role).map(|taken| (*taken, side)));
            let others: Vec<Taken> = taken.values().copied().collect();
            let Some(first) = views.first() else { continue };
            let guess = place::home(&wish, &Layer::new(&first.image), &scene, &others, landmark);
            let x = Taken::by(&guess, scene.screen).x;
            let Some(chosen) = views::choose(views, travel::heading(&wish), Some(x))? else {
                continue;
            };
            let plain = Layer::new(&chosen.image);
            let home = place::home(&wish, &plain, &scene, &others, landmark);
            taken.insert(wish.role, Taken::by(&home, scene.screen));
            placed.push(Placed {
                view: json!({ "file": chosen.role, "mirrored": chosen.mirrored, "why": chosen.why }),
                wish,
                image: chosen.image,
                plain,
                home,
                shots: BTreeMap::new(),
                identity: Identity::default(),
                covered: 0,
            });
        }
        // What stands higher in the frame is farther away and is drawn first.
        placed.sort_by(|a, b| a.home.foot.1.total_cmp(&b.home.foot.1));
        Ok(Self { scene, layers: placed })
    }

    fn draw(&mut self, index: usize, n: usize, frame: &mut Frame) -> Result<(), Failure> {
        let scene = Arc::clone(&self.scene);
        let layer = &mut self.layers[index];
        if layer.wish.stands() && scene.lacks_ground(n) {
            return Ok(());
        }
        let (secs, length) = (n as f64 / scene.rate, scene.cues.len() as f64 / scene.rate);
        let until = (length, length - 1.0 / scene.rate);
        let travel = travel::travel(&layer.wish, &layer.home, secs, until, scene.screen);
        if travel.opacity <= 0.0 {
            return Ok(());
        }
        let shot = scene.shot(n);
        if !layer.shots.contains_key(&shot) {
            let known = layer.in_shot(&scene, n, frame)?;
            layer.shots.insert(shot, known);
        }
        let Some(known) = layer.shots.get(&shot) else { return Ok(()) };
        let place = layer.place(&scene, known, &travel, n);
        let needs_before = known.lit.grain >= LEAST_GRAIN || known.front.is_some();
        let before = needs_before.then(|| frame.clone());
        if !layer.wish.airborne {
            for shadow in known.lit.shadows {
                let near = 1.0 / (1.0 + 6.0 * travel.height / layer.home.size.1);
                let shadow = Shadow {
                    strength: shadow.strength * travel.opacity * near,
                    spread: shadow.spread * (1.0 + 0.5 * (1.0 - near)),
                    ..shadow
                };
                let below = Similarity { ty: place.ty + travel.height, ..place };
                composite::contact_shadow(&known.lit.layer, &below, shadow, &mut view_mut(frame)?);
            }
        }
        composite::over(&known.lit.layer, &place, travel.opacity, &mut view_mut(frame)?);
        let mut covered = false;
        if let Some(before) = &before {
            if known.lit.grain >= LEAST_GRAIN {
                let grain = Grain { sigma: known.lit.grain, seed: scene.seed ^ index as u64 };
                add_grain(before, frame, grain, n)?;
            }
            if let Some(front) = &known.front {
                let moment = scene.cues[n].main();
                covered = front.cover(moment, before, frame, to_copy(&scene, n))?;
            }
        }
        layer.covered += usize::from(covered);
        if n.is_multiple_of(IDENTITY_EVERY) && !covered && travel.opacity >= 0.999 {
            layer.identity.see(&layer.image, &layer.plain, &place, view(frame)?.y())?;
        }
        Ok(())
    }
}

/// Maps px of frame `n`'s screen, from its corner, to px of the analysis' copy.
fn to_copy(scene: &Scene, n: usize) -> impl Fn(f32, f32) -> (f32, f32) + Sync {
    let back = scene.window(n).to_screen(scene.screen).inverse();
    let half = (scene.screen.0 as f32 / 2.0, scene.screen.1 as f32 / 2.0);
    let factor = scene.copy_scale();
    let (a, b) = back.linear();
    move |x, y| {
        let (x, y) = (x - half.0, y - half.1);
        ((a * x - b * y + back.tx) / factor, (b * x + a * y + back.ty) / factor)
    }
}

// === impl Placed ===

impl Placed {
    /// Looks at a shot whose first frame with this layer is `n`.
    fn in_shot(&self, scene: &Scene, n: usize, frame: &Frame) -> Result<InShot, Failure> {
        let (anchor, foot) = scene.anchor(n, self.home.foot);
        let wide = scene.analysis.size.0 as f32;
        let reach = (REACH.0 * wide, REACH.1 * wide);
        let ground = Ground::follow(&scene.analysis, anchor, foot, reach);
        let front = (!self.wish.airborne)
            .then(|| Front::find(&scene.analysis, anchor, foot, &ground))
            .filter(|front| front.frames() > 0);
        let rest = Travel::default();
        let lit = light::light(&self.image, &self.home, &self.home.moved(rest.shift, 1.0), frame)?;
        Ok(InShot { lit, ground, front })
    }

    fn place(&self, scene: &Scene, known: &InShot, travel: &Travel, n: usize) -> Similarity {
        let start = self.home.moved(travel.shift, travel.growth);
        if self.wish.airborne {
            let carried = scene.carried(&start, n);
            // What crosses keeps to the frame, so that it is out of it at both ends.
            let tx = if travel::crosses(&self.wish) { start.tx } else { carried.tx };
            return Similarity { tx, ..carried };
        }
        let factor = scene.copy_scale();
        let carried =
            scene.carried_by(&start, n, |from, to| known.ground.motion(from, to).resized(factor));
        let tx = if travel::crosses(&self.wish) { start.tx } else { carried.tx };
        // What stands, stands upright in the frame as far as the camera does.
        Similarity { tx, ..carried }
    }

    fn parameters(&self, screen: (usize, usize)) -> Value {
        let (width, height) = (screen.0 as f32, screen.1 as f32);
        let first = self.shots.values().next();
        json!({
            "source": self.wish.name(),
            "view": self.view,
            "x": self.home.middle.0 / width + 0.5,
            "y": self.home.middle.1 / height + 0.5,
            "foot": self.home.foot.1 / height + 0.5,
            "horizon": self.home.horizon,
            "scale": self.home.place.scale,
            "anchor": if self.wish.airborne { "camera" } else { "ground" },
            "ground_tracked": first.map(|known| known.ground.tracked),
            "blur_px": first.map(|known| known.lit.blur),
            "shadow_aside": first.map(|known| known.lit.shadows[0].offset),
            "covered_frames": self.covered,
            "identity": self.identity.mean(),
        })
    }
}

impl Stage for Elements {
    fn name(&self) -> &'static str {
        "elements"
    }

    fn parameters(&self) -> Value {
        let screen = self.scene.screen;
        let layers: Vec<Value> = self.layers.iter().map(|l| l.parameters(screen)).collect();
        json!({ "layers": layers })
    }

    fn metrics(&self) -> Vec<(&'static str, f64)> {
        let least = self.layers.iter().filter_map(|l| l.identity.mean()).min_by(f64::total_cmp);
        least.map(|least| ("element_identity", least)).into_iter().collect()
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        (0..self.layers.len()).try_for_each(|index| self.draw(index, n, frame))
    }
}

/// Grain where the picture changed, nowhere else.
fn add_grain(before: &Frame, frame: &mut Frame, grain: Grain, n: usize) -> Result<(), Failure> {
    let mut grainy = frame.clone();
    grain::add(&mut view_mut(&mut grainy)?, grain, n as u64);
    let (luma, _, _) = frame.planes_mut();
    for ((out, &was), &now) in luma.iter_mut().zip(before.y()).zip(grainy.y()) {
        if *out != was {
            *out = now;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::facts::Role;

    use crate::sheet::LayerWish;

    /// A layer of which nothing is said.
    pub(crate) fn wish() -> LayerWish {
        LayerWish {
            role: Role::ElementFrontal { n: 1 },
            words: "@Element1".to_owned(),
            side: None,
            airborne: false,
            high: false,
            scale: 1.0,
            nearness: 1.0,
            landmark: None,
            from: None,
            appears: false,
            path: None,
            when: None,
        }
    }
}
