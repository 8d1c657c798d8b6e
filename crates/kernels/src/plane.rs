//! Eight-bit planes, borrowed and owned.
//!
//! Every kernel takes views, so that a caller's frame buffer is never copied to be read. The
//! constructors check the shape once; from there on a row is a slice of exactly `width` bytes.

use crate::rows::for_rows;

/// Longest side of a plane, in px. Keeps every index and fixed-point position inside 32 bits.
pub const MAX_SIDE: usize = 16_384;

/// A buffer or a pair of pictures whose shapes don't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A side is zero or longer than [`MAX_SIDE`].
    #[error("size `{width}x{height}` is not allowed, each side must be 1 to {MAX_SIDE} px")]
    Size {
        /// Width in px.
        width: usize,
        /// Height in px.
        height: usize,
    },
    /// The stride is shorter than a row.
    #[error("stride `{stride}` is shorter than a row of `{width}` px")]
    Stride {
        /// Bytes from one row to the next.
        stride: usize,
        /// Width in px.
        width: usize,
    },
    /// The buffer ends before the last row does.
    #[error("buffer of `{found}` bytes is too short, `{needed}` are needed")]
    Buffer {
        /// Length of the buffer.
        found: usize,
        /// Length that the shape needs.
        needed: usize,
    },
    /// Two pictures that must have the same size have not.
    #[error("picture is `{found_width}x{found_height}`, `{width}x{height}` is needed")]
    Mismatch {
        /// Width of the second picture in px.
        found_width: usize,
        /// Height of the second picture in px.
        found_height: usize,
        /// Width that it must have.
        width: usize,
        /// Height that it must have.
        height: usize,
    },
}

/// A read-only plane of bytes, row after row, `stride` bytes apart.
#[derive(Debug, Clone, Copy)]
pub struct PlaneRef<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

/// A writable plane of bytes, row after row, `stride` bytes apart.
#[derive(Debug)]
pub struct PlaneMut<'a> {
    data: &'a mut [u8],
    width: usize,
    height: usize,
    stride: usize,
}

/// An owned plane without padding: the stride is the width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    data: Vec<u8>,
    width: usize,
    height: usize,
}

/// A plane of weights: 0 = none of it, 255 = all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask(pub Plane);

// === impl ShapeError ===

pub(crate) fn check_size(width: usize, height: usize) -> Result<(), ShapeError> {
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(ShapeError::Size { width, height });
    }
    Ok(())
}

pub(crate) fn check_same(
    (width, height): (usize, usize),
    (found_width, found_height): (usize, usize),
) -> Result<(), ShapeError> {
    if width != found_width || height != found_height {
        return Err(ShapeError::Mismatch { found_width, found_height, width, height });
    }
    Ok(())
}

fn check_buffer(
    found: usize,
    width: usize,
    height: usize,
    stride: usize,
) -> Result<(), ShapeError> {
    check_size(width, height)?;
    if stride < width {
        return Err(ShapeError::Stride { stride, width });
    }
    let needed = stride.saturating_mul(height - 1).saturating_add(width);
    if found < needed {
        return Err(ShapeError::Buffer { found, needed });
    }
    Ok(())
}

// === impl PlaneRef ===

impl<'a> PlaneRef<'a> {
    /// Views `data` as `height` rows of `width` px. The last row needs no padding.
    pub fn new(
        data: &'a [u8],
        width: usize,
        height: usize,
        stride: usize,
    ) -> Result<Self, ShapeError> {
        check_buffer(data.len(), width, height, stride)?;
        Ok(Self { data, width, height, stride })
    }

    /// Width in px, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in px, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height in px.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Row `y`, clamped to the last one: exactly `width` bytes.
    #[inline]
    pub fn row(&self, y: usize) -> &'a [u8] {
        let start = y.min(self.height - 1) * self.stride;
        &self.data[start..start + self.width]
    }

    /// All rows, top to bottom.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        (0..self.height).map(|y| self.row(y))
    }

    /// The pixel at (`x`, `y`), coordinates clamped to the plane.
    #[inline]
    pub fn at(&self, x: isize, y: isize) -> u8 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.data[y * self.stride + x]
    }

    /// The window of `width` x `height` px whose top left corner is (`x`, `y`).
    pub fn window(
        &self,
        x: usize,
        y: usize,
        width: usize,
        height: usize,
    ) -> Result<Self, ShapeError> {
        check_size(width, height)?;
        if x + width > self.width || y + height > self.height {
            return Err(ShapeError::Mismatch {
                found_width: self.width,
                found_height: self.height,
                width: x + width,
                height: y + height,
            });
        }
        let data = &self.data[y * self.stride + x..];
        Ok(Self { data, width, height, stride: self.stride })
    }

    /// A copy without padding.
    pub fn to_plane(&self) -> Plane {
        let mut data = Vec::with_capacity(self.width * self.height);
        for row in self.rows() {
            data.extend_from_slice(row);
        }
        Plane { data, width: self.width, height: self.height }
    }

    pub(crate) fn raw(&self) -> (&'a [u8], usize) {
        (self.data, self.stride)
    }
}

