//! Decodes, encodes and probes real files through the jail.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::process::Command;

use media::{
    AudioSegment, AudioSpec, CancelToken, DecodeSpec, Decoder, EncodeSpec, Encoder, JailConfig,
    MediaError, Toolchain, probe_video,
};

fn tools() -> Toolchain {
    Toolchain::find(JailConfig {
        program: env!("CARGO_BIN_EXE_media-jail").into(),
        leading_args: Vec::new(),
        required: false,
    })
}

/// Makes a file with ffmpeg, unconfined.
fn make(dir: &Path, name: &str, args: &[&str]) -> PathBuf {
    let path = dir.join(name);
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(args)
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

/// One line of `ffprobe -show_entries`, joined by commas.
fn ask(path: &Path, stream: &str, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-count_packets"])
        .args(["-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn copy(tools: &Toolchain, source: &Path, target: &Path, spec: EncodeSpec) {
    let cancel = CancelToken::new();
    let probe = probe_video(tools, source, &cancel).unwrap();
    let wanted = DecodeSpec {
        width: spec.width,
        height: spec.height,
        fps: spec.fps,
        start_secs: 0.0,
        max_frames: Some(spec.frames),
    };
    let mut decoder = Decoder::open(tools, source, &probe, wanted, &cancel).unwrap();
    let mut encoder = Encoder::create(tools, target, spec, &cancel).unwrap();
    while let Some(frame) = decoder.read().unwrap() {
        encoder.push(&frame).unwrap();
    }
    encoder.finish().unwrap();
}

fn spec(frames: u32, audio: Option<AudioSpec>) -> EncodeSpec {
    EncodeSpec { width: 320, height: 180, fps: 24, frames, audio, made_by: "reshoot test".into() }
}

#[test]
fn the_clip_is_what_was_promised() {
    let dir = tempfile::tempdir().unwrap();
    let source = make(
        dir.path(),
        "in.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=30:duration=3",
            "-f",
            "lavfi",
            "-i",
            "sine=440:duration=3",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ],
    );
    let target = dir.path().join("out.mp4");
    let audio = AudioSpec {
        source: source.clone(),
        segments: vec![AudioSegment { from_secs: 0.0, to_secs: 2.0, speed: 1.0 }],
    };
    copy(&tools(), &source, &target, spec(48, Some(audio)));
    let video = ask(
        &target,
        "v",
        "stream=codec_name,profile,width,height,pix_fmt,color_range,color_space,color_transfer,color_primaries,r_frame_rate,nb_read_packets",
    );
    assert_eq!(video, "h264,High,320,180,yuv420p,tv,bt709,bt709,bt709,24/1,48");
    assert_eq!(ask(&target, "a", "stream=codec_name,sample_rate,channels"), "aac,48000,2");
    let bytes = std::fs::read(&target).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|four| four == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"), "not faststart");
    assert!(ask(&target, "v", "format_tags").contains("reshoot test"));
    let again = dir.path().join("again.mp4");
    let audio = AudioSpec {
        source: source.clone(),
        segments: vec![AudioSegment { from_secs: 0.0, to_secs: 2.0, speed: 1.0 }],
    };
    copy(&tools(), &source, &again, spec(48, Some(audio)));
    assert_eq!(bytes, std::fs::read(&again).unwrap(), "the same frames gave other bytes");
}

#[test]
fn a_codec_outside_the_whitelist_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let source = make(
        dir.path(),
        "in.mov",
        &["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24:duration=1", "-c:v", "mjpeg"],
    );
    let error = probe_video(&tools(), &source, &CancelToken::new()).unwrap_err();
    assert!(matches!(&error, MediaError::Unsupported { codec, .. } if codec == "mjpeg"), "{error}");
}

#[test]
fn a_playlist_named_mp4_is_no_video() {
    let dir = tempfile::tempdir().unwrap();
    let secret = make(
        dir.path(),
        "secret.mp4",
        &["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24:duration=1", "-c:v", "libx264"],
    );
    let path = dir.path().join("list.mp4");
    let text = format!("#EXTM3U\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n", secret.display());
    std::fs::write(&path, text).unwrap();
    let error = probe_video(&tools(), &path, &CancelToken::new()).unwrap_err();
    assert!(matches!(error, MediaError::NotAVideo(_) | MediaError::Truncated(_)), "{error}");
}
