//! The reference camera's path over another picture.
//!
//! The path is taken from one shot and put on the screen as it is there: as a share of the frame,
//! so that a pan of half a frame is one here as well. A picture has borders where the scene had
//! none. What room it lacks comes from a punch-in, as small as the path needs; where even that is
//! too little, the path's slow part is made smaller as a whole, so that its rhythm stays and
//! nothing stops dead, while the shake keeps its size. The first frame shows the picture as it is
//! framed, off its middle only as far as the path needs.
//!
//! Invariant: every window lies in the picture.

use kernels::{CameraPath, Similarity};

use super::Window;

/// How much closer a window is at most, for the sake of room.
const MOST_ROOM: f32 = 1.4;

/// Way in frame widths (growth and turn count by what they move at the border) up to which a
/// camera stands still.
pub(crate) const STILL: f32 = 0.008;

/// Standard deviation in seconds of what counts as the path's slow part.
const TREND_SECS: f64 = 0.3;

/// How much closer a picture gets over a clip whose reference stands still.
const DRIFT: f32 = 1.06;

/// Growth (as a logarithm), turn in radians, and shift in frame widths.
type Pose = [f64; 4];

/// A camera's path through one shot, as a share of the frame.
#[derive(Debug, Clone)]
pub(crate) struct Travel(Vec<Pose>);

/// A path over a picture, and how it was fitted.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    /// One for each frame of the clip.
    pub(crate) windows: Vec<Window>,
    /// Punch-in for the sake of room, at least 1.
    pub(crate) room: f32,
    /// Part of the slow path that is left, 0 to 1; 1 where the picture has room for all of it.
    pub(crate) kept: f32,
    /// Part of the shake that is left, 0 to 1.
    pub(crate) shake_kept: f32,
    /// Most way from the first frame, in frame widths: before and after the fitting.
    pub(crate) reach: (f32, f32),
}

/// The picture, the screen and the windows that the path moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas<'a> {
    /// Width and height of the picture in px.
    pub(crate) picture: (usize, usize),
    /// Width and height of the clip in px.
    pub(crate) screen: (usize, usize),
    /// Where the frame would stand without the path; one for each frame of the clip.
    pub(crate) windows: &'a [Window],
}

/// Parts of the path that are shown.
#[derive(Clone, Copy)]
struct Share {
    room: f32,
    trend: f64,
    shake: f64,
}

// === impl Travel ===

impl Travel {
    /// The path through `shot`, in a copy of `width` px.
    pub(crate) fn of(path: &CameraPath, shot: &std::ops::Range<usize>, width: usize) -> Self {
        let width = width.max(1) as f32;
        let pose = |frame: usize| {
            let way = path.between(shot.start, frame);
            let growth = libm::logf(way.scale.max(1e-4));
            [growth, way.rotation, way.tx / width, way.ty / width].map(f64::from)
        };
        Self((shot.start..shot.end.max(shot.start + 1)).map(pose).collect())
    }

    /// A slow push-in over `frames` frames.
    pub(crate) fn drift(frames: usize) -> Self {
        let most = f64::from(libm::logf(DRIFT));
        let last = frames.saturating_sub(1).max(1) as f64;
        let at = |n: usize| {
            let t = n as f64 / last;
            [most * (0.5 * t + 0.5 * crate::envelope::ease(t)), 0.0, 0.0, 0.0]
        };
        Self((0..frames.max(1)).map(at).collect())
    }

    /// Last frame.
    pub(crate) fn last(&self) -> f64 {
        self.0.len().saturating_sub(1) as f64
    }

    /// Most way between any two frames, in frame widths.
    pub(crate) fn reach(&self) -> f32 {
        reach(&self.0)
    }

