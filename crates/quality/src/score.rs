//! Metrics of a clip, and which gates they pass.

use kernels::{Rgb8, ShapeError};
use serde::Serialize;

use crate::clips::{Clips, RATE};
use crate::motion::Motion;
use crate::{Case, Kind, look};

/// Least warp error that a ratio is taken to: a hundredth of a code per channel is no motion.
const LEAST_WARP_ERROR: f64 = 1e-5;

/// Figures of one shot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShotScores {
    /// First frame of the shot, at 24 a second.
    pub start: usize,
    /// Frames.
    pub frames: usize,
    /// End-point error of the flows in px at 360p, and their correlation.
    pub motion: Option<(f64, f64)>,
    /// Warp error of the clip over that of the reference.
    pub warp_ratio: f64,
    /// VBench temporal flickering of the clip less that of the reference.
    pub flicker_gain: f64,
    /// Change of sharpness from end to end over the reference's own, less 1.
    pub sharpness_drift: f64,
    /// Change of the Lab histogram from end to end less the reference's own.
    pub histogram_drift: f64,
}

/// Figures of a clip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Shot by shot; empty where output time is not reference time.
    pub shots: Vec<ShotScores>,
    /// How many times nearer to the style picture the clip is than the reference.
    pub style_gain: Option<f64>,
    /// Normalised cross-correlation of a placed element with its picture, as the engine measured.
    pub element_identity: Option<f64>,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Its name.
    pub name: &'static str,
    /// The figure, of the worst shot.
    pub value: f64,
    /// What is allowed, in words.
    pub allowed: &'static str,
    /// Part of the room that is used: up to 1 the gate is passed.
    pub used: f64,
}

/// Measures a clip. `style` is the picture whose style was asked for.
pub fn scores(case: &Case, clips: &Clips, style: Option<&Rgb8>) -> Result<Scores, ShapeError> {
    let mut shots = Vec::new();
    let comparable = clips.source.first().map(kernels::Yuv420::size)
        == clips.clip.first().map(kernels::Yuv420::size);
    if case.is_straight() && comparable {
        for shot in &clips.shots {
            shots.push(shot_scores(clips, shot.clone())?);
        }
    }
    let style_gain = style
        .map(|style| {
            let source = look::style_distance(&clips.source, style)?;
            Ok(source / look::style_distance(&clips.clip, style)?.max(1e-6))
        })
        .transpose()?;
    Ok(Scores { shots, style_gain, element_identity: None })
}

fn shot_scores(clips: &Clips, shot: std::ops::Range<usize>) -> Result<ShotScores, ShapeError> {
    let (source, clip) = (&clips.source[shot.clone()], &clips.clip[shot.clone()]);
    let mut motion = Motion::default();
    for (own, made) in source.windows(2).zip(clip.windows(2)) {
        motion.add([&own[0], &own[1]], [&made[0], &made[1]])?;
    }
    let (made, own) = motion.warp_errors();
    let rate = RATE as usize;
    Ok(ShotScores {
        start: shot.start,
        frames: shot.len(),
        motion: motion.agreement(),
        warp_ratio: made / own.max(LEAST_WARP_ERROR),
        flicker_gain: look::flicker(clip)? - look::flicker(source)?,
        sharpness_drift: look::sharpness_ratio(clip, rate) / look::sharpness_ratio(source, rate)
            - 1.0,
        histogram_drift: look::histogram_change(clip, rate)?
            - look::histogram_change(source, rate)?,
    })
}

// === impl Scores ===

impl Scores {
    /// The gates that hold for a kind of case, with the figure of the worst shot.
    pub fn gates(&self, kind: Kind) -> Vec<Gate> {
        let worst = |value: fn(&ShotScores) -> Option<f64>| {
            self.shots.iter().filter_map(value).max_by(f64::total_cmp)
        };
        let mut gates = Vec::new();
        let mut add = |name, value: Option<f64>, allowed, used: fn(f64) -> f64| {
            if let Some(value) = value {
                gates.push(Gate { name, value, allowed, used: used(value) });
            }
        };
        let lost = worst(|shot| shot.motion.map(|(_, correlation)| -correlation)).map(|v| -v);
        if matches!(kind, Kind::Style | Kind::Medium) {
            let epe = worst(|shot| shot.motion.map(|(epe, _)| epe));
            add("motion error, px", epe, "at most 0.4", |v| v / 0.4);
            add("motion correlation", lost, "at least 0.5", |v| (1.0 - v) / 0.5);
        } else {
            add("motion correlation", lost, "at least 0.9", |v| (1.0 - v) / 0.1);
        }
        let warp = worst(|shot| Some(shot.warp_ratio));
        add("warp error, times the source's", warp, "at most 2", |v| v / 2.0);
        let flicker = worst(|shot| Some(-shot.flicker_gain)).map(|v| -v);
        add("flicker, less the source's", flicker, "at least -0.01", |v| -v / 0.01);
        let sharpness = worst(|shot| Some(shot.sharpness_drift.abs()));
        add("drift of sharpness", sharpness, "at most 0.15", |v| v / 0.15);
        let histogram = worst(|shot| Some(shot.histogram_drift));
        add("drift of colours", histogram, "at most 0.15", |v| v / 0.15);
        if kind == Kind::Style {
            add("times nearer to the style", self.style_gain, "at least 3", |v| 3.0 / v.max(1e-6));
        }
        if kind == Kind::Element {
            let identity = self.element_identity;
            add("element identity", identity, "at least 0.9", |v| (1.0 - v) / 0.1);
        }
        gates
    }
}

// === impl Gate ===

impl Gate {
    /// Whether the figure is good enough.
    pub fn is_passed(&self) -> bool {
        self.used <= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CASES;
    use crate::motion::tests::picture;

    fn clips(made: impl Fn(f64) -> kernels::Yuv420) -> Clips {
        let at = |n: u32| 1.5 * f64::from(n);
        let source = (0..12).map(|n| picture(at(n), 1.0)).collect();
        Clips::of(source, (0..12).map(|n| made(at(n))).collect())
    }

    fn failed(clips: &Clips) -> Vec<&'static str> {
        let case = CASES.iter().find(|case| case.kind == Kind::Grade).unwrap();
        let gates = scores(case, clips, None).unwrap().gates(case.kind);
        assert!(gates.len() >= 5);
        gates.iter().filter(|gate| !gate.is_passed()).map(|gate| gate.name).collect()
    }

    #[test]
    fn the_reference_itself_passes_every_gate() {
        assert_eq!(failed(&clips(|at| picture(at, 1.0))), Vec::<&str>::new());
        assert_eq!(failed(&clips(|at| picture(at, 0.7))), Vec::<&str>::new());
    }

    #[test]
    fn a_clip_that_flickers_fails_by_flicker_and_warp_error() {
        let found = failed(&clips(|at| picture(at, if at % 3.0 < 1.0 { 0.6 } else { 1.0 })));
        assert!(found.iter().any(|name| name.starts_with("flicker")), "{found:?}");
        assert!(found.iter().any(|name| name.starts_with("warp")), "{found:?}");
    }

    #[test]
    fn a_clip_that_moves_otherwise_fails_by_motion() {
        let found = failed(&clips(|at| picture(-at, 1.0)));
        assert!(found.contains(&"motion correlation"), "{found:?}");
    }
}
