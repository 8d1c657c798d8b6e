//! From the files of a folder to a model that holds together, or to what is wrong with them.

use std::sync::Arc;

use serde_json::Value;

use domain::usage::Microdollars;

use crate::builtin::Files;
use crate::inputs::{ElementsField, Fields, MediaField, seconds};
use crate::load::CatalogError;
use crate::manifest::{Manifest, MediaRole, Output, PriceUnit};
use crate::media::{ImageLimits, MediaLimits, VideoLimits};
use crate::message::ticked;
use crate::model::{Model, Strictness};
use crate::output::{OfferedSize, OutputKind, OutputSpec, Ratio, Size};
use crate::schema::{Kind, Schema, SchemaFault, normalise};
use crate::validate::Walk;

/// A key and what is wrong with it.
type Fault = (String, String);

/// Builds one model; `place` is the folder as people know it.
pub(super) fn model(files: Files<'_>, place: &str) -> Result<Model, CatalogError> {
    let manifest_file = format!("{place}/manifest.toml");
    let manifest = parse(files.manifest, &manifest_file)?;
    let wrong = |(key, reason)| CatalogError::Wrong { file: manifest_file.clone(), key, reason };
    if manifest.model_id != files.folder {
        let reason = format!("`{}` has to equal its folder `{}`", manifest.model_id, files.folder);
        return Err(wrong(fault("model_id", reason)));
    }
    let input_file = format!("{place}/input.schema.json");
    let (input_schema, schema) = schema(files.input, &input_file)?;
    let output_file = format!("{place}/output.schema.json");
    let (output_schema, outputs) = self::schema(files.output, &output_file)?;

    money(&manifest).map_err(wrong)?;
    let fields = fields(&manifest, &schema).map_err(wrong)?;
    let output = output(&manifest.output, &outputs).map_err(wrong)?;
    offered(&fields, &schema, &output).map_err(wrong)?;
    Ok(Model {
        price: Microdollars::from_usd(manifest.base_price_usd),
        strictness: if manifest.strict { Strictness::Strict } else { Strictness::Lenient },
        json_schema: normalise(&input_schema),
        output_json_schema: normalise(&output_schema),
        manifest,
        fields,
        schema,
        input_schema,
        output_schema,
        output,
        readme: files.readme.map(str::to_owned),
    })
}

fn fault(key: &str, reason: impl Into<String>) -> Fault {
    (key.to_owned(), reason.into())
}

fn parse(text: &str, file: &str) -> Result<Manifest, CatalogError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let key = text.lines().nth(line - 1).unwrap_or("").split('=').next().unwrap_or("").trim();
        let reason = format!("{} (line {line})", error.message());
        CatalogError::Wrong { file: file.to_owned(), key: key.to_owned(), reason }
    })
}

fn schema(text: &str, file: &str) -> Result<(Value, Schema), CatalogError> {
    let wrong = |key: String, reason: String| CatalogError::Wrong {
        file: file.to_owned(),
        key: if key.is_empty() { "/".to_owned() } else { key },
        reason,
    };
    let raw: Value = serde_json::from_str(text).map_err(|e| wrong(String::new(), e.to_string()))?;
    let schema = Schema::compile(&raw, "")
        .map_err(|SchemaFault { pointer, reason }| wrong(pointer, reason))?;
    if schema.kind != Some(Kind::Object) {
        return Err(wrong("/type".to_owned(), "has to be object".to_owned()));
    }
    defaults(&schema, "").map_err(|(key, reason)| wrong(key, reason))?;
    Ok((raw, schema))
}

/// Each default is a value that its own schema accepts.
fn defaults(schema: &Schema, pointer: &str) -> Result<(), Fault> {
    if let Some(default) = schema.default.as_ref().filter(|_| !schema.empty_is_absent()) {
        let mut walk = Walk::default();
        walk.accept(schema, default, pointer);
        if let Some(first) = walk.faults.first() {
            return Err((format!("{pointer}/default"), first.msg.clone()));
        }
    }
    for (name, property) in &schema.properties {
        defaults(property, &format!("{pointer}/properties/{name}"))?;
    }
    schema.items.as_ref().map_or(Ok(()), |items| defaults(items, &format!("{pointer}/items")))
}

fn money(manifest: &Manifest) -> Result<(), Fault> {
    if !manifest.base_price_usd.is_finite() || manifest.base_price_usd < 0.0 {
        return Err(fault("base_price_usd", "has to be at least 0"));
    }
    if manifest.price_unit == PriceUnit::Second && manifest.output.kind == OutputKind::Image {
        return Err(fault("price_unit", "an image has no seconds, use `output`"));
    }
    if manifest.categories.is_empty() {
        return Err(fault("categories", "at least one is required"));
    }
    Ok(())
}

