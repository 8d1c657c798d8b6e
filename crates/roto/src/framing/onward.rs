//! The camera's path beyond the reference.
//!
//! Where a clip is longer than its reference, the added part plays slowly or goes on from an
//! earlier moment: the camera would brake, or stand again where it was. Here it goes on instead.
//! First what is missing, without regard to borders: the speed that slow play takes away, and at a
//! jump the way from the earlier place to the later one. Then what the borders allow: the nearer
//! the room's end, the slower, so that nothing stops dead, and a punch-in that is as large as the
//! way asks for and begins before it does. A camera that stands still gets nothing.
//!
//! Invariant: a window that this moves lies in the picture, and without a jump neither its place
//! nor its speed does.

#[cfg(test)]
mod tests;

use kernels::{CameraPath, Similarity};

use super::{Shown, Window};
use crate::analysis::Analysis;
use crate::envelope::ease;
use crate::timeline::Cue;

/// How much closer a window is at most, for the sake of room.
pub(super) const ROOM: f32 = 1.18;

/// How much closer a camera that goes closer can get at most.
const CLOSER: f32 = 1.22;

/// Pan in widths a second, and growth a second, up to which a camera stands still; what is twice
/// as fast moves.
const LEAST_SPEED: f32 = 0.012;

/// The same for the way between two places of the camera, in widths.
const LEAST_WAY: f32 = 0.015;

/// Way between two places of the camera, in widths and as growth, from which the room is too small
/// to help; what is half as far is helped fully.
const FAR_WAY: f32 = 0.24;
const FAR_GROWTH: f32 = 0.5;

/// Seconds on both sides over which speed is measured.
const LEAN_SECS: f64 = 0.35;

/// Time constant in seconds with which one speed becomes another after a jump.
const SETTLE_SECS: f64 = 1.2;

/// Seconds over which the punch-in is smooth; it begins up to twice as early as it is needed.
const EASE_SECS: f64 = 1.0;

/// Growth (as a logarithm) and shift in px of the copy.
type Step = [f32; 3];

/// What is missing of the camera's path in each frame of the clip.
#[derive(Debug, Clone)]
pub(crate) struct Onward {
    /// What the scene would still have to do on the screen, in px of the copy: for the moment of a
    /// cue and for the one that it turns into.
    missing: Vec<(Similarity, Similarity)>,
    /// Width of the copy in px.
    width: f32,
    /// Frames of the clip a second.
    rate: f64,
    /// The camera's fastest speed that goes on: widths of the picture a second, y down, and growth.
    pub(crate) speed: Step,
}

/// A clip's timeline as the camera's path needs it.
pub(crate) struct Course<'a> {
    pub(crate) cues: &'a [Cue],
    /// Frames of the reel a second.
    pub(crate) reel_rate: f64,
    /// Frames of the clip a second.
    pub(crate) rate: f64,
    /// Whether slow play is not what was wished.
    pub(crate) lags: bool,
}

/// One of the moments that are shown, on its way through the clip.
#[derive(Clone, Copy)]
struct Side {
    moment: f64,
    missing: Similarity,
    /// Speed beyond the picture's own.
    extra: Step,
}

struct Camera<'a> {
    path: &'a CameraPath,
    analysis: &'a Analysis,
    course: &'a Course<'a>,
}

// === impl Onward ===

impl Onward {
    /// What is missing in a clip; `None` where the camera stands still or plays as it is.
    pub(crate) fn of(course: &Course<'_>, analysis: &Analysis) -> Option<Self> {
        let path = analysis.path.as_ref()?;
        let camera = Camera { path, analysis, course };
        let mut missing = Vec::with_capacity(course.cues.len());
        let mut speed = [0.0; 3];
        let mut at = Side::still(course.cues.first()?.at);
        let mut join: Option<Side> = None;
        for (n, cue) in course.cues.iter().enumerate() {
            if cue.join.is_none() {
                at = join.take().unwrap_or(at);
            }
            let before = at.missing;
            if n > 0 {
                at = camera.advanced(at, cue.at);
            }
            if let Some(other) = cue.join {
                join = Some(match join {
                    None => camera.entered(&at, other.at),
                    Some(side) => camera.advanced(side, other.at),
                });
            }
            let side = join.unwrap_or(at);
            if at.missing != before || side.missing != at.missing {
                speed = faster(speed, camera.speed(at.moment));
            }
            missing.push((at.missing, side.missing));
        }
        let nothing = |one: &Similarity| {
            (one.scale - 1.0).abs() < 1e-4 && libm::hypotf(one.tx, one.ty) < 0.02
        };
        let still = missing.iter().all(|(a, b)| nothing(a) && nothing(b));
        let width = camera.width();
        let seconds = course.reel_rate as f32;
        let speed = [speed[0], speed[1] / width, speed[2] / width].map(|v| v * seconds);
        (!still).then_some(Self { missing, width, rate: course.rate, speed })
    }

