//! Pictures: decoded with limits, upright, and written.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

/// Limits on a picture that comes from a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Longest side in pixels.
    pub max_side: u32,
    /// Memory that decoding may take, in bytes.
    pub max_alloc: u64,
}

/// A picture's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageProbe {
    /// Width in pixels, after EXIF orientation.
    pub width: u32,
    /// Height in pixels, after EXIF orientation.
    pub height: u32,
    /// `jpeg`, `png` or `webp`.
    pub format: &'static str,
}

/// A decoded picture, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Straight (not premultiplied) RGBA, 8 bits each, row by row.
    pub rgba: Vec<u8>,
    /// `jpeg`, `png` or `webp`.
    pub format: &'static str,
    /// Whether any pixel is not opaque.
    pub has_alpha: bool,
}

/// Why a picture could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Not one of the formats that are read.
    #[error("it is not a jpg, png or webp picture")]
    Format,
    /// Larger than allowed; nothing was decoded.
    #[error("{width}x{height} px, at most {max} px a side are allowed")]
    TooLarge {
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
        /// Longest side allowed.
        max: u32,
    },
    /// It is broken, cut, or needs more memory than allowed.
    #[error("it cannot be decoded: {0}")]
    Broken(String),
}

type Result<T> = std::result::Result<T, ImageError>;

/// Reads a picture's header only.
pub fn probe_image(bytes: &[u8]) -> Result<ImageProbe> {
    let (mut decoder, format) = open(bytes)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = match orientation(&mut decoder) {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    };
    Ok(ImageProbe { width, height, format })
}

/// Decodes a picture. The sizes in its header are checked before any memory is taken.
pub fn decode_image(bytes: &[u8], limits: ImageLimits) -> Result<StillImage> {
    let (mut decoder, format) = open(bytes)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > limits.max_side {
        return Err(ImageError::TooLarge { width, height, max: limits.max_side });
    }
    let mut allowed = Limits::default();
    allowed.max_alloc = Some(limits.max_alloc);
    decoder.set_limits(allowed).map_err(broken)?;
    let upright = orientation(&mut decoder);
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(upright);
    let rgba = image.into_rgba8();
    let has_alpha = rgba.pixels().any(|pixel| pixel.0[3] != 255);
    let (width, height) = rgba.dimensions();
    Ok(StillImage { width, height, rgba: rgba.into_raw(), format, has_alpha })
}

/// Writes RGB pixels (8 bits each, row by row) as PNG, or as JPEG (quality 90) or lossless WebP
/// where the name ends so.
pub fn write_image(path: &Path, width: u32, height: u32, rgb: &[u8]) -> Result<()> {
    let image = RgbImage::from_raw(width, height, rgb.to_vec())
        .ok_or_else(|| ImageError::Broken("the pixels do not fill the picture".into()))?;
    let mut bytes = Vec::new();
    match ImageFormat::from_path(path) {
        Ok(ImageFormat::Jpeg) => {
            JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&image).map_err(broken)?;
        }
        Ok(format @ ImageFormat::WebP) => {
            image.write_to(&mut Cursor::new(&mut bytes), format).map_err(broken)?;
        }
        _ => image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).map_err(broken)?,
    }
    std::fs::write(path, bytes).map_err(broken)
}

fn open(bytes: &[u8]) -> Result<(impl ImageDecoder + '_, &'static str)> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(broken)?;
    let format = match reader.format() {
        Some(ImageFormat::Jpeg) => "jpeg",
        Some(ImageFormat::Png) => "png",
        Some(ImageFormat::WebP) => "webp",
        _ => return Err(ImageError::Format),
    };
    Ok((reader.into_decoder().map_err(broken)?, format))
}

/// Unreadable EXIF means: as it lies.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn broken(error: impl std::fmt::Display) -> ImageError {
    ImageError::Broken(error.to_string())
}
