//! Reads what a collector is posted: `ExportTraceServiceRequest` of opentelemetry-proto, in
//! protobuf. Field numbers stand in `trace.proto`, `common.proto` and `resource.proto` there.

use std::collections::BTreeMap;

use testkit::{MediaHost, Recorded};

use crate::TAKES;

/// Attributes by name; numbers as text.
pub(crate) type Attributes = BTreeMap<String, String>;

/// One span.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) nanos: u64,
    pub(crate) attributes: Attributes,
    pub(crate) failed: bool,
    /// Of whoever sent it.
    pub(crate) resource: Attributes,
}

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// All spans that the collector was posted.
pub(crate) fn spans(collector: &MediaHost) -> Vec<Span> {
    collector.requests_of(TAKES).iter().flat_map(posted).collect()
}

fn posted(request: &Recorded) -> Vec<Span> {
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    let mut found = Vec::new();
    for of_resource in messages(&request.body, 1) {
        let resource = messages(of_resource, 1).next().map(|resource| attributes(resource, 1));
        let resource = resource.unwrap_or_default();
        for of_scope in messages(of_resource, 2) {
            found.extend(messages(of_scope, 2).map(|span| Span::read(span, resource.clone())));
        }
    }
    found
}

// === impl Span ===

impl Span {
    fn read(message: &[u8], resource: Attributes) -> Self {
        let status = messages(message, 15).next().unwrap_or_default();
        Self {
            trace: hex(messages(message, 1).next().unwrap_or_default()),
            parent: hex(messages(message, 4).next().unwrap_or_default()),
            name: text(messages(message, 5).next().unwrap_or_default()),
            kind: number(message, 6),
            nanos: number(message, 8).checked_sub(number(message, 7)).unwrap(),
            attributes: attributes(message, 9),
            // STATUS_CODE_ERROR
            failed: number(status, 3) == 2,
            resource,
        }
    }

    /// An attribute, or nothing.
    pub(crate) fn of(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

fn attributes(message: &[u8], field: u64) -> Attributes {
    let pair = |pair| {
        let name = text(messages(pair, 1).next().unwrap_or_default());
        let value = messages(pair, 2).next().unwrap_or_default();
        let words = messages(value, 1).next().map(text);
        (name, words.unwrap_or_else(|| number(value, 3).to_string()))
    };
    messages(message, field).map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// All fields of this number that hold bytes, text or a message.
fn messages(message: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).into_iter().filter_map(move |(number, field)| match field {
        Field::Bytes(bytes) if number == wanted => Some(bytes),
        _ => None,
    })
}

/// The last field of this number that holds a number; 0 without one.
fn number(message: &[u8], wanted: u64) -> u64 {
    let mut found = 0;
    for (number, field) in fields(message) {
        if let Field::Number(value) = field
            && number == wanted
        {
            found = value;
        }
    }
    found
}

/// <https://protobuf.dev/programming-guides/encoding/>
fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Number(u64::from_le_bytes(take(&mut message, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut message);
                Field::Bytes(take(&mut message, usize::try_from(length).unwrap()))
            }
            5 => {
                Field::Number(u32::from_le_bytes(take(&mut message, 4).try_into().unwrap()).into())
            }
            other => panic!("no wire type: {other}"),
        };
        found.push((tag >> 3, field));
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(message, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn take<'a>(message: &mut &'a [u8], bytes: usize) -> &'a [u8] {
    let (taken, rest) = message.split_at(bytes);
    *message = rest;
    taken
}
