//! Elements put into the scene: where, beside what, how they come in and move.

use std::ops::Range;

use crate::handle::HandleKind;
use crate::lexer::{Unit, WordKind};
use crate::lexicon::words::{PLACERS, THIN};
use crate::reader::{MentionDraft, Reader};
use crate::want::{Edge, Entry, Path, Pivot, Place, Placement, Side, Want, When};

/// Prepositions and the side that they name, longest first where one starts another.
const SIDES: &[(&str, Side)] = &[
    ("to the left of", Side::LeftOf),
    ("on the left of", Side::LeftOf),
    ("left of", Side::LeftOf),
    ("to the right of", Side::RightOf),
    ("on the right of", Side::RightOf),
    ("right of", Side::RightOf),
    ("next to", Side::Beside),
    ("close to", Side::Beside),
    ("beside", Side::Beside),
    ("near", Side::Beside),
    ("alongside", Side::Beside),
    ("by", Side::Beside),
    ("in front of", Side::InFront),
    ("behind", Side::Behind),
    ("on top of", Side::On),
    ("above", Side::Above),
    ("over", Side::Above),
    ("below", Side::Below),
    ("beneath", Side::Below),
    ("underneath", Side::Below),
    ("under", Side::Below),
    ("inside", Side::Inside),
    ("onto", Side::On),
    ("on", Side::On),
];

const PLACES: &[(&str, Place)] = &[
    ("left", Place::Left),
    ("right", Place::Right),
    ("center", Place::Centre),
    ("middle", Place::Centre),
    ("top", Place::Top),
    ("bottom", Place::Bottom),
    ("foreground", Place::Foreground),
    ("background", Place::Background),
    ("distance", Place::Background),
    ("sky", Place::Sky),
    ("air", Place::Sky),
    ("ground", Place::Ground),
    ("floor", Place::Ground),
    ("street", Place::Ground),
    ("road", Place::Ground),
    ("grass", Place::Ground),
    ("sand", Place::Ground),
    ("beach", Place::Ground),
    ("pavement", Place::Ground),
    ("sidewalk", Place::Ground),
    ("water", Place::Water),
    ("lake", Place::Water),
    ("sea", Place::Water),
    ("river", Place::Water),
];

const PATHS: &[(&str, Path)] = &[
    ("sitting", Path::Still),
    ("running", Path::Runs),
    ("flying", Path::Flies),
    ("lying", Path::Still),
    ("walk", Path::Walks),
    ("stroll", Path::Walks),
    ("run", Path::Runs),
    ("sprint", Path::Runs),
    ("jog", Path::Runs),
    ("drive", Path::Drives),
    ("roll", Path::Drives),
    ("slide", Path::Drives),
    ("ride", Path::Drives),
    ("sail", Path::Drives),
    ("fly", Path::Flies),
    ("soar", Path::Flies),
    ("glide", Path::Flies),
    ("float", Path::Floats),
    ("hover", Path::Floats),
    ("drift", Path::Floats),
    ("fall", Path::Falls),
    ("drop", Path::Falls),
    ("spin", Path::Spins),
    ("rotate", Path::Spins),
    ("stand", Path::Still),
    ("sit", Path::Still),
    ("rest", Path::Still),
    ("lie", Path::Still),
];

const ENTERERS: &[&str] = &["enter", "come", "arrive", "pop", "emerge"];
const APPEARERS: &[&str] = &["appear", "materialize", "fade"];
const SCALES: &[(&str, f64)] = &[
    ("tiny", 0.3),
    ("small", 0.5),
    ("little", 0.6),
    ("big", 1.5),
    ("large", 1.5),
    ("huge", 1.8),
    ("giant", 2.5),
];
/// Sizes in several words.
const SIZES: &[(&str, f64)] = &[
    ("half its size", 0.5),
    ("half the size", 0.5),
    ("half size", 0.5),
    ("half as large", 0.5),
    ("half as big", 0.5),
    ("twice its size", 2.0),
    ("twice the size", 2.0),
    ("twice as large", 2.0),
    ("twice as big", 2.0),
    ("double the size", 2.0),
    ("double its size", 2.0),
];
/// Words that ask for what every placement gets: the light, the shadow and the grain of the scene.
const HARMONY: &[&str] = &[
    "match",
    "matching",
    "light",
    "lighting",
    "shadow",
    "shadows",
    "contact",
    "soft",
    "realistic",
    "natural",
    "naturally",
    "grain",
    "perspective",
    "color",
    "colors",
    "with",
    "blend",
    "blends",
    "integrate",
    "integrated",
    "seamlessly",
    "proper",
    "correct",
    "casting",
    "cast",
];
const EXTRA: &[&str] = &[
    "in", "on", "at", "the", "of", "from", "to", "side", "across", "through", "past", "into",
    "and", "is", "a", "an", "it", "frame", "corner", "edge", "there", "scene", "shot", "s",
    "screen", "it's", "as", "its",
];

