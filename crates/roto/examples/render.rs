//! Renders one clip from a plan that is written by hand, to look at what the engine does.
//!
//! `render OUT SECS WxH REFERENCE [image=PATH]... [element=PATH [view=PATH]...]... [sound] WANT...`
//!
//! A WANT is a wish in the plan's JSON, such as `{"kind":"mood","mood":"noir"}`; one that is no
//! JSON is taken as a prompt.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use director::{Brief, Want, Wish};
use domain::facts::{ImageFacts, MediaFacts, Role, VideoFacts};
use domain::{Clock, Timestamp};
use engine::{Context, Engine, OutputKind, OutputSpec, Shot, ShotInput};
use media::{JailConfig, Toolchain};

struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.elapsed().as_micros() as i64)
    }
}

struct Quiet;

impl Context for Quiet {
    fn progress(&self, _: &str, _: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

type AnyError = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "an example has no clock but the machine's")]
fn main() -> Result<(), AnyError> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out, secs, size, reference, rest @ ..] = args.as_slice() else {
        return Err("render OUT SECS WxH REFERENCE [image=..] [element=..] [sound] WANT...".into());
    };
    let dir = PathBuf::from(out);
    std::fs::create_dir_all(&dir)?;
    let (width, height) = size.split_once('x').ok_or("the size has the form WxH")?;
    let secs: u32 = secs.parse()?;
    let shot = shot(&dir, secs, (width.parse()?, height.parse()?), reference, rest)?;
    let clock = Wall(Instant::now());
    let engine = roto::Roto::new(tools(&dir)?, Arc::new(clock));
    let take = engine.generate(&shot, &Quiet)?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&take.report)?)?;
    Ok(())
}

fn shot(
    dir: &Path,
    secs: u32,
    (width, height): (u32, u32),
    reference: &str,
    rest: &[String],
) -> Result<Shot, AnyError> {
    let mut inputs = vec![video(reference)];
    let (mut images, mut elements, mut views) = (0, 0, 0);
    let (mut sound, mut prompt) = (false, String::new());
    let mut wishes = Vec::new();
    for arg in rest {
        if let Some(path) = arg.strip_prefix("image=") {
            images += 1;
            inputs.push(picture(Role::Image { n: images }, path)?);
        } else if let Some(path) = arg.strip_prefix("element=") {
            elements += 1;
            inputs.push(picture(Role::ElementFrontal { n: elements }, path)?);
        } else if let Some(path) = arg.strip_prefix("view=") {
            views += 1;
            inputs.push(picture(Role::ElementView { n: elements, view: views }, path)?);
        } else if arg == "sound" {
            sound = true;
        } else if arg.starts_with('{') {
            wishes.push(wish(serde_json::from_str(arg)?));
        } else {
            prompt.clone_from(arg);
        }
    }
    let brief = Brief {
        prompt,
        length_secs: secs,
        keep_sound: sound,
        images,
        elements,
        ..Brief::default()
    };
    let mut plan = director::plan(&brief, None);
    for wish in wishes {
        if let Want::Task { task } = &wish.want {
            plan.task = task.clone();
        }
        plan.wishes.push(wish);
    }
    let kind = OutputKind::Video { width, height, fps: 24, frames: secs * 24 };
    Ok(Shot {
        plan,
        inputs,
        length_secs: secs,
        keep_sound: sound,
        outputs: vec![OutputSpec { name: "video".to_owned(), kind }],
        seed: 7,
        dir: dir.to_owned(),
        settings: serde_json::Value::Null,
    })
}

fn wish(want: Want) -> Wish {
    Wish {
        want,
        words: None,
        confidence: 1.0,
        strength: director::DEFAULT_STRENGTH,
        on: director::Target::Frame,
        when: None,
        provisional: false,
        note: Some("written by hand".to_owned()),
    }
}

fn video(path: &str) -> ShotInput {
    // The engine measures the file again; only the role matters here.
    let media = MediaFacts::Video(VideoFacts {
        width: 1280,
        height: 720,
        duration_secs: 5.0,
        fps: 25.0,
        codec: "h264".to_owned(),
        has_audio: true,
        variable_rate: false,
        hdr: false,
    });
    ShotInput { role: Role::Video { n: 1 }, path: path.into(), sha256: String::new(), media }
}

fn picture(role: Role, path: &str) -> Result<ShotInput, AnyError> {
    let probe = media::probe_image(&std::fs::read(path)?)?;
    let media = MediaFacts::Image(ImageFacts {
        width: probe.width,
        height: probe.height,
        format: probe.format.to_owned(),
        has_alpha: false,
    });
    Ok(ShotInput { role, path: path.into(), sha256: String::new(), media })
}

/// ffmpeg without its jail: the inputs are one's own.
fn tools(dir: &Path) -> Result<Toolchain, AnyError> {
    use std::os::unix::fs::PermissionsExt;
    let program = std::path::absolute(dir.join("no-jail.sh"))?;
    let script = "#!/bin/sh\nwhile [ \"$1\" != \"--\" ]; do shift; done\nshift\nexec \"$@\"\n";
    std::fs::write(&program, script)?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    Ok(Toolchain::find(JailConfig { program, leading_args: Vec::new(), required: false }))
}