fn fields(manifest: &Manifest, schema: &Schema) -> Result<Fields, Fault> {
    let roles = &manifest.roles;
    of_kind(schema, "roles.prompt", &roles.prompt, &[Kind::String])?;
    let plain = [
        ("roles.length", &roles.length, &[Kind::String, Kind::Integer][..]),
        ("roles.ratio", &roles.ratio, &[Kind::String]),
        ("roles.keep_sound", &roles.keep_sound, &[Kind::Boolean]),
    ];
    for (key, at, kinds) in plain {
        if let Some(at) = at {
            of_kind(schema, key, at, kinds)?;
        }
    }
    let length_secs = match (manifest.output.length_secs, &roles.length, manifest.output.kind) {
        (Some(0), ..) => return Err(fault("output.length_secs", "has to be at least 1")),
        (Some(secs), ..) => secs,
        (None, None, OutputKind::Video) => {
            return Err(fault("output.length_secs", "is required where no field gives the length"));
        }
        (None, ..) => 1,
    };
    let limits = &manifest.limits;
    let field = |role: &Option<MediaRole>, key: &str, video: bool| match role {
        None => Ok(None),
        Some(role) => media(schema, key, &role.at).and_then(|()| {
            let key = format!("{key}.limits");
            let limits = if video {
                video_limits(limits, &key, &role.limits)
            } else {
                image_limits(limits, &key, &role.limits)
            };
            Ok(Some(MediaField { at: role.at.clone(), limits: limits? }))
        }),
    };
    Ok(Fields {
        prompt: roles.prompt.clone(),
        length: roles.length.clone(),
        length_secs,
        ratio: roles.ratio.clone(),
        keep_sound: roles.keep_sound.clone(),
        video: field(&roles.video, "roles.video", true)?,
        images: field(&roles.images, "roles.images", false)?,
        elements: elements(manifest, schema)?,
        max_elements_and_images: manifest.rules.max_elements_and_images,
    })
}

fn of_kind<'a>(
    schema: &'a Schema,
    key: &str,
    at: &str,
    kinds: &[Kind],
) -> Result<&'a Schema, Fault> {
    let Some(field) = schema.field(at) else {
        return Err(fault(key, format!("`{at}` points at no field of input.schema.json")));
    };
    match field.kind {
        Some(kind) if kinds.contains(&kind) => Ok(field),
        _ => Err(fault(key, format!("`{at}` is not of a type that fits this role"))),
    }
}

/// A string, or a list of strings.
fn media(schema: &Schema, key: &str, at: &str) -> Result<(), Fault> {
    let field = of_kind(schema, key, at, &[Kind::String, Kind::Array])?;
    let item = if field.kind == Some(Kind::Array) { field.items.as_deref() } else { Some(field) };
    match item.and_then(|item| item.kind) {
        Some(Kind::String) => Ok(()),
        _ => Err(fault(key, format!("`{at}` has to be a string or a list of strings"))),
    }
}

fn elements(manifest: &Manifest, schema: &Schema) -> Result<Option<ElementsField>, Fault> {
    let Some(role) = &manifest.roles.elements else { return Ok(None) };
    let list = of_kind(schema, "roles.elements.at", &role.at, &[Kind::Array])?;
    let Some(element) = list.items.as_deref().filter(|item| item.kind == Some(Kind::Object)) else {
        return Err(fault("roles.elements.at", format!("`{}` has to list objects", role.at)));
    };
    of_kind(element, "roles.elements.frontal", &role.frontal, &[Kind::String])?;
    of_kind(element, "roles.elements.views", &role.views, &[Kind::Array])?;
    media(element, "roles.elements.views", &role.views)?;
    let limits = |key: &str, name: &str| image_limits(&manifest.limits, key, name);
    Ok(Some(ElementsField {
        at: role.at.clone(),
        frontal: role.frontal.clone(),
        frontal_limits: limits("roles.elements.frontal_limits", &role.frontal_limits)?,
        views: role.views.clone(),
        view_limits: limits("roles.elements.view_limits", &role.view_limits)?,
    }))
}

fn video_limits(
    limits: &crate::manifest::Limits,
    key: &str,
    name: &str,
) -> Result<Arc<MediaLimits>, Fault> {
    let Some(found) = limits.video.get(name) else {
        return Err(fault(key, format!("there is no `[limits.video.{name}]`")));
    };
    let VideoLimits { min_secs, max_secs, min_side, max_side, min_fps, max_fps, .. } = *found;
    let key = format!("limits.video.{name}");
    ordered(&key, "secs", min_secs, max_secs)?;
    ordered(&key, "side", min_side.into(), max_side.into())?;
    ordered(&key, "fps", min_fps, max_fps)?;
    sized(&key, found.max_bytes, found.fetch_secs)?;
    let lists = [&found.formats, &found.media_types, &found.codecs, &found.sound_codecs];
    filled(&key, &lists)?;
    Ok(Arc::new(MediaLimits::Video(found.clone())))
}

fn image_limits(
    limits: &crate::manifest::Limits,
    key: &str,
    name: &str,
) -> Result<Arc<MediaLimits>, Fault> {
    let Some(found) = limits.image.get(name) else {
        return Err(fault(key, format!("there is no `[limits.image.{name}]`")));
    };
    let ImageLimits { min_side, max_side, min_aspect, max_aspect, .. } = *found;
    let key = format!("limits.image.{name}");
    ordered(&key, "side", min_side.into(), max_side.into())?;
    ordered(&key, "aspect", min_aspect.unwrap_or(0.0), max_aspect.unwrap_or(f64::MAX))?;
    sized(&key, found.max_bytes, found.fetch_secs)?;
    filled(&key, &[&found.formats, &found.media_types])?;
    Ok(Arc::new(MediaLimits::Image(found.clone())))
}

