//! Where a layer stands, and how large it is there.
//!
//! The ground is taken to be a plane that ends at the horizon, which upright things tell or else a
//! fixed part of the frame's height does:
//! what stands nearer stands lower and is larger, in one proportion.

use director::Side as Beside;
use kernels::{Layer, Similarity};

use crate::scene::Scene;
use crate::sheet::{LayerWish, Side};

/// Height of the horizon from the top, in parts of the frame's height, where nothing tells it, and
/// where it may be.
pub(super) const HORIZON: f32 = 0.4;
const HORIZONS: std::ops::RangeInclusive<f32> = 0.2..=0.62;

/// Where feet stand, in parts of the frame's height, and how low they may.
const GROUND: f32 = 0.86;
const LOWEST: f32 = 0.97;

/// Natural height of a layer in parts of the frame's shorter side.
const NATURAL: f32 = 0.34;

/// Widest that a layer may be, in parts of the frame's width.
const WIDEST: f32 = 0.6;

/// A layer's place before the scene moves; lengths in px of the screen, from its middle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    /// Puts the layer there.
    pub(super) place: Similarity,
    /// Middle of its visible part.
    pub(super) middle: (f32, f32),
    /// Where it stands.
    pub(super) foot: (f32, f32),
    /// Width and height of its visible part.
    pub(super) size: (f32, f32),
    /// Height of the horizon from the top, in parts of the frame's height.
    pub(super) horizon: f32,
}

// === impl Home ===

impl Home {
    /// How far up it is just above the frame.
    pub(super) fn above(&self, screen: (usize, usize)) -> f32 {
        self.foot.1 + screen.1 as f32 / 2.0 + 2.0
    }

    /// The placement with a shift, and a growth about the foot.
    pub(super) fn moved(&self, shift: (f32, f32), growth: f32) -> Similarity {
        let to_foot = Similarity::translation(-self.foot.0, -self.foot.1);
        let grown = Similarity { scale: growth, ..Similarity::IDENTITY };
        let back = Similarity::translation(self.foot.0 + shift.0, self.foot.1 + shift.1);
        self.place.then(&to_foot).then(&grown).then(&back)
    }

    #[cfg(test)]
    pub(super) fn test(middle: (f32, f32), size: (f32, f32)) -> Self {
        let place = Similarity::translation(middle.0, middle.1);
        let foot = (middle.0, middle.1 + size.1 / 2.0);
        Self { place, middle, foot, size, horizon: HORIZON }
    }
}

/// A layer that has its place already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) x: f32,
    pub(super) wide: f32,
    pub(super) foot: f32,
    pub(super) top: f32,
}

impl Taken {
    /// In parts of the frame.
    pub(super) fn by(home: &Home, screen: (usize, usize)) -> Self {
        let (width, height) = (screen.0 as f32, screen.1 as f32);
        Self {
            x: home.middle.0 / width + 0.5,
            wide: home.size.0 / width,
            foot: home.foot.1 / height + 0.5,
            top: (home.foot.1 - home.size.1) / height + 0.5,
        }
    }
}

/// Size and place of a layer's picture so that its visible part stands where it should: beside
/// `landmark` where the wish is relative to it.
pub(super) fn home(
    wish: &LayerWish,
    layer: &Layer,
    scene: &Scene,
    taken: &[Taken],
    landmark: Option<(Taken, Beside)>,
) -> Home {
    let screen = scene.screen;
    let (width, height) = (screen.0 as f32, screen.1 as f32);
    let seen = layer.bounds();
    let horizon = scene.horizon(0).filter(|at| HORIZONS.contains(at)).unwrap_or(HORIZON);
    let mut foot = (horizon + (GROUND - horizon) * wish.nearness).min(LOWEST);
    if let Some((by, side)) = landmark {
        let depth = match side {
            Beside::Behind => 0.82,
            Beside::InFront => 1.18,
            _ => 1.0,
        };
        foot = (horizon + (by.foot - horizon).max(0.1) * depth).min(LOWEST);
    }
    let near = if wish.airborne { wish.nearness } else { (foot - horizon) / (GROUND - horizon) };
    let tall = NATURAL * wish.scale * near.max(wish.nearness.min(1.0)) * width.min(height);
    let scale =
        (tall / seen.height).min(WIDEST * width / seen.width).min(0.9 * height / seen.height);
    let size = (seen.width * scale, seen.height * scale);
    let x = across(wish, scene, taken, landmark, size.0 / width);
    let (layer_w, layer_h) = layer.size();
    // Middle of the visible part from the layer's middle.
    let off = (
        (seen.x + seen.width / 2.0 - layer_w as f32 / 2.0) * scale,
        (seen.y + seen.height / 2.0 - layer_h as f32 / 2.0) * scale,
    );
    let on_top = landmark.filter(|(_, side)| matches!(side, Beside::On | Beside::Above));
    let y = if let Some((by, side)) = on_top {
        let gap = if side == Beside::Above { 0.04 } else { -0.01 };
        (by.top - gap) * height - size.1 / 2.0
    } else if wish.airborne || wish.high {
        (if wish.high { 0.2 } else { 0.36 } * height).max(size.1 / 2.0 + 0.02 * height)
    } else {
        foot * height - size.1 / 2.0
    };
    let middle = (x * width - width / 2.0, y - height / 2.0);
    Home {
        place: Similarity { scale, rotation: 0.0, tx: middle.0 - off.0, ty: middle.1 - off.1 },
        middle,
        foot: (middle.0, middle.1 + size.1 / 2.0),
        size,
        horizon,
    }
}

/// Where across the frame a layer goes, 0 to 1: beside its landmark, on the side that was wished,
/// else away from the subject and from other layers.
fn across(
    wish: &LayerWish,
    scene: &Scene,
    taken: &[Taken],
    landmark: Option<(Taken, Beside)>,
    wide: f32,
) -> f32 {
    let inside = |x: f32| x.clamp(0.5 * wide + 0.01, (1.0 - 0.5 * wide - 0.01).max(0.5));
    if let Some((by, side)) = landmark {
        let apart = 0.5 * (by.wide + wide) + 0.02;
        return match side {
            Beside::LeftOf => inside(by.x - apart),
            Beside::Behind | Beside::InFront => inside(by.x + 0.3 * apart),
            Beside::On | Beside::Above | Beside::Below | Beside::Inside => inside(by.x),
            Beside::Beside if by.x > 0.5 => inside(by.x - apart),
            Beside::RightOf | Beside::Beside => inside(by.x + apart),
        };
    }
    let candidates: &[f32] = match wish.side {
        Some(Side::Left) => &[0.2, 0.32, 0.12],
        Some(Side::Centre) => &[0.5, 0.42, 0.58],
        Some(Side::Right) => &[0.8, 0.68, 0.88],
        None => &[0.78, 0.22, 0.62, 0.38, 0.5],
    };
    let subject = scene.subject_on_screen();
    let crowd = |x: f32| {
        let near = |other: f32, wide: f32| (0.14 + 0.5 * wide - (x - other).abs()).max(0.0);
        let others: f32 = taken.iter().map(|by| 3.0 * near(by.x, by.wide + wide)).sum();
        let beside = subject.map_or(0.0, |subject| near(subject, 0.2 + wide));
        others + if wish.side.is_none() { beside } else { 0.0 }
    };
    candidates.iter().copied().min_by(|&a, &b| crowd(a).total_cmp(&crowd(b))).unwrap_or(0.5)
}
