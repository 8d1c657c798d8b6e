//! The header walker against ffprobe, against any cut of the stream, and against noise.

use media::mp4::{HeaderError, HeaderFacts, HeaderWalker, MAX_MOOV_BYTES, Step};
use proptest::prelude::*;

use crate::bench::{make, probe};

const SOURCE: &str = "-f lavfi -i testsrc2=s=180x120:r=30:d=2 -f lavfi -i sine=d=2 \
    -pix_fmt yuv420p -c:v libx264 -c:a aac";

/// Walks as a download with ranges would; the facts and the bytes that were read.
fn walk(bytes: &[u8], chunk: usize) -> Result<(HeaderFacts, usize), HeaderError> {
    let mut walker = HeaderWalker::new();
    let (mut at, mut read) = (0, 0);
    while at < bytes.len() {
        let end = (at + chunk).min(bytes.len());
        read += end - at;
        match walker.push(&bytes[at..end])? {
            Step::Done => break,
            Step::More => at = end,
            Step::Jump { offset } => {
                at = usize::try_from(offset).unwrap();
                walker.jump(offset);
            }
        }
    }
    walker.finish().map(|facts| (facts, read))
}

#[test]
fn it_agrees_with_the_probe() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("back.mp4", String::new()),
        ("front.mp4", "-movflags faststart".to_owned()),
        ("parts.mp4", "-g 15 -movflags frag_keyframe+empty_moov".to_owned()),
        ("indexed.mp4", "-g 15 -movflags dash+global_sidx".to_owned()),
        ("turned.mov", "-metadata:s:v rotate=90".to_owned()),
        ("wide.mp4", "-vf setsar=4/3".to_owned()),
        (
            "sized.mp4",
            "-b:v 4M -minrate 4M -maxrate 4M -bufsize 1M -x264-params nal-hrd=cbr".into(),
        ),
    ];
    for (name, rest) in cases {
        let path = make(dir.path(), name, &format!("{SOURCE} {rest}"));
        let bytes = std::fs::read(&path).unwrap();
        let truth = probe(&path).unwrap();
        for chunk in [1, 7, 4096, bytes.len()] {
            let (facts, _) = walk(&bytes, chunk).unwrap_or_else(|e| panic!("{name}: {e}"));
            let secs = facts.duration_secs.unwrap();
            assert!((secs - truth.duration_secs).abs() < 0.05, "{name}: {secs}");
            assert_eq!((facts.width, facts.height), (truth.width, truth.height), "{name}");
            assert_eq!(facts.rotation, truth.rotation, "{name}");
            assert_eq!(facts.pixel_aspect, truth.pixel_aspect, "{name}");
            assert!((facts.fps.unwrap() - 30.0).abs() < 0.1, "{name}: {:?}", facts.fps);
            assert_eq!(facts.video_codec, "avc1");
            assert_eq!(facts.audio_codec.as_deref(), Some("mp4a"));
            assert_eq!(facts.fragmented, ["parts.mp4", "indexed.mp4"].contains(&name), "{name}");
        }
    }
    let bytes = std::fs::read(dir.path().join("sized.mp4")).unwrap();
    let (_, read) = walk(&bytes, 4096).unwrap();
    assert!(read < 32 << 10, "{read} bytes of {} were read", bytes.len());
}

#[test]
fn it_agrees_with_the_probe_on_an_edit_list() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "whole.mp4", &format!("{SOURCE} -g 100"));
    let path = make(dir.path(), "cut.mp4", "-ss 0.7 -i DIR/whole.mp4 -c copy");
    let (facts, _) = walk(&std::fs::read(&path).unwrap(), 4096).unwrap();
    let truth = probe(&path).unwrap().duration_secs;
    assert!((facts.duration_secs.unwrap() - truth).abs() < 0.05, "{facts:?}, not {truth}");
}

fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32 + 8).to_be_bytes();
    [size.as_slice(), &kind, body].concat()
}

#[test]
fn lies_about_sizes_are_refused_at_once() {
    let refused = |bytes: &[u8]| walk(bytes, 16).unwrap_err();
    assert_eq!(refused(b"\0\0\0\x04free"), HeaderError::NotMp4);
    assert_eq!(refused(b"\0\0\0\x01free\0\0\0\0\0\0\0\x08"), HeaderError::NotMp4);
    assert_eq!(refused(b"<html>nothing</html>"), HeaderError::NotMp4);
    assert_eq!(refused(b"\0\0\0\0mdatabc"), HeaderError::NoHeader);
    assert_eq!(refused(&boxed(*b"free", b"")), HeaderError::NoHeader);
    assert_eq!(refused(&boxed(*b"moov", b"")), HeaderError::NoVideoTrack);
    assert_eq!(refused(b"\0\0\0\0moov"), HeaderError::Malformed("moov".into()));
    let large = [b"\0\0\0\x01moov".as_slice(), &(MAX_MOOV_BYTES + 1).to_be_bytes()].concat();
    assert!(matches!(refused(&large), HeaderError::TooLarge { .. }));
    let endless = [b"\0\0\0\x01mdat".as_slice(), &u64::MAX.to_be_bytes()].concat();
    let mut walker = HeaderWalker::new();
    let far = Step::Jump { offset: u64::MAX };
    assert_eq!(walker.push(&endless).unwrap(), far);
}

#[test]
fn a_zero_timescale_is_no_division() {
    let dir = tempfile::tempdir().unwrap();
    let path = make(dir.path(), "in.mp4", &format!("{SOURCE} -movflags faststart"));
    let mut bytes = std::fs::read(&path).unwrap();
    for name in [b"mvhd", b"mdhd"] {
        let at = bytes.windows(4).position(|four| four == name).unwrap() + 16;
        bytes[at..at + 4].fill(0);
    }
    assert_eq!(walk(&bytes, 999).unwrap_err(), HeaderError::NoVideoTrack);
}

/// A fragmented and a plain file, headers only, to be mutated.
fn seeds() -> &'static [Vec<u8>; 2] {
    static SEEDS: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    SEEDS.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let small = "-f lavfi -i testsrc2=s=32x32:r=24:d=0.5 -pix_fmt yuv420p -c:v libx264";
        let read = |name: &str, rest: &str| {
            std::fs::read(make(dir.path(), name, &format!("{small} {rest}"))).unwrap()
        };
        [
            read("plain.mp4", "-movflags faststart"),
            read("parts.mp4", "-g 4 -movflags dash+global_sidx"),
        ]
    })
}

proptest! {
    #[test]
    fn noise_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048), chunk in 1..99_usize) {
        let _ = walk_on(&bytes, chunk);
    }

    #[test]
    fn mutations_are_no_panic(
        seed in 0..2_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        words in proptest::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..3),
        chunk in 1..5000_usize,
    ) {
        let mut bytes = seeds()[seed].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for (at, word) in words {
            let at = at.index(bytes.len() - 4);
            bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        }
        let whole = walk_on(&bytes, bytes.len());
        prop_assert_eq!(walk_on(&bytes, chunk), whole);
    }
}

/// Walks without jumps, so that any cut of the stream must give the same.
fn walk_on(bytes: &[u8], chunk: usize) -> Result<HeaderFacts, HeaderError> {
    let mut walker = HeaderWalker::new();
    for part in bytes.chunks(chunk) {
        if walker.push(part)? == Step::Done {
            break;
        }
    }
    walker.finish()
}