// === impl PlaneMut ===

impl<'a> PlaneMut<'a> {
    /// Views `data` as `height` rows of `width` px. The last row needs no padding.
    pub fn new(
        data: &'a mut [u8],
        width: usize,
        height: usize,
        stride: usize,
    ) -> Result<Self, ShapeError> {
        check_buffer(data.len(), width, height, stride)?;
        let needed = stride * (height - 1) + width;
        Ok(Self { data: &mut data[..needed], width, height, stride })
    }

    /// Width in px, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in px, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height in px.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The same plane, read only.
    pub fn as_ref(&self) -> PlaneRef<'_> {
        PlaneRef { data: self.data, width: self.width, height: self.height, stride: self.stride }
    }

    /// The same plane under a shorter borrow.
    pub fn reborrow(&mut self) -> PlaneMut<'_> {
        PlaneMut { data: self.data, width: self.width, height: self.height, stride: self.stride }
    }

    /// Row `y`, clamped to the last one: exactly `width` bytes.
    #[inline]
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        let start = y.min(self.height - 1) * self.stride;
        &mut self.data[start..start + self.width]
    }

    /// Copies a plane of the same size.
    pub fn copy_from(&mut self, src: PlaneRef<'_>) -> Result<(), ShapeError> {
        check_same(self.size(), src.size())?;
        for_rows(self, |y, row| row.copy_from_slice(src.row(y)));
        Ok(())
    }

    /// Sets every pixel to `value`.
    pub fn fill(&mut self, value: u8) {
        for_rows(self, |_, row| row.fill(value));
    }

    pub(crate) fn raw_mut(&mut self) -> (&mut [u8], usize) {
        (self.data, self.stride)
    }
}

// === impl Plane ===

impl Plane {
    /// A plane of one value.
    pub fn new(width: usize, height: usize, value: u8) -> Result<Self, ShapeError> {
        check_size(width, height)?;
        Ok(Self { data: vec![value; width * height], width, height })
    }

    /// Takes `data`, which must hold exactly `width * height` bytes.
    pub fn from_vec(data: Vec<u8>, width: usize, height: usize) -> Result<Self, ShapeError> {
        check_size(width, height)?;
        let needed = width * height;
        if data.len() != needed {
            return Err(ShapeError::Buffer { found: data.len(), needed });
        }
        Ok(Self { data, width, height })
    }

    /// A plane whose pixel (x, y) is `pixel(x, y)`.
    pub fn from_fn(
        width: usize,
        height: usize,
        pixel: impl Fn(usize, usize) -> u8 + Sync,
    ) -> Result<Self, ShapeError> {
        let mut plane = Self::new(width, height, 0)?;
        for_rows(&mut plane.as_mut(), |y, row| {
            for (x, out) in row.iter_mut().enumerate() {
                *out = pixel(x, y);
            }
        });
        Ok(plane)
    }

    /// For sizes taken from a checked plane: missing bytes are black, surplus ones are cut.
    pub(crate) fn of_size(mut data: Vec<u8>, (width, height): (usize, usize)) -> Self {
        data.resize(width * height, 0);
        Self { data, width, height }
    }

    /// Width in px, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in px, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height in px.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The bytes, row after row.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, row after row.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// A read-only view.
    pub fn as_ref(&self) -> PlaneRef<'_> {
        PlaneRef { data: &self.data, width: self.width, height: self.height, stride: self.width }
    }

    /// A writable view.
    pub fn as_mut(&mut self) -> PlaneMut<'_> {
        PlaneMut {
            width: self.width,
            height: self.height,
            stride: self.width,
            data: &mut self.data,
        }
    }

    /// Row `y`, clamped to the last one.
    pub fn row(&self, y: usize) -> &[u8] {
        self.as_ref().row(y)
    }
}

// === impl Mask ===

impl Mask {
    /// Mean weight, 0 to 1.
    pub fn coverage(&self) -> f32 {
        let sum: u64 = self.0.data.iter().map(|&v| u64::from(v)).sum();
        sum as f32 / (255.0 * self.0.data.len() as f32)
    }
}
