//! What the engine reads out of a plan, before any pixel is touched.
//!
//! [`Sheet::of`] is the one place that decides which wish goes to which pass and which is left
//! unmet, so an assessment and a run can't disagree: both read the same sheet. A pass that the
//! engine learns later takes its wishes out of [`unmet`] and adds a field here.

mod apart;
mod camera;
mod effects;
mod layers;
mod looks;
mod medium;
mod sky;
mod start;
mod style;
#[cfg(test)]
mod tests;
mod time;
mod unmet;
mod weather;

pub(crate) use apart::{Apart, ApartWishes};
pub(crate) use camera::{Framing, Move, Moves};
pub(crate) use effects::{EffectWish, Effects, Light, Wear};
pub(crate) use layers::{LayerWish, Side};
pub(crate) use looks::{Finish, LookKind, LookWish, LookWishes};
pub(crate) use medium::MediumWish;
pub(crate) use sky::SkyWishes;
pub(crate) use start::{Pictures, Shown};
pub(crate) use style::{StyleWish, Styles};
pub(crate) use time::{Course, TimeWish, Timing};
pub(crate) use weather::{Air, WeatherWish};

use director::{ImageRole, Kept, NeedKind, ShotPlan, Sound, Want, Wish};
use domain::facts::Facts;
use engine::Unmet;

/// Readings below this confidence are left alone, and named.
const LEAST_CONFIDENCE: f64 = 0.3;

/// The passes of one clip and what none of them does.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Sheet {
    /// How the reference's time runs.
    pub(crate) timing: Timing,
    /// How the frame moves over the reference.
    pub(crate) framing: Framing,
    /// Pictures that the clip shows.
    pub(crate) pictures: Pictures,
    /// What happens to the sky alone.
    pub(crate) sky: SkyWishes,
    /// What happens to the subject or to the background alone.
    pub(crate) apart: ApartWishes,
    /// What is put into the scene, in order of drawing.
    pub(crate) layers: Vec<LayerWish>,
    /// How the colours change.
    pub(crate) looks: LookWishes,
    /// What is in the air, in the order of the prompt.
    pub(crate) weather: Vec<WeatherWish>,
    /// Whose strokes it is painted in.
    pub(crate) styles: Styles,
    /// What light and lens do.
    pub(crate) light: Effects<Light>,
    /// What film and tape do.
    pub(crate) wear: Effects<Wear>,
    /// What it is repainted in.
    pub(crate) media: Vec<MediumWish>,
    /// What is laid over the finished picture.
    pub(crate) finish: Finish,
    /// Whether the prompt takes the sound away.
    pub(crate) mute: bool,
    /// What is not done.
    pub(crate) unmet: Vec<Unmet>,
}

// === impl Sheet ===

impl Sheet {
    /// Sorts the plan's wishes.
    pub(crate) fn of(plan: &ShotPlan, facts: Option<&Facts>) -> Self {
        let mut sheet = Self::default();
        for task in plan.tasks() {
            time::read_task(task, plan, facts, &mut sheet);
        }
        for wish in &plan.wishes {
            if wish.confidence < LEAST_CONFIDENCE {
                let sure = wish.confidence;
                sheet.refuse(wish, format!("it is too unsure a reading (`{sure:.2}`) to act on"));
            } else {
                sheet.read(wish, plan, facts);
            }
        }
        for overruled in &plan.overruled {
            let by = &overruled.by.text;
            sheet.refuse(&overruled.wish, format!("`{by}` forbids it"));
        }
        if plan.needs.iter().any(|need| need.kind == NeedKind::NoSound) && plan.keep_sound {
            sheet.say("keep the sound", "the reference has no sound".to_owned(), false);
        }
        sheet
    }

