//! The named looks.
//!
//! Each is written at its full strength; how much of it a wish gets is [`Look::share`]. Looks that
//! set a time of day lean on the shot's own lightness, so that a dark shot doesn't go black.

use kernels::color::{lab_to_rgb, rgb_to_lab};

use super::tones::{contrast, gain, gamma, luma, mix, mono, saturate, smoothstep, split, squeeze};

/// A named look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Dawn,
    Morning,
    Midday,
    GoldenHour,
    Sunset,
    Dusk,
    BlueHour,
    Night,
    Moonlit,
    Noir,
    Cinematic,
    Dreamy,
    Ominous,
    Gritty,
    Melancholic,
    Cheerful,
    Romantic,
    Nostalgic,
    Calm,
    Epic,
    Mysterious,
    Cyberpunk,
    Synthwave,
    PostApocalyptic,
    Overcast,
    Sunny,
    Mono,
    Sepia,
    Film,
    Super8,
    Kodak,
    Fuji,
    Technicolor,
    Polaroid,
    Vhs,
    Warm,
    Cool,
    TealOrange,
    BleachBypass,
    HighContrast,
    LowContrast,
    Desaturated,
    Vivid,
    Faded,
    Brighter,
    Darker,
    Pastel,
    CrossProcess,
    Tint([u8; 3]),
}

const GREY: [f32; 3] = [0.2126, 0.7152, 0.0722];
const NONE: [f32; 3] = [0.0; 3];

// === impl Look ===

impl Look {
    /// Whether it leaves hues alone, so that "keep the colours" allows it.
    pub(crate) fn is_tone_only(self) -> bool {
        matches!(self, Self::HighContrast | Self::LowContrast | Self::Brighter | Self::Darker)
    }

    /// The part of the full look that a strength (0 to 1) asks for. What is either there or not,
    /// such as black and white, is there in full unless the prompt says "slightly"; half a night
    /// is a day. The rest comes as two thirds without an adverb: a cast that still lets skin and
    /// white things be what they are.
    pub(crate) fn share(self, strength: f32) -> f32 {
        let strength = strength.clamp(0.0, 1.0);
        match self {
            Self::Mono | Self::Sepia | Self::Noir => (strength / 0.6).min(1.0),
            Self::Dusk | Self::Night | Self::Moonlit | Self::BlueHour => strength / 0.85,
            _ => strength / 1.05,
        }
    }

    /// The look at full strength. `scene` is the shot's mean lightness, 0 to 100.
    pub(crate) fn full(self, rgb: [f32; 3], scene: f32) -> [f32; 3] {
        match self {
            Self::Dawn
            | Self::Morning
            | Self::Midday
            | Self::GoldenHour
            | Self::Sunset
            | Self::Dusk
            | Self::BlueHour
            | Self::Night
            | Self::Moonlit
            | Self::Overcast
            | Self::Sunny => self.daylight(rgb, scene),
            Self::Mono
            | Self::Sepia
            | Self::Film
            | Self::Super8
            | Self::Kodak
            | Self::Fuji
            | Self::Technicolor
            | Self::Polaroid
            | Self::Vhs => self.stock(rgb),
            Self::Warm
            | Self::Cool
            | Self::TealOrange
            | Self::BleachBypass
            | Self::HighContrast
            | Self::LowContrast
            | Self::Desaturated
            | Self::Vivid
            | Self::Faded
            | Self::Brighter
            | Self::Darker
            | Self::Pastel
            | Self::CrossProcess
            | Self::Tint(_) => self.grade(rgb),
            _ => self.mood(rgb, scene),
        }
    }

