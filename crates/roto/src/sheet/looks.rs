//! Wishes about colours and light.

use director::{
    Effect, Grade, Handle, HandleKind, ImageRole, Medium, Mood, ShotPlan, Target, TimeOfDay, Want,
    Weather, When, Wish,
};
use domain::facts::Role;

use super::{
    Apart, LayerWish, Sheet, apart, effects, keeps_colours, medium, sky, style, unmet, weather,
};
use crate::look::{Look, Part};

/// One colour change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LookWish {
    /// Which.
    pub(crate) look: LookKind,
    /// How much, 0 to 1.
    pub(crate) strength: f32,
    /// Which tones.
    pub(crate) part: Part,
    /// When; `None` is all of the clip.
    pub(crate) when: Option<When>,
}

/// Where a colour change comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LookKind {
    /// A named look.
    Named(Look),
    /// The colours of an input picture.
    Colours {
        /// Whose.
        of: Role,
        /// Its spread of light and dark as well, not its hues and mean alone.
        light: bool,
    },
}

/// All colour changes, in the order of the prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct LookWishes {
    /// The changes.
    pub(crate) wishes: Vec<LookWish>,
}

/// What is laid over the finished picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Finish {
    /// Standard deviation of added grain in luma codes; 0 is none.
    pub(crate) grain: f32,
    /// Radius of its crystals in px of a picture 720 px high; 0 is as fine as can be.
    pub(crate) grain_size: f32,
    /// How much darker the corners are, 0 to 1.
    pub(crate) vignette: f32,
    /// Width over height of the picture between bars; 0 is no bars.
    pub(crate) letterbox: f32,
}

// === impl LookWishes ===

impl LookWishes {
    /// Whether the colours stay as they are.
    pub(crate) fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    /// Adds a change. The same look said twice ("cyberpunk, like Blade Runner") is one change, as
    /// strong as the stronger.
    pub(super) fn add(&mut self, new: LookWish) {
        let same = |kept: &&mut LookWish| {
            (kept.look, kept.part, kept.when) == (new.look, new.part, new.when)
        };
        match self.wishes.iter_mut().find(same) {
            Some(kept) => kept.strength = kept.strength.max(new.strength),
            None => self.wishes.push(new),
        }
    }

    /// The pictures whose colours are used.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = Role> + '_ {
        self.wishes.iter().filter_map(|wish| match wish.look {
            LookKind::Colours { of, .. } => Some(of),
            LookKind::Named(_) => None,
        })
    }
}

// === impl Finish ===

