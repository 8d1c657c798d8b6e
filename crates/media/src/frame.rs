//! One picture of a video.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Buffers that a pool keeps for the next frames.
const KEPT_BUFFERS: usize = 16;

/// A yuv420p frame, bt709, limited range: luma, then both chroma planes at half size, without
/// padding, in one allocation. Clones share it; the buffer of the last one goes back to the
/// decoder that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    data: Arc<Buffer>,
}

/// Buffers of one size, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Vec<u8>>>);

#[derive(Debug)]
struct Buffer {
    bytes: Vec<u8>,
    home: Weak<Pool>,
}

// === impl Frame ===

impl Frame {
    /// Bytes of a frame of `width` x `height` pixels, both even.
    pub const fn bytes(width: u32, height: u32) -> usize {
        width as usize * height as usize * 3 / 2
    }

    /// A frame from its bytes; `None` if a side is odd or zero, or the length does not fit.
    pub fn from_bytes(width: u32, height: u32, data: impl Into<Vec<u8>>) -> Option<Self> {
        Self::pooled(width, height, data.into(), Weak::new())
    }

    /// The same, with the pool that takes the bytes afterwards.
    pub(crate) fn pooled(
        width: u32,
        height: u32,
        bytes: Vec<u8>,
        home: Weak<Pool>,
    ) -> Option<Self> {
        let fits = is_even(width, height) && bytes.len() == Self::bytes(width, height);
        fits.then(|| Self { width, height, data: Arc::new(Buffer { bytes, home }) })
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
        &self.data.bytes
    }

    /// All three planes to write to; copies them if the frame is shared.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut Arc::make_mut(&mut self.data).bytes
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
        let (y, chroma) = self.data().split_at(luma);
        let (u, v) = chroma.split_at(luma / 4);
        (y, u, v)
    }
}

/// Whether a picture of this size has whole chroma planes.
pub(crate) const fn is_even(width: u32, height: u32) -> bool {
    width > 0 && height > 0 && width.is_multiple_of(2) && height.is_multiple_of(2)
}

// === impl Pool ===

impl Pool {
    /// A buffer of `len` bytes, of any content.
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        let mut bytes = self.kept().pop().unwrap_or_default();
        bytes.resize(len, 0);
        bytes
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Buffer ===

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut bytes = self.home.upgrade().map_or_else(Vec::new, |pool| {
            let kept = pool.kept().pop();
            kept.unwrap_or_default()
        });
        bytes.clear();
        bytes.extend_from_slice(&self.bytes);
        Self { bytes, home: Weak::clone(&self.home) }
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Buffer {}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(pool) = self.home.upgrade() {
            let mut kept = pool.kept();
            if kept.len() < KEPT_BUFFERS {
                kept.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_a_shared_frame_leaves_the_other_as_it_was() {
        let mut one = Frame::from_bytes(4, 2, vec![7; 12]).unwrap();
        let other = one.clone();
        one.planes_mut().1.fill(9);
        assert_eq!((one.u(), other.u()), ([9, 9].as_slice(), [7, 7].as_slice()));
        assert_eq!((one.y(), one.v()), ([7; 8].as_slice(), [7, 7].as_slice()));
    }

    #[test]
    fn a_buffer_goes_back_to_its_pool() {
        let pool = Arc::new(Pool::default());
        let bytes = pool.take(12);
        let place = bytes.as_ptr();
        drop(Frame::pooled(4, 2, bytes, Arc::downgrade(&pool)));
        let again = pool.take(12);
        assert_eq!(again.as_ptr(), place);
    }

    #[test]
    fn odd_sizes_are_no_frames() {
        assert_eq!(Frame::from_bytes(3, 2, vec![0; 9]), None);
        assert_eq!(Frame::from_bytes(0, 2, vec![]), None);
        assert_eq!(Frame::from_bytes(4, 2, vec![0; 11]), None);
    }
}
