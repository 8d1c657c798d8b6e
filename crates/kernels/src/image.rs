//! Interleaved stills: style images, element images, layers.

use crate::plane::{ShapeError, check_size};
use crate::rows::for_items;

/// An sRGB still, three bytes a pixel, rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb8 {
    data: Vec<[u8; 3]>,
    width: usize,
    height: usize,
}

/// An sRGB still with straight (not premultiplied) alpha, rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgba8 {
    data: Vec<[u8; 4]>,
    width: usize,
    height: usize,
}

macro_rules! still {
    ($name:ident, $channels:literal) => {
        impl $name {
            /// Takes pixels row after row; exactly `width * height` of them.
            pub fn new(
                data: Vec<[u8; $channels]>,
                width: usize,
                height: usize,
            ) -> Result<Self, ShapeError> {
                check_size(width, height)?;
                let needed = width * height;
                if data.len() != needed {
                    return Err(ShapeError::Buffer {
                        found: data.len() * $channels,
                        needed: needed * $channels,
                    });
                }
                Ok(Self { data, width, height })
            }

            /// Copies interleaved bytes, as an image decoder yields them.
            pub fn from_bytes(
                bytes: &[u8],
                width: usize,
                height: usize,
            ) -> Result<Self, ShapeError> {
                check_size(width, height)?;
                let needed = width * height * $channels;
                if bytes.len() != needed {
                    return Err(ShapeError::Buffer { found: bytes.len(), needed });
                }
                let (pixels, _) = bytes.as_chunks::<$channels>();
                Ok(Self { data: pixels.to_vec(), width, height })
            }

            /// A still whose pixel (x, y) is `pixel(x, y)`.
            pub fn from_fn(
                width: usize,
                height: usize,
                pixel: impl Fn(usize, usize) -> [u8; $channels] + Sync,
            ) -> Result<Self, ShapeError> {
                check_size(width, height)?;
                let mut data = vec![[0; $channels]; width * height];
                for_items(&mut data, width, |y, row| {
                    for (x, out) in row.iter_mut().enumerate() {
                        *out = pixel(x, y);
                    }
                });
                Ok(Self { data, width, height })
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

            /// The pixels, row after row.
            pub fn pixels(&self) -> &[[u8; $channels]] {
                &self.data
            }

            /// The pixels, row after row.
            pub fn pixels_mut(&mut self) -> &mut [[u8; $channels]] {
                &mut self.data
            }

            /// Row `y`, clamped to the last one.
            pub fn row(&self, y: usize) -> &[[u8; $channels]] {
                let start = y.min(self.height - 1) * self.width;
                &self.data[start..start + self.width]
            }

            /// The pixel at (`x`, `y`), coordinates clamped to the still.
            pub fn at(&self, x: isize, y: isize) -> [u8; $channels] {
                let x = x.clamp(0, self.width as isize - 1) as usize;
                let y = y.clamp(0, self.height as isize - 1) as usize;
                self.data[y * self.width + x]
            }

            /// The same bytes, interleaved.
            pub fn as_bytes(&self) -> &[u8] {
                self.data.as_flattened()
            }
        }
    };
}

still!(Rgb8, 3);
still!(Rgba8, 4);

impl Rgb8 {
    /// The same still, fully opaque.
    pub fn to_rgba(&self) -> Rgba8 {
        let data = self.data.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
        Rgba8 { data, width: self.width, height: self.height }
    }
}

impl Rgba8 {
    /// The colours without alpha.
    pub fn to_rgb(&self) -> Rgb8 {
        let data = self.data.iter().map(|&[r, g, b, _]| [r, g, b]).collect();
        Rgb8 { data, width: self.width, height: self.height }
    }

    /// True if any pixel is not fully opaque.
    pub fn has_alpha(&self) -> bool {
        self.data.iter().any(|p| p[3] != 255)
    }
}
