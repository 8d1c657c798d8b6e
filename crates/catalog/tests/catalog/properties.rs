//! Whatever is sent: no panic, and either an accepted body or at least one fault.

use catalog::{Model, Strictness};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{check, kling};

fn anything() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,12}",
        "@(Video|image|ELEMENT)_?[0-9]{0,12}",
        "(https?|data|file|reshoot-artifact)://?[a-z0-9:@/.%]{0,16}",
        "data:(image/png|video/mp4)?(;base64)?,?[A-Za-z0-9+/=]{0,12}",
        Just("https://example.com/a.png".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof!["[a-z_~/0-9]{0,8}", Just("frontal_image_url".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn valid() -> Value {
    json!({
        "prompt": "Based on @Video1 and @Image1, with @Element1",
        "video_url": "https://example.com/v.mp4",
        "keep_audio": true,
        "image_urls": ["https://example.com/i.png"],
        "elements": [{
            "frontal_image_url": "https://example.com/f.png",
            "reference_image_urls": ["https://example.com/r.png"]
        }],
        "aspect_ratio": "1:1",
        "duration": "10"
    })
}

const PLACES: [&str; 11] = [
    "/prompt",
    "/video_url",
    "/keep_audio",
    "/image_urls",
    "/image_urls/0",
    "/elements",
    "/elements/0",
    "/elements/0/frontal_image_url",
    "/elements/0/reference_image_urls",
    "/aspect_ratio",
    "/duration",
];

/// Accepted means canonical: it reads back to the same, and is accepted again unchanged.
fn holds(model: &Model, body: &Value) -> Result<(), TestCaseError> {
    match check(model, body) {
        Ok(accepted) => {
            prop_assert_eq!(&model.inputs(&accepted.canonical).unwrap(), &accepted.inputs);
            let again = check(model, &accepted.canonical).unwrap();
            prop_assert_eq!(again.canonical, accepted.canonical);
            prop_assert!(again.warnings.is_empty());
        }
        Err(faults) => {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(!fault.msg.is_empty() && !fault.kind.is_empty());
                prop_assert_eq!(&fault.loc[0], "body");
            }
        }
    }
    let _ = model.validate(body, Strictness::Strict, &catalog::HttpsOnly);
    let _ = model.inputs(body);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_json_never_panics(body in anything()) {
        holds(&kling(), &body)?;
    }

    #[test]
    fn random_mutations_are_accepted_or_named(
        changes in prop::collection::vec((0..PLACES.len(), anything()), 1..4),
    ) {
        let mut body = valid();
        prop_assert!(check(&kling(), &body).is_ok());
        for (at, value) in changes {
            if let Some(place) = body.pointer_mut(PLACES[at]) {
                *place = value;
            }
        }
        holds(&kling(), &body)?;
    }
}
