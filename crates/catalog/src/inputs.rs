//! From a canonical body to what the rest of the server works with: roles instead of names.

use std::sync::Arc;

use domain::facts::Role;
use serde_json::Value;
use thiserror::Error;

use crate::data::{DataUri, is_data};
use crate::media::{KEPT_SCHEME, MediaInput, MediaLimits, Source};
use crate::output::Ratio;

/// A body by its roles.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The prompt, as it was sent.
    pub prompt: String,
    /// All media: video, images, elements (main view first), each in the order of the body.
    pub media: Vec<MediaInput>,
    /// The asked length of the output, in seconds.
    pub length_secs: u32,
    /// The asked ratio.
    pub ratio: Ratio,
    /// Whether the reference's sound is to be kept.
    pub keep_sound: bool,
}

/// A kept body that this model cannot read: it was changed, or the model was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the kept body has no usable value at `{pointer}`")]
pub struct UnreadableBody {
    /// Where.
    pub pointer: String,
}

/// Which field plays which part, with its limits: the manifest's roles, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) prompt: String,
    pub(crate) length: Option<String>,
    pub(crate) length_secs: u32,
    pub(crate) ratio: Option<String>,
    pub(crate) keep_sound: Option<String>,
    pub(crate) video: Option<MediaField>,
    pub(crate) images: Option<MediaField>,
    pub(crate) elements: Option<ElementsField>,
    pub(crate) max_elements_and_images: Option<usize>,
}

/// A field that names one medium, or a list of them.
#[derive(Debug, Clone)]
pub(crate) struct MediaField {
    pub(crate) at: String,
    pub(crate) limits: Arc<MediaLimits>,
}

/// A field that lists elements.
#[derive(Debug, Clone)]
pub(crate) struct ElementsField {
    pub(crate) at: String,
    pub(crate) frontal: String,
    pub(crate) frontal_limits: Arc<MediaLimits>,
    pub(crate) views: String,
    pub(crate) view_limits: Arc<MediaLimits>,
}

/// One place in a body that names a medium. The value may have any shape.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    pub(crate) pointer: String,
    pub(crate) role: Role,
    pub(crate) limits: &'a Arc<MediaLimits>,
    pub(crate) value: &'a Value,
}

/// What stands at `pointer`, as [`Value::pointer`] finds it, but without copying each step of a
/// path that has nothing to unescape.
pub(crate) fn value_at<'a>(body: &'a Value, pointer: &str) -> Option<&'a Value> {
    let Some(path) = pointer.strip_prefix('/').filter(|path| !path.contains('~')) else {
        return body.pointer(pointer);
    };
    match path.split_once('/') {
        None => member(body, path),
        Some(_) => path.split('/').try_fold(body, member),
    }
}

fn member<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Puts a reference to kept bytes in the place of a `data:` URI. `false` if nothing is there.
pub fn keep(canonical: &mut Value, pointer: &str, artifact: &str) -> bool {
    let Some(place) = canonical.pointer_mut(pointer) else { return false };
    *place = Value::from(format!("{KEPT_SCHEME}{artifact}"));
    true
}

// === impl Fields ===

impl Fields {
    /// Every place in `body` that names a medium, in the order of [`Inputs::media`].
    pub(crate) fn slots<'a>(&'a self, body: &'a Value) -> Vec<Slot<'a>> {
        let mut out = Vec::new();
        if let Some(field) = &self.video {
            out.extend(field.slots(body, |n| Role::Video { n }));
        }
        if let Some(field) = &self.images {
            out.extend(field.slots(body, |n| Role::Image { n }));
        }
        if let Some(field) = &self.elements {
            for (at, element) in field.list(body).iter().enumerate() {
                field.element(at, element, &mut out);
            }
        }
        out
    }

    /// How many elements there are, whatever is in them.
    pub(crate) fn element_count(&self, body: &Value) -> usize {
        self.elements.as_ref().map_or(0, |field| field.list(body).len())
    }

