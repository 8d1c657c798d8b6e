//! Flow fields.

use crate::plane::{ShapeError, check_same, check_size};

/// Steps of a flow vector in one full-resolution pixel.
pub const STEPS_PER_PX: f32 = 32.0;

/// Dense motion from one frame to another on a grid of `scale` x `scale` px cells.
///
/// The point p of the first frame is found at p + vector in the second. Vectors are in 1/32 px of
/// the full-resolution frame; cell (i, j) stands for the point ((i + 0.5) * scale,
/// (j + 0.5) * scale), pixel (0, 0) covering 0..1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowField {
    frame: (usize, usize),
    width: usize,
    height: usize,
    scale: usize,
    pub(crate) vectors: Vec<[i16; 2]>,
    pub(crate) confidence: Vec<u8>,
}

/// The motion between two frames, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowPair {
    /// From the first frame to the second.
    pub forward: FlowField,
    /// From the second frame to the first.
    pub backward: FlowField,
}

// === impl FlowField ===

impl FlowField {
    /// A field without motion and with full confidence, for frames of `frame` px and cells of
    /// `scale` px (at least 1).
    pub fn still(frame: (usize, usize), scale: usize) -> Result<Self, ShapeError> {
        check_size(frame.0, frame.1)?;
        check_size(scale, scale)?;
        let (width, height) = (frame.0.div_ceil(scale), frame.1.div_ceil(scale));
        Ok(Self {
            frame,
            width,
            height,
            scale,
            vectors: vec![[0, 0]; width * height],
            confidence: vec![255; width * height],
        })
    }

    /// The field whose vector at the full-resolution point (x, y) is `motion(x, y)` px.
    pub fn from_fn(
        frame: (usize, usize),
        scale: usize,
        motion: impl Fn(f32, f32) -> (f32, f32),
    ) -> Result<Self, ShapeError> {
        let mut field = Self::still(frame, scale)?;
        for j in 0..field.height {
            for i in 0..field.width {
                let (x, y) = field.point(i, j);
                let (u, v) = motion(x, y);
                field.vectors[j * field.width + i] = [quantise(u), quantise(v)];
            }
        }
        Ok(field)
    }

    /// Joins vectors (1/32 px) and confidence, one each a cell, row after row.
    pub fn from_parts(
        frame: (usize, usize),
        scale: usize,
        vectors: Vec<[i16; 2]>,
        confidence: Vec<u8>,
    ) -> Result<Self, ShapeError> {
        let field = Self::still(frame, scale)?;
        let needed = field.vectors.len();
        let found = vectors.len().min(confidence.len());
        if vectors.len() != needed || confidence.len() != needed {
            return Err(ShapeError::Buffer { found, needed });
        }
        Ok(Self { vectors, confidence, ..field })
    }

    /// Size in px of the frames that the field is about.
    pub fn frame(&self) -> (usize, usize) {
        self.frame
    }

    /// Columns and rows of the grid.
    pub fn grid(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Side of a cell in full-resolution px.
    pub fn scale(&self) -> usize {
        self.scale
    }

    /// Full-resolution point that cell (`i`, `j`) stands for.
    pub fn point(&self, i: usize, j: usize) -> (f32, f32) {
        let scale = self.scale as f32;
        ((i as f32 + 0.5) * scale, (j as f32 + 0.5) * scale)
    }

    /// Vectors in 1/32 px, row after row.
    pub fn vectors(&self) -> &[[i16; 2]] {
        &self.vectors
    }

    /// Confidence of each vector, row after row: 0 = guessed or occluded, 255 = certain.
    pub fn confidence(&self) -> &[u8] {
        &self.confidence
    }

    /// Vector of cell (`i`, `j`), clamped to the grid, in px.
    pub fn vector(&self, i: usize, j: usize) -> (f32, f32) {
        let [u, v] = self.vectors[self.index(i, j)];
        (f32::from(u) / STEPS_PER_PX, f32::from(v) / STEPS_PER_PX)
    }

    /// Confidence of cell (`i`, `j`), clamped to the grid.
    pub fn confidence_at(&self, i: usize, j: usize) -> u8 {
        self.confidence[self.index(i, j)]
    }

    /// Vector in px at the full-resolution point (x, y), bilinear between cells.
    pub fn sample(&self, x: f32, y: f32) -> (f32, f32) {
        let corners = self.corners(x, y);
        let mut sum = (0.0, 0.0);
        for (index, weight) in corners {
            let [u, v] = self.vectors[index];
            sum.0 += weight * f32::from(u);
            sum.1 += weight * f32::from(v);
        }
        (sum.0 / STEPS_PER_PX, sum.1 / STEPS_PER_PX)
    }

    /// Mean length of the vectors in px, weighted by confidence.
    pub fn mean_motion(&self) -> f32 {
        let (mut sum, mut weight) = (0.0f64, 0.0f64);
        for (&[u, v], &c) in self.vectors.iter().zip(&self.confidence) {
            let length = libm::hypotf(f32::from(u), f32::from(v)) / STEPS_PER_PX;
            sum += f64::from(c) * f64::from(length);
            weight += f64::from(c);
        }
        if weight > 0.0 { (sum / weight) as f32 } else { 0.0 }
    }

    /// The four cells about a full-resolution point and their weights, which sum to 1.
    pub(crate) fn corners(&self, x: f32, y: f32) -> [(usize, f32); 4] {
        let scale = self.scale as f32;
        let gx = (x / scale - 0.5).clamp(0.0, (self.width - 1) as f32);
        let gy = (y / scale - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (i, j) = (gx as usize, gy as usize);
        let (fx, fy) = (gx - i as f32, gy - j as f32);
        [
            (self.index(i, j), (1.0 - fx) * (1.0 - fy)),
            (self.index(i + 1, j), fx * (1.0 - fy)),
            (self.index(i, j + 1), (1.0 - fx) * fy),
            (self.index(i + 1, j + 1), fx * fy),
        ]
    }

    fn index(&self, i: usize, j: usize) -> usize {
        j.min(self.height - 1) * self.width + i.min(self.width - 1)
    }
}

// === impl FlowPair ===

impl FlowPair {
    /// Joins two fields over the same grid.
    pub fn new(forward: FlowField, backward: FlowField) -> Result<Self, ShapeError> {
        check_same(forward.frame, backward.frame)?;
        check_same(forward.grid(), backward.grid())?;
        Ok(Self { forward, backward })
    }

    /// The same pair seen from the second frame.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { forward: self.backward, backward: self.forward }
    }
}

/// A length in px as 1/32 px, to the nearest, saturating.
#[inline(always)]
pub(crate) fn quantise(px: f32) -> i16 {
    let steps = px * STEPS_PER_PX;
    (steps + 0.5f32.copysign(steps)) as i16
}
