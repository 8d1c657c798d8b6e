//! What facts, defaults and the request's own fields add to a plan.

use director::{Aspect, Brief, Handle, ImageRole, Need, NeedKind, Task, Want, plan};
use domain::facts::{Facts, InputFacts, MediaFacts, Role, VideoFacts};

fn facts(duration_secs: f64, has_audio: bool) -> Facts {
    let video = VideoFacts {
        width: 1280,
        height: 720,
        duration_secs,
        fps: 24.0,
        codec: "h264".to_owned(),
        has_audio,
        variable_rate: false,
        hdr: false,
    };
    Facts(vec![InputFacts {
        pointer: "/clip".to_owned(),
        role: Role::Video { n: 1 },
        artifact: "a".to_owned(),
        bytes: 1,
        sha256: String::new(),
        media: MediaFacts::Video(video),
    }])
}

#[test]
fn a_dry_run_marks_what_waits_for_the_media() {
    let brief =
        Brief { prompt: "sepia, add @Element1".to_owned(), elements: 1, ..Brief::default() };
    let dry = plan(&brief, None);
    assert!(dry.provisional && dry.needs[0].provisional);
    let marks: Vec<_> = dry.wishes.iter().map(|wish| wish.provisional).collect();
    assert_eq!(marks, [false, true]);
    let wet = plan(&brief, Some(&facts(5.0, true)));
    assert!(!wet.provisional && wet.needs.is_empty());
    assert!(wet.wishes.iter().all(|wish| !wish.provisional));
}

#[test]
fn the_request_says_what_must_be_made_longer_reshaped_or_silent() {
    let brief = Brief {
        prompt: "golden hour".to_owned(),
        length_secs: 10,
        aspect: Aspect::Ratio { width: 9, height: 16 },
        keep_sound: true,
        ..Brief::default()
    };
    let needs = plan(&brief, Some(&facts(4.0, false))).needs;
    let need = |kind| Need { kind, provisional: false };
    assert_eq!(
        needs,
        [
            need(NeedKind::FitLength { from_secs: Some(4.0), to_secs: 10.0 }),
            need(NeedKind::Reframe { from: Some(1280.0 / 720.0), to: 9.0 / 16.0 }),
            need(NeedKind::NoSound),
        ]
    );
}

#[test]
fn what_the_prompt_does_not_mention_gets_a_default_that_says_so() {
    let brief =
        Brief { prompt: "make it night".to_owned(), images: 1, elements: 1, ..Brief::default() };
    let plan = plan(&brief, None);
    let assumed: Vec<_> = plan.wishes.iter().filter(|wish| wish.words.is_none()).collect();
    assert_eq!(assumed[0].want, Want::Image { source: Handle::image(1), role: ImageRole::Style });
    assert_eq!(assumed[0].said(), "the prompt does not mention @Image1; it is used as the style");
    assert!(matches!(&assumed[1].want, Want::Place(at) if at.source == Handle::element(1)));
    assert!(assumed.iter().all(|wish| wish.confidence < 0.5));
}

#[test]
fn the_page_default_continues_the_shot_and_keeps_its_style() {
    let brief = Brief {
        prompt: "Based on @Video1, generate the next shot. keep the style of the video".to_owned(),
        images: 1,
        elements: 1,
        ..Brief::default()
    };
    let plan = plan(&brief, None);
    assert_eq!(plan.task, Task::NextShot);
    assert!(!plan.keeps_time());
    assert_eq!(plan.overruled.len(), 1, "the unmentioned image is no style here");
    assert_eq!(plan.overruled[0].by.text, "keep the style");
    assert!(plan.not_understood.is_empty());
}

#[test]
fn reads_as_json() {
    let brief = Brief {
        prompt: "Painted like @Image1, slightly warmer, no rain".to_owned(),
        images: 1,
        ..Brief::default()
    };
    insta::assert_json_snapshot!(plan(&brief, None));
}

#[test]
fn nothing_changes_hands_from_or_to_an_input_that_is_not_there() {
    let transfers = |prompt: &str, videos| {
        let brief = Brief { prompt: prompt.to_owned(), videos, images: 1, ..Brief::default() };
        plan(&brief, None).wishes.iter().any(|wish| matches!(wish.want, Want::Task { .. }))
    };
    assert!(transfers("Animate @Image1 with the motion of @Video1", 1));
    assert!(!transfers("Animate @Image1 with the motion of @Video2", 1));
    assert!(!transfers("Animate @Image1 with the motion of the video", 0));
    assert!(transfers("Start with @Image1, follow the camera movement of @Video1", 1));
    assert!(!transfers("Start with @Image2, follow the camera movement of @Video1", 1));
}
