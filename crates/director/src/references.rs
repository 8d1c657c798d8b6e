//! What each `@` reference is for, by the verb and the preposition around it.

use std::ops::Range;
use std::sync::LazyLock;

use crate::clauses::Mode;
use crate::handle::HandleKind;
use crate::lexer::Word;
use crate::lexicon::aspects::ASPECTS;
use crate::lexicon::words::{LINKS, NEGATORS, PLACERS, THIN};
use crate::phrases::Phrases;
use crate::placement;
use crate::plan::{Kept, MentionRole};
use crate::reader::{MentionDraft, Reader};
use crate::want::{ImageRole, Want};

/// A role that the words around a reference give it.
pub(crate) struct Found {
    role: ImageRole,
    words: Range<usize>,
    confidence: f64,
}

/// Gives each reference its role and wishes what follows from it.
pub(crate) fn read(reader: &mut Reader<'_>) {
    for nth in 0..reader.mentions.len() {
        let mention = reader.mentions[nth];
        if !mention.exists || mention.role.is_some() {
            continue;
        }
        let role = match mention.handle.kind {
            HandleKind::Video => video(reader, mention),
            HandleKind::Image | HandleKind::Element => picture(reader, nth, mention),
        };
        reader.mentions[nth].role = Some(role);
    }
}

/// A video is the base, unless its look is asked for: then the look stays.
fn video(reader: &mut Reader<'_>, mention: MentionDraft) -> MentionRole {
    let mode = reader.clauses[mention.clause].mode(mention.at);
    let Some(found) = aspects(reader, mention).into_iter().next() else { return MentionRole::Base };
    let (kept, role) = match found.role {
        ImageRole::Style => (Kept::Style, MentionRole::Style),
        ImageRole::Palette => (Kept::Colours, MentionRole::Palette),
        ImageRole::Lighting => (Kept::Lighting, MentionRole::Lighting),
        ImageRole::Composition => (Kept::Composition, MentionRole::Composition),
        _ => return MentionRole::Base,
    };
    if mode.is_none() && reader.free(found.words.start..found.words.end.min(mention.at)) {
        reader.keep(kept, found.words, 0.8);
    }
    role
}

fn picture(reader: &mut Reader<'_>, nth: usize, mention: MentionDraft) -> MentionRole {
    let clause = mention.clause;
    if reader.clauses[clause].mode(mention.at) == Some(Mode::Without) {
        let role = aspects(reader, mention).first().map_or(ImageRole::Style, |found| found.role);
        let want = match mention.handle.kind {
            HandleKind::Element => Want::Place(crate::want::Placement::of(mention.handle)),
            _ => Want::Image { source: mention.handle, role },
        };
        let start =
            reader.clauses[clause].scope.as_ref().map_or(mention.at, |scope| scope.governor.start);
        reader.keep(Kept::Without { want: Box::new(want) }, start..mention.at + 1, 0.8);
        return MentionRole::Excluded;
    }
    if let Some(upto) = banned(reader, mention) {
        let want = Want::Place(crate::want::Placement::of(mention.handle));
        reader.keep(Kept::Without { want: Box::new(want) }, mention.at..upto, 0.85);
        return MentionRole::Excluded;
    }
    if let Some(role) = chained(reader, nth, mention) {
        return role;
    }
    let found = aspects(reader, mention);
    let subject = found.first().filter(|found| found.role == ImageRole::Subject);
    if let Some(words) = subject.map(|found| found.words.clone())
        && mention.handle.kind == HandleKind::Element
    {
        placement::read(reader, mention);
        grow_back(reader, words.start);
        return MentionRole::Placed;
    }
    if !found.is_empty() {
        let role = mention_role(found[0].role);
        for Found { role, words, confidence } in found {
            reader.wish(Want::Image { source: mention.handle, role }, words, clause, confidence);
        }
        same_again(reader, clause);
        return role;
    }
    if let Some(Found { role, words, confidence }) = stands_before(reader, mention) {
        reader.wish(Want::Image { source: mention.handle, role }, words, clause, confidence);
        return mention_role(role);
    }
    if placement::is_landmark(reader, mention) {
        return MentionRole::Landmark;
    }
    if let Some(found) = likeness(reader, mention) {
        let role = mention_role(found.role);
        let want = Want::Image { source: mention.handle, role: found.role };
        reader.wish(want, found.words, clause, found.confidence);
        return role;
    }
    if mention.handle.kind == HandleKind::Element || placer(reader, mention) {
        placement::read(reader, mention);
        return MentionRole::Placed;
    }
    let (role, words, confidence) = vague(reader, mention);
    reader.wish(Want::Image { source: mention.handle, role }, words, clause, confidence);
    if confidence < 0.5 { MentionRole::Unclear } else { mention_role(role) }
}

