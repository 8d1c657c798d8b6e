//! Files that mean harm: refused, named, and nothing left on disk.

use bytes::Bytes;
use serde_json::json;
use testkit::Reply;

use crate::clips::{boxes, clip, fast_clip, good, made, picture, still};
use crate::support::{World, told};

async fn video(bytes: impl Into<Bytes>) -> (String, String) {
    let world = World::new();
    let url = world.serve("/v.mp4", Reply::ok(bytes).content_type("video/mp4").ranges());
    let faults = world.faults(json!({"video_url": url})).await;
    let (kind, msg) = told(&faults)[0];
    assert!(msg.starts_with("video_url: "), "{msg}");
    (kind.to_owned(), msg.to_owned())
}

async fn image(bytes: impl Into<Bytes>) -> (String, String) {
    let world = World::new();
    let faults = world
        .faults(json!({
            "video_url": world.serve("/v", Reply::ok(good())),
            "image_urls": [world.serve("/i.png", Reply::ok(bytes).content_type("image/png"))],
        }))
        .await;
    let (kind, msg) = told(&faults)[0];
    assert!(msg.starts_with("image_urls[0]: "), "{msg}");
    (kind.to_owned(), msg.to_owned())
}

#[tokio::test]
async fn an_hls_playlist_named_mp4() {
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    let (kind, msg) = video(list).await;
    assert_eq!(kind, "unsupported_video_format");
    assert!(msg.contains("hls playlist") && !msg.contains("passwd"), "{msg}");
}

#[tokio::test]
async fn a_web_page_instead_of_a_video() {
    let (kind, msg) = video("<!doctype html><title>Sign in</title>").await;
    assert_eq!(kind, "unsupported_video_format");
    assert!(msg.contains("html"), "{msg}");
}

#[tokio::test]
async fn nothing_at_all() {
    assert_eq!(video("").await.0, "unsupported_video_format");
    assert_eq!(image("").await.0, "unsupported_image_format");
}

#[tokio::test]
async fn a_video_in_place_of_a_picture_and_the_other_way_round() {
    assert_eq!(image(good()).await.0, "unsupported_image_format");
    assert_eq!(video(still("png", "800x800")).await.0, "unsupported_video_format");
}

/// A header of ten hours in a file of kilobytes.
#[tokio::test]
async fn a_ten_hour_header() {
    let mut film = fast_clip("720x720", "24", "3").to_vec();
    for name in [*b"mvhd", *b"tkhd", *b"mdhd", *b"elst"] {
        stretch(&mut film, name);
    }
    let (kind, msg) = video(film).await;
    assert_eq!(kind, "video_duration_too_long", "{msg}");
}

/// Multiplies the durations in a version 0 box by 12000.
fn stretch(film: &mut [u8], name: [u8; 4]) {
    let Some(at) = film.windows(4).position(|window| window == name) else { return };
    let offset = match &name {
        b"mvhd" | b"mdhd" => 4 + 4 + 12,
        b"tkhd" => 4 + 4 + 16,
        _ => 4 + 8,
    };
    assert_eq!(film[at + 4], 0, "ffmpeg writes version 0");
    let field = &mut film[at + offset..at + offset + 4];
    let duration = u32::from_be_bytes(field.try_into().unwrap());
    field.copy_from_slice(&duration.saturating_mul(12_000).to_be_bytes());
}

#[tokio::test]
async fn a_truncated_mp4() {
    for film in [clip("1280x720", "24", "3"), good()] {
        let cut = film.slice(..film.len() - film.len() / 3);
        let (kind, msg) = video(cut).await;
        assert_eq!(kind, "video_load_error", "{msg}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let world = World::new();
    let url = world.serve("/v", Reply::ok(good()).cut_after(5000));
    let faults = world.faults(json!({"video_url": url})).await;
    assert_eq!(faults[0].kind, "file_download_error");
}

#[tokio::test]
async fn an_mp4_of_noise() {
    let mut noise = b"\0\0\0\x18ftypisom\0\0\0\0isommp42".to_vec();
    noise.extend((0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8));
    assert_eq!(video(noise).await.0, "video_load_error");
}

#[tokio::test]
async fn an_mp4_without_a_picture() {
    let tone = made("mp4", "-f lavfi -i sine=frequency=440:duration=4 -c:a aac");
    assert_eq!(video(tone).await.0, "video_load_error");
}

#[tokio::test]
async fn boxes_that_lie_about_their_size() {
    for size in [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 4], [255, 255, 255, 255]] {
        let mut film: Vec<u8> = Vec::new();
        for (name, mut bytes) in boxes(&fast_clip("720x720", "24", "3")) {
            if name == "moov" {
                bytes[..4].copy_from_slice(&size);
            }
            film.extend(bytes);
        }
        let (kind, msg) = video(film).await;
        assert_eq!(kind, "video_load_error", "{size:?}: {msg}");
    }
}

#[tokio::test]
async fn a_decoder_outside_the_whitelist() {
    let shot = picture("1280x720", "24", "3");
    let (kind, msg) = video(made("mov", &format!("{shot} -c:v qtrle"))).await;
    assert_eq!(kind, "unsupported_video_format", "{msg}");
    assert!(msg.contains("`qtrle`"), "{msg}");
}

/// A PNG that claims 60000x60000 px, which would be 14 GB of pixels.
#[tokio::test]
async fn a_png_bomb() {
    let (kind, msg) = image(png_of(60_000, 60_000)).await;
    assert_eq!(kind, "image_too_large");
    assert!(msg.contains("60000x60000 px") && msg.contains("8192"), "{msg}");
}

/// Within the limits by its header, but broken where the pixels should be.
#[tokio::test]
async fn a_picture_without_pixels() {
    assert_eq!(image(png_of(8192, 8192)).await.0, "image_load_error");
    let cut = still("jpg", "640x480");
    assert_eq!(image(cut.slice(..100)).await.0, "image_load_error");
}

/// The signature and the header of a PNG, and nothing else but its end.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        let mut body = name.to_vec();
        body.extend(data);
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 6, 0, 0, 0]);
    chunk(b"IHDR", &header);
    chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]);
    chunk(b"IEND", &[]);
    png
}

/// CRC-32 of PNG chunks (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}
