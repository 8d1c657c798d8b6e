//! What the engine does in general, in words for people.
//!
//! [`crate::sheet`] decides for each plan; a test holds the lines here against it, but for four that
//! no plan without media shows.

use engine::{Degree, Honour};

/// Each kind of wish once.
pub(crate) const HONOURS: &[Honour] = &[
    yes(
        "the reference's motion and timing",
        "without other wishes each moment of the clip shows the same moment of the reference",
    ),
    yes(
        "another shape of the frame",
        "the frame is cut around the subject; nothing outside of the reference's own frame is shown",
    ),
    partly(
        "a clip longer than the reference, the next or the previous shot",
        "it goes on in the reference's own picture; where no earlier moment is like its end, the \
         transition shows, and no new action is invented",
    ),
    yes(
        "slow motion, speed changes, reverse and loops",
        "frames between frames follow the motion; fast hands ghost in slow motion",
    ),
    yes(
        "pans, tilts, zooms, pushes, hand-held, following and stabilised cameras",
        "as moves of a frame over the reference's picture, without parallax",
    ),
    no(
        "another viewpoint",
        "orbits, aerial, low and reverse angles need pictures that the reference does not have",
    ),
    yes(
        "the reference's camera over a picture, a picture as start or end frame",
        "a wide pan onto a small picture crops it tightly from the start",
    ),
    yes(
        "strokes of a style picture",
        "the whole frame is painted in them; dark pictures make dark clips, and a style for one \
         part of the picture is left out",
    ),
    yes(
        "painted, drawn and printed media",
        "oil, watercolour, gouache, pastel, pencil, ink, charcoal, cel, comic, woodblock, linocut, \
         mosaic, stained glass and pixels, one at a time, with a pen over paint",
    ),
    no(
        "3D rendering, stop motion, low-poly and paper",
        "they need shapes that the reference does not have",
    ),
    yes(
        "times of day, moods and grades",
        "the colours and the light of what is there change; nothing is lit anew",
    ),
    yes("colours or light of a picture", "its colours are carried over to each shot"),
    partly(
        "rain, snow, storm and lightning",
        "what is in the air is made; no ground gets wet, no snow lies, no bolt is drawn",
    ),
    yes("fog, dust and smoke", "an even veil that lies on what is near as on what is far"),
    yes(
        "bloom, flares, beams, leaks and sharpness",
        "light comes from bright places of the picture, and flares and beams need one",
    ),
    partly(
        "neon, lit windows, backlight, shallow focus and motion blur",
        "lights of the picture glow and none is added; focus falls off around the subject, because \
         no depth is known",
    ),
    yes("film and tape", "stocks, grain, scratches, flicker, tape, scan lines and glitches"),
    partly(
        "another sky, or a sky in other colours",
        "where the sky is clear, smooth and reaches the top of the frame",
    ),
    partly(
        "the subject or the background in colours or a medium of its own",
        "the subject is what moves by itself; where it is not sure it is left out, and parts of it \
         may be missing",
    ),
    partly(
        "another background",
        "from a picture, behind a subject that moves and can be told from what is behind it; \
         nothing casts a shadow on it",
    ),
    partly(
        "elements in the scene",
        "as flat cut-outs that stand, glide and are covered by what moves; their limbs do not move, \
         and they do not turn",
    ),
    yes("the reference's sound", "it is fitted to the clip's time, if the reference has one"),
    no("new sound", "no music, voice or noise is made"),
    no("new content", "a dragon that the prompt asks for does not appear"),
    no(
        "somebody else in the subject's place, or performing its motion",
        "faces, clothes, bodies and poses stay as they are",
    ),
];

const fn yes(wish: &'static str, note: &'static str) -> Honour {
    Honour { wish, degree: Degree::Yes, note }
}

const fn partly(wish: &'static str, note: &'static str) -> Honour {
    Honour { wish, degree: Degree::Partly, note }
}

const fn no(wish: &'static str, note: &'static str) -> Honour {
    Honour { wish, degree: Degree::No, note }
}

#[cfg(test)]
mod tests {
    use director::Brief;

    use super::*;
    use crate::sheet::Sheet;

