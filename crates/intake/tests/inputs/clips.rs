//! Real media, made by ffmpeg once and shared by the tests of a run.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

static MADE: Mutex<Option<HashMap<String, Bytes>>> = Mutex::new(None);

/// What ffmpeg makes of `args`, in a file of this extension.
pub(crate) fn made(extension: &str, args: &str) -> Bytes {
    let key = format!("{extension} {args}");
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    made.entry(key).or_insert_with(|| run(extension, args)).clone()
}

fn run(extension: &str, args: &str) -> Bytes {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("made.{extension}"));
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-threads", "1"])
        .args(args.split_whitespace())
        .arg(&path)
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Bytes::from(std::fs::read(path).unwrap())
}

/// A clip of `secs` seconds with its header at the end, as ffmpeg writes it.
pub(crate) fn clip(size: &str, fps: &str, secs: &str) -> Bytes {
    made("mp4", &format!("{} {X264}", picture(size, fps, secs)))
}

/// The same with its header in front.
pub(crate) fn fast_clip(size: &str, fps: &str, secs: &str) -> Bytes {
    made("mp4", &format!("{} {X264} -movflags +faststart", picture(size, fps, secs)))
}

pub(crate) const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

pub(crate) fn picture(size: &str, fps: &str, secs: &str) -> String {
    format!("-f lavfi -i color=c=teal:size={size}:rate={fps}:duration={secs}")
}

/// A good reference: 1280x720, 24 fps, 3 s, header in front.
pub(crate) fn good() -> Bytes {
    fast_clip("1280x720", "24", "3")
}

/// A picture of one colour.
pub(crate) fn still(extension: &str, size: &str) -> Bytes {
    made(extension, &format!("-f lavfi -i color=c=orange:size={size} -frames:v 1"))
}

/// A file of the project's samples.
pub(crate) fn sample(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name);
    Bytes::from(std::fs::read(path).unwrap())
}

/// The top-level boxes of an mp4: name and bytes, header included.
pub(crate) fn boxes(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut rest, mut found) = (file, Vec::new());
    while rest.len() >= 8 {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        assert!((8..=rest.len()).contains(&size), "ffmpeg's small files have small boxes");
        found.push((String::from_utf8_lossy(&rest[4..8]).into_owned(), rest[..size].to_vec()));
        rest = &rest[size..];
    }
    found
}

/// A file with its header at the end and `padding` bytes of a `free` box before it.
pub(crate) fn padded(file: &[u8], padding: usize) -> Bytes {
    let mut out = Vec::new();
    for (name, bytes) in boxes(file) {
        if name == "moov" {
            out.extend(u32::try_from(padding + 8).unwrap().to_be_bytes());
            out.extend(b"free");
            out.resize(out.len() + padding, 0);
        }
        out.extend(bytes);
    }
    Bytes::from(out)
}

/// A file with its header in front and `padding` bytes after it.
pub(crate) fn trailed(file: &[u8], padding: usize) -> Bytes {
    let mut out = file.to_vec();
    out.extend(u32::try_from(padding + 8).unwrap().to_be_bytes());
    out.extend(b"free");
    out.resize(out.len() + padding, 0);
    Bytes::from(out)
}

/// A file whose picture is to be turned clockwise by 90 degrees, by the matrix of its track
/// (ISO/IEC 14496-12, 8.3.2), as phones write it.
pub(crate) fn turned(file: &[u8]) -> Bytes {
    let mut out = file.to_vec();
    let at = out.windows(4).position(|name| name == b"tkhd").unwrap() + 4 + 40;
    let one = 1_i32 << 16;
    let matrix = [0, one, 0, -one, 0, 0, 720 * one, 0, 1 << 30];
    for (n, value) in matrix.into_iter().enumerate() {
        out[at + 4 * n..at + 4 * n + 4].copy_from_slice(&i32::to_be_bytes(value));
    }
    Bytes::from(out)
}
