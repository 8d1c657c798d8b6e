//! Which field plays which part, for whoever makes a form without knowing a field's name.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::inputs::{ElementsField, MediaField};
use crate::media::MediaLimits;
use crate::model::Model;
use crate::output::{OutputKind, OutputSpec};
use crate::prompt::Kind;

/// The roles of a model as they are served. Pointers lead into the body of a submit; `frontal`
/// and `views` into one element.
#[derive(Debug, Serialize)]
struct Form<'a> {
    prompt: &'a str,
    media: Vec<Medium<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_elements_and_images: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_sound: Option<&'a str>,
    output: Output,
}

/// One field that names media. A prompt calls the first of them `@`, the handle, `1`.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Medium<'a> {
    Video {
        at: &'a str,
        handle: &'static str,
        limits: &'a MediaLimits,
    },
    Image {
        at: &'a str,
        handle: &'static str,
        limits: &'a MediaLimits,
    },
    Element {
        at: &'a str,
        handle: &'static str,
        frontal: &'a str,
        frontal_limits: &'a MediaLimits,
        views: &'a str,
        view_limits: &'a MediaLimits,
    },
}

/// What comes out; `sizes` by ratio, those of the quality that is set.
#[derive(Debug, Serialize)]
struct Output {
    kind: OutputKind,
    fps: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    length_secs: Option<u32>,
    sizes: Map<String, Value>,
}

// === impl Model ===

impl Model {
    /// Which field plays which part, with the limits of each, and what comes out. Members that do
    /// not apply are left out.
    pub fn roles(&self) -> Value {
        let fields = &self.fields;
        let video = fields.video.as_ref().map(|MediaField { at, limits }| Medium::Video {
            at,
            handle: Kind::Video.word(),
            limits,
        });
        let images = fields.images.as_ref().map(|MediaField { at, limits }| Medium::Image {
            at,
            handle: Kind::Image.word(),
            limits,
        });
        let form = Form {
            prompt: &fields.prompt,
            media: [video, images, fields.elements.as_ref().map(element)]
                .into_iter()
                .flatten()
                .collect(),
            max_elements_and_images: fields.max_elements_and_images,
            length: fields.length.as_deref(),
            ratio: fields.ratio.as_deref(),
            keep_sound: fields.keep_sound.as_deref(),
            output: Output {
                kind: self.output.kind,
                fps: self.output.fps,
                length_secs: self.manifest.output.length_secs,
                sizes: sizes(&self.output),
            },
        };
        serde_json::to_value(form).unwrap_or_default()
    }
}

fn element(field: &ElementsField) -> Medium<'_> {
    let ElementsField { at, frontal, frontal_limits, views, view_limits } = field;
    Medium::Element {
        at,
        handle: Kind::Element.word(),
        frontal,
        frontal_limits,
        views,
        view_limits,
    }
}

fn sizes(output: &OutputSpec) -> Map<String, Value> {
    let size = |offer: &crate::output::OfferedSize| {
        let (w, h) = offer.ratio;
        (format!("{w}:{h}"), json!([offer.size.width, offer.size.height]))
    };
    output.sizes.iter().map(size).collect()
}