/// Whether the words before only name a place relative to this reference: "behind @Element2".
pub(crate) fn is_landmark(reader: &Reader<'_>, mention: MentionDraft) -> bool {
    let start = reader.clauses[mention.clause].words.start;
    let placed = reader.drafts.iter().any(|draft| match &draft.want {
        Want::Place(placement) => {
            draft.clause == mention.clause && placement.source != mention.handle
        }
        _ => false,
    });
    let end = mention.at;
    placed
        && (start..end).any(|at| {
            side(reader, at, end)
                .is_some_and(|(_, used)| (at + used..end).all(|i| reader.words[i].any(THIN)))
        })
}

/// Wishes the placement of an element.
pub(crate) fn read(reader: &mut Reader<'_>, mention: MentionDraft) {
    let clause = reader.clauses[mention.clause].words.clone();
    let mut placement = Placement::of(mention.handle);
    let (mut start, mut confidence) = (mention.at, 0.6);
    let verb = (clause.start..mention.at).rev().take(8).find(|&i| {
        reader.words[i].any_form(PLACERS) || reader.words[i].any_form(&["replace", "swap", "turn"])
    });
    if let Some(verb) = verb.filter(|&verb| reader.free(verb..mention.at)) {
        let swaps = reader.words[verb].any_form(&["replace", "swap", "turn"]);
        let link =
            (verb + 1..mention.at).find(|&i| reader.words[i].any(&["with", "by", "for", "into"]));
        let near = mention.at - verb <= 4;
        if let Some(link) = link.filter(|&link| swaps && link > verb + 1) {
            placement.replaces = Some(reader.text(verb + 1..link).to_owned());
            (start, confidence) = (verb, 0.92);
        } else if near && !swaps {
            (start, confidence) = (verb, 0.92);
        }
    }
    let size = reader.words[start..mention.at]
        .iter()
        .find_map(|word| SCALES.iter().find(|(name, _)| word.norm == *name));
    placement.scale = size.map_or(1.0, |(_, scale)| *scale);
    // "@Element1's logo floating": what it has is what it is.
    let owned = usize::from(reader.words[mention.at].possessive);
    let noun = mention.at + 1 + owned;
    let owns = owned > 0 && noun < clause.end && reader.free(mention.at + 1..noun + 1);
    let from = if owns { noun + 1 } else { mention.at + 1 };
    let last = details(reader, &mut placement, from..clause.end, mention.handle.kind);
    if placement.path.is_some() || placement.entry.is_some() {
        confidence = f64::max(confidence, 0.8);
    }
    lead_in(reader, &mut placement, clause.start, &mut start);
    reader.wish(Want::Place(placement), start..last, mention.clause, confidence);
    let when = (from..last).find_map(|at| moment(reader, at, last));
    if let (Some((secs, _)), Some(draft)) = (when, reader.drafts.last_mut()) {
        draft.when = Some(When::From { secs });
    }
    follow_ups(reader, mention.clause);
}

/// "In the background @Element1 ...": a place before the element.
fn lead_in(reader: &Reader<'_>, placement: &mut Placement, from: usize, start: &mut usize) {
    let reach = from.max(start.saturating_sub(5));
    let opens = (reach..*start).find(|&i| reader.words[i].any(&["in", "on", "at"]));
    let Some(first) = opens.filter(|&first| reader.free(first..*start)) else { return };
    let found = (first..*start).find_map(|i| place(reader, i));
    let known = (first..*start).all(|i| place(reader, i).is_some() || reader.words[i].any(EXTRA));
    if let Some(found) = found.filter(|_| known) {
        placement.at.push(found);
        *start = first;
    }
}

