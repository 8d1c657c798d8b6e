//! Sound lies under its picture.

use std::path::{Path, PathBuf};
use std::process::Command;

use media::{AudioSegment, AudioSpec};

use crate::bench::{ask, copy, frames, make, mean, probe, spec};

/// Three seconds: a white picture and a beep, both at 1 s.
const PICTURE: &str = "color=black:s=160x96:r=24:d=3,format=yuv420p,\
    geq=lum=if(eq(N\\,24)\\,235\\,16):cb=128:cr=128";
const BEEP: &str = "aevalsrc=if(between(t\\,1\\,1.05)\\,0.8*sin(6283*t)\\,0):s=44100:d=3";

/// The clip's sound, mixed to one channel, 48000 samples a second, as any player hears it.
fn heard(path: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    output.stdout.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Seconds at which a beep begins.
fn beeps(samples: &[f32]) -> Vec<f64> {
    let mut found = Vec::new();
    let mut silent_since = 0;
    for (n, sample) in samples.iter().enumerate() {
        if sample.abs() > 0.2 {
            if found.is_empty() || n - silent_since > 4800 {
                found.push(n as f64 / 48_000.0);
            }
            silent_since = n;
        }
    }
    found
}

fn flash(path: &Path) -> usize {
    frames(path, 160, 96).iter().position(|frame| mean(frame.y()) > 150.0).unwrap()
}

/// The clip of a map from (start, end, speed) one after the other.
fn kept(source: &Path, frames: u32, segments: &[(f64, f64, f64)]) -> (tempfile::TempDir, PathBuf) {
    let mut at_secs = 0.0;
    let segments = segments.iter().map(|&(from_secs, to_secs, speed)| {
        let segment = AudioSegment { at_secs, from_secs, to_secs, speed };
        at_secs = segment.end_secs();
        segment
    });
    mapped(source, frames, segments.collect())
}

fn mapped(source: &Path, frames: u32, segments: Vec<AudioSegment>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out.mp4");
    let audio = AudioSpec { source: source.to_owned(), segments };
    copy(source, &target, spec(frames, Some(audio))).unwrap();
    (dir, target)
}

fn near(found: &[f64], wanted: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() < 0.012;
    let all = found.len() == wanted.len() && found.iter().zip(wanted).all(close);
    assert!(all, "beeps at {found:?}, not {wanted:?}");
}

#[test]
fn the_beep_lands_on_the_flash() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("plain.mp4", format!("-f lavfi -i {PICTURE} -f lavfi -i {BEEP} -c:a aac")),
        // Both streams begin at other times than 0, and apart from each other.
        (
            "late_picture.mp4",
            format!(
                "-itsoffset 0.5 -f lavfi -i {PICTURE} -itsoffset 0.5 -f lavfi -i {BEEP} \
                 -af apad=pad_dur=0.1,atrim=start=0.8 -c:a aac"
            ),
        ),
        (
            "early_sound.mov",
            format!(
                "-itsoffset 0.25 -f lavfi -i {PICTURE} -f lavfi -i {BEEP} \
                 -af adelay=250 -c:a pcm_s16le"
            ),
        ),
        ("mp3.mp4", format!("-f lavfi -i {PICTURE} -f lavfi -i {BEEP} -c:a libmp3lame")),
    ];
    for (name, args) in cases {
        let source = make(dir.path(), name, &format!("{args} -c:v libx264 -fps_mode passthrough"));
        let (_dir, target) = kept(&source, 60, &[(0.0, 2.5, 1.0)]);
        assert_eq!(flash(&target), 24, "{name}");
        let found = beeps(&heard(&target));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        // An mp3 in mp4 has a decoder delay that no box tells.
        assert!((found[0] - 1.0).abs() < 1.0 / 24.0, "{name}: {found:?}");
        if name != "mp3.mp4" {
            near(&found, &[1.0]);
        }
        assert_eq!(ask(&target, "a", "stream=duration"), "2.500000", "{name}");
    }
}

#[test]
fn a_cut_source_keeps_its_sync() {
    let dir = tempfile::tempdir().unwrap();
    make(
        dir.path(),
        "whole.mp4",
        &format!("-f lavfi -i {PICTURE} -f lavfi -i {BEEP} -c:v libx264 -g 100 -c:a aac"),
    );
    let source = make(dir.path(), "cut.mp4", "-ss 0.5 -i DIR/whole.mp4 -c copy");
    let (_dir, target) = kept(&source, 48, &[(0.0, 2.0, 1.0)]);
    assert_eq!(flash(&target), 12);
    near(&beeps(&heard(&target)), &[0.5]);
}

#[test]
fn sound_follows_a_map_of_loops_and_speeds() {
    let dir = tempfile::tempdir().unwrap();
    let args = format!("-f lavfi -i {PICTURE} -f lavfi -i {BEEP} -c:v libx264 -c:a aac");
    let source = make(dir.path(), "in.mp4", &args);
    // The second from 0.5 s twice, then the same at half speed.
    let map = [(0.5, 1.5, 1.0), (0.5, 1.5, 1.0), (0.5, 1.5, 0.5)];
    let (_dir, target) = kept(&source, 96, &map);
    let samples = heard(&target);
    assert_eq!(ask(&target, "a", "stream=duration"), "4.000000");
    let found = beeps(&samples);
    near(&found[..2], &[0.5, 1.5]);
    assert!((found[2] - 3.0).abs() < 1.0 / 24.0, "{found:?}");
}

