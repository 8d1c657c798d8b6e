//! Wishes for the strokes of a picture.
//!
//! Pictures that are wished for the same stretch of the clip are one exemplar, mixed by strength;
//! stretches take turns. Where a style picture is there, words for a medium say what it already
//! shows, so they don't add a second one.

use director::{ImageRole, Kept, Medium, ShotPlan, Target, Want, When, Wish};
use domain::facts::Role;

use super::{LEAST_CONFIDENCE, Sheet, keeps_colours, unmet};
use crate::envelope;

/// The strength from which all of the picture is painted.
const ALL_PAINTED: f64 = 0.62;

/// Shares of the source's fine luma, for a strong and for a weak painting, and for one whose
/// faces or lettering must stay.
const DETAIL: [f64; 2] = [0.2, 0.35];
const LEGIBLE_DETAIL: f64 = 0.6;

/// Part of the style's light where the colours stay: with all of it they would darken or fade.
const LIGHT_OF_KEPT_COLOURS: f32 = 0.35;

/// Pictures whose strokes are used together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StyleWish {
    /// The pictures, each with its weight.
    pub(crate) pictures: Vec<(Role, f32)>,
    /// How much, 0 to 1.
    pub(crate) strength: f64,
    /// When; `None` is all of the clip.
    pub(crate) when: Option<When>,
    /// Whether the strokes come without their colours.
    pub(crate) surface_only: bool,
}

/// All strokes, in the order of the prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Styles {
    pub(crate) wishes: Vec<StyleWish>,
    /// Whether faces or lettering must stay legible.
    pub(crate) legible: bool,
}

// === impl StyleWish ===

impl StyleWish {
    /// Part of the painting, 0 to 1.
    pub(crate) fn amount(&self) -> f32 {
        (self.strength / ALL_PAINTED).clamp(0.0, 1.0) as f32
    }

    /// Parts of the painting's light and of its colours.
    pub(crate) fn light_and_colour(&self) -> (f32, f32) {
        if self.surface_only { (LIGHT_OF_KEPT_COLOURS, 0.0) } else { (1.0, 1.0) }
    }

    /// Share of the source's fine luma where the eye reads.
    pub(crate) fn detail(&self, legible: bool) -> f32 {
        let [strong, weak] = DETAIL;
        let along = ((self.strength - 0.5) / 0.5).clamp(0.0, 1.0);
        let usual = weak + along * (strong - weak);
        usual.max(if legible { LEGIBLE_DETAIL } else { 0.0 }) as f32
    }

    /// How closely the strokes follow the scene's lines: 1 is the usual.
    pub(crate) fn structure(&self, legible: bool) -> f32 {
        let usual = 1.0 + (0.7 - self.strength).max(-0.2);
        usual.max(if legible { 1.6 } else { 0.0 }) as f32
    }
}

// === impl Styles ===

impl Styles {
    /// Whether nothing is painted.
    pub(crate) fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    /// How much of each wish there is at `secs` of a clip of `length` seconds. What is wished for
    /// the start, or for all of the clip, makes way for what comes later.
    pub(crate) fn shares(&self, secs: f64, length: f64) -> Vec<f32> {
        let yields = |wish: &StyleWish| matches!(wish.when, None | Some(When::Start));
        let mut shares: Vec<f32> =
            self.wishes.iter().map(|wish| envelope::share(wish.when, secs, length)).collect();
        let timed = || self.wishes.iter().zip(&shares).filter(|(wish, _)| !yields(wish));
        if timed().next().is_some() {
            let rest = 1.0 - timed().map(|(_, share)| share).sum::<f32>().min(1.0);
            for (wish, share) in self.wishes.iter().zip(&mut shares) {
                if yields(wish) {
                    *share = rest;
                }
            }
        }
        shares
    }

    fn add(&mut self, of: Role, surface_only: bool, wish: &Wish) {
        let same = self
            .wishes
            .iter_mut()
            .find(|other| other.when == wish.when && other.surface_only == surface_only);
        match same {
            Some(other) => {
                if other.pictures.iter().all(|(role, _)| *role != of) {
                    other.pictures.push((of, wish.strength as f32));
                }
                other.strength = other.strength.max(wish.strength);
            }
            None => self.wishes.push(StyleWish {
                pictures: vec![(of, wish.strength as f32)],
                strength: wish.strength,
                when: wish.when,
                surface_only,
            }),
        }
    }
}

/// Files a wish for strokes (`ImageRole::Style`) or a surface (`ImageRole::Texture`).
pub(super) fn read(of: Role, role: ImageRole, wish: &Wish, plan: &ShotPlan, sheet: &mut Sheet) {
    if wish.on != Target::Frame {
        sheet.refuse(wish, unmet::NO_MASK.to_owned());
        return;
    }
    sheet.styles.legible = plan.keeps(&Kept::Subject) || plan.keeps(&Kept::Text);
    sheet.styles.add(of, role == ImageRole::Texture || keeps_colours(plan), wish);
}

/// Whether a style picture says how the clip is painted, so that the word for a medium does not.
pub(super) fn outranks(medium: Medium, plan: &ShotPlan) -> bool {
    let painted = !matches!(
        medium,
        Medium::BlackAndWhite
            | Medium::Sepia
            | Medium::Film
            | Medium::Super8
            | Medium::Film16mm
            | Medium::Film35mm
            | Medium::Kodak
            | Medium::Fuji
            | Medium::Technicolor
            | Medium::Polaroid
            | Medium::Vhs
    );
    painted
        && plan.wishes.iter().any(|wish| {
            wish.confidence >= LEAST_CONFIDENCE
                && wish.on == Target::Frame
                && matches!(wish.want, Want::Image { role: ImageRole::Style, source }
                    if source.kind != director::HandleKind::Video)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(n: u32, when: Option<When>) -> StyleWish {
        let pictures = vec![(Role::Image { n }, 0.7)];
        StyleWish { pictures, strength: 0.7, when, surface_only: false }
    }

    #[test]
    fn turns_leave_no_gap() {
        let first = style(1, Some(When::Start));
        let then = style(2, Some(When::End));
        let styles = Styles { wishes: vec![first, then], legible: false };
        for n in 0..120 {
            let shares = styles.shares(f64::from(n) / 24.0, 5.0);
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{n}: {shares:?}");
        }
        assert_eq!(styles.shares(0.0, 5.0), [1.0, 0.0]);
        assert_eq!(styles.shares(5.0, 5.0), [0.0, 1.0]);
    }

    #[test]
    fn a_weaker_word_paints_less_and_shows_more_of_the_scene() {
        let of = |strength| StyleWish { strength, ..style(1, None) };
        let (slightly, usual, heavily) = (of(0.35), of(0.7), of(0.95));
        assert!(slightly.amount() < 0.7 && usual.amount() == 1.0 && heavily.amount() == 1.0);
        assert!(slightly.detail(false) > usual.detail(false));
        assert!(usual.detail(false) > heavily.detail(false) && heavily.detail(false) >= 0.2);
        assert!(heavily.structure(false) < usual.structure(false));
        assert!(usual.detail(true) > slightly.detail(false));
    }
}