    /// The pose at a moment; beyond the ends the path goes on as it came, reflected in its end.
    fn at(&self, moment: f64) -> Pose {
        let (first, last) = (self.pose(0), self.last());
        let turn = |end: Pose, inner: Pose| std::array::from_fn(|k| 2.0 * end[k] - inner[k]);
        if last <= 0.0 {
            return first;
        }
        let rounds = libm::floor(moment / (2.0 * last));
        let rest = moment - rounds * 2.0 * last;
        let end = self.pose(self.0.len() - 1);
        let inside =
            if rest <= last { self.inner(rest) } else { turn(end, self.inner(2.0 * last - rest)) };
        // Two lengths of an odd reflection end at twice the way.
        std::array::from_fn(|k| inside[k] + rounds * 2.0 * (end[k] - first[k]))
    }

    /// Between frames along a Catmull-Rom curve.
    fn inner(&self, moment: f64) -> Pose {
        let frame = libm::floor(moment) as isize;
        let t = moment - frame as f64;
        let at = |k: isize| self.pose((frame + k).max(0) as usize);
        let (a, b, c, d) = (at(-1), at(0), at(1), at(2));
        std::array::from_fn(|k| {
            let (p, q, r, s) = (a[k], b[k], c[k], d[k]);
            let cubic = t * (3.0 * (q - r) + s - p) + 2.0 * p - 5.0 * q + 4.0 * r - s;
            q + 0.5 * t * (r - p + t * cubic)
        })
    }

    fn pose(&self, frame: usize) -> Pose {
        self.0.get(frame.min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    /// The path at `moments`, seen from the first of them, as far as `canvas` has room for it.
    pub(crate) fn fitted(&self, moments: &[f64], rate: f64, canvas: Canvas<'_>) -> Fitted {
        let poses = from_first(&moments.iter().map(|&moment| self.at(moment)).collect::<Vec<_>>());
        let trend = smoothed(&poses, TREND_SECS * rate);
        let whole = |share: Share| -> Vec<Pose> {
            let mixed = |(p, t): (&Pose, &Pose)| {
                std::array::from_fn(|k| share.trend * t[k] + share.shake * (p[k] - t[k]))
            };
            let mixed: Vec<Pose> = poses.iter().zip(&trend).map(mixed).collect();
            let first = mixed.first().copied().unwrap_or_default();
            mixed.iter().map(|pose| std::array::from_fn(|k| pose[k] - first[k])).collect()
        };
        let fits = |share: Share| canvas.placed(&whole(share), share.room).is_some();
        let share = best(fits);
        let shown = whole(share);
        let windows = canvas.placed(&shown, share.room).unwrap_or_else(|| canvas.windows.to_vec());
        let windows = windows.into_iter().map(|window| window.inside(canvas.picture)).collect();
        Fitted {
            windows,
            room: share.room,
            kept: share.trend as f32,
            shake_kept: share.shake as f32,
            reach: (reach(&poses), reach(&shown)),
        }
    }
}

/// The most of the path that fits, with the least room.
fn best(fits: impl Fn(Share) -> bool) -> Share {
    let most = Share { room: MOST_ROOM, trend: 1.0, shake: 1.0 };
    let halved = |low: f64, high: f64, good: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (low, high);
        for _ in 0..20 {
            let middle = f64::midpoint(low, high);
            if good(middle) { low = middle } else { high = middle }
        }
        low
    };
    if fits(most) {
        // Closeness, from the most that is allowed down to the least that fits.
        let spare = halved(0.0, f64::from(MOST_ROOM) - 1.0, &|spare| {
            fits(Share { room: MOST_ROOM - spare as f32, ..most })
        });
        return Share { room: MOST_ROOM - spare as f32, ..most };
    }
    if fits(Share { trend: 0.0, ..most }) {
        let trend = halved(0.0, 1.0, &|trend| fits(Share { trend, ..most }));
        return Share { trend, ..most };
    }
    let shake = halved(0.0, 1.0, &|shake| fits(Share { trend: 0.0, shake, ..most }));
    Share { trend: 0.0, shake, ..most }
}

// === impl Canvas ===

impl Canvas<'_> {
    /// The windows moved by a path and shifted into the picture by one shift for all; `None` where
    /// they have no place in it.
    fn placed(&self, poses: &[Pose], room: f32) -> Option<Vec<Window>> {
        let width = self.screen.0 as f32;
        let moved = |(window, pose): (&Window, &Pose)| {
            let [growth, rotation, x, y] = pose.map(|v| v as f32);
            let scene =
                Similarity { scale: libm::expf(growth), rotation, tx: x * width, ty: y * width };
            let seen = window.zoomed(room).to_screen(self.screen).then(&scene);
            let centre = seen.inverse().apply((0.0, 0.0));
            let scale = self.screen.0 as f32 / seen.scale;
            let size = (scale, scale * window.size.1 / window.size.0);
            Window { centre, size, turn: -seen.rotation }
        };
        let windows: Vec<Window> = self.windows.iter().zip(poses).map(moved).collect();
        let (mut low, mut high) = ((0.0f32, 0.0f32), (0.0f32, 0.0f32));
        let (w, h) = (self.picture.0 as f32, self.picture.1 as f32);
        for window in &windows {
            let (sin, cos) = (libm::sinf(window.turn).abs(), libm::cosf(window.turn).abs());
            let half = (
                0.5 * (window.size.0 * cos + window.size.1 * sin),
                0.5 * (window.size.0 * sin + window.size.1 * cos),
            );
            // How far all must go to the right at least, and to the left.
            low = (low.0.max(half.0 - window.centre.0), low.1.max(half.1 - window.centre.1));
            high = (
                high.0.max(window.centre.0 + half.0 - w),
                high.1.max(window.centre.1 + half.1 - h),
            );
        }
        // A shift to one side must leave room on the other.
        let room_for = |windows: &[Window], shift: (f32, f32)| {
            windows.iter().all(|window| {
                let centre = (window.centre.0 + shift.0, window.centre.1 + shift.1);
                let inside = Window { centre, ..*window }.inside(self.picture);
                (inside.centre.0 - centre.0).abs() < 0.01
                    && (inside.centre.1 - centre.1).abs() < 0.01
                    && inside.size.0 > 0.9999 * window.size.0
            })
        };
        let shift = (low.0 - high.0, low.1 - high.1);
        room_for(&windows, shift).then(|| {
            let shifted = |window: &Window| {
                let centre = (window.centre.0 + shift.0, window.centre.1 + shift.1);
                Window { centre, ..*window }
            };
            windows.iter().map(shifted).collect()
        })
    }
}

