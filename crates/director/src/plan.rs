//! The plan: what is wished, what must stay, and the words behind each.

use domain::facts::Role;
use serde::{Deserialize, Serialize};

use crate::brief::{Aspect, Brief};
use crate::handle::Handle;
use crate::want::{ImageRole, Target, TimeChange, Want, When};

/// The strength of a wish that no adverb makes stronger or weaker.
pub const DEFAULT_STRENGTH: f64 = 0.7;

/// What one request wishes for, independent of any engine.
///
/// Engines honour `wishes` under `keeps`; a wish that a keep forbids is in `overruled` instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShotPlan {
    /// The prompt that all spans count in.
    pub prompt: String,
    /// How the clip relates to the reference video.
    pub task: Task,
    /// Further relations that the prompt asks for in the same breath.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Task>,
    /// Length of the clip in seconds.
    pub length_secs: u32,
    /// Shape of the clip.
    pub aspect: Aspect,
    /// Whether the reference's sound goes into the clip.
    pub keep_sound: bool,
    /// Whether no file has been looked at yet.
    pub provisional: bool,
    /// What is wished, in the order of the prompt; what the prompt does not mention comes last.
    pub wishes: Vec<Wish>,
    /// What must stay, in the order of the prompt. It wins over wishes.
    pub keeps: Vec<Keep>,
    /// Wishes that a keep forbids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<Overruled>,
    /// What the request needs without saying so in words.
    pub needs: Vec<Need>,
    /// Each `@` reference of the prompt, in its order.
    pub references: Vec<Mention>,
    /// What no rule understood, in the order of the prompt.
    pub not_understood: Vec<Words>,
    /// Glue and punctuation that carry no wish of their own.
    pub passed_over: Vec<Words>,
}

/// How a clip relates to its reference video.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Task {
    /// The same shot with its motion, looking different: output time t shows reference time t.
    #[default]
    KeepMotionRestyle,
    /// What comes after the reference.
    NextShot,
    /// What comes before the reference.
    PreviousShot,
    /// The same scene from another place.
    NewAngle,
    /// The reference's motion, performed by somebody else.
    MotionTransfer {
        /// Who performs it; `None` where the prompt only describes them.
        onto: Option<Handle>,
        /// Whose motion.
        from: Handle,
    },
    /// The reference's camera path, over another picture.
    CameraTransfer {
        /// The picture that the clip starts from; `None` where the prompt only describes it.
        start: Option<Handle>,
        /// Whose camera path.
        from: Handle,
    },
    /// The reference, going on beyond its end.
    Extend,
}

/// One thing that is wished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// What.
    pub want: Want,
    /// The words that asked for it; `None` where nothing in the prompt did, and `note` says why
    /// it is here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub words: Option<Words>,
    /// How surely the words mean this, 0 to 1.
    pub confidence: f64,
    /// How much of it, 0 to 1; [`DEFAULT_STRENGTH`] without an adverb.
    pub strength: f64,
    /// The part of the picture that it is for.
    #[serde(skip_serializing_if = "Target::is_frame", default)]
    pub on: Target,
    /// The part of the clip that it is for; `None` is all of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub when: Option<When>,
    /// Whether the media, once looked at, may change what this means.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub provisional: bool,
    /// What a reader should know about how it came to be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// A stretch of the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Words {
    /// The words themselves.
    pub text: String,
    /// Where they start in the prompt, in bytes of UTF-8, on a character's boundary.
    pub start: usize,
    /// Where they end, exclusive.
    pub end: usize,
}

/// One thing that must stay, or stay away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keep {
    /// What.
    #[serde(flatten)]
    pub what: Kept,
    /// The words that asked for it.
    pub words: Words,
    /// How surely the words mean this, 0 to 1.
    pub confidence: f64,
}

/// What a prompt can ask to be left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "keep", rename_all = "snake_case")]
pub enum Kept {
    /// How things move.
    Motion,
    /// How the camera moves.
    Camera,
    /// Where things are in the frame.
    Composition,
    /// The look as a whole.
    Style,
    /// The colours.
    Colours,
    /// The light.
    Lighting,
    /// What is behind the subject.
    Background,
    /// Who or what is seen: faces, clothes, identity.
    Subject,
    /// The speed and the rhythm of cuts.
    Timing,
    /// The sound.
    Sound,
    /// Lettering and logos.
    Text,
    /// All that no wish names.
    EverythingElse,
    /// Something else by name: `the red door`.
    Thing {
        /// As the prompt has it.
        name: String,
    },
    /// Something that must not appear.
    Without {
        /// What.
        want: Box<Want>,
    },
}

