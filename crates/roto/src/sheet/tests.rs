use director::{
    Brief, Camera, Grade, Handle, ImageRole, Keep, Kept, Medium, Mood, Placement, Target, Task,
    Weather, When, Words,
};

use domain::facts::Role;

use super::*;

fn wish(want: Want) -> Wish {
    Wish {
        want,
        words: Some(Words { text: "these words".to_owned(), start: 0, end: 11 }),
        confidence: 0.9,
        strength: director::DEFAULT_STRENGTH,
        on: Target::Frame,
        when: None,
        provisional: false,
        note: None,
    }
}

fn plan(wishes: Vec<Wish>) -> ShotPlan {
    let mut plan = director::plan(&Brief::default(), None);
    plan.wishes = wishes;
    plan.needs = Vec::new();
    plan
}

fn sheet(wishes: Vec<Wish>) -> Sheet {
    Sheet::of(&plan(wishes), None)
}

#[test]
fn a_look_that_is_said_twice_is_one_change() {
    let weaker = Wish { strength: 0.3, ..wish(Want::Mood { mood: Mood::Cyberpunk }) };
    let sheet = sheet(vec![weaker, wish(Want::Mood { mood: Mood::Cyberpunk })]);
    assert_eq!(sheet.looks.wishes.len(), 1);
    assert!((f64::from(sheet.looks.wishes[0].strength) - director::DEFAULT_STRENGTH).abs() < 1e-6);
}

#[test]
fn passes_are_named_in_their_order() {
    let plan = plan(vec![
        wish(Want::Effect { effect: director::Effect::Grain }),
        wish(Want::Mood { mood: Mood::Noir }),
        wish(Want::Place(Placement::of(Handle::element(1)))),
        wish(Want::Camera { act: Camera::PunchIn, direction: None }),
        wish(Want::Time { change: director::TimeChange::Reverse }),
    ]);
    let sheet = Sheet::of(&plan, None);
    assert_eq!(sheet.passes(&plan), ["time", "framing", "elements", "grade", "finish"]);
}

#[test]
fn an_empty_plan_has_nothing_to_do_and_nothing_unmet() {
    let plan = plan(Vec::new());
    let sheet = Sheet::of(&plan, None);
    assert_eq!(sheet, Sheet::default());
    assert!(sheet.passes(&plan).is_empty());
}

#[test]
fn what_the_engine_can_not_do_is_unmet_with_a_reason() {
    let wants = [
        Want::Content { what: "a dragon appears".to_owned() },
        Want::Weather { weather: Weather::Wind },
        Want::Medium { medium: Medium::LowPoly },
        Want::Camera { act: Camera::Orbit, direction: None },
        Want::Sound { sound: director::Sound::New },
        Want::Image { source: Handle::image(1), role: ImageRole::Subject },
    ];
    for want in wants {
        let sheet = sheet(vec![wish(want.clone())]);
        assert_eq!(sheet.unmet.len(), 1, "{want:?}");
        assert!(!sheet.unmet[0].reason.is_empty() && sheet.unmet[0].words == "these words");
        assert!(sheet.looks.is_empty() && sheet.framing.moves.is_empty());
    }
}

#[test]
fn style_pictures_lend_their_strokes_together_or_in_turn() {
    let of = |n, when| {
        let want = Want::Image { source: Handle::image(n), role: ImageRole::Style };
        Wish { when, ..wish(want) }
    };
    let plan = plan(vec![of(2, None), of(1, None), of(3, Some(director::When::End))]);
    let sheet = Sheet::of(&plan, None);
    assert!(sheet.unmet.is_empty() && sheet.looks.is_empty());
    let roles = |nth: usize| {
        sheet.styles.wishes[nth].pictures.iter().map(|(role, _)| *role).collect::<Vec<_>>()
    };
    assert_eq!(roles(0), [Role::Image { n: 2 }, Role::Image { n: 1 }]);
    assert_eq!(roles(1), [Role::Image { n: 3 }]);
    assert_eq!(sheet.passes(&plan), ["style"]);
}

