//! What can be wished for, as data.

mod look;
mod movement;
mod place;

pub use look::{Effect, Grade, Medium, Mood, TimeOfDay, Weather};
pub use movement::{Camera, Direction, TimeChange};
pub use place::{Edge, Entry, Path, Pivot, Place, Placement, Side};

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
