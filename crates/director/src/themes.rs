//! The lexicon applied, and what words nearby add: direction, factor, part of the picture,
//! part of the clip.

use std::ops::Range;

use crate::brief::Aspect;
use crate::clauses::Mode;
use crate::keeps;
use crate::lexer::{Unit, Word, WordKind};
use crate::lexicon;
use crate::reader::{Draft, Reader};
use crate::want::{Camera, Direction, Grade, ImageRole, Target, TimeChange, Want, When};

/// Reads all that phrases and numbers say.
pub(crate) fn read(reader: &mut Reader<'_>) {
    for clause in 0..reader.clauses.len() {
        let scope = reader.clauses[clause].scope.clone();
        if let Some(scope) = scope.as_ref().filter(|scope| scope.mode == Mode::Keep) {
            keeps::read(reader, clause, scope);
        }
        phrases(reader, clause);
        tints(reader, clause);
        targets(reader, clause);
        moments(reader, clause);
    }
}

fn phrases(reader: &mut Reader<'_>, clause: usize) {
    let Range { start, end } = reader.clauses[clause].words;
    // "From noon to golden hour": what is left behind is not wished.
    let mut left: Option<usize> = None;
    let mut at = start;
    while at < end {
        if reader.taken[at] {
            at += 1;
            continue;
        }
        if let Some(used) = measure(reader, clause, at, end) {
            at += used;
            continue;
        }
        let found =
            lexicon::longest(&reader.words[at..end]).filter(|(_, used)| reader.free(at..at + used));
        let Some((phrase, used)) = found else {
            at += 1;
            continue;
        };
        let words = at..at + used;
        at += used;
        let mut want = phrase.want.clone();
        if reader.clauses[clause].mode(words.start) == Some(Mode::Without) {
            if let Some(scope) = reader.clauses[clause].scope.clone() {
                keeps::deny(reader, want, &scope, words, phrase.confidence);
            }
            continue;
        }
        if let Some(from) = departs(reader, &want, &words, end) {
            left = Some(from);
            continue;
        }
        let mut words = refine(reader, &mut want, words, start..end);
        at = at.max(words.end);
        words.start = left.take().filter(|&l| reader.free(l..words.start)).unwrap_or(words.start);
        reader.wish(want, words, clause, phrase.confidence);
    }
}

/// Where "from noon" begins, if `words` are left for something of the same kind: "... to dusk".
fn departs(reader: &Reader<'_>, want: &Want, words: &Range<usize>, end: usize) -> Option<usize> {
    let from = words.start.checked_sub(1).filter(|&i| reader.words[i].any(&["from"]))?;
    let to = words.end;
    if to + 1 >= end || !reader.words[to].any(&["to", "into"]) {
        return None;
    }
    let next = (to + 1..end.min(to + 4)).find_map(|i| lexicon::longest(&reader.words[i..end]))?;
    let alike = std::mem::discriminant(next.0.want) == std::mem::discriminant(want);
    (alike && reader.free(from..words.end)).then_some(from)
}

/// Adds to `want` what the words around say of it; gives the words that it takes then.
fn refine(
    reader: &Reader<'_>,
    want: &mut Want,
    words: Range<usize>,
    clause: Range<usize>,
) -> Range<usize> {
    match want {
        Want::Camera { act, direction } => {
            let steered = !matches!(
                act,
                Camera::Stabilise | Camera::Static | Camera::Handheld | Camera::Shake
            );
            let (found, end) = match direction {
                None if steered => heading(reader, words.end, clause.end),
                _ => (None, words.end),
            };
            if let Some(found) = found {
                *direction = Some(found);
                if *act == Camera::Dolly && matches!(found, Direction::Left | Direction::Right) {
                    *act = Camera::Truck;
                } else if *act == Camera::Dolly && matches!(found, Direction::Up | Direction::Down)
                {
                    *act = Camera::Crane;
                }
            }
            let reach = clause.start.max(words.start.saturating_sub(3));
            let start = (reach..words.start)
                .find(|&i| reader.words[i].any(&["camera"]) && reader.free(i..words.start))
                .unwrap_or(words.start);
            start..end
        }
        Want::Time { change } => {
            let Some((factor, at)) = factor(reader, &clause) else { return words };
            match change {
                TimeChange::SlowMotion { speed: speed @ None } if factor > 0.0 => {
                    *speed = Some(if factor < 1.0 { factor } else { 1.0 / factor });
                }
                TimeChange::SpeedUp { speed: speed @ None } if factor > 1.0 => {
                    *speed = Some(factor);
                }
                _ => return words,
            }
            let (start, end) = (words.start.min(at), words.end.max(at + 1));
            if reader.free(start..words.start) && reader.free(words.end..end) {
                start..end
            } else {
                words
            }
        }
        _ => words,
    }
}

