//! Colours: named looks and colour transfer, composed into one table a shot.
//!
//! Everything that changes colours is a function from RGB to RGB, so a whole prompt's worth of
//! them costs one lookup a pixel and can't flicker within a shot.

mod looks;
mod table;
mod tones;

pub(crate) use looks::Look;
pub(crate) use table::Colourist;

/// The tones that a colour change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Part {
    /// All of them.
    #[default]
    All,
    /// The dark ones.
    Shadows,
    /// The bright ones.
    Highlights,
    /// Those of skin.
    Skin,
}

// === impl Part ===

impl Part {
    /// How far a colour belongs to the part, 0 to 1.
    pub(crate) fn weight(self, rgb: [f32; 3]) -> f32 {
        let luma = tones::luma(rgb);
        match self {
            Self::All => 1.0,
            Self::Shadows => 1.0 - tones::smoothstep(0.2, 0.5, luma),
            Self::Highlights => tones::smoothstep(0.5, 0.8, luma),
            Self::Skin => {
                let lab = kernels::color::rgb_to_lab(rgb);
                let hue = libm::atan2f(lab[2], lab[1]).to_degrees();
                let chroma = libm::hypotf(lab[1], lab[2]);
                tones::smoothstep(30.0, 12.0, (hue - 50.0).abs())
                    * tones::smoothstep(8.0, 16.0, chroma)
            }
        }
    }
}
