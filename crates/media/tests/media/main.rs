//! Probes, decodes and encodes real files through the jail.
//!
//! ffmpeg makes the files, small and short, in a folder of each test.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod bench;
mod cancelled;
mod clip;
mod decoded;
mod header;
mod hostile;
mod jailed;
mod pictures;
mod sound;
