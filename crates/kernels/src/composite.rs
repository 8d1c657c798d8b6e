//! A still laid over a frame.
//!
//! Layers are premultiplied, so that samples between opaque and transparent pixels have no fringe,
//! and carry halved copies of themselves, so that a small placement does not alias.

use crate::convert;
use crate::frame::Yuv420Mut;
use crate::geometry::{Rect, Similarity};
use crate::image::Rgba8;
use crate::plane::PlaneMut;
use crate::rows::for_rows;

/// A picture with premultiplied alpha and its halved copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    levels: Vec<Level>,
    bounds: [usize; 4],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    pixels: Vec<[u8; 4]>,
    width: usize,
    height: usize,
}

/// A soft dark ellipse where a layer stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shadow {
    /// Part of the light that is taken away in the middle, 0 to 1.
    pub strength: f32,
    /// Height of the ellipse over its width.
    pub flatness: f32,
    /// Width of the ellipse over the width of the layer's foot.
    pub spread: f32,
    /// How far to the right its middle lies, over the width of the foot.
    pub offset: f32,
}

/// Maps px of a plane to px of a layer's level, both from their corners.
#[derive(Clone, Copy)]
struct Sampler<'a> {
    level: &'a Level,
    a: f32,
    b: f32,
    x0: f32,
    y0: f32,
}

impl Default for Shadow {
    fn default() -> Self {
        Self { strength: 0.45, flatness: 0.18, spread: 1.25, offset: 0.0 }
    }
}

// === impl Layer ===

impl Layer {
    /// From straight alpha.
    pub fn new(image: &Rgba8) -> Self {
        let (width, height) = image.size();
        let pixels = image.pixels().iter().map(|&[r, g, b, a]| {
            let by_alpha = |c: u8| ((u32::from(c) * u32::from(a) + 127) / 255) as u8;
            [by_alpha(r), by_alpha(g), by_alpha(b), a]
        });
        let mut levels = vec![Level { pixels: pixels.collect(), width, height }];
        while let Some(last) = levels.last()
            && last.width.min(last.height) > 1
        {
            let next = last.halved();
            levels.push(next);
        }
        let bounds = bounds(image);
        Self { levels, bounds }
    }

    /// Width and height in px.
    pub fn size(&self) -> (usize, usize) {
        (self.levels[0].width, self.levels[0].height)
    }

    /// The part that is not transparent, in px; the whole layer if it is transparent throughout.
    pub fn bounds(&self) -> Rect {
        let [left, top, right, bottom] = self.bounds.map(|v| v as f32);
        Rect { x: left, y: top, width: right - left, height: bottom - top }
    }

    /// The lowest part of what is not transparent, a fifth of its height: what it stands on.
    pub fn foot(&self) -> Rect {
        let [left, top, right, bottom] = self.bounds;
        let level = &self.levels[0];
        let from = bottom - (bottom - top).div_ceil(5).min(bottom);
        let rows = from..bottom.min(level.height);
        let mut span = (right, left);
        for row in rows.filter_map(|y| level.pixels.get(y * level.width..(y + 1) * level.width)) {
            for (x, _) in row.iter().enumerate().filter(|(_, pixel)| pixel[3] >= 128) {
                span = (span.0.min(x), span.1.max(x + 1));
            }
        }
        let (left, right) = if span.0 < span.1 { span } else { (left, right) };
        Rect {
            x: left as f32,
            y: from as f32,
            width: (right - left) as f32,
            height: (bottom - from) as f32,
        }
    }

    /// The level whose pixels are nearest in size to those of a plane, and the way there.
    fn sampler(&self, plane: (usize, usize), placement: &Similarity) -> Sampler<'_> {
        let shrink = (1.0 / placement.scale.max(1e-4)).max(1.0);
        let wanted = libm::roundf(libm::log2f(shrink)) as usize;
        let index = wanted.min(self.levels.len() - 1);
        let level = &self.levels[index];
        let back = placement.inverse();
        let (a, b) = back.linear();
        let (full_w, full_h) = self.size();
        let (kx, ky) = (level.width as f32 / full_w as f32, level.height as f32 / full_h as f32);
        let k = 0.5 * (kx + ky);
        let (a, b) = (a * k, b * k);
        let (cx, cy) = (plane.0 as f32 / 2.0, plane.1 as f32 / 2.0);
        Sampler {
            level,
            a,
            b,
            x0: level.width as f32 / 2.0 + back.tx * k - a * cx + b * cy,
            y0: level.height as f32 / 2.0 + back.ty * k - b * cx - a * cy,
        }
    }
}

