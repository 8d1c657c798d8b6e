//! "Keep the motion": nouns for what stays.

use std::ops::Range;
use std::sync::LazyLock;

use crate::clauses::{Mode, Scope};
use crate::lexer::Word;
use crate::lexicon;
use crate::lexicon::words::{GLUE, STAYERS};
use crate::phrases::Phrases;
use crate::plan::Kept;
use crate::reader::Reader;
use crate::want::Want;

static NOUNS: LazyLock<Phrases<Kept>> = LazyLock::new(|| Phrases::new(TABLE));

const TABLE: &[(&str, Kept)] = &[
    ("camera movement", Kept::Camera),
    ("camera motion", Kept::Camera),
    ("camera move", Kept::Camera),
    ("camera work", Kept::Camera),
    ("camera path", Kept::Camera),
    ("camera angle", Kept::Camera),
    ("camera", Kept::Camera),
    ("camerawork", Kept::Camera),
    ("color palette", Kept::Colours),
    ("color grading", Kept::Colours),
    ("color grade", Kept::Colours),
    ("color scheme", Kept::Colours),
    ("color", Kept::Colours),
    ("palette", Kept::Colours),
    ("grading", Kept::Colours),
    ("skin tone", Kept::Colours),
    ("motion", Kept::Motion),
    ("movement", Kept::Motion),
    ("action", Kept::Motion),
    ("choreography", Kept::Motion),
    ("performance", Kept::Motion),
    ("gesture", Kept::Motion),
    ("pose", Kept::Motion),
    ("composition", Kept::Composition),
    ("framing", Kept::Composition),
    ("layout", Kept::Composition),
    ("visual style", Kept::Style),
    ("style", Kept::Style),
    ("look", Kept::Style),
    ("aesthetic", Kept::Style),
    ("lighting", Kept::Lighting),
    ("light", Kept::Lighting),
    ("shadow", Kept::Lighting),
    ("background", Kept::Background),
    ("backdrop", Kept::Background),
    ("scenery", Kept::Background),
    ("environment", Kept::Background),
    ("surroundings", Kept::Background),
    ("location", Kept::Background),
    ("setting", Kept::Background),
    ("face", Kept::Subject),
    ("facial expression", Kept::Subject),
    ("subject", Kept::Subject),
    ("character", Kept::Subject),
    ("person", Kept::Subject),
    ("identity", Kept::Subject),
    ("likeness", Kept::Subject),
    ("clothes", Kept::Subject),
    ("outfit", Kept::Subject),
    ("timing", Kept::Timing),
    ("pace", Kept::Timing),
    ("pacing", Kept::Timing),
    ("rhythm", Kept::Timing),
    ("tempo", Kept::Timing),
    ("speed", Kept::Timing),
    ("sound", Kept::Sound),
    ("audio", Kept::Sound),
    ("music", Kept::Sound),
    ("voice", Kept::Sound),
    ("dialogue", Kept::Sound),
    ("text", Kept::Text),
    ("logo", Kept::Text),
    ("lettering", Kept::Text),
    ("subtitles", Kept::Text),
    ("everything else", Kept::EverythingElse),
    ("everything", Kept::EverythingElse),
    ("anything else", Kept::EverythingElse),
    ("the rest", Kept::EverythingElse),
    ("rest", Kept::EverythingElse),
];

/// The noun for something that can be kept at `at`, and how many words it takes.
pub(crate) fn noun(words: &[Word], at: usize, end: usize) -> Option<(&'static Kept, usize)> {
    NOUNS.find(words.get(at..end)?, Word::is)
}

/// Whether `range` holds nouns for what can be kept, and nothing else but glue.
pub(crate) fn only_nouns(words: &[Word], range: Range<usize>) -> bool {
    let mut at = range.start;
    let mut found = false;
    while at < range.end {
        if let Some((_, used)) = noun(words, at, range.end) {
            found = true;
            at += used;
        } else if words[at]
            .any(&["the", "and", "or", "all", "of", "original", "his", "her", "same", "exactly"])
            || found && words[at].any_form(STAYERS)
        {
            at += 1;
        } else {
            return false;
        }
    }
    found
}

