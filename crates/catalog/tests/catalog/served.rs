//! What is served: the catalogue, its schemas, prices, and what an operator may set.

use std::collections::BTreeMap;

use catalog::{Catalog, CatalogError, HttpsOnly, Overrides, Query, Ratio, Size, Strictness};
use domain::usage::Microdollars;
use serde_json::{Value, json};

use crate::{KLING, acme_folder, kling};

fn both() -> Catalog {
    Catalog::builtin().unwrap().with(Catalog::load(&acme_folder()).unwrap())
}

fn ids(query: &Query<'_>) -> (Vec<String>, usize) {
    let catalog = both();
    let page = catalog.list(query);
    (page.models.iter().map(|model| model.id().to_owned()).collect(), page.total)
}

#[test]
fn required_are_prompt_and_video_url() {
    let model = kling();
    assert_eq!(model.required_inputs(), ["prompt", "video_url"]);
    assert_eq!(model.input_schema()["required"], json!(["prompt", "video_url"]));
    let names: Vec<&str> = model.input_names().collect();
    assert_eq!(
        names,
        ["prompt", "video_url", "keep_audio", "image_urls", "elements", "aspect_ratio", "duration"]
    );
}

#[test]
fn the_example_is_a_body_that_the_model_takes() {
    let model = kling();
    let example = model.example().unwrap();
    assert_eq!(example.as_object().unwrap().len(), 2);
    model.validate(&example, Strictness::Strict, &HttpsOnly).unwrap();
    let acme = both();
    let portrait = acme.get("acme/still-maker/portrait").unwrap();
    assert_eq!(portrait.example(), None, "its schema has no examples");
}

#[test]
fn demonstration_inputs_are_examples_and_plain_defaults_stay() {
    let schema = kling().input_schema().clone();
    let properties = schema["properties"].as_object().unwrap();
    for name in ["prompt", "video_url"] {
        assert!(properties[name].get("default").is_none(), "{name}");
        assert!(properties[name]["examples"].is_array(), "{name}");
    }
    for (name, want) in [
        ("keep_audio", json!(false)),
        ("image_urls", json!([])),
        ("elements", json!([])),
        ("aspect_ratio", json!("auto")),
        ("duration", json!("5")),
    ] {
        assert_eq!(properties[name]["default"], want);
    }
    assert!(!schema.to_string().contains('\u{fffd}'));
    let about = properties["video_url"]["description"].as_str().unwrap();
    assert!(about.contains("3–10 seconds") && about.contains("720–2160px"), "{about}");
}

#[test]
fn the_examples_are_accepted() {
    let model = kling();
    let mut body = json!({});
    for (name, property) in model.input_schema()["properties"].as_object().unwrap() {
        if let Some(example) = property.pointer("/examples/0") {
            body[name] = example.clone();
        }
    }
    assert_eq!(crate::faults(&model, &body), []);
}