/// "@Element1 must not appear": where the ban ends.
fn banned(reader: &Reader<'_>, mention: MentionDraft) -> Option<usize> {
    let end = reader.clauses[mention.clause].words.end.min(mention.at + 6);
    let denial = (mention.at + 1..end).find(|&i| reader.words[i].any(NEGATORS))?;
    let plain = (mention.at + 1..denial)
        .all(|i| reader.words[i].any(&["must", "should", "may", "shall", "does", "do", "is"]));
    let shown = ["appear", "show", "shown", "visible", "use", "used", "seen", "present", "include"];
    let verb = (denial + 1..end).find(|&i| reader.words[i].any_form(&shown))?;
    (plain && reader.free(mention.at + 1..verb + 1)).then_some(verb + 1)
}

/// Lets the last wish start at `start`, where nothing else has the words.
fn grow_back(reader: &mut Reader<'_>, start: usize) {
    let Some(draft) = reader.drafts.last_mut() else { return };
    let own = draft.words.clone();
    if start < own.start && reader.taken[start..own.start].iter().all(|taken| !taken) {
        draft.words.start = start;
        reader.take(start..own.start);
    }
}

/// "In the style of @Image1: the same brushwork, the same palette": clauses that only repeat it.
fn same_again(reader: &mut Reader<'_>, clause: usize) {
    let Some(nth) = reader.drafts.len().checked_sub(1) else { return };
    for next in clause + 1..reader.clauses.len() {
        let range = reader.clauses[next].words.clone();
        let joined = reader.clauses[next].sentence == reader.clauses[clause].sentence
            && range.start == reader.drafts[nth].words.end
            && reader.words[range.clone()].iter().any(|word| word.any(&["same", "its"]));
        let mut at = range.start;
        while at < range.end {
            let word = &reader.words[at];
            if let Some((_, used)) = aspect(&reader.words, at, range.end) {
                at += used;
            } else if word.any(THIN) || word.any(&["same", "and"]) {
                at += 1;
            } else {
                return;
            }
        }
        if !joined || reader.clauses[next].scope.is_some() || !reader.free(range.clone()) {
            return;
        }
        reader.drafts[nth].words.end = range.end;
        reader.take(range);
    }
}

/// "@Image1 and @Image2": the second does what the first does.
fn chained(reader: &mut Reader<'_>, nth: usize, mention: MentionDraft) -> Option<MentionRole> {
    let before = reader.mentions.get(nth.checked_sub(1)?)?;
    let joined =
        (before.at + 1..mention.at).all(|i| reader.words[i].any(&["and", "or", "&", "plus"]));
    let direct = mention.at - before.at <= 2 && joined && before.handle.kind == mention.handle.kind;
    let role = before.role.filter(|_| direct)?;
    let (handle, at) = (before.handle, before.at);
    let draft = reader.drafts.iter().rev().find(|draft| match &draft.want {
        Want::Image { source, .. } => *source == handle && draft.words.contains(&at),
        Want::Place(placement) => placement.source == handle,
        _ => false,
    })?;
    let (mut want, confidence) = (draft.want.clone(), draft.confidence);
    match &mut want {
        Want::Image { source, .. } => *source = mention.handle,
        Want::Place(placement) => placement.source = mention.handle,
        _ => return None,
    }
    // What follows says as much of the first as of the second, and may say more.
    if !aspects(reader, mention).is_empty() {
        return None;
    }
    reader.wish(want, mention.at..mention.at + 1, mention.clause, confidence);
    Some(role)
}

/// The aspects that the words around ask of a reference, by position.
fn aspects(reader: &Reader<'_>, mention: MentionDraft) -> Vec<Found> {
    let range = reader.clauses[mention.clause].words.clone();
    after(reader, mention.at, range.end)
        .map_or_else(|| before(reader, mention.at, range.start), |found| vec![found])
}

/// "@Image1 as the start frame", "@Image1's palette", "@Image1 for the sky".
fn after(reader: &Reader<'_>, at: usize, end: usize) -> Option<Found> {
    let owned = reader.words[at].possessive;
    let mut i = at + 1;
    let mut linked = owned;
    while i < end && i < at + 7 {
        let word = &reader.words[i];
        if let Some((role, used)) = aspect(&reader.words, i, end) {
            let extra = reader.words.get(i + used).filter(|_| i + used < end);
            let used =
                used + usize::from(extra.is_some_and(|word| word.any(&["reference", "image"])));
            let adjacent = i == at + 1 && matches!(role, ImageRole::Style | ImageRole::Palette);
            return (linked || adjacent).then(|| found(role, at..i + used, 0.95));
        }
        if word.any(&["start", "beginning"]) && linked {
            return Some(found(ImageRole::StartFrame, at..i + 1, 0.85));
        }
        if word.any(&["as", "for", "is", "s", "be", "sets", "define", "defines", "provides"]) {
            linked = true;
        } else if !word.any(THIN)
            && !word.any(&["used", "should", "to", "our", "my", "new", "art", "overall", "only"])
        {
            return None;
        }
        i += 1;
    }
    None
}