/// A direction in the words from `at` on, and where it ends.
fn heading(reader: &Reader<'_>, at: usize, end: usize) -> (Option<Direction>, usize) {
    let mut found = (None, at);
    for i in at..end.min(at + 8) {
        let word = &reader.words[i];
        if reader.taken[i] || word.any(&["and", "with", "of"]) {
            break;
        }
        let last =
            i + 1 >= end || reader.words[i + 1].any(&["on", "to", "toward", "towards", "slowly"]);
        let direction = match word.norm.as_str() {
            "left" | "leftward" | "leftwards" => Direction::Left,
            "right" | "rightward" | "rightwards" => Direction::Right,
            "up" | "upward" | "upwards" | "rising" | "rises" => Direction::Up,
            "down" | "downward" | "downwards" | "descending" => Direction::Down,
            "forward" | "forwards" | "toward" | "towards" | "closer" | "inward" => Direction::In,
            "in" if last => Direction::In,
            "back" | "backward" | "backwards" | "away" => Direction::Out,
            "out" if last => Direction::Out,
            "clockwise" => Direction::Clockwise,
            "counterclockwise" | "anticlockwise" => Direction::CounterClockwise,
            _ => continue,
        };
        let arrives = reader.words[i - 1].any(&["to"]);
        if found.0.is_none() || arrives {
            found = (Some(direction), i + 1);
        }
    }
    found
}

/// A bare factor in the clause: `2x`, `50%`, `3 times`.
fn factor(reader: &Reader<'_>, clause: &Range<usize>) -> Option<(f64, usize)> {
    clause.clone().filter(|&i| !reader.taken[i]).find_map(|i| match reader.words[i].kind {
        WordKind::Number(value, Unit::Times) => Some((value, i)),
        WordKind::Number(value, Unit::Percent) => Some((value / 100.0, i)),
        WordKind::Number(value, Unit::None)
            if reader.words.get(i + 1).is_some_and(|word| word.any(&["times", "percent"])) =>
        {
            Some((if reader.words[i + 1].any(&["percent"]) { value / 100.0 } else { value }, i))
        }
        _ => None,
    })
}

/// Ratios, speeds and lengths that are said in numbers.
fn measure(reader: &mut Reader<'_>, clause: usize, at: usize, end: usize) -> Option<usize> {
    let next = reader.words.get(at + 1).filter(|_| at + 1 < end);
    let before = at.checked_sub(1).map(|i| &reader.words[i]);
    let moment = before.is_some_and(|word| word.any(&["at", "after", "from", "second"]));
    match reader.words[at].kind {
        WordKind::Ratio(width, height) => {
            let scale = if width.fract() == 0.0 && height.fract() == 0.0 { 1.0 } else { 100.0 };
            let (width, height) = (width * scale, height * scale);
            if !(1.0..=10_000.0).contains(&width) || !(1.0..=10_000.0).contains(&height) {
                return None;
            }
            let aspect =
                Aspect::Ratio { width: width.round() as u32, height: height.round() as u32 };
            reader.wish(Want::Frame { aspect }, at..at + 1, clause, 0.9);
            Some(1)
        }
        WordKind::Number(factor, Unit::Times | Unit::Percent)
            if next.is_some_and(|word| word.any(&["speed"])) =>
        {
            let speed = match reader.words[at].kind {
                WordKind::Number(_, Unit::Percent) => factor / 100.0,
                _ => factor,
            };
            let change = if speed > 1.0 {
                TimeChange::SpeedUp { speed: Some(speed) }
            } else if speed > 0.0 && speed < 1.0 {
                TimeChange::SlowMotion { speed: Some(speed) }
            } else {
                return None;
            };
            reader.wish(Want::Time { change }, at..at + 2, clause, 0.95);
            Some(2)
        }
        WordKind::Number(secs, Unit::Secs) if secs > 0.0 && !moment => {
            reader.wish(Want::Length { secs }, at..at + 1, clause, 0.7);
            Some(1)
        }
        WordKind::Number(secs, Unit::None)
            if secs > 0.0 && !moment && next.is_some_and(is_secs) =>
        {
            reader.wish(Want::Length { secs }, at..at + 2, clause, 0.7);
            Some(2)
        }
        _ => None,
    }
}

