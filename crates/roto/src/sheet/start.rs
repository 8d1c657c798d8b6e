//! Wishes that a picture is where the clip starts, where it ends, or what the camera moves over.

use director::{Handle, HandleKind, ImageRole, ShotPlan, Task, Want, Wish};
use domain::facts::{Facts, Role};

use super::{Sheet, unmet};

/// A picture and the words that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Which input.
    pub(crate) role: Role,
    /// The words.
    pub(crate) words: String,
}

/// Pictures that the clip shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pictures {
    /// The reference's camera moves over this one, from the first frame to the last.
    pub(crate) filmed: Option<Shown>,
    /// The clip starts on it and turns into the reference.
    pub(crate) first: Option<Shown>,
    /// The clip ends on it.
    pub(crate) last: Option<Shown>,
}

// === impl Shown ===

impl Shown {
    /// As the prompt names it.
    pub(crate) fn name(&self) -> String {
        match self.role {
            Role::Video { n } => format!("@Video{n}"),
            Role::Image { n } => format!("@Image{n}"),
            Role::ElementFrontal { n } | Role::ElementView { n, .. } => format!("@Element{n}"),
        }
    }
}

// === impl Pictures ===

impl Pictures {
    /// Whether the clip comes from or turns into a picture.
    pub(crate) fn has_ends(&self) -> bool {
        self.first.is_some() || self.last.is_some()
    }
}

/// Files a camera path that goes over a picture.
pub(super) fn read_transfer(
    start: Option<Handle>,
    words: &str,
    plan: &ShotPlan,
    facts: Option<&Facts>,
    sheet: &mut Sheet,
) {
    let Some(source) = start.or_else(|| start_frame(plan)) else {
        let reason = "no picture is named that the camera could move over, and roto invents none";
        sheet.say(words, reason.to_owned(), false);
        return;
    };
    sheet.pictures.filmed = picture(source, words, facts, sheet);
}

/// Files a picture that the clip starts or ends with.
pub(super) fn read(
    source: Handle,
    role: ImageRole,
    wish: &Wish,
    plan: &ShotPlan,
    facts: Option<&Facts>,
    sheet: &mut Sheet,
) {
    if role == ImageRole::EndFrame {
        sheet.pictures.last = picture(source, wish.said(), facts, sheet);
        return;
    }
    let filmed = plan.tasks().any(|task| matches!(task, Task::CameraTransfer { .. }));
    if !filmed {
        sheet.pictures.first = picture(source, wish.said(), facts, sheet);
        return;
    }
    if sheet.pictures.filmed.as_ref().is_some_and(|filmed| filmed.role != source.role()) {
        sheet.refuse(wish, "the camera moves over another picture".to_owned());
    }
}

/// The picture that the plan's wishes start from.
fn start_frame(plan: &ShotPlan) -> Option<Handle> {
    plan.wishes.iter().find_map(|wish| match &wish.want {
        Want::Image { source, role: ImageRole::StartFrame } => Some(*source),
        _ => None,
    })
}

fn picture(source: Handle, words: &str, facts: Option<&Facts>, sheet: &mut Sheet) -> Option<Shown> {
    let role = source.role();
    if source.kind == HandleKind::Video {
        sheet.say(words, unmet::INVENTS_NOTHING.to_owned(), false);
        return None;
    }
    if facts.is_some_and(|facts| facts.find(role).is_none()) {
        sheet.say(words, format!("`{source}` is not among the inputs"), false);
        return None;
    }
    Some(Shown { role, words: words.to_owned() })
}