/// Reads what the governor of a keeping clause rules.
pub(crate) fn read(reader: &mut Reader<'_>, clause: usize, scope: &Scope) {
    let mut first = Some(scope.governor.clone()).filter(|governor| !governor.is_empty());
    let end = scope.words.end;
    let mut at = scope.words.start;
    while at < end {
        if reader.taken[at] {
            at += 1;
            continue;
        }
        let said_so = reader.words[at].any_form(STAYERS) || reader.words[at].any(&["exactly"]);
        let last = reader.keeps.last_mut().filter(|keep| said_so && keep.words.end == at);
        if let Some(keep) = last {
            keep.words.end = at + 1;
            reader.taken[at] = true;
            at += 1;
            continue;
        }
        let governor = first.as_ref().filter(|governor| governor.end <= at).map(|g| g.start);
        if let Some((kept, used)) = noun(&reader.words, at, end) {
            at = keep_noun(reader, clause, kept.clone(), at..at + used, end, governor);
            first = None;
        } else if let Some((phrase, used)) = lexicon::longest(&reader.words[at..end]) {
            let follows = noun(&reader.words, at + used, end);
            if let Some((kept, more)) = follows {
                let start = governor.unwrap_or(at);
                reader.keep(kept.clone(), start..at + used + more, 0.9);
                at += used + more;
                first = None;
            } else {
                reader.wish(phrase.want.clone(), at..at + used, clause, phrase.confidence * 0.9);
                at += used;
            }
        } else if !reader.words[at].any(GLUE) && reader.words[at].handle().is_none() {
            let stop = (at..end)
                .find(|&i| {
                    reader.taken[i] || (i > at && reader.words[i].any(&["and", "or", "with", "in"]))
                })
                .unwrap_or(end);
            let name = reader.text(at..stop).to_owned();
            let start = governor.unwrap_or(at);
            reader.keep(Kept::Thing { name }, start..stop, 0.6);
            at = stop;
            first = None;
        } else {
            at += 1;
        }
    }
    // "The background stays": the governor follows what it keeps.
    if scope.governor.start >= end {
        let last =
            reader.keeps.iter_mut().rev().find(|keep| scope.words.contains(&keep.words.start));
        if let Some(keep) = last {
            keep.words.end = scope.governor.end;
            let words = keep.words.clone();
            reader.take(words);
        }
    }
}

/// Keeps a noun, or wishes what is said of it: "keep the camera static", "keep the colours warm".
fn keep_noun(
    reader: &mut Reader<'_>,
    clause: usize,
    kept: Kept,
    at: Range<usize>,
    end: usize,
    governor: Option<usize>,
) -> usize {
    if let Some((phrase, used)) =
        lexicon::longest(&reader.words[at.start..end]).filter(|(_, used)| *used > at.len())
    {
        reader.wish(phrase.want.clone(), at.start..at.start + used, clause, phrase.confidence);
        return at.start + used;
    }
    let said = lexicon::longest(&reader.words[at.end..end])
        .filter(|(phrase, _)| matches!(phrase.want, Want::Grade { .. } | Want::Camera { .. }));
    if let Some((phrase, used)) = said {
        reader.wish(phrase.want.clone(), at.start..at.end + used, clause, phrase.confidence);
        return at.end + used;
    }
    reader.keep(kept, governor.unwrap_or(at.start)..at.end, 0.95);
    at.end
}

/// Keeps away what a denial rules; what no phrase names is read later, with the leftovers.
pub(crate) fn deny(
    reader: &mut Reader<'_>,
    want: Want,
    scope: &Scope,
    at: Range<usize>,
    confidence: f64,
) {
    debug_assert_eq!(scope.mode, Mode::Without);
    let governor = scope.governor.clone();
    let adjacent = !governor.is_empty()
        && (governor.end..at.start).all(|i| !reader.taken[i] && reader.words[i].any(GLUE));
    let start = if adjacent { governor.start } else { at.start };
    reader.keep(Kept::Without { want: Box::new(want) }, start..at.end, confidence);
}