    /// Files one wish with the pass that does it.
    fn read(&mut self, wish: &Wish, plan: &ShotPlan, facts: Option<&Facts>) {
        match &wish.want {
            // Tasks are read off the plan's head; the length and the shape are the request's.
            Want::Task { .. } | Want::Frame { .. } | Want::Length { .. } => {}
            Want::Time { change } => self.timing.add(*change, wish),
            Want::Camera { act, direction } => camera::read(*act, *direction, wish, plan, self),
            Want::Place(placement) => layers::read(placement, wish, plan, facts, self),
            Want::Image { source, role: role @ (ImageRole::StartFrame | ImageRole::EndFrame) } => {
                start::read(*source, *role, wish, plan, facts, self);
            }
            Want::Image { source, role: ImageRole::Sky } => {
                sky::read_picture(*source, wish, facts, self);
            }
            Want::Image { source, role: ImageRole::Background } => {
                apart::read_picture(*source, wish, facts, self);
            }
            Want::Image { source, role } => looks::read_image(*source, *role, wish, plan, self),
            Want::Sound { sound } => self.read_sound(*sound, wish),
            Want::Medium { medium } if style::outranks(*medium, plan) => {
                self.refuse(wish, unmet::STYLE_WINS.to_owned());
            }
            Want::TimeOfDay { .. }
            | Want::Mood { .. }
            | Want::Weather { .. }
            | Want::Medium { .. }
            | Want::Grade { .. }
            | Want::Effect { .. } => looks::read(wish, plan, self),
            Want::Content { .. } => self.refuse(wish, unmet::INVENTS_NOTHING.to_owned()),
        }
    }

    fn read_sound(&mut self, sound: Sound, wish: &Wish) {
        match sound {
            Sound::Keep => {}
            Sound::Mute => self.mute = true,
            Sound::New => self.refuse(wish, "roto makes no sound of its own".to_owned()),
        }
    }

    /// Whether the clip shows a picture in place of the reference.
    pub(crate) fn over_picture(&self) -> bool {
        self.pictures.filmed.is_some()
    }

    /// Leaves a wish unmet.
    fn refuse(&mut self, wish: &Wish, reason: String) {
        self.say(wish.said(), reason, false);
    }

    /// Leaves words unmet; the same pair is said once.
    pub(crate) fn say(&mut self, words: &str, reason: String, provisional: bool) {
        let words = words.to_owned();
        if !self.unmet.iter().any(|u| u.words == words && u.reason == reason) {
            self.unmet.push(Unmet { words, reason, provisional });
        }
    }

    /// The names of the passes that run, in their order.
    pub(crate) fn passes(&self, plan: &ShotPlan) -> Vec<String> {
        let reframes = plan.needs.iter().any(|n| matches!(n.kind, NeedKind::Reframe { .. }));
        let fits = plan.needs.iter().any(|n| matches!(n.kind, NeedKind::FitLength { .. }));
        let mut passes = Vec::new();
        let mut add = |wanted: bool, name: &str| {
            if wanted {
                passes.push(name.to_owned());
            }
        };
        add(!self.over_picture() && (self.timing.changes_time() || fits), "time");
        add(self.over_picture(), "camera_transfer");
        add(!self.over_picture() && (self.framing.moves_frame() || reframes), "framing");
        add(self.pictures.has_ends(), "pictures");
        add(self.sky.picture.is_some(), "sky");
        add(self.apart.picture.is_some(), "background");
        add(!self.layers.is_empty(), "elements");
        let (graded, strokes) = (!self.looks.is_empty(), !self.styles.is_empty());
        add(graded && !strokes, "grade");
        add(!self.sky.looks.is_empty(), "sky_grade");
        add(!self.apart.behind.is_empty(), "background_grade");
        add(!self.apart.subject.is_empty(), "subject_grade");
        add(!self.weather.is_empty(), "weather");
        add(strokes, "style");
        add(graded && strokes, "grade");
        add(!self.light.is_empty(), "light");
        add(!self.media.is_empty(), "medium");
        let painted = |part| self.apart.media.iter().any(|(apart, _)| *apart == part);
        add(painted(Apart::Background), "background_medium");
        add(painted(Apart::Subject), "subject_medium");
        add(!self.wear.is_empty(), "wear");
        add(!self.finish.is_empty(), "finish");
        passes
    }
}

/// Whether the plan says that colours stay.
fn keeps_colours(plan: &ShotPlan) -> bool {
    plan.keeps(&Kept::Colours) || plan.keeps(&Kept::Style)
}