#[test]
fn a_gap_is_silent_and_shifts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let tone = "sine=440:d=3:r=48000,volume=4";
    let args = format!("-f lavfi -i {PICTURE} -f lavfi -i {tone} -c:v libx264 -c:a pcm_s16le");
    let tone = make(dir.path(), "tone.mov", &args);
    let args = format!("-f lavfi -i {PICTURE} -f lavfi -i {BEEP} -c:v libx264 -c:a aac");
    let beep = make(dir.path(), "beep.mp4", &args);
    let map = vec![
        AudioSegment { at_secs: 0.25, from_secs: 0.5, to_secs: 1.5, speed: 1.0 },
        AudioSegment { at_secs: 2.0, from_secs: 0.5, to_secs: 1.5, speed: 1.0 },
        AudioSegment { at_secs: 3.5, from_secs: 0.0, to_secs: 1.5, speed: 3.0 },
    ];
    let (_dir, target) = mapped(&beep, 96, map.clone());
    assert_eq!(ask(&target, "a", "stream=duration"), "4.000000");
    let found = beeps(&heard(&target));
    near(&found[..2], &[0.75, 2.5]);
    assert!((found[2] - (3.5 + 1.0 / 3.0)).abs() < 1.0 / 24.0, "{found:?}");
    let (_dir, target) = mapped(&tone, 96, map);
    let samples = heard(&target);
    let loudest = |from: f64, to: f64| {
        let range = (from * 48_000.0) as usize..(to * 48_000.0) as usize;
        samples[range].iter().fold(0.0_f32, |most, sample| most.max(sample.abs()))
    };
    for (from, to) in [(0.0, 0.22), (1.3, 1.95), (3.05, 3.45)] {
        assert!(loudest(from, to) < 0.005, "{from} s: {}", loudest(from, to));
    }
    let loud = loudest(0.5, 1.0);
    assert!(loud > 0.2 && loudest(2.2, 2.8) > 0.8 * loud && loudest(3.6, 3.7) > 0.8 * loud);
    // A tone of 440 Hz moves by 6 % of its height a sample; a click moves at once.
    let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let steepest = steps.fold(0.0_f32, f32::max);
    assert!(steepest < 0.12 * loud, "{steepest} of {loud}");
}

#[test]
fn pitch_is_kept_at_any_speed() {
    let dir = tempfile::tempdir().unwrap();
    let tone = "sine=440:d=8:r=48000,volume=4";
    let picture = PICTURE.replace("d=3", "d=8");
    let args = format!("-f lavfi -i {picture} -f lavfi -i {tone} -c:v libx264 -c:a pcm_s16le");
    let source = make(dir.path(), "tone.mov", &args);
    for speed in [0.25, 0.4, 0.8, 1.6, 2.5, 4.0] {
        let (_dir, target) = kept(&source, 48, &[(0.0, 2.0 * speed, speed)]);
        let samples = heard(&target);
        let middle = &samples[24_000..72_000];
        let rises = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((420..=460).contains(&rises), "{rises} Hz at speed {speed}");
    }
}

#[test]
fn short_sound_fades_and_is_followed_by_silence() {
    let dir = tempfile::tempdir().unwrap();
    let source = make(
        dir.path(),
        "in.mp4",
        &format!("-f lavfi -i {PICTURE} -f lavfi -i sine=440:d=1:r=48000 -c:v libx264 -c:a aac"),
    );
    let (_dir, target) = kept(&source, 72, &[(0.0, 3.0, 1.0)]);
    let samples = heard(&target);
    assert_eq!(ask(&target, "a", "stream=duration"), "3.000000");
    let loudest = |from: usize, to: usize| {
        samples[from..to].iter().fold(0.0_f32, |most, sample| most.max(sample.abs()))
    };
    assert!(loudest(12_000, 24_000) > 0.05);
    assert!(loudest(47_000, 48_000) < 0.25 * loudest(12_000, 24_000), "no fade");
    assert!(loudest(52_000, 144_000) < 0.001, "no silence");
}

#[test]
fn one_and_six_channels_become_two() {
    let dir = tempfile::tempdir().unwrap();
    for (name, layout, codec) in [
        ("one.mp4", "mono", "aac"),
        ("six.mp4", "5.1", "aac"),
        ("six.mov", "5.1", "ac3"),
        ("l.mov", "stereo", "alac"),
    ] {
        let args = format!(
            "-f lavfi -i {PICTURE} -f lavfi -i {BEEP} -af aformat=channel_layouts={layout} \
             -c:v libx264 -c:a {codec}"
        );
        let source = make(dir.path(), name, &args);
        let audio = probe(&source).unwrap().audio.unwrap();
        assert_eq!(audio.codec, codec);
        assert!(audio.layout.unwrap().starts_with(layout), "{name}");
        let (_dir, target) = kept(&source, 48, &[(0.0, 2.0, 1.0)]);
        assert_eq!(ask(&target, "a", "stream=channels,channel_layout"), "2,stereo", "{name}");
        let found = beeps(&heard(&target));
        assert_eq!(found.len(), 1, "{name}");
        assert!((found[0] - 1.0).abs() < 1.0 / 24.0, "{name}: {found:?}");
    }
}

#[test]
fn a_silent_source_gives_no_sound_stream() {
    let dir = tempfile::tempdir().unwrap();
    let source = make(dir.path(), "in.mp4", &format!("-f lavfi -i {PICTURE} -c:v libx264"));
    assert_eq!(probe(&source).unwrap().audio, None);
    let (_dir, target) = kept(&source, 24, &[(0.0, 1.0, 1.0)]);
    assert_eq!(ask(&target, "a", "stream=codec_name"), "");
    assert_eq!(ask(&target, "v", "format=nb_streams"), "1");
}
