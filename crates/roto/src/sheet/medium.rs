//! Wishes for another medium: one at a time, but a pen may go over paint.

use director::{Kept, Medium, ShotPlan, Target, When, Wish};

use super::{Apart, Sheet, apart, unmet};

/// A medium that the picture is repainted in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MediumWish {
    /// Which; never a film stock, and none that invents.
    pub(crate) medium: Medium,
    /// Drawn over it.
    pub(crate) over: Option<Medium>,
    /// How much, 0 to 1.
    pub(crate) strength: f32,
    /// When; `None` is all of the clip.
    pub(crate) when: Option<When>,
    /// Whether the prompt keeps the colours: pencils are coloured ones then.
    pub(crate) keeps_colours: bool,
}

/// Files a wish for a medium that repaints; `false` if it is none.
pub(super) fn read(medium: Medium, wish: &Wish, plan: &ShotPlan, sheet: &mut Sheet) -> bool {
    if !repaints(medium) {
        return false;
    }
    if wish.on != Target::Frame {
        match Apart::of(&wish.on) {
            Some(part) => apart::read_medium(part, of(medium, wish, plan), wish, sheet),
            None => sheet.refuse(wish, unmet::NO_MASK.to_owned()),
        }
        return true;
    }
    let apart = |other: &MediumWish| other.when.is_some() && wish.when.is_some();
    if let Some(first) = sheet.media.iter_mut().find(|other| !apart(other)) {
        let (base, pen) = if draws(first.medium) && !draws(medium) {
            (medium, first.medium)
        } else {
            (first.medium, medium)
        };
        if base == pen || names_again(base, pen) || names_again(pen, base) {
            if is_general(first.medium) {
                first.medium = medium;
            }
            return true;
        }
        if first.over.is_none() && draws(pen) && !draws(base) && takes_lines(base) {
            (first.medium, first.over) = (base, Some(pen));
        } else {
            let used = format!("{:?}", first.medium).to_lowercase();
            sheet.refuse(wish, format!("the picture is repainted in one medium, `{used}`"));
        }
        return true;
    }
    sheet.media.push(of(medium, wish, plan));
    true
}

fn of(medium: Medium, wish: &Wish, plan: &ShotPlan) -> MediumWish {
    MediumWish {
        medium,
        over: None,
        strength: wish.strength as f32,
        when: wish.when,
        keeps_colours: plan.keeps(&Kept::Colours),
    }
}

fn repaints(medium: Medium) -> bool {
    takes_lines(medium)
        || draws(medium)
        || matches!(
            medium,
            Medium::Pixel
                | Medium::Mosaic
                | Medium::StainedGlass
                | Medium::Linocut
                | Medium::Charcoal
                | Medium::Comic
                | Medium::Woodblock
        )
}

/// A word for paint or drawing at large.
fn is_general(medium: Medium) -> bool {
    matches!(medium, Medium::Painting | Medium::Sketch)
}

/// Whether `general` says no more than `medium` does: "an oil painting with brush strokes".
fn names_again(general: Medium, medium: Medium) -> bool {
    match general {
        Medium::Painting => takes_lines(medium),
        Medium::Sketch => draws(medium) || medium == Medium::Charcoal,
        _ => false,
    }
}

/// Media of which the lines alone make sense over paint.
fn draws(medium: Medium) -> bool {
    matches!(medium, Medium::Ink | Medium::Pencil | Medium::Sketch)
}

/// Media that take lines over them.
fn takes_lines(medium: Medium) -> bool {
    matches!(
        medium,
        Medium::Watercolour
            | Medium::Oil
            | Medium::Painting
            | Medium::Gouache
            | Medium::Impressionist
            | Medium::Pastel
            | Medium::InkWash
            | Medium::Anime
            | Medium::Cartoon
    )
}