#[test]
fn a_style_picture_outranks_a_medium_and_comes_before_the_grade() {
    let style = Want::Image { source: Handle::image(1), role: ImageRole::Style };
    let plan = plan(vec![
        wish(Want::Medium { medium: Medium::Oil }),
        wish(style),
        wish(Want::Mood { mood: Mood::Noir }),
    ]);
    let sheet = Sheet::of(&plan, None);
    assert_eq!(sheet.unmet.len(), 1);
    assert!(sheet.unmet[0].reason.contains("style picture"));
    assert_eq!(sheet.passes(&plan), ["style", "grade"]);
}

#[test]
fn kept_colours_leave_the_strokes_without_theirs() {
    let style = Want::Image { source: Handle::image(1), role: ImageRole::Style };
    let mut plan = plan(vec![wish(style)]);
    let words = Words { text: "keep the colours and the face".to_owned(), start: 0, end: 29 };
    let keep = |what| Keep { what, words: words.clone(), confidence: 0.9 };
    plan.keeps = vec![keep(Kept::Colours), keep(Kept::Subject)];
    let sheet = Sheet::of(&plan, None);
    assert!(sheet.styles.wishes[0].surface_only && sheet.styles.legible);
    assert!(sheet.unmet.is_empty());
}

#[test]
fn strokes_for_a_part_of_the_scene_are_unmet() {
    let style = Want::Image { source: Handle::image(1), role: ImageRole::Style };
    let sheet = sheet(vec![Wish { on: Target::Background, ..wish(style) }]);
    assert!(sheet.styles.is_empty() && sheet.unmet.len() == 1);
}

#[test]
fn kept_colours_win() {
    let mut plan = plan(vec![
        wish(Want::Grade { grade: Grade::TealOrange }),
        wish(Want::Grade { grade: Grade::HighContrast }),
    ]);
    let words = Words { text: "keep the colours".to_owned(), start: 0, end: 16 };
    plan.keeps.push(Keep { what: Kept::Colours, words, confidence: 0.9 });
    let sheet = Sheet::of(&plan, None);
    assert_eq!((sheet.looks.wishes.len(), sheet.unmet.len()), (1, 1));
}

#[test]
fn a_named_thing_is_not_graded_and_a_part_of_the_tones_is() {
    let mut car = wish(Want::Grade { grade: Grade::Warm });
    car.on = Target::Thing { name: "the red car".to_owned() };
    let mut shadows = wish(Want::Grade { grade: Grade::Cool });
    shadows.on = Target::Shadows;
    let sheet = sheet(vec![car, shadows]);
    assert_eq!((sheet.looks.wishes.len(), sheet.unmet.len()), (1, 1));
    assert!(!sheet.unmet[0].provisional);
}

#[test]
fn subject_and_background_are_changed_alone_and_provisionally() {
    let on = |target, want| Wish { on: target, ..wish(want) };
    let picture = Want::Image { source: Handle::image(1), role: ImageRole::Background };
    let plan = plan(vec![
        wish(picture),
        on(Target::Subject, Want::Grade { grade: Grade::Warm }),
        on(Target::Background, Want::Medium { medium: Medium::BlackAndWhite }),
        on(Target::Background, Want::Medium { medium: Medium::Watercolour }),
    ]);
    let sheet = Sheet::of(&plan, None);
    assert!(sheet.looks.is_empty() && sheet.media.is_empty());
    assert_eq!(sheet.unmet.len(), 1, "{:?}", sheet.unmet);
    assert!(sheet.unmet[0].provisional);
    let passes = ["background", "background_grade", "subject_grade", "background_medium"];
    assert_eq!(sheet.passes(&plan), passes);
}