fn is_secs(word: &Word) -> bool {
    word.any(&["s", "sec", "secs", "second", "seconds"])
}

/// "A blue tint", "turn the sky orange".
fn tints(reader: &mut Reader<'_>, clause: usize) {
    const COLOURS: &[(&str, [u8; 3])] = &[
        ("red", [200, 40, 40]),
        ("crimson", [170, 20, 50]),
        ("orange", [240, 140, 40]),
        ("amber", [255, 180, 50]),
        ("yellow", [240, 220, 70]),
        ("gold", [230, 185, 70]),
        ("green", [60, 160, 80]),
        ("teal", [30, 140, 140]),
        ("cyan", [60, 200, 220]),
        ("blue", [60, 100, 210]),
        ("purple", [130, 70, 180]),
        ("violet", [140, 90, 210]),
        ("magenta", [210, 60, 170]),
        ("pink", [240, 140, 180]),
        ("brown", [130, 90, 60]),
    ];
    let range = reader.clauses[clause].words.clone();
    for at in range.clone() {
        let word = &reader.words[at];
        let colour = COLOURS.iter().find(|(name, _)| word.norm == *name || word.is(name));
        let Some((_, [red, green, blue])) = colour.filter(|_| !reader.taken[at]) else { continue };
        if reader.clauses[clause].mode(at).is_some() {
            continue;
        }
        let want = Want::Grade { grade: Grade::Tint { red: *red, green: *green, blue: *blue } };
        let tinted =
            reader.words.get(at + 1).filter(|_| at + 1 < range.end).is_some_and(|next| {
                next.any_form(&["tint", "hue", "cast", "wash", "filter", "tone"])
            });
        let verb = (range.start..at).rev().take(6).find(|&i| {
            reader.words[i].any_form(&["make", "turn", "tint", "dye", "paint", "color"])
        });
        let of = reader.words.get(at + 1).filter(|_| at + 1 < range.end);
        let of = of.and_then(|word| part(&word.norm)).filter(|_| reader.free(at..at + 2));
        if tinted && reader.free(at..at + 2) {
            reader.wish(want, at..at + 2, clause, 0.85);
        } else if let Some(target) = of {
            reader.wish(want, at..at + 2, clause, 0.7);
            if let Some(draft) = reader.drafts.last_mut() {
                draft.on = target;
            }
        } else if let Some(verb) = verb.filter(|_| at + 1 == range.end) {
            let free = reader.free(verb..at);
            let thing = (verb + 1..at)
                .any(|i| !reader.words[i].any(&["the", "it", "this", "video", "whole"]));
            if free && thing {
                let name = reader.text(verb + 1..at).to_owned();
                reader.wish(want, verb..at + 1, clause, 0.7);
                if let Some(draft) = reader.drafts.last_mut() {
                    draft.on =
                        part(name.trim_start_matches("the ")).unwrap_or(Target::Thing { name });
                }
            } else {
                reader.wish(want, at..at + 1, clause, 0.6);
            }
        }
    }
}

fn part(name: &str) -> Option<Target> {
    Some(match name {
        "sky" | "skies" => Target::Sky,
        "background" | "backdrop" => Target::Background,
        "foreground" => Target::Foreground,
        "subject" | "character" => Target::Subject,
        "skin" => Target::Skin,
        "shadow" | "shadows" | "blacks" => Target::Shadows,
        "highlight" | "highlights" => Target::Highlights,
        _ => return None,
    })
}

