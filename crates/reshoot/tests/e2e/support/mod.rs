//! What the tests share: the server as a process, curl, and real media.

pub(crate) mod clock;
pub(crate) mod curl;
pub(crate) mod disk;
pub(crate) mod home;
pub(crate) mod http;
pub(crate) mod media;
pub(crate) mod process;
pub(crate) mod processes;
pub(crate) mod rng;
pub(crate) mod server;

use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) use curl::Reply;
pub(crate) use home::Home;
pub(crate) use server::Server;

/// The model of the API page.
pub(crate) const KLING: &str = "kling/kling-video-o1/video-to-video/reference";
/// The made-up model with other field names and an image output.
pub(crate) const ACME: &str = "acme/still-maker/portrait";

/// The binary under test with a command line.
pub(crate) fn reshoot(args: &[&str]) -> Output {
    reshoot_in(&std::env::temp_dir(), args)
}

/// The same in a working folder.
pub(crate) fn reshoot_in(dir: &std::path::Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reshoot"))
        .current_dir(dir)
        .env_remove("RESHOOT_DATA")
        .env_remove("RESHOOT_CONFIG")
        .args(args)
        .output()
        .unwrap()
}

/// What it printed, as text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What it complained of, as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of `samples/`.
pub(crate) fn sample(name: &str) -> PathBuf {
    root().join("samples").join(name)
}

/// The same, as an argument.
pub(crate) fn sample_arg(name: &str) -> String {
    sample(name).to_str().unwrap().to_owned()
}

/// The bytes of a file of `samples/`.
pub(crate) fn sample_bytes(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).unwrap()
}
