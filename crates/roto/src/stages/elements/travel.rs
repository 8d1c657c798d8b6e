//! How a layer comes in, moves, and rests.
//!
//! Everything is a function of time: no step depends on the one before. What crosses is wholly
//! outside in its first and last frame; what comes in is wholly outside in its first.

use director::{Edge, Path, When};

use super::place::Home;
use crate::envelope::{ease, share};
use crate::sheet::LayerWish;

/// Seconds of coming in from an edge.
const ENTRY_SECS: f64 = 1.6;

/// Seconds of falling through the frame's height, and of waiting for it.
const FALL_SECS: f64 = 0.75;
const FALL_DELAY: f64 = 0.2;

/// Part of the speed that is kept when it hits the ground.
const BOUNCE: f64 = 0.26;

/// Room beside the frame for the shadow, in parts of the layer's width.
const MARGIN: f32 = 0.2;

/// Size in the distance, relative to the place it comes to.
const FAR: f32 = 0.2;

/// Largest that it may be before the camera, relative to the place it comes to.
const NEAREST: f32 = 3.5;

/// Where a layer is at a moment, relative to its home.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Travel {
    /// To the right and down, px of the screen.
    pub(super) shift: (f32, f32),
    /// Size about its foot, relative to home.
    pub(super) growth: f32,
    /// 0 to 1.
    pub(super) opacity: f32,
    /// Height above the ground in px of the screen.
    pub(super) height: f32,
}

impl Default for Travel {
    fn default() -> Self {
        Self { shift: (0.0, 0.0), growth: 1.0, opacity: 1.0, height: 0.0 }
    }
}

/// Whether it goes through the frame and out again.
pub(super) fn crosses(wish: &LayerWish) -> bool {
    let moves = matches!(wish.path, Some(Path::Walks | Path::Runs | Path::Drives | Path::Flies));
    moves && !matches!(wish.from, Some(Edge::Front | Edge::Back | Edge::Top | Edge::Bottom))
}

/// The direction in which it moves across the frame, where it does: -1 to the left, 1 to the right.
pub(super) fn heading(wish: &LayerWish) -> Option<f32> {
    match wish.from {
        Some(Edge::Left) => Some(1.0),
        Some(Edge::Right) => Some(-1.0),
        _ => crosses(wish).then_some(1.0),
    }
}

/// Seconds from and to which it is there.
fn span(when: Option<When>, length: f64) -> (f64, f64) {
    match when {
        None | Some(When::Gradually) => (0.0, length),
        Some(When::Start) => (0.0, length / 3.0),
        Some(When::Middle) => (length / 3.0, 2.0 * length / 3.0),
        Some(When::End) => (2.0 * length / 3.0, length),
        Some(When::From { secs }) => (secs.clamp(0.0, length), length),
    }
}

/// Where a layer is at `secs` of a clip of `length` seconds whose last frame is at `last`.
pub(super) fn travel(
    wish: &LayerWish,
    home: &Home,
    secs: f64,
    (length, last): (f64, f64),
    screen: (usize, usize),
) -> Travel {
    let (from, to) = span(wish.when, length);
    let to = to.min(last);
    if crosses(wish) {
        return crossing(wish, home, (secs - from) / (to - from).max(0.1), screen);
    }
    let faded = share(wish.when, secs, length);
    // What comes in by itself needs no fading in.
    let opacity = if secs < 0.5 * (from + to) { 1.0 } else { faded };
    let since = secs - from;
    let height = screen.1 as f32;
    match (wish.from, wish.path) {
        (Some(edge), _) => {
            let gone = 1.0 - ease(since / ENTRY_SECS.min(0.5 * (to - from)).max(0.1)) as f32;
            let coming = entering(edge, home, gone, screen);
            Travel { opacity: opacity * coming.opacity, ..coming }
        }
        (None, Some(Path::Falls)) => {
            let up = falling(since, home.above(screen), height);
            Travel { shift: (0.0, -up), opacity, height: up, ..Travel::default() }
        }
        (None, Some(Path::Floats)) => {
            let wave = |rate: f64| libm::sin(std::f64::consts::TAU * rate * secs) as f32;
            let shift = (0.012 * height * wave(0.19), 0.02 * height * wave(0.35));
            Travel { shift, opacity: faded, ..Travel::default() }
        }
        _ if wish.appears && wish.when.is_none() => {
            let opacity = ease((secs - 0.2 * length) / 0.5) as f32;
            Travel { opacity, ..Travel::default() }
        }
        _ => Travel { opacity: faded, ..Travel::default() },
    }
}

