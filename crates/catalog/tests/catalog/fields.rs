//! Each field, both sides of each of its limits, and the rules across fields.

use serde_json::{Value, json};

use crate::{check, fault, faults, kling, least, with};
use catalog::{HttpsOnly, Ratio, Strictness};

fn image(n: usize) -> Value {
    json!(format!("https://example.com/{n}.png"))
}

fn images(count: usize) -> Value {
    (0..count).map(image).collect()
}

fn elements(count: usize) -> Value {
    (0..count).map(|n| json!({"frontal_image_url": image(n)})).collect()
}

/// A body, and the type and message of its one fault; none where it is accepted.
type Row = (Value, Option<(&'static str, &'static str)>);

fn table(rows: Vec<Row>) {
    let model = kling();
    for (body, want) in rows {
        match want {
            None => assert_eq!(faults(&model, &body), [], "{}", cut(&body)),
            Some((kind, msg)) => {
                let found = fault(&model, &body);
                assert_eq!(
                    (found.kind.as_str(), found.msg.as_str()),
                    (kind, msg),
                    "{}",
                    cut(&body)
                );
            }
        }
    }
}

fn cut(body: &Value) -> String {
    body.to_string().chars().take(300).collect()
}

#[test]
fn prompt_has_1_to_2500_characters() {
    table(vec![
        (with("prompt", json!("a")), None),
        (with("prompt", json!("ä".repeat(2500))), None),
        (
            with("prompt", json!("ä".repeat(2501))),
            Some(("string_too_long", "prompt: 2501 characters, at most 2500 are allowed")),
        ),
        (
            with("prompt", json!("")),
            Some(("string_too_short", "prompt: 0 characters, at least 1 is required")),
        ),
        (
            with("prompt", json!(" \n\t")),
            Some((
                "string_too_short",
                "prompt: only white space, at least 1 character is required",
            )),
        ),
        (
            with("prompt", json!(5)),
            Some(("string_type", "prompt: a number was given, a string is required")),
        ),
        (
            with("prompt", json!(null)),
            Some(("string_type", "prompt: null was given, a string is required")),
        ),
        (
            json!({"video_url": "https://example.com/v.mp4"}),
            Some(("missing", "prompt: missing, this field is required")),
        ),
    ]);
}

#[test]
fn references_have_to_be_there() {
    let mut rich = with("image_urls", images(1));
    rich["elements"] = elements(1);
    let mut all = rich.clone();
    all["prompt"] = json!("@video_1 and @IMAGE1, @Element1; ask me@image9.com");
    let mut beyond = rich.clone();
    beyond["prompt"] = json!("like @Image10");
    table(vec![
        (all, None),
        (
            beyond,
            Some((
                "value_error",
                "prompt: `@Image10` is not there, the request has `@Video1`, `@Image1`, `@Element1`",
            )),
        ),
        (
            with("prompt", json!("@Video2")),
            Some(("value_error", "prompt: `@Video2` is not there, the request has `@Video1`")),
        ),
        (
            with("prompt", json!("@Element0")),
            Some(("value_error", "prompt: `@Element0` is not there, the request has `@Video1`")),
        ),
    ]);
}

#[test]
fn video_url_is_required() {
    table(vec![
        (json!({"prompt": "a"}), Some(("missing", "video_url: missing, this field is required"))),
        (
            with("video_url", json!("")),
            Some((
                "string_too_short",
                "video_url: empty, an https:// URL or a data: URI is required",
            )),
        ),
        (
            with("video_url", json!(["https://example.com/v.mp4"])),
            Some(("string_type", "video_url: an array was given, a string is required")),
        ),
    ]);
    let found = fault(&kling(), &json!({"prompt": "a", "videoUrl": "https://example.com/v.mp4"}));
    assert!(found.msg.ends_with("(`videoUrl` was given, which is not a field)"), "{}", found.msg);
}

#[test]
fn keep_audio_is_a_boolean() {
    table(vec![
        (with("keep_audio", json!(true)), None),
        (with("keep_audio", json!(null)), None),
        (
            with("keep_audio", json!("yes")),
            Some(("bool_type", "keep_audio: a string was given, true or false is required")),
        ),
    ]);
    assert!(check(&kling(), &with("keep_audio", json!(true))).unwrap().inputs.keep_sound);
    assert!(!check(&kling(), &least()).unwrap().inputs.keep_sound);
}

