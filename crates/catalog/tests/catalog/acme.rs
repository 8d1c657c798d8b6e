//! A model nobody wrote a line of Rust for.

use catalog::{Catalog, Model, OutputKind, PriceUnit, Ratio, Size};
use domain::facts::{ImageFacts, MediaFacts, Role};
use domain::usage::Microdollars;
use serde_json::json;

use crate::{acme_folder, check, fault, faults};

fn acme() -> Model {
    Catalog::load(&acme_folder()).unwrap().get("acme/still-maker/portrait").unwrap().clone()
}

#[test]
fn other_names_play_the_same_roles() {
    let body = json!({
        "text": "@Video2 in the look of @Image1 with @Element1",
        "clips": ["https://e.com/1.mp4", "https://e.com/2.mp4"],
        "looks": ["https://e.com/l.png"],
        "cast": [{"face": "", "sides": ["https://e.com/s.png"]}],
        "frame": {"shape": "2:3"},
        "strength": 1,
        "steps": 8.0,
    });
    let accepted = check(&acme(), &body).unwrap();
    assert_eq!(accepted.canonical["steps"].to_string(), "8");
    assert_eq!(accepted.inputs.prompt, body["text"].as_str().unwrap());
    assert_eq!(accepted.inputs.ratio, Ratio::Fixed(2, 3));
    assert_eq!(accepted.inputs.length_secs, 1);
    let roles: Vec<_> =
        accepted.inputs.media.iter().map(|input| (input.pointer.as_str(), input.role)).collect();
    assert_eq!(
        roles,
        [
            ("/clips/0", Role::Video { n: 1 }),
            ("/clips/1", Role::Video { n: 2 }),
            ("/looks/0", Role::Image { n: 1 }),
            ("/cast/0/sides/0", Role::ElementFrontal { n: 1 }),
        ]
    );
    assert_eq!(acme().inputs(&accepted.canonical).unwrap(), accepted.inputs);
    assert_eq!(acme().prompt(&accepted.canonical), body["text"].as_str());
    assert_eq!(acme().prompt(&json!({"prompt": "go", "text": 7})), None);
}

#[test]
fn its_own_words_and_limits_are_in_the_faults() {
    let body = json!({"text": "@Video1", "strength": 1.5, "steps": 0, "frame": {"shape": "16:9"},
                      "cast": [{}], "looks": ["data:image/webp;base64,AAAA"]});
    let told: Vec<String> = faults(&acme(), &body).into_iter().map(|(_, msg)| msg).collect();
    assert_eq!(
        told,
        [
            "frame.shape: `16:9` was given, one of `auto`, `1:1`, `2:3` is required",
            "strength: 1.5, at most 1 is allowed",
            "steps: 0, at least 1 is required",
            "text: `@Video1` is not there, the request has `@Image1`, `@Element1`",
            "looks[0]: image format `image/webp`, one of `image/png`, `image/jpeg` is required",
            "cast[0].face: missing, an element needs an image in `face` or `sides`",
        ]
    );
    let found = fault(&acme(), &json!({"text": "go", "steps": 1.5}));
    assert_eq!(found.kind, "int_type");
    let found = fault(&acme(), &json!({"text": "@Image1"}));
    assert_eq!(found.msg, "text: `@Image1` is not there, the request has no media");
}

#[test]
fn media_are_held_against_its_own_limits() {
    let accepted =
        check(&acme(), &json!({"text": "go", "looks": ["https://e.com/l.png"]})).unwrap();
    let input = &accepted.inputs.media[0];
    let facts = |width, format: &str| {
        MediaFacts::Image(ImageFacts {
            width,
            height: 16,
            format: format.to_owned(),
            has_alpha: true,
        })
    };
    assert_eq!(acme().check(input, &facts(2048, "png"), 1000), []);
    let found = acme().check(input, &facts(15, "webp"), 1001);
    let kinds: Vec<_> = found.iter().map(|fault| fault.kind.as_str()).collect();
    assert_eq!(kinds, ["file_too_large", "unsupported_image_format", "image_too_small"]);
    assert_eq!(acme().advise(input, 501).len(), 1);
}

#[test]
fn it_makes_pictures_at_a_price_each() {
    let model = acme();
    let output = model.output();
    assert_eq!((output.kind, output.fps), (OutputKind::Image, 1));
    assert_eq!(output.body("https://h/a.png"), json!({"images": ["https://h/a.png"]}));
    assert_eq!(model.output_size(Ratio::Auto, None), Size { width: 512, height: 512 });
    let tall = Size { width: 100, height: 200 };
    assert_eq!(model.output_size(Ratio::Auto, Some(tall)), Size { width: 512, height: 768 });
    assert_eq!(model.price_unit(), PriceUnit::Output);
    assert_eq!(model.price(5), Microdollars(40_000));
    assert_eq!(model.engine().name.as_deref(), Some("roto"));
    assert_eq!(model.timeouts().run_secs, 300);
}

#[test]
fn defaults_of_nested_fields_are_filled_in_where_their_parent_is_there() {
    let accepted = check(&acme(), &json!({"text": "go", "frame": {}})).unwrap();
    assert_eq!(accepted.canonical["frame"], json!({"shape": "1:1"}));
    assert_eq!(accepted.inputs.ratio, Ratio::Fixed(1, 1));
}
