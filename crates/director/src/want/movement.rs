//! How the camera moves, and how time runs.

use serde::{Deserialize, Serialize};

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
