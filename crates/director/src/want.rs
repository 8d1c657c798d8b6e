//! What can be wished for, as data.

use serde::{Deserialize, Serialize};

use crate::brief::Aspect;
use crate::handle::Handle;
use crate::plan::Task;

/// One wish, without the words behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Want {
    /// A relation to the reference video.
    Task {
        /// Which.
        task: Task,
    },
    /// Something is taken from a reference image (or from an element or video, used like one).
    Image {
        /// From which.
        source: Handle,
        /// What is taken.
        role: ImageRole,
    },
    /// An element or an image's subject is put into the scene.
    Place(Placement),
    /// The camera moves, or the frame does as if it did.
    Camera {
        /// How.
        act: Camera,
        /// Which way, where that was said.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        direction: Option<Direction>,
    },
    /// Time runs otherwise than in the reference.
    Time {
        /// How.
        change: TimeChange,
    },
    /// A time of day.
    TimeOfDay {
        /// Which.
        time: TimeOfDay,
    },
    /// A mood.
    Mood {
        /// Which.
        mood: Mood,
    },
    /// Weather.
    Weather {
        /// Which.
        weather: Weather,
    },
    /// As if made in another medium.
    Medium {
        /// Which.
        medium: Medium,
    },
    /// A grade.
    Grade {
        /// Which.
        grade: Grade,
    },
    /// An effect of light, lens or film.
    Effect {
        /// Which.
        effect: Effect,
    },
    /// A shape of the frame.
    Frame {
        /// Which.
        aspect: Aspect,
    },
    /// A length of the clip.
    Length {
        /// In seconds.
        secs: f64,
    },
    /// Something about the sound.
    Sound {
        /// What.
        sound: Sound,
    },
    /// New content: something that the reference does not show.
    Content {
        /// As the prompt has it.
        what: String,
    },
}

/// What is taken from a reference image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageRole {
    /// Strokes, colours, all of the look.
    Style,
    /// The colours only.
    Palette,
    /// The light.
    Lighting,
    /// What is behind the subject.
    Background,
    /// The sky.
    Sky,
    /// The clip starts with it.
    StartFrame,
    /// The clip ends with it.
    EndFrame,
    /// Where things are in it.
    Composition,
    /// Who or what it shows.
    Subject,
    /// Its surface: paper, canvas, grain.
    Texture,
}

/// Something put into the scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// What.
    pub source: Handle,
    /// What it stands in for, as the prompt has it; `None` when it is added.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaces: Option<String>,
    /// Where in the frame; empty where nothing was said.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub at: Vec<Place>,
    /// Next to what.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pivot: Option<Pivot>,
    /// How it comes in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<Entry>,
    /// How it moves once it is in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<Path>,
    /// Its size relative to what looks natural: 1 where nothing was said, 0.5 for "small", 1.7
    /// for "huge".
    pub scale: f64,
}

/// A place in the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The left third.
    Left,
    /// The right third.
    Right,
    /// The middle.
    Centre,
    /// The upper third.
    Top,
    /// The lower third.
    Bottom,
    /// Near the camera.
    Foreground,
    /// Far from the camera.
    Background,
    /// In the air or the sky.
    Sky,
    /// On the ground, floor, road, grass or sand.
    Ground,
    /// On the water.
    Water,
}

/// A thing of the scene that a placement is relative to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pivot {
    /// On which side of it.
    pub side: Side,
    /// The thing, as the prompt has it: `the tower`, `@Element2`.
    pub thing: String,
}

/// A side of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Beside, near, next to.
    Beside,
    /// To its left.
    LeftOf,
    /// To its right.
    RightOf,
    /// Behind it.
    Behind,
    /// In front of it.
    InFront,
    /// On it.
    On,
    /// Above it.
    Above,
    /// Below it.
    Below,
    /// Inside it.
    Inside,
}

/// A way into the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// From an edge of the frame.
    From(Edge),
    /// It becomes visible where it is.
    Appears,
}

/// An edge of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Top.
    Top,
    /// Bottom.
    Bottom,
    /// From the camera's side.
    Front,
    /// From the distance.
    Back,
}

