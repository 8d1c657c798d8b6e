//! What a painted clip has of its style and of its source, measured on a sample of its frames.

use kernels::resize::{self, Filter};
use kernels::{FlowPair, Rgb8, convert, metrics};
use media::Frame;

use crate::fail::Failure;
use crate::footage::view;

/// Every how many frames motion and colours are measured.
const EVERY: usize = 12;

/// Longer side of the pictures whose colours are compared, in px.
const SIDE: usize = 96;

/// Directions of the sliced distance.
const DIRECTIONS: usize = 12;

/// Collects sums.
pub(crate) struct Likeness {
    /// A small copy of the style.
    style: Rgb8,
    /// Frames that are seen at the start and at the end of the clip for sharpness.
    window: usize,
    frames: usize,
    total: usize,
    distances: (f64, f64),
    warps: (f64, f64),
    sharpness: [f64; 4],
    before: Option<(Frame, Frame)>,
}

// === impl Likeness ===

impl Likeness {
    /// Of a clip of `total` frames at `rate`, painted after `style`.
    pub(crate) fn new(style: &Rgb8, total: usize, rate: f64) -> Result<Self, Failure> {
        let window = (rate as usize).clamp(1, total.div_ceil(2).max(1));
        Ok(Self {
            style: small(style)?,
            window,
            frames: 0,
            total,
            distances: (0.0, 0.0),
            warps: (0.0, 0.0),
            sharpness: [0.0; 4],
            before: None,
        })
    }

    /// Looks at a frame before and after it was painted; `motion` is that from the frame before.
    pub(crate) fn see(
        &mut self,
        source: &Frame,
        painted: &Frame,
        motion: Option<&FlowPair>,
    ) -> Result<(), Failure> {
        let n = self.frames;
        self.frames += 1;
        if n.is_multiple_of(EVERY) {
            let distance = |frame: &Frame| {
                let rgb = small(&convert::frame_to_rgb(view(frame)?)?)?;
                Ok::<_, Failure>(metrics::sliced_wasserstein(&rgb, &self.style, DIRECTIONS, 1))
            };
            let (of_source, of_painted) = (distance(source)?, distance(painted)?);
            self.distances.0 += of_source;
            self.distances.1 += of_painted;
        }
        if n.is_multiple_of(3) {
            let first = usize::from(n < self.window);
            let last = usize::from(n + self.window >= self.total);
            if first + last > 0 {
                let at =
                    [view(source)?, view(painted)?].map(|v| metrics::laplacian_variance(v.y()));
                for (k, part) in [first, last].into_iter().enumerate() {
                    self.sharpness[2 * k] += part as f64 * at[0];
                    self.sharpness[2 * k + 1] += part as f64 * at[1];
                }
            }
        }
        if let (Some((source_before, painted_before)), Some(motion)) = (self.before.take(), motion)
        {
            let error = |a: &Frame, b: &Frame| {
                Ok::<_, Failure>(metrics::warp_error(view(a)?.y(), view(b)?.y(), motion)?)
            };
            self.warps.0 += error(&source_before, source)?;
            self.warps.1 += error(&painted_before, painted)?;
        }
        if n.is_multiple_of(EVERY) {
            self.before = Some((source.clone(), painted.clone()));
        }
        Ok(())
    }

    /// Ratios of the painted clip to its source.
    pub(crate) fn metrics(&self) -> Vec<(&'static str, f64)> {
        let mut all = Vec::new();
        let mut ratio = |name, a: f64, b: f64| {
            if b > 0.0 {
                all.push((name, a / b));
            }
        };
        let [source_first, first, source_last, last] = self.sharpness;
        // Below 1/3: three times nearer to the style than the source is.
        ratio("style_distance", self.distances.1, self.distances.0);
        ratio("style_warp_error", self.warps.1, self.warps.0);
        // What the source itself gains or loses is not drift.
        ratio("style_sharpness_kept", last * source_first, first * source_last);
        all
    }
}

fn small(still: &Rgb8) -> Result<Rgb8, Failure> {
    let longer = still.width().max(still.height());
    let part = |side: usize| (side * SIDE.min(longer) / longer).max(1);
    Ok(resize::rgb(still, part(still.width()), part(still.height()), Filter::Area)?)
}