#[test]
fn a_background_is_one_picture_and_not_a_video() {
    let of = |source| wish(Want::Image { source, role: ImageRole::Background });
    let two = sheet(vec![of(Handle::image(1)), of(Handle::image(2))]);
    assert!(two.apart.picture.is_some() && two.unmet.iter().any(|unmet| !unmet.provisional));
    let video = sheet(vec![of(Handle::video(1))]);
    assert!(video.apart.is_empty() && video.unmet.len() == 1 && !video.unmet[0].provisional);
}

#[test]
fn the_sky_is_graded_alone_and_provisionally() {
    let mut pink = wish(Want::Grade { grade: Grade::Warm });
    pink.on = Target::Sky;
    let plan = plan(vec![pink]);
    let sheet = Sheet::of(&plan, None);
    assert!(sheet.looks.is_empty() && sheet.unmet.len() == 1 && sheet.unmet[0].provisional);
    assert_eq!(sheet.passes(&plan), ["sky_grade"]);
}

#[test]
fn a_camera_path_needs_a_picture() {
    let task = |start| Task::CameraTransfer { start, from: Handle::video(1) };
    let of = |start: Option<Handle>| {
        let mut plan = plan(Vec::new());
        plan.task = task(start);
        let sheet = Sheet::of(&plan, None);
        (sheet.passes(&plan), sheet.unmet.len())
    };
    assert_eq!(of(Some(Handle::image(1))), (vec!["camera_transfer".to_owned()], 0));
    assert_eq!(of(None), (Vec::new(), 1));
}

#[test]
fn unsure_readings_are_left_alone_and_named() {
    let mut unsure = wish(Want::Mood { mood: Mood::Noir });
    unsure.confidence = 0.1;
    let sheet = sheet(vec![unsure]);
    assert!(sheet.looks.is_empty());
    assert!(sheet.unmet[0].reason.contains("0.10"), "{:?}", sheet.unmet);
}

#[test]
fn an_element_is_provisional_until_its_picture_is_looked_at() {
    let sheet = sheet(vec![wish(Want::Place(Placement::of(Handle::element(1))))]);
    assert_eq!(sheet.layers.len(), 1);
    assert!(sheet.unmet.len() == 1 && sheet.unmet[0].provisional);
}

#[test]
fn weather_is_made_and_what_it_leaves_out_is_said() {
    let sheet = sheet(vec![wish(Want::Weather { weather: Weather::Rain })]);
    assert_eq!((sheet.weather.len(), sheet.looks.wishes.len()), (1, 1));
    assert!(sheet.unmet.len() == 1 && sheet.unmet[0].reason.contains("wet ground"));
}

#[test]
fn effects_go_to_light_or_to_wear() {
    let effect = |effect| wish(Want::Effect { effect });
    let sheet = sheet(vec![
        effect(director::Effect::Bloom),
        effect(director::Effect::Scratches),
        wish(Want::Medium { medium: Medium::Vhs }),
    ]);
    assert_eq!((sheet.light.0.len(), sheet.wear.0.len()), (1, 2));
    assert!(sheet.unmet.is_empty(), "{:?}", sheet.unmet);
}

#[test]
fn light_without_a_source_takes_back_only_what_was_said_of_it() {
    let effect = |effect| wish(Want::Effect { effect });
    let mut sheet = sheet(vec![
        effect(director::Effect::Backlight),
        effect(director::Effect::Neon),
        wish(Want::Content { what: "a dragon".to_owned() }),
    ]);
    let reasons =
        |sheet: &Sheet| sheet.unmet.iter().map(|unmet| unmet.reason.clone()).collect::<Vec<_>>();
    let before = reasons(&sheet);
    sheet.drop_sourceless();
    let after = reasons(&sheet);
    assert_eq!((before.len(), after.len(), sheet.light.0.len()), (3, 3, 1));
    assert!(after.contains(&before[1]) && after.contains(&before[2]), "{after:?}");
    assert!(!after.contains(&before[0]) && after[2].contains("bright enough"), "{after:?}");
}

