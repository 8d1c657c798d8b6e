//! Wishes about weather.

use director::{ShotPlan, Weather, When, Wish};

use super::looks::{LookKind, LookWish};
use super::{Sheet, keeps_colours, unmet};
use crate::look::{Look, Part};

/// What is in the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Air {
    Rain,
    Storm,
    Lightning,
    Snow,
    Fog,
    Dust,
    Smoke,
}

/// One kind of weather.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeatherWish {
    /// Which.
    pub(crate) air: Air,
    /// How much, 0 to 1.
    pub(crate) strength: f32,
    /// When; `None` is all of the clip.
    pub(crate) when: Option<When>,
}

// === impl Air ===

impl Air {
    fn of(weather: Weather) -> Option<Self> {
        Some(match weather {
            Weather::Rain => Self::Rain,
            Weather::Storm => Self::Storm,
            Weather::Lightning => Self::Lightning,
            Weather::Snow => Self::Snow,
            Weather::Fog => Self::Fog,
            Weather::Dust => Self::Dust,
            Weather::Smoke => Self::Smoke,
            Weather::Overcast | Weather::Sunny | Weather::Wind => return None,
        })
    }

    /// What weather of this kind does in the world and not in this engine.
    fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Rain => Some("wet ground and reflections are not made; the rain is"),
            Self::Storm => Some(
                "wet ground and things that bend in the wind are not made; rain, air and flashes are",
            ),
            Self::Snow => Some("snow that lies on the ground is not made; the falling snow is"),
            Self::Lightning => Some("no bolt is drawn; the scene lights up in flashes"),
            Self::Fog | Self::Dust | Self::Smoke => None,
        }
    }

    /// The light under such a sky, and how much of it for each part of the weather.
    fn sky(self) -> Option<(Look, f32)> {
        match self {
            Self::Rain => Some((Look::Overcast, 1.1)),
            Self::Storm => Some((Look::Ominous, 1.0)),
            Self::Snow => Some((Look::Overcast, 0.95)),
            Self::Fog => Some((Look::Overcast, 0.6)),
            Self::Lightning | Self::Dust | Self::Smoke => None,
        }
    }
}

/// Files a wish about weather; `false` where it is a matter of colours alone.
pub(super) fn read(weather: Weather, wish: &Wish, plan: &ShotPlan, sheet: &mut Sheet) -> bool {
    let Some(air) = Air::of(weather) else { return false };
    if !wish.on.is_frame() {
        sheet.refuse(wish, unmet::NO_MASK.to_owned());
        return true;
    }
    if let Some(left_out) = air.left_out() {
        sheet.refuse(wish, left_out.to_owned());
    }
    let (strength, when) = (wish.strength as f32, when(wish, plan));
    sheet.weather.push(WeatherWish { air, strength, when });
    if let Some((look, share)) = air.sky()
        && !keeps_colours(plan)
    {
        let look = LookKind::Named(look);
        let strength = strength * share;
        sheet.looks.add(LookWish { look, strength, part: Part::All, when });
    }
    true
}

/// When the weather is. What begins "halfway" goes on: rain that starts does not stop with the
/// middle of the clip.
fn when(wish: &Wish, plan: &ShotPlan) -> Option<When> {
    let prompt = plan.prompt.to_lowercase();
    let begins = prompt.contains("halfway") || prompt.contains("midway");
    match wish.when {
        Some(When::Middle) if begins => {
            Some(When::From { secs: f64::from(plan.length_secs) / 2.0 })
        }
        when => when,
    }
}
