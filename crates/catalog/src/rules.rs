//! What a schema cannot say: references, sources of media, counts across fields.

use domain::Fault;
use domain::fault::{label, public_text};
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::data::{DataError, DataUri, is_data};
use crate::inputs::{ElementsField, Fields, Slot, value_at};
use crate::media::MediaLimits;
use crate::message::{mebibytes, plural, ticked};
use crate::prompt::{Kind, Reference, references};
use crate::validate::child;

/// Longest URL of an input, in characters. A `data:` URI may be as long as its bytes need.
pub const MAX_URL_CHARS: usize = 8192;

/// Which URLs may be plain `http`: hosts that the operator exempted, and this server's own files.
pub trait UrlPolicy {
    /// Whether `url`, on `host` and `port`, may be fetched without TLS.
    fn allows_http(&self, url: &str, host: &str, port: u16) -> bool;
}

/// No exemption.
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpsOnly;

impl UrlPolicy for HttpsOnly {
    fn allows_http(&self, _url: &str, _host: &str, _port: u16) -> bool {
        false
    }
}

impl<F: Fn(&str, &str, u16) -> bool> UrlPolicy for F {
    fn allows_http(&self, url: &str, host: &str, port: u16) -> bool {
        self(url, host, port)
    }
}

/// Adds every fault that the schema did not find.
pub(crate) fn apply(fields: &Fields, body: &Value, urls: &dyn UrlPolicy, faults: &mut Vec<Fault>) {
    let slots = fields.slots(body);
    if let Some(text) = fields.prompt(body) {
        prompt(fields, text, &slots, body, faults);
    }
    for slot in &slots {
        if let Some(text) = slot.value.as_str()
            && let Some(fault) = source(slot, text, urls)
        {
            faults.push(fault.input(slot.value));
        }
    }
    if let Some(elements) = &fields.elements {
        element_images(elements, body, faults);
    }
    count(fields, body, &slots, faults);
}

