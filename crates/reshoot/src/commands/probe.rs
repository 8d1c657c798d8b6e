//! `reshoot probe`: what intake sees in one file, and which limits it breaks.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use catalog::{MediaInput, MediaLimits, Model, Parts};
use domain::facts::{ImageFacts, MediaFacts};
use egress::{Client, GetRequest, Options};
use media::{CancelToken, FileKind, ImageLimits};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::cli::ProbeArgs;
use crate::commands::{local, print_json, runtime};
use crate::config::{self, Installation};
use crate::exit::{Coded, DATA, NO_INPUT};
use crate::machine::{KernelRng, SystemClock};
use crate::wiring;

/// Stands for the file in a body that is only made to read the limits of its fields.
const PLACEHOLDER: &str = "https://localhost/file";

pub(crate) fn run(args: &ProbeArgs) -> anyhow::Result<ExitCode> {
    let installation = config::installation(&args.place, &args.intake)?;
    let catalog = wiring::catalog(&installation)?;
    let model = local::model(&catalog, &args.model)?;
    let scratch = tempfile::tempdir()?;
    let fetched = scratch.path().join("file");
    let path = if args.file_or_url.contains("://") {
        let inputs = inputs(model)?;
        runtime()?.block_on(fetch(&installation, &inputs, &args.file_or_url, &fetched))?;
        fetched.as_path()
    } else {
        Path::new(&args.file_or_url)
    };
    let (facts, sound, format) = look(&installation, path)?;
    let bytes = std::fs::metadata(path)?.len();
    let mut broken = Vec::new();
    for input in inputs(model)?.iter().filter(|input| suits(input, &facts)) {
        let mut faults = model.check(input, &facts, bytes);
        faults.extend(input.check_format(format));
        faults.extend(sound.as_ref().and_then(|codec| input.check_sound(codec)));
        broken.extend(faults);
    }
    print_json(&json!({
        "format": format,
        "bytes": bytes,
        "facts": facts,
        "sound": sound,
        "breaks": broken.iter().map(|fault| fault.msg.as_str()).collect::<Vec<_>>(),
    }))?;
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DATA) })
}

/// Every field of the model that takes a file, with its limits.
fn inputs(model: &Model) -> anyhow::Result<Vec<MediaInput>> {
    let url = PLACEHOLDER.to_owned();
    let all = Parts {
        prompt: "probe",
        video: Some(PLACEHOLDER),
        images: std::slice::from_ref(&url),
        elements: &[vec![url.clone()]],
        ..Parts::default()
    };
    // A model that lacks one of the parts is asked for those that it has.
    let fewer = [
        all,
        Parts { elements: &[], ..all },
        Parts { images: &[], ..all },
        Parts { images: &[], elements: &[], ..all },
    ];
    let body = fewer.iter().find_map(|parts| model.compose(parts).ok()).unwrap_or(Value::Null);
    Ok(model.inputs(&body)?.media)
}

fn suits(input: &MediaInput, facts: &MediaFacts) -> bool {
    matches!(
        (&*input.limits, facts),
        (MediaLimits::Video(_), MediaFacts::Video(_))
            | (MediaLimits::Image(_), MediaFacts::Image(_))
    )
}

fn look(
    installation: &Installation,
    path: &Path,
) -> anyhow::Result<(MediaFacts, Option<String>, &'static str)> {
    use std::io::Read;
    let mut head = Vec::new();
    let file = std::fs::File::open(path)
        .with_context(|| Coded::new(NO_INPUT, format!("`{}` cannot be read", path.display())))?;
    file.take(media::sniff::SNIFF_BYTES as u64).read_to_end(&mut head)?;
    match media::sniff(&head) {
        Some(kind @ (FileKind::Mp4 | FileKind::Mov)) => {
            let tools = wiring::toolchain(installation.require_sandbox)?;
            let probe = media::probe_video(&tools, path, &CancelToken::new())
                .map_err(|e| Coded::new(DATA, e.to_string()))?;
            let sound = probe.audio.as_ref().map(|audio| audio.codec.clone());
            Ok((MediaFacts::Video(intake::video_facts(probe)), sound, kind.name()))
        }
        Some(kind @ (FileKind::Jpeg | FileKind::Png | FileKind::Webp)) => {
            let limits = ImageLimits { max_side: 1 << 16, max_alloc: 1 << 30 };
            let still = media::decode_image(&std::fs::read(path)?, limits)
                .map_err(|e| Coded::new(DATA, e.to_string()))?;
            let facts = ImageFacts {
                width: still.width,
                height: still.height,
                format: still.format.to_owned(),
                has_alpha: still.has_alpha,
            };
            Ok((MediaFacts::Image(facts), None, kind.name()))
        }
        Some(FileKind::Other(name)) => bail!(Coded::new(
            DATA,
            format!("its format is {name}; videos are mp4 or mov, pictures jpg, png or webp")
        )),
        None => bail!(Coded::new(DATA, "its format is unknown: not a video, not a picture")),
    }
}

async fn fetch(
    installation: &Installation,
    inputs: &[MediaInput],
    url: &str,
    target: &Path,
) -> anyhow::Result<()> {
    let options = Options { exempt: wiring::exempt(installation)?, ..Options::default() };
    let client = Client::new(options, Arc::new(SystemClock), Arc::new(KernelRng))?;
    let secs = inputs.iter().map(|input| input.fetch_secs).max().unwrap_or(30);
    let request = GetRequest {
        url: url.to_owned(),
        range: None,
        max_bytes: inputs.iter().map(|input| input.max_bytes).max().unwrap_or(0),
        deadline: tokio::time::Instant::now() + Duration::from_secs(u64::from(secs)),
    };
    let mut response = client.get(&request).await?;
    let mut file = tokio::fs::File::create(target).await?;
    while let Some(part) = response.body.chunk().await? {
        file.write_all(&part).await?;
    }
    file.flush().await?;
    Ok(())
}