    fn daylight(self, rgb: [f32; 3], scene: f32) -> [f32; 3] {
        match self {
            Self::Dawn => {
                let lit = gain(rgb, [1.06, 0.92, 0.95]);
                squeeze(split(lit, [-0.02, -0.01, 0.05], [0.07, 0.0, 0.01]), 0.03, 0.98)
            }
            Self::Morning => {
                gamma(split(gain(rgb, [1.1, 1.03, 0.9]), NONE, [0.03, 0.02, 0.0]), 1.06)
            }
            Self::Midday => contrast(gain(rgb, [1.14, 1.14, 1.12]), 0.25, 0.5),
            Self::GoldenHour => {
                let lit = gain(rgb, [1.2, 0.97, 0.72]);
                let toned = split(lit, [0.0, -0.005, 0.02], [0.075, 0.024, -0.04]);
                contrast(saturate(toned, 1.06), 0.1, 0.45)
            }
            Self::Sunset => {
                let lit = gain(rgb, [1.14, 0.8, 0.58]);
                let toned = split(lit, [0.01, -0.015, 0.05], [0.12, 0.025, -0.05]);
                contrast(saturate(toned, 1.08), 0.12, 0.42)
            }
            Self::Dusk => {
                let lit = gain(saturate(rgb, 0.9), [0.46, 0.44, 0.58]);
                split(lit, [-0.02, -0.005, 0.04], [0.055, 0.01, -0.005])
            }
            Self::BlueHour => {
                let dim = 0.62 * dimmer(scene, 38.0);
                let lit = gain(saturate(rgb, 0.7), [0.62 * dim, 0.85 * dim, 1.35 * dim]);
                split(lit, [-0.02, 0.0, 0.06], NONE)
            }
            Self::Night => {
                let dim = dimmer(scene, 24.0);
                let lit = gain(saturate(rgb, 0.55), [0.62 * dim, 0.82 * dim, 1.28 * dim]);
                contrast(split(lit, [-0.015, 0.0, 0.035], NONE), 0.12, 0.3)
            }
            Self::Moonlit => {
                let dim = dimmer(scene, 32.0);
                let lit = gain(saturate(rgb, 0.3), [0.76 * dim, 0.92 * dim, 1.18 * dim]);
                contrast(lit, 0.3, 0.3)
            }
            Self::Overcast => {
                let lit = gain(saturate(rgb, 0.62), [0.86, 0.9, 0.95]);
                contrast(lit, -0.18, 0.5)
            }
            _ => contrast(saturate(gain(rgb, [1.18, 1.12, 0.96]), 1.12), 0.2, 0.5),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm a look")]
    fn mood(self, rgb: [f32; 3], scene: f32) -> [f32; 3] {
        match self {
            Self::Noir => {
                let grey = mono(rgb, [0.45, 0.45, 0.1]);
                contrast(gain(grey, [dimmer(scene, 42.0).min(1.0); 3]), 0.65, 0.42)
            }
            Self::Cinematic => {
                let toned = split(rgb, [-0.03, 0.005, 0.035], [0.035, 0.01, -0.03]);
                saturate(contrast(toned, 0.22, 0.42), 0.92)
            }
            Self::Dreamy => {
                let soft = saturate(gain(rgb, [1.12, 1.05, 1.1]), 0.85);
                squeeze(split(soft, [0.02, 0.0, 0.05], [0.03, 0.0, 0.02]), 0.10, 1.0)
            }
            Self::Ominous => {
                let dim = dimmer(scene, 30.0);
                let lit = gain(saturate(rgb, 0.55), [0.82 * dim, 0.95 * dim, 0.95 * dim]);
                contrast(split(lit, [-0.02, 0.01, 0.015], NONE), 0.3, 0.35)
            }
            Self::Gritty => {
                let hard = contrast(saturate(rgb, 0.55), 0.45, 0.45);
                split(hard, [0.0, 0.01, 0.0], [0.02, 0.015, -0.02])
            }
            Self::Melancholic => {
                let lit = gain(saturate(rgb, 0.6), [0.8, 0.88, 1.02]);
                squeeze(lit, 0.03, 0.96)
            }
            Self::Cheerful => gamma(saturate(gain(rgb, [1.12, 1.06, 0.95]), 1.22), 1.1),
            Self::Romantic => {
                let lit = gain(rgb, [1.16, 0.99, 0.92]);
                squeeze(split(lit, [0.03, 0.0, 0.02], [0.05, 0.01, 0.0]), 0.04, 1.0)
            }
            Self::Nostalgic => {
                let lit = saturate(gain(rgb, [1.1, 1.0, 0.78]), 0.8);
                squeeze(split(lit, [0.03, 0.01, 0.0], [0.03, 0.02, -0.03]), 0.07, 0.95)
            }
            Self::Calm => squeeze(saturate(gain(rgb, [0.98, 1.02, 1.05]), 0.85), 0.05, 0.97),
            Self::Epic => {
                let toned = split(rgb, [-0.05, 0.005, 0.05], [0.06, 0.015, -0.05]);
                contrast(saturate(toned, 1.05), 0.35, 0.45)
            }
            Self::Mysterious => {
                let dim = dimmer(scene, 32.0);
                let lit = gain(saturate(rgb, 0.7), [0.78 * dim, 0.95 * dim, 1.1 * dim]);
                split(lit, [-0.01, 0.005, 0.03], NONE)
            }
            Self::Cyberpunk => {
                let dim = dimmer(scene, 36.0);
                let lit = gain(rgb, [0.95 * dim, 0.8 * dim, 1.25 * dim]);
                let toned = split(lit, [-0.04, 0.0, 0.12], [0.16, -0.06, 0.10]);
                contrast(saturate(toned, 1.2), 0.3, 0.4)
            }
            Self::Synthwave => {
                let lit = gain(rgb, [1.05, 0.72, 1.25]);
                let toned = split(lit, [0.02, -0.05, 0.15], [0.14, -0.05, 0.08]);
                contrast(saturate(toned, 1.2), 0.2, 0.45)
            }
            _ => {
                let lit = gain(saturate(rgb, 0.5), [1.08, 0.95, 0.66]);
                contrast(split(lit, [0.02, 0.01, -0.02], [0.05, 0.03, -0.05]), 0.3, 0.45)
            }
        }
    }

    fn stock(self, rgb: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Mono => contrast(mono(rgb, GREY), 0.12, 0.45),
            Self::Sepia => {
                let grey = mono(rgb, GREY)[0].clamp(0.0, 1.0);
                squeeze([0.82, 1.02, 1.38].map(|power| libm::powf(grey, power)), 0.03, 0.97)
            }
            Self::Film => {
                let toned = split(rgb, [-0.01, 0.005, 0.015], [0.03, 0.015, -0.01]);
                squeeze(saturate(contrast(toned, 0.15, 0.45), 0.94), 0.025, 0.98)
            }
            Self::Super8 => {
                let lit = gain(saturate(rgb, 1.05), [1.2, 1.0, 0.7]);
                squeeze(
                    contrast(split(lit, [0.04, 0.0, 0.0], [0.05, 0.03, -0.06]), 0.25, 0.5),
                    0.05,
                    0.95,
                )
            }
            Self::Kodak => {
                let lit = gain(rgb, [1.12, 1.0, 0.82]);
                saturate(
                    contrast(split(lit, [0.0, 0.01, 0.02], [0.04, 0.025, -0.02]), 0.15, 0.45),
                    1.08,
                )
            }
            Self::Fuji => {
                let lit = gain(rgb, [0.97, 1.03, 1.0]);
                saturate(
                    contrast(split(lit, [-0.02, 0.02, 0.02], [0.02, 0.0, 0.02]), 0.15, 0.45),
                    1.05,
                )
            }
            Self::Technicolor => {
                // Dyes that don't overlap: each channel is driven away from the other two.
                let [r, g, b] = rgb;
                let apart = [
                    r + 0.22 * (r - 0.5 * (g + b)),
                    g + 0.22 * (g - 0.5 * (r + b)),
                    b + 0.22 * (b - 0.5 * (r + g)),
                ];
                contrast(
                    saturate(gain(apart.map(|c| c.max(0.0)), [1.08, 1.0, 0.96]), 1.15),
                    0.2,
                    0.45,
                )
            }
            Self::Polaroid => {
                let lit = saturate(gain(rgb, [1.08, 1.04, 0.92]), 0.85);
                squeeze(split(lit, [-0.01, 0.02, 0.05], [0.04, 0.03, -0.03]), 0.08, 0.96)
            }
            _ => squeeze(
                split(saturate(rgb, 0.8), [0.02, -0.01, 0.03], [0.0, 0.01, 0.02]),
                0.05,
                0.94,
            ),
        }
    }

    fn grade(self, rgb: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Warm => split(gain(rgb, [1.16, 1.0, 0.74]), NONE, [0.02, 0.01, -0.01]),
            Self::Cool => split(gain(rgb, [0.8, 0.98, 1.22]), [-0.01, 0.0, 0.02], NONE),
            Self::TealOrange => teal_orange(rgb),
            Self::BleachBypass => {
                // A silver image over the colour image: soft overlay of the luma on itself.
                let grey = luma(rgb).clamp(0.0, 1.0);
                let over = if grey < 0.5 {
                    2.0 * grey * grey
                } else {
                    1.0 - 2.0 * (1.0 - grey) * (1.0 - grey)
                };
                let silver = mix(rgb, [over; 3], 0.55);
                contrast(saturate(silver, 0.75), 0.25, 0.5)
            }
            Self::HighContrast => contrast(rgb, 0.5, 0.47),
            Self::LowContrast => squeeze(contrast(rgb, -0.3, 0.5), 0.03, 0.98),
            Self::Desaturated => saturate(rgb, 0.35),
            Self::Vivid => contrast(saturate(rgb, 1.5), 0.12, 0.47),
            Self::Faded => squeeze(saturate(contrast(rgb, -0.12, 0.5), 0.68), 0.09, 0.94),
            Self::Brighter => gamma(gain(rgb, [1.15; 3]), 1.2),
            Self::Darker => gain(gamma(rgb, 0.88), [0.62; 3]),
            Self::Pastel => squeeze(gamma(saturate(rgb, 0.75), 1.25), 0.16, 1.0),
            Self::CrossProcess => {
                let [r, g, b] = rgb;
                let bent = [
                    contrast([r; 3], 0.5, 0.45)[0],
                    contrast([g; 3], 0.35, 0.42)[0],
                    squeeze([b; 3], 0.2, 0.82)[0],
                ];
                saturate(bent, 1.1)
            }
            Self::Tint(colour) => tint(rgb, colour),
            _ => rgb,
        }
    }
}

