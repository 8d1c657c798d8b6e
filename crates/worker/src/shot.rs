//! From a kept request to the [`Shot`] that an engine is given: the same for the queue, for
//! `reshoot run` and for dry runs.

use std::path::{Path, PathBuf};

use catalog::{Inputs, Model, OutputKind, Ratio, Size};
use director::{Aspect, Brief, ShotPlan};
use domain::facts::{Facts, InputFacts, Role};
use engine::{OutputSpec, Shot, ShotInput};
use sha2::{Digest, Sha256};

/// What the director is told of a request.
pub fn brief(inputs: &Inputs) -> Brief {
    let count = |what: fn(&Role) -> bool| {
        inputs.media.iter().filter(|input| what(&input.role)).count() as u32
    };
    let elements = inputs.media.iter().filter_map(|input| match input.role {
        Role::ElementFrontal { n } | Role::ElementView { n, .. } => Some(n),
        Role::Video { .. } | Role::Image { .. } => None,
    });
    Brief {
        prompt: inputs.prompt.clone(),
        length_secs: inputs.length_secs,
        aspect: match inputs.ratio {
            Ratio::Auto => Aspect::Auto,
            Ratio::Fixed(width, height) => Aspect::Ratio { width, height },
        },
        keep_sound: inputs.keep_sound,
        videos: count(|role| matches!(role, Role::Video { .. })),
        images: count(|role| matches!(role, Role::Image { .. })),
        elements: elements.max().unwrap_or(0),
    }
}

/// What is wished for, as far as it can be known with or without the media.
pub fn plan(inputs: &Inputs, facts: Option<&Facts>) -> ShotPlan {
    director::plan(&brief(inputs), facts)
}

/// The shot of a request whose inputs are kept; `locate` says where a kept file is.
pub fn shot<E>(
    model: &Model,
    inputs: &Inputs,
    facts: &Facts,
    dir: &Path,
    locate: impl Fn(&InputFacts) -> Result<PathBuf, E>,
) -> Result<Shot, E> {
    let files = facts.0.iter().map(|input| {
        Ok(ShotInput {
            role: input.role,
            path: locate(input)?,
            sha256: input.sha256.clone(),
            media: input.media.clone(),
        })
    });
    Ok(Shot {
        plan: plan(inputs, Some(facts)),
        inputs: files.collect::<Result<_, E>>()?,
        length_secs: inputs.length_secs,
        keep_sound: inputs.keep_sound,
        outputs: vec![output(model, inputs, facts)],
        seed: seed(model, inputs, facts),
        dir: dir.to_owned(),
        settings: serde_json::Value::Null,
    })
}

fn output(model: &Model, inputs: &Inputs, facts: &Facts) -> OutputSpec {
    let reference = facts.video(1).map(|video| Size { width: video.width, height: video.height });
    let Size { width, height } = model.output_size(inputs.ratio, reference);
    let wanted = model.output();
    let kind = match wanted.kind {
        OutputKind::Image => engine::OutputKind::Image { width, height },
        OutputKind::Video => engine::OutputKind::Video {
            width,
            height,
            fps: wanted.fps,
            frames: wanted.fps * inputs.length_secs,
        },
    };
    OutputSpec { name: wanted.name.clone(), kind }
}

/// The same wishes on the same bytes give the same seed, wherever the bytes were fetched from.
fn seed(model: &Model, inputs: &Inputs, facts: &Facts) -> u64 {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(model.id());
    add(&inputs.prompt);
    add(&format!("{} {:?} {}", inputs.length_secs, inputs.ratio, inputs.keep_sound));
    for input in &facts.0 {
        add(&format!("{:?}", input.role));
        add(&input.sha256);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (head, _) = digest.split_at(8);
    head.iter().fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
