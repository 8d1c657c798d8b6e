//! Wishes about things put into the scene.

use director::{
    Edge, Entry, Handle, HandleKind, Path, Pivot, Place, Placement, ShotPlan, Side as Beside, Want,
    When, Wish,
};
use domain::facts::{Facts, MediaFacts, Role};

use super::Sheet;

/// Which side of the frame a layer stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The left third.
    Left,
    /// The middle.
    Centre,
    /// The right third.
    Right,
}

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LayerWish {
    /// The input that shows it.
    pub(crate) role: Role,
    /// The words that asked for it.
    pub(crate) words: String,
    /// Side of the frame, where one was named.
    pub(crate) side: Option<Side>,
    /// In the air, not on the ground.
    pub(crate) airborne: bool,
    /// Near the top of the frame.
    pub(crate) high: bool,
    /// Size relative to what looks natural.
    pub(crate) scale: f32,
    /// Size that its distance gives it: 1 in the middle distance.
    pub(crate) nearness: f32,
    /// The element that it is placed by, and on which side of it.
    pub(crate) landmark: Option<(Role, Beside)>,
    /// The edge that it comes in from.
    pub(crate) from: Option<Edge>,
    /// It becomes visible where it is.
    pub(crate) appears: bool,
    /// How it moves.
    pub(crate) path: Option<Path>,
    /// When it is there; `None` is all of the clip.
    pub(crate) when: Option<When>,
}

// === impl LayerWish ===

impl LayerWish {
    /// Whether it needs ground under it.
    pub(crate) fn stands(&self) -> bool {
        !self.airborne && !self.high
    }
}

/// Files a placement.
pub(super) fn read(
    placement: &Placement,
    wish: &Wish,
    plan: &ShotPlan,
    facts: Option<&Facts>,
    sheet: &mut Sheet,
) {
    if let Some(thing) = &placement.replaces {
        let reason = format!("roto can't take `{thing}` out of the picture to put another there");
        sheet.refuse(wish, reason);
        return;
    }
    let role = placement.source.role();
    if placement.source.kind == HandleKind::Video {
        sheet.refuse(wish, "roto puts pictures into the scene, not videos".to_owned());
        return;
    }
    let role = match facts.map(|facts| usable(placement.source, role, facts)) {
        Some(None) => {
            sheet.refuse(wish, format!("`{}` is not among the inputs", placement.source));
            return;
        }
        Some(Some(found)) => found,
        None => role,
    };
    let landmark = placement.pivot.as_ref().and_then(|pivot| landmark(pivot, placement, plan));
    let layer = layer(placement, role, landmark, wish);
    say_limits(placement, landmark.is_some(), wish, sheet);
    if !cut_is_sure(role, facts) {
        // Whether the background is plain is only known once the picture is looked at.
        let reason = format!(
            "`{}` needs an alpha channel or a plain background to be cut out",
            placement.source
        );
        sheet.say(wish.said(), reason, true);
    }
    sheet.layers.push(layer);
}

/// The view of an element to use: the frontal one, or the first that there is.
fn usable(source: Handle, role: Role, facts: &Facts) -> Option<Role> {
    if facts.find(role).is_some() {
        return Some(role);
    }
    (source.kind == HandleKind::Element)
        .then(|| facts.element(source.n).next().map(|input| input.role))
        .flatten()
}

fn cut_is_sure(role: Role, facts: Option<&Facts>) -> bool {
    facts
        .and_then(|facts| facts.find(role))
        .is_some_and(|input| matches!(&input.media, MediaFacts::Image(image) if image.has_alpha))
}

/// The other layer that a place is relative to, if it is one.
fn landmark(pivot: &Pivot, own: &Placement, plan: &ShotPlan) -> Option<(Role, Beside)> {
    let handle = pivot.thing.split_whitespace().find_map(|word| {
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@').parse::<Handle>().ok()
    })?;
    let placed = plan.wishes.iter().find_map(|wish| match &wish.want {
        Want::Place(other) if other.source == handle => Some(other),
        _ => None,
    })?;
    // Two layers that stand by each other stand nowhere.
    let circular = placed.pivot.is_some() || handle == own.source;
    (!circular).then(|| (handle.role(), pivot.side))
}

fn layer(
    placement: &Placement,
    role: Role,
    landmark: Option<(Role, Beside)>,
    wish: &Wish,
) -> LayerWish {
    // What is named but not found still says on which side the layer would be.
    let implied = placement.pivot.as_ref().filter(|_| landmark.is_none()).map(|pivot| pivot.side);
    let at = |place: Place| placement.at.contains(&place);
    let side =
        [(Place::Left, Side::Left), (Place::Right, Side::Right), (Place::Centre, Side::Centre)]
            .into_iter()
            .find_map(|(place, side)| at(place).then_some(side))
            .or(match implied {
                Some(Beside::LeftOf) => Some(Side::Left),
                Some(Beside::RightOf) => Some(Side::Right),
                _ => None,
            });
    let airborne = at(Place::Sky) || matches!(placement.path, Some(Path::Flies | Path::Floats));
    let nearness = match () {
        () if at(Place::Foreground) => 1.5,
        () if at(Place::Background) => 0.55,
        () if implied == Some(Beside::Behind) => 0.75,
        () if implied == Some(Beside::InFront) => 1.15,
        () => 1.0,
    };
    LayerWish {
        role,
        words: wish.said().to_owned(),
        side,
        airborne,
        high: at(Place::Sky) || at(Place::Top) || implied == Some(Beside::Above),
        scale: (placement.scale as f32).clamp(0.25, 3.0),
        nearness,
        landmark,
        from: match placement.entry {
            Some(Entry::From(edge)) => Some(edge),
            _ => None,
        },
        appears: placement.entry == Some(Entry::Appears),
        path: placement.path,
        when: wish.when,
    }
}

/// Names the parts of a placement that a rigid picture can't do.
fn say_limits(placement: &Placement, by_another: bool, wish: &Wish, sheet: &mut Sheet) {
    if matches!(placement.path, Some(Path::Walks | Path::Runs)) {
        let reason = "a cut-out picture glides along; its limbs don't move";
        sheet.refuse(wish, reason.to_owned());
    }
    if matches!(placement.path, Some(Path::Spins)) {
        sheet.refuse(wish, "a flat picture has no other sides to turn to".to_owned());
    }
    if let Some(pivot) = placement.pivot.as_ref().filter(|_| !by_another) {
        let reason = format!(
            "roto does not find `{}` in the picture; the layer goes to a free place on the side that the words imply",
            pivot.thing
        );
        sheet.refuse(wish, reason);
    }
    if placement.at.contains(&Place::Water) {
        sheet.refuse(wish, "no reflection on water is made".to_owned());
    }
}
