//! Files that lie are refused and named.

use std::path::Path;

use media::mp4::{HeaderWalker, Step};
use media::{MediaError, sniff};

use crate::bench::{make, probe};

const SOURCE: &str = "-f lavfi -i testsrc2=s=160x96:r=24:d=2 -pix_fmt yuv420p";

fn refused(path: &Path) -> MediaError {
    probe(path).unwrap_err()
}

#[test]
fn a_decoder_outside_the_whitelist_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (name, codec) in [("a.mov", "mjpeg"), ("b.mov", "mpeg2video"), ("c.mov", "qtrle")] {
        let path = make(
            dir.path(),
            name,
            &format!("-f lavfi -i testsrc2=s=160x96:r=24:d=0.5 -c:v {codec}"),
        );
        let error = refused(&path);
        let named = matches!(&error, MediaError::Unsupported { stream: "video", codec: found, .. } if found == codec);
        assert!(named, "{error}");
        assert!(error.to_string().contains("supported are h264, hevc"), "{error}");
    }
    let path = make(
        dir.path(),
        "d.mov",
        &format!("-f lavfi -i sine=d=1 {SOURCE} -c:v libx264 -c:a adpcm_ima_qt"),
    );
    let error = refused(&path);
    assert!(matches!(error, MediaError::Unsupported { stream: "audio", .. }), "{error}");
}

#[test]
fn a_playlist_that_points_at_a_local_file_is_no_video() {
    let dir = tempfile::tempdir().unwrap();
    let secret = make(dir.path(), "secret.mp4", &format!("{SOURCE} -c:v libx264"));
    let path = dir.path().join("list.mp4");
    for head in ["#EXTM3U", "\u{feff}#EXTM3U", " #EXTM3U", "ffconcat version 1.0"] {
        let text = format!("{head}\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n", secret.display());
        std::fs::write(&path, text).unwrap();
        let error = refused(&path);
        assert!(matches!(error, MediaError::NotAVideo(_)), "{head}: {error}");
    }
}

#[test]
fn a_playlist_behind_the_head_of_an_mp4_is_no_video() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list.mp4");
    let text = b"\0\0\0\x18ftypisom\0\0\0\0isommp42#EXTM3U\n#EXTINF:1,\n/etc/passwd\n";
    std::fs::write(&path, text).unwrap();
    let error = refused(&path);
    assert!(matches!(error, MediaError::NotAVideo(_) | MediaError::Truncated(_)), "{error}");
}

#[test]
fn a_file_that_ends_early_is_truncated() {
    let dir = tempfile::tempdir().unwrap();
    for (name, rest) in [("front.mp4", "-movflags faststart"), ("back.mp4", "-an")] {
        let path = make(dir.path(), name, &format!("{SOURCE} -c:v libx264 {rest}"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
        let error = refused(&path);
        assert!(matches!(error, MediaError::Truncated(_)), "{name}: {error}");
    }
}

#[test]
fn other_files_are_called_by_their_name() {
    let dir = tempfile::tempdir().unwrap();
    for (name, word) in [("a.ts", "mpeg-ts"), ("a.mkv", "webm or mkv"), ("a.avi", "avi")] {
        let path = make(dir.path(), name, &format!("{SOURCE} -c:v libx264"));
        let error = refused(&path);
        assert!(error.to_string().contains(word), "{error}");
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(sniff(&bytes).unwrap().name(), word);
    }
    let empty = dir.path().join("empty.mp4");
    std::fs::write(&empty, b"").unwrap();
    assert!(matches!(refused(&empty), MediaError::NotAVideo(_)));
    let sound = make(dir.path(), "sound.mp4", "-f lavfi -i sine=d=1 -c:a aac");
    assert!(matches!(refused(&sound), MediaError::NoVideoStream));
}

#[test]
fn a_header_of_ten_hours_is_told_after_the_header() {
    let dir = tempfile::tempdir().unwrap();
    let path = make(dir.path(), "in.mp4", &format!("{SOURCE} -c:v libx264 -movflags faststart"));
    let mut bytes = std::fs::read(&path).unwrap();
    for (name, skip) in [(b"mvhd", 16), (b"mdhd", 16), (b"elst", 8)] {
        let at = bytes.windows(4).position(|four| four == name).unwrap() + 4;
        let scale = at + 12;
        // An edit list counts in the movie's ticks: 1000 a second.
        let scale = if name == b"elst" {
            1000
        } else {
            u32::from_be_bytes(bytes[scale..scale + 4].try_into().unwrap())
        };
        bytes[at + skip..at + skip + 4].copy_from_slice(&(scale * 36_000).to_be_bytes());
    }
    let mut walker = HeaderWalker::new();
    let end = bytes.windows(4).position(|four| four == b"mdat").unwrap();
    assert_eq!(walker.push(&bytes[..end]).unwrap(), Step::Done);
    let facts = walker.facts().unwrap();
    assert_eq!(facts.duration_secs, Some(36_000.0));
    assert_eq!(facts.movie_secs, Some(36_000.0));
    // What is measured is what is there.
    std::fs::write(&path, &bytes).unwrap();
    assert!((probe(&path).unwrap().duration_secs - 2.0).abs() < 0.01);
}