#[test]
fn rain_that_starts_halfway_goes_on() {
    let mut plan = plan(vec![wish(Want::Weather { weather: Weather::Rain })]);
    plan.prompt = "it starts to rain halfway".to_owned();
    plan.length_secs = 10;
    plan.wishes[0].when = Some(director::When::Middle);
    let sheet = Sheet::of(&plan, None);
    assert_eq!(sheet.weather[0].when, Some(director::When::From { secs: 5.0 }));
}

#[test]
fn every_medium_is_repainted_or_graded_or_refused_once() {
    let of = |medium| sheet(vec![wish(Want::Medium { medium })]);
    let painted = [
        Medium::Watercolour,
        Medium::Oil,
        Medium::Painting,
        Medium::Gouache,
        Medium::Impressionist,
        Medium::Pastel,
        Medium::Pencil,
        Medium::Charcoal,
        Medium::Sketch,
        Medium::Ink,
        Medium::InkWash,
        Medium::Anime,
        Medium::Cartoon,
        Medium::Comic,
        Medium::Woodblock,
        Medium::Linocut,
        Medium::Pixel,
        Medium::Mosaic,
        Medium::StainedGlass,
    ];
    for medium in painted {
        let sheet = of(medium);
        assert!(sheet.media.len() == 1 && sheet.unmet.is_empty(), "{medium:?}");
        assert_eq!(sheet.passes(&plan(Vec::new())), ["medium"]);
    }
    for medium in [Medium::StopMotion, Medium::Render3d, Medium::LowPoly, Medium::Paper] {
        let sheet = of(medium);
        assert!(sheet.media.is_empty() && sheet.unmet.len() == 1, "{medium:?}");
    }
    assert!(of(Medium::Sepia).media.is_empty() && !of(Medium::Sepia).looks.is_empty());
}

#[test]
fn a_pen_goes_over_paint_and_a_second_paint_is_unmet() {
    let medium = |medium| wish(Want::Medium { medium });
    let both = sheet(vec![medium(Medium::Ink), medium(Medium::Watercolour)]);
    let first = &both.media[0];
    assert_eq!((first.medium, first.over), (Medium::Watercolour, Some(Medium::Ink)));
    assert!(both.unmet.is_empty());
    let two = sheet(vec![medium(Medium::Oil), medium(Medium::Pixel)]);
    assert_eq!((two.media.len(), two.unmet.len()), (1, 1));
    let again = sheet(vec![medium(Medium::Painting), medium(Medium::Oil)]);
    assert_eq!((again.media[0].medium, again.media.len(), again.unmet.len()), (Medium::Oil, 1, 0));
    let part = |medium, when| Wish { when: Some(when), ..wish(Want::Medium { medium }) };
    let turns = sheet(vec![part(Medium::Oil, When::Start), part(Medium::Pixel, When::End)]);
    assert_eq!((turns.media.len(), turns.unmet.len()), (2, 0));
}

#[test]
fn a_painted_foreground_is_unmet() {
    let mut front = wish(Want::Medium { medium: Medium::Watercolour });
    front.on = Target::Foreground;
    let sheet = sheet(vec![front]);
    assert!(sheet.media.is_empty() && sheet.apart.is_empty() && sheet.unmet.len() == 1);
}

#[test]
fn a_style_for_the_sky_alone_is_unmet_and_the_rest_is_painted() {
    let brief = Brief {
        prompt: "the sky in the style of @Image1 and the rest in the style of @Image2".to_owned(),
        images: 2,
        ..Brief::default()
    };
    let sheet = Sheet::of(&director::plan(&brief, None), None);
    let pictures: Vec<Role> =
        sheet.styles.wishes.iter().flat_map(|w| w.pictures.iter().map(|p| p.0)).collect();
    assert_eq!(pictures, [Role::Image { n: 2 }]);
    assert!(sheet.unmet.iter().any(|u| u.words.contains("sky")), "{:?}", sheet.unmet);
}
