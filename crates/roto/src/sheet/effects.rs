//! Wishes about light, lens, film and tape.

use director::{Effect, Medium, When, Wish};

use super::{Sheet, unmet};

/// Said of light that has nowhere to come from.
const NO_SOURCE: &str = "no shot has a place bright enough for this light to come from";

/// An effect of light or lens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Light {
    Bloom,
    LitWindows,
    Neon,
    GodRays,
    Flare,
    Backlight,
    Leak,
    Focus,
    Blur,
    Sharpen,
    MotionBlur,
    Fringes,
}

/// Damage and habits of film and tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wear {
    /// Scratches, dust, gate weave and flicker of old film.
    Film,
    /// The same, of narrow film that is well kept.
    Narrow,
    Flicker,
    Tape,
    ScanLines,
    Glitch,
}

/// One effect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EffectWish<K> {
    /// Which.
    pub(crate) kind: K,
    /// How much, 0 to 1.
    pub(crate) strength: f32,
    /// When; `None` is all of the clip.
    pub(crate) when: Option<When>,
    /// The words that asked for it.
    pub(crate) words: String,
}

/// All effects of one stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effects<K>(pub(crate) Vec<EffectWish<K>>);

// === impl Effects ===

impl<K> Default for Effects<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq> Effects<K> {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any is one of `kinds`.
    pub(crate) fn any(&self, kinds: &[K]) -> bool {
        self.0.iter().any(|wish| kinds.contains(&wish.kind))
    }

    fn add(&mut self, kind: K, wish: &Wish, share: f32) {
        let words = wish.said().to_owned();
        let strength = (wish.strength as f32 * share).clamp(0.0, 1.0);
        self.0.push(EffectWish { kind, strength, when: wish.when, words });
    }
}

// === impl Light ===

impl Light {
    /// Whether it needs one bright place in the picture that the light comes from.
    pub(crate) fn has_source(self) -> bool {
        matches!(self, Self::GodRays | Self::Flare | Self::Backlight)
    }

    fn of(effect: Effect) -> Option<Self> {
        Some(match effect {
            Effect::Bloom => Self::Bloom,
            Effect::LightLeak => Self::Leak,
            Effect::LensFlare => Self::Flare,
            Effect::Neon => Self::Neon,
            Effect::GodRays => Self::GodRays,
            Effect::LitWindows => Self::LitWindows,
            Effect::Bokeh | Effect::ShallowFocus => Self::Focus,
            Effect::Blur => Self::Blur,
            Effect::Sharpen => Self::Sharpen,
            Effect::MotionBlur => Self::MotionBlur,
            Effect::ChromaticAberration => Self::Fringes,
            Effect::Backlight => Self::Backlight,
            _ => return None,
        })
    }

    /// What the effect does on a set and not in this engine.
    fn left_out(self) -> Option<&'static str> {
        match self {
            Self::LitWindows => Some("only lights that are in the picture glow; none is added"),
            Self::Neon => Some("no sign is added; the lights of the picture glow and tint it"),
            Self::Focus => Some(
                "no depth is known: sharpness falls off around the subject, not with the distance",
            ),
            Self::MotionBlur => {
                Some("blurred along the camera's motion; what moves by itself is not streaked")
            }
            Self::Backlight => {
                Some("nobody is lit anew; the bright part of the picture spills over its edges")
            }
            _ => None,
        }
    }
}

// === impl Wear ===

impl Wear {
    fn of(effect: Effect) -> Option<Self> {
        Some(match effect {
            Effect::Glitch => Self::Glitch,
            Effect::ScanLines => Self::ScanLines,
            Effect::Scratches => Self::Film,
            Effect::Flicker => Self::Flicker,
            _ => return None,
        })
    }
}

// === impl Sheet ===

impl Sheet {
    /// Leaves effects unmet that need a source of light: no shot has one. What was said of how they
    /// would look is taken back; what else the same words ask for stays.
    pub(crate) fn drop_sourceless(&mut self) {
        let wishes = std::mem::take(&mut self.light.0);
        let (sourceless, kept): (Vec<_>, Vec<_>) =
            wishes.into_iter().partition(|wish| wish.kind.has_source());
        self.light.0 = kept;
        for wish in sourceless {
            let idle = wish.kind.left_out();
            self.unmet.retain(|u| u.words != wish.words || Some(u.reason.as_str()) != idle);
            self.say(&wish.words, NO_SOURCE.to_owned(), false);
        }
    }
}

/// Files a wish about an effect; `false` where it is no matter of light, lens or wear.
pub(super) fn read(effect: Effect, wish: &Wish, sheet: &mut Sheet) -> bool {
    let (light, wear) = (Light::of(effect), Wear::of(effect));
    if light.is_none() && wear.is_none() {
        return false;
    }
    if !wish.on.is_frame() {
        sheet.refuse(wish, unmet::NO_MASK.to_owned());
        return true;
    }
    if let Some(light) = light {
        if let Some(left_out) = light.left_out() {
            sheet.refuse(wish, left_out.to_owned());
        }
        sheet.light.add(light, wish, 1.0);
    }
    if let Some(wear) = wear {
        sheet.wear.add(wear, wish, 1.0);
    }
    true
}

/// What a medium does to the picture beside its colours and its grain.
pub(super) fn read_medium(medium: Medium, wish: &Wish, sheet: &mut Sheet) {
    match medium {
        Medium::Vhs => sheet.wear.add(Wear::Tape, wish, 1.0),
        Medium::Super8 => sheet.wear.add(Wear::Narrow, wish, 1.0),
        Medium::Film16mm => sheet.wear.add(Wear::Narrow, wish, 0.6),
        _ => {}
    }
}
