//! Pictures: limits before memory, orientation, every colour model.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use media::still::{ImageError, write_image};
use media::{ImageLimits, decode_image, probe_image};

const LIMITS: ImageLimits = ImageLimits { max_side: 8192, max_alloc: 64 << 20 };

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// CRC-32 of PNG chunks (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

/// A PNG whose header claims another size.
fn lying(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(&DynamicImage::new_rgb8(1, 1));
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let error = decode_image(&lying(60_000, 60_000), LIMITS).unwrap_err();
    assert!(matches!(error, ImageError::TooLarge { width: 60_000, .. }), "{error}");
    // Within the sides, beyond the memory.
    let error = decode_image(&lying(8192, 8192), LIMITS).unwrap_err();
    assert!(matches!(error, ImageError::Broken(_)), "{error}");
    assert_eq!(probe_image(&lying(60_000, 1)).unwrap().width, 60_000);
}

#[test]
fn sides_are_allowed_up_to_the_limit() {
    let of = |side: u32| png(&DynamicImage::new_luma8(side, 1));
    assert_eq!(decode_image(&of(8192), LIMITS).unwrap().width, 8192);
    assert!(matches!(decode_image(&of(8193), LIMITS), Err(ImageError::TooLarge { .. })));
}

/// Puts an EXIF orientation behind the first marker of a JPEG.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [
        b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn exif_orientation_turns_the_picture() {
    let image = RgbImage::from_fn(32, 16, |_, y| if y < 8 { Rgb([255; 3]) } else { Rgb([0; 3]) });
    let mut jpeg = Vec::new();
    image.write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg).unwrap();
    let bytes = turned(&jpeg, 6);
    let probe = probe_image(&bytes).unwrap();
    assert_eq!((probe.width, probe.height, probe.format), (16, 32, "jpeg"));
    let upright = decode_image(&bytes, LIMITS).unwrap();
    assert_eq!((upright.width, upright.height), (16, 32));
    // A quarter turn clockwise: what was on top is on the right.
    assert!(upright.rgba[4 * 15] > 200 && upright.rgba[0] < 50);
    assert!(!upright.has_alpha);
}

#[test]
fn every_colour_model_becomes_rgba() {
    let mut clear = image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 255]));
    clear.put_pixel(1, 1, image::Rgba([9, 9, 9, 0]));
    let cases = [
        (DynamicImage::new_luma8(4, 4), false),
        (DynamicImage::new_luma16(4, 4), false),
        (DynamicImage::new_rgb16(4, 4), false),
        (DynamicImage::new_luma_a8(4, 4), true),
        (DynamicImage::ImageRgba8(clear), true),
    ];
    for (image, has_alpha) in cases {
        let decoded = decode_image(&png(&image), LIMITS).unwrap();
        assert_eq!((decoded.rgba.len(), decoded.has_alpha), (64, has_alpha), "{:?}", image.color());
    }
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let rgb: Vec<u8> = (0..8 * 8 * 3).map(|n| n as u8).collect();
    for (name, format) in [("a.png", "png"), ("a.webp", "webp"), ("a.jpg", "jpeg")] {
        let path = dir.path().join(name);
        write_image(&path, 8, 8, &rgb).unwrap();
        let found = decode_image(&std::fs::read(&path).unwrap(), LIMITS).unwrap();
        assert_eq!((found.width, found.height, found.format), (8, 8, format));
        if format != "jpeg" {
            assert!(found.rgba.chunks(4).zip(rgb.chunks(3)).all(|(a, b)| a[..3] == *b), "{name}");
        }
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    assert!(matches!(decode_image(b"GIF89a\x01\0\x01\0", LIMITS), Err(ImageError::Format)));
    assert!(matches!(decode_image(b"", LIMITS), Err(ImageError::Format)));
    let whole = png(&DynamicImage::new_rgb8(64, 64));
    assert!(matches!(decode_image(&whole[..50], LIMITS), Err(ImageError::Broken(_))));
}