/// Through the frame at an even speed; what flies does so in a flat arc.
fn crossing(wish: &LayerWish, home: &Home, part: f64, screen: (usize, usize)) -> Travel {
    if !(0.0..=1.0).contains(&part) {
        return Travel { opacity: 0.0, ..Travel::default() };
    }
    let (part, half) = (part as f32, screen.0 as f32 / 2.0);
    let reach = half + (0.5 + MARGIN) * home.size.0;
    let to_right = heading(wish).unwrap_or(1.0);
    let x = to_right * reach * (2.0 * part - 1.0);
    let arc = libm::sinf(std::f32::consts::PI * part);
    let dip = if wish.airborne { 0.06 * screen.1 as f32 * (1.0 - arc) } else { 0.0 };
    Travel { shift: (x - home.middle.0, dip), ..Travel::default() }
}

/// From outside an edge to home; `gone` is 1 outside and 0 at home.
fn entering(edge: Edge, home: &Home, gone: f32, screen: (usize, usize)) -> Travel {
    let (half_w, half_h) = (screen.0 as f32 / 2.0, screen.1 as f32 / 2.0);
    let beside = half_w + (0.5 + MARGIN) * home.size.0;
    let from_side =
        |x: f32| Travel { shift: (gone * (x - home.middle.0), 0.0), ..Travel::default() };
    let below = half_h + (0.5 + MARGIN) * home.size.1 - home.middle.1;
    let from_below = Travel { shift: (0.0, gone * below), ..Travel::default() };
    // Along the ground size and place go together, about the horizon.
    let line = home.horizon * screen.1 as f32 - half_h;
    let foot = home.foot.1 - line;
    // How near it must be for all of it to be below the frame.
    let most = (half_h - line) / (foot - home.size.1);
    let along = |growth: f32| Travel {
        shift: ((growth - 1.0) * home.foot.0, (growth - 1.0) * foot),
        growth,
        ..Travel::default()
    };
    match edge {
        Edge::Left => from_side(-beside),
        Edge::Right => from_side(beside),
        Edge::Top => {
            let up = gone * home.above(screen);
            Travel { shift: (0.0, -up), height: up, ..Travel::default() }
        }
        Edge::Back if foot > 0.0 => {
            // Even steps through depth: size goes with one over the distance.
            let growth = 1.0 / (1.0 + gone * (1.0 / FAR - 1.0));
            let opacity = ease(f64::from((1.0 - gone) / 0.25)) as f32;
            Travel { opacity, ..along(growth) }
        }
        Edge::Front if (1.0..NEAREST).contains(&most) => along(1.0 + gone * (most - 1.0)),
        Edge::Bottom | Edge::Back | Edge::Front => from_below,
    }
}