fn bounds(image: &Rgba8) -> [usize; 4] {
    let (width, height) = image.size();
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    for y in 0..height {
        for (x, pixel) in image.row(y).iter().enumerate() {
            if pixel[3] >= 16 {
                (left, right) = (left.min(x), right.max(x + 1));
                (top, bottom) = (top.min(y), bottom.max(y + 1));
            }
        }
    }
    if right == 0 { [0, 0, width, height] } else { [left, top, right, bottom] }
}

// === impl Level ===

impl Level {
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
                    .map(|(dx, dy)| self.at((2 * x + dx) as isize, (2 * y + dy) as isize));
                pixels.push(std::array::from_fn(|c| {
                    let sum: u32 = corners.iter().map(|p| u32::from(p[c])).sum();
                    ((sum + 2) >> 2) as u8
                }));
            }
        }
        Self { pixels, width, height }
    }

    /// Clamped to the level.
    fn at(&self, x: isize, y: isize) -> [u8; 4] {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.pixels[y * self.width + x]
    }

    /// Transparent outside.
    fn or_nothing(&self, x: isize, y: isize) -> [f32; 4] {
        if x < 0 || y < 0 || x >= self.width as isize || y >= self.height as isize {
            return [0.0; 4];
        }
        self.pixels[y as usize * self.width + x as usize].map(f32::from)
    }
}

// === impl Sampler ===

impl Sampler<'_> {
    /// Premultiplied colour (0..255) at the centre of the plane's pixel (x, y).
    #[inline]
    fn at(&self, x: usize, y: usize) -> [f32; 4] {
        let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
        let sx = self.x0 + self.a * px - self.b * py - 0.5;
        let sy = self.y0 + self.b * px + self.a * py - 0.5;
        let (w, h) = (self.level.width as f32, self.level.height as f32);
        if sx <= -1.0 || sy <= -1.0 || sx >= w || sy >= h {
            return [0.0; 4];
        }
        let (fx0, fy0) = (libm::floorf(sx), libm::floorf(sy));
        let (fx, fy) = (sx - fx0, sy - fy0);
        let (i, j) = (fx0 as isize, fy0 as isize);
        let corner = |dx, dy| self.level.or_nothing(i + dx, j + dy);
        let (p, q, r, s) = (corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1));
        std::array::from_fn(|c| {
            let above = p[c] + fx * (q[c] - p[c]);
            let below = r[c] + fx * (s[c] - r[c]);
            above + fy * (below - above)
        })
    }
}

/// Lays a layer over a frame. `placement` maps the layer's px to the frame's, both from their
/// centres; `opacity` is 0 to 1.
pub fn over(layer: &Layer, placement: &Similarity, opacity: f32, frame: &mut Yuv420Mut<'_>) {
    let luma = frame.size();
    let opacity = opacity.clamp(0.0, 1.0) / 255.0;
    for (channel, plane) in frame.planes_mut().into_iter().enumerate() {
        let factor = plane.width() as f32 / luma.0 as f32;
        let placement = Similarity { scale: placement.scale * factor, ..placement.resized(factor) };
        let sampler = layer.sampler(plane.size(), &placement);
        lay_over(&sampler, channel, opacity, plane);
    }
}

fn lay_over(sampler: &Sampler<'_>, channel: usize, opacity: f32, plane: &mut PlaneMut<'_>) {
    for_rows(plane, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            let [r, g, b, a] = sampler.at(x, y);
            if a > 0.0 {
                let alpha = a * opacity;
                let straight = [r, g, b].map(|c| c / a);
                let code = crate::color::rgb_to_yuv(straight)[channel];
                let under = f32::from(*out);
                *out = crate::resize::to_byte(under + alpha * (code - under));
            }
        }
    });
}

