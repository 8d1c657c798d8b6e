//! What each medium is made of, as numbers.
//!
//! Lengths are px of a picture whose shorter side has 720; the stage scales them. The figures are
//! looked at on footage, not derived.

use director::Medium;
use kernels::dog::Pen;
use kernels::kuwahara::Brush;

/// Codes of warm white paper.
pub(super) const PAPER: [u8; 3] = [228, 125, 131];
/// Codes of soft black, of ink and of graphite.
pub(super) const BLACK: [u8; 3] = [22, 128, 128];
const INDIGO: [u8; 3] = [38, 138, 124];
const GRAPHITE: [u8; 3] = [48, 129, 127];
const COAL: [u8; 3] = [30, 128, 128];
const UMBER: [u8; 3] = [40, 122, 134];

/// How light and colour change before pigment is put on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    /// Contrast about mid grey.
    pub(super) gain: f32,
    /// Codes by which all is lightened.
    pub(super) lift: f32,
    /// Steps of light; 0 is a smooth scale.
    pub(super) levels: u8,
    /// How hard a step is.
    pub(super) hard: f32,
    /// Factor on colourfulness.
    pub(super) colour: f32,
}

/// What pigment does on its ground.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// Thick paint: bristle marks of some length, light on their relief, the weave below, how far
    /// the hue of a stroke strays.
    Paint { bristle: f32, relief: f32, length: f32, weave: f32, stray: f32, fine: f32 },
    /// Thin paint: dark rims, pools and paper grain.
    Wash { rims: f32, pools: f32, grain: f32 },
    /// Chalk that catches on the tooth of toned paper.
    Chalk { tooth: f32, ground: [u8; 3] },
    /// Strokes that stand closer where it is darker: how much they show, how soft they are,
    /// how much of the tone is rubbed in, whether a second layer crosses them, what they are drawn
    /// with and how hard that presses (0 to 1), and how much lighter busy places are left.
    Hatch {
        marks: f32,
        soft: f32,
        smudge: f32,
        crossed: bool,
        pigment: [u8; 3],
        press: f32,
        length: f32,
        spare: f32,
    },
    /// Pen lines that grow thicker from a light code to a dark one, where they close to solid
    /// black: those two codes, px from line to line, and codes by which brushed black is uneven.
    Pen { light: f32, dark: f32, pitch: f32, uneven: f32 },
    /// Flat areas.
    Flat,
    /// Halftone dots in the half tones.
    Dots { amount: f32 },
    /// Ink from a wooden block.
    Block { grain: f32 },
    /// Low-resolution pixels; their number along the shorter side.
    Pixels { rows: f32 },
    /// Stones or panes: px across, irregularity, and mortar of a code and a width of 0 to 1.
    Cells { pitch: f32, jitter: f32, mortar: u8, width: f32 },
}

/// One medium.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe {
    pub(super) brush: Option<Brush>,
    pub(super) tone: Tone,
    pub(super) body: Body,
    /// Lines over it, their weight 0 to 1 and their colour.
    pub(super) pen: Option<(Pen, f32, [u8; 3])>,
    /// Whether its own colours are given up.
    pub(super) grey: bool,
    /// Part of the drawing that stays from frame to frame, 0 to 1; see `hold`.
    pub(super) hold: f32,
}

const fn brush(radius: f32, stretch: f32) -> Brush {
    Brush { radius, stretch, even: 10.0 }
}

const fn tone(gain: f32, lift: f32, colour: f32) -> Tone {
    Tone { gain, lift, levels: 0, hard: 0.0, colour }
}

const fn steps(levels: u8, hard: f32, tone: Tone) -> Tone {
    Tone { levels, hard, ..tone }
}

/// Lines only: an edge that is `threshold` codes deep.
const fn lines(sigma: f32, threshold: f32) -> Pen {
    Pen {
        sigma,
        level: 0.0,
        edges: 1.0,
        threshold: -threshold,
        softness: 0.6 * threshold,
        stride: 1.6,
    }
}

/// Lines and solid darks below a code.
const fn solid(sigma: f32, below: f32, softness: f32) -> Pen {
    // Half of darkness only, or lines would not reach into the lights.
    let level = 0.45;
    Pen { sigma, level, edges: 14.0, threshold: level * below, softness, stride: 1.6 }
}

