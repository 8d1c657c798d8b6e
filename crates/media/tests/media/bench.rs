//! Where the tests stand: tools, makers of files, and an independent ffprobe.

use std::path::{Path, PathBuf};
use std::process::Command;

use media::{
    AudioSpec, CancelToken, DecodeSpec, Decoder, EncodeSpec, Encoder, Frame, JailConfig,
    MediaError, Toolchain, VideoProbe, probe_video,
};

/// Gray that grows by 6 a frame from 40: a picture that tells its number.
pub(crate) const NUMBERED: &str =
    "color=black:s=160x96:r=24:d=1,format=yuv420p,geq=lum=40+N*6:cb=128:cr=128";

/// Luma of a numbered picture.
pub(crate) fn luma(number: usize) -> f64 {
    (40 + number * 6) as f64
}

pub(crate) fn tools() -> Toolchain {
    Toolchain::find(JailConfig {
        program: env!("CARGO_BIN_EXE_media-jail").into(),
        leading_args: Vec::new(),
        required: false,
    })
}

/// Makes a file with ffmpeg, unconfined; `args` are split at white space.
pub(crate) fn make(dir: &Path, name: &str, args: &str) -> PathBuf {
    let path = dir.join(name);
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(args.split_whitespace().map(|word| word.replace("DIR", &dir.display().to_string())))
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

/// One line of `ffprobe -show_entries`, joined by commas.
pub(crate) fn ask(path: &Path, stream: &str, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-count_packets"])
        .args(["-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn probe(path: &Path) -> Result<VideoProbe, MediaError> {
    probe_video(&tools(), path, &CancelToken::new())
}

/// All frames of a file at 24 fps.
pub(crate) fn frames(path: &Path, width: u32, height: u32) -> Vec<Frame> {
    frames_from(path, width, height, 0.0)
}

pub(crate) fn frames_from(path: &Path, width: u32, height: u32, start_secs: f64) -> Vec<Frame> {
    let spec = DecodeSpec { width, height, fps: 24, start_secs, max_frames: None };
    let probe = probe(path).unwrap();
    let mut decoder = Decoder::open(&tools(), path, &probe, spec, &CancelToken::new()).unwrap();
    std::iter::from_fn(|| decoder.read().unwrap()).collect()
}

pub(crate) fn mean(samples: &[u8]) -> f64 {
    samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / samples.len() as f64
}

pub(crate) fn spec(frames: u32, audio: Option<AudioSpec>) -> EncodeSpec {
    EncodeSpec { width: 160, height: 96, fps: 24, frames, audio, made_by: "reshoot test".into() }
}

/// Writes a source's first frames (the last one repeated) as a clip.
pub(crate) fn copy(source: &Path, target: &Path, spec: EncodeSpec) -> Result<(), MediaError> {
    let all = frames(source, spec.width, spec.height);
    let count = spec.frames as usize;
    let mut encoder = Encoder::create(&tools(), target, spec, &CancelToken::new())?;
    for n in 0..count {
        encoder.push(&all[n.min(all.len() - 1)])?;
    }
    encoder.finish()
}
