//! Whether a placed element is still itself.
//!
//! The frame is read back through the element's placement and compared with the picture that was
//! brought, by normalised cross-correlation of luma over the opaque part; 1 is the same but for
//! light and contrast.

use kernels::resize::{self, Filter};
use kernels::{Layer, Plane, PlaneRef, Rgba8, Similarity, metrics};

use crate::fail::Failure;

/// Opacity from which a pixel is compared.
const OPAQUE: u8 = 250;

/// Least number of pixels that are compared, and how many a row of them has.
const LEAST: usize = 128;

/// Standard deviation in codes from which there is something to compare.
const LEAST_SPREAD: f64 = 3.0;

/// Running mean of an element's identity.
#[derive(Debug, Default)]
pub(super) struct Identity {
    sum: f64,
    count: f64,
    /// The picture at the size at which it was last seen.
    sized: Option<Rgba8>,
}

// === impl Identity ===

impl Identity {
    /// Mean over the frames that were looked at.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }

    /// Looks at a frame's luma, unless the element lies partly outside it.
    pub(super) fn see(
        &mut self,
        image: &Rgba8,
        layer: &Layer,
        place: &Similarity,
        luma: PlaneRef<'_>,
    ) -> Result<(), Failure> {
        let part = |side: usize| ((side as f32 * place.scale) as usize).clamp(1, side.max(1));
        let wanted = (part(image.width()), part(image.height()));
        if self.sized.as_ref().is_none_or(|sized| sized.size() != wanted) {
            self.sized = Some(resize::rgba(image, wanted.0, wanted.1, Filter::Area)?);
        }
        let Some(small) = &self.sized else { return Ok(()) };
        let (full, half) = (layer.size(), (luma.width() as f32 / 2.0, luma.height() as f32 / 2.0));
        let (mut own, mut seen) = (Vec::new(), Vec::new());
        for y in 0..wanted.1 {
            for (x, &[r, g, b, a]) in small.row(y).iter().enumerate() {
                if a < OPAQUE {
                    continue;
                }
                let from_middle = |at: usize, wanted: usize, full: usize| {
                    (at as f32 + 0.5) / wanted as f32 * full as f32 - full as f32 / 2.0
                };
                let point = (from_middle(x, wanted.0, full.0), from_middle(y, wanted.1, full.1));
                let to = place.apply(point);
                let (u, v) = (to.0 + half.0 - 0.5, to.1 + half.1 - 0.5);
                if u < 0.0 || v < 0.0 || u > 2.0 * half.0 - 2.0 || v > 2.0 * half.1 - 2.0 {
                    return Ok(());
                }
                own.push(kernels::composite::opaque_code([r, g, b])[0]);
                seen.push(bilinear(luma, u, v));
            }
        }
        let count = own.len();
        if count >= LEAST && spread(&own) >= LEAST_SPREAD {
            let rows = count / LEAST;
            own.truncate(rows * LEAST);
            seen.truncate(rows * LEAST);
            let own = Plane::from_vec(own, LEAST, rows)?;
            let seen = Plane::from_vec(seen, LEAST, rows)?;
            self.sum += metrics::ncc(own.as_ref(), seen.as_ref())?;
            self.count += 1.0;
        }
        Ok(())
    }
}

fn spread(codes: &[u8]) -> f64 {
    let count = codes.len().max(1) as f64;
    let mean = codes.iter().map(|&c| f64::from(c)).sum::<f64>() / count;
    (codes.iter().map(|&c| (f64::from(c) - mean).powi(2)).sum::<f64>() / count).sqrt()
}

fn bilinear(plane: PlaneRef<'_>, x: f32, y: f32) -> u8 {
    let (i, j) = (x as isize, y as isize);
    let (fx, fy) = (x - i as f32, y - j as f32);
    let at = |dx, dy| f32::from(plane.at(i + dx, j + dy));
    let above = at(0, 0) + fx * (at(1, 0) - at(0, 0));
    let below = at(0, 1) + fx * (at(1, 1) - at(0, 1));
    (above + fy * (below - above) + 0.5) as u8
}