/// "..., walking from the left": clauses that only say more of the last placement.
fn follow_ups(reader: &mut Reader<'_>, clause: usize) {
    let Some(nth) = reader.drafts.len().checked_sub(1) else { return };
    for next in clause + 1..reader.clauses.len() {
        let range = reader.clauses[next].words.clone();
        let same = reader.clauses[next].sentence == reader.clauses[clause].sentence;
        let said = reader.words[range.clone()]
            .iter()
            .any(|word| word.handle().is_some() || word.any(&["camera"]));
        if same && !said && described(reader, range.clone(), nth) {
            reader.take(range.clone());
            reader.drafts[nth].words.end = range.end;
            continue;
        }
        if !same
            || said
            || range.start != reader.drafts[nth].words.end
            || reader.clauses[next].scope.is_some()
        {
            return;
        }
        let Want::Place(mut placement) = reader.drafts[nth].want.clone() else { return };
        let last = details(reader, &mut placement, range.clone(), HandleKind::Element);
        if !(last..range.end).all(|i| reader.words[i].any(EXTRA)) || last == range.start {
            return;
        }
        reader.take(range.clone());
        reader.drafts[nth].words.end = range.end;
        reader.drafts[nth].want = Want::Place(placement);
    }
}

/// Whether a clause right after a placement only says what the thing is, "(a small robot)", or
/// asks for the light and the shadow that it gets anyway.
fn described(reader: &Reader<'_>, range: Range<usize>, nth: usize) -> bool {
    let before = &reader.brief.prompt[..reader.words[range.start].start];
    let aside = before.trim_end().ends_with('(') && range.len() <= 6;
    let words = &reader.words[range.clone()];
    let harmony = words.iter().all(|word| word.any(HARMONY) || word.any(EXTRA))
        && words.iter().any(|word| {
            word.any_form(&["match", "shadow", "blend", "integrate"]) || word.any(&["naturally"])
        });
    range.start == reader.drafts[nth].words.end
        && reader.clauses.iter().all(|clause| clause.words != range || clause.scope.is_none())
        && (aside || harmony)
        && reader.free(range)
}

/// Reads where and how from `range`; gives the end of what it understood.
fn details(
    reader: &Reader<'_>,
    placement: &mut Placement,
    range: Range<usize>,
    kind: HandleKind,
) -> usize {
    let end = range.end;
    let mut last = range.start;
    let mut at = range.start;
    while at < end {
        if reader.taken[at] && reader.words[at].handle().is_none() {
            break;
        }
        if let Some(used) = detail(reader, placement, at, end) {
            at += used;
            last = at;
        } else if reader.words[at].handle().is_none() && reader.words[at].any(EXTRA) {
            at += 1;
        } else {
            break;
        }
    }
    debug_assert!(kind != HandleKind::Video);
    last
}

/// "After 3 seconds": the moment, and how many words it takes.
fn moment(reader: &Reader<'_>, at: usize, end: usize) -> Option<(f64, usize)> {
    let number = reader.words.get(at + 1).filter(|_| at + 1 < end)?;
    if !reader.words[at].any(&["after"]) {
        return None;
    }
    match number.kind {
        WordKind::Number(secs, Unit::Secs) => Some((secs, 2)),
        WordKind::Number(secs, Unit::None) if at + 2 < end => {
            reader.words[at + 2].any(&["second", "seconds", "secs"]).then_some((secs, 3))
        }
        _ => None,
    }
}