/// Height above the ground after a free fall from `drop` px, with two bounces.
fn falling(since: f64, drop: f32, frame: f32) -> f32 {
    let secs = FALL_SECS * f64::from(drop / frame).sqrt();
    let mut t = since - FALL_DELAY;
    if t <= 0.0 {
        return drop;
    }
    let half_g = f64::from(drop) / (secs * secs);
    if t < secs {
        return drop - (half_g * t * t) as f32;
    }
    t -= secs;
    for bounce in 1..=2 {
        let up = BOUNCE.powi(bounce) * secs;
        if t < 2.0 * up {
            return (half_g * t * (2.0 * up - t)) as f32;
        }
        t -= 2.0 * up;
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::elements::tests::wish;

    const SCREEN: (usize, usize) = (640, 360);

    fn home() -> Home {
        Home::test((160.0, 60.0), (80.0, 120.0))
    }

    fn at(wish: &LayerWish, secs: f64) -> Travel {
        travel(wish, &home(), secs, (5.0, 5.0 - 1.0 / 24.0), SCREEN)
    }

    /// Left, top, right, bottom on the screen from its corner.
    fn box_of(t: &Travel) -> [f32; 4] {
        let home = home();
        let foot = (home.foot.0 + t.shift.0 + 320.0, home.foot.1 + t.shift.1 + 180.0);
        let (w, h) = (home.size.0 * t.growth, home.size.1 * t.growth);
        [foot.0 - w / 2.0, foot.1 - h, foot.0 + w / 2.0, foot.1]
    }

    fn seen(t: &Travel) -> bool {
        let [left, top, right, bottom] = box_of(t);
        t.opacity > 0.0 && left < 640.0 && right > 0.0 && top < 360.0 && bottom > 0.0
    }

    #[test]
    fn first_and_last_frames_are_clean() {
        for edge in [Edge::Left, Edge::Right, Edge::Top, Edge::Bottom, Edge::Back] {
            let enters = LayerWish { from: Some(edge), ..wish() };
            assert!(!seen(&at(&enters, 0.0)), "{edge:?} {:?}", at(&enters, 0.0));
            assert_eq!(at(&enters, 3.0), Travel::default(), "{edge:?}");
        }
        let flies = LayerWish { path: Some(Path::Flies), airborne: true, ..wish() };
        assert!(!seen(&at(&flies, 0.0)) && seen(&at(&flies, 2.5)));
        assert!(!seen(&at(&flies, 5.0 - 1.0 / 24.0)));
        let falls = LayerWish { path: Some(Path::Falls), ..wish() };
        assert!(!seen(&at(&falls, 0.0)));
        assert_eq!(at(&falls, 4.0), Travel::default());
    }

    #[test]
    fn nothing_jumps_and_nothing_sinks_into_the_ground() {
        let mut all: Vec<LayerWish> = [Edge::Left, Edge::Top, Edge::Back, Edge::Front]
            .map(|edge| LayerWish { from: Some(edge), ..wish() })
            .into();
        all.extend(
            [Path::Falls, Path::Floats, Path::Drives]
                .map(|path| LayerWish { path: Some(path), ..wish() }),
        );
        for wish in all {
            for n in 0..118 {
                let (a, b) = (at(&wish, f64::from(n) / 24.0), at(&wish, f64::from(n + 1) / 24.0));
                let step = (a.shift.0 - b.shift.0).hypot(a.shift.1 - b.shift.1);
                assert!(step < 0.11 * 640.0, "{wish:?} {n} {step}");
                assert!(b.height >= 0.0 && (a.growth - b.growth).abs() < 0.15);
            }
        }
    }

    #[test]
    fn a_fall_gains_speed_as_gravity_has_it() {
        let falls = LayerWish { path: Some(Path::Falls), ..wish() };
        let height = |n: i32| at(&falls, FALL_DELAY + f64::from(n) / 24.0).height;
        let gain = |n: i32| height(n) - 2.0 * height(n + 1) + height(n + 2);
        assert!((gain(1) - gain(5)).abs() < 0.01 * gain(1).abs() && gain(1) < 0.0);
    }

    #[test]
    fn the_named_time_is_kept() {
        let late = LayerWish { path: Some(Path::Drives), when: Some(When::End), ..wish() };
        assert!(!seen(&at(&late, 2.0)) && seen(&at(&late, 4.2)));
        let enters =
            LayerWish { from: Some(Edge::Left), when: Some(When::From { secs: 2.0 }), ..wish() };
        assert!(!seen(&at(&enters, 1.9)) && at(&enters, 4.9) == Travel::default());
    }

    #[test]
    fn from_the_distance_size_and_ground_go_together() {
        let back = LayerWish { from: Some(Edge::Back), ..wish() };
        let line = super::super::place::HORIZON * 360.0;
        for n in 0..40 {
            let t = at(&back, f64::from(n) / 24.0);
            let home_foot = 60.0 + 60.0 + 180.0 - line;
            let foot = box_of(&t)[3] - line;
            assert!((foot / home_foot - t.growth).abs() < 1e-3, "{t:?}");
        }
    }
}