fn prompt(fields: &Fields, text: &str, slots: &[Slot<'_>], body: &Value, faults: &mut Vec<Fault>) {
    let at = &fields.prompt;
    if !text.is_empty() && text.trim().is_empty() {
        let msg = format!("{}: only white space, at least 1 character is required", label(at));
        faults.push(Fault::at(at, "string_too_short", msg).with("min_length", 1));
    }
    let there = available(slots, fields.element_count(body));
    for missing in references(text).into_iter().filter(|reference| !there.contains(reference)) {
        let names: Vec<String> = there.iter().map(ToString::to_string).collect();
        let given = match names.len() {
            0 => "the request has no media".to_owned(),
            1..=16 => format!("the request has {}", ticked(&names)),
            n => format!("the request has {n} media"),
        };
        let msg = format!("{}: `{missing}` is not there, {given}", label(at));
        let fault = Fault::at(at, "value_error", msg).with("reference", missing.to_string());
        faults.push(fault.with("available", names).input(&Value::from(text)));
        if faults.len() > 64 {
            break;
        }
    }
}

fn available(slots: &[Slot<'_>], elements: usize) -> Vec<Reference> {
    use domain::facts::Role;
    let named = slots.iter().filter_map(|slot| match slot.role {
        Role::Video { n } => Some(Reference { kind: Kind::Video, n }),
        Role::Image { n } => Some(Reference { kind: Kind::Image, n }),
        Role::ElementFrontal { .. } | Role::ElementView { .. } => None,
    });
    let elements = (1..=elements as u32).map(|n| Reference { kind: Kind::Element, n });
    named.chain(elements).collect()
}

fn source(slot: &Slot<'_>, text: &str, urls: &dyn UrlPolicy) -> Option<Fault> {
    let at = &slot.pointer;
    if text.is_empty() {
        let msg = format!("{}: empty, an https:// URL or a data: URI is required", label(at));
        return Some(Fault::at(at, "string_too_short", msg).with("min_length", 1));
    }
    if is_data(text) { data(slot, text) } else { web(at, text, urls) }
}

fn web(at: &str, text: &str, urls: &dyn UrlPolicy) -> Option<Fault> {
    let place = || label(at);
    let chars = text.chars().count();
    if chars > MAX_URL_CHARS {
        let msg =
            format!("{}: URL of {chars} characters, at most {MAX_URL_CHARS} are allowed", place());
        return Some(Fault::at(at, "url_too_long", msg).with("max_length", MAX_URL_CHARS));
    }
    let bad = |what: &str| {
        let msg = format!("{}: {what}, an https:// URL or a data: URI is required", place());
        Some(Fault::at(at, "url_parsing", msg).with("error", what))
    };
    if text.chars().any(char::is_control) || text.trim() != text {
        return bad("a URL with control characters or surrounding white space");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(ParseError::RelativeUrlWithoutBase) => return bad("not an absolute URL"),
        Err(error) => return bad(&format!("not a URL ({error})")),
    };
    let host = url.host_str().unwrap_or("");
    let allowed = match url.scheme() {
        "https" => true,
        "http" => urls.allows_http(text, host, url.port_or_known_default().unwrap_or(80)),
        _ => false,
    };
    if !allowed {
        let scheme = url.scheme();
        let msg = format!("{}: scheme `{scheme}`, https (or a data: URI) is required", place());
        return Some(Fault::at(at, "url_scheme", msg).with("expected_schemes", json!(["https"])));
    }
    if host.is_empty() {
        return bad("a URL without a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        let public = public_text(text);
        let msg = format!(
            "{}: a URL with user or password, `{public}` without them is required",
            place()
        );
        return Some(Fault::at(at, "value_error", msg));
    }
    None
}

fn data(slot: &Slot<'_>, text: &str) -> Option<Fault> {
    let at = &slot.pointer;
    let place = label(at);
    let uri = match DataUri::parse(text) {
        Ok(uri) => uri,
        Err(error) => {
            let what = match error {
                DataError::NoComma => "a data: URI without a comma",
                DataError::NotBase64 => "a data: URI that is not base64",
                DataError::Syntax => "a data: URI with characters or padding that are not base64",
                DataError::Empty => "a data: URI without bytes",
            };
            let msg = format!("{place}: {what}, data:<type>;base64,<text> is required");
            return Some(Fault::at(at, "url_parsing", msg).with("error", what));
        }
    };
    if !slot.limits.media_types().contains(&uri.media_type) {
        return Some(media_type(at, &uri.media_type, slot.limits));
    }
    let max = slot.limits.max_bytes();
    (uri.bytes > max).then(|| too_large(at, max, Some(uri.bytes)))
}

fn media_type(at: &str, found: &str, limits: &MediaLimits) -> Fault {
    let (kind, noun) = match limits {
        MediaLimits::Video(_) => ("unsupported_video_format", "video"),
        MediaLimits::Image(_) => ("unsupported_image_format", "image"),
    };
    let shown: String = found.chars().take(64).collect();
    let allowed = ticked(limits.media_types());
    let msg = format!("{}: {noun} format `{shown}`, one of {allowed} is required", label(at));
    Fault::at(at, kind, msg).with("supported_formats", limits.formats().to_vec())
}

/// More bytes than allowed; how many where that is known.
pub(crate) fn too_large(at: &str, max: u64, found: Option<u64>) -> Fault {
    let given =
        found.map_or_else(|| "file too large".to_owned(), |b| format!("file of {}", mebibytes(b)));
    let msg = format!("{}: {given}, at most {} is allowed", label(at), mebibytes(max));
    Fault::at(at, "file_too_large", msg).with("max_size", max)
}

/// Each element has a main view or others. A list that the schema already refused counts.
fn element_images(field: &ElementsField, body: &Value, faults: &mut Vec<Fault>) {
    for (at, element) in field.list(body).iter().enumerate().filter(|(_, e)| e.is_object()) {
        if value_at(element, &field.frontal).is_some() || value_at(element, &field.views).is_some()
        {
            continue;
        }
        let base = child(&field.at, &at.to_string());
        let (front, views) =
            (field.frontal.trim_start_matches('/'), field.views.trim_start_matches('/'));
        let pointer = format!("{base}{}", field.frontal);
        let msg = format!(
            "{}: missing, an element needs an image in `{front}` or `{views}`",
            label(&pointer)
        );
        faults.push(Fault::at(&pointer, "missing", msg));
    }
}

fn count(fields: &Fields, body: &Value, slots: &[Slot<'_>], faults: &mut Vec<Fault>) {
    let Some(max) = fields.max_elements_and_images else { return };
    let is_image = |slot: &&Slot<'_>| matches!(slot.role, domain::facts::Role::Image { .. });
    let images = slots.iter().filter(is_image).count();
    let elements = fields.element_count(body);
    if images + elements <= max {
        return;
    }
    let image_field = fields.images.as_ref().filter(|_| images > 0).map(|field| field.at.as_str());
    let element_field = fields.elements.as_ref().map(|field| field.at.as_str());
    let at =
        if elements > max { element_field.or(image_field) } else { image_field.or(element_field) };
    let at = at.unwrap_or("");
    let msg = format!(
        "{}: {} and {}, at most {max} together are allowed",
        label(at),
        plural(elements, "element"),
        plural(images, "image"),
    );
    let fault = Fault::at(at, "sequence_too_long", msg).with("max_length", max);
    faults.push(fault.with("actual_length", images + elements));
}
