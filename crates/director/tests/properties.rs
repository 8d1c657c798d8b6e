//! What holds for any prompt whatever.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::ops::Range;

use director::{Brief, ShotPlan, Words, plan};
use proptest::prelude::*;
use support::brief;

/// Fragments that rules turn on, so that random prompts reach them.
const FRAGMENTS: &[&str] = &[
    "@Image1",
    "@image_2's",
    "@Element1",
    "@ELEMENT2",
    "@Video1",
    "@Image9",
    "in the style of",
    "keep the motion",
    "don't change",
    "without",
    "no",
    "rain",
    ",",
    ".",
    "and",
    "but",
    "or",
    "with",
    "the background",
    "slightly",
    "a touch of",
    "camera",
    "slowly",
    "pans",
    "left",
    "at the end",
    "after 3 seconds",
    "50% speed",
    "2x",
    "16:9",
    "replace",
    "add",
    "next to",
    "the tower",
    "as the start frame",
    "movements of",
    "the video",
    "watercolour",
    "a dragon",
    "🎬",
    "夜",
    "é",
    "from the left",
    "walks",
    "stays the same",
    "instead of",
    "keep everything else",
    "blue tint",
];

fn prompts() -> impl Strategy<Value = String> {
    let woven = proptest::collection::vec(proptest::sample::select(FRAGMENTS), 0..24)
        .prop_map(|parts| parts.join(" "));
    prop_oneof![3 => woven, 1 => any::<String>(), 1 => "[a-z@',.:!0-9A-Z \u{2019}\u{e9}-]{0,120}"]
}

fn all_words(plan: &ShotPlan) -> Vec<&Words> {
    let wishes = plan.wishes.iter().chain(plan.overruled.iter().map(|overruled| &overruled.wish));
    wishes
        .filter_map(|wish| wish.words.as_ref())
        .chain(plan.keeps.iter().map(|keep| &keep.words))
        .chain(plan.references.iter().map(|mention| &mention.words))
        .chain(&plan.not_understood)
        .chain(&plan.passed_over)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spans_lie_in_the_prompt_on_boundaries(prompt in prompts()) {
        let plan = plan(&brief(&prompt), None);
        for words in all_words(&plan) {
            prop_assert_eq!(prompt.get(words.start..words.end), Some(words.text.as_str()));
            prop_assert!(!words.text.is_empty());
        }
    }

    #[test]
    fn nothing_is_dropped(prompt in prompts()) {
        let plan = plan(&brief(&prompt), None);
        let spans: Vec<Range<usize>> =
            all_words(&plan).into_iter().map(|words| words.start..words.end).collect();
        for (at, c) in prompt.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            prop_assert!(spans.iter().any(|span| span.contains(&at)), "{c:?} at {at} of {prompt:?}");
        }
    }

    #[test]
    fn the_same_request_gets_the_same_plan_and_json_brings_it_back(prompt in prompts()) {
        let first = plan(&brief(&prompt), None);
        prop_assert_eq!(&plan(&brief(&prompt), None), &first);
        let json = serde_json::to_string(&first).unwrap();
        prop_assert_eq!(&serde_json::from_str::<ShotPlan>(&json).unwrap(), &first);
    }

    #[test]
    fn confidence_and_strength_are_fractions(prompt in prompts()) {
        for wish in plan(&brief(&prompt), None).wishes {
            prop_assert!((0.0..=1.0).contains(&wish.confidence));
            prop_assert!((0.0..=1.0).contains(&wish.strength));
        }
    }

    #[test]
    fn glue_alone_is_passed_over(prompt in prompts()) {
        for words in plan(&brief(&prompt), None).passed_over {
            let letters: Vec<_> =
                words.text.chars().filter(|c| c.is_alphanumeric() && !c.is_ascii()).collect();
            prop_assert!(letters.is_empty(), "{:?}", words.text);
        }
    }

    #[test]
    fn every_input_is_used_or_mentioned(prompt in prompts(), images in 0_u32..5, elements in 0_u32..5) {
        let plan = plan(&Brief { prompt, images, elements, ..Brief::default() }, None);
        let json = serde_json::to_string(&plan).unwrap();
        for n in 1..=images {
            let name = format!("\"@Image{n}\"");
            prop_assert!(json.contains(&name), "{}", name);
        }
        for n in 1..=elements {
            let name = format!("\"@Element{n}\"");
            prop_assert!(json.contains(&name), "{}", name);
        }
    }
}