/// The poses as the first of them sees them.
fn from_first(poses: &[Pose]) -> Vec<Pose> {
    let similarity = |pose: &Pose| {
        let [growth, rotation, tx, ty] = pose.map(|v| v as f32);
        Similarity { scale: libm::expf(growth), rotation, tx, ty }
    };
    let Some(back) = poses.first().map(|pose| similarity(pose).inverse()) else {
        return Vec::new();
    };
    let seen = |pose: &Pose| {
        let way = back.then(&similarity(pose));
        [libm::logf(way.scale.max(1e-4)), way.rotation, way.tx, way.ty].map(f64::from)
    };
    poses.iter().map(seen).collect()
}

/// The poses under a Gaussian; beyond the ends they go on as they came.
fn smoothed(poses: &[Pose], sigma: f64) -> Vec<Pose> {
    let travel = Travel(poses.to_vec());
    let radius = libm::ceil(2.5 * sigma) as isize;
    let bell = |d: isize| libm::exp(-((d * d) as f64) / (2.0 * sigma * sigma).max(1e-6));
    let total: f64 = (-radius..=radius).map(bell).sum();
    let mean = |n: usize| {
        let mut sum = [0.0; 4];
        for d in -radius..=radius {
            let pose = travel.at((n as isize + d) as f64);
            (0..4).for_each(|k| sum[k] += bell(d) / total * pose[k]);
        }
        sum
    };
    (0..poses.len()).map(mean).collect()
}