/// A wish that a keep forbids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overruled {
    /// The wish.
    pub wish: Wish,
    /// The words that forbid it.
    pub by: Words,
}

/// Something that the request needs without saying so in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// What.
    #[serde(flatten)]
    pub kind: NeedKind,
    /// Whether this waits for the media to be looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub provisional: bool,
}

/// The kinds of [`Need`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub enum NeedKind {
    /// The clip must be made as long as `to_secs`; `from_secs` is the reference's length where it
    /// is known.
    FitLength {
        /// Length of the reference in seconds.
        from_secs: Option<f64>,
        /// Length of the clip in seconds.
        to_secs: f64,
    },
    /// The picture must be cut to another shape; `from` is the reference's, width by height,
    /// where it is known.
    Reframe {
        /// Width divided by height of the reference.
        from: Option<f64>,
        /// Width divided by height of the clip.
        to: f64,
    },
    /// Sound is asked for and the reference has none.
    NoSound,
}

/// One `@` reference in the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Which input.
    pub handle: Handle,
    /// What the words around it use it for.
    pub role: MentionRole,
    /// Where it stands.
    pub words: Words,
    /// Whether the request has this input.
    pub exists: bool,
}

/// What a reference is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionRole {
    /// The clip that all is based on.
    Base,
    /// Its motion is used.
    Motion,
    /// Its camera path is used.
    CameraPath,
    /// Its look is used.
    Style,
    /// Its colours are used.
    Palette,
    /// Its light is used.
    Lighting,
    /// It becomes the background.
    Background,
    /// Its sky is used.
    Sky,
    /// The clip starts with it.
    StartFrame,
    /// The clip ends with it.
    EndFrame,
    /// Where things are in it is used.
    Composition,
    /// Who or what it shows is used.
    Subject,
    /// Its surface is used.
    Texture,
    /// It is put into the scene.
    Placed,
    /// It only says where something else goes: `behind @Element2`.
    Landmark,
    /// It must stay out.
    Excluded,
    /// Nothing around it says what for.
    Unclear,
}

// === impl ShotPlan ===

impl ShotPlan {
    /// A plan with no wishes: the reference as it is, at the asked length and shape.
    pub(crate) fn empty(brief: &Brief, provisional: bool) -> Self {
        Self {
            prompt: brief.prompt.clone(),
            task: Task::KeepMotionRestyle,
            also: Vec::new(),
            length_secs: brief.length_secs,
            aspect: brief.aspect,
            keep_sound: brief.keep_sound,
            provisional,
            wishes: Vec::new(),
            keeps: Vec::new(),
            overruled: Vec::new(),
            needs: Vec::new(),
            references: Vec::new(),
            not_understood: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    /// All tasks, the main one first.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        std::iter::once(&self.task).chain(&self.also)
    }

    /// Whether output time t shows reference time t: no next or previous shot, no change of
    /// speed.
    pub fn keeps_time(&self) -> bool {
        !self.tasks().any(|task| matches!(task, Task::NextShot | Task::PreviousShot))
            && !self.wishes.iter().any(|wish| matches!(wish.want, Want::Time { .. }))
    }

    /// Whether `what` must stay.
    pub fn keeps(&self, what: &Kept) -> bool {
        self.keeps.iter().any(|keep| keep.what == *what)
    }

    /// The changes of time that are wished.
    pub fn time_changes(&self) -> impl Iterator<Item = (&TimeChange, &Wish)> {
        self.wishes.iter().filter_map(|wish| match &wish.want {
            Want::Time { change } => Some((change, wish)),
            _ => None,
        })
    }

    /// What is taken from reference images, as file, role and wish.
    pub fn images(&self) -> impl Iterator<Item = (Role, ImageRole, &Wish)> {
        self.wishes.iter().filter_map(|wish| match &wish.want {
            Want::Image { source, role } => Some((source.role(), *role, wish)),
            _ => None,
        })
    }
}

// === impl Wish ===

impl Wish {
    /// The words that asked for it, or, where none did, the note that says why it is here.
    pub fn said(&self) -> &str {
        match (&self.words, &self.note) {
            (Some(words), _) => &words.text,
            (None, Some(note)) => note,
            (None, None) => "",
        }
    }
}
