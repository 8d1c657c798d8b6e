//! Real media, made with ffmpeg or by hand, and what ffprobe says of the results.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Runs ffmpeg with `args` and gives the bytes of the one file that it writes, named `name`.
pub(crate) fn ffmpeg(args: &str, name: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(args.split_whitespace())
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(path).unwrap()
}

/// A test pattern as H.264 in mp4, index in front.
pub(crate) fn clip(width: u32, height: u32, fps: u32, secs: f64) -> Vec<u8> {
    ffmpeg(
        &format!(
            "-f lavfi -i testsrc2=size={width}x{height}:rate={fps}:duration={secs} \
             -c:v libx264 -preset ultrafast -pix_fmt yuv420p -movflags +faststart"
        ),
        "clip.mp4",
    )
}

/// A picture of one colour, a few hundred bytes.
pub(crate) fn plain_png(width: u32, height: u32, colour: &str) -> Vec<u8> {
    let args =
        format!("-f lavfi -i color={colour}:size={width}x{height} -frames:v 1 -pix_fmt rgb24");
    ffmpeg(&args, "plain.png")
}

/// A PNG whose header claims this size and whose body is `body`.
pub(crate) fn png_that_claims(width: u32, height: u32, body: &[u8]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // 8 bit greyscale, deflate, no filter, not interlaced.
    header.extend([8, 0, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"IDAT", body);
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let named = [kind.as_slice(), body].concat();
    png.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    png.extend(&named);
    png.extend(crc32(&named).to_be_bytes());
}

/// CRC-32 as in PNG, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 }
        })
    })
}

/// Bytes in a file with a life of its own.
pub(crate) fn on_disk(bytes: &[u8], name: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// Streams and format of a file, frames counted by decoding it.
pub(crate) fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Width and height of a PNG, from its header.
#[track_caller]
pub(crate) fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{:?}", &bytes[..bytes.len().min(16)]);
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (side(16), side(20))
}

/// Whether an mp4's index comes before its pictures.
pub(crate) fn is_faststart(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        match &head[4..] {
            b"moov" => return true,
            b"mdat" => return false,
            _ => at += (u32::from_be_bytes(head[..4].try_into().unwrap()) as usize).max(8),
        }
    }
    false
}
