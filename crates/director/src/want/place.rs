//! Where things are put, and how they come and go.

use serde::{Deserialize, Serialize};

use crate::handle::Handle;

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
