//! Whether the clip moves as the reference does.

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::{FlowField, FlowPair, Mask, ShapeError, Yuv420, convert, metrics, warp};

/// Least confidence (0 to 255) of vectors that are compared.
const LEAST_CONFIDENCE: u8 = 128;

/// Sums over the steps of a shot.
#[derive(Debug, Default)]
pub(crate) struct Motion {
    agreed: f64,
    epe: f64,
    correlation: f64,
    steps: f64,
    warp_error: f64,
    source_warp_error: f64,
}

// === impl Motion ===

impl Motion {
    /// Adds the step from one frame to the next, of the reference and of the clip.
    pub(crate) fn add(
        &mut self,
        source: [&Yuv420; 2],
        clip: [&Yuv420; 2],
    ) -> Result<(), ShapeError> {
        let (own, made) = (pair(source)?, pair(clip)?);
        let hidden = hidden(&own)?;
        self.steps += 1.0;
        self.source_warp_error += warp_error(source, &own, &hidden)?;
        self.warp_error += warp_error(clip, &own, &hidden)?;
        if let Some(found) = metrics::flow_agreement(&own.forward, &made.forward, LEAST_CONFIDENCE)?
        {
            self.agreed += 1.0;
            self.epe += f64::from(found.epe);
            self.correlation += f64::from(found.correlation);
        }
        Ok(())
    }

    /// End-point error in px at 360p and correlation of the two flows; `None` where nothing moved
    /// surely.
    pub(crate) fn agreement(&self) -> Option<(f64, f64)> {
        (self.agreed > 0.0).then(|| (self.epe / self.agreed, self.correlation / self.agreed))
    }

    /// Mean warp error of the clip and of the reference.
    pub(crate) fn warp_errors(&self) -> (f64, f64) {
        let steps = self.steps.max(1.0);
        (self.warp_error / steps, self.source_warp_error / steps)
    }
}

fn pair([a, b]: [&Yuv420; 2]) -> Result<FlowPair, ShapeError> {
    let params = FlowParams { finest: 1, ..FlowParams::default() };
    let image = |frame: &Yuv420| FlowImage::new(frame.as_ref().y(), params);
    flow::pair(&image(a), &image(b))
}

/// Cells that the next frame hides or that lie on the border of a motion, as Lai et al. take them
/// from Ruder et al. (GCPR 2016): |grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002.
fn hidden(flow: &FlowPair) -> Result<Mask, ShapeError> {
    let mut mask = warp::occlusion(&flow.forward, &flow.backward)?;
    let (columns, rows) = flow.forward.grid();
    let data = mask.0.data_mut();
    for j in 0..rows {
        for i in 0..columns {
            if on_border(&flow.forward, i, j) {
                data[j * columns + i] = 255;
            }
        }
    }
    Ok(mask)
}

fn on_border(field: &FlowField, i: usize, j: usize) -> bool {
    let (columns, rows) = field.grid();
    let step = field.scale() as f32;
    let (u, v) = field.vector(i, j);
    let slope = |(a, b): (f32, f32)| {
        let (du, dv) = ((a - u) / step, (b - v) / step);
        du * du + dv * dv
    };
    let right = field.vector((i + 1).min(columns - 1), j);
    let below = field.vector(i, (j + 1).min(rows - 1));
    slope(right) + slope(below) > 0.01 * (u * u + v * v) + 0.002
}

/// Mean squared RGB difference (0 to 1 a channel, summed over channels) of a frame and the next
/// one brought to it, where it is not hidden (Lai et al., ECCV 2018, section 4).
fn warp_error([a, b]: [&Yuv420; 2], flow: &FlowPair, hidden: &Mask) -> Result<f64, ShapeError> {
    let (width, height) = a.size();
    let mut brought = Yuv420::new(width, height, [16, 128, 128])?;
    warp::frame_by_flow(b.as_ref(), &flow.forward, &mut brought.as_mut())?;
    let (one, other) =
        (convert::frame_to_rgb(a.as_ref())?, convert::frame_to_rgb(brought.as_ref())?);
    let (columns, rows) = flow.forward.grid();
    let (mut sum, mut count) = (0u64, 0u64);
    for y in 0..height {
        let mask = hidden.0.row(y * rows / height);
        for (x, (p, q)) in one.row(y).iter().zip(other.row(y)).enumerate() {
            if mask[x * columns / width] == 0 {
                let squares = p.iter().zip(q).map(|(&p, &q)| u64::from(p.abs_diff(q)).pow(2));
                sum += squares.sum::<u64>();
                count += 1;
            }
        }
    }
    Ok(sum as f64 / (255.0 * 255.0 * count.max(1) as f64))
}

#[cfg(test)]
pub(crate) mod tests {
    use kernels::Plane;

    use super::*;

    /// A texture `shift` px to the right, `light` times as bright.
    pub(crate) fn picture(shift: f64, light: f64) -> Yuv420 {
        let y = Plane::from_fn(192, 108, |x, y| {
            let at = x as f64 - shift;
            let wave = libm::sin(at / 5.0) * libm::cos(y as f64 / 6.0)
                + libm::sin(at / 13.0 + y as f64 / 9.0);
            (light * (120.0 + 45.0 * wave)) as u8
        });
        let grey = || Plane::new(96, 54, 128).unwrap();
        Yuv420::from_planes(y.unwrap(), grey(), grey()).unwrap()
    }

    fn motion(clip: impl Fn(f64) -> Yuv420) -> Motion {
        let mut motion = Motion::default();
        for n in 0..4 {
            let [now, next] = [3.0 * f64::from(n), 3.0 * f64::from(n + 1)];
            let source = [&picture(now, 1.0), &picture(next, 1.0)];
            motion.add(source, [&clip(now), &clip(next)]).unwrap();
        }
        motion
    }

    #[test]
    fn a_clip_that_moves_alike_agrees() {
        let motion = motion(|at| picture(at, 0.5));
        let (epe, correlation) = motion.agreement().unwrap();
        assert!(epe < 0.2 && correlation > 0.98, "{epe} {correlation}");
    }

    #[test]
    fn a_clip_that_stands_still_misses_by_the_whole_shift() {
        let motion = motion(|_| picture(0.0, 1.0));
        let (epe, _) = motion.agreement().unwrap();
        assert!((epe - 3.0).abs() < 0.3, "{epe}");
        let (made, own) = motion.warp_errors();
        assert!(made > 10.0 * own, "{made} {own}");
    }

    #[test]
    fn a_clip_that_goes_the_other_way_is_anticorrelated() {
        let (_, correlation) = motion(|at| picture(-at, 1.0)).agreement().unwrap();
        assert!(correlation < -0.9, "{correlation}");
    }
}
