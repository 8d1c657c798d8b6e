//! How the picture looks: hour, mood, weather, medium, grade.

use serde::{Deserialize, Serialize};

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeOfDay {
    /// Before sunrise and at it.
    Dawn,
    /// Morning light.
    Morning,
    /// High sun.
    Midday,
    /// The warm, low light before sunset.
    GoldenHour,
    /// Sunset.
    Sunset,
    /// After sunset.
    Dusk,
    /// The blue light after dusk or before dawn.
    BlueHour,
    /// Night.
    Night,
    /// Night by the light of the moon.
    Moonlit,
}

/// A mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Hard light, black and white, long shadows.
    Noir,
    /// Like a feature film.
    Cinematic,
    /// Soft, hazy, pastel.
    Dreamy,
    /// Dark and threatening.
    Ominous,
    /// Dark, with desaturated colours.
    Gritty,
    /// Sad, cold.
    Melancholic,
    /// Bright and friendly.
    Cheerful,
    /// Warm, close.
    Romantic,
    /// Of former times.
    Nostalgic,
    /// Still, soft.
    Calm,
    /// Large and grand.
    Epic,
    /// Riddling, half hidden.
    Mysterious,
    /// Neon, wet, blue and magenta.
    Cyberpunk,
    /// Pink, cyan and purple of the eighties.
    Synthwave,
    /// Dry, burnt, dusty.
    PostApocalyptic,
}

/// Weather.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// Rain.
    Rain,
    /// Snow.
    Snow,
    /// Fog or mist.
    Fog,
    /// Rain with wind and a dark sky.
    Storm,
    /// Lightning.
    Lightning,
    /// Dust or sand in the air.
    Dust,
    /// Smoke in the air.
    Smoke,
    /// A closed sky, soft light.
    Overcast,
    /// Clear sun.
    Sunny,
    /// Wind.
    Wind,
}

/// A medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Watercolour.
    Watercolour,
    /// Oil paint.
    Oil,
    /// Painted, no medium named.
    Painting,
    /// Gouache or poster paint.
    Gouache,
    /// Pastel chalk or crayon.
    Pastel,
    /// Pencil.
    Pencil,
    /// Pen and ink.
    Ink,
    /// Ink wash, brush and ink.
    InkWash,
    /// Charcoal.
    Charcoal,
    /// A sketch, no medium named.
    Sketch,
    /// Cel-shaded, anime.
    Anime,
    /// A cartoon.
    Cartoon,
    /// A printed comic.
    Comic,
    /// Woodblock print.
    Woodblock,
    /// Linocut.
    Linocut,
    /// Low-resolution pixels.
    Pixel,
    /// Stop motion, clay.
    StopMotion,
    /// Rendered 3D animation.
    Render3d,
    /// Low-polygon rendering.
    LowPoly,
    /// Mosaic.
    Mosaic,
    /// Stained glass.
    StainedGlass,
    /// Cut paper, origami.
    Paper,
    /// Impressionist paint.
    Impressionist,
    /// Black and white film.
    BlackAndWhite,
    /// Brown-toned photograph.
    Sepia,
    /// Old film, no stock named.
    Film,
    /// Super 8 and 8 mm.
    Super8,
    /// 16 mm.
    Film16mm,
    /// 35 mm.
    Film35mm,
    /// Colour negative film of the Kodak kind.
    Kodak,
    /// Colour film of the Fuji kind.
    Fuji,
    /// Dye-transfer colour of the forties.
    Technicolor,
    /// Instant film.
    Polaroid,
    /// Video tape.
    Vhs,
}

/// A grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Grade {
    /// Warmer.
    Warm,
    /// Cooler.
    Cool,
    /// Shadows to teal, skin to orange.
    TealOrange,
    /// Silver left in: contrast up, colour down.
    BleachBypass,
    /// More contrast.
    HighContrast,
    /// Less contrast.
    LowContrast,
    /// Less colour.
    Desaturated,
    /// More colour.
    Vivid,
    /// Blacks lifted, colour down.
    Faded,
    /// Brighter.
    Brighter,
    /// Darker.
    Darker,
    /// Soft, light colours.
    Pastel,
    /// Slides in the wrong bath: shifted, strong colours.
    CrossProcess,
    /// Day graded as night.
    DayForNight,
    /// One colour over all.
    Tint {
        /// Red, 0 to 255, sRGB.
        red: u8,
        /// Green, 0 to 255, sRGB.
        green: u8,
        /// Blue, 0 to 255, sRGB.
        blue: u8,
    },
}

/// An effect of light, lens or film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Highlights that glow.
    Bloom,
    /// Film grain.
    Grain,
    /// Darker corners.
    Vignette,
    /// Stray light on the film.
    LightLeak,
    /// Flares of the lens.
    LensFlare,
    /// Neon light.
    Neon,
    /// Visible beams.
    GodRays,
    /// Lit windows and lamps.
    LitWindows,
    /// Soft discs of light out of focus.
    Bokeh,
    /// Sharp subject, soft rest.
    ShallowFocus,
    /// Softer all over.
    Blur,
    /// Sharper all over.
    Sharpen,
    /// Streaks of motion.
    MotionBlur,
    /// Colour fringes.
    ChromaticAberration,
    /// Digital errors.
    Glitch,
    /// Scan lines.
    ScanLines,
    /// Scratches and dirt of old film.
    Scratches,
    /// Brightness that flickers.
    Flicker,
    /// Light from behind the subject.
    Backlight,
    /// Strong shadows.
    HardShadows,
    /// Soft light.
    SoftLight,
    /// Bars above and below.
    Letterbox,
}
