//! A cancellation or a deadline ends the call and its children.

use std::path::Path;
use std::time::Duration;

use media::{CancelToken, Encoder, Frame, MediaError, probe_video};

use crate::bench::{make, spec, tools};

/// Whether a process has this path among its arguments.
fn runs_with(path: &Path) -> bool {
    let needle = path.display().to_string();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&needle))
    })
}

fn gray() -> Frame {
    Frame::from_bytes(160, 96, vec![128; Frame::bytes(160, 96)]).unwrap()
}

#[test]
fn cancelling_kills_the_children() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.mp4");
    let cancel = CancelToken::new();
    let mut encoder = Encoder::create(&tools(), &path, spec(u32::MAX, None), &cancel).unwrap();
    encoder.push(&gray()).unwrap();
    // Between the jail and ffmpeg a process has no arguments for a moment.
    while !runs_with(&path) {
        std::thread::yield_now();
    }
    cancel.cancel();
    let error = loop {
        if let Err(error) = encoder.push(&gray()) {
            break error;
        }
    };
    assert!(matches!(error, MediaError::Cancelled), "{error}");
    assert!(!runs_with(&path));
    drop(encoder);
    assert!(!path.exists());
    let error = probe_video(&tools(), &path, &cancel).unwrap_err();
    assert!(matches!(error, MediaError::Cancelled), "{error}");
}

#[test]
fn a_deadline_kills_the_children() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.mp4");
    let cancel = CancelToken::new();
    let hasty = cancel.with_timeout(Duration::from_millis(200));
    let mut encoder = Encoder::create(&tools(), &path, spec(u32::MAX, None), &hasty).unwrap();
    let error = loop {
        if let Err(error) = encoder.push(&gray()) {
            break error;
        }
    };
    assert!(matches!(error, MediaError::TimedOut), "{error}");
    assert!(!runs_with(&path));
    assert!(!cancel.is_cancelled(), "the deadline is that of one handle");
    let source = make(dir.path(), "in.mp4", "-f lavfi -i testsrc2=s=160x96:d=1 -c:v libx264");
    let over = cancel.with_timeout(Duration::ZERO);
    let error = probe_video(&tools(), &source, &over).unwrap_err();
    assert!(matches!(error, MediaError::TimedOut), "{error}");
    assert!(probe_video(&tools(), &source, &cancel).is_ok());
}

#[test]
fn dropping_kills_the_children() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.mp4");
    let mut encoder = Encoder::create(&tools(), &path, spec(9, None), &CancelToken::new()).unwrap();
    encoder.push(&gray()).unwrap();
    drop(encoder);
    assert!(!runs_with(&path));
    assert!(!path.exists());
}