    /// Prompts for each line, by the beginning of its wish.
    const PROMPTS: &[(&str, &[&str])] = &[
        ("the reference's motion", &["Keep the motion of @Video1"]),
        ("another shape", &["Crop it to 9:16"]),
        ("slow motion", &["slow motion", "play it backwards", "let it loop seamlessly"]),
        ("pans", &["slow push in", "pan to the left", "hand-held", "stabilise the camera"]),
        ("another viewpoint", &["orbit around the subject", "low angle", "a reverse angle"]),
        (
            "the reference's camera",
            &[
                "Take @Image1 as the start frame, following the camera movement of @Video1",
                "End on @Image1",
            ],
        ),
        ("strokes", &["in the style of @Image1"]),
        ("painted", &["as an oil painting", "as a pencil drawing", "a mosaic", "as a comic"]),
        ("3D", &["as a 3D render", "as stop motion", "low-poly"]),
        ("times of day", &["at golden hour", "film noir", "teal and orange"]),
        ("colours", &["in the colours of @Image1"]),
        ("rain", &["heavy rain", "it snows", "lightning"]),
        ("fog", &["fog", "dusty", "smoke"]),
        ("bloom", &["bloom", "lens flare", "light leaks", "sharper"]),
        ("neon", &["neon lights", "lit windows", "shallow depth of field"]),
        ("film and tape", &["film grain", "VHS", "16mm film", "scan lines"]),
        ("another sky", &["use the sky of @Image1", "make the sky darker"]),
        ("elements", &["put @Element1 on the grass, walking to the left"]),
        ("new sound", &["add music"]),
        ("new content", &["a dragon flies over the hill"]),
        ("somebody else", &["The woman in @Image1 replaces the man in the video"]),
    ];

    /// The beginnings of the lines that no prompt shows: what they say depends on the media.
    const OF_THE_MEDIA: [&str; 4] =
        ["a clip longer", "the subject or", "another background", "the reference's sound"];

    fn sheet(prompt: &str) -> (Sheet, bool) {
        let brief = Brief {
            prompt: prompt.to_owned(),
            images: u32::from(prompt.contains("@Image")),
            elements: u32::from(prompt.contains("@Element")),
            ..Brief::default()
        };
        let plan = director::plan(&brief, None);
        let sheet = Sheet::of(&plan, None);
        let done = !sheet.passes(&plan).is_empty();
        (sheet, done)
    }

    #[test]
    fn what_is_said_here_is_what_the_sheet_does() {
        for honour in HONOURS {
            let prompts = PROMPTS.iter().filter(|(start, _)| honour.wish.starts_with(start));
            for prompt in prompts.flat_map(|(_, prompts)| *prompts) {
                let (sheet, done) = sheet(prompt);
                let (wish, unmet) = (honour.wish, &sheet.unmet);
                match honour.degree {
                    Degree::Yes => {
                        // The request's own fields say the shape, and motion stays by itself.
                        let done = done || wish.ends_with("frame") || wish.ends_with("timing");
                        assert!(unmet.is_empty() && done, "{wish}: {prompt}: {unmet:?}");
                    }
                    Degree::Partly => {
                        assert!(!unmet.is_empty() && done, "{wish}: {prompt}: {sheet:?}");
                    }
                    Degree::No => assert!(!unmet.is_empty(), "{wish}: {prompt}: {sheet:?}"),
                }
            }
        }
    }

    #[test]
    fn each_kind_is_said_once_in_one_sentence() {
        for (at, honour) in HONOURS.iter().enumerate() {
            assert!(HONOURS[..at].iter().all(|other| other.wish != honour.wish), "{honour:?}");
            assert!(!honour.note.ends_with('.') && !honour.note.contains("  "), "{honour:?}");
        }
        assert_eq!(PROMPTS.len() + OF_THE_MEDIA.len(), HONOURS.len());
        for start in PROMPTS.iter().map(|(start, _)| start).chain(&OF_THE_MEDIA) {
            let found = HONOURS.iter().filter(|honour| honour.wish.starts_with(*start)).count();
            assert_eq!(found, 1, "{start}");
        }
    }
}
