//! Rectangles, similarities and camera paths.

/// A rectangle with sub-pixel sides; pixel (0, 0) covers 0..1 on both axes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Rect {
    /// Left edge in px.
    pub x: f32,
    /// Top edge in px.
    pub y: f32,
    /// Width in px, above 0.
    pub width: f32,
    /// Height in px, above 0.
    pub height: f32,
}

/// p' = scale * R(rotation) * p + (tx, ty).
///
/// Motions and placements have their origin at the centre of the frame, so that they carry over
/// to another size by [`Similarity::resized`]. y points down; a positive rotation is clockwise
/// on screen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Similarity {
    /// Factor, above 0.
    pub scale: f32,
    /// Angle in radians.
    pub rotation: f32,
    /// Shift to the right in px.
    pub tx: f32,
    /// Shift down in px.
    pub ty: f32,
}

/// Where the scene has gone since the first frame: entry t maps a point of frame 0 to frame t.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraPath {
    /// One similarity a frame; the first is the identity.
    pub poses: Vec<Similarity>,
}

// === impl Rect ===

impl Rect {
    /// The whole of a picture of this size.
    pub fn whole((width, height): (usize, usize)) -> Self {
        Self { x: 0.0, y: 0.0, width: width as f32, height: height as f32 }
    }

    /// Centre of the rectangle in px.
    pub fn centre(&self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The same rectangle in a picture `factor_x`, `factor_y` times as large.
    pub fn scaled(&self, factor_x: f32, factor_y: f32) -> Self {
        Self {
            x: self.x * factor_x,
            y: self.y * factor_y,
            width: self.width * factor_x,
            height: self.height * factor_y,
        }
    }

    /// The rectangle moved, then cut, so that it lies inside a picture of this size.
    pub fn inside(&self, (width, height): (usize, usize)) -> Self {
        let (width, height) = (width as f32, height as f32);
        let w = self.width.clamp(f32::MIN_POSITIVE, width);
        let h = self.height.clamp(f32::MIN_POSITIVE, height);
        Self {
            x: self.x.clamp(0.0, width - w),
            y: self.y.clamp(0.0, height - h),
            width: w,
            height: h,
        }
    }

    /// The largest rectangle of aspect `aspect` (width over height) in a picture of this size,
    /// as near to `centre` as it can be.
    pub fn largest(size: (usize, usize), aspect: f32, centre: (f32, f32)) -> Self {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let (w, h) = if width > height * aspect {
            (height * aspect, height)
        } else {
            (width, width / aspect)
        };
        Self { x: centre.0 - w / 2.0, y: centre.1 - h / 2.0, width: w, height: h }.inside(size)
    }
}

// === impl Similarity ===

impl Similarity {
    /// Leaves every point where it is.
    pub const IDENTITY: Self = Self { scale: 1.0, rotation: 0.0, tx: 0.0, ty: 0.0 };

    /// A shift alone.
    pub fn translation(tx: f32, ty: f32) -> Self {
        Self { tx, ty, ..Self::IDENTITY }
    }

    /// From p' = (a x - b y + tx, b x + a y + ty).
    pub fn from_linear(a: f32, b: f32, tx: f32, ty: f32) -> Self {
        Self { scale: libm::hypotf(a, b), rotation: libm::atan2f(b, a), tx, ty }
    }

    /// (a, b) of p' = (a x - b y + tx, b x + a y + ty).
    pub fn linear(&self) -> (f32, f32) {
        (self.scale * libm::cosf(self.rotation), self.scale * libm::sinf(self.rotation))
    }

    /// Where the point (x, y) goes.
    pub fn apply(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (a, b) = self.linear();
        (a * x - b * y + self.tx, b * x + a * y + self.ty)
    }

    /// First `self`, then `next`.
    pub fn then(&self, next: &Self) -> Self {
        let (tx, ty) = next.apply((self.tx, self.ty));
        Self { scale: self.scale * next.scale, rotation: self.rotation + next.rotation, tx, ty }
    }

    /// Undoes `self`. The scale must be above 0.
    pub fn inverse(&self) -> Self {
        let back = Self { scale: 1.0 / self.scale, rotation: -self.rotation, tx: 0.0, ty: 0.0 };
        let (x, y) = back.apply((self.tx, self.ty));
        Self { tx: -x, ty: -y, ..back }
    }

    /// The same motion in a frame `factor` times as large.
    pub fn resized(&self, factor: f32) -> Self {
        Self { tx: self.tx * factor, ty: self.ty * factor, ..*self }
    }

    /// The part `t` of the motion: 0 is the identity, 1 is `self`; the scale goes geometrically.
    pub fn fraction(&self, t: f32) -> Self {
        Self {
            scale: libm::powf(self.scale, t),
            rotation: self.rotation * t,
            tx: self.tx * t,
            ty: self.ty * t,
        }
    }
}

impl Default for Similarity {
    fn default() -> Self {
        Self::IDENTITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_inverse_undoes(
            scale in 0.3f32..3.0, rotation in -3.0f32..3.0,
            tx in -200.0f32..200.0, ty in -200.0f32..200.0,
            x in -500.0f32..500.0, y in -500.0f32..500.0,
        ) {
            let s = Similarity { scale, rotation, tx, ty };
            let back = s.then(&s.inverse()).apply((x, y));
            prop_assert!((back.0 - x).abs() < 0.02 && (back.1 - y).abs() < 0.02);
            let (a, b) = s.linear();
            let again = Similarity::from_linear(a, b, tx, ty);
            prop_assert!((again.scale - scale).abs() < 1e-3);
        }

        #[test]
        fn the_largest_rectangle_fits(
            w in 16usize..2000, h in 16usize..2000, aspect in 0.3f32..3.0,
            cx in -100.0f32..2100.0, cy in -100.0f32..2100.0,
        ) {
            let r = Rect::largest((w, h), aspect, (cx, cy));
            prop_assert!(r.x >= 0.0 && r.x + r.width <= w as f32 * 1.0001);
            prop_assert!(r.y >= 0.0 && r.y + r.height <= h as f32 * 1.0001);
            prop_assert!((r.width / r.height / aspect - 1.0).abs() < 1e-3);
        }
    }
}
