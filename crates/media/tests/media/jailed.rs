//! The jail holds: no network, no other files, no other processes.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use media::jail::JailReport;

use crate::bench::{make, tools};

const PICTURE: &str = "color=red:s=32x32:d=0.1";

/// Runs ffmpeg in the jail, without the whitelists that usually stand in front of it.
fn jailed(options: &[&str], args: &[&str]) -> Output {
    let parent = std::process::id().to_string();
    Command::new(env!("CARGO_BIN_EXE_media-jail"))
        .args(["--parent", &parent])
        .args(options)
        .args(["--", "/usr/bin/ffmpeg", "-nostdin", "-y", "-v", "error"])
        .args(args)
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_layer_is_reported() {
    let output = Command::new(env!("CARGO_BIN_EXE_media-jail")).arg("--report").output().unwrap();
    let report: JailReport = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.rlimits && report.no_new_privs, "{report:?}");
    let check = tools().check();
    assert_eq!(check.jail.unwrap(), report);
    assert_eq!(check.missing, Vec::<String>::new());
    assert!(check.ffmpeg.unwrap().starts_with("ffmpeg version"));
}

#[test]
fn there_is_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let output = jailed(&[], &["-f", "mpegts", "-i", &url, "-f", "null", "-"]);
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("Operation not permitted"), "{words}");
    assert!(listener.accept().is_err(), "it connected");
}

#[test]
fn it_writes_only_where_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
    std::fs::create_dir(&inside).unwrap();
    std::fs::create_dir(&outside).unwrap();
    for (folder, allowed) in [(&inside, true), (&outside, false)] {
        let file = folder.join("a.mkv");
        let output =
            jailed(&["--write", text(&inside)], &["-f", "lavfi", "-i", PICTURE, text(&file)]);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), allowed, "{words}");
        assert_eq!(file.exists(), allowed);
    }
}

#[test]
fn it_reads_only_its_input() {
    let dir = tempfile::tempdir().unwrap();
    let mine = make(dir.path(), "mine.mkv", &format!("-f lavfi -i {PICTURE}"));
    let other = make(dir.path(), "other.mkv", &format!("-f lavfi -i {PICTURE}"));
    for (file, allowed) in [(&mine, true), (&other, false)] {
        let output = jailed(&["--read", text(&mine)], &["-i", text(file), "-f", "null", "-"]);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), allowed, "{words}");
    }
    let environment = format!("/proc/{}/environ", std::process::id());
    let args = ["-f", "u8", "-ar", "8000", "-i", &environment, "-f", "null", "-"];
    assert!(!jailed(&["--read", text(&mine)], &args).status.success());
}

#[test]
fn an_orphan_does_not_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_media-jail"))
        .args(["--parent", "1", "--", "/usr/bin/ffmpeg", "-version"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(69));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "jail: the parent is gone\n");
}

#[test]
fn an_unknown_option_is_wrong_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_media-jail")).arg("--open").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}