    /// The text that plays the prompt.
    pub(crate) fn prompt<'a>(&self, body: &'a Value) -> Option<&'a str> {
        value_at(body, &self.prompt)?.as_str()
    }

    /// The body by its roles.
    pub(crate) fn read(&self, body: &Value) -> Result<Inputs, UnreadableBody> {
        let unreadable = |pointer: &str| UnreadableBody { pointer: pointer.to_owned() };
        let prompt = self.prompt(body).ok_or_else(|| unreadable(&self.prompt))?.to_owned();
        let length_secs = match &self.length {
            Some(place) => match value_at(body, place) {
                Some(value) => seconds(value).ok_or_else(|| unreadable(place))?,
                None => self.length_secs,
            },
            None => self.length_secs,
        };
        let ratio =
            match self.ratio.as_ref().and_then(|place| Some((place, value_at(body, place)?))) {
                Some((place, value)) => {
                    value.as_str().and_then(Ratio::parse).ok_or_else(|| unreadable(place))?
                }
                None => Ratio::Auto,
            };
        let keep_sound =
            self.keep_sound.as_ref().and_then(|place| value_at(body, place)?.as_bool());
        let media = self.slots(body).into_iter().map(Slot::read).collect::<Result<_, _>>()?;
        Ok(Inputs { prompt, media, length_secs, ratio, keep_sound: keep_sound.unwrap_or(false) })
    }
}

/// A length as a field gives it: a whole number, or its digits.
pub(crate) fn seconds(value: &Value) -> Option<u32> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u32::try_from(number).ok().filter(|secs| *secs > 0)
}

// === impl MediaField ===

impl MediaField {
    fn slots<'a>(&'a self, body: &'a Value, role: impl Fn(u32) -> Role) -> Vec<Slot<'a>> {
        let slot = |pointer, n, value| Slot { pointer, role: role(n), limits: &self.limits, value };
        match value_at(body, &self.at) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let each = items.iter().zip(1..).enumerate();
                each.map(|(at, (value, n))| slot(format!("{}/{at}", self.at), n, value)).collect()
            }
            Some(value) => vec![slot(self.at.clone(), 1, value)],
        }
    }
}

// === impl ElementsField ===

impl ElementsField {
    /// The elements of `body`; none where the field has the wrong shape.
    pub(crate) fn list<'a>(&self, body: &'a Value) -> &'a [Value] {
        value_at(body, &self.at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The views of one element. Without a main view the first other one stands in for it.
    fn element<'a>(&'a self, index: usize, element: &'a Value, out: &mut Vec<Slot<'a>>) {
        let n = index as u32 + 1;
        let base = format!("{}/{index}", self.at);
        let frontal = value_at(element, &self.frontal);
        if let Some(value) = frontal {
            let pointer = format!("{base}{}", self.frontal);
            let role = Role::ElementFrontal { n };
            out.push(Slot { pointer, role, limits: &self.frontal_limits, value });
        }
        let views = value_at(element, &self.views).and_then(Value::as_array);
        let first = u32::from(frontal.is_some());
        for ((at, value), view) in views.into_iter().flatten().enumerate().zip(first..) {
            let pointer = format!("{base}{}/{at}", self.views);
            let role = match view {
                0 => Role::ElementFrontal { n },
                view => Role::ElementView { n, view },
            };
            out.push(Slot { pointer, role, limits: &self.view_limits, value });
        }
    }
}

// === impl Slot ===

impl Slot<'_> {
    fn read(self) -> Result<MediaInput, UnreadableBody> {
        let Some(source) = self.value.as_str().and_then(source) else {
            return Err(UnreadableBody { pointer: self.pointer });
        };
        Ok(MediaInput {
            fetch_secs: self.limits.fetch_secs(),
            max_bytes: self.limits.max_bytes(),
            pointer: self.pointer,
            role: self.role,
            source,
            limits: Arc::clone(self.limits),
        })
    }
}

fn source(text: &str) -> Option<Source> {
    if let Some(path) = text.strip_prefix(KEPT_SCHEME) {
        return Some(Source::Kept(path.to_owned()));
    }
    if is_data(text) {
        let uri = DataUri::parse(text).ok()?;
        return Some(Source::Data { media_type: uri.media_type, base64: uri.base64 });
    }
    Some(Source::Url(text.to_owned()))
}
