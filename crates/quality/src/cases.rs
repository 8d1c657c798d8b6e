//! What is rendered: one case for each family of passes, on every sample.

/// What kind of change a case makes; the gates hang on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Colours and light; output time t shows reference time t.
    Grade,
    /// Weather, with the weather itself taken out of the plan: what is left is its light.
    Weather,
    /// A medium from words alone.
    Medium,
    /// A picture's strokes.
    Style,
    /// Something put into the scene.
    Element,
    /// Time or frame run otherwise: motion has nothing to be compared with.
    Course,
}

/// One clip to render and measure.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name in tables and files.
    pub name: &'static str,
    /// Which gates hold.
    pub kind: Kind,
    /// The reference, below the folder of samples.
    pub video: &'static str,
    /// The prompt.
    pub prompt: &'static str,
    /// Images, below the folder of samples.
    pub images: &'static [&'static str],
    /// Elements, below the folder of samples.
    pub elements: &'static [&'static str],
    /// The request's aspect ratio.
    pub ratio: &'static str,
    /// The request's length in seconds.
    pub secs: u32,
}

const BUNNY: &str = "bigbuckbunny_720p25_5s.mp4";
const CITY: &str = "city_night_720p25_5s.mp4";
const STARRY: &str = "starry_night.jpg";
const MONA: &str = "joconde.jpg";
const APPLE: &str = "apple.jpg";

const fn case(name: &'static str, kind: Kind, video: &'static str, prompt: &'static str) -> Case {
    Case { name, kind, video, prompt, images: &[], elements: &[], ratio: "auto", secs: 5 }
}

const fn styled(
    name: &'static str,
    video: &'static str,
    prompt: &'static str,
    images: &'static [&'static str],
) -> Case {
    Case { images, ..case(name, Kind::Style, video, prompt) }
}

/// All cases.
pub const CASES: &[Case] = &[
    case("as-it-is", Kind::Grade, BUNNY, "keep everything as it is"),
    case("golden-hour", Kind::Grade, BUNNY, "golden hour, slightly faded"),
    case("night", Kind::Grade, BUNNY, "at night, with lit windows"),
    case("noir", Kind::Grade, BUNNY, "film noir"),
    case("teal-orange", Kind::Grade, CITY, "teal and orange grade"),
    Case { images: &[STARRY], ..case("colours", Kind::Grade, BUNNY, "in the colours of @Image1") },
    case("rain", Kind::Weather, BUNNY, "heavy rain on a gloomy evening"),
    case("fog", Kind::Weather, CITY, "thick fog at dawn, faded colours"),
    case("oil", Kind::Medium, BUNNY, "as an oil painting"),
    case("oil-city", Kind::Medium, CITY, "as an oil painting"),
    case("watercolour", Kind::Medium, BUNNY, "as a watercolour painting"),
    case("pencil", Kind::Medium, BUNNY, "as a pencil drawing"),
    case("ink", Kind::Medium, CITY, "pen and ink drawing"),
    case("cel", Kind::Medium, BUNNY, "cel shaded animation"),
    styled("starry", BUNNY, "in the style of @Image1", &[STARRY]),
    styled("starry-city", CITY, "in the style of @Image1", &[STARRY]),
    styled("mona", BUNNY, "in the style of @Image1", &[MONA]),
    Case {
        elements: &[APPLE],
        ..case("element", Kind::Element, BUNNY, "put @Element1 on the grass on the left")
    },
    case("apart", Kind::Grade, BUNNY, "black and white background, the subject stays in colour"),
    case("slow-motion", Kind::Course, BUNNY, "slow motion at half speed"),
    case("next-shot", Kind::Course, BUNNY, "Based on @Video1, generate the next shot"),
    Case { ratio: "9:16", ..case("vertical", Kind::Course, BUNNY, "keep everything as it is") },
    Case { secs: 10, ..case("loop", Kind::Course, BUNNY, "a seamless loop") },
];

// === impl Case ===

impl Case {
    /// Whether output time t shows reference time t in the reference's own frame, so that motion
    /// can be compared.
    pub fn is_straight(&self) -> bool {
        self.kind != Kind::Course
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_files_that_are_there() {
        let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
        for (n, case) in CASES.iter().enumerate() {
            assert!(CASES[n + 1..].iter().all(|other| other.name != case.name), "{}", case.name);
            for file in [case.video].iter().chain(case.images).chain(case.elements) {
                assert!(samples.join(file).is_file(), "{file}");
            }
        }
    }
}
