//! Wishes that are for the sky alone.

use director::{Handle, HandleKind, Wish};
use domain::facts::Facts;

use super::{LookWish, LookWishes, Sheet, Shown};

/// Said until the reference is looked at.
const IF_CLEAR: &str = "the sky must be clear, smooth, and reach the top of the frame";

/// All that is wished of the sky.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SkyWishes {
    /// The picture whose sky takes its place.
    pub(crate) picture: Option<Shown>,
    /// Its colours.
    pub(crate) looks: LookWishes,
    /// The words behind all of this.
    pub(crate) words: Vec<String>,
}

// === impl SkyWishes ===

impl SkyWishes {
    /// Whether the sky stays as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.picture.is_none() && self.looks.is_empty()
    }
}

/// Files a picture whose sky is used.
pub(super) fn read_picture(source: Handle, wish: &Wish, facts: Option<&Facts>, sheet: &mut Sheet) {
    if source.kind == HandleKind::Video {
        sheet.refuse(wish, "roto takes a sky from a picture, not from a video".to_owned());
        return;
    }
    let role = source.role();
    if facts.is_some_and(|facts| facts.find(role).is_none()) {
        sheet.refuse(wish, format!("`{source}` is not among the inputs"));
        return;
    }
    sheet.sky.picture = Some(Shown { role, words: wish.said().to_owned() });
    noted(wish, sheet);
}

/// Files a change of the sky's colours.
pub(super) fn read_look(look: LookWish, wish: &Wish, sheet: &mut Sheet) {
    sheet.sky.looks.add(look);
    noted(wish, sheet);
}

fn noted(wish: &Wish, sheet: &mut Sheet) {
    let words = wish.said().to_owned();
    sheet.say(&words, IF_CLEAR.to_owned(), true);
    sheet.sky.words.push(words);
}
