//! Wishes about the camera, as moves of the frame over the reference's picture.

use director::{Camera, Direction, Kept, ShotPlan, Target, When, Wish};

use super::{Sheet, unmet};

/// A kind of move that a window over the picture can make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Moves {
    /// Closer or wider over the whole clip; `inwards` or not.
    Zoom {
        /// Ends closer than it starts.
        inwards: bool,
    },
    /// A sudden closer framing.
    PunchIn,
    /// Closer all the time.
    Close {
        /// Width of the picture over the width of the window.
        zoom: f32,
    },
    /// Sideways or up and down: a unit vector of the frame, y down.
    Travel {
        /// -1 left, 1 right, 0 neither.
        x: f32,
        /// -1 up, 1 down, 0 neither.
        y: f32,
        /// In a fraction of a second, not over the whole clip.
        fast: bool,
    },
    /// The small moves of a camera in the hand.
    Handheld {
        /// Size of the moves relative to a calm hand.
        amount: f32,
    },
    /// The camera's own shake taken out.
    Stabilise {
        /// Whether all of its moves go, as far as the margin allows.
        lock: bool,
    },
    /// Closer, and off the middle: as near to another angle as one picture allows.
    NewAngle,
    /// The window follows the subject.
    Follow,
    /// A tilted horizon.
    Tilted {
        /// Turns on, instead of staying tilted.
        rolling: bool,
        /// 1 clockwise, -1 counter-clockwise.
        sense: f32,
    },
}

/// One move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Move {
    /// Which.
    pub(crate) kind: Moves,
    /// How much, 0 to 1.
    pub(crate) strength: f32,
    /// When; `None` is all of the clip.
    pub(crate) when: Option<When>,
}

/// All that is wished of the frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Framing {
    /// The moves, in the order of the prompt.
    pub(crate) moves: Vec<Move>,
}

// === impl Move ===

impl Move {
    pub(super) fn new_angle() -> Self {
        let strength = director::DEFAULT_STRENGTH as f32;
        Self { kind: Moves::NewAngle, strength, when: None }
    }
}

// === impl Framing ===

impl Framing {
    /// Whether the frame does anything but show the picture.
    pub(crate) fn moves_frame(&self) -> bool {
        !self.moves.is_empty()
    }

    /// Whether a move needs the camera's path.
    pub(crate) fn needs_path(&self) -> bool {
        self.moves.iter().any(|m| matches!(m.kind, Moves::Stabilise { .. }))
    }

    /// Whether a move needs to know where the subject is.
    pub(crate) fn needs_subject(&self) -> bool {
        let about_subject = |m: &Move| {
            !matches!(
                m.kind,
                Moves::Stabilise { .. } | Moves::Handheld { .. } | Moves::Tilted { .. }
            )
        };
        self.moves.iter().any(about_subject)
    }
}

/// Files a camera wish.
pub(super) fn read(
    act: Camera,
    direction: Option<Direction>,
    wish: &Wish,
    plan: &ShotPlan,
    sheet: &mut Sheet,
) {
    let stays = plan.keeps(&Kept::Camera) || plan.keeps(&Kept::Composition);
    if stays && !matches!(act, Camera::Static | Camera::Stabilise) {
        sheet.refuse(wish, "the prompt keeps the camera as it is".to_owned());
        return;
    }
    if !matches!(wish.on, Target::Frame | Target::Subject | Target::Thing { .. }) {
        sheet.refuse(wish, unmet::NO_OTHER_VIEWPOINT.to_owned());
        return;
    }
    match kind(act, direction) {
        Ok(kind) => {
            let strength = wish.strength as f32;
            sheet.framing.moves.push(Move { kind, strength, when: wish.when });
        }
        Err(reason) => sheet.refuse(wish, reason.to_owned()),
    }
}

/// The move that a window makes for an act, or why there is none.
fn kind(act: Camera, direction: Option<Direction>) -> Result<Moves, &'static str> {
    let inwards = direction != Some(Direction::Out);
    let travel = |fallback: (f32, f32), fast| {
        let (x, y) = match direction {
            Some(Direction::Left) => (-1.0, 0.0),
            Some(Direction::Right) => (1.0, 0.0),
            Some(Direction::Up) => (0.0, -1.0),
            Some(Direction::Down) => (0.0, 1.0),
            _ => fallback,
        };
        Moves::Travel { x, y, fast }
    };
    let sense = if direction == Some(Direction::CounterClockwise) { -1.0 } else { 1.0 };
    Ok(match act {
        Camera::Zoom | Camera::Dolly => Moves::Zoom { inwards },
        Camera::PunchIn => Moves::PunchIn,
        Camera::CloseUp => Moves::Close { zoom: 1.7 },
        Camera::Pan | Camera::Truck => travel((1.0, 0.0), false),
        Camera::Tilt | Camera::Crane => travel((0.0, -1.0), false),
        Camera::WhipPan => travel((1.0, 0.0), true),
        Camera::Handheld => Moves::Handheld { amount: 1.0 },
        Camera::Shake => Moves::Handheld { amount: 2.6 },
        Camera::Stabilise => Moves::Stabilise { lock: false },
        Camera::Static => Moves::Stabilise { lock: true },
        Camera::Follow => Moves::Follow,
        Camera::Roll => Moves::Tilted { rolling: true, sense },
        Camera::DutchAngle => Moves::Tilted { rolling: false, sense },
        Camera::Orbit
        | Camera::Aerial
        | Camera::LowAngle
        | Camera::HighAngle
        | Camera::PointOfView
        | Camera::OverShoulder
        | Camera::Profile
        | Camera::ReverseAngle => return Err(unmet::NO_OTHER_VIEWPOINT),
        Camera::Wide => return Err("the reference shows nothing outside of its own frame"),
        Camera::RackFocus => return Err("roto does not know how deep the scene is"),
    })
}
