//! What the passes of a sheet ask of the reference.

/// What the passes of a sheet need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(crate) struct Questions {
    /// Where shots begin.
    pub(crate) cuts: bool,
    /// The colours of each shot.
    pub(crate) colours: bool,
    /// How alike moments are.
    pub(crate) likeness: bool,
    /// Where the subject is.
    pub(crate) subject: bool,
    /// How the camera moves.
    pub(crate) path: bool,
    /// How sharp each frame is.
    pub(crate) sharpness: bool,
    /// How light and colour are spread in each shot.
    pub(crate) tones: bool,
    /// Where the sky is.
    pub(crate) sky: bool,
    /// How every part of the picture moves; asks for the path too.
    pub(crate) flows: bool,
    /// What moves by itself, cut out; asks for the path too.
    pub(crate) movers: bool,
}

// === impl Questions ===

impl Questions {
    /// Whether anything is asked.
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }

    pub(super) fn needs_flow(self) -> bool {
        self.path || self.subject
    }

    /// Whether the motion of every part is kept until the end.
    pub(super) fn keeps_flow(self) -> bool {
        self.flows || self.movers
    }
}