    /// The windows, moved on as far as the borders allow.
    pub(super) fn moved(&self, windows: &[Window], picture: (usize, usize)) -> Vec<Shown> {
        let factor = picture.0 as f32 / self.width;
        let ways: Vec<_> = windows
            .iter()
            .zip(&self.missing)
            .map(|(window, (at, join))| {
                let way = |missing: &Similarity| Way::of(missing, factor, window, picture);
                (way(at), way(join))
            })
            .collect();
        let needs: Vec<f32> = ways.iter().map(|(at, join)| at.room.max(join.room)).collect();
        let room = eased(&needs, (EASE_SECS * self.rate) as usize);
        let moved = windows.iter().zip(&ways).zip(room);
        moved
            .map(|((window, (at, join)), room)| Shown {
                at: at.applied(window, room).inside(picture),
                join: join.applied(window, room).inside(picture),
            })
            .collect()
    }
}

// === impl Side ===

impl Side {
    fn still(moment: f64) -> Self {
        Self { moment, missing: Similarity::IDENTITY, extra: [0.0; 3] }
    }
}

// === impl Camera ===

impl Camera<'_> {
    fn width(&self) -> f32 {
        self.analysis.size.0.max(1) as f32
    }

    /// A side that shows `moment` in the next frame, with the speed added that the step lacks.
    fn advanced(&self, side: Side, moment: f64) -> Side {
        let natural = self.course.reel_rate / self.course.rate;
        let played = (moment - side.moment) / natural;
        if played < -0.5 {
            // A cut: what comes is a shot of its own.
            return Side::still(moment);
        }
        let lack = if self.course.lags { (1.0 - played).clamp(0.0, 1.0) } else { 0.0 };
        let own = self.speed(moment);
        let step: Step = std::array::from_fn(|k| (lack * natural) as f32 * own[k] + side.extra[k]);
        let decay = libm::exp(-1.0 / (SETTLE_SECS * self.course.rate)) as f32;
        let missing = side.missing.then(&similarity(step));
        Side { moment, missing, extra: side.extra.map(|v| v * decay) }
    }

    /// The side that goes on at `entry` where another one is left: seen from the same place, and
    /// at the same speed at first. Places too far apart are left apart: a window at the border
    /// would hide the subject and not the jump.
    fn entered(&self, left: &Side, entry: f64) -> Side {
        let natural = (self.course.reel_rate / self.course.rate) as f32;
        let way = self.pose(entry).inverse().then(&self.pose(left.moment));
        let length = libm::hypotf(way.tx, way.ty) / self.width();
        let growth = libm::logf(way.scale.max(1e-6)).abs();
        let seen = gate(length.max(growth), LEAST_WAY);
        let near = 1.0 - gate(length, FAR_WAY / 2.0).max(gate(growth, FAR_GROWTH / 2.0));
        let way = Similarity { rotation: 0.0, ..way.fraction(seen) };
        let (from, to) = (self.speed(left.moment), self.speed(entry));
        let extra = std::array::from_fn(|k| left.extra[k] + natural * (from[k] - to[k]));
        let missing = way.then(&left.missing).fraction(near);
        Side { moment: entry, missing, extra }
    }

    fn pose(&self, moment: f64) -> Similarity {
        let frame = moment.floor() as usize;
        let before = self.path.pose(frame);
        before.then(&self.path.between(frame, frame + 1).fraction(moment.fract() as f32))
    }

    /// Speed a frame of the reel about a moment, within its shot; none where it is as good as none.
    fn speed(&self, moment: f64) -> Step {
        let frame = moment.round() as usize;
        let Some(shot) = self.analysis.shots.get(self.analysis.shot_of(frame)) else {
            return [0.0; 3];
        };
        let reach = (LEAN_SECS * self.course.reel_rate) as usize;
        let last = shot.end.min(self.path.poses.len()).saturating_sub(1);
        let to = (frame + reach).min(last);
        let from = frame.min(last).saturating_sub(reach).max(shot.start).min(to);
        if to <= from {
            return [0.0; 3];
        }
        let frames = (to - from) as f32;
        let way = self.path.between(from, to);
        let step = [libm::logf(way.scale.max(1e-6)), way.tx, way.ty].map(|v| v / frames);
        let seconds = self.course.reel_rate as f32;
        let pan = libm::hypotf(step[1], step[2]) / self.width();
        let gate = gate(pan.max(step[0].abs()) * seconds, LEAST_SPEED);
        step.map(|v| v * gate)
    }
}