/// Largest way between two poses along any of a camera's degrees, in frame widths at the border.
fn reach(poses: &[Pose]) -> f32 {
    let span = |k: usize| {
        let values = poses.iter().map(|pose| pose[k]);
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        (high - low).max(0.0)
    };
    let pan = libm::hypot(span(2), span(3));
    pan.max(0.5 * span(0)).max(0.5 * span(1)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(pose: impl Fn(f32) -> Similarity) -> Travel {
        let poses = (0..96).map(|n| pose(n as f32 / 95.0)).collect();
        Travel::of(&CameraPath { poses }, &(0..96), 320)
    }

    fn canvas(windows: &[Window]) -> Canvas<'_> {
        Canvas { picture: (1600, 900), screen: (640, 360), windows }
    }

    fn base() -> Vec<Window> {
        vec![Window::largest((1600, 900), 16.0 / 9.0); 96]
    }

    fn straight() -> Vec<f64> {
        (0..96).map(f64::from).collect()
    }

    /// The screen's motion since frame 0, as a similarity.
    fn seen(fitted: &Fitted, n: usize) -> Similarity {
        let to = |n: usize| fitted.windows[n].to_screen((640, 360));
        to(0).inverse().then(&to(n))
    }

    #[test]
    fn a_path_with_room_is_what_it_was() {
        let known = |t: f32| Similarity {
            scale: 1.0 + 0.2 * t,
            rotation: 0.03 * libm::sinf(6.0 * t),
            tx: 25.0 * libm::sinf(3.0 * t),
            ty: -8.0 * t,
        };
        let windows = base();
        let fitted = path(known).fitted(&straight(), 24.0, canvas(&windows));
        assert!(fitted.kept > 0.999 && fitted.room < 1.3, "{} {}", fitted.kept, fitted.room);
        for n in [0, 20, 50, 95] {
            let (got, want) = (seen(&fitted, n), known(n as f32 / 95.0).resized(2.0));
            assert!((got.tx - want.tx).abs() < 0.2 && (got.ty - want.ty).abs() < 0.2, "{n}");
            assert!((got.scale - want.scale).abs() < 1e-3, "{n}");
            assert!((got.rotation - want.rotation).abs() < 1e-3, "{n}");
        }
    }

    #[test]
    fn a_pan_that_is_too_wide_keeps_its_rhythm_and_stays_inside() {
        let windows = base();
        let known = |t: f32| Similarity::translation(-900.0 * t * t, 0.0);
        let fitted = path(known).fitted(&straight(), 24.0, canvas(&windows));
        assert!(fitted.kept < 0.3 && fitted.kept > 0.05, "{}", fitted.kept);
        assert!((fitted.room - MOST_ROOM).abs() < 1e-3);
        for window in &fitted.windows {
            assert_eq!(*window, window.inside((1600, 900)));
        }
        let xs: Vec<f32> = fitted.windows.iter().map(|window| window.centre.0).collect();
        let (whole, half) = (xs[95] - xs[0], xs[48] - xs[0]);
        assert!((half / whole - 0.25).abs() < 0.03, "{half} of {whole}");
        assert!(whole > 400.0, "all of the room is used: {whole}");
    }

    #[test]
    fn the_path_goes_on_past_its_end_at_its_speed() {
        let travel = path(|t| Similarity::translation(-30.0 * t, 0.0));
        let step = |at: f64| travel.at(at + 1.0)[2] - travel.at(at)[2];
        for at in [40.0, 94.0, 95.0, 120.0, 189.0, 190.0, 250.0] {
            assert!((step(at) / step(10.0) - 1.0).abs() < 1e-3, "{at}");
        }
    }

    #[test]
    fn the_room_is_as_small_as_the_path_needs() {
        let windows = base();
        let fitted = path(|t| Similarity::translation(-16.0 * t, 0.0)).fitted(
            &straight(),
            24.0,
            canvas(&windows),
        );
        // A pan by 5 % of the frame needs a window that is 5 % smaller.
        assert!((fitted.room - 1.05).abs() < 0.01, "{}", fitted.room);
        assert!(path(|_| Similarity::IDENTITY).reach() < STILL);
    }
}