/// Aims what a clause wishes at the part of the picture that it names.
fn targets(reader: &mut Reader<'_>, clause: usize) {
    for at in reader.clauses[clause].words.clone() {
        let Some(target) = part(&reader.words[at].norm).filter(|_| !reader.taken[at]) else {
            continue;
        };
        // "The sky in the style of @Image1".
        let styled = |draft: &Draft| {
            draft.clause == clause
                && draft.words.start == at + 1
                && draft.on.is_frame()
                && matches!(draft.want, Want::Image { role: ImageRole::Style, .. })
        };
        if let Some(nth) = reader.drafts.iter().position(styled) {
            reader.drafts[nth].on = target;
            grow(reader, nth, at..at + 1);
            continue;
        }
        let before = |draft: &&mut Draft| draft.clause == clause && draft.words.end <= at;
        let looks = |draft: &&mut Draft| matches!(draft.want, Want::Image { role, .. } if role != ImageRole::Subject);
        let picture = reader.drafts.iter_mut().filter(before).max_by_key(|d| d.words.end);
        if let Some(draft) = picture.filter(looks).filter(|draft| draft.on.is_frame()) {
            draft.on = target;
            let nth = reader.drafts.iter().rposition(|d| d.clause == clause && d.words.end <= at);
            nth.map(|nth| grow(reader, nth, at..at + 1));
            continue;
        }
        let mut aimed = false;
        for draft in reader.drafts.iter_mut().filter(|draft| draft.clause == clause) {
            let aims = matches!(
                draft.want,
                Want::Grade { .. } | Want::Effect { .. } | Want::Medium { .. }
            );
            if aims && draft.on.is_frame() {
                draft.on = target.clone();
                aimed = true;
            }
        }
        if aimed {
            let nearest = (0..reader.drafts.len())
                .filter(|&i| reader.drafts[i].clause == clause && reader.drafts[i].on == target)
                .min_by_key(|&i| reader.drafts[i].words.start.abs_diff(at));
            if let Some(i) = nearest {
                grow(reader, i, at..at + 1);
            }
        }
    }
}

/// "At the end", "gradually", "after 3 seconds".
fn moments(reader: &mut Reader<'_>, clause: usize) {
    let range = reader.clauses[clause].words.clone();
    for at in range.clone() {
        if reader.taken[at] {
            continue;
        }
        let led = at > range.start && reader.words[at - 1].any(&["the", "at", "until"]);
        let word = &reader.words[at];
        let (when, upto) = match word.norm.as_str() {
            "first" | "second" | "last"
                if reader.words.get(at + 1).is_some_and(|next| next.any(&["half", "part"])) =>
            {
                let first = word.any(&["first"]);
                (if first { When::Start } else { When::End }, at + 2)
            }
            "last" if reader.words.get(at + 1).is_some_and(|next| next.any(&["frame"])) => {
                (When::End, at + 2)
            }
            "end" if led => (When::End, at + 1),
            "finally" => (When::End, at + 1),
            "start" | "beginning" if led => (When::Start, at + 1),
            "first" if at > range.start && reader.words[at - 1].any(&["at"]) => {
                (When::Start, at + 1)
            }
            "halfway" | "midway" => (When::Middle, at + 1),
            "gradually" | "progressively" => (When::Gradually, at + 1),
            "after" | "at" | "from" => match reader.words.get(at + 1).map(|word| word.kind) {
                Some(WordKind::Number(secs, Unit::Secs)) => (When::From { secs }, at + 2),
                Some(WordKind::Number(secs, Unit::None))
                    if reader.words.get(at + 2).is_some_and(is_secs) =>
                {
                    (When::From { secs }, at + 3)
                }
                _ => continue,
            },
            _ => continue,
        };
        let nearest = (0..reader.drafts.len())
            .filter(|&i| reader.drafts[i].clause == clause)
            .min_by_key(|&i| reader.drafts[i].words.start.abs_diff(at));
        let Some(nearest) = nearest.filter(|_| upto <= range.end) else { continue };
        reader.drafts[nearest].when = Some(when);
        grow(reader, nearest, at..upto);
        joined(reader, nearest, when);
    }
}

/// "Light leaks and flares at the beginning": the moment is that of both.
fn joined(reader: &mut Reader<'_>, nth: usize, when: When) {
    let (start, kind) = (reader.drafts[nth].words.start, &reader.drafts[nth].want);
    let kind = std::mem::discriminant(kind);
    let before = reader.drafts.iter().position(|draft| {
        let between = draft.words.end..start;
        draft.when.is_none()
            && std::mem::discriminant(&draft.want) == kind
            && between.len() == 1
            && reader.words[between].iter().all(|word| word.any(&["and", "&"]))
    });
    if let Some(before) = before {
        reader.drafts[before].when = Some(when);
    }
}

/// Lets draft `nth` reach over `words` too, where only glue stands between and nothing else has
/// any of it; takes nothing otherwise.
pub(crate) fn grow(reader: &mut Reader<'_>, nth: usize, words: Range<usize>) -> bool {
    let own = reader.drafts[nth].words.clone();
    let whole = own.start.min(words.start)..own.end.max(words.end);
    let glue = |i: usize| words.contains(&i) || reader.words[i].any(lexicon::words::GLUE);
    let mut added = (whole.start..own.start).chain(own.end..whole.end);
    if !added.all(|i| !reader.taken[i] && glue(i)) {
        return false;
    }
    reader.take(whole.clone());
    reader.drafts[nth].words = whole;
    true
}