fn faster(a: Step, b: Step) -> Step {
    let size = |s: &Step| libm::hypotf(s[1], s[2]);
    if size(&b) > size(&a) || (size(&b) == size(&a) && b[0].abs() > a[0].abs()) { b } else { a }
}

fn similarity([growth, tx, ty]: Step) -> Similarity {
    Similarity { scale: libm::expf(growth), rotation: 0.0, tx, ty }
}

/// 0 up to the least that counts, 1 from twice as much on.
fn gate(size: f32, least: f32) -> f32 {
    ease(f64::from((size - least) / least)) as f32
}

/// What the borders allow of what is missing.
#[derive(Clone, Copy)]
struct Way {
    /// Shift of the window in px of the picture.
    shift: (f32, f32),
    /// How much closer the camera goes, as a logarithm.
    closer: f32,
    /// How much closer the window has to be for the shift's sake, as a logarithm.
    room: f32,
}

// === impl Way ===

impl Way {
    fn of(missing: &Similarity, factor: f32, window: &Window, picture: (usize, usize)) -> Self {
        let most = libm::logf(CLOSER);
        let growth = libm::logf(missing.scale.max(1e-6)).max(0.0);
        let closer = most * libm::tanhf(growth / most);
        let wished = (-missing.tx * factor / missing.scale, -missing.ty * factor / missing.scale);
        let (centre, half) = (window.centre, (window.size.0 / 2.0, window.size.1 / 2.0));
        // The middle may go as far as a window of the smallest size would still fit.
        let small = libm::expf(-closer) / ROOM;
        let reach = |wish: f32, centre: f32, half: f32, side: usize| {
            let border = if wish > 0.0 { side as f32 - centre } else { centre };
            (border - half * small).max(1e-3)
        };
        let (x, y) = (
            reach(wished.0, centre.0, half.0, picture.0),
            reach(wished.1, centre.1, half.1, picture.1),
        );
        let part = libm::hypotf(wished.0 / x, wished.1 / y);
        let kept = if part > 1e-6 { libm::tanhf(part) / part } else { 1.0 };
        let shift = (wished.0 * kept, wished.1 * kept);
        let need =
            |at: f32, half: f32, side: usize| libm::logf(half / at.min(side as f32 - at).max(1e-3));
        let need = need(centre.0 + shift.0, half.0, picture.0).max(need(
            centre.1 + shift.1,
            half.1,
            picture.1,
        ));
        Self { shift, closer, room: (need - closer).max(0.0) }
    }

    fn applied(&self, window: &Window, room: f32) -> Window {
        let centre = (window.centre.0 + self.shift.0, window.centre.1 + self.shift.1);
        Window { centre, ..window.zoomed(libm::expf(self.closer + room)) }
    }
}

/// Never below any of the values, and smooth: the largest within `reach`, under a bell as wide.
fn eased(values: &[f32], reach: usize) -> Vec<f32> {
    let last = values.len().saturating_sub(1);
    let around = |n: usize| n.saturating_sub(reach)..=(n + reach).min(last);
    let largest: Vec<f32> =
        (0..values.len()).map(|n| values[around(n)].iter().copied().fold(0.0, f32::max)).collect();
    let bell = |d: usize| {
        let part = d as f32 / (reach as f32 + 1.0);
        (1.0 - part * part) * (1.0 - part * part)
    };
    let mean = |n: usize| {
        let (sum, total) = around(n).fold((0.0, 0.0), |(sum, total), m| {
            let weight = bell(m.abs_diff(n));
            (sum + weight * largest[m], total + weight)
        });
        sum / total
    };
    (0..values.len()).map(mean).collect()
}