/// How something moves through the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// It stays where it is.
    Still,
    /// It walks: needs limbs that move.
    Walks,
    /// It runs: needs limbs that move.
    Runs,
    /// It moves through the frame on the ground: drives, rolls, slides.
    Drives,
    /// It moves across the frame in the air.
    Flies,
    /// It drifts or hovers.
    Floats,
    /// It falls.
    Falls,
    /// It turns on the spot.
    Spins,
}

/// A part of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Target {
    /// All of it.
    #[default]
    Frame,
    /// The sky.
    Sky,
    /// What is behind the subject.
    Background,
    /// What is in front.
    Foreground,
    /// Who or what it is about.
    Subject,
    /// Skin tones.
    Skin,
    /// The dark parts.
    Shadows,
    /// The bright parts.
    Highlights,
    /// Something else by name: `the red car`.
    Thing {
        /// As the prompt has it.
        name: String,
    },
}

/// A part of the clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum When {
    /// Its first part.
    Start,
    /// Around its middle.
    Middle,
    /// Its last part.
    End,
    /// From a moment on.
    From {
        /// In seconds.
        secs: f64,
    },
    /// Gradually, from nothing at the start to all of it at the end.
    Gradually,
}

/// A camera move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Camera {
    /// Turn left or right on the spot.
    Pan,
    /// Turn up or down on the spot.
    Tilt,
    /// Change the focal length: `in` or `out`.
    Zoom,
    /// Move towards or away from the subject: `in` or `out`.
    Dolly,
    /// A sudden closer framing.
    PunchIn,
    /// Move sideways.
    Truck,
    /// Move up or down.
    Crane,
    /// Move around the subject.
    Orbit,
    /// Follow the subject.
    Follow,
    /// Roll around the axis of view.
    Roll,
    /// The small moves of a hand-held camera.
    Handheld,
    /// A shaking camera.
    Shake,
    /// Take the shake out.
    Stabilise,
    /// No move at all.
    Static,
    /// From the air.
    Aerial,
    /// A tighter framing.
    CloseUp,
    /// A wider framing.
    Wide,
    /// From below.
    LowAngle,
    /// From above.
    HighAngle,
    /// A tilted horizon.
    DutchAngle,
    /// From the subject's eyes.
    PointOfView,
    /// Over somebody's shoulder.
    OverShoulder,
    /// From the side.
    Profile,
    /// From the opposite side.
    ReverseAngle,
    /// A shift of sharpness from one depth to another.
    RackFocus,
    /// A very fast pan.
    WhipPan,
}

/// A direction of a camera move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Towards the subject.
    In,
    /// Away from the subject.
    Out,
    /// Clockwise.
    Clockwise,
    /// Counter-clockwise.
    CounterClockwise,
}

/// A change of how time runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum TimeChange {
    /// Slower than life.
    SlowMotion {
        /// Speed of play, above 0 and below 1 (0.5 is half speed); `None` where not said.
        speed: Option<f64>,
    },
    /// Faster than life.
    SpeedUp {
        /// Speed of play, above 1 (2 is double speed); `None` where not said.
        speed: Option<f64>,
    },
    /// From one speed to another.
    Ramp {
        /// Whether it ends slower than it starts; `None` where not said.
        to_slow: Option<bool>,
    },
    /// Much faster, with frames left out.
    TimeLapse,
    /// Backwards.
    Reverse,
    /// The end meets the start.
    Loop,
    /// Forwards, then backwards.
    Boomerang,
    /// The picture stands still.
    Freeze,
}

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
    /// Low-resolution pixels.
    Pixel,
    /// Stop motion, clay.
    StopMotion,
    /// Rendered 3D animation.
    Render3d,
    /// Low-polygon rendering.
    LowPoly,
    /// Stained glass or mosaic.
    Mosaic,
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

/// A wish about sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// The reference's.
    Keep,
    /// None.
    Mute,
    /// Something new: music, a voice, a noise.
    New,
}

// === impl Target ===

impl Target {
    /// Whether it is all of the picture.
    pub fn is_frame(&self) -> bool {
        *self == Self::Frame
    }
}

// === impl Placement ===

impl Placement {
    /// `source`, added somewhere.
    pub fn of(source: Handle) -> Self {
        Self {
            source,
            replaces: None,
            at: Vec::new(),
            pivot: None,
            entry: None,
            path: None,
            scale: 1.0,
        }
    }
}