#[test]
fn duration_is_5_or_10_as_word_or_number() {
    table(vec![
        (
            with("duration", json!("7")),
            Some(("one_of", "duration: `7` was given, one of `5`, `10` is required")),
        ),
        (
            with("duration", json!(7)),
            Some(("one_of", "duration: `7` was given, one of `5`, `10` is required")),
        ),
    ]);
    for (value, want) in [
        (json!("5"), 5),
        (json!("10"), 10),
        (json!(5), 5),
        (json!(10), 10),
        (json!(10.0), 10),
        (json!(null), 5),
    ] {
        let accepted = check(&kling(), &with("duration", value)).unwrap();
        assert_eq!(accepted.inputs.length_secs, want);
        assert_eq!(accepted.canonical["duration"], want.to_string());
    }
}

#[test]
fn aspect_ratio_is_one_of_four() {
    for (word, want) in [
        ("auto", Ratio::Auto),
        ("16:9", Ratio::Fixed(16, 9)),
        ("9:16", Ratio::Fixed(9, 16)),
        ("1:1", Ratio::Fixed(1, 1)),
    ] {
        let accepted = check(&kling(), &with("aspect_ratio", json!(word))).unwrap();
        assert_eq!(accepted.inputs.ratio, want);
    }
    let found = fault(&kling(), &with("aspect_ratio", json!("4:3")));
    assert_eq!(found.kind, "one_of");
    assert_eq!(
        found.msg,
        "aspect_ratio: `4:3` was given, one of `auto`, `16:9`, `9:16`, `1:1` is required"
    );
    assert_eq!(found.ctx["expected"], json!(["auto", "16:9", "9:16", "1:1"]));
    assert_eq!(found.input, "4:3");
}

#[test]
fn image_urls_are_up_to_4() {
    table(vec![
        (with("image_urls", images(0)), None),
        (with("image_urls", images(4)), None),
        (with("image_urls", json!(null)), None),
        (
            with("image_urls", json!([5])),
            Some(("string_type", "image_urls[0]: a number was given, a string is required")),
        ),
        (
            with("image_urls", json!("https://example.com/a.png")),
            Some(("list_type", "image_urls: a string was given, an array is required")),
        ),
    ]);
    let found = faults(&kling(), &with("image_urls", images(5)));
    assert_eq!(
        found,
        [
            (
                "sequence_too_long".to_owned(),
                "image_urls: 5 items, at most 4 are allowed".to_owned()
            ),
            (
                "sequence_too_long".to_owned(),
                "image_urls: 0 elements and 5 images, at most 4 together are allowed".to_owned()
            ),
        ]
    );
}

#[test]
fn elements_are_up_to_7_by_schema_and_4_with_images_by_rule() {
    table(vec![
        (with("elements", elements(0)), None),
        (with("elements", elements(4)), None),
        (
            with("elements", elements(5)),
            Some((
                "sequence_too_long",
                "elements: 5 elements and 0 images, at most 4 together are allowed",
            )),
        ),
        (
            with("elements", json!(["x"])),
            Some(("dict_type", "elements[0]: a string was given, an object is required")),
        ),
    ]);
    let eight = faults(&kling(), &with("elements", elements(8)));
    assert_eq!(eight[0].1, "elements: 8 items, at most 7 are allowed");
    let mut both = with("elements", elements(2));
    both["image_urls"] = images(2);
    assert_eq!(faults(&kling(), &both), []);
    both["image_urls"] = images(3);
    let found = fault(&kling(), &both);
    assert_eq!(found.loc, [json!("body"), json!("image_urls")]);
    assert_eq!((&found.ctx["max_length"], &found.ctx["actual_length"]), (&json!(4), &json!(5)));
}