fn ordered(key: &str, what: &str, min: f64, max: f64) -> Result<(), Fault> {
    if min >= 0.0 && min <= max {
        return Ok(());
    }
    Err(fault(
        &format!("{key}.min_{what}"),
        format!("`{min}` is not between 0 and max_{what} `{max}`"),
    ))
}

fn sized(key: &str, max_bytes: u64, fetch_secs: u32) -> Result<(), Fault> {
    if max_bytes == 0 {
        return Err(fault(&format!("{key}.max_bytes"), "has to be at least 1"));
    }
    if fetch_secs == 0 {
        return Err(fault(&format!("{key}.fetch_secs"), "has to be at least 1"));
    }
    Ok(())
}

fn filled(key: &str, lists: &[&Vec<String>]) -> Result<(), Fault> {
    if lists.iter().any(|list| list.is_empty()) {
        return Err(fault(key, "a list of formats, media types or codecs is empty"));
    }
    Ok(())
}

fn output(output: &Output, outputs: &Schema) -> Result<OutputSpec, Fault> {
    // The served schema may wrap the object in a member called `output`.
    let members = outputs.property("output").unwrap_or(outputs);
    let Some(member) = members.property(&output.name) else {
        let reason = format!("`{}` is not in output.schema.json", output.name);
        return Err(fault("output.name", reason));
    };
    let fps = match (output.kind, output.fps) {
        (OutputKind::Image, None) => 1,
        (OutputKind::Video, Some(fps)) if fps > 0 => fps,
        (OutputKind::Image, Some(_)) => return Err(fault("output.fps", "an image has none")),
        (OutputKind::Video, _) => return Err(fault("output.fps", "at least 1 is required")),
    };
    for quality in output.sizes.keys() {
        sizes(output, quality)?;
    }
    Ok(OutputSpec {
        name: output.name.clone(),
        kind: output.kind,
        list: member.kind == Some(Kind::Array),
        fps,
        sizes: sizes(output, &output.quality)?,
    })
}

/// The sizes of one quality: one for each ratio on offer, even in both directions.
pub(super) fn sizes(output: &Output, quality: &str) -> Result<Vec<OfferedSize>, Fault> {
    let Some(table) = output.sizes.get(quality) else {
        let known: Vec<String> = output.sizes.keys().cloned().collect();
        let reason = format!("`{quality}` is not one of {}", ticked(&known));
        return Err(fault("output.quality", reason));
    };
    if output.ratios.is_empty() {
        return Err(fault("output.ratios", "at least one is required"));
    }
    let one = |text: &String| {
        let key = format!("output.sizes.{quality}.\"{text}\"");
        let Some(Ratio::Fixed(w, h)) = Ratio::parse(text) else {
            return Err(fault("output.ratios", format!("`{text}` is not a ratio like `16:9`")));
        };
        let Some([width, height]) = table.get(text).copied() else {
            return Err(fault(&key, "is required, because `output.ratios` has it"));
        };
        let even = |side: u32| (2..=8192).contains(&side) && side.is_multiple_of(2);
        if !even(width) || !even(height) {
            return Err(fault(&key, "both sides have to be even, 2 to 8192"));
        }
        Ok(OfferedSize { ratio: (w, h), size: Size { width, height } })
    };
    output.ratios.iter().map(one).collect()
}

/// Every word that the schema offers for ratio and length can be understood.
fn offered(fields: &Fields, schema: &Schema, output: &OutputSpec) -> Result<(), Fault> {
    if let Some(field) = fields.ratio.as_ref().and_then(|at| schema.field(at)) {
        let Some(words) = &field.one_of else {
            return Err(fault("roles.ratio", "its field needs an `enum`"));
        };
        for word in words {
            let known = match word.as_str().and_then(Ratio::parse) {
                Some(Ratio::Auto) => true,
                Some(Ratio::Fixed(w, h)) => output.sizes.iter().any(|offer| offer.ratio == (w, h)),
                None => false,
            };
            if !known {
                return Err(fault(
                    "output.ratios",
                    format!("has no size for {word} of the schema"),
                ));
            }
        }
    }
    let Some(field) = fields.length.as_ref().and_then(|at| schema.field(at)) else { return Ok(()) };
    let bounded = field.kind == Some(Kind::Integer)
        && field.minimum.is_some_and(|min| min >= 1.0)
        && field.maximum.is_some_and(|max| max <= 3600.0);
    match &field.one_of {
        Some(words) if words.iter().all(|word| seconds(word).is_some()) => Ok(()),
        None if bounded => Ok(()),
        _ => Err(fault(
            "roles.length",
            "its field needs an `enum` of whole seconds, or `minimum` of at least 1 and `maximum` of at most 3600",
        )),
    }
}
