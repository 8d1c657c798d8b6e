//! Small clips made with ffmpeg, a shot around them, and what came out of it.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use director::{Brief, ShotPlan, Want, Wish};
use domain::facts::{ImageFacts, MediaFacts, Role, VideoFacts};
use domain::{Clock, Timestamp};
use engine::{Context, Engine, EngineError, OutputKind, OutputSpec, Shot, ShotInput, Take};
use media::{JailConfig, Toolchain};
use roto::Roto;

/// A clock that counts its readings, one millisecond each.
#[derive(Default)]
pub struct Ticks(AtomicU32);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(i64::from(self.0.fetch_add(1, Ordering::SeqCst)) * 1000)
    }
}

/// Listens, and says stop after so many reports.
#[derive(Default)]
pub struct Listener {
    pub heard: Mutex<Vec<(String, f64)>>,
    pub stop_after: Option<usize>,
}

impl Context for Listener {
    fn progress(&self, stage: &str, fraction: f64) {
        self.heard.lock().unwrap().push((stage.to_owned(), fraction));
    }

    fn cancelled(&self) -> bool {
        self.stop_after.is_some_and(|most| self.heard.lock().unwrap().len() >= most)
    }
}

/// A folder with inputs and outputs.
pub struct Studio {
    pub dir: tempfile::TempDir,
}

impl Studio {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn engine(&self) -> Roto {
        Roto::new(tools(self.dir.path()), Arc::new(Ticks::default()))
    }

    /// Runs ffmpeg.
    pub fn ffmpeg(&self, args: &[&str]) {
        let done = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(args)
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// A video from an expression of lavfi, nearly without loss.
    pub fn video(&self, name: &str, source: &str) -> ShotInput {
        let path = self.path(name);
        let name = path.to_str().unwrap();
        self.ffmpeg(&[
            "-f",
            "lavfi",
            "-i",
            source,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-qp",
            "6",
            "-pix_fmt",
            "yuv420p",
            name,
        ]);
        reference(path.clone(), false)
    }

    pub fn image(&self, n: u32, name: &str, source: &str) -> ShotInput {
        let path = self.path(name);
        self.ffmpeg(&["-f", "lavfi", "-i", source, "-frames:v", "1", path.to_str().unwrap()]);
        still(Role::Image { n }, path)
    }

    /// A shot of `length` seconds at a small size.
    pub fn shot(&self, plan: ShotPlan, inputs: Vec<ShotInput>, size: (u32, u32)) -> Shot {
        let frames = plan.length_secs * 24;
        let kind = OutputKind::Video { width: size.0, height: size.1, fps: 24, frames };
        let dir = self.path("out");
        std::fs::create_dir_all(&dir).unwrap();
        Shot {
            length_secs: plan.length_secs,
            keep_sound: plan.keep_sound,
            plan,
            inputs,
            outputs: vec![OutputSpec { name: "video".to_owned(), kind }],
            seed: 7,
            dir,
            settings: serde_json::Value::Null,
        }
    }

    pub fn make(&self, shot: &Shot) -> Take {
        self.engine().generate(shot, &Listener::default()).unwrap()
    }

    pub fn try_make(&self, shot: &Shot, context: &Listener) -> Result<Take, EngineError> {
        self.engine().generate(shot, context)
    }
}

/// A toolchain whose jail only executes: the jail has tests of its own.
pub fn tools(dir: &Path) -> Toolchain {
    let program = dir.join("no-jail.sh");
    if !program.exists() {
        let script = "#!/bin/sh\nwhile [ \"$1\" != \"--\" ]; do shift; done\nshift\nexec \"$@\"\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    Toolchain::find(JailConfig { program, leading_args: Vec::new(), required: false })
}

pub fn reference(path: PathBuf, has_audio: bool) -> ShotInput {
    let media = MediaFacts::Video(VideoFacts {
        width: 320,
        height: 240,
        duration_secs: 5.0,
        fps: 24.0,
        codec: "h264".to_owned(),
        has_audio,
        variable_rate: false,
        hdr: false,
    });
    ShotInput { role: Role::Video { n: 1 }, path, sha256: String::new(), media }
}

pub fn still(role: Role, path: PathBuf) -> ShotInput {
    let media = MediaFacts::Image(ImageFacts {
        width: 100,
        height: 100,
        format: "png".to_owned(),
        has_alpha: false,
    });
    ShotInput { role, path, sha256: String::new(), media }
}

/// A plan with these wishes alone.
pub fn plan(length_secs: u32, wants: impl IntoIterator<Item = Want>) -> ShotPlan {
    let brief = Brief { length_secs, ..Brief::default() };
    let mut plan = director::plan(&brief, None);
    plan.wishes = wants.into_iter().map(wish).collect();
    plan.needs = Vec::new();
    plan
}

pub fn wish(want: Want) -> Wish {
    Wish {
        want,
        words: None,
        confidence: 0.9,
        strength: director::DEFAULT_STRENGTH,
        on: director::Target::Frame,
        when: None,
        provisional: false,
        note: Some("so".to_owned()),
    }
}

/// Luma planes of a video, and their size.
pub fn luma(path: &Path) -> (Vec<Vec<u8>>, (usize, usize)) {
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(probe.stdout).unwrap();
    let sides: Vec<usize> = text.trim().split(',').map(|side| side.parse().unwrap()).collect();
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"])
        .output()
        .unwrap();
    let size = (sides[0], sides[1]);
    let bytes = size.0 * size.1 * 3 / 2;
    let frames = done.stdout.chunks_exact(bytes);
    (frames.map(|frame| frame[..size.0 * size.1].to_vec()).collect(), size)
}

/// The number that a frame of [`COUNTER`] bears, from the brightness of 8 bars.
pub fn number((frame, size): (&[u8], (usize, usize))) -> u32 {
    (0..8).fold(0, |number, bit| {
        let x = size.0 * (2 * bit + 1) / 16;
        let code = frame[(size.1 / 2) * size.0 + x];
        number | (u32::from(code > 120) << bit)
    })
}

/// Frames that bear their number as 8 bars, black or white, the lowest bit on the left.
pub fn counter(secs: f64, rate: u32) -> String {
    format!(
        "nullsrc=size=320x240:rate={rate}:duration={secs},format=yuv420p,\
         geq=lum='16+200*mod(floor(N/pow(2,floor(X*8/W))),2)':cb=128:cr=128"
    )
}

/// Seconds at which a clip is first loud.
pub fn onset(path: &Path) -> Option<f64> {
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-f", "s16le", "-ac", "1", "-ar", "48000", "pipe:1"])
        .output()
        .unwrap();
    let (samples, _) = done.stdout.as_chunks::<2>();
    let loud = samples.iter().position(|s| i16::from_le_bytes(*s).unsigned_abs() > 4000);
    loud.map(|at| at as f64 / 48_000.0)
}