/// "In the style of @Image1", "the colours and the light from @Image1".
fn before(reader: &Reader<'_>, at: usize, start: usize) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut i = at;
    let mut linked = false;
    while i > start && at - i < 10 {
        i -= 1;
        if reader.words[i].handle().is_some() {
            break;
        }
        let phrase = (i.saturating_sub(1).max(start)..=i).find_map(|first| {
            aspect(&reader.words, first, i + 1)
                .filter(|(_, used)| first + used == i + 1)
                .map(|(role, _)| (first, role))
        });
        if let Some((first, role)) = phrase.filter(|_| linked) {
            if !reader.free(first..i + 1) {
                break;
            }
            if !all.is_empty() && aims(reader, first, start) {
                break;
            }
            let first = lead(reader, role, first, start);
            // Joint aspects share the reference; the one next to it spans it.
            let end = if all.is_empty() { at + 1 } else { i + 1 };
            all.push(found(role, first..end, 0.92));
            i = first;
            // A further aspect needs an "and" between.
            let joined = i > start && reader.words[i - 1].any(&["and"]);
            let thin =
                i > start + 1 && reader.words[i - 1].any(THIN) && reader.words[i - 2].any(&["and"]);
            if !joined && !thin {
                break;
            }
            continue;
        }
        let word = &reader.words[i];
        if word.any(LINKS) {
            linked = true;
            if word.any(&["with", "on", "from", "at"]) && opens_with(reader, i, start) {
                all.push(found(ImageRole::StartFrame, i - 1..at + 1, 0.9));
                break;
            }
            if word.any(&["with", "on"])
                && i > start
                && reader.words[i - 1].any_form(&["end", "finish"])
            {
                all.push(found(ImageRole::EndFrame, i - 1..at + 1, 0.9));
                break;
            }
        } else if !word.any(THIN) && (all.is_empty() || !word.any(&["and"])) {
            break;
        }
    }
    all.reverse();
    all
}

/// Whether the noun at `at` says what an earlier reference is for: "to the background and ...".
fn aims(reader: &Reader<'_>, at: usize, start: usize) -> bool {
    let link = (start..at).rev().find(|&i| !reader.words[i].any(THIN));
    link.is_some_and(|i| reader.words[i].any(&["to", "on", "onto", "for"]))
}

fn opens_with(reader: &Reader<'_>, at: usize, start: usize) -> bool {
    at > start && reader.words[at - 1].any_form(&["start", "begin", "open"])
}

/// Takes "in the" or "use the" before an aspect along.
fn lead(reader: &Reader<'_>, role: ImageRole, first: usize, start: usize) -> usize {
    let mut i = first;
    while i > start && first - i < 3 && !reader.taken[i - 1] {
        let word = &reader.words[i - 1];
        let replaces = matches!(role, ImageRole::Background | ImageRole::Sky)
            && word.any_form(&["replace", "swap", "change", "exchange"]);
        if word.any_form(&["use", "take", "borrow", "apply", "match", "in", "copy"]) || replaces {
            return i - 1;
        }
        if !word.any(THIN) && !word.any(&["same", "exact"]) {
            break;
        }
        i -= 1;
    }
    first
}