/// Darkens the ground at the foot of a layer placed by `placement`. Call it before [`over`].
pub fn contact_shadow(
    layer: &Layer,
    placement: &Similarity,
    shadow: Shadow,
    frame: &mut Yuv420Mut<'_>,
) {
    let luma = frame.size();
    let (layer_w, layer_h) = layer.size();
    let foot = layer.foot();
    let x = foot.x + (0.5 + shadow.offset) * foot.width - layer_w as f32 / 2.0;
    let y = foot.y + foot.height - layer_h as f32 / 2.0;
    let (cx, cy) = placement.apply((x, y));
    let radius = (0.5 * foot.width * placement.scale * shadow.spread).max(1.0);
    let radii = (radius, (radius * shadow.flatness).max(1.0));
    for (channel, plane) in frame.planes_mut().into_iter().enumerate() {
        let factor = luma.0 as f32 / plane.width() as f32;
        let grey = if channel == 0 { 16.0 } else { 128.0 };
        let share = if channel == 0 { shadow.strength } else { 0.5 * shadow.strength };
        for_rows(plane, |row_index, row| {
            let py = (row_index as f32 + 0.5) * factor - luma.1 as f32 / 2.0;
            let dy = (py - cy) / radii.1;
            if dy.abs() >= 1.0 {
                return;
            }
            for (column, out) in row.iter_mut().enumerate() {
                let px = (column as f32 + 0.5) * factor - luma.0 as f32 / 2.0;
                let dx = (px - cx) / radii.0;
                let inside = (1.0 - dx * dx - dy * dy).max(0.0);
                let dark = share.clamp(0.0, 1.0) * inside * inside * (3.0 - 2.0 * inside);
                let value = f32::from(*out);
                *out = crate::resize::to_byte(value + dark * (grey - value));
            }
        });
    }
}

/// Code of a colour as [`over`] writes it where it is opaque.
pub fn opaque_code(rgb: [u8; 3]) -> [u8; 3] {
    convert::rgb_code(rgb)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    const GREY: [u8; 3] = [120, 128, 128];

    fn square() -> Layer {
        Layer::new(&Rgba8::from_fn(40, 40, |_, _| [250, 20, 20, 255]).unwrap())
    }

    fn at(frame: &Yuv420, x: isize, y: isize) -> [u8; 3] {
        let [l, u, v] = frame.as_ref().planes();
        [l.at(x, y), u.at(x / 2, y / 2), v.at(x / 2, y / 2)]
    }

    #[test]
    fn a_layer_lands_where_it_is_put() {
        let red = opaque_code([250, 20, 20]);
        for scale in [0.3, 0.5, 1.0, 2.0] {
            let mut frame = Yuv420::new(200, 120, GREY).unwrap();
            let placement = Similarity { scale, tx: 30.0, ty: -10.0, ..Similarity::IDENTITY };
            over(&square(), &placement, 1.0, &mut frame.as_mut());
            let half = (20.0 * scale) as isize;
            let inside = at(&frame, 130 + half - 4, 50);
            assert!(inside.iter().zip(red).all(|(a, b)| a.abs_diff(b) <= 1), "{scale} {inside:?}");
            assert_eq!(at(&frame, 130 + half + 4, 50), GREY, "{scale}");
            assert_eq!(at(&frame, 130, 50 - half - 5), GREY, "{scale}");
        }
    }

    #[test]
    fn rotation_turns_the_layer_and_opacity_mixes_it() {
        let bar = Layer::new(&Rgba8::from_fn(80, 8, |_, _| [255, 255, 255, 255]).unwrap());
        let mut frame = Yuv420::new(200, 120, [16, 128, 128]).unwrap();
        let upright = Similarity { rotation: std::f32::consts::FRAC_PI_2, ..Similarity::IDENTITY };
        over(&bar, &upright, 0.5, &mut frame.as_mut());
        assert!(at(&frame, 100, 90)[0].abs_diff(126) <= 1);
        assert_eq!(at(&frame, 130, 60)[0], 16);
    }

    #[test]
    fn a_shadow_lies_under_the_foot_only() {
        let mut frame = Yuv420::new(200, 120, GREY).unwrap();
        let placement = Similarity::translation(0.0, 0.0);
        contact_shadow(&square(), &placement, Shadow::default(), &mut frame.as_mut());
        assert!(at(&frame, 100, 80)[0] < 90);
        assert_eq!(at(&frame, 100, 50), GREY);
        assert_eq!(at(&frame, 160, 80), GREY);
    }

    #[test]
    fn bounds_leave_the_transparent_rim_out() {
        let image = Rgba8::from_fn(30, 20, |x, y| {
            let inside = (5..12).contains(&x) && (3..18).contains(&y);
            [0, 0, 0, if inside { 255 } else { 0 }]
        });
        let layer = Layer::new(&image.unwrap());
        let expected = Rect { x: 5.0, y: 3.0, width: 7.0, height: 15.0 };
        assert_eq!(layer.bounds(), expected);
    }
}
