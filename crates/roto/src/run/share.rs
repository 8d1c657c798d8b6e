//! Which part of a run the analysis is, so that a bar that counts frames also tells the time.
//!
//! Work is counted in units of decoding and encoding one plain frame, as [`crate::stages::Pace`]
//! counts it. What the stages will cost is not known before the analysis is over; where the sheet
//! promises long work, the guess stays so low that it is wrong by no more than [`TOLERANCE`].

use media::VideoProbe;

use super::pipes::Clip;
use crate::analysis::Questions;
use crate::sheet::Sheet;

/// What is said to be done before the first frame was looked at.
pub(super) const BEGUN: f64 = 0.02;

/// Part of a run by which the bar may be wrong.
const TOLERANCE: f64 = 0.15;

/// Decoding a frame and looking at its copy, measured at 720p like all that follows.
const LOOK: f64 = 0.3;

/// The flow of a copy both ways, the camera's motion from it, the subject.
const MOTION: f64 = 0.3;

/// Decoding again and encoding a frame.
const PLAIN: f64 = 1.0;

/// A frame between frames.
const BETWEEN: f64 = 1.2;

/// A window of another size, resampled.
const WINDOW: f64 = 0.4;

/// The part of the run that the analysis takes, 0.02 to 0.9.
pub(super) fn analysed(
    sheet: &Sheet,
    probe: &VideoProbe,
    rate: u32,
    clip: Clip,
    asked: Questions,
) -> f64 {
    let reel = probe.duration_secs * f64::from(rate);
    let mut render = PLAIN;
    let mut add = |wanted: bool, units: f64| render += if wanted { units } else { 0.0 };
    add(sheet.timing.changes_time(), BETWEEN);
    add(sheet.framing.moves_frame() || asked.subject, WINDOW);
    part(reel * look(asked), f64::from(clip.frames) * render, paints(sheet))
}

fn look(asked: Questions) -> f64 {
    LOOK + if asked.subject || asked.path { MOTION } else { 0.0 }
}

/// Of `look` and `render` units; `more` says that stages of unknown cost follow.
fn part(look: f64, render: f64, more: bool) -> f64 {
    let part = (look / (look + render)).clamp(BEGUN, 0.9);
    if more { part.min(TOLERANCE) } else { part }
}

/// Whether stages come in that cost what their pictures and layers make them cost.
fn paints(sheet: &Sheet) -> bool {
    let stages = [
        sheet.sky.is_empty(),
        sheet.apart.is_empty(),
        sheet.layers.is_empty(),
        sheet.weather.is_empty(),
        sheet.styles.is_empty(),
        sheet.media.is_empty(),
        sheet.light.is_empty(),
        sheet.wear.is_empty(),
        sheet.finish.is_empty(),
    ];
    stages.contains(&false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest distance of the bar from the time, when the analysis takes `look` of `look + render`
    /// and is said to be `said` of it.
    fn error(said: f64, look: f64, render: f64) -> f64 {
        let total = look + render;
        (0..=100)
            .map(|i| {
                let time = f64::from(i) / 100.0 * total;
                let bar = if time <= look {
                    said * time / look
                } else {
                    said + (1.0 - said) * (time - look) / render
                };
                (bar - time / total).abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_bar_tells_the_time_within_fifteen_points() {
        // A look, the rendering as it was guessed, and what it came to.
        for (frames, clip) in [(120.0, 120.0), (240.0, 72.0), (72.0, 240.0)] {
            for each in [LOOK, LOOK + MOTION] {
                let look = frames * each;
                for wrong in [0.6, 1.0, 1.6] {
                    let said = part(look, clip, false);
                    assert!(error(said, look, clip * wrong) < TOLERANCE, "{frames} {clip} {wrong}");
                }
            }
        }
    }

    #[test]
    fn a_long_stage_is_not_overtaken_by_the_analysis() {
        for effort in [1.0, 3.0, 30.0, 300.0] {
            let (look, render) = (120.0 * LOOK, 120.0 * (PLAIN + effort));
            let said = part(look, 120.0, true);
            assert!(error(said, look, render) <= TOLERANCE, "{effort}: {said}");
        }
    }
}