/// Contours and lights in the darks. Softer than XDoG's usual step: a line that is barely there in
/// the picture is thin, and does not come and go.
const INK: Pen =
    Pen { sigma: 0.9, level: 0.5, edges: 4.0, threshold: 30.0, softness: 60.0, stride: 1.6 };

impl Recipe {
    #[expect(clippy::too_many_lines, reason = "one arm a medium")]
    /// How a medium is made; media without a recipe are plainly painted.
    pub(super) fn of(medium: Medium) -> Self {
        let plain = Self {
            brush: None,
            tone: tone(1.0, 0.0, 1.0),
            body: Body::Flat,
            pen: None,
            grey: false,
            hold: 0.0,
        };
        match medium {
            Medium::Oil => Self {
                brush: Some(brush(6.0, 1.0)),
                tone: tone(1.08, 0.0, 1.18),
                body: Body::Paint {
                    bristle: 0.24,
                    relief: 0.64,
                    length: 25.0,
                    weave: 0.08,
                    stray: 0.05,
                    fine: 0.5,
                },
                ..plain
            },
            Medium::Impressionist => Self {
                brush: Some(brush(11.0, 1.0)),
                tone: tone(1.04, 5.0, 1.35),
                body: Body::Paint {
                    bristle: 0.27,
                    relief: 0.5,
                    length: 19.0,
                    weave: 0.03,
                    stray: 0.15,
                    fine: 0.34,
                },
                ..plain
            },
            Medium::Gouache => Self {
                brush: Some(brush(8.0, 0.7)),
                tone: steps(9, 3.0, tone(1.0, 6.0, 1.12)),
                body: Body::Wash { rims: 0.0, pools: 0.05, grain: 0.07 },
                ..plain
            },
            Medium::Watercolour => Self {
                brush: Some(brush(7.0, 0.5)),
                tone: tone(0.84, 30.0, 1.05),
                body: Body::Wash { rims: 0.5, pools: 0.28, grain: 0.2 },
                ..plain
            },
            Medium::InkWash => Self {
                brush: Some(brush(9.0, 0.5)),
                tone: tone(0.95, 34.0, 0.0),
                body: Body::Wash { rims: 0.45, pools: 0.5, grain: 0.25 },
                pen: Some((solid(1.1, 22.0, 18.0), 0.8, BLACK)),
                grey: true,
                hold: 0.7,
            },
            Medium::Pastel => Self {
                brush: Some(brush(6.0, 0.8)),
                tone: tone(1.0, 12.0, 1.3),
                body: Body::Chalk { tooth: 0.62, ground: [176, 123, 133] },
                ..plain
            },
            Medium::Anime => Self {
                brush: Some(brush(6.0, 0.8)),
                tone: steps(7, 5.0, tone(1.08, 8.0, 1.28)),
                pen: Some((lines(0.9, 2.6), 0.85, UMBER)),
                hold: 0.5,
                ..plain
            },
            Medium::Cartoon => Self {
                brush: Some(brush(8.0, 0.8)),
                tone: steps(5, 6.0, tone(1.05, 8.0, 1.45)),
                pen: Some((lines(1.4, 2.6), 0.95, BLACK)),
                hold: 0.7,
                ..plain
            },
            _ => Self::drawn(medium, plain),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm a medium")]
    fn drawn(medium: Medium, plain: Self) -> Self {
        let hatch = |marks, soft, smudge, crossed, pigment, length| Body::Hatch {
            marks,
            soft,
            smudge,
            crossed,
            pigment,
            press: if crossed { 0.85 } else { 0.75 },
            length,
            spare: 0.6,
        };
        let drawn = |body, pen, weight, colour| Self {
            body,
            pen: Some((pen, weight, colour)),
            grey: true,
            hold: 0.85,
            ..plain
        };
        match medium {
            Medium::Pencil => Self {
                brush: Some(brush(4.0, 0.8)),
                tone: tone(0.84, 34.0, 0.9),
                ..drawn(
                    hatch(0.8, 170.0, 0.22, false, GRAPHITE, 19.0),
                    lines(0.8, 2.6),
                    0.65,
                    GRAPHITE,
                )
            },
            Medium::Charcoal => Self {
                brush: Some(brush(5.0, 0.8)),
                tone: tone(1.0, 26.0, 0.9),
                ..drawn(hatch(0.95, 120.0, 0.55, false, COAL, 13.0), lines(1.8, 2.6), 0.75, COAL)
            },
            Medium::Sketch => Self {
                brush: Some(brush(4.0, 0.8)),
                tone: tone(0.8, 46.0, 0.9),
                ..drawn(
                    hatch(0.9, 115.0, 0.1, true, GRAPHITE, 31.0),
                    lines(1.0, 2.0),
                    0.9,
                    GRAPHITE,
                )
            },
            Medium::Ink => Self {
                brush: Some(brush(4.0, 0.8)),
                tone: tone(1.0, 0.0, 0.9),
                hold: 0.62,
                ..drawn(
                    Body::Pen { light: 150.0, dark: 66.0, pitch: 6.5, uneven: 80.0 },
                    INK,
                    0.9,
                    BLACK,
                )
            },
            Medium::Linocut => Self {
                brush: Some(brush(5.0, 0.8)),
                ..drawn(
                    hatch(0.8, 44.0, 0.0, false, BLACK, 25.0),
                    solid(1.6, 62.0, 20.0),
                    1.0,
                    BLACK,
                )
            },
            Medium::Comic => Self {
                brush: Some(brush(6.0, 0.7)),
                tone: steps(6, 5.0, tone(1.05, 24.0, 1.35)),
                body: Body::Dots { amount: 0.55 },
                pen: Some((solid(1.2, 36.0, 17.0), 1.0, BLACK)),
                hold: 0.75,
                ..plain
            },
            Medium::Woodblock => Self {
                brush: Some(brush(8.0, 0.6)),
                tone: steps(5, 5.0, tone(0.92, 12.0, 0.85)),
                body: Body::Block { grain: 0.11 },
                pen: Some((lines(1.3, 2.6), 0.9, INDIGO)),
                hold: 0.6,
                ..plain
            },
            Medium::Pixel => {
                Self { tone: tone(1.06, 0.0, 1.2), body: Body::Pixels { rows: 120.0 }, ..plain }
            }
            Medium::Mosaic => Self {
                tone: tone(1.1, 0.0, 1.25),
                body: Body::Cells { pitch: 15.0, jitter: 0.55, mortar: 84, width: 0.15 },
                ..plain
            },
            Medium::StainedGlass => Self {
                tone: tone(1.15, 6.0, 1.7),
                body: Body::Cells { pitch: 34.0, jitter: 1.0, mortar: 24, width: 0.11 },
                pen: Some((lines(2.4, 4.0), 0.7, BLACK)),
                ..plain
            },
            _ => Self {
                brush: Some(brush(6.0, 1.0)),
                tone: tone(1.05, 0.0, 1.12),
                body: Body::Paint {
                    bristle: 0.12,
                    relief: 0.22,
                    length: 19.0,
                    weave: 0.06,
                    stray: 0.03,
                    fine: 0.6,
                },
                ..plain
            },
        }
    }

    /// Whether marks go along with what moves by itself.
    pub(super) fn rides(&self) -> bool {
        self.hold > 0.0 || matches!(self.body, Body::Paint { .. })
    }

    /// Whether light and dark that are fainter than a touch are left as they are. Flat colours, washes
    /// and pencil are flatter than the footage.
    pub(super) fn shows_faint(&self) -> bool {
        matches!(self.body, Body::Paint { .. } | Body::Pen { .. })
    }

    /// Part of the footage that stays from frame to frame below a drawing. Where its own colours
    /// show it is less: they would grow soft with it.
    pub(super) fn keeps(&self) -> f32 {
        if self.hold <= 0.0 {
            0.0
        } else if self.grey {
            0.85
        } else {
            0.4
        }
    }

    /// The lines that a medium draws over another one.
    pub(super) fn pen_of(medium: Medium) -> (Pen, f32, [u8; 3]) {
        match medium {
            Medium::Pencil | Medium::Sketch => (lines(1.1, 2.0), 0.8, GRAPHITE),
            _ => (lines(1.2, 2.2), 0.95, BLACK),
        }
    }
}