fn detail(reader: &Reader<'_>, placement: &mut Placement, at: usize, end: usize) -> Option<usize> {
    let word = &reader.words[at];
    if word.any_form(ENTERERS) || word.any(&["from"]) {
        let reach = end.min(at + 6);
        let from = (at..reach).find(|&i| reader.words[i].any(&["from"]));
        let edge = from.and_then(|from| {
            (from + 1..reach)
                .take_while(|&i| edge(reader, i).is_some() || reader.words[i].any(EXTRA))
                .find_map(|i| edge(reader, i).map(|edge| (edge, i + 1)))
        });
        if let Some((edge, upto)) = edge {
            placement.entry = Some(Entry::From(edge));
            let across = upto + 1 < end
                && reader.words[upto].any(&["to"])
                && self::edge(reader, upto + 1).is_some();
            return Some(upto - at + if across { 2 } else { 0 });
        }
        if word.any(&["from"]) {
            return None;
        }
        placement.entry.get_or_insert(Entry::Appears);
        return Some(1);
    }
    if word.any_form(APPEARERS) {
        placement.entry.get_or_insert(Entry::Appears);
        return Some(1);
    }
    if let Some((_, path)) = PATHS.iter().find(|(form, _)| word.is(form)) {
        placement.path = Some(*path);
        return Some(1);
    }
    if let Some((_, used)) = moment(reader, at, end) {
        return Some(used);
    }
    if let Some((scale, used)) = phrase(reader, SIZES, at, end) {
        placement.scale = scale;
        return Some(used);
    }
    if let Some((_, scale)) = SCALES.iter().find(|(name, _)| word.norm == *name) {
        placement.scale = *scale;
        return Some(1);
    }
    if let Some((side, used)) = side(reader, at, end) {
        if placement.pivot.is_some() {
            return None;
        }
        return Some(used + pivot(reader, placement, side, at + used, end)?);
    }
    let found = place(reader, at)?;
    if !placement.at.contains(&found) {
        placement.at.push(found);
    }
    Some(1)
}

/// The thing after a preposition: up to four words that are no verb and no other detail.
fn pivot(
    reader: &Reader<'_>,
    placement: &mut Placement,
    side: Side,
    from: usize,
    end: usize,
) -> Option<usize> {
    let mut upto = from;
    while upto < end && upto < from + 4 {
        let word = &reader.words[upto];
        let stops = word.any(&[
            "and", "in", "on", "from", "to", "with", "as", "while", "at", "is", "of", "next",
            "beside", "near", "behind",
        ]) || PATHS.iter().any(|(form, _)| word.is(form));
        if stops || (reader.taken[upto] && word.handle().is_none()) {
            break;
        }
        upto += 1;
    }
    let noun = (from..upto).find(|&i| !reader.words[i].any(THIN))?;
    let known = place(reader, noun)
        .filter(|_| noun + 1 == upto || reader.words[noun + 1].any(&["side", "of"]));
    if let Some(place) = known.filter(|_| side == Side::On || side == Side::Above) {
        placement.at.push(place);
    } else {
        placement.pivot = Some(Pivot { side, thing: reader.text(from..upto).to_owned() });
    }
    Some(upto - from)
}

fn side(reader: &Reader<'_>, at: usize, end: usize) -> Option<(Side, usize)> {
    phrase(reader, SIDES, at, end)
}

/// What the first phrase of `table` at `at` means, and how many words it takes.
fn phrase<T: Copy>(
    reader: &Reader<'_>,
    table: &[(&str, T)],
    at: usize,
    end: usize,
) -> Option<(T, usize)> {
    table.iter().find_map(|(phrase, means)| {
        let mut used = 0;
        for base in phrase.split(' ') {
            if at + used >= end || reader.words[at + used].norm != base {
                return None;
            }
            used += 1;
        }
        Some((*means, used))
    })
}

fn place(reader: &Reader<'_>, at: usize) -> Option<Place> {
    let word = &reader.words[at];
    PLACES.iter().find(|(name, _)| word.norm == *name).map(|(_, place)| *place)
}

fn edge(reader: &Reader<'_>, at: usize) -> Option<Edge> {
    Some(match reader.words[at].norm.as_str() {
        "left" => Edge::Left,
        "right" => Edge::Right,
        "top" | "above" | "sky" => Edge::Top,
        "bottom" | "below" => Edge::Bottom,
        "front" | "foreground" => Edge::Front,
        "behind" | "back" | "background" | "distance" => Edge::Back,
        _ => return None,
    })
}