/// "Painted like @Image1", "the dog in @Image2", "set in @Image1".
fn likeness(reader: &Reader<'_>, mention: MentionDraft) -> Option<Found> {
    let start = reader.clauses[mention.clause].words.start;
    let at = mention.at;
    let link = (start..at).rev().find(|&i| !reader.words[i].any(THIN))?;
    let word = &reader.words[link];
    let earlier = |forms: &[&str]| {
        (start..link).rev().take(5).find(|&i| reader.words[i].any_form(forms) && reader.free(i..at))
    };
    if word.any(&["like", "as", "matching", "match", "resemble", "after", "by"]) {
        if let Some(verb) = earlier(&["light", "lit", "relight"]) {
            return Some(found(ImageRole::Lighting, verb..at + 1, 0.9));
        }
        if let Some(verb) = earlier(&["color", "grade", "tone"]) {
            return Some(found(ImageRole::Palette, verb..at + 1, 0.85));
        }
        if let Some(verb) = earlier(&["frame", "compose"]) {
            return Some(found(ImageRole::Composition, verb..at + 1, 0.8));
        }
        let verb = earlier(&[
            "paint", "draw", "drawn", "render", "style", "look", "stylize", "restyle", "make",
            "inspired", "shoot",
        ]);
        let confidence = if verb.is_some() { 0.9 } else { 0.7 };
        return Some(found(ImageRole::Style, verb.unwrap_or(link)..at + 1, confidence));
    }
    if mention.handle.kind == HandleKind::Image
        && word.any(&["in", "from", "inside", "into", "onto", "of", "against"])
    {
        let place = earlier(&["put", "place", "set", "happen", "take", "move", "transport"]);
        if let Some(verb) = place.filter(|_| word.any(&["in", "into", "inside", "onto", "against"]))
        {
            return Some(found(ImageRole::Background, verb..at + 1, 0.65));
        }
        let noun = link.checked_sub(1).filter(|&i| i >= start && !reader.taken[i])?;
        if reader.words[noun].any(&["one", "that"]) {
            let named = (start..noun).rev().find_map(|i| {
                aspect(&reader.words, i, noun).filter(|_| reader.free(i..at)).map(|a| (i, a.0))
            });
            if let Some((i, role)) = named {
                return Some(found(role, lead(reader, role, i, start)..at + 1, 0.85));
            }
        }
        let article =
            noun.checked_sub(1).filter(|&i| i >= start && reader.words[i].any(&["the", "a"]));
        return Some(found(ImageRole::Subject, article.unwrap_or(noun)..at + 1, 0.6));
    }
    None
}

/// "Put the rabbit in front of @Image1": a picture that something of the reference stands before is
/// its background.
fn stands_before(reader: &Reader<'_>, mention: MentionDraft) -> Option<Found> {
    let start = reader.clauses[mention.clause].words.start;
    let front = mention.at.checked_sub(3).filter(|&front| front > start)?;
    let before = ["in", "front", "of"].iter().enumerate();
    let named = before.into_iter().all(|(i, word)| reader.words[front + i].any(&[word]));
    if !named || mention.handle.kind != HandleKind::Image {
        return None;
    }
    let verbs = ["put", "place", "set", "show", "stand", "move", "pose"];
    let verb = (start..front).rev().take(6).find(|&i| reader.words[i].any_form(&verbs))?;
    let own = (verb..front).all(|i| reader.words[i].handle().is_none());
    let free = own && reader.free(verb..mention.at);
    free.then(|| found(ImageRole::Background, verb..mention.at + 1, 0.85))
}

fn placer(reader: &Reader<'_>, mention: MentionDraft) -> bool {
    let start = reader.clauses[mention.clause].words.start;
    reader.words[start..mention.at]
        .iter()
        .rev()
        .take(6)
        .any(|word| word.any_form(PLACERS) || word.any_form(&["replace", "swap"]))
}

/// "Use @Image1": most likely for its look.
fn vague(reader: &Reader<'_>, mention: MentionDraft) -> (ImageRole, Range<usize>, f64) {
    let start = reader.clauses[mention.clause].words.start;
    let verb = (start..mention.at).rev().take(3).find(|&i| {
        reader.words[i].any_form(&["use", "apply", "using", "follow", "with", "based"])
            && reader.free(i..mention.at)
    });
    match verb {
        Some(verb) => (ImageRole::Style, verb..mention.at + 1, 0.55),
        None => (ImageRole::Style, mention.at..mention.at + 1, 0.4),
    }
}

fn aspect(words: &[Word], at: usize, end: usize) -> Option<(ImageRole, usize)> {
    static PHRASES: LazyLock<Phrases<ImageRole>> = LazyLock::new(|| Phrases::new(ASPECTS));
    PHRASES.find(words.get(at..end)?, Word::is).map(|(role, used)| (*role, used))
}

fn found(role: ImageRole, words: Range<usize>, confidence: f64) -> Found {
    Found { role, words, confidence }
}

fn mention_role(role: ImageRole) -> MentionRole {
    match role {
        ImageRole::Style => MentionRole::Style,
        ImageRole::Palette => MentionRole::Palette,
        ImageRole::Lighting => MentionRole::Lighting,
        ImageRole::Background => MentionRole::Background,
        ImageRole::Sky => MentionRole::Sky,
        ImageRole::StartFrame => MentionRole::StartFrame,
        ImageRole::EndFrame => MentionRole::EndFrame,
        ImageRole::Composition => MentionRole::Composition,
        ImageRole::Subject => MentionRole::Subject,
        ImageRole::Texture => MentionRole::Texture,
    }
}
