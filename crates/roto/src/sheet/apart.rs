//! Wishes that are for what moves, or for what is behind it, alone.

use director::{Handle, HandleKind, Target, Wish};
use domain::facts::Facts;

use super::{LookWish, LookWishes, MediumWish, Sheet, Shown};

/// Said until the reference is looked at.
const IF_IT_MOVES: &str = "the subject must move by itself and stand out from what is behind it for its outline to be found";

/// Which of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    /// What moves by itself.
    Subject,
    /// What is behind it.
    Background,
}

/// All that is wished of the subject or of the background alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ApartWishes {
    /// The picture that takes the background's place.
    pub(crate) picture: Option<Shown>,
    /// The background's colours.
    pub(crate) behind: LookWishes,
    /// The subject's colours.
    pub(crate) subject: LookWishes,
    /// What either is repainted in.
    pub(crate) media: Vec<(Apart, MediumWish)>,
    /// The words behind all of this.
    pub(crate) words: Vec<String>,
}

// === impl Apart ===

impl Apart {
    /// The part that a target names, if it is one of both.
    pub(super) fn of(target: &Target) -> Option<Self> {
        match target {
            Target::Subject => Some(Self::Subject),
            Target::Background => Some(Self::Background),
            _ => None,
        }
    }
}

// === impl ApartWishes ===

impl ApartWishes {
    /// Whether nothing is wished of either alone.
    pub(crate) fn is_empty(&self) -> bool {
        self.picture.is_none()
            && self.behind.is_empty()
            && self.subject.is_empty()
            && self.media.is_empty()
    }
}

/// Files a picture that takes the background's place.
pub(super) fn read_picture(source: Handle, wish: &Wish, facts: Option<&Facts>, sheet: &mut Sheet) {
    if source.kind == HandleKind::Video {
        sheet.refuse(wish, "roto takes a background from a picture, not from a video".to_owned());
        return;
    }
    let role = source.role();
    if facts.is_some_and(|facts| facts.find(role).is_none()) {
        sheet.refuse(wish, format!("`{source}` is not among the inputs"));
        return;
    }
    if let Some(first) = sheet.apart.picture.as_ref().filter(|first| first.role != role) {
        let reason = format!("the background is one picture, `{}`", first.name());
        sheet.refuse(wish, reason);
        return;
    }
    sheet.apart.picture = Some(Shown { role, words: wish.said().to_owned() });
    noted(wish, sheet);
}

/// Files a change of the colours of either.
pub(super) fn read_look(apart: Apart, look: LookWish, wish: &Wish, sheet: &mut Sheet) {
    match apart {
        Apart::Subject => sheet.apart.subject.add(look),
        Apart::Background => sheet.apart.behind.add(look),
    }
    noted(wish, sheet);
}

/// Files a medium that either is repainted in; a second one for the same part is unmet.
pub(super) fn read_medium(apart: Apart, medium: MediumWish, wish: &Wish, sheet: &mut Sheet) {
    let same = |(of, other): &&(Apart, MediumWish)| *of == apart && other.when == medium.when;
    if let Some((_, first)) = sheet.apart.media.iter().find(same) {
        let used = format!("{:?}", first.medium).to_lowercase();
        sheet.refuse(wish, format!("that part is repainted in one medium, `{used}`"));
        return;
    }
    sheet.apart.media.push((apart, medium));
    noted(wish, sheet);
}

fn noted(wish: &Wish, sheet: &mut Sheet) {
    let words = wish.said().to_owned();
    sheet.say(&words, IF_IT_MOVES.to_owned(), true);
    sheet.apart.words.push(words);
}