impl Finish {
    /// Whether nothing is laid over.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Files what is taken from a picture.
pub(super) fn read_image(
    source: Handle,
    role: ImageRole,
    wish: &Wish,
    plan: &ShotPlan,
    sheet: &mut Sheet,
) {
    let light = match role {
        ImageRole::Style | ImageRole::Texture if source.kind == HandleKind::Video => {
            let reason = "roto takes strokes from pictures, not from videos";
            sheet.refuse(wish, reason.to_owned());
            return;
        }
        ImageRole::Style | ImageRole::Texture => {
            style::read(source.role(), role, wish, plan, sheet);
            return;
        }
        ImageRole::Lighting => true,
        ImageRole::Palette => false,
        // A picture that the clip shows lends nothing else.
        ImageRole::StartFrame | ImageRole::EndFrame | ImageRole::Sky | ImageRole::Background => {
            return;
        }
        ImageRole::Composition | ImageRole::Subject => {
            sheet.refuse(wish, unmet::INVENTS_NOTHING.to_owned());
            return;
        }
    };
    if source.kind == HandleKind::Video {
        sheet.refuse(wish, "roto takes colours from pictures, not from videos".to_owned());
        return;
    }
    if keeps_colours(plan) {
        sheet.refuse(wish, "the prompt keeps the colours as they are".to_owned());
        return;
    }
    file(LookKind::Colours { of: source.role(), light }, wish, sheet);
}

/// Files a wish about light, time of day, mood, weather, medium or effect.
pub(super) fn read(wish: &Wish, plan: &ShotPlan, sheet: &mut Sheet) {
    let found = match &wish.want {
        Want::Medium { medium: repainted } if medium::read(*repainted, wish, plan, sheet) => return,
        Want::TimeOfDay { time } => Answer::look(time_of_day(*time)),
        Want::Mood { mood } => Answer::look(of_mood(*mood)),
        Want::Weather { weather: kind } if weather::read(*kind, wish, plan, sheet) => return,
        Want::Weather { weather } => of_weather(*weather),
        Want::Medium { medium } => {
            effects::read_medium(*medium, wish, sheet);
            of_medium(*medium)
        }
        Want::Grade { grade } => Answer::look(of_grade(*grade)),
        Want::Effect { effect } if effects::read(*effect, wish, sheet) => return,
        Want::Effect { effect } => of_effect(*effect),
        _ => return,
    };
    if let Some(reason) = found.refused {
        sheet.refuse(wish, reason.to_owned());
    }
    let strength = wish.strength as f32;
    let finish = &mut sheet.finish;
    finish.grain = finish.grain.max(found.finish.grain * strength);
    finish.grain_size = finish.grain_size.max(found.finish.grain_size);
    finish.vignette = finish.vignette.max(found.finish.vignette * strength);
    finish.letterbox = finish.letterbox.max(found.finish.letterbox);
    let Some(look) = found.look else { return };
    if keeps_colours(plan) && !look.is_tone_only() {
        sheet.refuse(wish, "the prompt keeps the colours as they are".to_owned());
        return;
    }
    file(LookKind::Named(look), wish, sheet);
}

/// Files a colour change with the part of the picture that it is for.
fn file(look: LookKind, wish: &Wish, sheet: &mut Sheet) {
    let change = |part| LookWish { look, strength: wish.strength as f32, part, when: wish.when };
    match part(&wish.on) {
        Some(part) => sheet.looks.add(change(part)),
        None if wish.on == Target::Sky => sky::read_look(change(Part::All), wish, sheet),
        None => match Apart::of(&wish.on) {
            Some(apart) => apart::read_look(apart, change(Part::All), wish, sheet),
            None => sheet.refuse(wish, unmet::NO_MASK.to_owned()),
        },
    }
}

/// The tones that a target names; `None` where it is a part of the scene.
fn part(target: &Target) -> Option<Part> {
    match target {
        Target::Frame => Some(Part::All),
        Target::Shadows => Some(Part::Shadows),
        Target::Highlights => Some(Part::Highlights),
        Target::Skin => Some(Part::Skin),
        Target::Sky
        | Target::Background
        | Target::Foreground
        | Target::Subject
        | Target::Thing { .. } => None,
    }
}

/// What the engine has for a word.
#[derive(Default)]
struct Answer {
    look: Option<Look>,
    finish: Finish,
    refused: Option<&'static str>,
}

impl Answer {
    fn look(look: Look) -> Self {
        Self { look: Some(look), ..Self::default() }
    }

    fn refused(reason: &'static str) -> Self {
        Self { refused: Some(reason), ..Self::default() }
    }