/// Factor on light that brings a shot of mean lightness `scene` to `goal`, from darkening to none.
fn dimmer(scene: f32, goal: f32) -> f32 {
    // Lightness goes with about the cube root of light.
    let ratio = (goal + 16.0) / (scene.max(1.0) + 16.0);
    libm::powf(ratio, 3.0).clamp(0.1, 1.0)
}

/// Shadows to teal; what is warm goes to orange and keeps its lightness.
fn teal_orange(rgb: [f32; 3]) -> [f32; 3] {
    let lab = rgb_to_lab(rgb);
    let warm = smoothstep(0.0, 25.0, lab[2] + 0.4 * lab[1]);
    let dark = 1.0 - smoothstep(35.0, 75.0, lab[0]);
    let light = smoothstep(1.0, 12.0, lab[0]);
    let teal = [-11.0, -10.0];
    let orange = [7.0, 13.0];
    let cold = light * (1.0 - warm) * (0.35 + 0.65 * dark);
    let shifted = [
        lab[0],
        lab[1] + cold * teal[0] + warm * orange[0],
        lab[2] + cold * teal[1] + warm * orange[1],
    ];
    contrast(lab_to_rgb(shifted), 0.15, 0.45)
}

/// One colour over all: its hue at half its chroma, the lightness kept.
fn tint(rgb: [f32; 3], colour: [u8; 3]) -> [f32; 3] {
    let lab = rgb_to_lab(rgb);
    let goal = rgb_to_lab(colour.map(|c| f32::from(c) / 255.0));
    let lit = smoothstep(0.0, 30.0, lab[0]) * (1.0 - 0.5 * smoothstep(85.0, 100.0, lab[0]));
    let towards = |k: usize| lab[k] + 0.6 * lit * (0.75 * goal[k] - lab[k]);
    lab_to_rgb([lab[0], towards(1), towards(2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Look; 49] = [
        Look::Dawn,
        Look::Morning,
        Look::Midday,
        Look::GoldenHour,
        Look::Sunset,
        Look::Dusk,
        Look::BlueHour,
        Look::Night,
        Look::Moonlit,
        Look::Noir,
        Look::Cinematic,
        Look::Dreamy,
        Look::Ominous,
        Look::Gritty,
        Look::Melancholic,
        Look::Cheerful,
        Look::Romantic,
        Look::Nostalgic,
        Look::Calm,
        Look::Epic,
        Look::Mysterious,
        Look::Cyberpunk,
        Look::Synthwave,
        Look::PostApocalyptic,
        Look::Overcast,
        Look::Sunny,
        Look::Mono,
        Look::Sepia,
        Look::Film,
        Look::Super8,
        Look::Kodak,
        Look::Fuji,
        Look::Technicolor,
        Look::Polaroid,
        Look::Vhs,
        Look::Warm,
        Look::Cool,
        Look::TealOrange,
        Look::BleachBypass,
        Look::HighContrast,
        Look::LowContrast,
        Look::Desaturated,
        Look::Vivid,
        Look::Faded,
        Look::Brighter,
        Look::Darker,
        Look::Pastel,
        Look::CrossProcess,
        Look::Tint([40, 90, 200]),
    ];

    #[test]
    fn brighter_greys_stay_brighter() {
        for look in ALL {
            let mut before = -1.0f32;
            for step in 0..=32 {
                let grey = [step as f32 / 32.0; 3];
                let after = luma(look.full(grey, 50.0).map(|c| c.clamp(0.0, 1.0)));
                assert!(after.is_finite(), "{look:?}");
                assert!(after >= before - 0.004, "{look:?} at {step}: {before} -> {after}");
                before = after;
            }
        }
    }

    #[test]
    fn every_look_is_seen() {
        for look in ALL {
            let rgb = [0.62, 0.45, 0.3];
            let after = look.full(rgb, 50.0);
            let change: f32 = (0..3).map(|k| (after[k] - rgb[k]).abs()).sum();
            assert!(change > 0.03, "{look:?} changes {change}");
        }
    }

    #[test]
    fn night_darkens_a_bright_shot_more_than_a_dark_one() {
        let grey = [0.5; 3];
        let bright = luma(Look::Night.full(grey, 65.0));
        let dark = luma(Look::Night.full(grey, 25.0));
        assert!(bright < 0.6 * dark, "{bright} {dark}");
        let night = Look::Night.full(grey, 60.0);
        assert!(night[2] > night[0]);
    }

    #[test]
    fn an_adverb_scales_a_look() {
        for look in ALL {
            let (slight, plain, very) = (look.share(0.35), look.share(0.7), look.share(0.9));
            assert!(slight < 0.6 * plain + 1e-6 || plain == 1.0, "{look:?}");
            assert!(slight < plain && plain <= very && very <= 1.1, "{look:?}");
        }
    }

    #[test]
    fn a_look_by_its_name_alone_leaves_white_and_skin_what_they_are() {
        let (white, skin) = ([0.88; 3], [0.82, 0.64, 0.54]);
        for look in [Look::GoldenHour, Look::Dusk, Look::Cinematic, Look::Faded, Look::Film] {
            let seen = |rgb| rgb_to_lab(mix(rgb, look.full(rgb, 55.0), look.share(0.7)));
            let [_, a, b] = seen(white);
            assert!(libm::hypotf(a, b) < 18.0, "{look:?}: {a} {b}");
            let hue = |[_, a, b]: [f32; 3]| libm::atan2f(b, a).to_degrees();
            let turned = hue(seen(skin)) - hue(rgb_to_lab(skin));
            // The light of dusk is blue: skin goes to rose there.
            let most = if look == Look::Dusk { 30.0 } else { 17.0 };
            assert!(turned.abs() < most, "{look:?}: {turned}");
        }
    }

    #[test]
    fn black_and_white_has_no_colour() {
        for look in [Look::Mono, Look::Noir] {
            let [r, g, b] = look.full([0.8, 0.3, 0.1], 50.0);
            assert!((r - g).abs() < 1e-5 && (g - b).abs() < 1e-5);
            assert!((look.share(0.7) - 1.0).abs() < 1e-6);
        }
    }
}