#[test]
fn an_element_needs_an_image_and_1_to_4_views_where_given() {
    let one = |element: Value| with("elements", json!([element]));
    let needs = "elements[0].frontal_image_url: missing, an element needs an image in \
                 `frontal_image_url` or `reference_image_urls`";
    table(vec![
        (one(json!({"frontal_image_url": image(1)})), None),
        (one(json!({"reference_image_urls": images(1)})), None),
        (one(json!({"reference_image_urls": images(4)})), None),
        (one(json!({"frontal_image_url": "", "reference_image_urls": images(1)})), None),
        (one(json!({"frontal_image_url": null, "reference_image_urls": images(1)})), None),
        (one(json!({"frontal_image_url": image(1), "reference_image_urls": null})), None),
        (one(json!({})), Some(("missing", needs))),
        (one(json!({"frontal_image_url": ""})), Some(("missing", needs))),
        (
            one(json!({"frontal_image_url": image(1), "reference_image_urls": []})),
            Some((
                "sequence_too_short",
                "elements[0].reference_image_urls: 0 items, at least 1 is required",
            )),
        ),
        (
            one(json!({"reference_image_urls": images(5)})),
            Some((
                "sequence_too_long",
                "elements[0].reference_image_urls: 5 items, at most 4 are allowed",
            )),
        ),
    ]);
}

#[test]
fn every_fault_is_listed_at_once() {
    let body = json!({
        "prompt": "@Image2",
        "video_url": "ftp://example.com/v.mp4",
        "keep_audio": 1,
        "aspect_ratio": "4:3",
        "duration": "6",
        "image_urls": ["nonsense"],
        "elements": [{}],
    });
    let kinds: Vec<String> = faults(&kling(), &body).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        ["bool_type", "one_of", "one_of", "value_error", "url_scheme", "url_parsing", "missing"]
    );
}

#[test]
fn a_body_that_is_not_an_object_is_one_fault() {
    for body in [json!([]), json!("x"), json!(null), json!(3)] {
        let found = fault(&kling(), &body);
        assert_eq!((found.kind.as_str(), found.loc.len()), ("dict_type", 1));
    }
    assert_eq!(faults(&kling(), &json!({})).len(), 2);
}

#[test]
fn unknown_fields_are_warnings_or_with_strictness_faults() {
    let mut body = with("seed", json!(7));
    body["elements"] = json!([{"frontal_image_url": image(1), "name": "x"}]);
    body["image_url"] = image(2);
    let accepted = check(&kling(), &body).unwrap();
    assert_eq!(
        accepted.warnings,
        [
            "unknown field `elements[0].name` has no effect",
            "unknown field `seed` has no effect",
            "unknown field `image_url` has no effect; did you mean `image_urls`?",
        ]
    );
    assert!(accepted.canonical.get("seed").is_none());
    let refused = kling().validate(&body, Strictness::Strict, &HttpsOnly).unwrap_err();
    let kinds: Vec<_> = refused.iter().map(|fault| fault.kind.as_str()).collect();
    assert_eq!(kinds, ["extra_forbidden"; 3]);
}

#[test]
fn unknown_fields_and_items_too_many_are_counted_not_listed_one_by_one() {
    let mut body = with("image_urls", images(1000));
    for n in 0..1000 {
        body[format!("x{n}")] = json!(n);
    }
    assert!(faults(&kling(), &body).len() < 10);
    body["image_urls"] = images(1);
    let warnings = check(&kling(), &body).unwrap().warnings;
    assert_eq!(warnings.len(), 33);
    assert_eq!(warnings[32], "968 unknown fields more");
}

#[test]
fn defaults_are_filled_in_and_demonstration_inputs_never() {
    let accepted = check(&kling(), &least()).unwrap();
    assert_eq!(
        accepted.canonical.to_string(),
        r#"{"prompt":"walk on","video_url":"https://example.com/v.mp4","keep_audio":false,"image_urls":[],"elements":[],"aspect_ratio":"auto","duration":"5"}"#
    );
    assert_eq!(accepted.inputs.media.len(), 1);
    let again = check(&kling(), &accepted.canonical).unwrap();
    assert_eq!(again, accepted);
}

#[test]
fn the_order_of_the_body_does_not_change_what_is_kept() {
    let one = json!({"prompt": "a", "video_url": "https://example.com/v.mp4", "duration": 5});
    let other = json!({"duration": "5", "video_url": "https://example.com/v.mp4", "prompt": "a"});
    let kept = |body| check(&kling(), &body).unwrap().canonical.to_string();
    assert_eq!(kept(one), kept(other));
}