    fn film(look: Look, grain: f32, vignette: f32) -> Self {
        // Narrower film is magnified more: its grain is larger as well as stronger.
        let grain_size = 0.45 + 0.06 * grain;
        let finish = Finish { grain, grain_size, vignette, letterbox: 0.0 };
        Self { look: Some(look), finish, refused: None }
    }
}

fn time_of_day(time: TimeOfDay) -> Look {
    match time {
        TimeOfDay::Dawn => Look::Dawn,
        TimeOfDay::Morning => Look::Morning,
        TimeOfDay::Midday => Look::Midday,
        TimeOfDay::GoldenHour => Look::GoldenHour,
        TimeOfDay::Sunset => Look::Sunset,
        TimeOfDay::Dusk => Look::Dusk,
        TimeOfDay::BlueHour => Look::BlueHour,
        TimeOfDay::Night => Look::Night,
        TimeOfDay::Moonlit => Look::Moonlit,
    }
}

fn of_mood(mood: Mood) -> Look {
    match mood {
        Mood::Noir => Look::Noir,
        Mood::Cinematic => Look::Cinematic,
        Mood::Dreamy => Look::Dreamy,
        Mood::Ominous => Look::Ominous,
        Mood::Gritty => Look::Gritty,
        Mood::Melancholic => Look::Melancholic,
        Mood::Cheerful => Look::Cheerful,
        Mood::Romantic => Look::Romantic,
        Mood::Nostalgic => Look::Nostalgic,
        Mood::Calm => Look::Calm,
        Mood::Epic => Look::Epic,
        Mood::Mysterious => Look::Mysterious,
        Mood::Cyberpunk => Look::Cyberpunk,
        Mood::Synthwave => Look::Synthwave,
        Mood::PostApocalyptic => Look::PostApocalyptic,
    }
}

fn of_grade(grade: Grade) -> Look {
    match grade {
        Grade::Warm => Look::Warm,
        Grade::Cool => Look::Cool,
        Grade::TealOrange => Look::TealOrange,
        Grade::BleachBypass => Look::BleachBypass,
        Grade::HighContrast => Look::HighContrast,
        Grade::LowContrast => Look::LowContrast,
        Grade::Desaturated => Look::Desaturated,
        Grade::Vivid => Look::Vivid,
        Grade::Faded => Look::Faded,
        Grade::Brighter => Look::Brighter,
        Grade::Darker => Look::Darker,
        Grade::Pastel => Look::Pastel,
        Grade::CrossProcess => Look::CrossProcess,
        Grade::DayForNight => Look::Night,
        Grade::Tint { red, green, blue } => Look::Tint([red, green, blue]),
    }
}

fn of_weather(weather: Weather) -> Answer {
    match weather {
        Weather::Overcast => Answer::look(Look::Overcast),
        Weather::Sunny => Answer::look(Look::Sunny),
        _ => Answer::refused(unmet::INVENTS_NOTHING),
    }
}

fn of_medium(medium: Medium) -> Answer {
    match medium {
        Medium::BlackAndWhite => Answer::look(Look::Mono),
        Medium::Sepia => Answer::look(Look::Sepia),
        Medium::Film | Medium::Film35mm => Answer::film(Look::Film, 4.0, 0.15),
        Medium::Film16mm => Answer::film(Look::Film, 8.0, 0.3),
        Medium::Super8 => Answer::film(Look::Super8, 12.0, 0.6),
        Medium::Kodak => Answer::film(Look::Kodak, 4.0, 0.0),
        Medium::Fuji => Answer::film(Look::Fuji, 4.0, 0.0),
        Medium::Technicolor => Answer::look(Look::Technicolor),
        Medium::Polaroid => Answer::film(Look::Polaroid, 5.0, 0.4),
        Medium::Vhs => Answer::look(Look::Vhs),
        // Those that repaint never come here.
        _ => Answer::refused(unmet::INVENTS_NOTHING),
    }
}

fn of_effect(effect: Effect) -> Answer {
    let finish = |finish| Answer { finish, ..Answer::default() };
    match effect {
        Effect::Grain => finish(Finish { grain: 11.0, grain_size: 0.8, ..Finish::default() }),
        Effect::Vignette => finish(Finish { vignette: 1.0, ..Finish::default() }),
        Effect::Letterbox => finish(Finish { letterbox: 2.39, ..Finish::default() }),
        Effect::HardShadows => Answer::look(Look::HighContrast),
        Effect::SoftLight => Answer::look(Look::LowContrast),
        _ => Answer::default(),
    }
}

impl LayerWish {
    /// A short name for reports: `element 1`.
    pub(crate) fn name(&self) -> String {
        match self.role {
            Role::Video { n } => format!("@Video{n}"),
            Role::Image { n } => format!("@Image{n}"),
            Role::ElementFrontal { n } | Role::ElementView { n, .. } => format!("@Element{n}"),
        }
    }
}