#[test]
fn the_dialect_is_served_and_json_schema_is_at_hand() {
    let model = kling();
    let items = "/properties/elements/items";
    let bare = model.input_schema().pointer(items).unwrap();
    assert!(bare.get("type").is_none() && bare["frontal_image_url"]["format"] == "image_uri");
    let normal = model.json_schema().pointer(items).unwrap();
    assert_eq!(normal["type"], "object");
    assert_eq!(normal["properties"]["frontal_image_url"]["format"], "uri");
    assert_eq!(model.json_schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(
        model.output_json_schema().pointer("/properties/output/properties/video/type"),
        Some(&Value::from("string"))
    );
}

#[test]
fn the_roles_are_all_that_a_form_needs_to_know() {
    let model = kling();
    let roles = model.roles();
    for (role, at) in [
        ("prompt", "/prompt"),
        ("length", "/duration"),
        ("ratio", "/aspect_ratio"),
        ("keep_sound", "/keep_audio"),
    ] {
        assert_eq!(roles[role], at);
    }
    assert_eq!(roles["max_elements_and_images"], 4);
    let video = &roles["media"][0];
    assert_eq!((&video["at"], &video["kind"]), (&json!("/video_url"), &json!("video")));
    assert_eq!(video["limits"]["min_secs"], 3.0);
    assert_eq!(video["limits"]["recommended_bytes"], 100_000_000);
    assert_eq!(video["limits"]["codecs"][0], "h264");
    let image = &roles["media"][1]["limits"];
    assert_eq!((&image["max_bytes"], image.get("min_aspect")), (&json!(52_428_800), None));
    let element = &roles["media"][2];
    assert_eq!(element["handle"], "Element");
    assert_eq!(element["frontal"], "/frontal_image_url");
    assert_eq!(element["frontal_limits"]["min_side"], 300);
    assert_eq!(element["views"], "/reference_image_urls");
    assert_eq!(element["view_limits"], *image);
    assert_eq!(
        roles["output"],
        json!({"kind": "video", "fps": 24, "sizes": {"16:9": [1280, 720], "9:16": [720, 1280], "1:1": [960, 960]}})
    );
    // Each pointer leads to a field of the schema.
    for at in [&roles["prompt"], &video["at"], &element["at"]] {
        let at = format!("/properties{}", at.as_str().unwrap());
        assert!(model.input_schema().pointer(&at).is_some(), "{at}");
    }
    let catalog = both();
    let acme = catalog.get("acme/still-maker/portrait").unwrap().roles();
    assert_eq!(acme["ratio"], "/frame/shape");
    assert_eq!(acme.get("length").or(acme.get("keep_sound")), None);
    assert_eq!(acme["output"]["kind"], "image");
}

#[test]
fn a_readme_is_served_as_it_is_written() {
    let readme = kling().readme().unwrap().to_owned();
    for name in kling().input_names() {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
    assert_eq!(both().get("acme/still-maker/portrait").unwrap().readme(), None);
}

#[test]
fn lists_by_words_category_kind_and_page() {
    let acme = "acme/still-maker/portrait".to_owned();
    let all = Query::default();
    assert_eq!(ids(&all), (vec![acme.clone(), KLING.to_owned()], 2));
    assert_eq!(ids(&Query { search: Some("KLING video"), ..all }), (vec![KLING.to_owned()], 1));
    assert_eq!(ids(&Query { search: Some("kling still"), ..all }), (vec![], 0));
    assert_eq!(ids(&Query { category: Some("video-to-image"), ..all }), (vec![acme.clone()], 1));
    assert_eq!(ids(&Query { kind: Some("workflow"), ..all }), (vec![], 0));
    assert_eq!(ids(&Query { kind: Some("model"), limit: 1, ..all }), (vec![acme], 2));
    assert_eq!(ids(&Query { offset: 1, ..all }), (vec![KLING.to_owned()], 2));
    assert_eq!(ids(&Query { offset: 9, ..all }), (vec![], 2));
    assert_eq!(both().categories(), ["image-to-image", "video-to-image", "video-to-video"]);
}

#[test]
fn ids_are_matched_exactly() {
    let catalog = both();
    assert!(catalog.get(KLING).is_some());
    assert!(catalog.get(&KLING.to_uppercase()).is_none());
    assert!(catalog.get("kling").is_none());
}

#[test]
fn it_costs_nothing_as_shipped_and_what_the_operator_says() {
    assert_eq!(kling().price(10), Microdollars(0));
    assert_eq!(kling().base_price_usd(), 0.0);
    let set = Overrides { price_usd: Some(0.112), ..Overrides::default() };
    let catalog = both().with_overrides(&BTreeMap::from([(KLING.to_owned(), set)])).unwrap();
    let model = catalog.get(KLING).unwrap();
    assert_eq!(model.price(5), Microdollars(560_000));
    assert_eq!((model.base_price_usd(), model.price_unit().as_str()), (0.112, "second"));
}

#[test]
fn quality_and_strictness_are_settings() {
    let set =
        Overrides { quality: Some("1080p".to_owned()), strict: Some(true), ..Overrides::default() };
    let catalog = both().with_overrides(&BTreeMap::from([(KLING.to_owned(), set)])).unwrap();
    let model = catalog.get(KLING).unwrap();
    assert_eq!(model.strictness(), Strictness::Strict);
    let size = |ratio| model.output_size(ratio, None);
    assert_eq!(model.roles()["output"]["sizes"]["1:1"], json!([1440, 1440]));
    assert_eq!(size(Ratio::Fixed(9, 16)), Size { width: 1080, height: 1920 });
    assert_eq!(kling().output_size(Ratio::Fixed(1, 1), None), Size { width: 960, height: 960 });
    assert_eq!(kling().strictness(), Strictness::Lenient);
    assert_eq!(kling().output().fps, 24);
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let set = |id: &str, set: Overrides| {
        both().with_overrides(&BTreeMap::from([(id.to_owned(), set)])).unwrap_err()
    };
    let none = Overrides::default();
    assert!(matches!(set("a/b", none.clone()), CatalogError::NoSuchModel { .. }));
    let quality = set(KLING, Overrides { quality: Some("8k".to_owned()), ..none.clone() });
    assert_eq!(
        quality.to_string(),
        format!("`settings of {KLING}`: `quality`: `8k` is not one of `1080p`, `720p`")
    );
    for price in [-1.0, f64::NAN, f64::INFINITY] {
        set(KLING, Overrides { price_usd: Some(price), ..none.clone() });
    }
    assert!(serde_json::from_value::<Overrides>(json!({"prize": 1})).is_err());
}
