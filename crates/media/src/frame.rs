//! One picture of a video.

use std::sync::Arc;

/// A yuv420p frame, bt709, limited range: luma, then both chroma planes at half size, without
/// padding, in one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    data: Arc<[u8]>,
}

// === impl Frame ===

impl Frame {
    /// Bytes of a frame of `width` x `height` pixels, both even.
    pub const fn bytes(width: u32, height: u32) -> usize {
        width as usize * height as usize * 3 / 2
    }

    /// A frame from its bytes; `None` if a side is odd or zero, or the length does not fit.
    pub fn from_bytes(width: u32, height: u32, data: impl Into<Arc<[u8]>>) -> Option<Self> {
        let data = data.into();
        let even = width > 0 && height > 0 && width.is_multiple_of(2) && height.is_multiple_of(2);
        (even && data.len() == Self::bytes(width, height)).then_some(Self { width, height, data })
    }

    /// Width in pixels, even.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, even.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All three planes, one after the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All three planes to write to; copies them if the frame is shared.
    pub fn data_mut(&mut self) -> &mut [u8] {
        Arc::make_mut(&mut self.data)
    }

    /// Luma: `width` x `height`, row by row.
    pub fn y(&self) -> &[u8] {
        self.planes().0
    }

    /// Blue difference: half of each side.
    pub fn u(&self) -> &[u8] {
        self.planes().1
    }

    /// Red difference: half of each side.
    pub fn v(&self) -> &[u8] {
        self.planes().2
    }

    /// The planes to write to.
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let luma = self.width as usize * self.height as usize;
        let (y, chroma) = self.data_mut().split_at_mut(luma);
        let (u, v) = chroma.split_at_mut(luma / 4);
        (y, u, v)
    }

    fn planes(&self) -> (&[u8], &[u8], &[u8]) {
        let luma = self.width as usize * self.height as usize;
        let (y, chroma) = self.data.split_at(luma);
        let (u, v) = chroma.split_at(luma / 4);
        (y, u, v)
    }
}
