//! What the stages do to the reference's motion, measured on samples while the clip is made.
//!
//! A report says how well the finished clip keeps what it shows: pairs of neighbouring frames are
//! compared before and after the stages, on small copies, at a cost of about a percent of a run.
//! `reshoot bench quality` measures the same things on every frame of the encoded file.

use std::collections::BTreeMap;

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{FlowPair, Plane, metrics, resize};
use media::Frame;

use crate::fail::Failure;
use crate::footage::view;

/// Frames from one sampled pair to the next.
const EVERY: usize = 12;

/// Longer side of the small copies in px.
const SIDE: usize = 320;

/// Longer side of the pictures in whose px the error of the motion is given: 360p.
const GIVEN_SIDE: f64 = 640.0;

/// Least confidence (0 to 255) of vectors that are compared.
const LEAST_CONFIDENCE: u8 = 128;

/// Compares frames before and after the stages.
#[derive(Default)]
pub(super) struct Gauge {
    /// Small frames before the stages, with their shots.
    shown: BTreeMap<usize, (usize, Plane)>,
    made: Option<(usize, Plane)>,
    sums: Sums,
}

#[derive(Default)]
struct Sums {
    pairs: f64,
    agreed: f64,
    epe: f64,
    correlation: f64,
    warp_error: f64,
    source_warp_error: f64,
}

// === impl Gauge ===

impl Gauge {
    /// Sees frame `n`, which shows shot `shot`, before the stages.
    pub(super) fn shown(&mut self, n: usize, shot: usize, frame: &Frame) -> Result<(), Failure> {
        if is_sampled(n) {
            self.shown.insert(n, (shot, small(frame)?));
        }
        Ok(())
    }

    /// Sees frame `n` after the stages; frames come in order.
    pub(super) fn made(&mut self, n: usize, frame: &Frame) -> Result<(), Failure> {
        if !is_sampled(n) {
            return Ok(());
        }
        let now = small(frame)?;
        if let Some((before, then)) = self.made.take()
            && before + 1 == n
            && let (Some((from, one)), Some((to, two))) =
                (self.shown.remove(&before), self.shown.remove(&n))
            && from == to
        {
            self.sums.add([&one, &two], [&then, &now])?;
        }
        self.shown.retain(|&kept, _| kept >= n);
        self.made = Some((n, now));
        Ok(())
    }

    /// The means over all pairs; nothing where there were none.
    pub(super) fn metrics(&self) -> Vec<(&'static str, f64)> {
        let sums = &self.sums;
        let mut metrics = Vec::new();
        if sums.pairs > 0.0 {
            metrics.push(("warp_error", sums.warp_error / sums.pairs));
            metrics.push(("source_warp_error", sums.source_warp_error / sums.pairs));
        }
        if sums.agreed > 0.0 {
            metrics.push(("motion_epe_px", sums.epe / sums.agreed));
            metrics.push(("motion_correlation", sums.correlation / sums.agreed));
        }
        metrics
    }
}

// === impl Sums ===

impl Sums {
    fn add(&mut self, shown: [&Plane; 2], made: [&Plane; 2]) -> Result<(), Failure> {
        let (source, output) = (motion(shown)?, motion(made)?);
        let error = |[a, b]: [&Plane; 2], flow| metrics::warp_error(a.as_ref(), b.as_ref(), flow);
        self.pairs += 1.0;
        self.source_warp_error += error(shown, &source)?;
        self.warp_error += error(made, &source)?;
        let agreement =
            metrics::flow_agreement(&source.forward, &output.forward, LEAST_CONFIDENCE)?;
        if let Some(agreement) = agreement {
            let longer = shown[0].width().max(shown[0].height()) as f64;
            self.agreed += 1.0;
            self.epe += f64::from(agreement.epe) * GIVEN_SIDE / longer;
            self.correlation += f64::from(agreement.correlation);
        }
        Ok(())
    }
}

fn is_sampled(n: usize) -> bool {
    matches!(n % EVERY, 4 | 5)
}

fn small(frame: &Frame) -> Result<Plane, Failure> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let longer = width.max(height);
    let side = |side: usize| (side * SIDE.min(longer) / longer).max(1);
    Ok(resize::shrink(view(frame)?.y(), side(width), side(height))?)
}

fn motion([a, b]: [&Plane; 2]) -> Result<FlowPair, Failure> {
    let params = FlowParams { finest: 1, ..FlowParams::default() };
    let image = |plane: &Plane| FlowImage::new(plane.as_ref(), params);
    Ok(flow::pair(&image(a), &image(b))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A texture whose every frame lies `step` px to the right of the one before.
    fn picture(n: usize, step: f64, light: f64) -> Frame {
        let (width, height) = (160u32, 96u32);
        let mut bytes = vec![128u8; Frame::bytes(width, height)];
        for y in 0..height as usize {
            for x in 0..width as usize {
                let at = x as f64 - step * n as f64;
                let wave = libm::sin(at / 5.0) * libm::cos(y as f64 / 7.0)
                    + libm::sin(at / 11.0 + y as f64 / 9.0);
                bytes[y * width as usize + x] = (light * (120.0 + 40.0 * wave)) as u8;
            }
        }
        Frame::from_bytes(width, height, bytes).unwrap()
    }

    fn gauged(made: impl Fn(usize) -> Frame, shot: impl Fn(usize) -> usize) -> Gauge {
        let mut gauge = Gauge::default();
        for n in 0..24 {
            gauge.shown(n, shot(n), &picture(n, 2.0, 1.0)).unwrap();
            gauge.made(n, &made(n)).unwrap();
        }
        gauge
    }

    fn metric(gauge: &Gauge, name: &str) -> Option<f64> {
        gauge.metrics().into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    #[test]
    fn a_darker_clip_keeps_its_motion() {
        let gauge = gauged(|n| picture(n, 2.0, 0.6), |_| 0);
        assert!(metric(&gauge, "motion_correlation").unwrap() > 0.95);
        assert!(metric(&gauge, "motion_epe_px").unwrap() < 0.6);
    }

    #[test]
    fn a_clip_that_stands_still_loses_it() {
        let gauge = gauged(|_| picture(0, 2.0, 1.0), |_| 0);
        assert!(metric(&gauge, "motion_epe_px").unwrap() > 4.0);
        let (made, source) =
            (metric(&gauge, "warp_error").unwrap(), metric(&gauge, "source_warp_error").unwrap());
        assert!(made > 3.0 * source, "{made} {source}");
    }

    #[test]
    fn a_pair_across_a_cut_is_not_compared() {
        assert!(gauged(|n| picture(n, 2.0, 1.0), |n| n).metrics().is_empty());
    }
}
